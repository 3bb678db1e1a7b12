# SPDX-License-Identifier: EUPL-1.2
"""Who has a document open and where their carets are: passing messages that are never stored."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from app.core import clock
from app.core.ids import DevId, ObjId, RoomId, Uid
from app.core.signal import Signal
from app.documents.records import CARET, Caret
from app.errors import BadChange

SEND_EVERY_MS = 100
"""Carets move often; more than ten a second nobody sees."""
REPEAT_MS = 10_000
SHOWN_FOR_MS = 25_000
MAX_DEVICES = 200

Later = Callable[[float, Callable[[], None]], Callable[[], None]]
"""Calls a function after some seconds; what it gives ends the waiting."""


def on_loop(delay_s: float, act: Callable[[], None]) -> Callable[[], None]:
    """`Later` on the running event loop."""
    return asyncio.get_running_loop().call_later(delay_s, act).cancel


@dataclass(frozen=True, slots=True, kw_only=True)
class Present:
    """A colleague's device in a document. `selection` is for `Document.resolve_selection`."""

    uid: Uid
    dev: DevId
    selection: bytes


@dataclass(slots=True)
class _Mine:
    room: RoomId
    selection: Callable[[], bytes]
    sent_ms: int = -REPEAT_MS
    waiting: bool = False
    cancel: Callable[[], None] = lambda: None


class Presence:
    """Tells where I am in the documents I have open, and hears where others are."""

    def __init__(
        self,
        send: Callable[[RoomId, bytes], None] | None,
        *,
        later: Later = on_loop,
        now_ms: Callable[[], int] = clock.now_ms,
    ) -> None:
        self.changed: Signal[ObjId] = Signal()
        self._send = send
        self._later = later
        self._now_ms = now_ms
        self._mine: dict[ObjId, _Mine] = {}
        self._received: dict[ObjId, dict[tuple[Uid, DevId], tuple[int, bytes]]] = {}

    def enter(self, room: RoomId, obj: ObjId, selection: Callable[[], bytes]) -> None:
        """I have the document open; `selection` gives my selection whenever it is to be sent."""
        self._mine[obj] = _Mine(room, selection)
        self._tick(obj)

    def leave(self, obj: ObjId) -> None:
        """I have closed it; others are told."""
        mine = self._mine.pop(obj, None)
        self._received.pop(obj, None)
        if mine is not None:
            mine.cancel()
            self._send_caret(mine.room, Caret(obj=obj))

    def is_in(self, obj: ObjId) -> bool:
        """Whether I have entered the document and not left it."""
        return obj in self._mine

    def moved(self, obj: ObjId) -> None:
        """My selection is another. Sent at once, or a little later if something was sent just now."""
        mine = self._mine.get(obj)
        if mine is None or mine.waiting:
            return
        wait = mine.sent_ms + SEND_EVERY_MS - self._now_ms()
        if wait <= 0:
            self._tick(obj)
        else:
            mine.waiting = True
            mine.cancel()
            mine.cancel = self._later(wait / 1000, lambda: self._tick(obj))

    def receive(self, room: RoomId, uid: Uid, dev: DevId, payload: bytes) -> None:
        """A passing message came. Those of other tools, and of documents not open here, are left alone."""
        try:
            caret = CARET.decode(payload)
        except BadChange:
            return
        obj = ObjId(caret.obj)
        mine = self._mine.get(obj)
        if mine is None or mine.room != room:
            return
        received = self._received.setdefault(obj, {})
        if caret.selection is None:
            received.pop((uid, dev), None)
        elif (uid, dev) in received or len(received) < MAX_DEVICES:
            new = (uid, dev) not in received
            received[uid, dev] = (self._now_ms(), caret.selection)
            if new:
                self.moved(obj)  # whoever has just come should see me at once
        self.changed.emit(obj)

    def others(self, obj: ObjId) -> list[Present]:
        """Who else has the document open."""
        received = self._received.get(obj, {})
        return [Present(uid=uid, dev=dev, selection=selection) for (uid, dev), (_, selection) in received.items()]

    def close(self) -> None:
        """Leaves everything."""
        for obj in list(self._mine):
            self.leave(obj)

    def _tick(self, obj: ObjId) -> None:
        mine = self._mine.get(obj)
        if mine is None:
            return
        mine.waiting = False
        mine.sent_ms = self._now_ms()
        self._send_caret(mine.room, Caret(obj=obj, selection=mine.selection()))
        mine.cancel()
        mine.cancel = self._later(REPEAT_MS / 1000, lambda: self._tick(obj))
        self._forget(obj)

    def _forget(self, obj: ObjId) -> None:
        """Those who have not been heard for a while are gone: their machine sleeps or lost its connection."""
        received, oldest = self._received.get(obj, {}), self._now_ms() - SHOWN_FOR_MS
        gone = [key for key, (t, _) in received.items() if t < oldest]
        for key in gone:
            del received[key]
        if gone:
            self.changed.emit(obj)

    def _send_caret(self, room: RoomId, caret: Caret) -> None:
        if self._send is not None:
            self._send(room, CARET.encode(caret))
