# SPDX-License-Identifier: EUPL-1.2
"""The main window: rail | side list | content | status bar. Joins the shell's parts and goes to places.

It is given a session and the tools. It locks nothing itself (`lock_requested`) and closes no session.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QCloseEvent, QKeyEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QApplication, QMainWindow, QSplitter, QWidget

from app import diagnosis
from app.core.enums import LinkState, Role, RoomType
from app.core.ids import RoomId
from app.core.later import Later
from app.errors import StoreUnwritable, is_ours
from app.objects.links import ObjectLink
from app.people.person import Person
from app.rooms.invitations import MoreInvitations
from app.session import Session
from app.settings import (
    ANNOUNCE,
    AUTO_LOCK_MINUTES,
    DENSITY,
    LANGUAGE,
    ROOM_IN_TITLE,
    SIDEBAR_WIDTH,
    TEXT_SIZE,
    THEME,
    WINDOW_GEOMETRY,
)
from app.store.rows import MAX_UNREAD
from app.unlocking import Unlocking
from ui.desktop.tray import Tray
from ui.errors import code_of, sentence, sentence_of
from ui.kit import scale, tasks, theme
from ui.kit.announcing import Announcer
from ui.kit.bind import Soon, bind
from ui.kit.bug_dialog import BugNotifier
from ui.kit.card import EmptyState
from ui.kit.dialogs import confirm, show
from ui.kit.front import to_front
from ui.kit.gathering import Kind
from ui.kit.menu import Entry, popup
from ui.kit.pages import Pages
from ui.kit.plain import set_title
from ui.kit.roomy import Roomy
from ui.kit.scale import px
from ui.kit.screens import first_size, least_size
from ui.kit.style import column, line, set_props
from ui.kit.tasks import run, run_guarded
from ui.kit.toast import InfoBar, Toast
from ui.kit.translate import change_language, tr, trn
from ui.shell.home.home_page import Home
from ui.shell.room.duplicate_accounts import may_add
from ui.shell.room.invitation_view import InvitationView
from ui.shell.room.member_dialogs import NewRoomDialog
from ui.shell.room.room_view import RoomView
from ui.shell.settings.diagnosis_dialog import report_fault
from ui.shell.tool_list import ToolList
from ui.shell.window import regions
from ui.shell.window.auto_lock import AutoLock
from ui.shell.window.commands import Commands
from ui.shell.window.folding import Folding
from ui.shell.window.navigation import Place, Rail, RailButton
from ui.shell.window.navigator import Navigator, Parts
from ui.shell.window.new_messages import News
from ui.shell.window.notifications import Notifications, desktop
from ui.shell.window.outside_links import judge
from ui.shell.window.palette import Palette
from ui.shell.window.palette_search import Finder
from ui.shell.window.recovery_request_bar import AskedBar
from ui.shell.window.revoked import RevokedDialog
from ui.shell.window.room_list import WIDTH, RoomList
from ui.shell.window.search_view import SearchView
from ui.shell.window.sections import SEARCH, SETTINGS, sections
from ui.shell.window.status_bar import StatusBar
from ui.shell.window.upgrade_bar import UpgradeBar
from ui.shell.window.window_commands import window_commands
from ui.shell.words import verified_chip
from ui.tool import AnyTool, DraftingView, WritingView

if TYPE_CHECKING:
    from ui.shell.settings import settings_view as settings_page
else:
    settings_page = Later("ui.shell.settings.settings_view")  # with its dialogs 0.5 MB

FEW_ROOMS = 3
"""So few rooms are read before a person has read a sentence about it."""


class MainWindow(QMainWindow):
    """`ui.tool.Shell` for the tools in it."""

    lock_requested = Signal()
    key_change_requested = Signal(object)
    """KeyChange: the program closes the session for it."""
    quit_requested = Signal()
    restart_requested = Signal()
    """The person wants the release that was installed meanwhile."""
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
        now: Callable[[], datetime] = datetime.now,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.session, self._keys = session, keys
        self._now = now
        self.tools = ToolList(tools, session, now)
        self.unread = 0
        self.announcer = Announcer(self, lambda: session.settings.get(ANNOUNCE))
        self._announced_status = ""
        self._upgrade: tuple[str, bool] | None = None
        """The installed release that waits, and whether only a restart of the computer helps."""
        self._known: tuple[LinkState, str | None, str] = LinkState.CONNECTING, None, ""
        """State and code of the connection when no attempt was under way."""
        self.navigator = Navigator(session, self.tools, self)
        self.navigator.write_to.connect(self.write_to)
        self._bound: list[QAction] = []
        self._settings_view: settings_page.SettingsView | None = None
        set_title(self, "Kansli")
        self.setMinimumSize(least_size(self))
        self.resize(first_size(self))
        self._restore_geometry()
        settings = session.settings
        self.auto_lock = AutoLock(settings.get(AUTO_LOCK_MINUTES), self)
        self.auto_lock.idle.connect(self.lock_requested)
        with theme.styled_at_once():
            self._build()
        self._notifications = Notifications(self, session.rooms, self.tools, settings, desktop(self, self._to_front))
        self._news = News(self, session.rooms, self.tools, self.announcer, lambda: self.navigator.place.room)
        bind(self, settings.changed, self._on_setting)
        bind(self, session.status_changed, self._on_status)
        rooms_soon = Soon(self, self._on_rooms)
        bind(self, session.rooms.changed, rooms_soon.due)
        bind(self, session.invitations.changed, rooms_soon.due)
        bind(self, session.invitations.arrived, self._notifications.invited)
        self._bugs = BugNotifier(self, self._report_bug)
        tasks.set_error_hook(self._on_error)
        self.go(Place(section="home"))

    # -- building ---------------------------------------------------------------------------------------------

    def _build(self) -> None:
        """Makes every part in the language in force; called again when the language changes."""
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
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        self.splitter.setHandleWidth(1)
        self.splitter.setChildrenCollapsible(False)
        self.room_list = RoomList(self.session.rooms, self.session.invitations)
        self.room_list.chosen.connect(self.open_room)
        self.room_list.more_chosen.connect(lambda more: run(self, self._decline_all(more)))
        self.room_list.new_room.connect(self.new_room)
        self.room_list.search.connect(self.open_palette)
        self.splitter.addWidget(self.room_list)
        content = self._make_content()
        self.splitter.addWidget(content)
        self.splitter.setStretchFactor(1, 1)
        width = self.session.settings.get(SIDEBAR_WIDTH)
        self._side_width = WIDTH if width == SIDEBAR_WIDTH.default else width
        self.splitter.splitterMoved.connect(self._on_splitter)
        whole.addWidget(self.splitter, 1)
        self.setCentralWidget(central)
        self.folding = Folding(self.rail, self.room_list, content, lambda: self.navigator.place)
        self.folding.changed.connect(self._keep_side_width)
        self.folding.set_size(self.size())
        self.navigator.use_parts(self._parts())
        self._toast = Toast(self, self._written_in)
        self.navigator.moved.connect(self._toast.place)
        self.navigator.moved.connect(self._show_title)
        finder = Finder(
            self.session,
            self.commands,
            self.tools,
            open_room=self.open_room,
            open_link=self.open_link,
            write_to=self.write_to,
            search=self.search_for,
        )
        self.palette_view = Palette(self, finder)
        self._show_status()
        self._on_rooms()

    def _parts(self) -> Parts:
        sections: dict[str, Callable[[], QWidget]] = {
            "home": lambda: self.home,
            **{ident: partial(self.of_tools.__getitem__, ident) for ident in self.of_tools},
            "search": lambda: self.search_view,
            "settings": lambda: self.settings_view,
        }
        return Parts(
            rail=self.rail,
            room_list=self.room_list,
            stack=self.stack,
            sections=sections,
            search=self.search_view,
            no_room=self.no_room,
            invitation=self.invitation,
            arrange=self._arrange,
        )

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
        rail.add("account", own)
        return rail

    def _going(self, section: str) -> Callable[[], None]:
        return lambda: self.go_section(section)

    def _make_content(self) -> QWidget:
        content = QWidget()
        layout = column(content)
        self.bar = InfoBar()
        layout.addWidget(self.bar)
        self.asked_bar = AskedBar(self.session)
        layout.addWidget(self.asked_bar)
        self.upgrade_bar = UpgradeBar()
        self.upgrade_bar.restart_requested.connect(self.restart_requested)
        if self._upgrade is not None:
            self.upgrade_bar.show_release(self._upgrade[0], needs_computer=self._upgrade[1])
        layout.addWidget(self.upgrade_bar)
        self.stack = Pages()
        self.stack.setAccessibleName(tr("Content"))
        self.home = Home(self.session, self.tools, self._now)
        self.home.link_chosen.connect(self.open_link)
        self.home.room_chosen.connect(self.open_room)
        self.home.recovery_sheet_wanted.connect(self._make_recovery_sheet)
        self.search_view = SearchView(self.session, self.tools)
        self.search_view.link_chosen.connect(self.open_link)
        self._settings_view = None
        self.no_room = EmptyState(
            "room",
            tr("No room is open"),
            tr("Rooms hold people, {things} of a case. Choose one in the list, or make a new one.").format(
                things=self.tools.things()
            ),
            tr("Make a room"),
            self.new_room,
        )
        self.invitation = InvitationView(self.session)
        self.invitation.entered.connect(self.open_room)
        self.of_tools = {section.id: section.make() for section in self.tools.sections}
        for view in (self.home, *self.of_tools.values(), self.search_view, self.no_room, self.invitation):
            self.stack.addWidget(view)
        layout.addWidget(Roomy(self.stack), 1)
        self.status = StatusBar()
        layout.addWidget(self.status)
        return content

    @property
    def settings_view(self) -> "settings_page.SettingsView":
        """The settings, made at their first use: they are half of the window's widgets, and few starts show them."""
        if self._settings_view is None:
            with theme.styled_at_once():
                self._settings_view = view = settings_page.SettingsView(self.session, self._keys, tools=self.tools.all)
                self.stack.addWidget(view)
            view.lock.connect(self.lock_requested)
            view.key_change.connect(self.key_change_requested)
            view.room_chosen.connect(self.open_room)
        return self._settings_view

    def _restore_geometry(self) -> None:
        saved = self.session.settings.get(WINDOW_GEOMETRY)
        if saved:
            self.restoreGeometry(QByteArray.fromBase64(saved.encode()))

    def keep_geometry(self) -> None:
        """Stores size and place of the window for the next time. A full disk does not keep the window open."""
        settings = self.session.settings
        with suppress(StoreUnwritable):
            settings.set(WINDOW_GEOMETRY, bytes(self.saveGeometry().toBase64().data()).decode())
            if self._side_width != WIDTH:
                settings.set(SIDEBAR_WIDTH, self._side_width)

    def keep_draft(self) -> None:
        """Stores what is being written in the current view. The other views stored theirs when the person left them."""
        room = self.current_room()
        view = room.current_view() if room is not None else None
        if isinstance(view, DraftingView):
            view.keep_draft()

    def _on_splitter(self) -> None:
        if not self.folding.folded:
            self._side_width = round(self.splitter.sizes()[0] / scale.ratio())

    def _arrange(self) -> None:
        self.folding.show_place()
        self._keep_side_width()

    def _keep_side_width(self) -> None:
        """The side list keeps the width that was chosen, whatever the window has been in between."""
        if not self.room_list.isHidden() and not self.folding.folded:
            side = px(self._side_width)
            self.splitter.setSizes([side, max(self.splitter.width() - side, 1)])

    # -- going (ui.tool.Shell and commands; the navigator does it) ------------------------------------------------

    def go(self, place: Place) -> None:
        """Goes to a place and remembers it."""
        self.navigator.go(place)

    def go_section(self, section: str) -> None:
        """Goes to a section of the rail. Where the window has no place for the list of rooms beside a room, going to
        the rooms from a room shows the list, and the next time the room again."""
        if section != "rooms" or not self.folding.turn():
            self.navigator.go_section(section)

    def open_room(self, room: RoomId) -> None:
        """Opens a room, at the tab it had last."""
        self.navigator.open_room(room)

    def open_link(self, link: ObjectLink) -> None:
        """Opens an object in its room, at its place."""
        self.navigator.open_link(link)

    def follow(self, text: str) -> None:
        """Follows a link from outside: opens what it leads to, or shows why not."""
        link, why_not = judge(text, self.session)
        if link is not None:
            self.open_link(link)
        else:
            self.toast(why_not)

    def search_for(self, text: str) -> None:
        """Goes to Sök with these words."""
        self.navigator.search_for(text)

    def current_room(self) -> RoomView | None:
        """The room that is shown now."""
        return self.navigator.current_room()

    def step_region(self, by: int) -> None:
        """F6 and Shift+F6: moves the focus to the next (`by` 1) or previous (-1) region of the window."""
        room = self.current_room()
        content = [room.tabs, room.current_view(), room.panel] if room is not None else [self.stack.currentWidget()]
        parts = [self.bar, self.asked_bar, self.rail, self.room_list, *content, self._toast]
        regions.step([p for p in parts if p is not None], self.focusWidget(), by)

    # -- doing ------------------------------------------------------------------------------------------------

    def _make_recovery_sheet(self) -> None:
        self.go_section("settings")
        self.settings_view.recovery.make()

    def open_palette(self) -> None:
        """Ctrl+K."""
        self.palette_view.open()

    def new_room(self) -> None:
        """Asks for a name and makes a room."""
        run(self, self._new_room())

    async def _new_room(self) -> None:
        dialog = NewRoomDialog(self, self.tools.things())
        answer: list[tuple[str, RoomType]] = []
        dialog.accepted.connect(lambda: answer.append((dialog.title.text().strip(), dialog.room_type)))
        if await show(dialog) and answer:
            self.open_room(await self.session.rooms.create(*answer[0]))

    async def _decline_all(self, more: MoreInvitations) -> None:
        """Shows how many more invitations there are by one person, and declines them if the person wants it."""
        name = more.by.name if more.by is not None else tr("Somebody")
        text = tr(
            "There are so many that they are not shown one by one. When you have answered some of the others, the next "
            "ones are shown. Nobody is told if you decline."
        )
        title = trn("{n} more invitation by {name}", "{n} more invitations by {name}", len(more.rooms))
        if await confirm(self, title.format(n=len(more.rooms), name=name), text, accept=tr("Decline all"), danger=True):
            invitations = self.session.invitations
            await invitations.decline(*more.rooms)
            self.toast(tr("The invitations are declined."), lambda: run(self, invitations.ask_again(*more.rooms)))

    def write_to(self, person: Person) -> None:
        """Opens the direct room with a person; makes it if there is none."""
        run(self, self._write_to(person))

    async def _write_to(self, person: Person) -> None:
        rooms = self.session.rooms
        for summary in rooms.rooms():
            if summary.type is RoomType.DIRECT and any(m.person.uid == person.uid for m in rooms.members(summary.room)):
                self.open_room(summary.room)
                return
        if not await may_add(self, self.session.people, person):
            return
        room = await rooms.create(person.name, RoomType.DIRECT)
        await rooms.add(room, person.uid, Role.OWNER, True)
        self.open_room(room)

    def toast(self, text: str, undo: Callable[[], object] | None = None, action: str = "") -> None:
        """Shows briefly what was done (`text`). `undo`: what the button of the message calls, None for no button;
        `action`: the button's text, "" for the usual one."""
        self._toast.show_text(text, undo, action)

    def set_theme(self, choice: str) -> None:
        """Changes and keeps the theme."""
        run_guarded(self, lambda: self.session.settings.set(THEME, choice))

    def step_text_size(self, by: int) -> None:
        """Makes all text so many steps larger, or smaller, and keeps it; 0 takes it back to the usual size."""
        settings = self.session.settings
        size = scale.step(settings.get(TEXT_SIZE), by) if by else TEXT_SIZE.default
        if run_guarded(self, lambda: settings.set(TEXT_SIZE, size)):
            self.toast(tr("Text size: {size} %").format(size=size))

    def show_people(self) -> None:
        """Shows or hides the people panel of the room."""
        view = self.current_room()
        if view is not None:
            view.toggle_panel()

    def _written_in(self) -> QWidget | None:
        """The field at the foot of what is shown, which no message may cover."""
        room = self.current_room()
        view = room.current_view() if room is not None else None
        return view.writing_area() if isinstance(view, WritingView) else None

    def _account_menu(self) -> None:
        me = self.session.people.me
        heading = " · ".join(x for x in (me.name, me.unit) if x)
        entries: list[Entry | None] = [Entry(text=heading), Entry(text=verified_chip(me)[3]), None]
        entries += self.commands.entries("settings", "lock", "quit")
        button = self.rail.items["account"]
        popup(button, tr("Account menu"), entries, button.mapToGlobal(button.rect().topRight()))

    def notify_by(self, tray: Tray | None) -> None:
        """Shows notifications by the tray's sign, where the desktop has no service of its own for them."""
        if tray is not None and self._notifications.notify is None:
            self._notifications.notify = tray.notify
            tray.item.messageClicked.connect(self._to_front)

    def _to_front(self) -> None:
        to_front(self)
        if self._notifications.latest is not None:
            self.open_room(self._notifications.latest)

    # -- hearing ----------------------------------------------------------------------------------------------

    def _on_setting(self, key: str) -> None:
        settings = self.session.settings
        app = QApplication.instance()
        if key == THEME.key and isinstance(app, QApplication):
            theme.apply(app, settings.get(THEME))
        elif key in (TEXT_SIZE.key, DENSITY.key) and isinstance(app, QApplication):
            theme.resize(app, settings.get(TEXT_SIZE), settings.get(DENSITY))
        elif key == ROOM_IN_TITLE.key:
            self._show_title()
        elif key == AUTO_LOCK_MINUTES.key:
            self.auto_lock.set_minutes(settings.get(AUTO_LOCK_MINUTES))
        elif key == LANGUAGE.key:
            change_language(settings.get(LANGUAGE))
            QTimer.singleShot(0, self, self._rebuild)  # not under the control that was just used

    def _rebuild(self) -> None:
        self._toast.deleteLater()
        self.palette_view.deleteLater()
        with theme.styled_at_once():
            self._build()
        self.navigator.show_again()

    def _on_status(self) -> None:
        self._show_status()
        self._announce_status()

    def _show_status(self) -> None:
        self.status.show_status(self.session.status)
        self._show_bar()

    def _announce_status(self) -> None:
        """Announces the status bar's text when its subject changes, and that the connection is back; not at each
        attempt to connect, nor when only the number of waiting changes differs."""
        status, before = self.session.status, self._announced_status
        if self.session.devices.ended == "revoked":
            self._announced_status = "revoked"
        elif status.state in (LinkState.OFFLINE, LinkState.ERROR):
            self._announced_status = f"{status.state} {status.code}"
        elif status.state is not LinkState.CONNECTING:
            self._announced_status = ""
        if self._announced_status and self._announced_status != before:
            self.announcer.announce(Kind.KEPT, self.bar.text())
        elif before.startswith(LinkState.OFFLINE) and not self._announced_status:
            self.announcer.announce(Kind.KEPT, tr("You are online again"))

    def _show_bar(self) -> None:
        """Shows the connection's bar. The last known state stays while Kansli tries to connect. Otherwise the bar, and
        all below it, would come and go at each attempt."""
        status = self.session.status
        if status.state is not LinkState.CONNECTING:
            self._known = status.state, status.code, status.about
        state, code, about = self._known
        if self.session.devices.ended == "revoked":
            self.bar.show_state(
                "danger", "warning", sentence("revoked").text, tr("What can I do?"), lambda: run(self, self.ask_erase())
            )
        elif state is LinkState.ERROR and code:
            self.bar.show_state("warning", "warning", sentence(code, address=about).text, code=code)
        elif state is LinkState.OFFLINE:
            text = tr("You are offline. Everything can be read and changed; it is sent when the connection is back.")
            if code == "proxy-failed":
                problem = sentence(code)
                text = f"{problem.title} {text}"
            if status.waiting:
                text += " " + trn("{n} change is waiting.", "{n} changes are waiting.", status.waiting).format(
                    n=status.waiting
                )
            self.bar.show_state("info", "offline", text)
        elif state is LinkState.SYNCING and (reading := self._reading()):
            self.bar.show_state("info", "syncing", reading)
        else:
            self.bar.hide()

    def show_upgrade(self, version: str, *, needs_computer: bool) -> None:
        """Shows in a bar that this release is installed and waits, and announces it once. `needs_computer`: only a
        restart of the computer helps."""
        if self._upgrade == (version, needs_computer):
            return
        self._upgrade = version, needs_computer
        self.upgrade_bar.show_release(version, needs_computer=needs_computer)
        self.announcer.announce(Kind.KEPT, self.upgrade_bar.text())

    def _reading(self) -> str:
        """How far a new device has come in reading its rooms; "" when hardly any is left."""
        done, rooms = self.session.reading
        if rooms - done < FEW_ROOMS:
            return ""
        return tr("Your rooms are being read: {n} of {all}.").format(n=done, all=rooms)

    async def ask_erase(self) -> None:
        """Shows what a revocation means, offers to keep unsent work, and removes everything if the person wants it."""
        if await show(RevokedDialog(self, self.session.unsent)):
            title, text = tr("Remove everything?"), tr("It cannot be undone.")
            if await confirm(self, title, text, accept=tr("Remove everything"), danger=True):
                self.erase_requested.emit()

    def _on_rooms(self) -> None:
        counted = [r.unread for r in self.session.rooms.rooms() if not r.muted]
        self.unread = sum(counted)
        self._show_title()
        self.rail.items["rooms"].set_count(self.unread + self.session.invitations.count)
        for section in self.tools.sections:
            if section.count is not None:
                self.rail.items[section.id].set_count(section.count())
        self.unread_changed.emit(self.unread)
        if self.session.status.state is LinkState.SYNCING:
            self._on_status()

    def _show_title(self) -> None:
        """Sets the window's title: how much is unread, and the open room's name unless the setting hides it."""
        rooms = self.session.rooms.rooms()
        shown = self.navigator.place.room if self.session.settings.get(ROOM_IN_TITLE) else None
        room = next((r.title for r in rooms if r.room == shown), "")
        more = "+" if any(r.unread >= MAX_UNREAD for r in rooms if not r.muted) else ""
        count = f"({self.unread}{more}) " if self.unread else ""
        set_title(self, f"{count}{room} – Kansli" if room else f"{count}Kansli")

    def _on_error(self, _owner: QObject, error: Exception, again: tasks.Again) -> None:
        if is_ours(error):
            self._bugs.show_fault(error)
        else:
            self._toast.show_text(sentence_of(error).text, again, tr("Try again"), code=code_of(error), kept=True)

    def _report_bug(self, lines: Sequence[str]) -> None:
        run(self, self._save_report(lines))

    async def _save_report(self, lines: Sequence[str]) -> None:
        if await report_fault(self, self.session.report, diagnosis.write, lines) is not None:
            self.toast(tr("The report is saved"))

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
        self._keep_side_width()
        self.appeared.emit()

    def closeEvent(self, event: QCloseEvent) -> None:
        self.keep_geometry()
        super().closeEvent(event)
