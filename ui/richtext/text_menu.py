# SPDX-License-Identifier: EUPL-1.2
"""The text's context menu. Qt's own would offer Qt's undo, but the document undoes by itself."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtGui import QContextMenuEvent
from PySide6.QtWidgets import QTextEdit

from ui.kit.menu import Entry, popup
from ui.kit.translate import tr
from ui.richtext.keys import SHORTCUTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """What the context menu of a text offers if the text can be changed: the functions to call, and whether undo and
    redo are possible."""

    can_undo: bool
    can_redo: bool
    undo: Callable[[], object]
    redo: Callable[[], object]
    paste_plain: Callable[[], object]
    delete: Callable[[], object]


def open_menu(text: QTextEdit, writing: Writing | None, event: QContextMenuEvent) -> None:
    """Opens the context menu of a text, at the pointer, or by key under the caret. `writing` None: the text can only be
    read."""
    by_key = event.reason() == QContextMenuEvent.Reason.Keyboard
    if by_key:
        text.ensureCursorVisible()
    at = text.viewport().mapToGlobal(text.cursorRect().bottomLeft()) if by_key else event.globalPos()
    popup(text, tr("Text menu"), _entries(text, writing), at)


def _entries(text: QTextEdit, writing: Writing | None) -> Sequence[Entry | None]:
    selected = text.textCursor().hasSelection()
    copy = Entry(text=tr("Copy"), shortcut="Ctrl+C", run=text.copy, enabled=selected)
    everything = Entry(text=tr("Select all"), shortcut="Ctrl+A", run=text.selectAll)
    if writing is None:
        return [copy, None, everything]
    can_paste, plain = text.canPaste(), SHORTCUTS["paste-plain"]
    return [
        Entry(text=tr("Undo"), shortcut=SHORTCUTS["undo"], run=writing.undo, enabled=writing.can_undo),
        Entry(text=tr("Redo"), shortcut=SHORTCUTS["redo"], run=writing.redo, enabled=writing.can_redo),
        None,
        Entry(text=tr("Cut"), shortcut="Ctrl+X", run=text.cut, enabled=selected),
        copy,
        Entry(text=tr("Paste"), shortcut="Ctrl+V", run=text.paste, enabled=can_paste),
        Entry(text=tr("Paste without formatting"), shortcut=plain, run=writing.paste_plain, enabled=can_paste),
        Entry(text=tr("Delete selection"), shortcut="Del", run=writing.delete, enabled=selected),
        None,
        everything,
    ]
