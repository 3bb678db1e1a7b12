# SPDX-License-Identifier: EUPL-1.2
"""The tool in a room: the list of documents, or the one that is open."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

import shiboken6
from PySide6.QtWidgets import QStackedWidget, QWidget

from app.core.ids import ObjId, RoomId
from app.documents.files import Imported
from app.documents.service import DocumentRow, DocumentService
from app.errors import StoreFault, WorldError
from ui.documents import exporting, moving
from ui.documents.coming_page import ComingPage
from ui.documents.document_view import DocumentView
from ui.documents.import_panel import file_filter
from ui.documents.imported import losses, refusal
from ui.documents.list_view import ListView
from ui.documents.reminders import DocumentReminding
from ui.kit.card import EmptyState
from ui.kit.dialogs import ask, open_files
from ui.kit.selecting import select
from ui.kit.tasks import report, run, run_guarded
from ui.kit.translate import tr, trn
from ui.reminding import COMMAND, Reminders
from ui.richtext import staying
from ui.tool_views import ViewPlace, toast
from ui.trash import visit


class DocumentsView(QStackedWidget):
    """The view of a room's documents: the list of them, the one that is open, or a page that says that the one to be
    opened is being fetched or read. `obj` is the document to open at first, None for the list."""

    def __init__(
        self,
        service: DocumentService,
        room: RoomId,
        obj: ObjId | None = None,
        parent: QWidget | None = None,
        *,
        reminders: Reminders | None = None,
    ) -> None:
        """`reminders`: the person's own; None: none are offered."""
        super().__init__(parent)
        self._service = service
        self._room = room
        self._reminding = DocumentReminding(self, room, reminders) if reminders is not None else None
        self.list = ListView(service, room, reminding=self._reminding)
        self.list.opened.connect(self.open)
        self.list.created.connect(self.new_document)
        self.list.rename_wanted.connect(lambda obj, title: run(self, self._rename(obj, title)))
        self.list.delete_wanted.connect(self._delete)
        self.list.import_wanted.connect(lambda: run(self, self._choose_files()))
        self.list.files_dropped.connect(self.import_files)
        self.list.move_wanted.connect(self._move)
        self.list.trash_wanted.connect(lambda: run(self, self._visit_trash()))
        self.addWidget(self.list)
        self.coming = ComingPage(service, room, self.show_list)
        self.coming.arrived.connect(self._on_arrived)
        self.addWidget(self.coming)
        self.opening = EmptyState(
            "syncing",
            tr("The document is being opened"),
            tr("It is long. It appears here in a moment."),
            tr("Back to the documents"),
            self.show_list,
        )
        self.addWidget(self.opening)
        self._opened: tuple[ObjId, asyncio.Task[None]] | None = None
        """The long document that is being opened, and what does it."""
        self._asked: list[Callable[[], object]] = []
        """What is to be done once it is open."""
        self._left: ViewPlace | None = None
        """The place in it that is to be restored then."""
        self.document: DocumentView | None = None
        self._importing: asyncio.Task[None] | None = None
        if obj is not None:
            self.open(obj)

    def open(self, obj: ObjId) -> None:
        """Shows the document `obj`, also one that is in the trash, in place of the one that is open. Does nothing if it
        is open already. Shows the list if this room has no such document. If the room lists the document, but its text
        is not here yet, shows a page that says so. The document then opens when its text is here, unless the person has
        gone back to the list or opened another document."""
        if self.document is not None and self.document.obj == obj:
            return
        if self._opened is not None and self._opened[0] == obj:
            return
        self.show_list()
        row = self._service.row(obj)
        if row is not None and row.room == self._room:
            self._open(row)
        elif row is None and self.coming.wait_for(obj):
            self.setCurrentWidget(self.coming)
            self.coming.take_focus()

    def _on_arrived(self, row: DocumentRow) -> None:
        self._open(row, focused=self.coming.is_focused)  # the person may be writing elsewhere in the window

    def _open(self, row: DocumentRow, *, focused: bool = True) -> None:
        """Shows a document; a long one after it was read in parts, between which the window answers."""
        if not self._service.is_long(row.obj):
            self._show(row, focused=focused)
            return
        self.setCurrentWidget(self.opening)
        if focused and self.opening.step is not None:
            self.opening.step.setFocus()
        self._opened = row.obj, run(self, self._open_long(row), on_error=self._on_unreadable)

    async def _open_long(self, row: DocumentRow) -> None:
        document = await self._service.in_parts(row.obj)
        step, self._opened, self._left = self.opening.step, None, None
        self._show(row, focused=step is not None and self.window().focusWidget() is step)
        asked, self._asked = self._asked, []
        for act in asked:
            act()
        del document  # the view holds it open by now

    def _on_unreadable(self, error: Exception) -> None:
        self.show_list()
        report(self, error)

    def _show(self, row: DocumentRow, *, focused: bool = True) -> None:
        self.document = DocumentView(self._service, row, reminding=self._reminding)
        self.document.closed.connect(self.show_list)
        self.document.move_wanted.connect(self._move)
        self.addWidget(self.document)
        self.setCurrentWidget(self.document)
        if focused:
            self.document.editor.setFocus()

    @property
    def _is_waiting(self) -> bool:
        """Whether the page is shown which says that a document is being fetched."""
        return self.currentWidget() in (self.coming, self.opening)

    def open_ref(self, obj: ObjId, ref: bytes) -> None:
        """Shows a document; places in it have no refs yet."""
        self.open(obj)

    def mark_words(self, words: Sequence[str]) -> None:
        """Marks the words of a search in the open document, if one is open, and goes to the paragraph that has most of
        them. No words remove the marks."""
        self._when_open(lambda document: document.mark_words(words))

    def _when_open(self, act: Callable[[DocumentView], object]) -> None:
        """Calls `act` with the open document, now or once the one that is being opened is there; not if there is
        none."""
        if self._opened is not None:
            self._asked.append(partial(self._when_open, act))
        elif self.document is not None:
            act(self.document)

    def view_place(self) -> ViewPlace:
        """What is shown, to be restored later: which document is open or being fetched, its selection, and the line at
        the top of the view; an empty place if the list is shown."""
        if self.document is None and self._opened is not None:
            return self._left or ViewPlace(opened=self._opened[0])
        if self.document is None:
            return ViewPlace(opened=self.coming.obj if self._is_waiting else b"")
        editor = self.document.editor
        (anchor, caret), (line, px) = editor.selection(), staying.top_line(editor)
        return ViewPlace(opened=self.document.obj, line=line, px=px, anchor=anchor, caret=caret)

    def restore_place(self, left: ViewPlace) -> None:
        """Shows `left`, what `view_place` returned: the document with its selection and scroll position, or the list if
        that document is gone. Changes nothing if `left` is the place of the list."""
        if left.opened:
            self.open(ObjId(left.opened))
        if left.opened and self._opened is not None:
            self._left = left
            self._asked.append(partial(self.restore_place, left))
        elif left.opened and self.document is not None:
            select(self.document.editor, left.anchor, left.caret)
            staying.scroll_to_line(self.document.editor, left.line, left.px)

    def keep_draft(self) -> None:
        """Stores a title that is being typed in the open document; does nothing if there is none. (The text is stored
        at every key.) An error is shown."""
        if self.document is not None:
            self.document.keep_draft()

    def set_writable(self, writable: bool) -> None:
        """Sets whether the open document can be changed (`writable`), or only read. The list asks the service whether
        documents can be made."""
        self.list.refresh()
        if self.document is not None:
            self.document.set_writable(writable)

    def show_list(self) -> None:
        """Closes the open document, if one is open, and shows the list, read again and with the focus."""
        document, self.document = self.document, None
        if self._opened is not None:
            self._opened[1].cancel()
            self._opened, self._asked, self._left = None, [], None
        if document is not None:
            document.shut()
            self.removeWidget(document)
            document.deleteLater()
        self.setCurrentWidget(self.list)
        self.list.refresh()
        self.list.take_focus()

    def new_document(self) -> None:
        """Makes a document and opens it with its title selected. It is stored, and colleagues see it, only when
        something is written in it: if it is closed before that, no document is left."""
        self.show_list()
        row = self._service.begin(self._room, tr("New document"))
        try:
            self._show(row)
        finally:
            with suppress(StoreFault):  # the view holds it
                self._service.close(row.obj)
        if self.document is not None:
            self.document.title.setFocus()
            self.document.title.selectAll()

    def doable(self) -> Mapping[str, Callable[[], object]]:
        """The functions, without arguments, for the window's commands that are possible now, by the commands' names:
        "print", "export-docx", "export-pdf", "export-markdown", "remind" and "move-restricted" for the open document or
        the current row of the list; "import" if the person may write. Empty if none is possible."""
        found: dict[str, Callable[[], object]] = {}
        shown = self.list.current() if not self._is_waiting else None
        if self.document is not None:
            shown = self.document.obj
        if shown is not None:
            found |= exporting.actions(self.document or self.list, self._service.files, shown)
            if self._reminding is not None:
                found[COMMAND] = partial(self._reminding.open, shown)
        if shown is not None and self._service.rooms_to_move_to(self._room):
            found["move-restricted"] = lambda: self._move(shown)
        if self._service.may_write(self._room):
            found["import"] = lambda: run(self, self._choose_files())
        return found

    def import_files(self, paths: Sequence[Path]) -> None:
        """Makes a document of each file in `paths`, one after another, in the background. Afterwards shows the files
        that could not be imported, and why, and what a document could not hold of the others. A single imported file is
        opened. Does nothing if files are being imported already."""
        if self._importing is None or self._importing.done():
            self._importing = run(self, self._import(paths))

    async def _choose_files(self) -> None:
        paths = await open_files(self, tr("Import documents"), file_filter())
        if paths:
            self.import_files(paths)

    async def _import(self, paths: Sequence[Path]) -> None:
        self.show_list()
        panel, files = self.list.importing, self._service.files
        done: list[Imported] = []
        sentences: list[str] = []
        codes: list[str] = []
        panel.show_text("")
        try:
            for at, path in enumerate(paths):
                panel.wait_for(path.name, at, len(paths), self._cancel_import)
                try:
                    imported = await files.import_file(self._room, path)
                except WorldError as error:
                    text, code = refusal(path.name, error)
                    sentences.append(text)
                    codes.append(code)
                    continue
                done.append(imported)
                if lost := losses(imported.taken):
                    sentences.append(tr("“{name}”: {sentence}").format(name=imported.title, sentence=lost))
        finally:
            if shiboken6.isValid(panel):
                panel.stop_waiting()
        if len(paths) == 1 and done:
            self.open(done[0].obj)
            lost = losses(done[0].taken)
            self._when_open(lambda document: document.left_out_bar.show_left_out(lost))
            toast(self, tr("“{title}” is imported").format(title=done[0].title))
            return
        panel.show_text("\n".join(sentences), codes)
        if done:
            toast(self, trn("{n} document is imported", "{n} documents are imported", len(done)).format(n=len(done)))

    def _cancel_import(self) -> None:
        if self._importing is not None:
            self._importing.cancel()

    def focusInEvent(self, event: object) -> None:
        # no focus proxy: with one, Tab would begin again here
        if self.document is not None:
            self.document.editor.setFocus()
        elif self._is_waiting:
            self.coming.take_focus()
        else:
            self.list.take_focus()

    async def _rename(self, obj: ObjId, title: str) -> None:
        new = await ask(self, tr("Rename the document"), tr("Title"), value=title, accept=tr("Rename"))
        if new:
            with suppress(StoreFault):  # the list's bar shows it, and has Try again
                self._service.rename(obj, new)

    async def _visit_trash(self) -> None:
        service, room = self._service, self._room
        writable, who = service.may_write(room), service.people.person
        await visit(self, service.trash, room, who, lambda item: self.open(item.obj), writable=writable)

    def _move(self, obj: ObjId) -> None:
        run(self, self._moved(obj))

    async def _moved(self, obj: ObjId) -> None:
        if await moving.move(self, self._service, obj, self._room) and self.document is not None:
            self.show_list()

    def _delete(self, obj: ObjId) -> None:
        gone: list[DocumentRow] = []

        def put_away() -> None:
            row = self._service.row(obj)
            if row is not None:
                self._service.delete(obj)
                gone.append(row)

        if run_guarded(self, put_away, again=lambda: self._delete(obj)) and gone:
            text = tr("“{title}” has been put in the trash").format(title=gone[0].title or tr("Untitled"))
            toast(self, text, lambda: self._restore(obj))

    def _restore(self, obj: ObjId) -> None:
        run_guarded(self, lambda: self._service.restore(obj), again=lambda: self._restore(obj))
