# SPDX-License-Identifier: EUPL-1.2
"""The marks that typing gets: bold that was switched on without a selection, and no link beyond its end."""

from PySide6.QtWidgets import QTextEdit

from app.richtext.flow import Marks
from app.richtext.model import Document
from ui.richtext import look


class TypingMarks:
    """The marks of what is typed next in one text."""

    def __init__(self, edit: QTextEdit, document: Document) -> None:
        self._edit = edit
        self._document = document
        self._chosen: Marks | None = None
        """What the person has chosen without a selection; None after the caret has moved."""

    def here(self) -> Marks:
        """The marks that typing would get, or those of a selection's first character."""
        if self._chosen is not None:
            return self._chosen
        cursor = self._edit.textCursor()
        if cursor.hasSelection():
            cursor.setPosition(cursor.selectionStart() + 1)
            return look.marks_of(cursor.charFormat())
        return look.marks_of(self._edit.currentCharFormat())

    def choose(self, marks: Marks) -> None:
        """Gives what is typed next these marks, as an undo step of its own."""
        self._document.split_undo()
        self.keep(marks)

    def keep(self, marks: Marks) -> None:
        """Gives what is typed next these marks, in the same undo step."""
        style = self._document.block(self._document.find_block(self._edit.textCursor().selectionStart())[0]).style
        self._edit.setCurrentCharFormat(look.char_format(marks, style))
        self._chosen = marks

    def on_moved(self) -> None:
        """The caret has moved."""
        self._chosen = None
        self._leave_link()

    def on_merged(self) -> None:
        """A colleague has edited: what is typed next gets the look that it would have had without that edit."""
        if self._chosen is not None:
            self.keep(self._chosen)
        else:
            self._leave_link()

    def _leave_link(self) -> None:
        """Ends a link at its end, so that typing after it does not lengthen it."""
        cursor = self._edit.textCursor()
        here = look.marks_of(cursor.charFormat())
        if here.link and not cursor.hasSelection():
            at_end = cursor.atBlockEnd()
            cursor.setPosition(cursor.position() + (0 if at_end else 1))
            if at_end or look.marks_of(cursor.charFormat()).link != here.link:
                self.choose(here._replace(link=""))
