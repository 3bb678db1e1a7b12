# SPDX-License-Identifier: EUPL-1.2
"""Themes: contrast computed from the tokens, switching, icons and fonts."""

import re

import pytest
from PySide6.QtCore import QObject
from PySide6.QtGui import QColor, QFontInfo, QImage, QPainter, QRawFont
from PySide6.QtWidgets import QApplication, QComboBox, QLabel
from pytestqt.qtbot import QtBot

from resources import path
from ui.kit import icons, theme
from ui.kit.fonts import font
from ui.kit.theme import CHOICES, load

THEMES = [c for c in CHOICES if c != "system"]
GROUNDS = ("window", "surface", "side", "hover", "chip", "accent-soft")
PAIRS = (
    *((ink, ground) for ink in ("text", "muted") for ground in GROUNDS),
    *(("accent", ground) for ground in ("surface", "window", "side", "accent-soft")),
    ("on-accent", "accent"),
    ("on-accent", "accent-hover"),
    ("success", "success-soft"),
    ("success", "side"),
    ("warning", "warning-soft"),
    ("warning", "surface"),
    ("danger", "danger-soft"),
    ("danger", "surface"),
    ("hint", "surface"),
    ("on-rail", "rail"),
    ("on-rail-active", "rail-active"),
    ("on-badge", "badge"),
    ("on-tip", "tip"),
    ("text", "mark"),
)


def luminance(colour: QColor) -> float:
    """WCAG 2 relative luminance."""
    channels = (colour.redF(), colour.greenF(), colour.blueF())
    parts = [c / 12.92 if c <= 0.04045 else float(((c + 0.055) / 1.055) ** 2.4) for c in channels]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(one: QColor, other: QColor) -> float:
    """WCAG 2 contrast ratio."""
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("name", THEMES)
@pytest.mark.parametrize(("ink", "ground"), PAIRS)
def test_text_holds_its_contrast(name: str, ink: str, ground: str) -> None:
    tokens = load(name)
    wanted = 7.0 if tokens.contrast else 4.5
    assert contrast(tokens.colour(ink), tokens.colour(ground)) >= wanted


@pytest.mark.parametrize("name", THEMES)
def test_peoples_colours_hold_white_text(name: str) -> None:
    tokens = load(name)
    assert len(set(tokens.people)) == theme.PEOPLE_COLOURS
    wanted = 7.0 if tokens.contrast else 4.5
    for i in range(theme.PEOPLE_COLOURS):
        assert contrast(tokens.person(i), tokens.colour("on-person")) >= wanted, tokens.people[i]


@pytest.mark.parametrize("name", THEMES)
def test_the_focus_ring_is_seen_on_every_ground(name: str) -> None:
    tokens = load(name)
    for ground in GROUNDS:
        assert contrast(tokens.colour("focus"), tokens.colour(ground)) >= 3


@pytest.mark.parametrize("name", THEMES)
def test_every_theme_has_the_same_roles_and_the_style_sheet_names_only_those(name: str) -> None:
    assert load(name).colours.keys() == load("light").colours.keys()
    assert "@" not in theme.style_sheet(name)


def test_the_style_sheet_names_only_icons_that_exist() -> None:
    named = [n for name in THEMES for n in re.findall(r"icon:([\w-]+\.svg)", theme.style_sheet(name))]
    assert named
    assert all(path(f"icons/{name}").exists() for name in named)


def test_switching_theme_takes_effect_at_once_and_notifies_painters(qapp: QApplication, qtbot: QtBot) -> None:
    notified: list[str] = []
    label = QLabel("Ärende å ä ö 👍")
    qtbot.addWidget(label)
    theme.on_change(label, lambda: notified.append(theme.current().id))
    theme.apply(qapp, "dark")
    assert theme.current().dark
    assert qapp.palette().window().color() == load("dark").colour("window")
    theme.apply(qapp, "light")
    assert qapp.palette().window().color() == load("light").colour("window")
    assert notified == ["dark", "light"]


def test_a_dead_widget_is_not_notified_of_themes(qapp: QApplication) -> None:
    notified: list[str] = []
    label = QLabel()
    theme.on_change(label, lambda: notified.append("x"))
    label.deleteLater()
    qapp.sendPostedEvents(None, 52)  # DeferredDelete
    theme.apply(qapp, "dark")
    theme.apply(qapp, "light")
    assert notified == []


def test_system_follows_the_desktop(qapp: QApplication) -> None:
    theme.apply(qapp, "system")
    assert theme.choice() == "system"
    assert theme.current().id in ("light", "dark")
    theme.apply(qapp, "light")


def test_every_icon_draws_something_in_the_roles_colour(qapp: QApplication) -> None:
    theme.apply(qapp, "light")
    for file in sorted(path("icons").glob("*.svg")):
        image = icons.pixmap(file.stem, "#FF0000", 24).toImage()
        drawn = [image.pixelColor(x, y) for x in range(24) for y in range(24)]
        assert any(c.alpha() > 100 for c in drawn), file.stem
        assert 'width="24"' in file.read_text(), file.stem


def test_inter_has_the_weights_that_are_used(qapp: QApplication) -> None:
    theme.apply(qapp, "light")
    for weight, style in ((400, "Regular"), (500, "Medium"), (600, "SemiBold"), (700, "Bold")):
        assert QFontInfo(font(13.5, weight)).family() == "Inter"
        assert QRawFont.fromFont(font(13.5, weight)).styleName() == style


def test_a_choices_popup_shows_every_line_in_the_themes_colours(qapp: QApplication, qtbot: QtBot) -> None:
    theme.apply(qapp, "dark")
    box = QComboBox()
    qtbot.addWidget(box)
    box.addItems(["Följ systemet", "Ljust", "Mörkt", "Hög kontrast", "Hög kontrast, mörkt"])
    box.show()
    box.setCurrentIndex(1)
    box.showPopup()
    view = box.view()
    qtbot.waitUntil(view.isVisible)
    last = view.visualRect(view.model().index(4, 0))
    assert view.viewport().rect().contains(last)
    chosen = view.visualRect(view.model().index(1, 0))
    ground = view.viewport().grab().toImage().pixelColor(chosen.right() - 12, chosen.center().y())
    assert ground == theme.current().colour("accent-soft")
    box.hidePopup()
    theme.apply(qapp, "light")


def _ink(pen: str, paper: str) -> int:
    """How much a text differs from its paper."""
    image = QImage(220, 30, QImage.Format.Format_RGB32)
    image.fill(QColor(paper))
    painter = QPainter(image)
    painter.setFont(font(13.5))
    painter.setPen(QColor(pen))
    painter.drawText(2, 20, "Kompletteringen är inkommen")
    painter.end()
    clear = QColor(paper).red()
    return sum(abs(image.pixelColor(x, y).red() - clear) for x in range(220) for y in range(30))


def test_a_text_is_as_heavy_on_dark_as_on_light(qapp: QApplication) -> None:
    theme.apply(qapp, "light")
    on_light, on_dark = _ink("#000000", "#FFFFFF"), _ink("#FFFFFF", "#000000")
    assert abs(on_dark / on_light - 1) < 0.03


def test_a_switch_removes_the_former_style_sheet_first_and_reads_nothing_again(
    qapp: QApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else it takes a full window four times as long (ui/kit/theme.py)."""
    theme.apply(qapp, "dark")
    theme.apply(qapp, "light")
    given: list[str] = []
    notified: list[str] = []
    monkeypatch.setattr(qapp, "setStyleSheet", given.append)
    monkeypatch.setattr(theme, "path", lambda name: pytest.fail(f"{name} is read again"))
    owner = QObject()
    theme.on_change(owner, lambda: notified.append(theme.current().id))
    theme.apply(qapp, "dark")
    assert given == ["", theme.style_sheet("dark")]
    assert notified == ["dark"]
    monkeypatch.undo()
    theme.apply(qapp, "light")


def test_the_style_sheet_is_away_while_much_is_made_and_back_after_an_error_too(qapp: QApplication) -> None:
    theme.apply(qapp, "light")
    sheet = qapp.styleSheet()
    with theme.styled_at_once():
        assert not qapp.styleSheet()
    assert qapp.styleSheet() == sheet
    with pytest.raises(ZeroDivisionError), theme.styled_at_once():
        raise ZeroDivisionError
    assert qapp.styleSheet() == sheet != ""
