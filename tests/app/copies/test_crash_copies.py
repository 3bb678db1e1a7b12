# SPDX-License-Identifier: EUPL-1.2
"""kill -9 at each step of opening, keeping and removing a working copy: no changed copy is lost, and no plain file is
left after the next start."""

import shutil
import subprocess
import sys
from itertools import count
from pathlib import Path

import pytest

from app.store.store import Store
from tests.app.copies.crash_copies import BESIDE, CHANGED, PLAIN, copies_of
from tests.app.store.conftest import KEY, KINDS, ROOM

ROOT = Path(__file__).parents[3]
AT_A_TIME = 3


def start(folder: Path, at: int) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "tests.app.copies.crash_copies", str(folder), str(at)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)


def names_of(folder: Path) -> set[str]:
    """The names of the files below a folder, beside the store's and the lock. None of them has anything in plain."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert not any(plain in path.read_bytes() for path in files for plain in (PLAIN, CHANGED, BESIDE))
    return {path.name for path in files if not path.name.startswith("store.db") and path.name != "lock"}


async def assert_nothing_lost(folder: Path, *, changed: bool) -> None:
    """After the next start what was changed is kept, whole and once, and nothing is in plain."""
    store = Store.open(folder / "store.db", KEY, KINDS)
    try:
        copies = copies_of(store, folder)
        await copies.look()
        kept = [(await copies.read(copy.id))[1] for copy in copies.copies(ROOM)]
        assert sorted(kept) == ([CHANGED, BESIDE] if changed else [])
        assert store.copies.opened() == []
        assert names_of(folder) == store.copies.part_names()
        await copies.close()
        assert store.db.check() == []
    finally:
        store.close()


@pytest.mark.slow
async def test_nothing_is_lost_and_nothing_is_left_after_a_kill_at_each_step(tmp_path: Path) -> None:
    Store.create(tmp_path / "store.db", KEY, KINDS).close()
    numbers = count()
    while True:
        running = []
        for at in (next(numbers) for _ in range(AT_A_TIME)):
            folder = tmp_path / "killed" / str(at)
            folder.mkdir(parents=True)
            shutil.copy(tmp_path / "store.db", folder / "store.db")
            running.append((folder, start(folder, at)))
        outputs = [(folder, process.communicate(timeout=60)[0]) for folder, process in running]
        for folder, output in outputs:
            await assert_nothing_lost(folder, changed=b"changed" in output)
        if all(output.endswith(b"done") for _, output in outputs):
            break
    assert next(numbers) > 40
