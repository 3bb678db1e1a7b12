# SPDX-License-Identifier: EUPL-1.2
"""Run by test_saved_files.py as a process of its own: saves a file over an older one, and is killed at a step."""

import asyncio
import os
import sys
from itertools import count
from pathlib import Path

from app.core import files
from app.core.files import Draft
from app.core.foreign import mark_foreign
from app.store.database import Database
from app.store.saved_files import saved_file, to_end
from app.store.store import Store
from tests.app.copies.crash_copies import killed
from tests.app.store.conftest import KEY, KINDS

OLD, NEW = b"old", "Beslut åäö 🙂".encode() * 100


async def main(folder: Path, at: int) -> None:
    """Writes "done" when no step had that number."""
    store = Store.open(folder / "store.db", KEY, KINDS)
    steps = count()
    Database._commit = killed(steps, at, Database._commit)  # type: ignore[method-assign]
    Draft.keep = killed(steps, at, Draft.keep)  # type: ignore[method-assign]
    Draft.drop = killed(steps, at, Draft.drop)  # type: ignore[method-assign]
    os.open = killed(steps, at, os.open)
    os.fsync = killed(steps, at, os.fsync)
    setattr(files, "mark_foreign", killed(steps, at, mark_foreign))  # noqa: B010 - not exported
    Path.chmod = killed(steps, at, Path.chmod)  # type: ignore[method-assign]
    Path.replace = killed(steps, at, Path.replace)  # type: ignore[method-assign]
    async with saved_file(store.db, folder / "ut" / "beslut å.txt") as draft:
        await to_end(lambda: draft.file.write(NEW))
        await to_end(lambda: draft.keep(foreign=True))
    store.close()
    sys.stdout.write("done")


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
