# SPDX-License-Identifier: EUPL-1.2
"""Merges the descriptions of an open board that this person wrote with those that replaced them."""

from app.core.ids import Uid
from app.objects.crdt import SETUP, CrdtDoc, CrdtMap
from app.tasks.card_index import CardIndex
from app.tasks.descriptions import Description, goes_back, merge
from app.tasks.replaced import Replaced
from app.tasks.seen_descriptions import SeenDescriptions


class OwnDescriptions:
    """Merges descriptions that the person `me` wrote on an open board with those that replaced them. Does nothing while
    `me` is None. `replaced` has what the last merge of changes has replaced, `descriptions` the values that were seen
    since the board was opened."""

    def __init__(
        self, doc: CrdtDoc, cards: CrdtMap, index: CardIndex, descriptions: SeenDescriptions, replaced: Replaced
    ) -> None:
        self._doc, self._cards, self._index = doc, cards, index
        self._descriptions, self._replaced = descriptions, replaced
        self.me: Uid | None = None
        self._waiting: list[tuple[str, Description, bool]] = []
        """(card, description, whether another device of this person's replaced it) of those that wait until the stored
        values of the card's description are read."""

    def settle(self, card_id: str, mine: Description) -> bool:
        """See `Board.settle`."""
        card = self._index.cards().get(card_id)
        if card is None or self.me is None:
            return True
        known = self._descriptions.related(card_id, mine, card.described)
        if known is None:
            return False
        merged = merge(mine, card.described, known, self.me)
        if merged is not None:
            with self._doc.transact(SETUP):
                self._cards.set((card_id, "description"), merged.value())
        return True

    def on_merged(self, *, own: bool) -> None:
        """Merges this person's descriptions that the last merge of changes has replaced. `own`: this person wrote these
        changes, on any device. A description that this person undid there is not merged, and is removed from
        `replaced`. One of which only the stored values can show whether it was undone is removed too, and waits for
        `settle_waiting`."""
        replaced, self._replaced.overwritten = self._replaced.overwritten, []
        for card_id, lost in replaced:
            undone = self._was_undone(card_id, lost) if own else False
            if undone is None:
                self._waiting.append((card_id, lost, own))
            elif not undone:
                self._replaced.overwritten.append((card_id, lost))
                if lost.by == self.me and not self.settle(card_id, lost):
                    self._waiting.append((card_id, lost, False))

    def settle_waiting(self, card_id: str) -> None:
        """Merges the descriptions of this card that waited for its stored values. Call it when those are read."""
        waiting = [each for each in self._waiting if each[0] == card_id]
        self._waiting = [each for each in self._waiting if each[0] != card_id]
        for _, lost, own in waiting:
            if lost.by == self.me and not (own and self._was_undone(card_id, lost)):
                self.settle(card_id, lost)

    def _was_undone(self, card_id: str, mine: Description) -> bool | None:
        """Whether a replaced description was undone: the present one is a value that it was made from. None if the
        stored values must be read first."""
        card = self._index.cards().get(card_id)
        if card is None:
            return False
        known = self._descriptions.related(card_id, mine, card.described)
        return None if known is None else goes_back(mine, card.described, known)
