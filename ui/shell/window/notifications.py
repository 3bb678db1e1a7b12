# SPDX-License-Identifier: EUPL-1.2
"""Desktop notifications while the window is not in front: of notices that ring, and of what is new in rooms of which
everything rings. One for each conversation, whose later ones take its place. They contain only that something came,
unless the settings, and the person's choice for the room, let them show who wrote what."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from app.core.enums import Level, LinkState
from app.core.ids import RoomId
from app.core.visible import one_line
from app.notices.hours import may_notify
from app.notices.kinds import comes_at_a_time
from app.notices.service import FreshNotices, NoticeId, NoticeRow
from app.notification_settings import NOTIFICATION_CONTENT, NOTIFICATION_SOUND
from app.people.person import Person
from app.rooms.service import RoomSummary
from app.session import Session
from ui.kit.bind import Soon, bind
from ui.kit.choose_time import in_an_hour
from ui.kit.tasks import run, run_guarded
from ui.kit.translate import local_now, tr, trn
from ui.shell.notices.lines import NoticeLines
from ui.shell.tool_list import ToolList
from ui.shell.window.desktop_toast import Desktop, Toast, ToastAction
from ui.shell.window.new_messages import counts

MAX_PREVIEW = 160
MOST_AT_ONCE = 3
"""The most rooms that have a notification each when several have news at once. More have one together: the person was
away."""
INVITATION, SEVERAL, COVERED = "invitation", "several", "covered"
"""Keys of notifications that belong to no room."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _News:
    """What is new in one room: notices that ring, or how many messages became unread. `notices`: the newest of those
    that ring, `timed`: all of them that come at a time, `asking`: all that ask for an answer, `rung`: how many ring,
    `unread`: the further messages."""

    notices: Sequence[NoticeRow] = ()
    timed: Sequence[NoticeRow] = ()
    asking: Sequence[NoticeId] = ()
    rung: int = 0
    unread: int = 0

    @property
    def count(self) -> int:
        """How many new things there are in all."""
        return self.rung + self.unread


_NONE = _News()


class Notifications(QObject):
    """Shows notifications on the desktop while the window is not active. `desktop`, which shows them, may be set later.
    Nothing is shown while the person is not to be disturbed, nor outside their working hours: what came then is counted
    and listed, and is not shown later. It emits `place_wanted` when the person presses one: with the NoticeRow or
    RoomId that it was about, or None if that was several or none; and with whether an answer is to be begun."""

    place_wanted = Signal(object, bool)
    time_come = Signal(object)
    """The window is in front, and something rings that the person wanted at this time: all NoticeRows that do. The
    window shows them itself."""
    front_wanted = Signal()
    """The person pressed a notification while the curtain covers the window."""

    def __init__(
        self,
        window: QWidget,
        session: Session,
        tools: ToolList,
        lines: Callable[[], NoticeLines],
        desktop: Desktop | None,
        now: Callable[[], datetime] = local_now,
    ) -> None:
        super().__init__(window)
        self._window, self._session, self._tools, self._lines = window, session, tools, lines
        self.desktop, self._now = desktop, now
        self._seen = counts(session.rooms)
        self._received: set[RoomId] = set()
        """Rooms in which something was received since the counts were compared."""
        self._due: dict[RoomId, _News] = {}
        self._shown: dict[Hashable, tuple[NoticeRow | RoomId | None, _News]] = {}
        """By key: what a notification leads to, and the news that it is about."""
        self.latest: Hashable = None
        """The key of the notification that was shown last."""
        self._covered = False
        self._soon = Soon(self, self._show_due)
        bind(self, session.notices.received, self._received.add)
        bind(self, session.rooms.changed, Soon(self, self._on_rooms).due)
        bind(self, session.notices.fresh, self._on_fresh)

    def set_covered(self, covered: bool) -> None:
        """Notes that the curtain covers the window (`covered`) or has been lifted. In both cases all notifications are
        taken off the desktop. ▲ While the curtain covers the window, a single notification says that something came:
        not what, from whom, where or how much."""
        self._covered = covered
        for key in list(self._shown):
            del self._shown[key]
            if self.desktop is not None:
                self.desktop.withdraw(key)

    # -- what is new -----------------------------------------------------------------------------------------------

    def _on_fresh(self, fresh: FreshNotices) -> None:
        before = self._due.get(fresh.room, _News())
        self._due[fresh.room] = _News(
            notices=fresh.notices,
            timed=(*before.timed, *fresh.timed),
            asking=(*before.asking, *fresh.asking),
            rung=before.rung + fresh.count,
            unread=before.unread,
        )
        now = counts(self._session.rooms).get(fresh.room)
        if now is not None:  # the messages of these notices are no further news
            self._seen[fresh.room] = now
        self._soon.due()

    def _on_rooms(self) -> None:
        if self._session.status.state is LinkState.SYNCING:
            return  # what came meanwhile is compared once, when all of it is here
        before, self._seen = self._seen, counts(self._session.rooms)
        notices = self._session.notices
        for room, (unread, mentions) in self._seen.items():
            was_unread, was_mentions = before.get(room, (0, 0))
            if unread + mentions < was_unread + was_mentions:
                self._withdraw(room)
            rises = room in self._received and unread > was_unread
            if rises and notices.level(room) is Level.ALL and not notices.is_due(room):
                waiting = self._due.get(room, _News())
                self._due[room] = replace(waiting, unread=waiting.unread + unread - was_unread)
        self._received.clear()
        self._show_due()

    def _withdraw(self, room: RoomId) -> None:
        self._due.pop(room, None)
        if self._shown.pop(room, None) is not None and self.desktop is not None:
            self.desktop.withdraw(room)

    # -- showing it ------------------------------------------------------------------------------------------------

    def is_silent(self) -> bool:
        """Whether nothing is to be shown now."""
        return self.desktop is None or self._is_in_front() or not self._may_notify()

    def _is_in_front(self) -> bool:
        return self._window.isActiveWindow()

    def _may_notify(self) -> bool:
        return may_notify(self._session.settings, self._now(), quiet=self._session.presence.quiet)

    def _show_due(self) -> None:
        due, self._due = self._due, {}
        wanted = [row for news in due.values() for row in news.timed]
        if wanted and not self._covered and self._is_in_front() and self._may_notify():
            self.time_come.emit(wanted)
        if not due or self.is_silent():
            return
        if self._covered:
            self._show_covered()
            return
        if len(due) > MOST_AT_ONCE:
            self._show_several(due)
            return
        for room, news in due.items():
            if news.notices:
                self._show_notices(room, news)
            else:
                self._show_unread(room, news.count)

    def _show_several(self, due: Mapping[RoomId, _News]) -> None:
        count = sum(news.count for news in due.values())
        text = trn("{n} new thing in {rooms} rooms", "{n} new things in {rooms} rooms", count)
        self._show(SEVERAL, "Kansli", text.format(n=count, rooms=len(due)), None)

    def _show_notices(self, room: RoomId, news: _News) -> None:
        newest, lines = news.notices[-1], self._lines()
        key: Hashable = room or newest.id
        place: NoticeRow | RoomId = newest if news.count == 1 or not room else room
        actions = _actions(newest, lines)
        if not self._shows_content(room):
            text = lines.hidden(newest.kind, news.count) if _are_alike(news) else _several_text(news.count)
            self._show(key, "Kansli", text, place, news, actions)
            return
        line = lines.line(newest)
        title = _title(line.who, "" if lines.is_direct(room) else line.room)
        text = line.text if newest.kind in lines.counted and line.text else _title(line.title, line.text)
        if news.count > 1:
            text = tr("{text} (and {n} more)").format(text=text[:MAX_PREVIEW], n=news.count - 1)
        self._show(key, title or "Kansli", text, place, news, actions)

    def _show_unread(self, room: RoomId, count: int) -> None:
        words, found = self._tools.news(self._session.rooms.objects(room)), self._room(room)
        if words is None or found is None:
            return
        if not self._shows_content(room):
            self._show(room, "Kansli", words.count(count), room, actions=_BOTH)
            return
        who = self._session.people.person(found.last_by).name if found.last_by is not None else ""
        title = found.title if who == found.title else _title(who, found.title)
        self._show(room, title, found.preview, room, actions=_BOTH)

    def invited(self, person: Person | None) -> None:
        """Shows a notification that `person` invites the user to a room; None if it is not known who. The name is shown
        only if the setting for the content allows it. An invitation is meant for the user, so it is shown too if they
        want notifications of mentions only."""
        if self.is_silent():
            return
        if self._covered:
            self._show_covered()
            return
        text = tr("You have been invited to a room.")
        if person is not None and self._session.settings.get(NOTIFICATION_CONTENT) == "shown":
            text = tr("{name} invites you to a room.").format(name=person.name)
        self._show(INVITATION, "Kansli", text, None)

    def _show_covered(self) -> None:
        self._show(COVERED, "Kansli", tr("Something has come. Unlock Kansli to see it."), None)

    def _show(
        self,
        key: Hashable,
        title: str,
        text: str,
        place: NoticeRow | RoomId | None,
        news: _News = _NONE,
        actions: set[ToastAction] | frozenset[ToastAction] = frozenset(),
    ) -> None:
        if self.desktop is None:
            return
        self._shown[key] = (place, news)
        self.latest = key
        sounds = self._session.settings.get(NOTIFICATION_SOUND)
        text, is_bare = one_line(text, MAX_PREVIEW), key == COVERED
        self.desktop(Toast(key=key, title=title, text=text, sounds=sounds, actions=frozenset(actions), is_bare=is_bare))

    def _shows_content(self, room: RoomId) -> bool:
        """Whether a notification about the room may show who wrote what: by the setting, or policy's, and the person's
        choice for the room."""
        is_shown = self._session.settings.get(NOTIFICATION_CONTENT) == "shown"
        return is_shown and not (room and self._session.wishes.is_hidden(room))

    def _room(self, room: RoomId) -> RoomSummary | None:
        return next((r for r in self._session.rooms.rooms() if r.room == room), None)

    # -- what the person chooses on one ----------------------------------------------------------------------------

    def on_action(self, key: Hashable, action: ToastAction) -> None:
        """Does what the person chose on a notification. Does nothing if it was of an earlier session. While the curtain
        covers the window, only `front_wanted` is emitted: nothing is opened, answered or marked."""
        if self._covered:
            self.front_wanted.emit()
            return
        if key not in self._shown:
            return
        place, news = self._shown[key]
        if action is ToastAction.READ:
            run_guarded(self, lambda: self._mark_read(place, news.notices))
            return
        if action is ToastAction.SNOOZE:
            self._snooze(news)
            return
        run_guarded(self, lambda: self._session.notices.mark_seen([row.id for row in news.notices]))
        self.place_wanted.emit(place, action is ToastAction.REPLY)

    def _snooze(self, news: _News) -> None:
        run(self, self._session.notices.snooze_all(news.asking, in_an_hour(self._now())))

    def _mark_read(self, place: NoticeRow | RoomId | None, notices: Sequence[NoticeRow]) -> None:
        self._session.notices.mark_seen([row.id for row in notices])
        room = place.room if isinstance(place, NoticeRow) else place
        is_counted = not notices or any(row.kind in self._lines().counted for row in notices)
        if room and is_counted:
            for tool in self._tools.all:
                if tool.mark_read is not None:
                    tool.mark_read(room)


_BOTH = frozenset({ToastAction.REPLY, ToastAction.READ})


def _actions(notice: NoticeRow, lines: NoticeLines) -> set[ToastAction]:
    """What is offered on a notification whose newest notice is this one."""
    if comes_at_a_time(notice):
        return {ToastAction.SNOOZE}
    return {ToastAction.READ} | ({ToastAction.REPLY} if notice.kind in lines.counted else set())


def _are_alike(news: _News) -> bool:
    return not news.unread and len({row.kind for row in news.notices}) == 1


def _several_text(count: int) -> str:
    return trn("{n} new notice", "{n} new notices", count).format(n=count)


def _title(*parts: str) -> str:
    return " · ".join(part for part in parts if part)
