# SPDX-License-Identifier: EUPL-1.2
"""The generic item model: right after any change of rows, and quiet where nothing changed."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPersistentModelIndex, Qt

from ui.kit.list_model import ROW, ListModel


@dataclass(frozen=True)
class Item:
    """A row."""

    key: int
    text: str


ITEMS = st.lists(st.builds(Item, st.integers(0, 8), st.sampled_from(["å", "ä", "👍"])), unique_by=lambda i: i.key)


def model() -> ListModel[Item]:
    """A model of items."""
    return ListModel(lambda i: i.key, {Qt.ItemDataRole.DisplayRole: lambda i: i.text})


@given(ITEMS, ITEMS)
def test_the_model_shows_what_it_was_given_and_a_view_that_counts_agrees(before: list[Item], after: list[Item]) -> None:
    shown = model()
    count = 0

    def inserted(_parent: object, first: int, last: int) -> None:
        nonlocal count
        count += last - first + 1

    def removed(_parent: object, first: int, last: int) -> None:
        nonlocal count
        count -= last - first + 1

    shown.rowsInserted.connect(inserted)
    shown.rowsRemoved.connect(removed)
    for rows in (before, after):
        shown.set_rows(rows)
        assert [shown.index(i).data(ROW) for i in range(shown.rowCount())] == rows
        assert [shown.index(i).data() for i in range(shown.rowCount())] == [r.text for r in rows]
        assert count == len(rows)


def test_a_changed_row_keeps_its_index() -> None:
    shown = model()
    shown.set_rows([Item(1, "å"), Item(2, "ä")])
    index = QPersistentModelIndex(shown.index(1))
    changed: list[int] = []
    shown.dataChanged.connect(lambda first, _last: changed.append(first.row()))
    shown.set_rows([Item(1, "å"), Item(2, "ö")])
    assert index.isValid()
    assert changed == [1]
    shown.set_rows([Item(0, "ny"), Item(1, "å"), Item(2, "ö")])
    assert index.row() == 2
