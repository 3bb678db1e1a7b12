# SPDX-License-Identifier: EUPL-1.2
"""Counts what is new in rooms: it is announced or shown on the desktop if it came since the last time. What it is
called is the words of the tool that counts it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from app.core.ids import RoomId
from app.rooms.service import RoomService, RoomSummary
from app.session import Session
from ui.kit.announcing import Announcer
from ui.kit.bind import Soon, bind
from ui.kit.gathering import Kind
from ui.shell.tool_list import ToolList
from ui.tool_parts import NewsWords

Counts = Mapping[RoomId, tuple[int, int]]
"""Of each room: how much is unread, and how much of that names the person. Of a muted room only the latter counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fresh:
    """How much has become unread since the last look: in all, and of that with the person's name in it (`mentions`).
    `rooms` are the rooms, each with whether the person is named there."""

    unread: int
    mentions: int
    rooms: tuple[tuple[bool, RoomId], ...]

    @property
    def foremost(self) -> tuple[bool, RoomId] | None:
        """One of the rooms, with whether the person is named there: a room where they are, if there is one. None if
        nothing is new."""
        return max(self.rooms, key=lambda found: found[0], default=None)


def counts(rooms: RoomService) -> dict[RoomId, tuple[int, int]]:
    """How much is unread in each room."""
    return {r.room: (0 if r.muted else r.unread, r.mentions) for r in rooms.rooms()}


def fresh(before: Counts, now: Counts) -> Fresh:
    """What is unread by the counts `now` and was not by the counts `before`. Both have, by room, how much is unread and
    how much of that names the person. A room that only `now` has counts whole."""
    unread = mentions = 0
    rooms: list[tuple[bool, RoomId]] = []
    for room, (now_unread, now_mentions) in now.items():
        was_unread, was_mentions = before.get(room, (0, 0))
        if now_unread > was_unread or now_mentions > was_mentions:
            rooms.append((now_mentions > was_mentions, room))
        unread += max(now_unread - was_unread, 0)
        mentions += max(now_mentions - was_mentions, 0)
    return Fresh(unread=unread, mentions=mentions, rooms=tuple(rooms))


class News(QObject):
    """Announces to a screen reader what has become unread, while the window is the active one. (Otherwise the desktop
    shows a notification.) `open_room` returns the room that is open, if there is one: a single new thing there is read
    out with its text."""

    def __init__(
        self,
        window: QWidget,
        session: Session,
        tools: ToolList,
        announcer: Announcer,
        open_room: Callable[[], RoomId | None],
    ) -> None:
        super().__init__(window)
        self._window, self._rooms, self._tools = window, session.rooms, tools
        self._announcer, self._open_room = announcer, open_room
        self._seen = counts(session.rooms)
        self._received: set[RoomId] = set()
        """Rooms in which something was received since the last look."""
        bind(self, session.notices.received, self._received.add)
        bind(self, session.rooms.changed, Soon(self, self._on_changed).due)

    def _on_changed(self) -> None:
        before, self._seen = self._seen, counts(self._rooms)
        news = fresh(before, {room: self._seen[room] for room in self._seen.keys() & self._received})
        self._received.clear()
        if news.foremost is None or not self._window.isActiveWindow():
            return
        named, where = news.foremost
        room = next((r for r in self._rooms.rooms() if r.room == where), None)
        words = self._tools.news(self._rooms.objects(where))
        if room is not None and words is not None:
            text = self._format_news(room, named, words)
            self._announcer.announce(Kind.MESSAGES, text, max(news.unread, news.mentions))

    def _format_news(self, room: RoomSummary, named: bool, words: NewsWords) -> str:
        if named:
            return words.named_in(room.title)
        if room.room == self._open_room() and room.preview:
            return words.new_with(room.preview)
        return words.new_in(room.title)
