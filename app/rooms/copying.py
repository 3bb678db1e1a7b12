# SPDX-License-Identifier: EUPL-1.2
"""The copies of objects that are being made in rooms: how far each is, and stopping one. It makes none itself."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

from app.core.ids import ObjId, RoomId
from app.core.signal import Signal
from app.store.long_writes import Progress

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyProgress:
    """How far the copy of an object with this `title` is: `percent`, None while it is put together. `may_stop`: it can
    still be stopped, and then nothing of it is left."""

    title: str
    percent: int | None = None
    may_stop: bool = True


@dataclass(slots=True)
class _Copy:
    room: RoomId
    shown: CopyProgress
    task: "asyncio.Task[Any]"


class Copying:
    """The copies that are being made, each of one object. Lives on the event loop."""

    def __init__(self) -> None:
        self.progressed: Signal[RoomId] = Signal()
        """A copy that is being made in the room has begun, come further, or ended."""
        self._copies: dict[tuple[RoomId, ObjId], _Copy] = {}

    async def run(self, room: RoomId, obj: ObjId, title: str, make: Callable[[Progress], Coroutine[Any, Any, T]]) -> T:
        """Returns the result of `make`, which copies the object `obj`, called `title`, and is given what it calls with
        its progress. CancelledError also if `stop` stopped it. One copy of an object at a time: `is_made` says whether
        there is one."""

        def progress(done: int, total: int, may_stop: bool) -> None:
            percent = 100 * done // total if total else None
            shown = CopyProgress(title=title, percent=percent, may_stop=may_stop)
            if copy.shown != shown:
                copy.shown = shown
                self.progressed.emit(room)

        task = asyncio.ensure_future(make(progress))
        copy = self._copies[room, obj] = _Copy(room, CopyProgress(title=title), task)
        try:
            self.progressed.emit(room)
            return await task
        finally:
            task.cancel()  # if this was cancelled before it was awaited
            del self._copies[room, obj]
            self.progressed.emit(room)

    def is_made(self, room: RoomId, obj: ObjId) -> bool:
        """Whether a copy of the object is being made."""
        return (room, obj) in self._copies

    def of(self, room: RoomId) -> CopyProgress | None:
        """How far the copy is that is being made in the room, of several the first; None if there is none."""
        return next((copy.shown for copy in self._copies.values() if copy.room == room), None)

    def stop(self, room: RoomId) -> None:
        """Stops the copy that `of` returns, if it can still be stopped."""
        copy = next((copy for copy in self._copies.values() if copy.room == room), None)
        if copy is not None and copy.shown.may_stop:
            copy.task.cancel()
