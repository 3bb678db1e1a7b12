# SPDX-License-Identifier: EUPL-1.2
"""Desktop notifications of what is new in rooms, while the window is not in front. They contain only that something was
received, in the words of the tool that counts it, unless the setting has been changed to show room and message."""

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from app.core.ids import RoomId
from app.core.later import Later
from app.people.person import Person
from app.rooms.service import RoomService
from app.settings import NOTIFICATION_CONTENT, NOTIFICATIONS, Settings
from ui.kit.bind import Soon, bind
from ui.kit.translate import tr
from ui.shell.tool_list import ToolList
from ui.shell.window.new_messages import Fresh, counts, fresh
from ui.tool_parts import NewsWords

if TYPE_CHECKING:
    from ui.shell.window import freedesktop
else:
    freedesktop = Later("ui.shell.window.freedesktop")  # jeepney, 2 MB: not needed before the first notification

MAX_PREVIEW = 160
Notify = Callable[[str, str], object]
"""Shows a title and a text on the desktop."""


def desktop(window: QWidget, on_click: Callable[[], object]) -> Notify | None:
    """The function that shows a title and a text as a notification by the desktop's own service, on Linux with a
    session bus. None elsewhere: the tray then shows notifications, if there is one. `on_click` is called, without
    arguments, when the last notification is pressed."""
    if sys.platform == "linux" and QGuiApplication.platformName() in ("xcb", "wayland"):
        if os.environ.get("DBUS_SESSION_BUS_ADDRESS"):
            return service(window, on_click)
    return None


def service(window: QWidget, on_click: Callable[[], object]) -> Notify:
    """The function that shows a title and a text as a notification by the desktop's own service, which is connected at
    the first one. `on_click` is called, without arguments, when the last notification is pressed."""
    found: list[Notify] = []

    def notify(title: str, text: str) -> None:
        if not found:
            found.append(freedesktop.Freedesktop(window, on_click))
        found[0](title, text)

    return notify


class Notifications(QObject):
    """Shows a notification on the desktop when something has become unread while the window is not active: for all of
    it, only for what mentions the person, or never, as the setting says. In muted rooms only mentions notify. `latest`
    is the room of the notification that was shown last; None if none was, or if that was an invitation. `notify`, which
    shows a notification, may be set later. Nothing is shown while `is_quiet` returns True: the person is not to be
    disturbed. What came meanwhile is unread, and is not shown later."""

    def __init__(
        self,
        window: QWidget,
        rooms: RoomService,
        tools: ToolList,
        settings: Settings,
        notify: Notify | None,
        is_quiet: Callable[[], bool] = lambda: False,
    ) -> None:
        super().__init__(window)
        self._window, self._rooms, self._tools = window, rooms, tools
        self._settings, self.notify, self._is_quiet = settings, notify, is_quiet
        self._seen = counts(rooms)
        self.latest: RoomId | None = None
        bind(self, rooms.changed, Soon(self, self._on_changed).due)

    def _on_changed(self) -> None:
        before, self._seen = self._seen, counts(self._rooms)
        wanted = self._settings.get(NOTIFICATIONS)
        if self._window.isActiveWindow() or self.notify is None or wanted == "none" or self._is_quiet():
            return
        news = fresh(before, self._seen)
        if news.foremost is None or not (news.mentions or wanted == "all"):
            return
        _, room = news.foremost
        words = self._tools.news(self._rooms.objects(room))
        if words is not None:
            self.latest = room
            self.notify(*self._format_news(room, words, news))

    def invited(self, person: Person | None) -> None:
        """Shows a notification that `person` invites the user to a room; None if it is not known who. The name is shown
        only if the setting for the content allows it. Shows nothing while the window is active, or unless the user
        wants all notifications."""
        if self._window.isActiveWindow() or self.notify is None or self._settings.get(NOTIFICATIONS) != "all":
            return
        if self._is_quiet():
            return
        self.latest = None
        if person is not None and self._settings.get(NOTIFICATION_CONTENT) == "shown":
            self.notify("Kansli", tr("{name} invites you to a room.").format(name=person.name))
        else:
            self.notify("Kansli", tr("You have been invited to a room."))

    def _format_news(self, room: RoomId, words: NewsWords, news: Fresh) -> tuple[str, str]:
        """Title and text of a notification. They contain the room's title and what was written only if the setting
        allows it; otherwise, in the tool's `words`, that the person was mentioned, or how much is new."""
        if self._settings.get(NOTIFICATION_CONTENT) == "shown":
            found = next((r for r in self._rooms.rooms() if r.room == room), None)
            if found is not None:
                return found.title, found.preview[:MAX_PREVIEW]
        return "Kansli", words.named() if news.mentions else words.count(news.unread)
