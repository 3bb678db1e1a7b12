# SPDX-License-Identifier: EUPL-1.2
"""A board's cards and columns as they were read last, so that an edit of one card reads one card.

The index reads when it is asked. Its board notifies it of what has changed.
"""

from bisect import bisect_left, insort
from collections.abc import Generator, Iterator
from itertools import chain

from app.core.pieces import finished
from app.objects.crdt import CrdtMap
from app.tasks.cards import NO_COLUMN, Card, Column, card_from, column_from

READ_AT_ONCE = 50
"""Cards that are read in one part: 1.7 ms."""


class CardIndex:
    """A board's cards and columns as they were read last: the cards by id, the columns in order, and the cards that are
    shown, by column and in order. The board notifies it of what has changed."""

    def __init__(self, columns: CrdtMap, cards: CrdtMap) -> None:
        self._column_map = columns
        self._card_map = cards
        self._known: dict[str, Card] | None = None
        """Every card that was read, the hidden ones too; None before the first reading."""
        self._lanes: dict[str, list[Card]] | None = None
        """The cards that are shown, by the column that they name and in order; None when they must be sorted again."""
        self._columns: list[Column] | None = None
        self._first: list[Card] | None = None
        """The cards of the first column, if that shows cards of columns that are gone, too."""

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

    def reading(self) -> Iterator[None]:
        """Reads all cards and sorts them, READ_AT_ONCE or one column of them in each step. Nothing may change
        meanwhile. Does nothing if they were read before."""
        if self._known is not None:
            return
        known, keys = dict[str, Card](), self._card_map.keys()
        yield
        for at in range(0, len(keys), READ_AT_ONCE):
            some = self._card_map.values(keys[at : at + READ_AT_ONCE])
            known |= {key: card_from(key, value) for key, value in some.items()}
            yield
        self._known = known
        yield from self._sorting()

    def shown(self, column_id: str) -> list[Card]:
        """The cards of a column in order, without archived and deleted ones; [] for an unknown column. It is the
        index's own list: do not change it."""
        columns, lanes = self.columns(), self._sorted()
        if column_id == columns[0].id:
            return self._with_strays(lanes)
        return lanes.get(column_id, []) if any(column.id == column_id for column in columns) else []

    def _sorted(self) -> dict[str, list[Card]]:
        return self._lanes if self._lanes is not None else finished(self._sorting())

    def _sorting(self) -> Generator[None, None, dict[str, list[Card]]]:
        lanes = dict[str, list[Card]]()
        for card in self.cards().values():
            if not card.hidden:
                lanes.setdefault(card.column, []).append(card)
        yield
        for lane in lanes.values():
            lane.sort(key=_by_order)
            yield
        self._lanes, self._first = lanes, None
        return lanes

    def _with_strays(self, lanes: dict[str, list[Card]]) -> list[Card]:
        """The cards of the first column in order, those of columns that are gone among them."""
        columns = self.columns()
        own, there = lanes.get(columns[0].id, []), {column.id for column in columns}
        strays = [lane for column_id, lane in lanes.items() if lane and column_id not in there]
        if not strays:
            return own
        if self._first is None:
            self._first = sorted(chain(own, *strays), key=_by_order)
        return self._first

    def put(self, card_id: str, card: Card | None) -> None:
        """Adds a card, or replaces it by its present form, in its right place; None removes it."""
        known = self.cards()
        before = known.pop(card_id, None)
        if card is not None:
            known[card_id] = card
        if self._lanes is None:
            return
        self._first = None
        if before is not None and not before.hidden:
            _take_out(self._lanes[before.column], before)
        if card is not None and not card.hidden:
            insort(self._lanes.setdefault(card.column, []), card, key=_by_order)

    def forget_columns(self) -> None:
        """Notes that the columns have changed: they are read again. The cards stay sorted, since they are so by the
        columns that they name."""
        self._columns = self._first = None

    def forget(self) -> dict[str, Card]:
        """Notes that everything may have changed: all is read again when it is next asked for. Returns the cards as
        they were read last, by id; {} if they never were."""
        before = self._known or {}
        self._known = self._lanes = self._columns = self._first = None
        return before


def _take_out(lane: list[Card], card: Card) -> None:
    """Removes a card from a sorted list that has it."""
    del lane[bisect_left(lane, _by_order(card), key=_by_order)]


def _by_order(card: Card) -> tuple[str, str]:
    return card.order, card.id
