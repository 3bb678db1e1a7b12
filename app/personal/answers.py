# SPDX-License-Identifier: EUPL-1.2
"""The person's answers to invitations, and the people they have blocked: records in the personal room."""

from app.core.ids import RoomId, Uid
from app.core.signal import Signal
from app.personal.records import DECLINED, Answer, InvitationAnswered, PersonBlocked
from app.personal.service import Personal


class InvitationAnswers:
    """The person's answers to invitations and the people they have blocked, shared between their devices as records in
    the personal room. The latest record for each room and each person counts."""

    def __init__(self, personal: Personal) -> None:
        self.changed: Signal[()] = personal.changed
        self._personal = personal

    @property
    def ready(self) -> bool:
        """Whether the personal room exists and can be written to."""
        return self._personal.ready

    def answer(self, room: RoomId) -> Answer | None:
        """The answer about a room, given on any of the person's devices."""
        return self._personal.shared.answers.get(room)

    def blocked(self) -> frozenset[Uid]:
        """The people whose invitations are hidden."""
        return frozenset(self._personal.shared.blocked)

    def declined(self) -> list[RoomId]:
        """The rooms that were declined."""
        return [room for room, found in self._personal.shared.answers.items() if found.answer == DECLINED]

    def note_answer(self, room: RoomId, n: int, answer: str) -> None:
        """Writes the answer about a room to which the person was added at position `n`. NotFound unless `ready`."""
        self._personal.write(InvitationAnswered(room=room, n=n, answer=answer))

    async def give(self, answer: str, rooms: list[tuple[RoomId, int]]) -> None:
        """Writes the same `answer` ("accepted", "declined" or "asked") to the invitations to several `rooms`, each with
        the position at which the person was added. Works offline once the personal room exists; otherwise it is made
        first. SyncError, StoreFault; NotFound if no room may be made any more."""
        await self._personal.found()
        self._personal.write(*(InvitationAnswered(room=room, n=n, answer=answer) for room, n in rooms))

    async def block(self, uid: Uid, on: bool) -> None:
        """Hides the invitations of a colleague (`on` True), or shows them again. Works offline once the personal room
        exists; otherwise it is made first. SyncError, StoreFault; NotFound if no room may be made any more."""
        await self._personal.found()
        self._personal.write(PersonBlocked(uid=uid, on=on))
