# SPDX-License-Identifier: EUPL-1.2
"""What a key does in the list of messages."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent, QKeySequence

from ui.chat.letters import edit_letter, reply_letter

_STEPS = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown, Qt.Key.Key_Home, Qt.Key.Key_End)
_CONTROL, _ALT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.AltModifier
_COMMANDS = _CONTROL | _ALT | Qt.KeyboardModifier.MetaModifier
_LETTERS = (Qt.KeyboardModifier.NoModifier, _CONTROL | _ALT)
"""The modifiers of _COMMANDS that may be down while a letter is typed: none, or AltGr, which Windows reports as Ctrl
and Alt."""
_ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
_PART_STEPS: dict[int, int] = {Qt.Key.Key_Right: 1, Qt.Key.Key_Left: -1}


def is_plain(event: QKeyEvent) -> bool:
    """Whether the key is pressed without Shift, Ctrl, Alt and Meta."""
    return not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier


def steps_part(event: QKeyEvent) -> int:
    """1 for a step to a message's next part, -1 to the one before, 0 for neither."""
    return _PART_STEPS.get(event.key(), 0) if is_plain(event) else 0


def presses_part(event: QKeyEvent) -> bool:
    """Whether the key does what a click does."""
    return is_plain(event) and event.key() in (*_ENTER, Qt.Key.Key_Space)


def action(event: QKeyEvent, *, by_keys: bool) -> str:
    """The action that a pressed key asks for: "copy", "reply", "edit", "delete" or "react"; "" for none. `by_keys`: the
    current message was chosen by keys. Only then do letters and "+" act on it; Ctrl+C and Delete always do."""
    if event.matches(QKeySequence.StandardKey.Copy):
        return "copy"
    if event.key() == Qt.Key.Key_Delete:
        return "delete" if is_plain(event) else ""
    letters: dict[int, str] = {ord(reply_letter()): "reply", ord(edit_letter()): "edit", Qt.Key.Key_Plus: "react"}
    return letters.get(event.key(), "") if by_keys and is_plain(event) else ""


def opens_menu(event: QKeyEvent) -> bool:
    """Whether the key opens the message's menu."""
    return event.key() in (*_ENTER, Qt.Key.Key_Menu)


def is_typed(event: QKeyEvent) -> bool:
    """Whether the key writes a letter."""
    return bool(event.text().isprintable() and event.text().strip() and event.modifiers() & _COMMANDS in _LETTERS)


def moves(event: QKeyEvent) -> bool:
    """Whether the key chooses another message."""
    return event.key() in _STEPS
