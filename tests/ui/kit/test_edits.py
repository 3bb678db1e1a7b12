# SPDX-License-Identifier: EUPL-1.2
"""The edits between two orders of keys, and the choices of a box that are kept up to date by them."""

from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPersistentModelIndex
from PySide6.QtWidgets import QComboBox
from pytestqt.qtbot import QtBot

from ui.kit.choices import offer
from ui.kit.edits import Inserted, Moved, Removed, edits

KEYS = st.lists(st.sampled_from("abcdåä🙂"), max_size=8)


@given(KEYS, KEYS)
def test_the_edits_lead_from_the_one_order_to_the_other(old: list[str], new: list[str]) -> None:
    now = list(old)
    for edit in edits(old, new):
        match edit:
            case Removed(first, count):
                assert count > 0
                del now[first : first + count]
            case Moved(first, to):
                now.insert(to, now.pop(first))
            case Inserted(first, count):
                now[first:first] = new[first : first + count]
    assert now == new


def test_one_row_that_goes_to_the_other_end_is_one_move() -> None:
    assert edits("abcd", "bcda") == [Moved(0, 3)]
    assert edits("abcd", "dabc") == [Moved(3, 0)]
    assert edits("abcd", "xbd") == [Removed(2, 1), Removed(0, 1), Inserted(0, 1)]


def test_a_choice_that_is_still_there_keeps_its_item(qtbot: QtBot) -> None:
    box = QComboBox()
    qtbot.addWidget(box)
    offer(box, [("Ingen", None), ("Handläggare", b"h"), ("Enhetschef", b"e")], b"e")
    held = QPersistentModelIndex(box.model().index(2, 0))
    for choices in (
        [("Ingen", None), ("Arkivarie", b"a"), ("Handläggare", b"h"), ("Enhetschef", b"e")],
        [("Ingen", None), ("Enhetschef å", b"e")],
    ):
        offer(box, choices, b"e")
        assert [(box.itemText(at), box.itemData(at)) for at in range(box.count())] == choices
        assert held.isValid()
        assert held.row() == box.currentIndex() == len(choices) - 1
