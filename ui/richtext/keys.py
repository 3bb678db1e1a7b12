# SPDX-License-Identifier: EUPL-1.2
"""The editor's keys as one table, and what moving a level means for a style."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent, QKeySequence

from app.richtext.flow import BODY, MAX_INDENT, Style
from ui.kit.keys import REDO, REDO_KEYS

SHORTCUTS = {
    "undo": "Ctrl+Z",
    "redo": REDO,
    "bold": "Ctrl+B",
    "italic": "Ctrl+I",
    "underline": "Ctrl+U",
    "strike": "Ctrl+Shift+X",
    "heading0": "Ctrl+Alt+0",
    "heading1": "Ctrl+Alt+1",
    "heading2": "Ctrl+Alt+2",
    "heading3": "Ctrl+Alt+3",
    "numbers": "Ctrl+Shift+7",
    "bullets": "Ctrl+Shift+8",
    "quote": "Ctrl+Shift+9",
    "link": "Ctrl+Shift+K",
    "paste-plain": "Ctrl+Shift+V",
    "find": "Ctrl+F",
    "replace": "Ctrl+H",
}
"""The keys that tool tips show. Ctrl+K is the palette's."""

_ALSO = dict.fromkeys(REDO_KEYS, "redo") | {
    "Ctrl+Shift+/": "numbers",
    "Ctrl+Shift+(": "bullets",
    "Ctrl+Shift+)": "quote",
}
"""Shift turns the digits into signs on a Swedish keyboard."""

_ACTIONS = {QKeySequence(text).toString(): name for name, text in SHORTCUTS.items()} | {
    QKeySequence(text).toString(): name for text, name in _ALSO.items()
}


MODIFIERS = (Qt.Key.Key_Shift, Qt.Key.Key_Control, Qt.Key.Key_Alt, Qt.Key.Key_AltGr, Qt.Key.Key_Meta)


def is_typed(event: QKeyEvent) -> bool:
    """Whether a pressed key belongs to writing: a character, or a key such as Enter, Tab, Esc or an arrow; no function
    key, and nothing with Ctrl, Alt or Meta."""
    held = event.modifiers() & ~(Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.KeypadModifier)
    return not held and (event.key() < Qt.Key.Key_F1 or (event.text() != "" and event.text().isprintable()))


def action(event: QKeyEvent) -> str:
    """The name of the action for the pressed keys, such as "undo"; "" if they have none. On Windows AltGr is Ctrl+Alt:
    if it types a character, it is no shortcut."""
    modifiers = event.modifiers()
    if not modifiers & Qt.KeyboardModifier.ControlModifier:
        return ""
    if modifiers & Qt.KeyboardModifier.AltModifier and event.text().isprintable() and event.text() not in ("", *"0123"):
        return ""
    return _ACTIONS.get(QKeySequence(event.keyCombination()).toString(), "")


def indented(style: Style, step: int) -> Style:
    """The style of a paragraph `step` levels deeper, or higher if negative. A list item that moves out of the outermost
    level becomes body text, body text that moves inwards a bullet; the deepest level, a heading and a quote stay."""
    if not style.list:
        return style if step < 0 or style != BODY else Style(list="ul", indent=1)
    level = style.indent + step
    return Style(list=style.list, indent=min(level, MAX_INDENT)) if level > 0 else BODY


def split(style: Style, *, head: bool, tail: bool) -> tuple[Style, Style]:
    """The styles of the two paragraphs that Enter makes out of one with this style. `head` and `tail`: whether there is
    text before and after the caret. A heading that is split within its text becomes two headings; an empty paragraph
    after or before a heading is body text."""
    if not style.heading:
        return style, style
    return (style if head or not tail else BODY), (style if tail else BODY)


def outwards(style: Style) -> Style:
    """A style one level outwards: a list item's, and body text for every other."""
    return indented(style, -1) if style.list else BODY
