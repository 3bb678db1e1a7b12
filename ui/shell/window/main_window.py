# SPDX-License-Identifier: EUPL-1.2
"""The main window: rail | side list | content | status bar. Joins the shell's parts and goes to places.

It is given a session and the tools. It locks nothing itself (`lock_requested`) and closes no session.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QCloseEvent, QKeyEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QMainWindow, QWidget

from app.core.enums import LinkState
from app.core.ids import RoomId
from app.errors import StoreUnwritable
from app.notices.service import NoticeRow
from app.objects.links import ObjectLink
from app.session import Session
from app.settings import ANNOUNCE, AUTO_LOCK_MINUTES, WINDOW_GEOMETRY
from app.unlocking import Unlocking
from ui.desktop.tray import Tray
from ui.kit import theme
from ui.kit.announcing import Announcer
from ui.kit.bind import bind
from ui.kit.front import to_front
from ui.kit.gathering import Kind
from ui.kit.laying_out import lay_out_first
from ui.kit.menu import Entry, popup
from ui.kit.plain import set_title
from ui.kit.roomy import Roomy
from ui.kit.screens import first_size, least_size
from ui.kit.style import line, set_props
from ui.kit.toast import Toast
from ui.kit.translate import local_now, tr
from ui.shell.home.home_pages import ACTIVITY
from ui.shell.room.restricted import RestrictedRooms
from ui.shell.tool_list import ToolList
from ui.shell.window import regions
from ui.shell.window.auto_lock import AutoLock
from ui.shell.window.commands import Commands
from ui.shell.window.connection_notices import ConnectionNotices
from ui.shell.window.content import Content
from ui.shell.window.desktops import desktop, windows_of, with_tray
from ui.shell.window.error_messages import ErrorMessages
from ui.shell.window.folding import Folding
from ui.shell.window.held_copies import CopyMessages
from ui.shell.window.list_and_content import ListAndContent
from ui.shell.window.navigation import Place, Rail, RailButton
from ui.shell.window.navigator import Navigator, Parts
from ui.shell.window.new_messages import News
from ui.shell.window.notifications import Notifications
from ui.shell.window.outside_links import judge
from ui.shell.window.own_faults import OwnFaults
from ui.shell.window.own_status import OwnStatus
from ui.shell.window.palette import Palette
from ui.shell.window.palette_search import Finder
from ui.shell.window.room_list import RoomList
from ui.shell.window.room_requests import RoomRequests
from ui.shell.window.sections import SEARCH, SETTINGS, sections
from ui.shell.window.settings_in_force import SettingsInForce
from ui.shell.window.time_come import TimeCome
from ui.shell.window.unread_counts import UnreadCounts
from ui.shell.window.window_commands import window_commands
from ui.shell.words import verified_chip
from ui.tool import AnyTool
from ui.tool_views import DraftingView, WritingView

if TYPE_CHECKING:  # made at their first use
    from ui.shell.room.room_view import RoomView
    from ui.shell.settings.settings_view import SettingsView


class MainWindow(QMainWindow):
    """The main window of one session: rail, list of rooms, content, status bar. It is also what the tools in it call as
    `ui.tool.Shell`. `keys` changes the unlock methods in the settings; None: they are not shown."""

    lock_requested = Signal()
    key_change_requested = Signal(object)
    """KeyChange: the program closes the session for it."""
    quit_requested = Signal()
    restart_requested = Signal()
    """The person wants the release that was installed meanwhile."""
    front_wanted = Signal()
    """The person pressed a notification while the curtain covers the window."""
    unread_changed = Signal(int)
    appeared = Signal()
    """Emitted when the window is shown, and its parts have their sizes."""
    erase_requested = Signal()
    """The person wants everything of a device that was revoked removed from this computer."""

    def __init__(
        self,
        session: Session,
        tools: Sequence[AnyTool],
        *,
        keys: Unlocking | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.session, self._keys = session, keys
        self.tools = ToolList(tools, session, local_now)
        self.announcer = Announcer(self, lambda: session.settings.get(ANNOUNCE))
        self._upgrade: tuple[str, bool] | None = None
        """The installed release that waits, and whether only a restart of the computer helps."""
        self.navigator = Navigator(session, self.tools, self)
        self.own_status = OwnStatus(self, session.presence)
        self.room_requests = RoomRequests(self, session, self.tools, self.open_room)
        self.restricted = RestrictedRooms(self, session, self.open_room)
        self.navigator.write_to.connect(self.room_requests.write_to)
        self._bound: list[QAction] = []
        set_title(self, "Kansli")
        lay_out_first(self)
        self.setMinimumSize(least_size(self))
        self.resize(first_size(self))
        self._restore_geometry()
        self._follow_session()
        with theme.styled_at_once():
            self._build()
        self.notifications = Notifications(self, session, self.tools, lambda: self.content.lines, None)
        """Those on the desktop, while the window is not in front."""
        self.notifications.desktop = desktop(self, session.settings, self.notifications.on_action)
        self.notifications.place_wanted.connect(self._on_place_wanted)
        home, lines = partial(self.go_section, "home"), lambda: self.content.lines
        time_come = TimeCome(self, session, lambda: self._toast, lines, self.navigator.open_notice, home)
        self.notifications.time_come.connect(time_come.show)
        self.notifications.front_wanted.connect(self.front_wanted)
        self._news = News(self, session, self.tools, self.announcer, lambda: self.navigator.place.room)
        bind(self, session.invitations.arrived, self.notifications.invited)
        self.errors = ErrorMessages(self, session, lambda: self._toast)
        self._own_faults = OwnFaults(self, session.own, lambda: self._toast)
        self._copy_messages = CopyMessages(self, session.copies, lambda: self._toast)
        self.go(Place(section="home"))

    def _follow_session(self) -> None:
        """Makes those parts that follow the session. They are made once and live as long as the window; when its
        language changes, only its widgets are made again."""
        settings = self.session.settings
        self.auto_lock = AutoLock(settings.get(AUTO_LOCK_MINUTES), self)
        self.auto_lock.idle.connect(self.lock_requested)
        self.auto_lock.presence.changed.connect(self.session.presence.set_in_use)
        self.auto_lock.presence.used.connect(self.session.turns.use)
        self.settings_in_force = SettingsInForce(self, settings, self.auto_lock)
        self.settings_in_force.language_changed.connect(self._on_language)
        self.connection = ConnectionNotices(self, self.session, self.announcer)
        self.connection.erase_requested.connect(self.erase_requested)
        self._counts = UnreadCounts(self, self.session, self.tools, self.navigator)
        self._counts.changed.connect(self._on_counted)

    # -- building ---------------------------------------------------------------------------------------------

    def _build(self) -> None:
        """Makes every widget of the window in the language in force; called again when the language changes."""
        for action in self._bound:
            self.removeAction(action)
            action.deleteLater()
        self.sections = sections(self.tools)
        self.commands = Commands(window_commands(self))
        self._bound = self.commands.bind(self)
        central = QWidget()
        set_props(central, frame="window")
        whole = line(central)
        self.rail = self._make_rail()
        whole.addWidget(Roomy(self.rail, upright=True))
        self.room_list = self._make_room_list()
        self.content = self._make_content()
        self.folding = Folding(self.rail, self.room_list, self.content, lambda: self.navigator.place)
        self.splitter = ListAndContent(self.room_list, self.content, self.folding, self.session.settings)
        whole.addWidget(self.splitter, 1)
        self.setCentralWidget(central)
        self.folding.set_size(self.size())
        self.navigator.use_parts(self._parts())
        self._toast = Toast(self, self._written_in)
        self.navigator.moved.connect(self._toast.place)
        self.palette_view = Palette(self, self._make_finder())
        self.connection.use_parts(self.content.bar, self.content.status)
        self._counts.use_rail(self.rail)

    def _parts(self) -> Parts:
        return Parts(
            rail=self.rail,
            room_list=self.room_list,
            stack=self.content.stack,
            sections=self.content.sections(),
            search=self.content.search_view,
            no_room=self.content.no_room,
            invitation=lambda: self.content.invitation,
            arrange=self._arrange,
        )

    def _make_finder(self) -> Finder:
        return Finder(
            self.session,
            self.commands,
            self.tools,
            open_room=self.open_room,
            open_link=self.open_link,
            write_to=self.room_requests.write_to,
            search=self.search_for,
        )

    def _make_room_list(self) -> RoomList:
        session = self.session
        made = RoomList(
            session.rooms,
            session.nesting,
            session.invitations,
            session.presence,
            session.room_order,
            self.tools.mark_unread,
            self.restricted,
        )
        made.chosen.connect(self.open_room)
        made.more_chosen.connect(self.room_requests.decline_all)
        made.new_room.connect(self.room_requests.new_room)
        made.search.connect(self.open_palette)
        return made

    def _make_rail(self) -> Rail:
        rail = Rail()
        for each in self.sections:
            if each.id == SEARCH:
                rail.add_stretch()
            going, key = self._going(each.id), each.key.replace("+", " ")
            rail.add(each.id, RailButton(each.icon, each.word, going, shortcut=key, word=each.id != SETTINGS))
        me = self.session.people.me
        own = RailButton("", tr("My account: {name}").format(name=me.name), self._account_menu, word=False)
        own.set_person(me)
        self.own_status.follow(own)
        rail.add("account", own)
        return rail

    def _going(self, section: str) -> Callable[[], None]:
        return lambda: self.go_section(section)

    def _make_content(self) -> Content:
        made = Content(self.session, self.tools, self._keys)
        if self._upgrade is not None:
            made.upgrade_bar.show_release(self._upgrade[0], needs_computer=self._upgrade[1])
        made.upgrade_bar.restart_requested.connect(self.restart_requested)
        made.link_chosen.connect(self.open_link)
        made.room_chosen.connect(self.open_room)
        made.notice_opened.connect(self.navigator.open_notice)
        made.notice_answered.connect(lambda row: self.navigator.open_notice(row, answers=True))
        made.room_wanted.connect(self.room_requests.new_room)
        made.recovery_sheet_wanted.connect(self._make_recovery_sheet)
        made.lock_requested.connect(self.lock_requested)
        made.key_change_requested.connect(self.key_change_requested)
        return made

    @property
    def settings_view(self) -> "SettingsView":
        """The page of the settings."""
        return self.content.settings_view

    def _on_language(self) -> None:
        QTimer.singleShot(0, self, self._rebuild)  # not under the control that was just used

    def _rebuild(self) -> None:
        """Makes all widgets again. The language may have been changed on another device while the person writes here:
        what is being written is stored first."""
        focused = self.focusWidget()
        if focused is not None:
            focused.clearFocus()  # a line that is being edited is taken over when it loses the focus
        self.keep_draft()
        self._toast.deleteLater()
        self.palette_view.deleteLater()
        with theme.styled_at_once():
            self._build()
        self.navigator.show_again()

    def _restore_geometry(self) -> None:
        saved = self.session.settings.get(WINDOW_GEOMETRY)
        if saved:
            self.restoreGeometry(QByteArray.fromBase64(saved.encode()))

    def keep_geometry(self) -> None:
        """Stores size and place of the window, and the width of the list of rooms, for the next start. If the disk
        refuses, they are not stored; that is no error."""
        settings = self.session.settings
        with suppress(StoreUnwritable):
            settings.set(WINDOW_GEOMETRY, bytes(self.saveGeometry().toBase64().data()).decode())
        self.splitter.store_width()

    def keep_draft(self) -> None:
        """Stores what is being written in the view that is shown; does nothing if that view has no drafts. If the disk
        refuses, the view shows that itself. The other views stored their drafts when the person left them."""
        view = self.navigator.current_view()
        if isinstance(view, DraftingView):
            view.keep_draft()

    def _arrange(self) -> None:
        self.folding.show_place()
        self.splitter.restore_width()

    # -- going (ui.tool.Shell and commands; the navigator does it) ------------------------------------------------

    def go(self, place: Place) -> None:
        """Goes to a place and remembers it."""
        self.navigator.go(place)

    def go_section(self, section: str, tab: str = "") -> None:
        """Goes to the section of the rail with the id `section`, at its tab `tab` ("": the first). In a small window,
        going to the rooms from an open room shows the list of rooms, and the next time the room again."""
        if section != "rooms" or not self.folding.turn():
            self.navigator.go_section(section, tab)

    def open_room(self, room: RoomId) -> None:
        """Opens a room, at the tab it had last."""
        self.navigator.open_room(room)

    def open_link(self, link: ObjectLink) -> None:
        """Opens an object in its room, at its place."""
        self.navigator.open_link(link)

    def follow(self, text: str) -> None:
        """Follows a link that another program gave: opens what it leads to, or shows why not."""
        link, why_not = judge(text, self.session)
        if link is not None:
            self.open_link(link)
        else:
            self.toast(why_not)

    def search_for(self, text: str) -> None:
        """Goes to Sök with these words."""
        self.navigator.search_for(text)

    def current_room(self) -> "RoomView | None":
        """The room that is shown now."""
        return self.navigator.current_room()

    def step_region(self, by: int) -> None:
        """Moves the focus to the next (`by` 1) or previous (-1) region of the window, by F6 or Shift+F6."""
        room, content = self.current_room(), self.content
        inside = [room.tabs, room.current_view(), room.panel] if room is not None else [content.stack.currentWidget()]
        parts = [content.bar, content.asked_bar, self.rail, self.room_list, *inside, self._toast]
        over = windows_of(self.notifications.desktop)
        regions.step([p for p in (*parts, *over) if p is not None], self.focusWidget(), by)

    # -- doing ------------------------------------------------------------------------------------------------

    def _make_recovery_sheet(self) -> None:
        self.go_section("settings")
        self.settings_view.recovery.make()

    def open_palette(self) -> None:
        """Ctrl+K."""
        self.palette_view.open()

    def toast(self, text: str, undo: Callable[[], object] | None = None, action: str = "") -> None:
        """Shows briefly what was done (`text`). `undo` is called by the message's button, None for no button; `action`
        is the button's text, "" for the usual one."""
        self._toast.show_text(text, undo, action)

    def show_errors(self) -> None:
        """Shows errors in this window from now on. Call it when the gate, which showed them, is gone."""
        self.errors.listen()

    def set_covered(self, covered: bool) -> None:
        """Notes that the curtain covers the window (`covered`) or has been lifted. While it covers the window, nothing
        is read out, notifications say only that something came, and the person counts as away."""
        self.announcer.pause(covered)
        self.auto_lock.pause(covered)
        self.notifications.set_covered(covered)

    def show_people(self) -> None:
        """Shows or hides the people panel of the open room. Does nothing if no room is open."""
        view = self.current_room()
        if view is not None:
            view.toggle_panel()

    def _written_in(self) -> QWidget | None:
        """The field at the foot of the open view in which the person writes, and which no message may cover; None if
        there is none."""
        view = self.navigator.current_view()
        return view.writing_area() if isinstance(view, WritingView) else None

    def _account_menu(self) -> None:
        me = self.session.people.me
        heading = " · ".join(x for x in (me.name, me.unit) if x)
        entries: list[Entry | None] = [Entry(text=heading), Entry(text=verified_chip(me)[3]), None]
        entries += [*self.own_status.entries(), None]
        entries += self.commands.entries("settings", "lock", "quit")
        button = self.rail.items["account"]
        popup(button, tr("Account menu"), entries, button.mapToGlobal(button.rect().topRight()))

    def notify_by(self, tray: Tray | None) -> None:
        """Makes the sign in the system tray (`tray`) show those notifications from now on that nothing else shows. A
        press on one then brings the window to the front. `tray` None: does nothing."""
        if tray is not None:
            shown = self.notifications
            shown.desktop = with_tray(shown.desktop, tray, shown.on_action)

    def _on_place_wanted(self, place: NoticeRow | RoomId | None, answers: bool) -> None:
        to_front(self)
        if isinstance(place, NoticeRow):
            self.navigator.open_notice(place, answers=answers)
        elif place is not None:
            self.navigator.open_room(place, answers=answers)
        else:
            self.go(Place(section="home", tab=ACTIVITY))

    # -- following the session ------------------------------------------------------------------------------

    @property
    def unread(self) -> int:
        """How much is unread in the rooms that are not muted."""
        return self._counts.unread

    def _on_counted(self, unread: int) -> None:
        self.unread_changed.emit(unread)
        if self.session.status.state is LinkState.SYNCING:
            self.connection.refresh()

    def show_upgrade(self, version: str, *, needs_computer: bool) -> None:
        """Shows in a bar that the release `version` of Kansli is installed and not started yet, and announces it; a
        second call with the same arguments does nothing. `needs_computer`: it is started only by a restart of the
        computer."""
        if self._upgrade == (version, needs_computer):
            return
        self._upgrade = version, needs_computer
        bar = self.content.upgrade_bar
        bar.show_release(version, needs_computer=needs_computer)
        self.announcer.announce(Kind.KEPT, bar.text())

    # -- Qt ---------------------------------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            if not self._toast.dismiss() and self.navigator.place.section in ("settings", "search"):
                self.navigator.back()
            return
        super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.folding.set_size(self.size())

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.splitter.restore_width()
        self.appeared.emit()

    def closeEvent(self, event: QCloseEvent) -> None:
        self.keep_geometry()
        super().closeEvent(event)
