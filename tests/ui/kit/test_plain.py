# SPDX-License-Identifier: EUPL-1.2
"""Texts that look like something else stay texts, whatever part of Qt shows them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtGui import Qt as QtText
from PySide6.QtWidgets import QComboBox, QWidget
from pytestqt.qtbot import QtBot

from ui.kit import plain

PIECES = [*"<>&/!?= \n\tab;å", "lt;", "img", "<b>", "&lt;", "<?xml", "<!--", "src='file:///x'"]
LIKE_HTML = st.lists(st.sampled_from(PIECES), max_size=20).map("".join)


@given(LIKE_HTML | st.text(max_size=40))
def test_no_tip_is_taken_for_html(text: str) -> None:
    assert not QtText.mightBeRichText(plain.tip(text))


@pytest.mark.parametrize("text", ["<b>fet</b> å", "a &lt; b", "1 < 2 > 1", "R&D", "vanlig text 🙂"])
def test_a_tip_says_the_text_itself_to_a_screen_reader(qtbot: QtBot, text: str) -> None:
    widget = QWidget()
    qtbot.addWidget(widget)
    plain.set_tip(widget, text)
    face = QAccessible.queryAccessibleInterface(widget)
    assert face is not None
    assert face.text(QAccessible.Text.Description).replace("\N{WORD JOINER}", "") == text
    plain.set_tip(widget, "")
    assert widget.toolTip() == ""


def test_a_long_tip_is_broken_and_bounded() -> None:
    lines = plain.tip("ord å " * 100 + "x" * 5000).split("\n")
    assert max(map(len, lines)) <= 90
    assert sum(map(len, lines)) <= 1000


def test_labels_boxes_choices_and_titles_take_no_markup_and_no_overrides(qtbot: QtBot) -> None:
    text = "<b>fet</b>\u202e å\nrad två"
    label, box, window = plain.Label(text), QComboBox(), QWidget()
    for widget in (label, box, window):
        qtbot.addWidget(widget)
    assert label.text() == "<b>fet</b> å\nrad två"
    assert label.textFormat() == Qt.TextFormat.PlainText
    label.setText("\u2067x")
    assert label.text() == "x"
    box.addItem("val")
    plain.set_item_tip(box, 0, "<b>fet</b>")
    assert not QtText.mightBeRichText(box.itemData(0, Qt.ItemDataRole.ToolTipRole))
    plain.set_title(window, "Ta bort [*]\n\u202e?")
    assert window.windowTitle() == "Ta bort [*][*] ?"
    warning = plain.warning("Kansli", text)
    qtbot.addWidget(warning)
    assert warning.textFormat() == Qt.TextFormat.PlainText
    assert warning.text() == "<b>fet</b> å\nrad två"
    assert plain.notice("Rum\n\u202e å 🙂") == "Rum å 🙂"
