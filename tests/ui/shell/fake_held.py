# SPDX-License-Identifier: EUPL-1.2
"""What is held back on this computer, in memory."""

from app.core.ids import ChangeId, ObjId, RoomId
from app.core.signal import Signal
from app.rooms.held import HeldBack, HeldChange, LeftOutChange, VoidChanges, WaitingChanges
from tests.ui.shell.sample import CASE, DOCUMENT, REGISTRAR, at

HELD = HeldChange(
    obj=DOCUMENT,
    kind="document",
    title="Utkast till beslut",
    author=REGISTRAR,
    change=ChangeId(b"c" * 16),
    t=at(9, 0, 27),
    why="crash",
    row=12,
)
COPY = ObjId(b"k" * 16)


class FakeHeldBack(HeldBack):
    """Tests put into `changes` and `gone`, and read what was `done`."""

    def __init__(self) -> None:
        self.changed: Signal[RoomId] = Signal()
        self.changes: tuple[HeldChange, ...] = ()
        self.counted: tuple[VoidChanges, ...] = ()
        """The counts of void changes that `void` returns beside those in `changes`."""
        self.gone: tuple[LeftOutChange, ...] = ()
        self.late: tuple[WaitingChanges, ...] = ()
        self.waits = False
        self.titles: tuple[str, ...] = ()
        """Of objects that are too large for this computer."""
        self.admin = True
        self.done: list[str] = []

    def held(self, room: RoomId) -> tuple[HeldChange, ...]:
        return self.changes if room == CASE else ()

    def void(self, room: RoomId) -> tuple[VoidChanges, ...]:
        return tuple(VoidChanges(title=c.title, author=c.author, count=1) for c in self.held(room) if c.void) + (
            self.counted if room == CASE else ()
        )

    def waiting(self, room: RoomId) -> tuple[WaitingChanges, ...]:
        return self.late if room == CASE else ()

    def left_out(self, room: RoomId) -> tuple[LeftOutChange, ...]:
        return self.gone if room == CASE else ()

    def stalled(self, room: RoomId) -> bool:
        return self.waits

    def large(self, room: RoomId) -> tuple[str, ...]:
        return self.titles if room == CASE else ()

    def may_leave_out(self, room: RoomId) -> bool:
        return self.admin

    def leave_out(self, room: RoomId, held: HeldChange) -> None:
        self.done.append(f"leave-out {held.change.hex()}")

    def may_copy(self, room: RoomId, held: HeldChange) -> bool:
        return True

    def copy(self, held: HeldChange) -> ObjId:
        self.done.append("copy")
        return COPY
