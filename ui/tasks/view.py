# SPDX-License-Identifier: EUPL-1.2
"""A board, of a room or the person's own: the line with views, filter and New task, the board or table, and the card
that is open."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QKeyEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QButtonGroup, QFrame, QLayout, QScrollBar, QStackedWidget, QWidget

from app.core.ids import ObjId, RoomId
from app.objects.links import ObjectLink
from app.objects.trash import PutAway
from app.tasks import KIND
from app.tasks.model import Board
from app.tasks.service import TaskService
from ui.kit.announcing import announce
from ui.kit.beside import PageWithPanel
from ui.kit.bind import bind
from ui.kit.buttons import IconButton, SegmentButton, Segments, TextButton
from ui.kit.dialogs import show
from ui.kit.flow_layout import FlowLayout
from ui.kit.icons import set_icon
from ui.kit.keys import REDO_KEYS
from ui.kit.menu import Entry, popup
from ui.kit.style import column, set_props
from ui.kit.tasks import run, run_guarded
from ui.kit.toast import InfoBar
from ui.kit.translate import local_now, tr
from ui.kit.unsaved_bar import UnsavedBar
from ui.reminding import COMMAND, Reminders
from ui.tasks.archive import ArchiveDialog
from ui.tasks.card_menu import CardMenu
from ui.tasks.column_menu import ColumnMenu
from ui.tasks.editor import WIDTH, CardEditor
from ui.tasks.filter import Filter
from ui.tasks.filter_line import FilterLine
from ui.tasks.kanban import KanbanView
from ui.tasks.nothing import Nothing
from ui.tasks.reminders import CardReminding
from ui.tasks.table import CardTable
from ui.tool_views import ViewPlace, toast
from ui.trash import trash_words, visit

ARCHIVE_KEYS = "Ctrl+Shift+A"
_LEAST_PAGE_PX = 240
"""The least width of the board beside an open card."""
_ARROWS = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Left, Qt.Key.Key_Right)


class TasksView(QWidget):
    """The view of a room's tasks: the board as columns or as a table, a filter, and the card that is open. `obj` is the
    board; None for the room's own. On the person's own board nothing is about other people."""

    def __init__(
        self,
        service: TaskService,
        room: RoomId,
        obj: ObjId | None = None,
        parent: QWidget | None = None,
        *,
        reminders: Reminders | None = None,
        in_parts: bool = False,
    ) -> None:
        """`reminders`: the person's own; None: none are offered. `in_parts`: shows no card before `kanban.filling` is
        run."""
        super().__init__(parent)
        set_props(self, frame="window")
        is_own = service.own.is_own(room)
        self.setAccessibleName(tr("My own board") if is_own else tr("Tasks"))
        self._service = service
        self._room, self._obj = room, obj
        self.board: Board = service.board(room, obj)
        self._shown = obj or service.board_id(room)
        """The board's id; kept, since a store that is closed can still refuse an edit, but no longer be asked."""
        self._filter = Filter()
        people = partial(service.members, room)
        self.kanban = KanbanView(self.board, people, in_parts=in_parts)
        self.table = CardTable(self.board, people)
        self.editor = CardEditor(self.board, people, service.people.person)
        self.bar = InfoBar()
        self.unsaved_bar = UnsavedBar(service, lambda: [self._shown] if self._shown is not None else [])
        self.unsaved_bar.settled.connect(self.setFocus)
        self.filter_line = FilterLine(self.board, people, service.me)
        self.filter_line.chosen.connect(self._set_filter)
        self._hidden: frozenset[str] = frozenset()
        """Cards that the filter does not show."""
        self._views = QStackedWidget()
        self._views.addWidget(self.kanban)
        self._views.addWidget(_framed(self.table))
        self._column_menu = ColumnMenu(self, self.board)
        self._reminding = CardReminding(self, reminders, self._link) if reminders is not None else None
        self._card_menu = CardMenu(self, self.kanban, self.board, people, self._link, self._reminding)
        self._writable = True
        self._build()
        if is_own:
            self.filter_line.mine.hide()
            self.table.hide_assignees()
        show_all = partial(self._set_filter, Filter())
        self.nothing = Nothing(self._views, self._add_first, show_all, self.open_trash, own=is_own)
        bind(self, self.board.edited, self._on_edited)
        bind(self, self.board.changed, lambda _ids: self._show_nothing())
        bind(self, self.board.columns_changed, self._show_nothing)
        self._show_nothing()
        self._connect()
        if self._reminding is not None:
            self._offer_reminders(self._reminding)
        self.set_writable(service.may_write(room))

    def _connect(self) -> None:
        for view in (self.kanban, self.table):
            view.card_opened.connect(self.editor.open_card)
            view.card_menu_asked.connect(self._card_menu.open)
            view.delete_asked.connect(self._delete_card)
        self.kanban.column_menu_asked.connect(self._column_menu.open)
        self.kanban.add_asked.connect(self._add_card)
        self.kanban.board_meant.connect(self.setFocus)
        self.editor.closed.connect(self._on_editor_closed)
        self.editor.delete_asked.connect(self._delete_card)
        QShortcut(QKeySequence.StandardKey.Undo, self, self.undo)
        for keys in REDO_KEYS:
            QShortcut(QKeySequence(keys), self, self.redo)
        QShortcut(QKeySequence(ARCHIVE_KEYS), self, self.open_archive)

    def _offer_reminders(self, reminding: CardReminding) -> None:
        button = reminding.button()
        self.editor.head.insertWidget(1, button)
        self.editor.card_shown.connect(lambda card: button.show_link(self._link(card) if card else None))
        bind(self, reminding.reminders.changed, self._show_reminders)
        self._show_reminders()

    def _show_reminders(self) -> None:
        if self._reminding is not None:
            self.kanban.show_reminders(self._reminding.cards(self._shown))

    def doable(self) -> Mapping[str, Callable[[], object]]:
        """The window's commands that are possible now, by name: "remind", about the open card or the one with the
        focus. Empty if there is none, if it has no link yet, or if reminders are not offered."""
        card = self.editor.card_id or self.kanban.focused_card()
        if self._reminding is None or not card or self._link(card) is None:
            return {}
        return {COMMAND: partial(self._reminding.open, card)}

    def _build(self) -> None:
        top = QFrame()
        set_props(top, frame="header")
        row = FlowLayout(gap=8)
        column(top, margins=(20, 9, 20, 9)).addLayout(row)
        self._segments(row)
        row.addStretch()
        self.new_button = TextButton(tr("New task"), self._add_first, kind="primary", icon="add")
        row.addWidget(self.filter_line.mine)
        row.addWidget(self.filter_line.button)
        more = tr("More about the board")
        self.more_button = IconButton("more", more, self._open_more, size=18, role="text", framed=True)
        row.addWidget(self.new_button)
        row.addWidget(self.more_button)
        below = PageWithPanel(self._views, self.editor, panel_px=WIDTH, page_px=_LEAST_PAGE_PX)
        outer = column(self)
        outer.addWidget(top)
        outer.addWidget(self.unsaved_bar)
        self.unsaved_bar.refresh()
        outer.addWidget(self.bar)
        outer.addWidget(self.filter_line)
        outer.addWidget(below, 1)

    def _segments(self, row: QLayout) -> None:
        self._segment = group = QButtonGroup(self)
        segments = Segments(tr("How the tasks are shown"))
        row.addWidget(segments)
        for number, (name, icon) in enumerate(((tr("Board"), "columns"), (tr("Table"), "table"))):
            button = SegmentButton(f"\N{NO-BREAK SPACE}{name}")  # air beside the icon
            # the board itself is called so too
            button.setAccessibleName(name if number else tr("Show as a board"))
            button.setChecked(number == 0)
            set_icon(button, icon, "muted", 14, checked="accent")
            group.addButton(button, number)
            segments.add(button)
        group.idClicked.connect(self._views.setCurrentIndex)

    # -- for the shell ----------------------------------------------------------------------------------------------

    def open_ref(self, obj: ObjId, ref: bytes) -> None:
        """Opens the card whose id is `ref`, also one that is archived or in the trash; what others wrote in the latter
        then counts as seen. `obj` is the board that is shown. Does nothing if there is no such card."""
        card_id = ref.decode(errors="replace")
        card = self.board.any_card(card_id)
        if card is not None:
            self.kanban.focus_card(card_id)
            self.editor.open_card(card_id)
        if card is not None and card.deleted:
            run_guarded(self, lambda: self._service.trash.see(obj, card_id))

    def view_place(self) -> ViewPlace:
        """What is shown, to be restored later: columns or table, how far they are scrolled, and the open card with the
        caret in it, or otherwise the card that has the focus."""
        open_card = self.editor.card_id
        field, anchor, caret = self.editor.caret() if open_card else ("", 0, 0)
        return ViewPlace(
            page=self._views.currentIndex(),
            opened=(open_card or self.kanban.focused_card()).encode(),
            scrolls=tuple(bar.value() for bar in self._bars()),
            field=field,
            anchor=anchor,
            caret=caret,
        )

    def restore_place(self, left: ViewPlace) -> None:
        """Shows what `view_place` returned. A card that is gone is not opened."""
        self._segment.buttons()[left.page % 2].setChecked(True)
        self._views.setCurrentIndex(left.page % 2)
        card_id = left.opened.decode(errors="replace")
        if left.field and self.board.any_card(card_id) is not None:
            self.editor.open_card(card_id)
            self.editor.put_caret(left.field, left.anchor, left.caret)
        elif card_id:
            self.kanban.focus_card(card_id)
        QTimer.singleShot(0, self, lambda: self._scroll_to(left.scrolls))  # the open card has taken its room by then

    def _bars(self) -> list[QScrollBar]:
        columns = [view.area.verticalScrollBar() for view in self.kanban.columns]
        return [self.table.verticalScrollBar(), self.kanban.horizontalScrollBar(), *columns]

    def _scroll_to(self, values: Sequence[int]) -> None:
        self.table.doItemsLayout()
        for bar, value in zip(self._bars(), values, strict=False):
            bar.setValue(value)

    def mark_words(self, words: Sequence[str]) -> None:
        """Marks the words of a search in the open card."""
        self.editor.description.mark_words(words)

    def keep_draft(self) -> None:
        """Stores what is being written in the open card."""
        self.editor.keep_draft()

    def set_writable(self, writable: bool) -> None:
        """Sets whether the board can be changed (`writable`), or only read; every part of it shows which."""
        if writable == self._writable:
            return
        self._writable = writable
        self._card_menu.writable = writable
        self.new_button.setVisible(writable)
        for part in (self.kanban, self.editor, self.nothing):
            part.set_writable(writable)
        if writable:
            self.bar.hide()
        else:
            self.bar.show_state("info", "lock", tr("You can read this board but not change it."))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Moves the focus into the board by an arrow key. When its tab is chosen, the board has the focus as a
        whole."""
        if event.key() in _ARROWS and self.hasFocus() and self._views.currentWidget() is not self.kanban:
            self.table.setFocus()
        elif not (event.key() in _ARROWS and self.hasFocus() and self.kanban.enter()):
            super().keyPressEvent(event)

    def undo(self) -> None:
        """Undoes the person's own last edit of the board. Does nothing if the board can only be read."""
        if self._writable:
            run_guarded(self, self.board.undo.undo)

    def redo(self) -> None:
        """Does again the edit that `undo` undid last. Does nothing if the board can only be read."""
        if self._writable:
            run_guarded(self, self.board.undo.redo)

    # -- cards ------------------------------------------------------------------------------------------------------

    def _add_first(self) -> None:
        self._add_card(self.board.columns()[0].id)

    def _add_card(self, column_id: str) -> None:
        self.editor.open_new(partial(self._make_card, column_id))

    def _make_card(self, column_id: str, card_id: str, title: str) -> None:
        """Makes a card with this id and title in the column, and brings it into sight. If the column is gone, the card
        is made in the first one, or in a new one if the board has none. An error is shown."""

        def make() -> None:
            to = column_id
            if not to or self.board.column(to) is None:
                to = self.board.columns()[0].id or self.board.add_column(tr("To do"))
            self.board.add_card(to, title, by=self._service.me, card_id=card_id)

        run_guarded(self, make)
        self.kanban.bring_into_sight(card_id)

    def _delete_card(self, card_id: str) -> None:
        card = self.board.card(card_id)
        if card is None or not self._writable:
            return
        neighbour = self._neighbour(card_id)
        if self.editor.card_id == card_id:
            self.editor.close_card()
        if run_guarded(self, lambda: self.board.delete_card(card_id)):
            text = tr("“{title}” is in the trash").format(title=card.title)
            toast(self, text, lambda: self._restore(card_id))
            if neighbour:
                self.kanban.focus_card(neighbour)

    def _restore(self, card_id: str) -> None:
        if run_guarded(self, lambda: self.board.restore_card(card_id)):
            self.kanban.focus_card(card_id)

    def _link(self, card_id: str) -> ObjectLink | None:
        obj = self._obj or self._service.board_id(self._room)
        return ObjectLink(room=self._room, obj=obj, kind=KIND.id, ref=card_id.encode()) if obj is not None else None

    def _neighbour(self, card_id: str) -> str:
        here = self.board.column_of(card_id)
        ids = [card.id for card in self.board.cards(here.id)] if here else []
        at = ids.index(card_id) if card_id in ids else -1
        rest = [*ids[at + 1 :], *reversed(ids[: max(0, at)])]
        return rest[0] if rest else ""

    def _on_editor_closed(self, card_id: str) -> None:
        """Keeps the focus in this view when the panel of the card `card_id` closes. That card gets the focus if the
        columns show it; otherwise the view or the table gets it from the panel. The panel is still shown then, and Qt
        would give its focus to another part of the window."""
        on_board = self._views.currentWidget() is self.kanban
        if on_board and self.kanban.card_widget(card_id) is not None:
            self.kanban.focus_card(card_id)
        elif self.editor.has_focus():
            (self if on_board else self.table).setFocus()

    # -- archive ----------------------------------------------------------------------------------------------------

    def _open_more(self) -> None:
        count, away = len(self.board.archived()), len(self.board.put_away())
        entries: list[Entry | None] = [
            Entry(
                text=tr("Archived tasks ({n})").format(n=count),
                icon="archive",
                shortcut=ARCHIVE_KEYS,
                enabled=count > 0,
                run=self.open_archive,
            ),
            Entry(text=trash_words(away), icon="delete", enabled=away > 0, run=self.open_trash),
        ]
        if self._writable:
            entries.insert(0, Entry(text=tr("New column …"), icon="add", run=self._column_menu.new))
        popup(self.more_button, tr("Board menu"), entries)

    def open_archive(self) -> None:
        """Shows the board's archived tasks in a dialog, and restores those that the person chooses or opens the one
        that they want to read. Without archived tasks there is only a message."""
        if self.board.archived():
            run(self, self._ask_archive())
        else:
            toast(self, tr("Nothing is archived"))

    async def _ask_archive(self) -> None:
        dialog = ArchiveDialog(self, self.board, writable=self._writable)
        back: list[str] = []
        dialog.accepted.connect(lambda: back.extend(dialog.chosen()))
        await show(dialog)
        for card_id in back:
            run_guarded(self, partial(self.board.archive_card, card_id, False))
        if back:
            self.kanban.focus_card(back[0])
        elif dialog.opened is not None:
            self.editor.open_card(dialog.opened)

    def open_trash(self) -> None:
        """Shows the room's tasks that are in the trash in a dialog, and restores those that the person chooses or opens
        the one that they want to read. With an empty trash there is only a message."""
        who, room = self._service.people.person, self._room
        run(self, visit(self, self._service.trash, room, who, self._open_item, writable=self._writable))

    def _open_item(self, item: PutAway) -> None:
        self.open_ref(item.obj, item.ref)

    # -- filter -----------------------------------------------------------------------------------------------------

    def _set_filter(self, chosen: Filter) -> None:
        self._filter = chosen
        self.kanban.set_filter(chosen)
        self.table.set_filter(chosen)
        self.filter_line.show_filter(chosen)
        self._show_nothing()
        count = len(self.board.all_cards())
        announce(self, tr("{n} of {all} tasks are shown").format(n=count - len(self._hidden), all=count))

    def _show_nothing(self) -> None:
        cards = shown = self.board.all_cards()
        self._hidden = frozenset()
        if self._filter.active:
            shown = self._filter.shown(cards, local_now().date())
            self._hidden = frozenset(card.id for card in cards) - frozenset(card.id for card in shown)
        only_away = not cards and bool(self.board.put_away()) and not self.board.archived()
        self.nothing.show_for(cards=len(cards), shown=len(shown), only_away=only_away)

    def _on_edited(self, ids: frozenset[str]) -> None:
        """Shows a message when an edit made here hides a card, because the filter does not show it any more; its button
        removes the filter. A new card that the filter never showed counts too. `ids` are the changed cards."""
        today = local_now().date()
        for card in filter(None, map(self.board.card, sorted(ids - self._hidden))):
            if not card.hidden and not self._filter.shows(card, today):
                text = tr("“{title}” is on the board, but the filter does not show it").format(title=card.title)
                toast(self, text, partial(self._show_all, card.id), tr("Show all"))

    def _show_all(self, card_id: str) -> None:
        self._set_filter(Filter())
        self.kanban.focus_card(card_id)


def _framed(table: CardTable) -> QWidget:
    """The table in a frame with space around it, in line with the row above."""
    page = QWidget()
    card = QFrame()
    set_props(card, frame="card")
    column(card, margins=(6, 4, 6, 6)).addWidget(table)
    column(page, margins=(20, 12, 20, 12)).addWidget(card)
    page.setFocusProxy(table)
    return page
