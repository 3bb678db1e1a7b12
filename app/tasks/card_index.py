# SPDX-License-Identifier: EUPL-1.2
"""A board's cards and columns as they were read last, so that an edit of one card reads one card.

The index reads when it is asked. Its board notifies it of what has changed.
"""

from bisect import insort

from app.objects.crdt import CrdtMap
from app.tasks.cards import NO_COLUMN, Card, Column, card_from, column_from


class CardIndex:
    """A board's cards and columns as they were read last: the cards by id, the columns in order, and the cards that are
    shown, by column and in order. The board notifies it of what has changed."""

    def __init__(self, columns: CrdtMap, cards: CrdtMap) -> None:
        self._column_map = columns
        self._card_map = cards
        self._known: dict[str, Card] | None = None
        """Every card that was read, the hidden ones too; None before the first reading."""
        self._lanes: dict[str, list[Card]] | None = None
        """The cards that are shown, by column and in order; None when they must be sorted again."""
        self._columns: list[Column] | None = None

    @property
    def is_read(self) -> bool:
        """Whether the cards have been read."""
        return self._known is not None

    def columns(self) -> list[Column]:
        """The columns in order; one column without id and title if the board has none."""
        if self._columns is None:
            found = (column_from(key, value) for key, value in self._column_map.to_python().items())
            self._columns = sorted(found, key=lambda c: (c.order, c.id)) or [NO_COLUMN]
        return self._columns

    def cards(self) -> dict[str, Card]:
        """Every card by its id, also those that are archived or in the trash. It is the index's own dict: do not change
        it."""
        if self._known is None:
            self._known = {key: card_from(key, value) for key, value in self._card_map.to_python().items()}
        return self._known

    def shown(self, column_id: str) -> list[Card]:
        """The cards of a column in order, without archived and deleted ones; [] for an unknown column. It is the
        index's own list: do not change it."""
        if self._lanes is None:
            self._lanes = {column.id: [] for column in self.columns()}
            for card in sorted(self.cards().values(), key=_by_order):
                if not card.hidden:
                    self._lane_of(self._lanes, card).append(card)
        return self._lanes.get(column_id, [])

    def put(self, card_id: str, card: Card | None) -> None:
        """Adds a card, or replaces it by its present form, in its right place; None removes it."""
        known = self.cards()
        before = known.pop(card_id, None)
        if card is not None:
            known[card_id] = card
        if self._lanes is None:
            return
        if before is not None and not before.hidden:
            self._lane_of(self._lanes, before).remove(before)
        if card is not None and not card.hidden:
            insort(self._lane_of(self._lanes, card), card, key=_by_order)

    def forget_columns(self) -> None:
        """Notes that the columns have changed: they are read again, and the cards sorted again."""
        self._columns = self._lanes = None

    def forget(self) -> dict[str, Card]:
        """Notes that everything may have changed: all is read again when it is next asked for. Returns the cards as
        they were read last, by id; {} if they never were."""
        before = self._known or {}
        self._known = self._lanes = self._columns = None
        return before

    def _lane_of(self, lanes: dict[str, list[Card]], card: Card) -> list[Card]:
        return lanes[card.column] if card.column in lanes else lanes[self.columns()[0].id]


def _by_order(card: Card) -> tuple[str, str]:
    return card.order, card.id
