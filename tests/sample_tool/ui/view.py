# SPDX-License-Identifier: EUPL-1.2
"""The tool in a room: its minutes and its agenda, or the minutes that are open."""

from collections.abc import Callable, Mapping, Sequence

from PySide6.QtGui import QFocusEvent
from PySide6.QtWidgets import QStackedWidget, QWidget

from app.core.ids import ObjId, RoomId
from tests.sample_tool.app.service import MinuteRow, MinutesService
from tests.sample_tool.ui.agenda_card import AgendaCard
from tests.sample_tool.ui.minute_view import MinuteView
from tests.sample_tool.ui.rows import MinutesCard, Shown
from ui.kit.bind import Soon, bind
from ui.kit.buttons import TextButton
from ui.kit.card import EmptyState, scroll
from ui.kit.scale import hold
from ui.kit.selecting import select
from ui.kit.style import column, label, line, set_props
from ui.kit.tasks import run_guarded
from ui.kit.translate import full_day, tr
from ui.kit.unsaved_bar import UnsavedBar
from ui.richtext import staying
from ui.tool import ViewParts
from ui.tool_views import ViewPlace

NEW = "new-minutes"


class MinutesView(QStackedWidget):
    """The tab's view. `open_ref` opens minutes, or goes to an item of the agenda."""

    def __init__(
        self, parts: ViewParts[MinutesService], room: RoomId, obj: ObjId | None, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._parts, self._service, self._room = parts, parts.service, room
        self.setAccessibleName(tr("Minutes"))
        self.open_view: MinuteView | None = None
        self._item = b""
        """The item of the agenda that a link led to."""
        self._listed: Sequence[ObjId] = ()
        """Kept: a store that is closed can still refuse an edit, but no longer be asked."""
        self.unsaved_bar = UnsavedBar(parts.service, lambda: self._listed)
        self.card = MinutesCard(lambda row: self.open(row.obj))
        self.agenda = AgendaCard(parts.service, room, parts.people.person)
        self.new_button = TextButton(tr("New minutes"), self.new, kind="primary", icon="add")
        self._none = EmptyState("draft", tr("No minutes yet"), tr("The minutes of this room's meetings are here."))
        self.addWidget(self._overview())
        self.unsaved_bar.settled.connect(self.take_focus)
        self._soon = Soon(self, self.refresh)
        bind(self, parts.service.changed, self._on_changed)
        bind(self, parts.people.changed, self._soon.due)
        self.set_writable(parts.service.may_write(room))
        if obj is not None:
            self.open_ref(obj, b"")

    def _overview(self) -> QWidget:
        page = QWidget()
        set_props(page, frame="window")
        inner = QWidget()
        rows = column(inner, margins=(34, 20, 34, 24), spacing=14)
        top = line()
        top.addWidget(label(tr("Minutes"), "heading"), 1)
        top.addWidget(self.new_button)
        rows.addLayout(top)
        rows.addWidget(self._none)
        rows.addWidget(self.card)
        rows.addWidget(self.agenda)
        rows.addStretch(1)
        hold(inner, most_width=900)
        outer = column(page)
        outer.addWidget(self.unsaved_bar)
        outer.addWidget(scroll(inner, tr("Minutes")), 1)
        return page

    # -- for the window --------------------------------------------------------------------------------------------

    def open_ref(self, obj: ObjId, ref: bytes) -> None:
        """Opens minutes; for an agenda, goes to the item `ref` of it. The overview if it is not here."""
        if any(row.obj == obj for row in self._service.minutes(self._room)):
            self.open(obj)
            return
        self.show_overview()
        self._item = ref
        self.take_focus()

    def mark_words(self, words: Sequence[str]) -> None:
        """Marks the words of a search in the open minutes."""
        if self.open_view is not None:
            self.open_view.mark_words(words)

    def doable(self) -> Mapping[str, Callable[[], object]]:
        """New minutes, where the person may write."""
        return {NEW: self.new} if self._service.may_write(self._room) else {}

    def keep_draft(self) -> None:
        """Stores a title that is being typed."""
        if self.open_view is not None:
            self.open_view.keep_draft()

    def view_place(self) -> ViewPlace:
        """The open minutes, their selection and the line at the top."""
        if self.open_view is None:
            return ViewPlace()
        editor = self.open_view.editor
        (anchor, caret), (at, px) = editor.selection(), staying.top_line(editor)
        return ViewPlace(opened=self.open_view.obj, line=at, px=px, anchor=anchor, caret=caret)

    def restore_place(self, left: ViewPlace) -> None:
        """Opens the minutes as they were left."""
        if left.opened:
            self.open_ref(ObjId(left.opened), b"")
        if left.opened and self.open_view is not None:
            select(self.open_view.editor, left.anchor, left.caret)
            staying.scroll_to_line(self.open_view.editor, left.line, left.px)

    def set_writable(self, writable: bool) -> None:
        """Whether minutes can be made and changed, or only read."""
        self.new_button.setVisible(writable)
        self.agenda.set_writable(writable)
        if self.open_view is not None:
            self.open_view.set_writable(writable)
        self.refresh()

    def focusInEvent(self, event: QFocusEvent) -> None:
        self.take_focus()

    # -- inside ----------------------------------------------------------------------------------------------------

    def take_focus(self) -> None:
        """Puts the focus where the person goes on: in the open text, on the item that a link led to, or on the first
        thing of the overview. The window gives the focus to a view after it has called `open_ref`."""
        if self.open_view is not None:
            self.open_view.editor.setFocus()
        elif not (self._item and self.agenda.focus_item(self._item)):
            first = next(iter(self._service.minutes(self._room)), None)
            row = self.card.row(first.obj) if first is not None else None
            (row or self.new_button).setFocus()

    def new(self) -> None:
        """Makes minutes with today's date, and opens them with the title selected."""
        made: list[ObjId] = []
        title = tr("Minutes of {day}").format(day=full_day(self._parts.now().date()))
        if run_guarded(self, lambda: made.append(self._service.create(self._room, title)), again=self.new):
            self.open(made[0])
            if self.open_view is not None:
                self.open_view.title.setFocus()
                self.open_view.title.selectAll()

    def open(self, obj: ObjId) -> None:
        """Shows minutes of this room."""
        if self.open_view is not None and self.open_view.obj == obj:
            return
        self.show_overview()
        self.open_view = MinuteView(self._service, obj, writable=self._service.may_write(self._room))
        self.open_view.closed.connect(self.show_overview)
        self.addWidget(self.open_view)
        self.setCurrentWidget(self.open_view)
        self.open_view.editor.setFocus()

    def show_overview(self) -> None:
        """Closes the open minutes."""
        self._item = b""
        view, self.open_view = self.open_view, None
        if view is not None:
            view.shut()
            self.removeWidget(view)
            view.deleteLater()
            self.refresh()
            self.take_focus()

    def refresh(self) -> None:
        """Reads the list again."""
        rows = self._service.minutes(self._room)
        self._listed = [row.obj for row in rows]
        self.card.show_rows([self._shown(row) for row in rows])
        self.card.setVisible(bool(rows))
        self._none.setVisible(not rows)
        self.unsaved_bar.refresh()

    def _shown(self, row: MinuteRow) -> Shown:
        return Shown(minutes=row, by=self._parts.people.person(row.by).name, where="")

    def _on_changed(self, room: RoomId) -> None:
        if room == self._room:
            self._soon.due()
