# SPDX-License-Identifier: EUPL-1.2
"""An error is a sentence; its code, which only support asks for, is small behind it."""

from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from app.core.i18n import set_language
from ui.kit import theme
from ui.kit.error_line import ErrorLine
from ui.kit.plain import Label
from ui.kit.toast import InfoBar, Toast

TEXT, CODE = "Lösenfrasen stämmer inte å.", "Kod: wrong-passphrase"


def labels(of: QWidget) -> dict[str, int]:
    """Each text that is shown, with the height of its letters in pixels."""
    return {part.text(): part.fontInfo().pixelSize() for part in of.findChildren(Label) if part.isVisibleTo(of)}


def test_the_code_stands_smaller_than_the_sentence(qapp: QApplication, qtbot: QtBot) -> None:
    set_language("sv")
    host = QWidget()
    qtbot.addWidget(host)
    theme.apply(qapp, "light")
    error, bar, toast = ErrorLine(host), InfoBar(host), Toast(host)
    error.show_text(TEXT, "wrong-passphrase")
    bar.show_state("warning", "warning", TEXT, code="wrong-passphrase")
    toast.show_text(TEXT, code="wrong-passphrase")
    host.show()
    for part in (error, bar, toast):
        assert labels(part)[TEXT] > labels(part)[CODE], part
    assert error.accessibleName() == f"{TEXT}\n{CODE}"


def test_what_has_no_code_shows_none(qtbot: QtBot) -> None:
    host = QWidget()
    qtbot.addWidget(host)
    error, bar, toast = ErrorLine(host), InfoBar(host), Toast(host)
    error.show_text(TEXT, "full")
    error.show_text(TEXT)
    bar.show_state("info", "info", TEXT)
    toast.show_text(TEXT)
    for part in (error, bar, toast):
        assert [text for text in labels(part) if text] == [TEXT], part
    error.add_sentence("Från 14:03.")
    assert error.text() == f"{TEXT}\nFrån 14:03."
    error.clear()
    assert (error.text(), error.isHidden()) == ("", True)
