# SPDX-License-Identifier: EUPL-1.2
"""A list of ui/ as a real widget that shows the rows a test names: key → text, from the top.

A row's key and first text are the same. `held` gives what a person is at in a row: a button, a field, the row itself,
or what a screen reader finds in its place where rows are painted.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QAbstractItemView, QLabel, QWidget

from app.core.ids import Uid
from app.people.person import Person, Verified
from ui.kit.spoken_list import SpokenList

Rows = Mapping[str, str]
MANY = tuple(f"Rad {n} å" for n in range(10, 30))
FEW = MANY[:4]


@dataclass
class Shown:
    """A list. `show` makes it show other rows; the test holds the last of `keys` but one, and lets the first go."""

    view: QWidget
    show: Callable[[Rows], object]
    held: Callable[[str], QObject]
    keys: Sequence[str] = MANY
    items: QAbstractItemView | None = None
    """The view, of a list whose rows are painted."""
    first_chosen: bool = False
    """Each refresh makes the first row current: it answers what was typed."""
    close: Callable[[], object] = lambda: None


def number(key: str, size: int = 16) -> bytes:
    """An id that belongs to a key."""
    return key.encode().ljust(size, b".")[:size]


def person(key: str, text: str) -> Person:
    return Person(uid=Uid(number(key)), name=text, title="", unit="", initials="Å", colour=1,
                  verified=Verified.NONE, is_me=False)  # fmt: skip


def named(view: QWidget, kind: type[QWidget], key: str, inside: type[QWidget] | None = None) -> QWidget:
    """The row of that class whose text has the key; `inside`: the first widget of that class in it."""
    for row in view.findChildren(kind):
        shown = [row, *row.findChildren(QWidget)]
        texts = [w.text() for w in shown if isinstance(w, QLabel)] + [w.accessibleName() for w in shown]
        if row.isVisibleTo(view) and any(key in text for text in texts):
            return row if inside is None else row.findChildren(inside)[0]
    raise AssertionError(key)


def rows_of(
    view: QWidget, show: Callable[[Rows], object], kind: type[QWidget], inside: type[QWidget] | None = None,
    keys: Sequence[str] = MANY,
) -> Shown:  # fmt: skip
    return Shown(view, show, lambda key: named(view, kind, key, inside), keys)


def painted(view: QWidget, show: Callable[[Rows], object], items: QAbstractItemView, keys: Sequence[str]) -> Shown:
    def held(key: str) -> QObject:
        assert isinstance(items, SpokenList)
        model = items.model()
        for row in range(model.rowCount()):
            if key in str(model.index(row, 0).data()):
                spot = items.spoken_child(row)
                assert spot is not None
                return spot
        raise AssertionError(key)

    return Shown(view, show, held, keys, items)
