# SPDX-License-Identifier: EUPL-1.2
"""Runs in a process that makes the state of one object out of its changes. `states` is the program's side."""

from app.core.ids import ChangeId, Uid
from app.errors import BadChange
from app.objects.compaction import State, state_at
from app.objects.replay import Unpacked
from app.worker.frames import PART_BYTES, Answer, Change, GetBytes, Give, Made, Make, Part, Question, Tried
from sync.client.placed_changes import PlacedChange


class Making:
    """Makes the merged state of the one object whose changes it was sent, and answers the program's questions about
    it."""

    def __init__(self) -> None:
        self._given: list[Change] = []
        self._made = b""

    def answer(self, question: Question) -> Answer:
        """Carries out a question of the program: takes further changes, makes the state, or returns some of its bytes.
        ValueError for a question that this process does not answer."""
        match question:
            case Give(changes=changes):
                self._given += changes
                return Tried((), False, 0)
            case Make():
                return self._make(question)
            case GetBytes(at=at):
                return Part(self._made[at : at + PART_BYTES])
        raise ValueError("this process makes states")

    def _make(self, asked: Make) -> Made:
        found = self._state(asked)
        if found is None:
            return Made(None, b"", (), ())
        self._made = found.update + found.begun
        short_texts = tuple(found.held.get(root, {}).get(key, "") for root, key in asked.text_keys)
        return Made((len(found.update), len(found.begun)), found.digest, found.waits, short_texts)

    def _state(self, asked: Make) -> State | None:
        """Makes the state that was asked for; None if the changes have none, also if they begin with a damaged state. ▲
        The program has unpacked the changes, as it does for the states that it makes itself: a state is the same
        wherever it is made."""
        changes = [
            PlacedChange(c.position, ChangeId(c.change_id), Uid(c.uid), c.t, at.to_bytes(8, "big"), c.covers)
            for at, c in enumerate(self._given)
        ]
        try:
            return state_at(
                changes, asked.n, self._unpack, texts=asked.texts, maps=asked.maps, text_keys=asked.text_keys
            )
        except BadChange:
            return None

    def _unpack(self, data: bytes) -> Unpacked:
        found = self._given[int.from_bytes(data, "big")]
        if found.bad:
            raise BadChange(found.bad)
        return Unpacked(found.update, found.begun, found.group, found.index, found.count)
