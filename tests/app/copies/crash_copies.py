# SPDX-License-Identifier: EUPL-1.2
"""Run by test_crash_copies.py as a process of its own: opens a copy, which another program changes, keeps the change
and removes the copy, and is killed at a step."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import TypeVar

from app.copies import files, service, wiping
from app.copies.kept import KeptFiles
from app.copies.service import WorkingCopies
from app.core.foreign import mark_foreign
from app.core.held_folder import HeldFolder
from app.core.ids import ChangeId, new_obj
from app.store.cache_files import CacheFiles
from app.store.database import Database
from app.store.store import Store
from app.store.working_copies import FileOfMessage
from tests.app.store.conftest import KEY, KINDS, ROOM

T = TypeVar("T")
PLAIN, CHANGED, BESIDE = "Utkast åäö 🙂".encode() * 100, b"changed " * 100, b"saved beside " * 100


def killed(steps: "count[int]", at: int, step: Callable[..., T]) -> Callable[..., T]:
    """`step`, before and after which the process is killed if that is the step with the number `at`."""

    def run(*args: object, **named: object) -> T:
        if next(steps) == at:
            os.kill(os.getpid(), signal.SIGKILL)
        result = step(*args, **named)
        if next(steps) == at:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    return run


def of_message() -> FileOfMessage:
    return FileOfMessage(room=ROOM, obj=new_obj(), message=ChangeId(b"m" * 16), number=0, name="Beslut åäö 🙂.docx")


def copies_of(store: Store, folder: Path) -> WorkingCopies:
    """The working copies of a store, in folders beside it."""
    kept = KeptFiles(CacheFiles(folder / "kept"), store.cache_upkeep.with_room)
    return WorkingCopies(store.copies, kept, folder / "working")


async def main(folder: Path, at: int) -> None:
    """Writes "changed" once the other program has written, and "done" when no step had that number."""
    store = Store.open(folder / "store.db", KEY, KINDS)
    steps = count()
    HeldFolder.write = killed(steps, at, HeldFolder.write)  # type: ignore[method-assign]
    HeldFolder.remove = killed(steps, at, HeldFolder.remove)  # type: ignore[method-assign]
    Database._commit = killed(steps, at, Database._commit)  # type: ignore[method-assign]
    Path.mkdir = killed(steps, at, Path.mkdir)  # type: ignore[method-assign]
    Path.chmod = killed(steps, at, Path.chmod)  # type: ignore[method-assign]
    setattr(files, "mark_foreign", killed(steps, at, mark_foreign))  # noqa: B010 - not exported
    wiping._rename = killed(steps, at, wiping._rename)
    for module in (wiping, service):
        setattr(module, "remove_folder", killed(steps, at, files.remove_folder))  # noqa: B010 - not exported
    os.unlink = killed(steps, at, os.unlink)
    os.rmdir = killed(steps, at, os.rmdir)
    copies = copies_of(store, folder)
    path = await copies.open(of_message(), PLAIN, "Skrivskyddad kopia")
    other = path.with_suffix(".new")
    other.write_bytes(CHANGED)
    other.replace(path)
    path.with_name("Mitt tillägg.docx").write_bytes(BESIDE)
    sys.stdout.write("changed ")
    sys.stdout.flush()
    await copies.look()
    await copies.close()
    store.close()
    sys.stdout.write("done")


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
