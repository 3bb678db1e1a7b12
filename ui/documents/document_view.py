# SPDX-License-Identifier: EUPL-1.2
"""One open document: title, toolbar, find bar, page, and the other people who are in it."""

from collections.abc import Callable, Sequence
from contextlib import suppress

from PySide6.QtCore import Signal
from PySide6.QtGui import QHideEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QFrame, QLineEdit, QWidget

from app.core.ids import ObjId, RoomId
from app.documents.service import DocumentRow, DocumentService
from app.errors import StoreFault
from app.objects.crdt import REMOTE
from app.objects.trash import PutAway
from app.richtext.finding import find_words
from app.richtext.model import Change
from ui.documents import exporting
from ui.documents.presence_panel import PresencePanel
from ui.documents.reminders import DocumentReminding
from ui.kit import menu, theme
from ui.kit.announcing import announce
from ui.kit.bind import bind
from ui.kit.buttons import IconButton
from ui.kit.painting import PromptPainting
from ui.kit.scale import px
from ui.kit.style import column, line, set_props
from ui.kit.tasks import run_guarded
from ui.kit.toast import InfoBar
from ui.kit.translate import tr, trn
from ui.kit.unsaved_bar import UnsavedBar
from ui.richtext.editor import Editor
from ui.richtext.find_bar import FindBar
from ui.richtext.left_out_bar import LeftOutBar
from ui.richtext.link_actions import LinkActions
from ui.richtext.spoken import Outline
from ui.richtext.toolbar import Toolbar
from ui.trash import away_sentence

_ROOM_FOR_PANEL_PX = 820
"""In a narrower view the page and its buttons get the whole width; colleagues' carets still show who is in the
document."""


class _Hold:
    """A document that a widget holds open in the service. It outlives the widget, so that the document is released
    exactly once."""

    def __init__(self, service: DocumentService, obj: ObjId) -> None:
        self._service: DocumentService | None = service
        self._obj = obj
        self._is_seen = False

    def enter(self, selection: Callable[[], tuple[int, int]]) -> None:
        """Shows colleagues that this person is in the document, which is on screen now. `selection` returns (anchor,
        caret) in UTF-16 units and is called whenever that is sent. A second call changes nothing, nor a call after
        `release`. StoreFault if the disk refuses to note that the document was opened."""
        if self._service is not None and not self._is_seen:
            self._is_seen = True
            self._service.enter(self._obj, selection)

    def leave_screen(self) -> None:
        """Shows colleagues that this person is no longer in the document. A second call, or a call after `release`,
        changes nothing."""
        if self._service is not None and self._is_seen:
            self._is_seen = False
            self._service.leave(self._obj)

    def release(self) -> None:
        try:
            self.leave_screen()
        finally:
            service, self._service = self._service, None
            if service is not None:
                service.close(self._obj)

    def release_kept(self) -> None:
        """Releases the document after its widget is gone; a second call changes nothing. If the disk refuses the last
        edits, the service keeps them in memory, and nothing is raised or shown here."""
        with suppress(StoreFault):
            self.release()


class DocumentView(QWidget):
    """The view of one open document: title, toolbar, editor, and who else is in it. It holds the document open in the
    service until `shut`, at the latest until the widget is destroyed."""

    closed = Signal()
    move_wanted = Signal(object)
    """The document's id."""

    def __init__(
        self,
        service: DocumentService,
        row: DocumentRow,
        parent: QWidget | None = None,
        *,
        reminding: DocumentReminding | None = None,
    ) -> None:
        """`reminding`: offers reminders of documents; None: none are offered."""
        super().__init__(parent)
        self._service = service
        self._reminding = reminding
        self.obj: ObjId = row.obj
        self._room = row.room
        self._document = service.open(row.obj)
        self._away = service.trash.of(row.obj)
        self._hold = _Hold(service, row.obj)
        self.editor = Editor(self._document, read_only=not service.may_write(row.room))
        self.outline = Outline(self.editor, self._document)
        self.toolbar = Toolbar(self.editor, self._document)
        self.find_bar = FindBar(self.editor, self._document)
        self.unsaved_bar = UnsavedBar(service, lambda: (row.obj,))
        self.bar = InfoBar()
        self.left_out_bar = LeftOutBar(self.editor)
        self.panel = PresencePanel(self._document, service.people.me)
        self._lay_out()
        self._connect()
        self._show_state()

    def shut(self) -> None:
        """Stores a title that is being typed, and releases the document that the view holds open. Edits that the disk
        refuses stay in memory and raise nothing: a bar in this view has shown that, and one above the list does. A
        second call changes nothing."""
        self.keep_draft()
        with suppress(StoreFault):
            self._hold.release()

    def keep_draft(self) -> None:
        """Stores a title that is being typed; does nothing if there is none. (The text is stored at every key.) An
        error is shown."""
        if self.title.isModified():
            self._rename()

    def set_writable(self, writable: bool) -> None:
        """Sets whether the document can be changed (`writable`), or only read."""
        if writable != self.editor.isReadOnly():
            return
        self.editor.set_writable(writable)
        self.title.setReadOnly(not writable)
        self.toolbar.refresh()
        self.find_bar.refresh()
        self._show_state()

    def mark_words(self, words: Sequence[str]) -> None:
        """Marks each word that begins with one of `words`, those of a search, and selects the place of the first in the
        paragraph that has most of them. No words remove the marks."""
        places, best = find_words(self._document.blocks(), words)
        self.editor.found.show(places)
        if best is not None:
            self.editor.select(best)

    def _lay_out(self) -> None:
        outer = line(self)
        left = column()
        outer.addLayout(left, 1)
        outer.addWidget(self.panel)
        for part in (self._title_row(), self.toolbar, self.find_bar, self.unsaved_bar, self.bar, self.left_out_bar):
            left.addWidget(part)
        self.unsaved_bar.refresh()
        left.addWidget(self.editor, 1)
        self.setFocusProxy(self.editor)
        theme.on_change(self, self._show_panel)

    def _title_row(self) -> QWidget:
        frame = QFrame()
        set_props(frame, frame="header")
        row = line(frame, margins=(12, 4, 12, 2), spacing=6)
        row.addWidget(IconButton("back", tr("Back to the documents"), self.closed.emit))
        self.title = QLineEdit(self._document.title)
        self.title.setAccessibleName(tr("Title"))
        self.title.setPlaceholderText(tr("Untitled"))
        self.title.setMaxLength(200)
        self.title.setReadOnly(self.editor.isReadOnly())
        set_props(self.title, kind="title")
        self.title.editingFinished.connect(self._rename)
        self.title.returnPressed.connect(self.editor.setFocus)
        row.addWidget(self.title, 1)
        if self._reminding is not None:
            self.remind = self._reminding.button(self.obj)
            row.addWidget(self.remind)
        self.more = IconButton("more", tr("More about the document"), self._open_menu)
        row.addWidget(self.more)
        return frame

    def _open_menu(self) -> None:
        entries = exporting.entries(self, self._service.files, self.obj)
        if self._service.rooms_to_move_to(self._room):
            wanted = self.move_wanted
            moved = menu.Entry(text=tr("Move to restricted room …"), icon="move", run=lambda: wanted.emit(self.obj))
            entries += [None, moved]
        menu.popup(self.more, tr("Document"), entries)

    def _connect(self) -> None:
        self.editor.selection_changed.connect(self._on_selection)
        self._painting = PromptPainting(self.editor)
        self._links = LinkActions(self, self.editor)
        bind(self, self._document.title_changed, self._on_title)
        bind(self, self._document.changed, self._on_changed)
        bind(self, self._service.presence_changed, self._on_presence)
        self.unsaved_bar.settled.connect(self.editor.setFocus)
        bind(self, self._service.changed, self._on_list)
        self.destroyed.connect(self._hold.release_kept)

    def _rename(self) -> None:
        if self.title.isReadOnly():
            return
        run_guarded(self, lambda: self._document.set_title(self.title.text()))
        self.title.setText(self._document.title)

    def _on_title(self, title: str) -> None:
        if not self.title.hasFocus() or not self.title.isModified():
            self.title.setText(title)

    def _on_changed(self, change: Change) -> None:
        """Shows where the colleagues are after a change of the text. A colleague's words are painted at once: Qt would
        paint them when all that came with them is stored."""
        self._on_presence(self.obj)
        if change.origin == REMOTE:
            self._painting.paint()

    def _on_presence(self, obj: ObjId) -> None:
        if obj == self.obj:
            carets = self._service.presence(obj)
            self.editor.colleagues.show(carets)
            self.panel.show_carets(carets)

    def _on_list(self, room: RoomId) -> None:
        """Shows that somebody put this document into the trash, which is also announced to a screen reader, or restored
        it. `room` is the room whose list changed; nothing happens if it is not this document's."""
        if room != self._room:
            return
        away = self._service.trash.of(self.obj)
        if away != self._away:
            self._away = away
            self._show_state()
            if away is not None:
                announce(self.bar, self.bar.text())

    def _show_state(self) -> None:
        damaged = self._service.damaged(self.obj)
        if damaged:
            text = trn(
                "{n} change could not be read and is left out. The rest of the document is complete.",
                "{n} changes could not be read and are left out. The rest of the document is complete.",
                damaged,
            ).format(n=damaged)
            self.bar.show_state("warning", "warning", f"{text} (damaged-update)")
        elif (item := self._service.trash.of(self.obj)) is not None:
            step = "" if self.editor.isReadOnly() else tr("Restore")
            text = away_sentence(item.by, item.t, self._service.people.person)
            self.bar.show_state("warning", "delete", text, step, lambda: self._take_back(item))
        elif self.editor.isReadOnly():
            self.bar.show_state("info", "lock", tr("You can read this document but not write in it."))
        else:
            self.bar.hide()

    def _take_back(self, item: PutAway) -> None:
        run_guarded(self, lambda: self._service.trash.take_back(item), again=lambda: self._take_back(item))

    def _on_selection(self) -> None:
        run_guarded(self, lambda: self._service.moved(self.obj))

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        run_guarded(self, lambda: self._hold.enter(self.editor.selection))
        self._on_presence(self.obj)

    def hideEvent(self, event: QHideEvent) -> None:
        """Shows colleagues that this person is no longer in the document: it is hidden for another room or tool, with
        the window, or because Kansli is locked. Stores a title that is being typed, unless the window system hid
        it."""
        super().hideEvent(event)
        run_guarded(self, self._hold.leave_screen)
        if not event.spontaneous():
            self.keep_draft()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._show_panel()

    def _show_panel(self) -> None:
        fits = self.width() >= px(_ROOM_FOR_PANEL_PX)
        layout = self.layout()
        if fits is self.panel.isHidden() and layout is not None:
            self.panel.setVisible(fits)
            layout.activate()  # at once: going to a line of the text needs its width
