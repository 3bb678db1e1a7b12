# SPDX-License-Identifier: EUPL-1.2
"""The calendar that opens at a button: readable in every theme, with week numbers, and on the screen."""

from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QCalendarWidget, QFrame, QPushButton, QTableView, QToolButton
from pytestqt.qtbot import QtBot

from app.core.clock import set_clock
from tests.ui.kit.test_theme import THEMES, contrast
from ui.kit import theme
from ui.kit.day_picker import pick_day
from ui.kit.screens import area_of
from ui.kit.translate import change_language

FRIDAY = date(2026, 12, 4)


@pytest.fixture(autouse=True)
def looks(qapp: QApplication) -> Iterator[None]:
    back = set_clock(lambda: int(datetime(2026, 11, 27, 12, tzinfo=UTC).timestamp() * 1000))
    change_language("sv")
    yield
    back()
    theme.apply(qapp, "light")


@pytest.fixture
def button(qtbot: QtBot) -> QPushButton:
    made = QPushButton("x")
    qtbot.addWidget(made)
    made.show()
    return made


def opened(button: QPushButton, got: list[date], chosen: date | None = FRIDAY) -> tuple[QFrame, QTableView]:
    box = pick_day(button, chosen, got.append)
    table = box.findChild(QTableView)
    assert table is not None
    return box, table


def ink_and_ground(image: QImage, at: QRect) -> tuple[QColor, QColor]:
    """The colour of most pixels, and the one that differs most from it."""
    inner = at.adjusted(3, 2, -3, -2)
    pixels = [
        image.pixelColor(x, y) for x in range(inner.left(), inner.right()) for y in range(inner.top(), inner.bottom())
    ]
    names = [pixel.name() for pixel in pixels]
    ground = QColor(max(set(names), key=names.count))
    return max(pixels, key=lambda pixel: contrast(pixel, ground)), ground


@pytest.mark.parametrize("look", THEMES)
def test_every_cell_can_be_read_in_every_theme(qapp: QApplication, button: QPushButton, look: str) -> None:
    theme.apply(qapp, look)
    box, table = opened(button, [])
    model = table.model()
    assert [model.index(row, 0).data() for row in range(1, 7)] == [49, 50, 51, 52, 53, 1], "weeks by ISO"
    days = [str(model.index(0, day).data())[:3] for day in range(1, 8)]
    assert days == ["mån", "tis", "ons", "tor", "fre", "lör", "sön"], "from Monday on"
    image = table.viewport().grab().toImage()
    for row in range(7):
        for section in range(8):
            index = model.index(row, section)
            if not index.data():
                continue
            ink, ground = ink_and_ground(image, table.visualRect(index))
            wanted = 7.0 if theme.current().contrast else 4.5
            # a thin stroke at this size has few pixels of its full colour
            assert contrast(ink, ground) >= wanted * 0.85, (look, index.data(), ink.name(), ground.name())
            chosen = row == 1 and section == 5
            assert (ground == theme.current().colour("accent")) == chosen, (look, index.data(), ground.name())
    bar = box.findChild(QToolButton, "qt_calendar_monthbutton")
    assert bar is not None
    at = QRect(bar.mapTo(box, QPoint(0, 0)), bar.size())
    ink, ground = ink_and_ground(box.grab().toImage(), at)
    assert contrast(ink, ground) >= 4.5
    box.close()


def test_a_click_chooses_and_closes(button: QPushButton) -> None:
    got: list[date] = []
    box, table = opened(button, got)
    at = table.visualRect(table.model().index(2, 3)).center()
    QTest.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, at)
    assert got == [date(2026, 12, 9)]
    assert not box.isVisible()


def test_without_a_day_it_opens_at_today_and_the_arrows_have_names(button: QPushButton) -> None:
    got: list[date] = []
    box, _ = opened(button, got, None)
    calendar = box.findChild(QCalendarWidget)
    assert calendar is not None
    assert calendar.selectedDate().toString(Qt.DateFormat.ISODate) == "2026-11-27"
    after = next(b for b in box.findChildren(QToolButton) if b.accessibleName() == "Månaden efter")
    QTest.mouseClick(after, Qt.MouseButton.LeftButton)
    assert calendar.monthShown() == 12
    assert got == []
    box.close()


def test_in_a_corner_of_the_screen_it_opens_within_it(button: QPushButton) -> None:
    screen = area_of(button)
    button.resize(60, 30)
    button.move(screen.bottomRight() - QPoint(65, 35))
    box = pick_day(button, FRIDAY, lambda _day: None)
    taken = QRect(box.pos(), box.size()).translated(-2, -2)  # the offscreen platform gives it a frame of 2 px
    assert screen.contains(taken), (screen, taken)
    assert not taken.intersects(QRect(button.mapToGlobal(QPoint(0, 0)), button.size()))
    box.close()
