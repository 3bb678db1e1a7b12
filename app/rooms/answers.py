# SPDX-License-Identifier: EUPL-1.2
"""The person's answers to invitations, as the rooms' services need them. app/personal/answers.py stores them."""

from collections.abc import Collection
from typing import Protocol

from app.core.ids import RoomId, Uid
from app.core.signal import Signal


class Answer(Protocol):
    """The person's `answer` about having been added to a room at position `n` (0 if not known): "accepted", "declined",
    or "asked" (they want to be asked again). `t`: the server's time of the answer in ms; None while the server does not
    have it."""

    @property
    def answer(self) -> str: ...
    @property
    def n(self) -> int: ...
    @property
    def t(self) -> int | None: ...


class Answers(Protocol):
    """The interface by which the rooms' services read and write a person's answers to invitations, and the people whose
    invitations they hide. app/personal/answers.py implements it, in the personal room."""

    @property
    def changed(self) -> Signal[()]: ...
    @property
    def ready(self) -> bool: ...
    def answer(self, room: RoomId) -> Answer | None: ...
    def blocked(self) -> Collection[Uid]: ...
    def declined(self) -> list[RoomId]: ...
    def note_answer(self, room: RoomId, n: int, answer: str) -> None: ...
    async def give(self, answer: str, rooms: "list[tuple[RoomId, int]]") -> None: ...
    async def block(self, uid: Uid, on: bool) -> None: ...


def is_before(answer: Answer, left_n: int, left_ms: int) -> bool:
    """Whether an `answer` was given before the person left the room, at the position `left_n` and the time `left_ms`
    (the server's). ▲ An answer that is earlier by either of the two counts as earlier. Otherwise a stolen device could
    write a high position, and its answer would count for additions that are still to come."""
    return answer.n < left_n or (answer.t is not None and answer.t < left_ms)
