# SPDX-License-Identifier: EUPL-1.2
"""A board: columns and cards that everybody in a room may move at once.

One CRDT map for each sort of thing. A card's place is one value, column and order key together, so that two people who
move the same card at once agree on one place; a card whose column was deleted is in the first one. A description is one
value, too, and names the values that it was made from (descriptions.py). Undo is per person.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from app.core import clock
from app.core.fractional import spread
from app.core.ids import Uid
from app.core.signal import Signal
from app.objects.crdt import REMOTE, SETUP, STORED, CrdtDoc, CrdtMap, Origin, Path, Update
from app.objects.undo import Undo
from app.tasks.card_index import CardIndex
from app.tasks.cards import Card, CheckItem, Column, Label, card_from, label_from, name_from
from app.tasks.descriptions import Description, written
from app.tasks.new_values import card_value, column_value, name_line, new_card_id, short_id, title_line
from app.tasks.order_keys import key_between, neighbours
from app.tasks.own_descriptions import OwnDescriptions
from app.tasks.replaced import Replaced
from app.tasks.seen_descriptions import SeenDescriptions

ROOT_MAPS = ("board", "columns", "cards", "labels")


class Board:
    """The live board of a room. `emit` is called with the bytes of every edit made here; `merge` takes those of others.
    `me` is the person who edits here: if a colleague's text replaces a description that they wrote, both are merged.
    `history` gets a card's id and returns the stored values of its description, by id, or None if it must read them
    first (`settle_waiting`); it is called if those seen here are not enough."""

    def __init__(
        self,
        emit: Callable[[bytes], None] | None = None,
        *,
        me: Uid | None = None,
        history: Callable[[str], Mapping[str, Description] | None] | None = None,
    ) -> None:
        self.changed: Signal[frozenset[str]] = Signal()
        """The ids of cards that are new, changed, moved or deleted; empty if only labels changed."""
        self.edited: Signal[frozenset[str]] = Signal()
        """The cards that an edit made here, or its undo, has touched. Emitted before `changed`."""
        self.columns_changed: Signal[()] = Signal()
        """Columns were added, deleted, moved or renamed."""
        self._emit = emit
        self._me = me
        self._descriptions = SeenDescriptions(history)
        self.replaced = Replaced(self._descriptions)
        self._held_back: set[str] | None = None
        """During `merge`: the cards that `changed` names at its end."""
        self._doc = CrdtDoc(maps=ROOT_MAPS, keep_deleted=True)
        self._meta = self._doc.map("board")
        self._columns = self._doc.map("columns")
        self._cards = self._doc.map("cards")
        self._labels = self._doc.map("labels")
        self.undo = Undo(self._doc, (self._columns, self._cards, self._labels), group_ms=0)
        """This person's own edits."""
        self._index = CardIndex(self._columns, self._cards)
        self._own = OwnDescriptions(self._doc, self._cards, self._index, self._descriptions, self.replaced)
        self._own.me = me
        self._doc.updated.connect(self._on_updated)
        self._doc.reloaded.connect(self._on_reloaded)
        self._columns.changed.connect(self._on_columns)
        self._cards.changed.connect(self._on_cards)
        self._labels.changed.connect(lambda _paths, _origin: self.changed.emit(frozenset()))

    # -- reading ---------------------------------------------------------------------------------------------------

    @property
    def title(self) -> str:
        """The board's title."""
        return name_from(self._meta.get(("title",), ""))

    def columns(self) -> list[Column]:
        """The columns in order; one column without id and title if the board has none."""
        return self._index.columns()

    def column(self, column_id: str) -> Column | None:
        """A column by its id."""
        return next((c for c in self.columns() if c.id == column_id), None)

    def all_cards(self) -> list[Card]:
        """Every card that is not archived or deleted, column by column, in order."""
        return [card for column in self.columns() for card in self.cards(column.id)]

    def cards(self, column_id: str) -> list[Card]:
        """The cards of a column in order, without archived and deleted ones."""
        return list(self._index.shown(column_id))

    def card(self, card_id: str) -> Card | None:
        """A card by its id, also an archived one; None if it does not exist or is in the trash."""
        card = self._index.cards().get(card_id)
        return None if card is None or card.deleted else card

    def any_card(self, card_id: str) -> Card | None:
        """A card by its id, also if it is in the trash; None if it does not exist."""
        return self._index.cards().get(card_id)

    def cards_by_id(self) -> dict[str, Card]:
        """All cards by id, also archived ones and those in the trash; the caller may keep it."""
        return dict(self._index.cards())

    def column_of(self, card_id: str) -> Column | None:
        """The column that shows a card: the one that the card names, or the first if that was deleted. Also for a card
        that is in the trash. None if the card does not exist."""
        card = self.any_card(card_id)
        if card is None:
            return None
        return self.column(card.column) or self.columns()[0]

    def archived(self) -> list[Card]:
        """The archived cards, by title."""
        return sorted((c for c in self._index.cards().values() if c.archived and not c.deleted), key=lambda c: c.title)

    def put_away(self) -> list[Card]:
        """The cards in the trash, the latest first."""
        return sorted((c for c in self._index.cards().values() if c.deleted), key=lambda c: (-c.deleted_t, c.id))

    def labels(self) -> list[Label]:
        """The board's labels, sorted by name."""
        found = (label_from(key, value) for key, value in self._labels.to_python().items())
        return sorted(found, key=lambda label: (label.name.casefold(), label.id))

    def label(self, label_id: str) -> Label | None:
        """A label by its id."""
        return label_from(label_id, self._labels.get((label_id,))) if self._labels.has((label_id,)) else None

    def reading(self) -> Iterator[None]:
        """Reads the cards of a board that was just loaded, some in each step, so that a view need not read all of them
        at once: 35 µs each. Nothing may be written on the board meanwhile."""
        yield from self._index.reading()

    # -- columns ---------------------------------------------------------------------------------------------------

    def setup(self, titles: Sequence[str], done: int | None = None, title: str = "", ids: Sequence[str] = ()) -> None:
        """Gives a new board its `title` ("": none) and a column for each of `titles`, with these `ids` (empty: random
        ones). The cards of the column with the index `done` (None: no column) are finished. Ctrl+Z does not undo it."""
        with self._doc.transact(SETUP):
            if title:
                self._meta.set(("title",), name_line(title))
            for i, (title, order) in enumerate(zip(titles, spread(len(titles)), strict=True)):
                self._columns.set((ids[i] if ids else short_id(),), {"title": title, "order": order, "done": i == done})

    def rename(self, title: str) -> None:
        """Gives the whole board another title."""
        self._set(self._meta, ("title",), name_line(title))

    def add_column(self, title: str, *, done: bool = False) -> str:
        """Adds a column at the end; `done`: cards in it count as finished. Returns its id."""
        column_id = short_id()
        last = self.columns()[-1].order or None
        self._set(self._columns, (column_id,), column_value(title, key_between(last, None), done=done))
        return column_id

    def rename_column(self, column_id: str, title: str) -> None:
        """Gives a column another title."""
        self._set(self._columns, (column_id, "title"), name_line(title))

    def set_column_done(self, column_id: str, done: bool) -> None:
        """Sets whether cards in the column count as finished."""
        self._set(self._columns, (column_id, "done"), done)

    def move_column(self, column_id: str, before: str | None) -> None:
        """Moves a column, if it exists, before the column `before`, or to the end (None or unknown)."""
        others = [c for c in self.columns() if c.id != column_id]
        low, high = neighbours([(c.id, c.order) for c in others], before)
        self._set(self._columns, (column_id, "order"), key_between(low, high))

    def delete_column(self, column_id: str) -> None:
        """Deletes a column, if it exists. Its cards are then shown in the first column that is left."""
        with self._doc.transact():
            self._columns.delete((column_id,))

    def restore_column(self, column: Column) -> None:
        """Puts a deleted column back at its place, with the cards that still name it."""
        value = {"title": column.title, "order": column.order, "done": column.done}
        self._set(self._columns, (column.id,), value)

    # -- cards -----------------------------------------------------------------------------------------------------

    def add_card(
        self,
        column_id: str,
        title: str,
        *,
        by: Uid | None = None,
        t: int = 0,
        before: str | None = None,
        description: str = "",
        assignee: Uid | None = None,
        due: date | None = None,
        labels: Iterable[str] = (),
        card_id: str = "",
    ) -> str:
        """Adds a card at the end of a column, or before the card `before`. `by` and `t` (ms): who made it and when.
        `assignee`: who is to do it; `labels`: ids. Returns its id: `card_id` (from `new_card_id`), or a new one."""
        card_id = card_id or new_card_id()
        place = column_id, self._order_in(column_id, before, card_id)
        described = written(description, self._me)
        value = card_value(title, described, place, by=by, t=t, assignee=assignee, due=due, labels=labels)
        self._set(self._cards, (card_id,), value)
        return card_id

    def move_card(self, card_id: str, column_id: str, before: str | None = None) -> None:
        """Moves a card into a column, before the card `before` or to the end (None, or unknown there). Does nothing if
        it is there already or does not exist."""
        shown = [c.id for c in self.cards(column_id)]
        if card_id in shown:
            at = shown.index(card_id)
            if before == card_id or before == (shown[at + 1] if at + 1 < len(shown) else None):
                return
        self._set(self._cards, (card_id, "place"), [column_id, self._order_in(column_id, before, card_id)])

    def edit_card(self, card_id: str, *, title: str | None = None, description: str | None = None) -> None:
        """Changes a card's `title` or `description`; None, the same value or an empty title changes nothing, nor does
        the id of a card that does not exist. Works on a card in the trash too."""
        card = self.any_card(card_id)
        if card is None:
            return
        with self._doc.transact():
            if title is not None and title_line(title) and title_line(title) != card.title:
                self._cards.set((card_id, "title"), title_line(title))
            if description is not None:
                now = written(description, self._me, card.described)
                if now.text != card.description:
                    self._cards.set((card_id, "description"), now.value())

    def settle(self, card_id: str, mine: Description) -> bool:
        """Merges `mine`, a description that this person wrote, with the one that replaced it on the card, unless that
        was made from it. Ctrl+Z does not undo it. Does nothing if the card does not exist, or if nobody edits here.
        False if `history` must read first: call it again then."""
        return self._own.settle(card_id, mine)

    def settle_waiting(self, card_id: str) -> None:
        """Merges the card's descriptions that waited for `history`. Call it when that has read them."""
        self._own.settle_waiting(card_id)

    def builds_on(self, card_id: str, mine: Description) -> bool:
        """Whether the card's description has the same text as `mine` or was made from it, as far as this board has
        seen. False if the card does not exist."""
        card = self._index.cards().get(card_id)
        return card is not None and self._descriptions.is_settled(card_id, mine, card.described)

    def seen(self, card_id: str) -> Mapping[str, Description]:
        """The values that a card's description has had since this board was opened, by id; {} if it has not
        changed."""
        return self._descriptions.of(card_id)

    def assign(self, card_id: str, uid: Uid | None) -> None:
        """Sets who does it."""
        self._set(self._cards, (card_id, "assignee"), uid.hex() if uid else "")

    def set_due(self, card_id: str, due: date | None) -> None:
        """Sets when it must be finished."""
        self._set(self._cards, (card_id, "due"), due.isoformat() if due else "")

    def archive_card(self, card_id: str, archived: bool = True) -> None:
        """Archives a card, or takes it back."""
        self._set(self._cards, (card_id, "archived"), archived)

    def delete_card(self, card_id: str) -> None:
        """Puts a card into the trash, and notes who did and when; `restore_card` and undo restore it. Does nothing if
        the card is there already or does not exist."""
        if self.card(card_id) is None:
            return
        with self._doc.transact():
            self._cards.set((card_id, "deleted"), True)
            self._cards.set((card_id, "put_away"), [self._me.hex() if self._me else "", clock.now_ms()])

    def restore_card(self, card_id: str) -> None:
        """Takes a card out of the trash. Does nothing if the card does not exist."""
        if self.any_card(card_id) is not None:
            self._set(self._cards, (card_id, "deleted"), False)

    # -- labels and checklists -------------------------------------------------------------------------------------

    def add_label(self, name: str, colour: str) -> str:
        """Adds a label to the board and returns its id. `colour` is a role of cards.LABEL_COLOURS."""
        label_id = short_id()
        self._set(self._labels, (label_id,), {"name": name_line(name), "colour": colour})
        return label_id

    def set_label(self, card_id: str, label_id: str, on: bool) -> None:
        """Puts a label on a card (`on` True) or takes it off; does nothing if the card does not exist."""
        with self._doc.transact():
            if on:
                self._cards.set((card_id, "labels", label_id), True)
            else:
                self._cards.delete((card_id, "labels", label_id))

    def add_check_item(self, card_id: str, text: str) -> str:
        """Adds a line at the end of a card's checklist and returns its id; adds nothing if the card does not exist."""
        item_id = short_id()
        card = self.any_card(card_id)
        last = card.checklist[-1].order if card and card.checklist else None
        value = {"text": title_line(text), "done": False, "order": key_between(last, None)}
        self._set(self._cards, (card_id, "checklist", item_id), value)
        return item_id

    def edit_check_item(self, card_id: str, item_id: str, text: str) -> None:
        """Changes the text of a line."""
        self._set(self._cards, (card_id, "checklist", item_id, "text"), title_line(text))

    def toggle_check_item(self, card_id: str, item_id: str, done: bool) -> None:
        """Ticks a line or unticks it."""
        self._set(self._cards, (card_id, "checklist", item_id, "done"), done)

    def move_check_item(self, card_id: str, item_id: str, before: str | None) -> None:
        """Moves a line of a checklist, if it exists, before the line `before`, or to the end (None or unknown)."""
        card = self.any_card(card_id)
        others = [(i.id, i.order) for i in card.checklist if i.id != item_id] if card else []
        low, high = neighbours(others, before)
        self._set(self._cards, (card_id, "checklist", item_id, "order"), key_between(low, high))

    def delete_check_item(self, card_id: str, item_id: str) -> None:
        """Deletes a line of a card's checklist, if the line exists."""
        with self._doc.transact():
            self._cards.delete((card_id, "checklist", item_id))

    def fill_from(self, other: "Board") -> None:
        """Copies the whole content of another board into this one, which is new. Ctrl+Z does not undo it."""
        for mine, theirs in zip(self._roots(), other._roots(), strict=True):
            for key in theirs.keys(()):
                with self._doc.transact(SETUP):
                    mine.set((key,), theirs.get((key,)))

    def _roots(self) -> "tuple[CrdtMap, ...]":
        return self._meta, self._columns, self._cards, self._labels

    # -- merging ---------------------------------------------------------------------------------------------------

    @property
    def is_changing(self) -> bool:
        """Whether an edit or a merge has begun and not yet notified everybody (app/objects/live.py)."""
        return self._doc.is_changing

    def load(self, updates: Sequence[bytes]) -> list[int]:
        """Merges the stored updates into a new board, before any view shows it; returns the indexes of damaged ones.
        Replaced descriptions are not merged: that was done when the updates were received."""
        self._index.forget()
        return self._doc.load(updates)

    def merge(
        self, updates: Sequence[bytes], *, own: bool = False, by: Uid | None = None, origin: Origin = REMOTE
    ) -> list[int]:
        """Merges updates, and returns the indexes of damaged ones. Emits `changed` with all changed cards at its end,
        after this person's replaced descriptions were merged. Each update must come after those that it builds on, as
        the judge has it: of one that waits, pycrdt does not report all changes. The same update may come again.

        `origin`: STORED for edits that Ctrl+Z undoes. `by`: who wrote all of them, if one person did. `own`: this
        person, on any device; a description that returns to a value it was made from was then undone. ▲ A colleague who
        does this undid their step, unaware of this text.
        """
        if not self._index.is_read and self._cards.keys():
            self._index.cards()
        self._held_back = set()
        self.replaced.begin(by)
        try:
            bad = self._doc.apply(updates, origin)
            self._own.on_merged(own=own)
        finally:
            held, self._held_back = self._held_back, None
            self.replaced.end()
        if held:
            self.changed.emit(frozenset(held))
        return bad

    def reset(self, updates: Sequence[bytes]) -> list[int]:
        """Replaces the board's content by that of these updates alone, in every view. Returns the indexes of damaged
        ones."""
        return self._doc.reset(updates)

    def snapshot(self) -> bytes:
        """The whole board as one update, for the store's cache."""
        return self._doc.diff()

    def state(self) -> bytes:
        """The state vector of the CRDT: how many operations of each client this board has."""
        return self._doc.state()

    def diff(self, state: bytes | None = None) -> bytes:
        """One update with everything that a board with the state vector `state` lacks; the whole board if it is
        None. DamagedUpdate if `state` is no vector."""
        return self._doc.diff(state)

    def close(self) -> None:
        """Frees the board's memory. Reading or writing after it raises BugError; there is nothing to undo. A second
        call does nothing."""
        self.undo.close()
        self._doc.close()

    def _order_in(self, column_id: str, before: str | None, moving: str) -> str:
        others = [(c.id, c.order) for c in self.cards(column_id) if c.id != moving]
        return key_between(*neighbours(others, before))

    def _set(self, target: Any, path: Path, value: Any) -> None:
        if not path[-1] or target.get(path) == value:
            return
        with self._doc.transact():
            target.set(path, value)

    def _on_updated(self, update: Update) -> None:
        if self._emit is not None and update.origin not in (REMOTE, STORED):
            self._emit(update.data)

    def _on_reloaded(self) -> None:
        before = self._index.forget()
        for card_id, card in self._index.cards().items() if self._held_back is not None else ():
            self.replaced.note(card_id, before.get(card_id), card, merged=True)
        self.columns_changed.emit()
        self._emit_changed(frozenset(before) | frozenset(self._index.cards()))  # a card may have been taken back

    def _on_columns(self, _paths: frozenset[Path], _origin: Origin) -> None:
        self._index.forget_columns()
        self.columns_changed.emit()

    def _on_cards(self, paths: frozenset[Path], origin: Origin) -> None:
        ids = frozenset(path[0] for path in paths)
        values = self._cards.values(ids) if self._index.is_read else {}
        for card_id in ids if self._index.is_read else ():
            card = card_from(card_id, values[card_id]) if card_id in values else None
            self.replaced.note(card_id, self._index.cards().get(card_id), card, merged=origin == REMOTE)
            self._index.put(card_id, card)
        if origin not in (REMOTE, SETUP):
            self.edited.emit(ids)
        self._emit_changed(ids)

    def _emit_changed(self, ids: frozenset[str]) -> None:
        if self._held_back is None:
            self.changed.emit(ids)
        else:
            self._held_back |= ids


__all__ = ["Board", "Card", "CheckItem", "Column", "Label"]
