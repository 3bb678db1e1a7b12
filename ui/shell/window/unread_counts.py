# SPDX-License-Identifier: EUPL-1.2
"""How much is unread or waits: beside the rail's buttons and in the window's title, with the open room's name."""

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from app.notices.kinds import KINDS
from app.notices.service import NoticeFilter
from app.session import Session
from app.settings import ROOM_IN_TITLE
from app.store.rows import MAX_UNREAD
from ui.kit.bind import Soon, bind
from ui.kit.plain import set_title
from ui.shell.notices.answers import OPEN
from ui.shell.tool_list import ToolList
from ui.shell.window.navigation import Rail
from ui.shell.window.navigator import Navigator


class UnreadCounts(QObject):
    """Shows how much is unread or waits for an answer: beside the rail's buttons and in the window's title. Call
    `use_rail` first. `changed` is emitted with the number of unread messages in rooms that are not muted."""

    changed = Signal(int)
    """How much is unread. Emitted after each look at the rooms."""

    def __init__(self, window: QWidget, session: Session, tools: ToolList, navigator: Navigator) -> None:
        super().__init__(window)
        self._window, self._session, self._tools, self._navigator = window, session, tools, navigator
        self._rail: Rail
        self.unread = 0
        """In all rooms that are not muted, with what asks for an answer and is new, and is not in a room's count."""
        of_tools = {each.kind for tool in tools.all for each in tool.notices if not each.counted}
        self._others = frozenset(of_tools | {kind.id for kind in KINDS})
        """The kinds of notices about what is counted in no room."""
        soon = Soon(self, self.refresh)
        bind(self, session.rooms.changed, soon.due)
        bind(self, session.invitations.changed, soon.due)
        bind(self, session.notices.changed, soon.due)
        bind(self, session.settings.changed, self._on_setting)
        navigator.moved.connect(self._show_title)

    def use_rail(self, rail: Rail) -> None:
        """Shows how much is unread or waits for an answer on the buttons of `rail` from now on, and no longer on those
        of the rail before."""
        self._rail = rail
        self.refresh()

    def refresh(self) -> None:
        """Counts again what is unread, and shows it."""
        messages = sum(r.unread for r in self._session.rooms.rooms() if not r.muted)
        notices = self._session.notices
        self.unread = messages + notices.count(NoticeFilter(open=True, unseen=True, kinds=self._others))
        self._show_title()
        self._rail.items["home"].set_count(notices.count(OPEN))
        self._rail.items["rooms"].set_count(messages + self._session.invitations.count)
        for section in self._tools.sections:
            if section.count is not None:
                self._rail.items[section.id].set_count(section.count())
        self.changed.emit(self.unread)

    def _on_setting(self, key: str) -> None:
        if key == ROOM_IN_TITLE.key:
            self._show_title()

    def _show_title(self) -> None:
        """Sets the window's title: how much is unread, and the open room's name unless the setting hides it."""
        rooms = self._session.rooms.rooms()
        shown = self._navigator.place.room if self._session.settings.get(ROOM_IN_TITLE) else None
        room = next((r.title for r in rooms if r.room == shown), "")
        more = "+" if any(r.unread >= MAX_UNREAD for r in rooms if not r.muted) else ""
        count = f"({self.unread}{more}) " if self.unread else ""
        set_title(self._window, f"{count}{room} – Kansli" if room else f"{count}Kansli")
