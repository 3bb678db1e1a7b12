# SPDX-License-Identifier: EUPL-1.2
"""Merges the descriptions of an open board that this person wrote with those that replaced them."""

from app.core.ids import Uid
from app.objects.crdt import SETUP, CrdtDoc, CrdtMap
from app.tasks.card_index import CardIndex
from app.tasks.descriptions import Description, goes_back, merge
from app.tasks.replaced import Replaced
from app.tasks.seen_descriptions import SeenDescriptions


class OwnDescriptions:
    """Merges descriptions that the person `me` wrote on an open board with those that replaced them; nothing if `me` is
    None. `replaced` has what the last merge replaced, and `descriptions` the values that were seen."""

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
        """Merges what the last merge of the board has replaced. `own`: this person wrote what was merged, on any
        device. What was undone there is then left out of `replaced`, and so is what waits for the stored values."""
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
        """Merges what waited for the stored values of this card's description. Call it when they are read."""
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
