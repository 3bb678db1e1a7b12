# SPDX-License-Identifier: EUPL-1.2
"""Text size and density: one place turns measures into pixels, and all that is shown follows at once."""

import ast
import gc
from pathlib import Path

import pytest
from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QApplication, QLabel, QLayout, QLineEdit, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app import settings
from ui.kit import scale, theme
from ui.kit.beside import PageWithPanel
from ui.kit.buttons import TextButton
from ui.kit.card import EmptyState
from ui.kit.chip import Chip
from ui.kit.flow_layout import FlowLayout
from ui.kit.folding_row import FoldingRow
from ui.kit.fonts import font
from ui.kit.roomy import Roomy
from ui.kit.style import ElidedLabel, column, label

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def light(qapp: QApplication) -> None:
    theme.apply(qapp, "light")


def shown(qtbot: QtBot, widget: QWidget, width: int = 300, height: int = 200) -> QWidget:
    qtbot.addWidget(widget)
    widget.resize(width, height)
    widget.show()
    widget.activateWindow()
    QApplication.processEvents()
    return widget


def test_the_settings_offer_what_can_be_shown() -> None:
    assert tuple(size for size, _ in settings.TEXT_SIZE.choices) == scale.TEXT_SIZES
    assert {density for density, _ in settings.DENSITY.choices} == set(scale.DENSITIES)


def test_a_step_stops_at_the_smallest_and_at_the_largest_size() -> None:
    assert [scale.step(size, 1) for size in (80, 100, 175, 200)] == [90, 110, 200, 200]
    assert [scale.step(size, -1) for size in (80, 100, 200)] == [80, 90, 175]


def test_fonts_style_sheet_icons_and_held_measures_follow_at_once(qapp: QApplication, qtbot: QtBot) -> None:
    box = shown(qtbot, QWidget())
    rows = column(box, margins=(1, 10, 1, 10), spacing=10)
    words, button, chip = label("Beslut", "title"), TextButton("Skicka", icon="send"), Chip("Utkast", icon="draft")
    for part in (words, button, chip):
        rows.addWidget(part)
    scale.hold(box, least_width=100)
    notified: list[int] = []
    theme.on_change(box, lambda: notified.append(scale.text_size()))
    before = words.sizeHint(), button.sizeHint(), chip.sizeHint(), button.iconSize()
    assert font(12).pointSizeF() == 9
    theme.resize(qapp, 200, "compact")
    assert notified == [200]
    assert font(12).pointSizeF() == 18
    assert words.sizeHint().height() > 1.8 * before[0].height()
    assert button.sizeHint().width() > 1.5 * before[1].width()
    assert chip.sizeHint().height() == 2 * before[2].height()
    assert button.iconSize() == before[3] * 2
    assert box.minimumWidth() == 200
    assert (rows.contentsMargins().top(), rows.spacing()) == (6, 6)
    theme.resize(qapp, 200, "compact")
    assert notified == [200], "the same again costs nothing"
    theme.resize(qapp, 100, "normal")
    assert (words.sizeHint(), button.sizeHint(), chip.sizeHint(), button.iconSize()) == before
    assert rows.spacing() == 10


@pytest.mark.parametrize("density", scale.DENSITIES)
def test_a_control_keeps_its_size_with_the_focus(qapp: QApplication, qtbot: QtBot, density: str) -> None:
    theme.resize(qapp, 100, density)
    box = shown(qtbot, QWidget())
    rows = column(box)
    primary = TextButton("Spara", kind="primary")
    parts: list[QWidget] = [QLineEdit(), TextButton("Avbryt"), primary]
    for part in parts:
        rows.addWidget(part)
    for part in parts:
        part.clearFocus()
        QApplication.processEvents()
        before = part.sizeHint()
        part.setFocus()
        QApplication.processEvents()
        assert part.sizeHint() == before


def test_density_changes_how_much_stands_above_each_other(qapp: QApplication) -> None:
    heights = []
    for density in ("compact", "normal", "airy"):
        theme.resize(qapp, 100, density)
        heights.append((scale.row(50), scale.air(5), scale.gap(10)))
    assert heights == sorted(heights)
    assert len(set(heights)) == 3


def test_layouts_follow_that_only_qt_knows(qapp: QApplication, qtbot: QtBot) -> None:
    box = QWidget()
    column(box, spacing=10).addLayout(column(spacing=20))
    qtbot.addWidget(box)
    gc.collect()
    theme.resize(qapp, 100, "compact")
    outer = box.layout()
    assert outer is not None
    assert [each.spacing() for each in (outer, *outer.findChildren(QLayout))] == [6, 12]


def test_an_elided_label_is_cut_again_when_its_text_grows(qapp: QApplication, qtbot: QtBot) -> None:
    name = "Dokumenthanteringsplanens referensgrupp"
    elided = ElidedLabel(name)
    shown(qtbot, elided, width=QLabel(name).sizeHint().width() + 20, height=40)
    assert elided.text() == name
    theme.resize(qapp, 200, "normal")
    assert elided.text().endswith("…")


def test_an_empty_states_texts_fit_a_narrow_view(qapp: QApplication, qtbot: QtBot) -> None:
    theme.resize(qapp, 200, "normal")
    state = EmptyState("chat", "Inga meddelanden än", "Det som skrivs här kan bara rummets deltagare läsa.")
    shown(qtbot, state, width=420, height=600)
    for part in state.findChildren(QLabel):
        assert state.rect().contains(part.geometry())
        assert part.height() >= part.heightForWidth(part.width())


def test_tools_that_have_no_room_beside_each_other_stand_in_two_lines(qtbot: QtBot) -> None:
    box = QWidget()
    flow = FlowLayout(gap=4)
    column(box).addLayout(flow)
    buttons = [QPushButton(f"Knapp {n}") for n in range(4)]
    hidden = QPushButton("Dold")
    for button in (*buttons[:3], hidden):
        flow.addWidget(button)
    flow.addStretch()
    flow.addWidget(buttons[3])
    hidden.hide()
    shown(qtbot, box, width=900, height=100)
    assert len({button.y() for button in buttons}) == 1
    assert buttons[3].geometry().right() == box.width() - 1, "what comes after the stretch stands at the end"
    assert buttons[2].x() < 600
    box.resize(2 * buttons[0].width() + 10, 200)
    QApplication.processEvents()
    assert len({button.y() for button in buttons}) > 1
    assert all(box.rect().contains(button.geometry()) for button in buttons)


def test_a_panel_takes_the_pages_place_where_both_have_no_room(qapp: QApplication, qtbot: QtBot) -> None:
    page, panel = QWidget(), QWidget()
    panel.hide()
    both = PageWithPanel(page, panel, panel_px=200, page_px=150)
    shown(qtbot, both, width=500, height=100)
    panel.show()
    assert (page.isVisible(), panel.width()) == (True, 200)
    theme.resize(qapp, 150, "normal")
    QApplication.processEvents()
    assert (page.isVisible(), panel.width()) == (False, 500)
    panel.hide()
    assert page.isVisible()
    panel.show()
    both.resize(900, 100)
    assert (page.isVisible(), panel.isVisible()) == (True, True)


def test_what_one_can_do_stands_under_the_words_where_both_have_no_room(qapp: QApplication, qtbot: QtBot) -> None:
    words, button = column(), TextButton("Öppna ett efterföljande rum")
    words.addWidget(label("Rummet kan inte fortsätta: dess historik stämmer inte med serverns.", wrap=True))
    row = FoldingRow(words, button, words_px=180)
    shown(qtbot, row, width=600, height=80)
    assert button.x() > 300
    theme.resize(qapp, 200, "normal")
    QApplication.processEvents()
    text = row.findChildren(QLabel)[0]
    assert button.x() == 0
    assert text.geometry().bottom() < button.y()
    assert text.width() == row.width()
    theme.resize(qapp, 100, "normal")
    QApplication.processEvents()
    assert button.x() > 300


def test_what_has_no_room_scrolls_to_what_gets_the_focus(qtbot: QtBot) -> None:
    content = QWidget()
    rows = column(content)
    fields = [QLineEdit() for _ in range(12)]
    for field in fields:
        rows.addWidget(field)
    place = Roomy(content)
    shown(qtbot, place, width=300, height=120)
    assert content.height() >= rows.minimumSize().height() > place.height()
    fields[-1].setFocus(Qt.FocusReason.TabFocusReason)
    assert place.viewport().rect().contains(fields[-1].mapTo(place.viewport(), fields[-1].rect().center()))
    place.resize(QSize(300, 900))
    assert content.height() == 900
    assert place.verticalScrollBar().maximum() == 0


SETTERS = {"setFixedSize", "setFixedWidth", "setFixedHeight", "setMinimumWidth", "setMinimumHeight", "setMaximumWidth"}


def test_no_measure_is_given_in_pixels_of_its_own() -> None:
    """A number in a call is not scaled: `hold` does that. Only a line of one pixel or four stays so."""
    found = []
    for path in sorted((ROOT / "ui").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in SETTERS):
                continue
            if any(isinstance(arg, ast.Constant) and isinstance(arg.value, int) and arg.value > 4 for arg in node.args):
                found.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert found == []
