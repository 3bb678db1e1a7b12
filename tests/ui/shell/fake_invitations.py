# SPDX-License-Identifier: EUPL-1.2
"""Invitations in memory."""

from app.core.enums import Role, RoomType
from app.core.ids import RoomId, Uid
from app.core.signal import Signal
from app.errors import NotFound
from app.people.person import Person
from app.rooms.invitations import Invitations, MoreInvitations, OpenInvitation
from tests.ui.shell.sample import LAWYER, at, room_id

INVITED = OpenInvitation(
    room=room_id(3, 90),
    by=LAWYER,
    title="Överklagande 2026-2201 🙂",
    type=RoomType.CASE,
    greeting="Hej! Kan du läsa igenom det här före fredag? <b>Å</b>",
    t_ms=at(9, 41),
    role=Role.WRITER,
    long=False,
)


class FakeInvitations(Invitations):
    """Tests put into `open_ones` and `others`, and read what was `done`."""

    declined: int = 0

    def __init__(self) -> None:
        self.changed: Signal[()] = Signal()
        self.arrived: Signal[Person | None] = Signal()
        self.open_ones: list[OpenInvitation] = []
        self.others: list[MoreInvitations] = []
        self.people: list[Person] = []
        self.done: list[str] = []
        self.error: Exception | None = None

    @property
    def count(self) -> int:
        return len(self.open_ones) + sum(len(m.rooms) for m in self.others)

    def all(self) -> list[OpenInvitation]:
        return self.open_ones

    def more(self) -> list[MoreInvitations]:
        return self.others

    def get(self, room: RoomId) -> OpenInvitation:
        found = next((i for i in self.open_ones if i.room == room), None)
        if found is None:
            raise NotFound
        return found

    def blocked(self) -> list[Person]:
        return self.people

    async def accept(self, room: RoomId) -> None:
        self._did("accept")
        self._close(room)

    async def decline(self, *rooms: RoomId) -> None:
        self._did("decline")
        self.declined += len(rooms)
        self._close(*rooms)

    async def ask_again(self, *rooms: RoomId) -> None:
        self._did("ask-again")
        self.declined = 0
        self.open_ones = [INVITED]
        self.changed.emit()

    async def block(self, uid: Uid) -> None:
        self._did("block")
        self.people.append(LAWYER)
        self._close(*(i.room for i in self.open_ones))

    async def unblock(self, uid: Uid) -> None:
        self._did("unblock")
        self.people = [p for p in self.people if p.uid != uid]
        self.changed.emit()

    def _did(self, what: str) -> None:
        if self.error is not None:
            raise self.error
        self.done.append(what)

    def _close(self, *rooms: RoomId) -> None:
        self.open_ones = [i for i in self.open_ones if i.room not in rooms]
        self.others = [m for m in self.others if not set(m.rooms) & set(rooms)]
        self.changed.emit()
