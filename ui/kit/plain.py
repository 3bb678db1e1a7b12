# SPDX-License-Identifier: EUPL-1.2
"""Text is text: the only place that gives texts to the parts of Qt that may take them for markup.

Tool tips, message boxes and labels take a text for HTML if it looks like it, and then load its pictures from any file
or share; menus and buttons take "&" for a shortcut, window titles "[*]" for a mark. Everything shown there goes through
these functions; tests/ui/test_plain_text.py forbids Qt's own calls in all other files.
"""

import textwrap

from PySide6.QtCore import Qt
from PySide6.QtGui import QIcon
from PySide6.QtGui import Qt as QtText
from PySide6.QtWidgets import QComboBox, QLabel, QMessageBox, QSystemTrayIcon, QWidget

from app.core.visible import one_line, paragraphs
from ui.kit.faces import Role, Spoken
from ui.kit.translate import tr

_TIP_WIDTH, _TIP_CHARS = 90, 1000
_MAX_TITLE = 300
_JOINER = "\N{WORD JOINER}"
"""Paints nothing. Behind a "<" it prevents a tag, for Qt and for every other program."""


class Label(Spoken, QLabel):
    """A label that never takes its text for markup, and shows it without control characters and direction overrides.
    With a `level` above 0 it is a heading for screen readers."""

    def __init__(self, text: str = "", parent: QWidget | None = None, *, level: int = 0) -> None:
        super().__init__(parent)
        self._level = level  # before the text: Qt asks what the label is when it has one
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setText(text)

    def setText(self, text: str) -> None:
        super().setText(paragraphs(text))

    def spoken_role(self) -> Role | None:
        return Role.Heading if self._level else None

    def spoken_level(self) -> int:
        return self._level

    def spoken_name(self) -> str:
        return self.accessibleName() or self.text()


def code_line(code: str) -> str:
    """Returns the line with an error's code, which the person gives to support; "" without a code."""
    return tr("Code: {code}").format(code=code) if code else ""


def set_tip(widget: QWidget, text: str) -> None:
    """Gives a widget the tool tip `text`; "" removes it. Setting the same one again costs nothing."""
    shown = tip(text)
    if widget.toolTip() != shown:
        widget.setToolTip(shown)


def set_item_tip(box: QComboBox, index: int, text: str) -> None:
    """Gives a choice of a box a tool tip."""
    box.setItemData(index, tip(text), Qt.ItemDataRole.ToolTipRole)


def tip(text: str) -> str:
    """Turns a text into one that Qt's tool tips show as it is and never as HTML: its first 1,000 characters, in lines
    of 90. "" if Qt would take it for HTML all the same.

    It stays readable as text, because screen readers read the same string: no HTML with everything escaped.
    """
    if not text:
        return ""
    lines = paragraphs(text)[:_TIP_CHARS].split("\n")
    shown = "\n".join("\n".join(textwrap.wrap(line, _TIP_WIDTH, break_on_hyphens=False)) for line in lines)
    if QtText.mightBeRichText(shown):
        shown = shown.replace("<", "<" + _JOINER).replace("&", "&" + _JOINER)
    return "" if QtText.mightBeRichText(shown) else shown


def set_title(window: QWidget, text: str) -> None:
    """Gives a window its title."""
    window.setWindowTitle(title(text))


def title(text: str) -> str:
    """A text for Qt's window titles, in which "[*]" is shown as it is when it is doubled."""
    return one_line(text, _MAX_TITLE).replace("[*]", "[*][*]")


def caption(text: str) -> str:
    """A text for menus and buttons, in which "&" is shown as it is when it is doubled. A tab would begin a shortcut."""
    return text.replace("\t", " ").replace("&", "&&")


def set_tray_tip(item: QSystemTrayIcon, text: str) -> None:
    """Gives the sign in the tray its tool tip."""
    item.setToolTip(tip(text))


def notify(item: QSystemTrayIcon, heading: str, text: str, icon: QIcon) -> None:
    """Shows a notification beside the sign in the tray."""
    item.showMessage(notice(heading), tip(notice(text)), icon)


def notice(text: str) -> str:
    """A text for a desktop notification: one line of at most 300 characters."""
    return one_line(text, _MAX_TITLE)


def warning(heading: str, text: str) -> QMessageBox:
    """A message box with a warning and an OK button, not shown yet. `heading` is the window's title, `text` the
    message."""
    box = QMessageBox(QMessageBox.Icon.Warning, title(heading), "")
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setText(paragraphs(text))
    return box
