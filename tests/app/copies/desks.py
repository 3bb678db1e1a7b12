# SPDX-License-Identifier: EUPL-1.2
"""A store with its working copies, and what other programs do with these."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.app.copies.crash_copies import copies_of
from tests.app.store.conftest import ROOM, Bench

LABEL = "Skrivskyddad kopia"
HOLD = "import sys; held = open(sys.argv[1], 'rb'); print('open', flush=True); sys.stdin.read()"


class Desk:
    """A store with its working copies, which can be closed and opened again."""

    def __init__(self, bench: Bench) -> None:
        self.bench, self.folder = bench, bench.folder
        self.copies = copies_of(bench.store, bench.folder)

    @property
    def plain(self) -> list[Path]:
        """The files in the working folder."""
        working = self.folder / "working"
        return sorted(path for path in working.rglob("*") if path.is_file() and path.name != "lock")

    async def restart(self) -> None:
        """The next session, which begins with a look."""
        await self.copies.close()
        self.copies = copies_of(self.bench.reopen(), self.folder)
        await self.copies.look()

    async def kept(self) -> list[tuple[str, bytes]]:
        """(name, bytes) of what is kept."""
        found = [await self.copies.read(copy.id) for copy in self.copies.copies(ROOM)]
        return sorted((copy.of.name, data) for copy, data in found)


def overwrite(path: Path, data: bytes) -> None:
    """As a program does that stores a file in place of a read-only one."""
    new = path.with_name("new")
    new.write_bytes(data)
    new.replace(path)


@contextmanager
def held_by_another(path: Path) -> Iterator[None]:
    """Within it, another process has the file open."""
    command = [sys.executable, "-c", HOLD, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"open\n"
        yield
        process.communicate()
