# SPDX-License-Identifier: EUPL-1.2
"""Asks for a link's address, and its text if nothing is selected."""

from PySide6.QtGui import QTextCursor
from PySide6.QtWidgets import QWidget

from app.objects.addresses import safe_link
from ui.kit.dialogs import Dialog
from ui.kit.translate import tr
from ui.richtext.editor import Editor


class LinkDialog(Dialog):
    """A dialog that asks for the address of a link in the editor, and for its text if nothing is selected. It sets the
    link itself when accepted, on the words that were selected at first, wherever colleagues have moved them; an empty
    address takes the link away."""

    def __init__(self, parent: QWidget, editor: Editor) -> None:
        start, length = editor.link_range()
        here = editor.marks_here().link
        super().__init__(parent, tr("Edit link") if here else tr("Insert link"), accept=tr("OK"))
        self._editor = editor
        self._words = _words_at(editor, start, length)
        self._had_link = bool(here)
        self.address = self.add_field(tr("Address"), here)
        self.address.setPlaceholderText("https://")
        self.text = None if length else self.add_field(tr("Text"))
        self.error = self.add_error()
        self.address.textChanged.connect(lambda _text: self._check())
        self.address.setFocus()
        self._check()

    def accept(self) -> None:
        """Sets the link and closes, or shows why the address cannot be that of a link. If the words of the link have
        been removed meanwhile, only closes."""
        address = self.address.text().strip()
        link = safe_link(address)
        if address and not link:
            self.error.show_text(tr("The address must begin with https://, http:// or mailto:."))
            return
        start, length = self._words.selectionStart(), self._words.selectionEnd() - self._words.selectionStart()
        if self.text is not None or length:  # words that somebody has removed are not linked
            self._editor.select(start, length)
            self._editor.set_link(link, self.text.text().strip() if self.text is not None else "")
        super().accept()

    def _check(self) -> None:
        self.error.hide()
        self.accept_button.setEnabled(bool(self.address.text().strip()) or self._had_link)


def _words_at(editor: Editor, start: int, length: int) -> QTextCursor:
    """A cursor that keeps `length` UTF-16 units from `start` on selected while the text around them changes. What is
    written right before or behind them is not selected."""
    words = QTextCursor(editor.document())
    words.setPosition(start)
    words.setPosition(start + length, QTextCursor.MoveMode.KeepAnchor)
    words.setKeepPositionOnInsert(length > 0)
    return words
