# SPDX-License-Identifier: EUPL-1.2
"""The marks that typing gets: bold that was switched on without a selection, and no link beyond its end."""

from PySide6.QtWidgets import QTextEdit

from app.richtext.flow import Marks
from app.richtext.model import Document
from ui.richtext import look


class TypingMarks:
    """The marks (bold, link …) that the text gets that is typed next in one editor."""

    def __init__(self, edit: QTextEdit, document: Document) -> None:
        self._edit = edit
        self._document = document
        self._chosen: Marks | None = None
        """What the person has chosen without a selection; None after the caret has moved."""

    def here(self) -> Marks:
        """The marks that typed text would get; with a selection, those of its first character."""
        if self._chosen is not None:
            return self._chosen
        cursor = self._edit.textCursor()
        if cursor.hasSelection():
            cursor.setPosition(cursor.selectionStart() + 1)
            return look.marks_of(cursor.charFormat())
        return look.marks_of(self._edit.currentCharFormat())

    def choose(self, marks: Marks) -> None:
        """Gives the text that is typed next these marks. It becomes an undo step of its own."""
        self._document.split_undo()
        self.keep(marks)

    def keep(self, marks: Marks) -> None:
        """Gives the text that is typed next these marks, as part of the present undo step."""
        style = self._document.block(self._document.find_block(self._edit.textCursor().selectionStart())[0]).style
        self._edit.setCurrentCharFormat(look.char_format(marks, style))
        self._chosen = marks

    def on_moved(self) -> None:
        """Forgets the chosen marks, since the caret has moved. At the end of a link, what is typed next is no part of
        it."""
        self._chosen = None
        self._leave_link()

    def on_merged(self) -> None:
        """Restores the marks for typing after a colleague's edit: they are those that it would have had without the
        edit."""
        if self._chosen is not None:
            self.keep(self._chosen)
        else:
            self._leave_link()

    def _leave_link(self) -> None:
        """If the caret is at the end of a link, makes typed text no part of the link."""
        cursor = self._edit.textCursor()
        here = look.marks_of(cursor.charFormat())
        if here.link and not cursor.hasSelection():
            at_end = cursor.atBlockEnd()
            cursor.setPosition(cursor.position() + (0 if at_end else 1))
            if at_end or look.marks_of(cursor.charFormat()).link != here.link:
                self.choose(here._replace(link=""))
