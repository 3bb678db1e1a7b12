# SPDX-License-Identifier: EUPL-1.2
"""Shows the plain text of an opened file, read-only: a text file, or the text of a PDF's pages."""

import asyncio

from PySide6.QtCore import Qt
from PySide6.QtGui import QFontDatabase, QKeyEvent, QTextCursor, QTextDocument
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from app.viewing.kinds import TEXT
from app.viewing.limits import TEXT_BYTES, TEXT_PART
from app.viewing.plain_text import short_lines
from app.viewing.shown_file import ShownFile
from ui.kit.faces import leave_focus
from ui.kit.style import set_props
from ui.kit.translate import tr

MOST_CHARS = TEXT_BYTES + TEXT_BYTES // 100
"""So much of a file's text is shown: that of a text file, with breaks in its long lines."""


class TextView(QPlainTextEdit):
    """A view of the text of a file. The text is added part by part, between other work, and never interpreted."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setReadOnly(True)
        self.setUndoRedoEnabled(False)
        self.setTabChangesFocus(True)
        keys = Qt.TextInteractionFlag.TextSelectableByKeyboard | Qt.TextInteractionFlag.TextSelectableByMouse
        self.setTextInteractionFlags(keys)
        self.document().setDocumentMargin(16)
        set_props(self, kind="clear")
        leave_focus(self)
        self.setMinimumSize(1, 1)

    async def fill(self, file: ShownFile) -> None:
        """Replaces what is shown by the text of a file; a PDF's pages each have a line with their number before them.
        ▲ At most MOST_CHARS characters in all. A small PDF may have 10,000 pages of 100,000 characters, and a process
        that was taken over any number. ViewFault if the file's process ends."""
        self.clear()
        if file.kind == TEXT:
            self.document().setDefaultFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        left, cut = MOST_CHARS, file.cut
        for page in range(file.pages):
            whole = "\n".join(short_lines(await file.text(page)))
            text, left, cut = whole[:left], left - max(1, len(whole)), cut or len(whole) > left
            if file.kind != TEXT:
                head = tr("Page {n} of {count}").format(n=page + 1, count=file.pages)
                text = f"— {head} —\n{text or tr('No text on this page.')}\n"
            for at in range(0, max(1, len(text)), TEXT_PART):
                self._append(text[at : at + TEXT_PART], begins=page > 0 and at == 0)
                await asyncio.sleep(0)
            if left <= 0:
                cut = cut or page + 1 < file.pages
                break
        if cut:
            self._append(tr("The rest of the file is not shown."), begins=True)

    def _append(self, text: str, *, begins: bool) -> None:
        cursor = QTextCursor(self.document())
        cursor.movePosition(QTextCursor.MoveOperation.End)
        cursor.insertText(("\n" if begins else "") + text)

    def find_words(self, words: str, *, back: bool, fresh: bool = False) -> bool:
        """Selects the next match of `words` after the selection, or with `back` the one before it; after the last match
        follows the first. `fresh`: a match at the beginning of the selection counts too. Returns False if there is no
        match."""
        cursor = self.textCursor()
        if fresh:
            cursor.setPosition(cursor.selectionStart())
        flags = QTextDocument.FindFlag.FindBackward if back else QTextDocument.FindFlag(0)
        found = self.document().find(words, cursor, flags) if words else QTextCursor()
        if found.isNull() and words:
            ends = QTextCursor.MoveOperation
            cursor.movePosition(ends.End if back else ends.Start)
            found = self.document().find(words, cursor, flags)
        if found.isNull():
            return False
        self.setTextCursor(found)
        self.centerCursor()
        return True

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            event.ignore()
        else:
            super().keyPressEvent(event)
