# SPDX-License-Identifier: EUPL-1.2
"""Icons are drawn when they are first shown: in which size, in which colours, and how many."""

import gc

import pytest
from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QImage, QPainter, QPixmap
from PySide6.QtWidgets import QApplication, QToolButton
from pytestqt.qtbot import QtBot

from ui.kit import icons, theme
from ui.kit.icon_engine import render

NORMAL, DISABLED, SELECTED = QIcon.Mode.Normal, QIcon.Mode.Disabled, QIcon.Mode.Selected
OFF, ON = QIcon.State.Off, QIcon.State.On


@pytest.fixture(autouse=True)
def _light(qapp: QApplication) -> None:
    theme.apply(qapp, "light")


def drawn() -> int:
    """How many pixmaps of icons this process has drawn."""
    return render.cache_info().misses


def ink(image: QImage) -> QColor:
    """The colour that a picture has most of, where it is not clear."""
    pixels = [image.pixelColor(x, y) for x in range(image.width()) for y in range(image.height())]
    names = [c.name() for c in pixels if c.alpha() > 250]
    return QColor(max(names, key=names.count))


def near(one: QColor, other: QColor) -> bool:
    parts = ((one.red(), other.red()), (one.green(), other.green()), (one.blue(), other.blue()))
    return all(abs(a - b) <= 2 for a, b in parts)


def test_an_icon_is_drawn_once_when_it_is_first_shown_and_only_as_it_is_shown(qtbot: QtBot) -> None:
    button = QToolButton()
    qtbot.addWidget(button)
    before = drawn()
    icons.set_icon(button, "logo", "#123456", 21, checked="#654321")
    assert drawn() == before
    button.grab()
    button.grab()
    assert drawn() == before + 1


def test_a_buttons_icon_follows_the_theme_the_tick_and_what_is_disabled(qapp: QApplication, qtbot: QtBot) -> None:
    button = QToolButton()
    button.setCheckable(True)
    qtbot.addWidget(button)
    icons.set_icon(button, "logo", "muted", 20, checked="accent")
    for name in ("light", "dark", "contrast"):
        theme.apply(qapp, name)
        roles = {(NORMAL, OFF): "muted", (NORMAL, ON): "accent", (DISABLED, OFF): "faint"}
        for (mode, state), role in roles.items():
            image = button.icon().pixmap(QSize(20, 20), 1.0, mode, state).toImage()
            assert near(ink(image), theme.current().colour(role)), (name, role)


def test_a_selected_icon_is_tinted_by_the_style() -> None:
    icon = icons.icon("logo", "#FF0000")
    plain, selected = (icon.pixmap(QSize(20, 20), 1.0, mode).toImage() for mode in (NORMAL, SELECTED))
    assert ink(plain).name() == "#ff0000"
    assert ink(selected).blue() > ink(plain).blue()


@pytest.mark.parametrize("scale", [1.0, 1.1, 1.25, 1.5, 1.75, 2.0, 3.0, 4.0])
def test_an_icon_has_a_pixel_for_each_of_the_screens(scale: float) -> None:
    pixmap = icons.icon("logo", "muted", 20).pixmap(QSize(20, 20), scale)
    assert pixmap.size() == QSize(round(20 * scale), round(20 * scale))
    assert pixmap.devicePixelRatio() == pytest.approx(scale)


def test_an_icon_is_as_large_as_it_was_made_at_the_most() -> None:
    icon = icons.icon("logo", "muted", 16)
    assert (icon.actualSize(QSize(32, 32)), icon.actualSize(QSize(12, 30))) == (QSize(16, 16), QSize(12, 12))
    assert icon.pixmap(QSize(32, 32), 1.0).size() == QSize(16, 16)


def test_an_icon_is_painted_sharp_in_the_middle_of_its_place() -> None:
    image = QImage(80, 60, QImage.Format.Format_ARGB32_Premultiplied)
    image.setDevicePixelRatio(2.0)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    icons.icon("logo", "#FF0000", 20).paint(painter, QRect(0, 0, 40, 30))
    painter.end()
    assert image.copy(20, 10, 40, 40) == _at(render("logo", "#FF0000", 20, 2.0))
    assert image.pixelColor(18, 30).alpha() == 0


def _at(pixmap: QPixmap) -> QImage:
    image = pixmap.toImage().convertToFormat(QImage.Format.Format_ARGB32_Premultiplied)
    image.setDevicePixelRatio(2.0)
    return image


def test_an_icon_that_qt_copies_is_drawn_after_the_first_is_gone() -> None:
    """Qt copies the engine of an icon that is shared, before another pixmap is added to it."""
    shared = icons.icon("logo", "#00AA00", 23)
    copy = QIcon(shared)
    copy.addPixmap(QPixmap(3, 3))
    del shared
    gc.collect()
    assert ink(copy.pixmap(QSize(23, 23), 1.0).toImage()).name() == "#00aa00"
