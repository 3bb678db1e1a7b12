# SPDX-License-Identifier: EUPL-1.2
"""A room's documents: one row each, the latest changed first, and the button for a new one."""

from dataclasses import dataclass

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtWidgets import QLayout, QWidget

from app.core.ids import ObjId, RoomId
from app.documents import KIND
from app.documents.projection import EXCERPT_CHARS
from app.documents.service import DocumentService
from app.objects.links import ObjectLink
from ui.documents import exporting
from ui.documents.import_panel import ImportPanel
from ui.documents.reminders import DocumentReminding
from ui.documents.row_delegate import RowDelegate
from ui.kit import menu
from ui.kit.bind import Soon, bind
from ui.kit.buttons import TextButton
from ui.kit.card import EmptyState
from ui.kit.clipboard import copy_text
from ui.kit.dropping import FileDrops
from ui.kit.flow_layout import FlowLayout
from ui.kit.list_model import ListModel
from ui.kit.opening_list import OpeningList
from ui.kit.pages import Pages
from ui.kit.style import column, label, set_props
from ui.kit.translate import day_or_time, tr
from ui.kit.unsaved_bar import UnsavedBar
from ui.tool_views import toast
from ui.trash import trash_words


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One document as a list shows it, all in texts: its title, its beginning (`excerpt`), and when and by whom it was
    changed (`when`). `reminder`: when the person is reminded of it, "" if they are not."""

    obj: ObjId
    title: str
    excerpt: str
    when: str
    reminder: str = ""


class Documents(OpeningList):
    """The list of a room's documents: `wanted` and `menu_wanted` are emitted with a document's id."""

    def __init__(self, parent: QWidget | None = None) -> None:
        rows: ListModel[Row] = ListModel(
            lambda row: row.obj,
            {
                Qt.ItemDataRole.DisplayRole.value: lambda row: row.title,
                Qt.ItemDataRole.AccessibleTextRole.value: lambda row: ", ".join(
                    part for part in (row.title, row.when, row.reminder) if part
                ),
            },
        )
        super().__init__(tr("Documents"), rows, lambda row: row.obj, parent)
        self.rows = rows
        self.setItemDelegate(RowDelegate(self))


class ListView(QWidget):
    """The page with a room's documents; if there are none, a sentence that says so and a button for the first one, or,
    if all are in the trash, for the trash."""

    opened = Signal(object)
    created = Signal()
    rename_wanted = Signal(object, str)
    move_wanted = Signal(object)
    delete_wanted = Signal(object)
    trash_wanted = Signal()
    import_wanted = Signal()
    files_dropped = Signal(list)
    """Paths of files that somebody dropped here."""

    def __init__(
        self,
        service: DocumentService,
        room: RoomId,
        parent: QWidget | None = None,
        *,
        reminding: DocumentReminding | None = None,
    ) -> None:
        """`reminding`: offers reminders of documents; None: none are offered."""
        super().__init__(parent)
        self._reminding = reminding
        self._service = service
        self._room = room
        set_props(self, frame="window")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        layout = column(self, margins=(28, 20, 28, 0), spacing=12)
        layout.addLayout(self._head())
        self.importing = ImportPanel()
        layout.addWidget(self.importing)
        self.unsaved_bar = UnsavedBar(service, self._unsaved)
        self.unsaved_bar.settled.connect(self.take_focus)
        layout.addWidget(self.unsaved_bar)
        FileDrops(self, tr("Drop the files to import them"), lambda: service.may_write(room), self.files_dropped.emit)
        self.documents = Documents()
        self.documents.wanted.connect(self.opened)
        self.documents.menu_wanted.connect(self._on_menu)
        self.empty, self.all_away = self._no_document(), self._none_left()
        self._stack = Pages()
        self._stack.addWidget(self.documents)
        self._stack.addWidget(self.empty)
        self._stack.addWidget(self.all_away)
        layout.addWidget(self._stack, 1)
        bind(self, service.changed, self._on_changed)
        if reminding is not None:
            bind(self, reminding.reminders.changed, Soon(self, self._refresh_shown).due)
        self.refresh()

    def _head(self) -> QLayout:
        head = FlowLayout(gap=10)
        self._heading = label(tr("Documents"), "heading")
        head.addWidget(self._heading)
        head.addStretch()
        self.new = TextButton(tr("New document"), self.created.emit, kind="primary", icon="new-document")
        kept = self.new.sizePolicy()
        kept.setRetainSizeWhenHidden(True)  # the heading stays in its place
        self.new.setSizePolicy(kept)
        self.trash = TextButton("", self.trash_wanted.emit, kind="quiet", icon="delete")
        head.addWidget(self.trash)
        self.import_button = TextButton(tr("Import …"), self.import_wanted.emit, kind="quiet", icon="upload")
        head.addWidget(self.import_button)
        head.addWidget(self.new)
        return head

    def _no_document(self) -> EmptyState:
        return EmptyState(
            "document",
            tr("No documents yet"),
            tr("Drafts, decisions and notes that several people write in at the same time."),
            tr("Write the first document"),
            self.created.emit,
        )

    def _none_left(self) -> EmptyState:
        return EmptyState(
            "delete",
            tr("All documents are in the trash"),
            tr("Nothing disappears from there by itself."),
            tr("Look in the trash"),
            self.trash_wanted.emit,
        )

    def _unsaved(self) -> list[ObjId]:
        """The room's documents of which edits are only in memory."""
        return [obj for obj in self._service.unsaved_ids() if self._service.room_of(obj) == self._room]

    def refresh(self) -> None:
        """Reads the room's documents again and shows them, with what belongs to them: the number in the trash, the
        buttons for what the person may do, and the sentence if there are none."""
        self.unsaved_bar.refresh()
        rows = []
        for row in self._service.list(self._room):
            name = self._service.people.person(row.by).name
            when = tr("{when} · {name}").format(when=day_or_time(row.updated), name=name)
            more = "…" if len(row.excerpt) == EXCERPT_CHARS else ""
            title = row.title or tr("Untitled")
            reminder = self._reminding.text(row.obj) if self._reminding is not None else ""
            rows.append(Row(obj=row.obj, title=title, excerpt=row.excerpt + more, when=when, reminder=reminder))
        self.documents.rows.set_rows(rows)
        if rows and not self.documents.currentIndex().isValid():
            self.documents.setCurrentIndex(self.documents.rows.index(0))
        away = len(self._service.trash.put_away(self._room))
        self._stack.setCurrentWidget(self.documents if rows else self.all_away if away else self.empty)
        self.trash.setText(trash_words(away))
        self.trash.setVisible(away > 0)
        writable = self._service.may_write(self._room)
        self.new.setVisible(bool(rows or away) and writable)
        self.import_button.setVisible(writable)
        if self.empty.step is not None:
            self.empty.step.setVisible(writable)

    def current(self) -> ObjId | None:
        """The document of the list's current row; None if there is none, as when the room has no documents."""
        row = self.documents.rows.row(self.documents.currentIndex())
        return row.obj if row is not None and self._stack.currentWidget() is self.documents else None

    def take_focus(self) -> None:
        """Gives the focus to the list; if there are no documents, to the button that is shown instead: for writing the
        first one, or if all are in the trash, for looking there."""
        if self._stack.currentWidget() is self.documents:
            self.documents.setFocus()
        elif isinstance(shown := self._stack.currentWidget(), EmptyState) and shown.step is not None:
            shown.step.setFocus()

    def _on_changed(self, room: RoomId) -> None:
        if room == self._room:
            self._refresh_shown()

    def _refresh_shown(self) -> None:
        if self.isVisible():
            self.refresh()

    def showEvent(self, event: object) -> None:
        super().showEvent(event)  # type: ignore[arg-type] # Qt's own event, passed on
        self.refresh()

    def _on_menu(self, obj: ObjId, at: QPoint) -> None:
        row = next((row for row in self.documents.rows.rows if row.obj == obj), None)
        if row is None:
            return
        entries: list[menu.Entry | None] = [
            menu.Entry(text=tr("Open"), icon="open", run=lambda: self.opened.emit(obj)),
            menu.Entry(text=tr("Copy link"), icon="link", run=lambda: self._copy_link(row)),
        ]
        if self._reminding is not None:
            entries.append(self._reminding.entry(obj, at))
        entries += [None, *exporting.entries(self, self._service.files, obj)]
        if self._service.may_write(self._room):
            entries += [
                None,
                menu.Entry(text=tr("Rename"), icon="rename", run=lambda: self.rename_wanted.emit(obj, row.title)),
                *self._moving(obj),
                None,
                menu.Entry(text=tr("Put away"), icon="archive", run=lambda: self.delete_wanted.emit(obj), danger=True),
            ]
        menu.popup(self.documents, tr("Document"), entries, at)

    def _moving(self, obj: ObjId) -> list[menu.Entry]:
        if not self._service.rooms_to_move_to(self._room):
            return []
        return [menu.Entry(text=tr("Move to restricted room …"), icon="move", run=lambda: self.move_wanted.emit(obj))]

    def _copy_link(self, row: Row) -> None:
        """Puts a link to the document of `row` on the clipboard, to be pasted into a message, and shows that it did."""
        link = ObjectLink(room=self._room, obj=row.obj, kind=KIND.id)
        copy_text(link.to_markup(row.title))
        toast(self, tr("The link is copied"))
