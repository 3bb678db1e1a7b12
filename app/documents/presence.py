# SPDX-License-Identifier: EUPL-1.2
"""The people who have a document open, and their carets: ephemeral messages that are never stored."""

from collections.abc import Callable
from dataclasses import dataclass

from app.core import clock
from app.core.delay import Later, on_loop
from app.core.ids import DevId, ObjId, RoomId, Uid
from app.core.signal import Signal
from app.documents.records import CARET, Caret
from app.errors import BadChange
from app.setting import Switch

SEND_EVERY_MS = 100
"""Carets move often; more than ten updates a second cannot be seen."""
REPEAT_MS = 10_000
SHOWN_FOR_MS = 25_000
MAX_DEVICES = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Present:
    """Another device, of a colleague or of this person, that has a document open. `selection`: its selection as bytes,
    from which the open document finds where that is now."""

    uid: Uid
    dev: DevId
    selection: bytes


@dataclass(slots=True)
class _Mine:
    room: RoomId
    selection: Callable[[], bytes]
    sent: bytes | None = None
    """The selection that the others have; None if somebody has none yet."""
    sent_ms: int = 0
    """When they were sent it."""
    looked_ms: int = -REPEAT_MS
    """When the selection was last compared with that."""
    waiting: bool = False
    """Whether it is compared again soon."""
    cancel: Callable[[], None] = lambda: None
    """Ends what is due next: to compare it, or to send it again."""


class Presence:
    """Sends this person's selection in each document that they have open, and receives the selections of others. `send`
    gets a room and the bytes of an ephemeral message for the devices that are online there; None: nothing is sent.
    `shown` is the setting whether the others may see where this person is; None: they may.
    `later` calls a function after some seconds; `now_ms` is this device's clock."""

    def __init__(
        self,
        send: Callable[[RoomId, bytes], None] | None,
        shown: Switch | None = None,
        *,
        later: Later = on_loop,
        now_ms: Callable[[], int] = clock.now_ms,
    ) -> None:
        self.changed: Signal[ObjId] = Signal()
        self._send = send
        self._shown = shown or Switch()
        self._shown.changed.connect(self._on_setting)
        self._later = later
        self._now_ms = now_ms
        self._mine: dict[ObjId, _Mine] = {}
        self._received: dict[ObjId, dict[tuple[Uid, DevId], tuple[int, bytes]]] = {}

    def enter(self, room: RoomId, obj: ObjId, selection: Callable[[], bytes]) -> None:
        """Notes that this person has opened the document, and sends that to the room's devices now and again at
        intervals. `selection` returns their selection as bytes; it is called whenever that is to be sent. A second
        call replaces it."""
        self._mine[obj] = _Mine(room, selection)
        self._tick(obj)

    def leave(self, obj: ObjId) -> None:
        """Notes that this person has closed the document, notifies the others, and drops their selections. Does nothing
        if this person has not entered it."""
        mine = self._mine.pop(obj, None)
        self._received.pop(obj, None)
        if mine is not None:
            mine.cancel()
            if self._shown.is_on():
                self._send_caret(mine.room, Caret(obj=obj))

    def is_in(self, obj: ObjId) -> bool:
        """Whether this person has entered the document and not left it."""
        return obj in self._mine

    def moved(self, obj: ObjId) -> None:
        """Notes that the person's selection in the document may have changed. It is sent at once, or a little later if
        one was sent just now. Does nothing if the person has not entered the document, or if their selection is still
        attached to the same words as when it was sent last.

        ▲ When somebody writes before these words, the others' programs move the selection by themselves. Without this
        rule, each letter that one person types would make everybody else who has the document open send a message to
        everybody."""
        mine = self._mine.get(obj)
        if mine is None or mine.waiting:
            return
        wait = mine.looked_ms + SEND_EVERY_MS - self._now_ms()
        if wait <= 0:
            self._look(obj)
        else:
            mine.waiting = True
            mine.cancel()
            mine.cancel = self._later(wait / 1000, lambda: self._look(obj))

    def receive(self, room: RoomId, uid: Uid, dev: DevId, payload: bytes) -> None:
        """Receives an ephemeral message, whose content is `payload`, that the person `uid` sent from the device `dev`:
        their selection in a document, or that they left it. Notes it and emits `changed`; a device that is new there
        gets this person's selection in return. Messages of other tools, about documents that this person has not
        entered, and from more than MAX_DEVICES devices are ignored."""
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
                mine.sent = None
                self.moved(obj)  # a device that has just opened it should receive this selection at once
        self.changed.emit(obj)

    def others(self, obj: ObjId) -> list[Present]:
        """The other devices, of colleagues and of this person, that have the document open, in the order in which they
        came. Empty if this person has not entered it."""
        received = self._received.get(obj, {})
        return [Present(uid=uid, dev=dev, selection=selection) for (uid, dev), (_, selection) in received.items()]

    def close(self) -> None:
        """Leaves every document that this person has entered, and notifies the others."""
        for obj in list(self._mine):
            self.leave(obj)

    def _look(self, obj: ObjId) -> None:
        """Sends the selection if the others have another one. To find that out takes half a millisecond in a long
        document, so it is done at most every SEND_EVERY_MS."""
        mine = self._mine.get(obj)
        if mine is None:
            return
        selection = mine.selection()
        if selection != mine.sent:
            self._send_mine(obj, mine, selection)
        self._wait(obj, mine)

    def _tick(self, obj: ObjId) -> None:
        mine = self._mine.get(obj)
        if mine is None:
            return
        self._send_mine(obj, mine, mine.selection())
        self._wait(obj, mine)
        self._forget(obj)

    def _send_mine(self, obj: ObjId, mine: _Mine, selection: bytes) -> None:
        mine.sent, mine.sent_ms = selection, self._now_ms()
        if self._shown.is_on():
            self._send_caret(mine.room, Caret(obj=obj, selection=selection))

    def _wait(self, obj: ObjId, mine: _Mine) -> None:
        """Has the selection sent again REPEAT_MS after it was sent."""
        mine.looked_ms, mine.waiting = self._now_ms(), False
        mine.cancel()
        left = max(0, mine.sent_ms + REPEAT_MS - mine.looked_ms)
        mine.cancel = self._later(left / 1000, lambda: self._tick(obj))

    def _on_setting(self) -> None:
        """Sends this person's place in each open document, or that they left it, since they switched that."""
        for obj, mine in self._mine.items():
            mine.sent = mine.selection()
            shown = self._shown.is_on()
            self._send_caret(mine.room, Caret(obj=obj, selection=mine.sent if shown else None))

    def _forget(self, obj: ObjId) -> None:
        """Drops from the document's present devices those that have sent nothing for SHOWN_FOR_MS (25 s): their
        computer sleeps or has lost its connection. Emits `changed` if there were any."""
        received, oldest = self._received.get(obj, {}), self._now_ms() - SHOWN_FOR_MS
        gone = [key for key, (t, _) in received.items() if t < oldest]
        for key in gone:
            del received[key]
        if gone:
            self.changed.emit(obj)

    def _send_caret(self, room: RoomId, caret: Caret) -> None:
        if self._send is not None:
            self._send(room, CARET.encode(caret))
