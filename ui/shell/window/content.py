# SPDX-License-Identifier: EUPL-1.2
"""What the window shows beside the rail and the list of rooms: bars, the page of the place, the status bar.

It goes nowhere by itself: the navigator chooses the page, and what a person chooses in a page is a signal.
"""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from app.core.later import Later
from app.session import Session
from app.unlocking import Unlocking
from ui.kit import theme
from ui.kit.card import EmptyState
from ui.kit.pages import Pages
from ui.kit.roomy import Roomy
from ui.kit.style import column
from ui.kit.toast import InfoBar
from ui.kit.translate import tr
from ui.shell.home.home_page import Home
from ui.shell.home.home_pages import HomePages
from ui.shell.notices.lines import NoticeLines
from ui.shell.tool_list import ToolList
from ui.shell.window import desktops
from ui.shell.window.recovery_request_bar import AskedBar
from ui.shell.window.search_view import SearchView
from ui.shell.window.status_bar import StatusBar
from ui.shell.window.upgrade_bar import UpgradeBar

if TYPE_CHECKING:
    from ui.shell.notices import activity_page
    from ui.shell.room import invitation_view
    from ui.shell.settings import settings_view as settings_page
else:
    activity_page = Later("ui.shell.notices.activity_page", when_idle=True)
    invitation_view = Later("ui.shell.room.invitation_view", when_idle=True)
    settings_page = Later("ui.shell.settings.settings_view", when_idle=True)


class Content(QWidget):
    """The part of the window beside the rail and the list of rooms: bars, the pages (such as Home, search, settings),
    and the status bar. `stack` shows one page at a time; its owner chooses which. What a person chooses in a page is
    emitted."""

    link_chosen = Signal(object)
    """An ObjectLink."""
    room_chosen = Signal(object)
    """A RoomId."""
    room_wanted = Signal()
    """The person wants to make a room."""
    notice_opened = Signal(object)
    """A NoticeRow whose place is wanted."""
    notice_answered = Signal(object)
    """A NoticeRow of which an answer is to be begun."""
    recovery_sheet_wanted = Signal()
    lock_requested = Signal()
    key_change_requested = Signal(object)
    """A KeyChange."""

    def __init__(self, session: Session, tools: ToolList, keys: Unlocking | None) -> None:
        super().__init__()
        self._session, self._tools, self._keys = session, tools, keys
        self._settings_view: settings_page.SettingsView | None = None
        self._invitation: invitation_view.InvitationView | None = None
        self._of_tools: dict[str, QWidget] = {}
        self.bar, self.asked_bar, self.upgrade_bar = InfoBar(), AskedBar(session), UpgradeBar()
        self.stack, self.status = Pages(), StatusBar()
        self.stack.setAccessibleName(tr("Content"))
        self._make_pages()
        layout = column(self)
        for each in (self.bar, self.asked_bar, self.upgrade_bar):
            layout.addWidget(each)
        self.asked_bar.refresh()
        layout.addWidget(Roomy(self.stack), 1)
        layout.addWidget(self.status)

    def _make_pages(self) -> None:
        self.lines = NoticeLines(self._session, self._tools)
        self.home = Home(self._session, self._tools, self.lines)
        self.home.link_chosen.connect(self.link_chosen)
        self.home.notice_opened.connect(self.notice_opened)
        self.home.notice_answered.connect(self.notice_answered)
        self.home_pages = HomePages(self._session, self.home, self._make_activity)
        self.home.recovery_sheet_wanted.connect(self.recovery_sheet_wanted)
        self.search_view = SearchView(self._session, self._tools)
        self.search_view.link_chosen.connect(self.link_chosen)
        self.no_room = EmptyState(
            "room",
            tr("No room is open"),
            tr("Rooms hold people, {things} of a case. Choose one in the list, or make a new one.").format(
                things=self._tools.things()
            ),
            tr("Make a room"),
            self.room_wanted.emit,
        )
        for page in (self.home_pages, self.search_view, self.no_room):
            self.stack.addWidget(page)

    def _make_activity(self) -> "activity_page.Activity":
        made = activity_page.Activity(self._session, self.lines)
        made.opened.connect(self.notice_opened)
        made.answered.connect(self.notice_answered)
        return made

    @property
    def invitation(self) -> "invitation_view.InvitationView":
        """The page of a room that the person is invited to, made when it is first used."""
        if self._invitation is None:
            with theme.styled_at_once():
                self._invitation = view = invitation_view.InvitationView(self._session)
                self.stack.addWidget(view)
            view.entered.connect(self.room_chosen)
        return self._invitation

    def of_tool(self, section: str) -> QWidget:
        """The page of a tool's section of the rail, made when it is first used. KeyError if no tool has it."""
        if section not in self._of_tools:
            make = {each.id: each.make for each in self._tools.sections}[section]
            with theme.styled_at_once():
                self._of_tools[section] = make()
                self.stack.addWidget(self._of_tools[section])
        return self._of_tools[section]

    @property
    def settings_view(self) -> "settings_page.SettingsView":
        """The settings page, made when it is first used: it has half of the window's widgets, and few starts show
        it."""
        if self._settings_view is None:
            with theme.styled_at_once():
                self._settings_view = view = settings_page.SettingsView(
                    self._session, self._keys, tools=self._tools.all, shows_windows=desktops.shows_windows()
                )
                self.stack.addWidget(view)
            view.lock.connect(self.lock_requested)
            view.key_change.connect(self.key_change_requested)
            view.room_chosen.connect(self.room_chosen)
        return self._settings_view

    def sections(self) -> dict[str, Callable[[], QWidget]]:
        """For each section of the rail except the rooms, by id: a function that returns its page."""
        return {
            "home": lambda: self.home_pages,
            **{section.id: partial(self.of_tool, section.id) for section in self._tools.sections},
            "search": lambda: self.search_view,
            "settings": lambda: self.settings_view,
        }
