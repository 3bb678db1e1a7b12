# SPDX-License-Identifier: EUPL-1.2
"""Activity: everything that concerned the person, with filters, in all rooms."""

from collections.abc import Hashable, Sequence
from functools import partial

from PySide6.QtCore import QPoint, Signal, SignalInstance
from PySide6.QtWidgets import QComboBox, QStackedWidget, QWidget

from app.core.ids import RoomId, Uid
from app.notices import kinds
from app.notices.service import NoticeFilter, NoticeRow, NoticeState
from app.session import Session
from ui.kit.bind import Soon, bind
from ui.kit.buttons import TextButton
from ui.kit.card import EmptyState
from ui.kit.choices import offer
from ui.kit.flow_layout import FlowLayout
from ui.kit.menu import Entry, popup
from ui.kit.scale import hold
from ui.kit.style import column, set_props
from ui.kit.translate import tr
from ui.kit.wheel import keep_still
from ui.shell.notices import dealing
from ui.shell.notices.lines import NoticeLines
from ui.shell.notices.notice_list import NoticeList

_BOX_PX = 190


class Activity(QWidget):
    """The page with all notices. It emits `opened` with a NoticeRow when the person wants to see the place that the
    notice is about, and `answered` with a NoticeRow when the person wants to begin an answer there."""

    opened = Signal(object)
    answered = Signal(object)

    def __init__(self, session: Session, lines: NoticeLines, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session, self._notices, self._lines = session, session.notices, lines
        set_props(self, frame="window")
        self.setAccessibleName(tr("Activity"))
        page = column(self, margins=(34, 16, 34, 24), spacing=14)
        tools = FlowLayout(gap=8)
        self.unread = TextButton(tr("Unread"), self._on_filter, checkable=True)
        self.kind, self.room, self.who = (
            self._box(name) for name in (tr("Kind of notice"), tr("Room"), tr("Who did it"))
        )
        self.all_read = TextButton(tr("Mark all as read"), self._mark_all, icon="check")
        for tool in (self.unread, self.kind, self.room, self.who, self.all_read):
            tools.addWidget(tool)
        page.addLayout(tools)
        self.list = NoticeList(self._notices, lines)
        self._none = EmptyState(
            "notifications",
            tr("Nothing has happened yet"),
            tr("What concerns you in any room is listed here: what is meant for you, given to you, or waits for you."),
        )
        self._no_match = EmptyState(
            "filter", tr("Nothing matches"), tr("No notice is of this kind."), tr("Show all"), self._show_all
        )
        self._stack = QStackedWidget()
        for each in (self.list, self._none, self._no_match):
            self._stack.addWidget(each)
        page.addWidget(self._stack, 1)
        self.list.opened.connect(partial(self._open, self.opened))
        self.list.key_pressed.connect(self._on_key)
        self.list.menu_asked.connect(self._menu)
        bind(self, self._notices.changed, Soon(self, self.refresh).due)

    def _box(self, name: str) -> QComboBox:
        box = keep_still(QComboBox())
        box.setAccessibleName(name)
        hold(box, width=_BOX_PX)
        box.activated.connect(self._on_filter)
        return box

    def showEvent(self, event: object) -> None:
        self.refresh()

    def focusInEvent(self, event: object) -> None:
        if self._stack.currentWidget() is self.list:
            self.list.setFocus()

    def wanted(self) -> NoticeFilter:
        """What the filters let through."""
        kind, room, who = (box.currentData() for box in (self.kind, self.room, self.who))
        return NoticeFilter(
            kinds=frozenset({kind}) if kind else frozenset(), room=room, by=who, unseen=self.unread.isChecked()
        )

    def refresh(self) -> None:
        """Reads the notices again. Does nothing while the page is hidden."""
        if not self.isVisibleTo(self.window()):
            return
        self._offer_choices()
        self.list.refresh()
        self._show_page()

    def _offer_choices(self) -> None:
        rooms, people = self._notices.sources()
        titles = [(each.title, each.room) for each in self._session.rooms.rooms() if each.room in rooms]
        names = [(self._session.people.person(uid).name, uid) for uid in people]
        self._offer(self.kind, tr("All kinds"), self._lines.names())
        self._offer(self.room, tr("All rooms"), titles)
        self._offer(self.who, tr("From everybody"), names)

    def _offer(self, box: QComboBox, all_: str, found: Sequence[tuple[str, str | RoomId | Uid]]) -> None:
        choices: list[tuple[str, Hashable]] = [(all_, None)]
        offer(box, [*choices, *sorted(found, key=lambda each: each[0].casefold())], box.currentData())

    def _show_page(self) -> None:
        is_empty, is_all = not self.list.rows.rows, self.wanted() == NoticeFilter()
        self._stack.setCurrentWidget(self.list if not is_empty else self._none if is_all else self._no_match)
        self.all_read.setEnabled(not is_empty and bool(self._notices.count(self._new())))

    def _new(self) -> NoticeFilter:
        wanted = self.wanted()
        return NoticeFilter(kinds=wanted.kinds, room=wanted.room, by=wanted.by, unseen=True)

    def _on_filter(self, *_chosen: object) -> None:
        self.list.show_only(self.wanted())
        self._show_page()

    def _show_all(self) -> None:
        self.unread.setChecked(False)
        for box in (self.kind, self.room, self.who):
            box.setCurrentIndex(0)
        self._on_filter()
        self.list.setFocus()

    # -- what the person does --------------------------------------------------------------------------------------

    def _open(self, signal: SignalInstance, row: NoticeRow) -> None:
        dealing.mark_seen(self, self._notices, [row])
        signal.emit(row)

    def _mark_all(self) -> None:
        dealing.mark_all_seen(self, self._notices, self._new())

    def _toggle_read(self, row: NoticeRow) -> None:
        if row.state is NoticeState.NEW:
            dealing.mark_seen(self, self._notices, [row])
        else:
            dealing.mark_new(self, self._notices, row)

    def _on_key(self, row: NoticeRow, letter: str) -> None:
        if letter == "U":
            self._toggle_read(row)
        elif letter == "R" and row.kind in self._lines.counted:
            self._open(self.answered, row)
        elif letter == "E" and _is_open(row):
            dealing.mark_done(self, self._notices, row)
        elif letter == "S" and _is_open(row):
            self._ask_later(row, self.list.place_of(self.list.currentIndex()))

    def _ask_later(self, row: NoticeRow, at: QPoint) -> None:
        dealing.ask_later(self, self._notices, row, under=self.list, at=at)

    def _menu(self, row: NoticeRow, at: QPoint) -> None:
        entries: list[Entry | None] = [Entry(text=tr("Open"), icon="open", run=partial(self._open, self.opened, row))]
        if row.kind in self._lines.counted:
            answer = partial(self._open, self.answered, row)
            entries.append(Entry(text=tr("Reply"), icon="reply", shortcut="R", run=answer))
        if _is_open(row):
            done = partial(dealing.mark_done, self, self._notices, row)
            entries.append(Entry(text=tr("Mark as done"), icon="check", shortcut="E", run=done))
            later = partial(self._ask_later, row, at)
            entries.append(Entry(text=tr("Remind me later …"), icon="clock", shortcut="S", run=later))
        text = tr("Mark as read") if row.state is NoticeState.NEW else tr("Mark as unread")
        entries += [None, Entry(text=text, icon="eye", shortcut="U", run=partial(self._toggle_read, row))]
        popup(self.list, tr("Menu of the notice"), entries, at)


def _is_open(row: NoticeRow) -> bool:
    """Whether a notice asks for an answer that can be marked as given. ▲ Not one about keys: its warning is dealt with
    on Home, where it asks first."""
    return row.asks and not row.answered and row.state is not NoticeState.DONE and row.kind != kinds.KEYS.id
