# SPDX-License-Identifier: EUPL-1.2
"""Keeps in place in an editor what an edit that was not typed here must not change: the caret, the selection, the line
at the top of the view, and an input method's draft. Qt alone moves the anchor away from the caret, and scrolls."""

from PySide6.QtCore import QPoint
from PySide6.QtGui import QTextCursor, QTextLayout
from PySide6.QtWidgets import QTextEdit

from app.richtext.edits import followed, pushed
from app.richtext.flow import Edit


class Staying:
    """Keeps the caret, the selection, the top line in sight and an input method's draft of an editor in place while the
    text is changed by an edit that was not typed here. Make it before the edit, inside its edit block; call `follow`
    for each edit, then `put_draft` and `put_caret`."""

    def __init__(self, edit: QTextEdit) -> None:
        self._edit = edit
        cursor = edit.textCursor()
        self._anchor, self._caret = cursor.anchor(), cursor.position()
        self._scroll = edit.verticalScrollBar().value()
        self._top, self._below = 0, 0
        if self._scroll:
            self._top, self._below = _top_line(edit)
        self._draft = ""
        self._looks: list[QTextLayout.FormatRange] = []
        self._take_draft(cursor)

    def follow(self, edit: Edit) -> None:
        """Moves the kept positions of caret, selection and top line with an edit of the text around them."""
        self._anchor, self._caret = followed(self._anchor, self._caret, edit)
        self._top = pushed(self._top, edit)

    def put_draft(self) -> None:
        """Shows the input method's draft at the caret again. Call it inside the edit block."""
        last = self._edit.document().characterCount() - 1
        self._anchor, self._caret, self._top = (min(pos, last) for pos in (self._anchor, self._caret, self._top))
        if not self._draft:
            return
        block = self._edit.document().findBlock(self._caret)
        at = self._caret - block.position()
        for look in self._looks:
            look.start += at
        block.layout().setPreeditArea(at, self._draft)
        block.layout().setFormats(self._looks)

    def put_caret(self) -> None:
        """Sets caret, selection and scroll position. Call it after the edit block, when the lines have their places
        again."""
        cursor = self._edit.textCursor()
        if (cursor.anchor(), cursor.position()) != (self._anchor, self._caret):
            cursor.setPosition(self._anchor)
            cursor.setPosition(self._caret, QTextCursor.MoveMode.KeepAnchor)
            self._edit.setTextCursor(cursor)
        bar = self._edit.verticalScrollBar()
        if not self._scroll:
            bar.setValue(0)  # nothing is above: what arrives before the first line is seen
            return
        top = QTextCursor(self._edit.document())
        top.setPosition(self._top)
        bar.setValue(bar.value() + self._edit.cursorRect(top).top() - self._below)

    def _take_draft(self, cursor: QTextCursor) -> None:
        layout = cursor.block().layout()
        self._draft = layout.preeditAreaText()
        if self._draft:
            at = layout.preeditAreaPosition()
            self._looks = layout.formats()
            for look in self._looks:
                look.start -= at
            layout.setFormats([])
            layout.setPreeditArea(-1, "")


def top_line(edit: QTextEdit) -> tuple[int, int]:
    """(the position in the text of the line at the top of the view, by how many pixels that line begins above the
    view's edge); (0, 0) if the text is not scrolled. For `scroll_to_line`."""
    if not edit.verticalScrollBar().value():
        return 0, 0
    top, below = _top_line(edit)
    return top, -below


def scroll_to_line(edit: QTextEdit, line: int, px: int) -> None:
    """Scrolls to a place that `top_line` returned: the line at the position `line` begins `px` pixels above the view's
    edge. (0, 0) is the very top."""
    top = QTextCursor(edit.document())
    top.setPosition(max(0, min(line, edit.document().characterCount() - 1)))
    bar = edit.verticalScrollBar()
    if line or px:
        bar.setValue(bar.value() + edit.cursorRect(top).top() + px)
    else:
        bar.setValue(0)


def _top_line(edit: QTextEdit) -> tuple[int, int]:
    """(a position in the line at the top of the view, how many pixels below the view's edge that line begins: negative
    if it begins above). Asks Qt twice if needed: while a long text is being laid out, its first answer is the text's
    end."""
    for _ in range(2):
        cursor = edit.cursorForPosition(QPoint(0, 0))
        below = edit.cursorRect(cursor).top()
        if abs(below) < edit.viewport().height():
            break
    return cursor.position(), below
