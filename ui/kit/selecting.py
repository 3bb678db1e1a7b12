# SPDX-License-Identifier: EUPL-1.2
"""Puts a kept selection back into a field."""

from PySide6.QtGui import QTextCursor
from PySide6.QtWidgets import QPlainTextEdit, QTextEdit


def select(field: QTextEdit | QPlainTextEdit, anchor: int, caret: int) -> None:
    """Selects text in a field from `anchor` to `caret`, both positions in UTF-16 units; positions behind the end count
    as the end."""
    cursor, last = field.textCursor(), field.document().characterCount() - 1
    cursor.setPosition(max(0, min(anchor, last)))
    cursor.setPosition(max(0, min(caret, last)), QTextCursor.MoveMode.KeepAnchor)
    field.setTextCursor(cursor)
