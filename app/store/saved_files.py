# SPDX-License-Identifier: EUPL-1.2
"""Writes the files that a person saves outside the profile. If the process is killed meanwhile, the next session
removes what was written.

Such a file has plain content. Until it is complete it is a draft: it has a hidden name beside its target. ▲ The draft's
path is stored before the draft is made (FORMAT.md, `meta`), and deleted after the draft is gone. Otherwise a kill would
leave plain content in a folder that the next session does not know.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TypeVar

from app.core import log
from app.core.files import Draft, draft_path, remove_draft
from app.core.ids import new_id
from app.errors import StoreFault
from app.store.database import Database

T = TypeVar("T")

_LEFT = "SELECT name, value FROM meta WHERE name >= 'saving-' AND name < 'saving.'"


@asynccontextmanager
async def saved_file(db: Database, target: Path) -> AsyncIterator[Draft]:
    """A context with a `Draft` of `target` (app/core/files.py): write into it, then call its `keep`, which gives it the
    name `target`. At the end of the context a draft that was not kept is removed. Enter it on the event loop, and call
    the draft's methods by `to_end`, since they block. OSError if the draft cannot be made.

    If the database cannot store the draft's path (a full disk), the file is written all the same: `target` may be on
    another disk, and a person must be able to save there what has no room here. A kill then leaves the draft.
    """
    path = draft_path(target)
    name = _note(db, path)
    made: list[Draft] = []
    try:
        await to_end(lambda: made.append(Draft(target, path)))
        yield made[0]
    finally:
        is_gone = True
        for draft in made:
            await to_end(draft.drop)
            is_gone = await to_end(partial(remove_draft, path))
        if is_gone:
            _forget(db, name)


class LeftFiles:
    """The drafts that an earlier session has left, because it was killed or could not remove them."""

    def __init__(self, db: Database) -> None:
        """Reads the paths of the drafts. Make it when the store is opened, before this session saves a file. Otherwise
        `run` would remove a draft that is being written. StoreFault."""
        self._db = db
        self._left = [(str(name), Path(os.fsdecode(path))) for name, path in db.rows(_LEFT)]

    async def run(self) -> None:
        """Removes the drafts, in threads. A draft that cannot be removed now, for example on a stick that is not in the
        computer, is tried again by the next session. Raises no error for that."""
        gone = [name for name, path in self._left if await asyncio.to_thread(remove_draft, path)]
        for name in gone:
            _forget(self._db, name)
        if self._left:
            log.store.info("unfinished-files", count=len(self._left), gone=len(gone))


def _note(db: Database, path: Path) -> str:
    name = f"saving-{new_id().hex()}"
    try:
        with db.transaction():
            db.conn.execute("INSERT INTO meta (name, value) VALUES (?, ?)", (name, os.fsencode(path)))
    except StoreFault as fault:
        log.store.warning("unfinished-file-not-noted", code=fault.code)
    return name


def _forget(db: Database, name: str) -> None:
    """Deletes a stored path. If the database refuses, or is closed already, the next session finds no such file, and
    deletes the path then."""
    with suppress(StoreFault), db.transaction():
        db.conn.execute("DELETE FROM meta WHERE name = ?", (name,))


async def to_end(step: Callable[[], T]) -> T:
    """Calls `step` in a thread and returns its result, or raises its error. If the task is cancelled meanwhile, waits
    for the step before CancelledError is raised. Otherwise the thread could still write while the caller removes what
    it wrote."""
    running = asyncio.ensure_future(asyncio.to_thread(step))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        while not running.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait({running})
        if not running.cancelled():
            running.exception()  # otherwise asyncio reports it as never retrieved
        raise
