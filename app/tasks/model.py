# SPDX-License-Identifier: EUPL-1.2
"""A board: columns and cards that everybody in a room may move at once.

One CRDT map for each sort of thing. A card's place is one value, column and order key together, so that two people who
move the same card at once agree on one place; a card whose column was deleted is in the first one. A description is one
value, too, and names the values that it was made from (descriptions.py). Undo is per person.
"""

from bisect import insort
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from app.core import clock
from app.core.fractional import between, spread
from app.core.ids import Uid, new_id
from app.core.signal import Signal
from app.core.visible import one_line
from app.objects.crdt import REMOTE, SETUP, CrdtDoc, CrdtMap, Origin, Path, Update
from app.objects.undo import Undo
from app.tasks.cards import (
    MAX_NAME,
    MAX_TITLE,
    NO_COLUMN,
    Card,
    CheckItem,
    Column,
    Label,
    card_from,
    column_from,
    label_from,
    name_from,
)
from app.tasks.descriptions import Description, goes_back, is_related, is_settled, merge, written

ROOT_MAPS = ("board", "columns", "cards", "labels")
MAX_SEEN, MAX_SEEN_CHARS = 2000, 4_000_000
"""How many values of one card's description are kept in memory. A person who types makes one a second, and all that
they make before they leave the field is undone in one step. ▲ A colleague can make them long."""


class Board:
    """The live board. `emit` receives the bytes of every edit made here; `merge` takes those of others.

    `me` is the person who edits here: a description of theirs that another value replaces is merged with that.
    `history` returns the stored values of a card's description, by id; it is called if the values seen here are not
    enough.
    """

    def __init__(
        self,
        emit: Callable[[bytes], None] | None = None,
        *,
        me: Uid | None = None,
        history: Callable[[str], Mapping[str, Description]] | None = None,
    ) -> None:
        self.changed: Signal[frozenset[str]] = Signal()
        """The ids of cards that are new, changed, moved or deleted; empty if only columns or labels changed."""
        self.edited: Signal[frozenset[str]] = Signal()
        """The cards that an edit made here, or its undo, has touched. Emitted before `changed`."""
        self.columns_changed: Signal[()] = Signal()
        """Columns were added, deleted, moved or renamed."""
        self.overwritten: list[tuple[str, Description]] = []
        """(card, description) of descriptions that the last `merge` replaced by others that do not name them, without
        those that were undone."""
        self.retitled: dict[str, Uid | None] = {}
        """Cards whose title another program wrote last, as far as was seen here, with that program's person, if
        known."""
        self.written_in_trash: set[str] = set()
        """Cards that were in the trash before the last `merge` and that it changed."""
        self._emit = emit
        self._me = me
        self._history = history
        self._seen: dict[str, dict[str, Description]] = {}
        """Values of descriptions that were replaced while this board was open, and those that replaced them."""
        self._author: Uid | None = None
        """During `merge`: the person who wrote the updates."""
        self._held_back: set[str] | None = None
        """During `merge`: the cards that `changed` names at its end."""
        self._doc = CrdtDoc(maps=ROOT_MAPS, keep_deleted=True)
        self._meta = self._doc.map("board")
        self._columns = self._doc.map("columns")
        self._cards = self._doc.map("cards")
        self._labels = self._doc.map("labels")
        self.undo = Undo(self._doc, (self._columns, self._cards, self._labels), group_ms=0)
        """This person's own edits."""
        self._known: dict[str, Card] | None = None
        """Every card that was read, the hidden ones too; None before the first reading."""
        self._lanes: dict[str, list[Card]] | None = None
        """The cards that are shown, by column and in order; None when they must be sorted again."""
        self._column_cache: list[Column] | None = None
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
        """The columns in order; one without id and title if there is none."""
        if self._column_cache is None:
            found = (column_from(key, value) for key, value in self._columns.to_python().items())
            self._column_cache = sorted(found, key=lambda c: (c.order, c.id)) or [NO_COLUMN]
        return self._column_cache

    def column(self, column_id: str) -> Column | None:
        """A column by its id."""
        return next((c for c in self.columns() if c.id == column_id), None)

    def all_cards(self) -> list[Card]:
        """Every card that is not archived or deleted, column by column, in order."""
        return [card for column in self.columns() for card in self.cards(column.id)]

    def cards(self, column_id: str) -> list[Card]:
        """The cards of a column in order, without archived and deleted ones."""
        return list(self._sorted_lanes().get(column_id, ()))

    def card(self, card_id: str) -> Card | None:
        """A card by its id, with its column as it is shown; None if it does not exist."""
        card = self._cards_by_id().get(card_id)
        return None if card is None or card.deleted else card

    def any_card(self, card_id: str) -> Card | None:
        """As `card`, also if the card is put away."""
        return self._cards_by_id().get(card_id)

    def column_of(self, card_id: str) -> Column | None:
        """The column of a card, or its column before it was put away."""
        card = self.any_card(card_id)
        if card is None:
            return None
        return self.column(card.column) or self.columns()[0]

    def archived(self) -> list[Card]:
        """Archived cards, latest order last."""
        return sorted((c for c in self._cards_by_id().values() if c.archived and not c.deleted), key=lambda c: c.title)

    def card_ids(self) -> list[str]:
        """The ids of all cards, also archived ones and those in the trash."""
        return list(self._cards_by_id())

    def put_away(self) -> list[Card]:
        """Cards in the trash, put away last first."""
        return sorted((c for c in self._cards_by_id().values() if c.deleted), key=lambda c: (-c.deleted_t, c.id))

    def labels(self) -> list[Label]:
        """The board's labels by name."""
        found = (label_from(key, value) for key, value in self._labels.to_python().items())
        return sorted(found, key=lambda label: (label.name.casefold(), label.id))

    def label(self, label_id: str) -> Label | None:
        """A label by its id."""
        return label_from(label_id, self._labels.get((label_id,))) if self._labels.has((label_id,)) else None

    # -- columns ---------------------------------------------------------------------------------------------------

    def setup(self, titles: Sequence[str], done: int | None = None, title: str = "") -> None:
        """Makes a new board's columns; `done` is the index of the one whose cards are finished. Not undone by
        Ctrl+Z."""
        with self._doc.transact(SETUP):
            if title:
                self._meta.set(("title",), one_line(title, MAX_NAME))
            for i, (title, order) in enumerate(zip(titles, spread(len(titles)), strict=True)):
                self._columns.set((_new_id(),), {"title": title, "order": order, "done": i == done})

    def rename(self, title: str) -> None:
        """Gives the whole board another title."""
        self._set(self._meta, ("title",), one_line(title, MAX_NAME))

    def add_column(self, title: str, *, done: bool = False) -> str:
        """Adds a column at the end. Returns its id."""
        column_id = _new_id()
        last = self.columns()[-1].order or None
        value = {"title": one_line(title, MAX_NAME), "order": _key(last, None), "done": done}
        self._set(self._columns, (column_id,), value)
        return column_id

    def rename_column(self, column_id: str, title: str) -> None:
        """Gives a column another title."""
        self._set(self._columns, (column_id, "title"), one_line(title, MAX_NAME))

    def set_column_done(self, column_id: str, done: bool) -> None:
        """Sets whether cards in the column count as finished."""
        self._set(self._columns, (column_id, "done"), done)

    def move_column(self, column_id: str, before: str | None) -> None:
        """Puts a column before another one, or last."""
        others = [c for c in self.columns() if c.id != column_id]
        low, high = _neighbours([(c.id, c.order) for c in others], before)
        self._set(self._columns, (column_id, "order"), _key(low, high))

    def delete_column(self, column_id: str) -> None:
        """Deletes a column. Its cards are then in the first column."""
        with self._doc.transact():
            self._columns.delete((column_id,))

    def restore_column(self, column: Column) -> None:
        """Puts a deleted column back where it was, with the cards that were in it."""
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
        """Adds a card, last in its column or before another card. Returns its id: `card_id`, which `new_card_id` made,
        or a new one."""
        card_id = card_id or new_card_id()
        place = [column_id, self._order_in(column_id, before, card_id)]
        value: dict[str, Any] = {
            "title": _line(title),
            "description": written(description, self._me).value(),
            "place": place,
            "assignee": assignee.hex() if assignee else "",
            "due": due.isoformat() if due else "",
            "labels": dict.fromkeys(labels, True),
            "checklist": {},
            "by": by.hex() if by else "",
            "t": t,
        }
        self._set(self._cards, (card_id,), value)
        return card_id

    def move_card(self, card_id: str, column_id: str, before: str | None = None) -> None:
        """Puts a card into a column, before another card or last. Does nothing if it is there already."""
        shown = [c.id for c in self.cards(column_id)]
        if card_id in shown:
            at = shown.index(card_id)
            if before == card_id or before == (shown[at + 1] if at + 1 < len(shown) else None):
                return
        self._set(self._cards, (card_id, "place"), [column_id, self._order_in(column_id, before, card_id)])

    def edit_card(self, card_id: str, *, title: str | None = None, description: str | None = None) -> None:
        """Changes the title or description; None or the same value changes nothing. Also for a card that is put
        away."""
        card = self.any_card(card_id)
        if card is None:
            return
        with self._doc.transact():
            if title is not None and _line(title) and _line(title) != card.title:
                self._cards.set((card_id, "title"), _line(title))
            if description is not None:
                now = written(description, self._me, card.described)
                if now.text != card.description:
                    self._cards.set((card_id, "description"), now.value())

    def settle(self, card_id: str, mine: Description) -> None:
        """Merges a description that this person wrote with the one that replaced it, unless that was made from it. Not
        undone by Ctrl+Z. Does nothing if the card does not exist, or if nobody edits here."""
        card = self._cards_by_id().get(card_id)
        if card is None or self._me is None:
            return
        merged = merge(mine, card.described, self._known_values(card_id, mine, card.described), self._me)
        if merged is not None:
            with self._doc.transact(SETUP):
                self._cards.set((card_id, "description"), merged.value())

    def builds_on(self, card_id: str, mine: Description) -> bool:
        """Whether a card's description has the same text as `mine` or was made from it, as far as was seen here."""
        card = self._cards_by_id().get(card_id)
        return card is not None and is_settled(mine, card.described, self.seen(card_id))

    def _was_undone(self, card_id: str, mine: Description) -> bool:
        card = self._cards_by_id().get(card_id)
        return card is not None and goes_back(mine, card.described, self._known_values(card_id, mine, card.described))

    def _known_values(self, card_id: str, mine: Description, now: Description) -> Mapping[str, Description]:
        """The values of a card's description, from the store if those seen here do not show how two are related."""
        known = self._seen.get(card_id, {})
        if self._history is None or is_related(mine, now, known):
            return known
        return {**self._history(card_id), **known}

    def seen(self, card_id: str) -> Mapping[str, Description]:
        """The values that a card's description had since this board was first read, by id; none if it has not
        changed."""
        return self._seen.get(card_id, {})

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
        """Puts a card into the trash, with the person and time; `restore_card` and undo restore it."""
        if self.card(card_id) is None:
            return
        with self._doc.transact():
            self._cards.set((card_id, "deleted"), True)
            self._cards.set((card_id, "put_away"), [self._me.hex() if self._me else "", clock.now_ms()])

    def restore_card(self, card_id: str) -> None:
        """Takes a card out of the trash."""
        if self.any_card(card_id) is not None:
            self._set(self._cards, (card_id, "deleted"), False)

    # -- labels and checklists -------------------------------------------------------------------------------------

    def add_label(self, name: str, colour: str) -> str:
        """Adds a label to the board and returns its id. `colour` is a role of cards.LABEL_COLOURS."""
        label_id = _new_id()
        self._set(self._labels, (label_id,), {"name": one_line(name, MAX_NAME), "colour": colour})
        return label_id

    def set_label(self, card_id: str, label_id: str, on: bool) -> None:
        """Puts a label on a card or takes it off."""
        with self._doc.transact():
            if on:
                self._cards.set((card_id, "labels", label_id), True)
            else:
                self._cards.delete((card_id, "labels", label_id))

    def add_check_item(self, card_id: str, text: str) -> str:
        """Adds a line at the end of a card's checklist and returns its id."""
        item_id = _new_id()
        card = self.any_card(card_id)
        last = card.checklist[-1].order if card and card.checklist else None
        value = {"text": _line(text), "done": False, "order": _key(last, None)}
        self._set(self._cards, (card_id, "checklist", item_id), value)
        return item_id

    def edit_check_item(self, card_id: str, item_id: str, text: str) -> None:
        """Changes the text of a line."""
        self._set(self._cards, (card_id, "checklist", item_id, "text"), _line(text))

    def toggle_check_item(self, card_id: str, item_id: str, done: bool) -> None:
        """Ticks a line or unticks it."""
        self._set(self._cards, (card_id, "checklist", item_id, "done"), done)

    def move_check_item(self, card_id: str, item_id: str, before: str | None) -> None:
        """Puts a line before another one, or last."""
        card = self.any_card(card_id)
        others = [(i.id, i.order) for i in card.checklist if i.id != item_id] if card else []
        low, high = _neighbours(others, before)
        self._set(self._cards, (card_id, "checklist", item_id, "order"), _key(low, high))

    def delete_check_item(self, card_id: str, item_id: str) -> None:
        """Deletes a line."""
        with self._doc.transact():
            self._cards.delete((card_id, "checklist", item_id))

    def fill_from(self, other: "Board") -> None:
        """Writes the whole content of another board into this one, which is new. Not undone by Ctrl+Z."""
        for mine, theirs in zip(self._roots(), other._roots(), strict=True):
            for key, value in theirs.to_python().items():
                with self._doc.transact(SETUP):
                    mine.set((key,), value)

    def _roots(self) -> "tuple[CrdtMap, ...]":
        return self._meta, self._columns, self._cards, self._labels

    # -- merging ---------------------------------------------------------------------------------------------------

    @property
    def is_changing(self) -> bool:
        """Whether an edit or a merge has begun and not yet notified everybody (app/objects/live.py)."""
        return self._doc.is_changing

    def load(self, updates: Sequence[bytes]) -> list[int]:
        """Merges what is stored into a board that nobody shows yet; returns the indexes of damaged updates. What was
        replaced in it is not merged with what replaced it: that was done when it was received."""
        return self._doc.apply(updates)

    def merge(self, updates: Sequence[bytes], *, own: bool = False, by: Uid | None = None) -> list[int]:
        """Merges updates, in any order, any number of times, and returns the indexes of damaged ones. Emits `changed`
        once, after it has merged this person's descriptions that the updates replaced.

        `by`: the person who wrote all the updates, if it is one. `own`: this person wrote them, on any device; a
        description that returns to a value it was made from was then undone. ▲ A colleague's update that does this
        undid the colleague's step, without having seen this person's text.
        """
        if self._known is None and self._cards.keys():
            self._cards_by_id()
        self._held_back, self.overwritten, self.written_in_trash = set(), [], set()
        self._author = by
        try:
            bad = self._doc.apply(updates)
            if own:
                self.overwritten = [each for each in self.overwritten if not self._was_undone(*each)]
            if self._me is not None:
                self._settle_mine()
        finally:
            held, self._held_back, self._author = self._held_back, None, None
        if held:
            self.changed.emit(frozenset(held))
        return bad

    def _settle_mine(self) -> None:
        for card_id, lost in self.overwritten:
            if lost.by == self._me:
                self.settle(card_id, lost)

    def reset(self, updates: Sequence[bytes]) -> list[int]:
        """Replaces the board's content by that of these updates alone, in every view. Returns as `merge`."""
        return self._doc.reset(updates)

    def snapshot(self) -> bytes:
        """The whole board as one update, for the store's cache."""
        return self._doc.diff()

    def state(self) -> bytes:
        """The state vector: what this board has merged."""
        return self._doc.state()

    def diff(self, state: bytes | None = None) -> bytes:
        """One update with everything that `state` lacks; the whole board if it is None."""
        return self._doc.diff(state)

    def close(self) -> None:
        """Frees the board. Reading or writing after it raises BugError; there is nothing to undo. A second call does
        nothing."""
        self.undo.close()
        self._doc.close()

    def _cards_by_id(self) -> dict[str, Card]:
        if self._known is None:
            self._known = {key: card_from(key, value) for key, value in self._cards.to_python().items()}
        return self._known

    def _sorted_lanes(self) -> dict[str, list[Card]]:
        if self._lanes is None:
            self._lanes = {column.id: [] for column in self.columns()}
            for card in sorted(self._cards_by_id().values(), key=_by_order):
                if not card.hidden:
                    self._lane_of(self._lanes, card).append(card)
        return self._lanes

    def _lane_of(self, lanes: dict[str, list[Card]], card: Card) -> list[Card]:
        return lanes[card.column] if card.column in lanes else lanes[self.columns()[0].id]

    def _put(self, card_id: str, card: Card | None) -> None:
        """Keeps a card in its present form (None: deleted), and its place."""
        known = self._cards_by_id()
        before = known.pop(card_id, None)
        if card is not None:
            known[card_id] = card
        if self._lanes is None:
            return
        if before is not None and not before.hidden:
            self._lane_of(self._lanes, before).remove(before)
        if card is not None and not card.hidden:
            insort(self._lane_of(self._lanes, card), card, key=_by_order)

    def _order_in(self, column_id: str, before: str | None, moving: str) -> str:
        others = [(c.id, c.order) for c in self.cards(column_id) if c.id != moving]
        return _key(*_neighbours(others, before))

    def _set(self, target: Any, path: Path, value: Any) -> None:
        if not path[-1] or target.get(path) == value:
            return
        with self._doc.transact():
            target.set(path, value)

    def _on_updated(self, update: Update) -> None:
        if self._emit is not None and update.origin != REMOTE:
            self._emit(update.data)

    def _on_reloaded(self) -> None:
        before = self._known or {}
        self._column_cache = None
        self._known = self._lanes = None
        for card_id, card in self._cards_by_id().items() if self._held_back is not None else ():
            self._compare(card_id, before.get(card_id), card, REMOTE)
        self.columns_changed.emit()
        self._emit_changed(frozenset(before) | frozenset(self._cards_by_id()))  # a card may have been taken back

    def _on_columns(self, _paths: frozenset[Path], _origin: Origin) -> None:
        self._column_cache = None
        self._lanes = None
        self.columns_changed.emit()

    def _on_cards(self, paths: frozenset[Path], origin: Origin) -> None:
        ids = frozenset(path[0] for path in paths)
        for card_id in ids if self._known is not None else ():
            there = self._cards.has((card_id,))
            card = card_from(card_id, self._cards.get((card_id,))) if there else None
            self._compare(card_id, self._cards_by_id().get(card_id), card, origin)
            self._put(card_id, card)
        if origin not in (REMOTE, SETUP):
            self.edited.emit(ids)
        self._emit_changed(ids)

    def _emit_changed(self, ids: frozenset[str]) -> None:
        if self._held_back is None:
            self.changed.emit(ids)
        else:
            self._held_back |= ids

    def _compare(self, card_id: str, before: Card | None, card: Card | None, origin: Origin) -> None:
        """Notes which description was replaced, and by which, and who wrote the title last."""
        if before is None or card is None:
            return
        if before.title != card.title:
            if origin == REMOTE:
                self.retitled[card_id] = self._author
            else:
                self.retitled.pop(card_id, None)
        if (
            before.deleted
            and card.deleted
            and replace(before, deleted_by=None, deleted_t=0) != replace(card, deleted_by=None, deleted_t=0)
        ):
            self.written_in_trash.add(card_id)
        if before.described == card.described:
            return
        seen = self._seen.setdefault(card_id, {})
        for each in (before.described, card.described):
            seen.pop(each.id, None)
            seen[each.id] = each
        size = sum(len(each.text) for each in seen.values())
        for old in list(seen)[:-2]:
            if len(seen) <= MAX_SEEN and size <= MAX_SEEN_CHARS:
                break
            size -= len(seen.pop(old).text)
        if origin == REMOTE and before.described.id not in card.described.made_from:
            self.overwritten.append((card_id, before.described))


def _by_order(card: Card) -> tuple[str, str]:
    return card.order, card.id


def new_card_id() -> str:
    """The id of a card that is not on the board yet."""
    return _new_id()


def _new_id() -> str:
    return new_id()[:8].hex()


def _line(text: str) -> str:
    return one_line(text, MAX_TITLE)


def _neighbours(others: Sequence[tuple[str, str]], before: str | None) -> tuple[str | None, str | None]:
    """The order keys around the place before `before` (None or unknown: the end)."""
    at = next((i for i, (key, _) in enumerate(others) if key == before), None)
    if at is None:
        return (others[-1][1] if others else None), None
    high = others[at][1]
    # two people may by chance have made the same key: go before all cards that share it
    lower = [order for _, order in others[:at] if order < high]
    return (lower[-1] if lower else None), high


def _key(low: str | None, high: str | None) -> str:
    """A key between two, also if a colleague's program wrote something that is no key."""
    try:
        return between(low or None, high or None)
    except (ValueError, AssertionError, IndexError):
        return (low or "a0") + "V"


__all__ = ["Board", "Card", "CheckItem", "Column", "Label"]
