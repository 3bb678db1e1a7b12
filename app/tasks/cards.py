# SPDX-License-Identifier: EUPL-1.2
"""The contents of a board, as frozen values read from the CRDT's maps.

▲ A value of another type, or out of bounds (a text that is too long, a number, a depth), becomes a harmless default by
itself: the rest of its card is shown.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

from app.core import clock
from app.core.ids import Uid
from app.core.visible import one_line
from app.tasks.descriptions import Description, description_from

MAX_TITLE = 500
MAX_NAME = 100
"""For a board, a column or a label: longer names would push the others out of sight."""
MAX_ORDER = 4096
"""A key of app/core/fractional.py grows by a digit for about every six cards put in at one place."""
MAX_T = clock.MAX_MS

LABEL_COLOURS = ("accent", "success", "warning", "danger", "neutral")
"""Roles of the theme, so that a label reads well in every one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of a board. `order`: its sort key. `done`: cards in it count as finished."""

    id: str
    title: str
    order: str
    done: bool


NO_COLUMN = Column(id="", title="", order="", done=False)
"""The column of cards after every column was deleted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A label of the board, which can be put on cards. `colour` is one of LABEL_COLOURS, roles of the theme."""

    id: str
    name: str
    colour: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckItem:
    """A line of a card's checklist. `order`: its sort key; `done`: it is ticked."""

    id: str
    text: str
    done: bool
    order: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A card of a board. `column` is the id that the card itself names, which may be that of a deleted column; ask
    `Board.column_of`. `order`: its sort key in the column. `t` (ms): when it was made, by its maker's device.

    `by` is the person who made the card, as the card names them. Everybody can write that, so it is shown nowhere.
    `deleted_by` and `deleted_t` (ms) are of the last time that it was put into the trash, by the clock of the device
    that did it. The card names them itself: a member who may write can name a colleague there.
    """

    id: str
    title: str
    described: Description
    column: str
    order: str
    assignee: Uid | None
    due: date | None
    labels: tuple[str, ...]
    checklist: tuple[CheckItem, ...]
    archived: bool
    deleted: bool
    deleted_by: Uid | None
    deleted_t: int
    by: Uid | None
    t: int

    @property
    def description(self) -> str:
        """The description's text."""
        return self.described.text

    @property
    def hidden(self) -> bool:
        """Whether the card is not shown on the board."""
        return self.archived or self.deleted

    @property
    def checked(self) -> int:
        """How many lines of the checklist are ticked."""
        return sum(item.done for item in self.checklist)


def column_from(key: str, value: Any) -> Column:
    """Reads a column with the id `key` from its value in the CRDT. Anything invalid becomes a default."""
    read = value if isinstance(value, dict) else {}
    title, order = name_from(read.get("title")), _text(read.get("order"), MAX_ORDER)
    return Column(id=key, title=title, order=order, done=read.get("done") is True)


def name_from(value: Any) -> str:
    """The name of a board, column or label from its value in the CRDT, in the form in which it may be shown: one line
    of at most MAX_NAME characters; "" if it is no text."""
    return one_line(_text(value), MAX_NAME)


def label_from(key: str, value: Any) -> Label:
    """Reads a label with the id `key` from its value in the CRDT. Anything invalid becomes a default."""
    read = value if isinstance(value, dict) else {}
    colour = _text(read.get("colour"))
    return Label(id=key, name=name_from(read.get("name")), colour=colour if colour in LABEL_COLOURS else "neutral")


def card_from(key: str, value: Any) -> Card:
    """Reads a card with the id `key` from its value in the CRDT. Anything invalid becomes a default."""
    read = value if isinstance(value, dict) else {}
    there = _pair(read.get("place"))
    return Card(
        id=key,
        title=one_line(_text(read.get("title")), MAX_TITLE),
        described=description_from(read.get("description")),
        column=_text(there[0]),
        order=_text(there[1], MAX_ORDER),
        assignee=_uid(read.get("assignee")),
        due=_date(read.get("due")),
        labels=tuple(sorted(k for k, on in _map(read.get("labels")).items() if on is True)),
        checklist=_checklist(read.get("checklist")),
        archived=read.get("archived") is True,
        deleted=read.get("deleted") is True,
        deleted_by=_uid(_pair(read.get("put_away"))[0]),
        deleted_t=_time(_pair(read.get("put_away"))[1]),
        by=_uid(read.get("by")),
        t=_time(read.get("t")),
    )


def _checklist(value: Any) -> tuple[CheckItem, ...]:
    items = [
        CheckItem(
            id=key,
            text=one_line(_text(item.get("text")), MAX_TITLE),
            done=item.get("done") is True,
            order=_text(item.get("order"), MAX_ORDER),
        )
        for key, item in _map(value).items()
        if isinstance(item, dict)
    ]
    return tuple(sorted(items, key=lambda i: (i.order, i.id)))


def _pair(value: Any) -> tuple[Any, Any]:
    return (value[0], value[1]) if isinstance(value, list) and len(value) == 2 else ("", "")


def _map(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any, limit: int = MAX_TITLE) -> str:
    """The text, cut at `limit` code points."""
    return value[:limit] if isinstance(value, str) else ""


def _time(value: Any) -> int:
    return value if type(value) is int and 0 <= value <= MAX_T else 0


def _uid(value: Any) -> Uid | None:
    try:
        raw = bytes.fromhex(_text(value))
    except ValueError:
        return None
    return Uid(raw) if len(raw) == 16 else None


def _date(value: Any) -> date | None:
    try:
        return date.fromisoformat(_text(value))
    except ValueError:
        return None
