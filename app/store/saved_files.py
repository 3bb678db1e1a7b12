# SPDX-License-Identifier: EUPL-1.2
"""Writes the files that a person saves outside the profile, so that nothing of them is left if the process is killed
meanwhile.

Such a file has plain content. Until it is whole it has a hidden name beside its target. ▲ Its path is stored before it
is made (FORMAT.md, `meta`), and deleted after it is gone, so that the next session finds it, in whatever folder it is.
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
    """A context with a `Draft` beside `target`, which is dropped at the end unless it was kept. Call it on the event
    loop, and what blocks by `to_end`. OSError if the file cannot be made.

    If the database cannot store the path (a full disk), the file is written all the same: `target` may be on another
    disk, and a person must be able to save there what has no room here. Then a kill leaves what was written.
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
    """Unfinished files that an earlier session left when it was killed, or could not remove."""

    def __init__(self, db: Database) -> None:
        """Reads their paths. Make it when the store is opened, before this session saves anything."""
        self._db = db
        self._left = [(str(name), Path(os.fsdecode(path))) for name, path in db.rows(_LEFT)]

    async def run(self) -> None:
        """Removes the files, and returns. What cannot be removed now, such as on a stick that is not in the computer,
        is tried again by the next session."""
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
    """Calls `step` in a thread and returns its result. If the task is cancelled meanwhile, the step is completed before
    CancelledError is raised: what it wrote can then be removed."""
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
