# SPDX-License-Identifier: EUPL-1.2
"""The tool in a room: the list of documents, or the one that is open."""

from collections.abc import Sequence

from PySide6.QtWidgets import QStackedWidget, QWidget

from app.core.ids import ObjId, RoomId
from app.documents.service import DocumentService
from ui.documents import staying
from ui.documents.document_view import DocumentView
from ui.documents.list_view import ListView
from ui.kit.dialogs import ask
from ui.kit.selecting import select
from ui.kit.tasks import run
from ui.kit.translate import tr
from ui.tool import Standing, toast
from ui.trash import visit


class DocumentsView(QStackedWidget):
    """Gets the service and its room. `open_ref` makes it an `Opener` for links."""

    def __init__(
        self, service: DocumentService, room: RoomId, obj: ObjId | None = None, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._service = service
        self._room = room
        self.list = ListView(service, room)
        self.list.opened.connect(self.open)
        self.list.created.connect(self.new_document)
        self.list.rename_wanted.connect(lambda obj, title: run(self, self._rename(obj, title)))
        self.list.delete_wanted.connect(self._delete)
        self.list.trash_wanted.connect(lambda: run(self, self._visit_trash()))
        self.addWidget(self.list)
        self.document: DocumentView | None = None
        if obj is not None:
            self.open(obj)

    def open(self, obj: ObjId) -> None:
        """Shows a document, also one that is in the trash; the list if it is not here."""
        if self.document is not None and self.document.obj == obj:
            return
        self.show_list()
        row = self._service.row(obj)
        if row is None or row.room != self._room:
            return
        self.document = DocumentView(self._service, row)
        self.document.closed.connect(self.show_list)
        self.addWidget(self.document)
        self.setCurrentWidget(self.document)
        self.document.editor.setFocus()

    def open_ref(self, obj: ObjId, ref: bytes) -> None:
        """Shows a document; places in it have no refs yet."""
        self.open(obj)

    def mark_words(self, words: Sequence[str]) -> None:
        """Marks the words of a search in the open document."""
        if self.document is not None:
            self.document.mark_words(words)

    def standing(self) -> Standing:
        """Which document is open, its selection, and the line at the top of the window."""
        if self.document is None:
            return Standing()
        editor = self.document.editor
        (anchor, caret), (line, px) = editor.selection(), staying.standing(editor)
        return Standing(opened=self.document.obj, line=line, px=px, anchor=anchor, caret=caret)

    def stand(self, left: Standing) -> None:
        """Opens the document as it was left; the list if none was open, or if it is gone."""
        if left.opened:
            self.open(ObjId(left.opened))
        if left.opened and self.document is not None:
            select(self.document.editor, left.anchor, left.caret)
            staying.stand(self.document.editor, left.line, left.px)

    def keep_draft(self) -> None:
        """Stores a title that is being typed in the open document."""
        if self.document is not None:
            self.document.keep_draft()

    def set_writable(self, writable: bool) -> None:
        """Whether documents can be changed and made, or only read."""
        self.list.refresh()
        if self.document is not None:
            self.document.set_writable(writable)

    def show_list(self) -> None:
        """Closes the open document and shows the list."""
        document, self.document = self.document, None
        if document is not None:
            document.shut()
            self.removeWidget(document)
            document.deleteLater()
        self.setCurrentWidget(self.list)
        self.list.refresh()
        self.list.take_focus()

    def new_document(self) -> None:
        """A new document, opened with its title selected."""
        obj = self._service.create(self._room, tr("New document"))
        self.open(obj)
        if self.document is not None:
            self.document.title.setFocus()
            self.document.title.selectAll()

    def focusInEvent(self, event: object) -> None:
        # no focus proxy: with one, Tab would begin again here
        if self.document is not None:
            self.document.editor.setFocus()
        else:
            self.list.take_focus()

    async def _rename(self, obj: ObjId, title: str) -> None:
        new = await ask(self, tr("Rename the document"), tr("Title"), value=title, accept=tr("Rename"))
        if new:
            self._service.rename(obj, new)

    async def _visit_trash(self) -> None:
        service, room = self._service, self._room
        writable, who = service.may_write(room), service.people.person
        await visit(self, service.trash, room, who, lambda item: self.open(item.obj), writable=writable)

    def _delete(self, obj: ObjId) -> None:
        row = self._service.row(obj)
        if row is not None:
            self._service.delete(obj)
            text = tr("“{title}” has been put in the trash").format(title=row.title or tr("Untitled"))
            toast(self, text, lambda: self._service.restore(obj))
