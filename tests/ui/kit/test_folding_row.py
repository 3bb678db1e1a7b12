# SPDX-License-Identifier: EUPL-1.2
"""A row that folds has the height that it needs when it is painted for the first time, and not one turn later."""

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication, QLabel, QPlainTextEdit, QWidget
from pytestqt.qtbot import QtBot

from tests.ui.cut import Cut
from ui.kit import theme
from ui.kit.buttons import TextButton
from ui.kit.folding_row import FoldingRow
from ui.kit.laying_out import lay_out_first
from ui.kit.style import column, label, line
from ui.kit.toast import InfoBar

SENTENCE = "Rummet fortsätter i ett nytt. Det som finns här kan läsas; det du inte hann skicka finns där. 🙂"


@pytest.fixture
def cut(qapp: QApplication) -> Iterator[Cut]:
    theme.apply(qapp, "light")
    with Cut() as watching:
        yield watching


def above_a_field(qtbot: QtBot, bar: QWidget, width: int) -> QWidget:
    """A window with the bar above what one works in."""
    window = QWidget()
    lay_out_first(window)
    rows = column(window)
    rows.addWidget(bar)
    rows.addWidget(QPlainTextEdit(), 1)
    qtbot.addWidget(window)
    window.resize(width, 472)
    window.show()
    QApplication.processEvents()
    return window


@pytest.mark.parametrize("width", range(300, 900, 40))
def test_no_frame_shows_a_bar_with_a_cut_sentence(qtbot: QtBot, cut: Cut, width: int) -> None:
    bar = InfoBar()
    window = above_a_field(qtbot, bar, width)
    for action in ("Visa bevis", "Öppna ett efterföljande rum …", ""):
        before = cut.painted
        bar.show_state("info", "forward", f"{SENTENCE} {action}", action)
        for _ in range(4):
            QApplication.processEvents()
        assert window.isVisible()
        assert cut.painted > before
        assert cut.found == [], action


def new_row(qtbot: QtBot, action: str) -> tuple[FoldingRow, QLabel, TextButton]:
    """A row with SENTENCE and a button of the text `action`: the row, the sentence's label, the button."""
    words, control = line(), TextButton(action)
    text = label(SENTENCE, wrap=True)
    words.addWidget(text)
    row = FoldingRow(words, control, words_px=230)
    qtbot.addWidget(row)
    return row, text, control


def test_the_height_in_every_width_is_known_before_the_row_has_it(qtbot: QtBot) -> None:
    """Beside the words the control takes no height of its own, and under them it does."""
    row, text, control = new_row(qtbot, "Öppna ett efterföljande rum")
    for width in (240, 700, 250, 900):
        needed = row.heightForWidth(width)
        row.resize(width, needed)
        row.show()
        QApplication.processEvents()
        assert row.heightForWidth(width) == needed
        assert text.height() >= text.heightForWidth(text.width())
        assert (control.y() > text.geometry().bottom()) is (width < 300)


def test_a_row_without_its_control_has_the_width_for_its_words(qtbot: QtBot) -> None:
    row, text, control = new_row(qtbot, "Visa bevis")
    row.resize(600, 60)
    row.show()
    control.hide()
    QApplication.processEvents()
    assert text.width() == 600
    control.show()
    QApplication.processEvents()
    assert text.width() == 600 - 12 - control.width()
    control.deleteLater()
    QApplication.sendPostedEvents(control, QEvent.Type.DeferredDelete.value)
    QApplication.processEvents()
    assert text.width() == 600
