# SPDX-License-Identifier: EUPL-1.2
"""One room: header with its security status and people, tabs of tools, the open tool, and the people panel."""

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPen, QResizeEvent
from PySide6.QtWidgets import QFrame, QPushButton, QSizePolicy, QWidget

from app.core.ids import ObjId, RoomId
from app.errors import NotFound
from app.rooms.service import MemberInfo, RoomSummary
from app.session import Session
from ui.errors import sentence
from ui.kit import theme
from ui.kit.avatar import paint_avatar
from ui.kit.beside import PageWithPanel
from ui.kit.bind import Soon, bind
from ui.kit.buttons import Entered, IconButton
from ui.kit.card import EmptyState
from ui.kit.chip import Chip
from ui.kit.dialogs import ask, confirm, show
from ui.kit.menu import Entry, popup
from ui.kit.pages import Pages
from ui.kit.plain import set_tip
from ui.kit.presence import PresenceLine
from ui.kit.scale import hold, px
from ui.kit.style import ElidedLabel, column, line, set_props
from ui.kit.tab_bar import Tab, TabBar
from ui.kit.tasks import run, run_guarded
from ui.kit.toast import InfoBar
from ui.kit.translate import tr, trn
from ui.shell.room.events_dialog import show_events
from ui.shell.room.held_bar import HeldBar
from ui.shell.room.key_notices import NoticeBar
from ui.shell.room.levels import level_entries
from ui.shell.room.people_panel import WIDTH, PeoplePanel
from ui.shell.room.prune_dialog import clear_history
from ui.shell.room.restricted import RestrictedRooms
from ui.shell.room.security_button import SecurityButton
from ui.shell.room.security_dialog import SecurityDialog, nested_text
from ui.shell.room.succession_bar import SuccessionBar
from ui.shell.tool_list import ToolList
from ui.shell.words import the_other
from ui.tool_parts import JoinedRoomCommand, JoinedTool
from ui.tool_views import ClosableView, MarkingView, Opener

_SHOWN_FACES = 4
_FACE, _FACES_HEIGHT = 24, 32
_TITLE_PX, _LEAST_TITLE_PX, _LEAST_STATUS_PX = 460, 160, 60
_HEADER_MARGIN, _HEADER_GAP = 20, 12
_ROOM_FOR_PANEL_PX, _LEAST_PAGE_PX = 760, 260
"""The room's least width for a panel that is shown by itself; the page's least width beside a panel that the person
opened."""


class Faces(Entered, QPushButton):
    """A button that shows the pictures of a room's first four members beside each other, and how many more there are; a
    press shows or hides the people panel."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._members: Sequence[MemberInfo] = ()
        set_props(self, kind="row")
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        theme.on_change(self, self.updateGeometry)

    def set_members(self, members: Sequence[MemberInfo]) -> None:
        """Shows these members from now on: the pictures of the first four, and how many more there are."""
        self._members = members
        name = trn("Members: {n} person", "Members: {n} people", len(members)).format(n=len(members))
        self.setAccessibleName(name)
        set_tip(self, ", ".join(m.person.name for m in members[:12]))
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        shown = min(len(self._members), _SHOWN_FACES)
        more = px(30) if len(self._members) > _SHOWN_FACES else 0
        return QSize(max(shown, 1) * px(_FACE) + 10 + more, px(_FACES_HEIGHT))

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def paintEvent(self, event: object) -> None:
        tokens = theme.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for i, member in enumerate(self._members[:_SHOWN_FACES]):
            side = px(_FACE)
            box = QRectF(5 + i * side, (self.height() - side) / 2, side, side)
            ring = tokens.colour("surface") if i else None
            paint_avatar(painter, box, member.person.initials, tokens.person(member.person.colour), ring=ring)
        if len(self._members) > _SHOWN_FACES:
            painter.setPen(tokens.colour("muted"))
            rest = QRectF(10 + _SHOWN_FACES * px(_FACE), 0, px(30), self.height())
            painter.drawText(rest, Qt.AlignmentFlag.AlignVCenter, f"+{len(self._members) - _SHOWN_FACES}")
        if self.hasFocus():
            painter.setPen(QPen(tokens.colour("focus"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(1, 1, self.width() - 2, self.height() - 2), 8, 8)
        painter.end()


class RoomView(QWidget):
    """The view of one room: a header, tabs of tools, the open tool, and the people panel. The tools' views are opened
    when they are first shown, and kept. It emits `tab_changed` with a tool's id, and what a person chooses in it."""

    tab_changed = Signal(str)
    object_chosen = Signal(object)
    write_to = Signal(object)
    room_chosen = Signal(object)

    def __init__(self, session: Session, tools: ToolList, room: RoomId, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session, self._tools, self.room = session, tools, room
        self._views: dict[str, QWidget] = {}
        self._panel_wanted: dict[str, bool] = {}
        """Whether the person has shown or hidden the people panel, for each tab where they have."""
        self.setAccessibleName(tr("Room"))
        layout = column(self)
        layout.addWidget(self._header())
        theme.on_change(self, self._show_panel_again)
        self.notice = InfoBar()
        layout.addWidget(self.notice)
        self.succession = SuccessionBar(session, tools, room)
        self.succession.room_chosen.connect(self.room_chosen)
        layout.addWidget(self.succession)
        self.held = HeldBar(session, room, tools, lambda: run(self, self._leave()), self._show_copy)
        layout.addWidget(self.held)
        self.key_notices = NoticeBar(session.people, session.rooms, room)
        layout.addWidget(self.key_notices)
        self.question = InfoBar()
        layout.addWidget(self.question)
        self._stack = Pages()
        self._stack.setAccessibleName(tr("Content of the room"))
        set_props(self._stack, frame="surface")
        self.panel = PeoplePanel(session, tools)
        self.panel.object_chosen.connect(self.object_chosen)
        self.panel.write_to.connect(self.write_to)
        self.panel.room_chosen.connect(self.room_chosen)
        layout.addWidget(PageWithPanel(self._stack, self.panel, panel_px=WIDTH, page_px=_LEAST_PAGE_PX), 1)
        self._empty: EmptyState | None = None
        soon = Soon(self, self.refresh)
        bind(self, session.people.changed, soon.due)
        bind(self, session.rooms.room_changed, lambda changed: soon.due() if changed == room else None)
        bind(self, session.presence.changed, soon.due)
        bind(self, session.notices.changed, Soon(self, self._show_question).due)
        bind(self, session.held.changed, lambda changed: soon.due() if changed == room else None)
        self.refresh()
        self.panel.set_room(room)

    def _header(self) -> QFrame:
        header = QFrame()
        set_props(header, frame="header")
        header.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)  # it fits itself to any width
        rows = column(header, margins=(_HEADER_MARGIN, 12, _HEADER_MARGIN, 0))
        top = line(spacing=_HEADER_GAP)
        self._title = ElidedLabel("", "title")
        self._title.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)
        self.security = SecurityButton(self.explain_security)
        self._mute = Chip(tr("Muted"), "muted", "mute")
        self.faces = Faces()
        self.faces.clicked.connect(self.toggle_panel)
        self._more = IconButton("more", tr("More about the room"), self._menu, size=18, role="text", framed=True)
        hold(self._more, width=40, height=29)
        words = line(spacing=_HEADER_GAP)
        words.addWidget(self._title)
        words.addWidget(self.security)
        self.presence = PresenceLine(self, self._session.presence)
        words.addWidget(self._mute)
        words.addWidget(self.presence)
        words.addStretch(1)
        top.addLayout(words, 1)
        top.addWidget(self.faces)
        top.addWidget(self._more)
        rows.addLayout(top)
        rows.addSpacing(10)
        self.tabs = TabBar(tr("Tools of the room"))
        self.tabs.chosen.connect(self._on_tab)
        rows.addWidget(self.tabs)
        theme.on_change(self, self._fit_header)
        return header

    def _fit_header(self) -> None:
        """Fits the header to its width. The title comes first: where it has no room, the security status loses its
        word, and then the members' pictures are hidden; the room's menu leads to the people too."""
        title, gap = self._title, _HEADER_GAP
        title.ensurePolished()
        wanted = min(title.fontMetrics().horizontalAdvance(title.accessibleName()) + 2, px(_TITLE_PX))
        mute = 0 if self._mute.isHidden() else self._mute.full_width() + gap
        status = 0 if self.presence.isHidden() else px(_LEAST_STATUS_PX) + gap
        left = self.width() - 2 * _HEADER_MARGIN - self._more.minimumWidth() - mute - status - 3 * gap
        enough = min(wanted, px(_LEAST_TITLE_PX))
        left -= self.faces.sizeHint().width()
        short = left - self.security.full_width() < enough
        self.security.shorten(short)
        left -= self.security.sizeHint().width()
        self.faces.setVisible(left >= enough)
        if left < enough:
            left += self.faces.sizeHint().width()
        title.setFixedWidth(max(1, min(wanted, left)))

    def summary(self) -> RoomSummary | None:
        """The room as lists show it; None if this device does not have it, or does not know its title yet."""
        try:
            found = self._session.rooms.room(self.room)
        except NotFound:
            return None
        return found if found.title else None

    def refresh(self) -> None:
        """Reads title, security status, bars, members and tabs of the room again. Does nothing while the room's title
        is not known."""
        summary = self.summary()
        if summary is None:
            return
        self._title.set_text(summary.title)
        self.security.show_level(self._session.seals.level(self.room))
        self._mute.setVisible(summary.muted)
        other = the_other(self._session.rooms, summary)
        self.presence.show_person(other.uid if other is not None else None)
        self._show_notices()
        self.succession.refresh()
        self.key_notices.refresh()
        self.held.refresh()
        self._show_question()
        for view in self._views.values():
            self._set_writable(view)
        self.faces.set_members(self._session.rooms.members(self.room))
        self._fit_header()
        self._refresh_tabs()

    def _refresh_tabs(self) -> None:
        """Gives each tool that has something in the room now a tab. If that changes the tabs, opens the current one."""
        shown = self._tools.in_room(self._session.rooms.objects(self.room))
        if [t.id for t in shown] != self.tabs.ids():
            self.tabs.set_tabs([Tab(t.id, tr(t.title), t.icon) for t in shown])
            if shown:
                self.show_tool(self.tabs.current())
        if not shown:
            self._show_waiting()

    def explain_security(self) -> None:
        """Opens the dialog about the room's security status."""
        run(self, self._explain_security())

    async def _explain_security(self) -> None:
        seals, standing = self._session.seals, self._session.succession.standing(self.room)
        report, level = await seals.report(self.room), seals.level(self.room)
        contents, evidence = self._tools.contents, self.succession.show_evidence
        nested = nested_text(self._session.nesting.parent(self.room), self._session.nesting.children(self.room))
        await show(SecurityDialog(self.window(), level, report, standing, contents, evidence, nested))

    def _show_notices(self) -> None:
        """Shows in the room's bar why what was written here is not sent, and that something could not be opened. If
        there is no such notice, shows how much older history is still being read; otherwise hides the bar."""
        percent = self._session.rooms.filling(self.room)
        notices = [sentence(code) for code in self._session.rooms.notices(self.room)]
        if notices:
            self.notice.show_state("warning", "warning", " ".join(f"{s.title} {s.meaning}" for s in notices))
        elif percent is not None:
            text = tr("Older history is being read ({percent} %). What is shown is complete and can be worked in.")
            self.notice.show_state("info", "syncing", text.format(percent=percent))
        else:
            self.notice.hide()

    def _show_waiting(self) -> None:
        if self._empty is None:
            self._empty = EmptyState(
                "syncing", tr("The room is being fetched"), tr("Its content appears here as soon as it has arrived.")
            )
            self._stack.addWidget(self._empty)
        self._stack.setCurrentWidget(self._empty)

    def show_tool(self, tool_id: str, obj: ObjId | None = None, ref: bytes = b"", words: Sequence[str] = ()) -> None:
        """Opens the tab of the tool `tool_id`; does nothing if the room has no tab of it. With `obj` it opens that
        object of the tool, at the place `ref` in it (b"": none), and marks the `words`, those of a search; views that
        have no such objects or marks ignore these. A tool whose first object came a moment ago has its tab too: the
        notice of that object may be clicked before the next `refresh`."""
        if tool_id not in self.tabs.ids() and self.summary() is not None:
            self._refresh_tabs()
        tool = self._tools.by_id(tool_id)
        if tool is None or tool_id not in self.tabs.ids():
            return
        view = self._views.get(tool_id)
        if view is None:
            view = tool.open(self.room, obj, self._stack)
            self._views[tool_id] = view
            self._stack.addWidget(view)
        if obj is not None and isinstance(view, Opener):
            view.open_ref(obj, ref)
            if isinstance(view, MarkingView):
                view.mark_words(words)
        focused = self.focusWidget()
        leaves = focused is not None and self._stack.isAncestorOf(focused) and focused.hasFocus()
        self._stack.setCurrentWidget(view)
        if leaves:  # otherwise Qt focuses what comes next, with a ring
            view.setFocus()
        self._show_panel(tool)
        if self.tabs.current() != tool_id:
            self.tabs.choose(tool_id)

    def _show_copy(self, kind: str, obj: ObjId) -> None:
        """Opens `obj`, an object of the kind `kind` that was just made in this room as a copy of another. The view that
        its tool has here already is deleted and made again. Does nothing if no tool has the kind."""
        tool = self._tools.of_kind(kind)
        if tool is None:
            return
        old = self._views.pop(tool.id, None)
        if old is not None:
            self._stack.removeWidget(old)
            old.deleteLater()
        self.show_tool(tool.id, obj)

    def _set_writable(self, view: QWidget) -> None:
        if isinstance(view, ClosableView):
            view.set_writable(self._session.rooms.may_write(self.room))

    def view(self, tool_id: str) -> QWidget | None:
        """The open view of a tool; None if it was not opened here."""
        return self._views.get(tool_id)

    def current_view(self) -> QWidget | None:
        """What is shown now."""
        return self._stack.currentWidget()

    def _on_tab(self, tool_id: str) -> None:
        self.show_tool(tool_id)
        self.tab_changed.emit(tool_id)

    def toggle_panel(self) -> None:
        """Hides the people panel in the open tab if it is visible, otherwise shows it. From then on the person's choice
        counts for this tab, and no longer the width of the room."""
        shown = self.panel.isVisible()
        self._panel_wanted[self.tabs.current()] = not shown
        self.panel.setVisible(not shown)
        self._show_question()

    def _show_question(self) -> None:
        """Shows in a bar that a question about a member waits, while the people panel, which asks it, is hidden: the
        window is too narrow for the panel, or the person has hidden it."""
        asked = self.panel.nested.questions(self.room) if self.panel.isHidden() else []
        if not asked:
            self.question.hide()
            return
        text = tr("Is {name} to stay in this room?").format(name=asked[0].person.name)
        if len(asked) > 1:
            text = tr("Are {n} people who were removed from the case room to stay in this one?").format(n=len(asked))
        self.question.show_state("warning", "warning", text, tr("Answer …"), self._answer)

    def _answer(self) -> None:
        if self.panel.isHidden():
            self.toggle_panel()
        self.panel.nested.take_focus()

    def _menu(self) -> None:
        summary = self.summary()
        if summary is None:
            return
        rooms = self._session.rooms
        admin = rooms.is_admin(self.room) and rooms.may_write(self.room)
        panel = tr("Hide members") if self.panel.isVisible() else tr("Show members")
        entries: list[Entry | None] = [
            Entry(text=panel, icon="people", run=self.toggle_panel),
            Entry(text=tr("Add member …"), icon="invite", run=self.panel.add, enabled=admin),
            Entry(text=tr("Rename …"), icon="rename", run=lambda: run(self, self._rename()), enabled=admin),
            Entry(text=tr("What happened in the room …"), icon="clock", run=self.show_events),
            *([self._clearing()] if admin else []),
            *self._of_tools(),
            *self._nested(),
            None,
            *level_entries(self, rooms, summary),
            self._hiding(),
            None,
            Entry(
                text=tr("Leave the room …"),
                icon="leave",
                danger=True,
                enabled=not summary.left,
                run=lambda: run(self, self._leave()),
            ),
        ]
        popup(self._more, tr("Room menu"), entries)

    def _nested(self) -> list[Entry]:
        return RestrictedRooms(self.window(), self._session, self.room_chosen.emit).entries(self.room)

    def show_events(self) -> None:
        """Opens the dialog with what happened in the room."""
        run(self, show_events(self.window(), self._session, self.room))

    def _hiding(self) -> Entry:
        wishes = self._session.wishes
        hidden = wishes.is_hidden(self.room)

        def toggle() -> None:
            run_guarded(self, lambda: wishes.set_hidden(self.room, not hidden))

        return Entry(text=tr("Never show content on the desktop"), checked=hidden, run=toggle)

    def _clearing(self) -> Entry:
        def clear() -> None:
            run(self, clear_history(self.window(), self._session, self._tools, self.room))

        return Entry(text=tr("Merge older changes …"), icon="history", run=clear)

    def _of_tools(self) -> list[Entry]:
        return [
            Entry(text=tr(each.title), icon=each.icon, run=partial(self._do, each))
            for each in self._tools.room_commands(self.room)
        ]

    def _do(self, command: JoinedRoomCommand) -> None:
        run(self, command.run(self.room, self.window()))

    async def _rename(self) -> None:
        summary = self.summary()
        value = summary.title if summary else ""
        title = await ask(
            self.window(), tr("Rename the room"), tr("Name of the room"), value=value, accept=tr("Rename")
        )
        if title:
            self._session.rooms.rename(self.room, title)

    async def _leave(self) -> None:
        text = tr("You get nothing written from now on. Only an administrator can add you again.")
        if await confirm(self.window(), tr("Leave the room?"), text, accept=tr("Leave"), danger=True):
            await self._session.rooms.leave(self.room)

    def _show_panel(self, tool: JoinedTool | None) -> None:
        """Shows or hides the people panel beside `tool`: as the person chose in its tab; while nothing was chosen, as
        the tool and the width allow."""
        fits = (tool is None or tool.shows_people) and self.width() >= px(_ROOM_FOR_PANEL_PX)
        shown = self._panel_wanted.get(tool.id if tool is not None else "", fits)
        changes = shown == self.panel.isHidden()
        self.panel.setVisible(shown)
        if changes:
            self._show_question()

    def _show_panel_again(self) -> None:
        self._show_panel(self._tools.by_id(self.tabs.current()))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_header()
        self._show_panel_again()
