# SPDX-License-Identifier: EUPL-1.2
"""What the person answered to invitations, and whose they do not want: records in the personal room."""

from app.core.ids import RoomId, Uid
from app.core.signal import Signal
from app.personal.records import DECLINED, Answer, InvitationAnswered, PersonBlocked
from app.personal.service import Personal


class InvitationAnswers:
    """Reads and writes them; the latest record of each room and person counts."""

    def __init__(self, personal: Personal) -> None:
        self.changed: Signal[()] = personal.changed
        self._personal = personal

    @property
    def ready(self) -> bool:
        """Whether there is a room to write to."""
        return self._personal.ready

    def answer(self, room: RoomId) -> Answer | None:
        """What was answered about a room, at any device."""
        return self._personal.shared.answers.get(room)

    def blocked(self) -> frozenset[Uid]:
        """Whose invitations are not shown."""
        return frozenset(self._personal.shared.blocked)

    def declined(self) -> list[RoomId]:
        """Rooms that were declined."""
        return [room for room, found in self._personal.shared.answers.items() if found.answer == DECLINED]

    def note_answer(self, room: RoomId, n: int, answer: str) -> None:
        """Writes one answer; NotFound unless `ready`."""
        self._personal.write(InvitationAnswered(room=room, n=n, answer=answer))

    async def give(self, answer: str, rooms: list[tuple[RoomId, int]]) -> None:
        """Writes answers, with the positions of the additions; works offline once there is a room. SyncError."""
        await self._personal.found()
        self._personal.write(*(InvitationAnswered(room=room, n=n, answer=answer) for room, n in rooms))

    async def block(self, uid: Uid, on: bool) -> None:
        """Blocks a person or takes it back; as `give`."""
        await self._personal.found()
        self._personal.write(PersonBlocked(uid=uid, on=on))
