# SPDX-License-Identifier: EUPL-1.2
"""The page of a place where there is nothing yet."""

from PySide6.QtCore import qInstallMessageHandler
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from ui.kit.card import EmptyState


def test_a_long_sentence_of_an_empty_state_is_not_cut_off(qtbot: QtBot) -> None:
    sentence = "What is to be done in the room stands here, and everybody in the room sees it. " * 2
    view = EmptyState("tasks", "No tasks yet", sentence, "Add the first task")
    qtbot.addWidget(view)
    view.resize(900, 600)
    view.show()
    (text,) = [label for label in view.findChildren(QLabel) if label.text() == sentence]
    assert text.height() >= text.heightForWidth(text.width()) > 2 * text.fontMetrics().height()


def test_a_place_without_a_text_below_its_title_is_measured(qtbot: QtBot) -> None:
    made = EmptyState("search", "Söker …", "")
    qtbot.addWidget(made)
    made.resize(640, 400)
    said = list[str]()
    before = qInstallMessageHandler(lambda _kind, _where, text: said.append(text))
    try:
        made.show()
    finally:
        qInstallMessageHandler(before)
    assert not [text for text in said if "Negative" in text]
