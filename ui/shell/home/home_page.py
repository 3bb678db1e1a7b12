# SPDX-License-Identifier: EUPL-1.2
"""Hem: the day, what asks for an answer, my tasks, and what was opened last."""

from collections.abc import Callable, Sequence
from datetime import date, datetime

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.chat.service import MentionRow
from app.chat.tool import TOOL as CHAT
from app.core.ids import RoomId, Uid
from app.objects.links import ObjectLink
from app.objects.trash import WrittenAfter
from app.people.notices import KeyNotice
from app.rooms.invitations import OpenInvitation
from app.tasks.service import TaskRow
from app.tasks.tool import TOOL as TASKS
from ui.kit.bind import Soon, bind
from ui.kit.buttons import TextButton
from ui.kit.card import Card, IconLabel, SectionHeader, scroll
from ui.kit.flow_layout import FlowLayout
from ui.kit.keyed_rows import KeyedRows
from ui.kit.scale import hold
from ui.kit.style import column, label, line, set_props
from ui.kit.tasks import run_guarded
from ui.kit.translate import day_or_time, long_day, tr, week
from ui.kit.unsaved_bar import edit_unseen
from ui.shell.home.action_row import Action, ActionRow
from ui.shell.home.my_tasks import TaskCard, TaskLine, tasks_here
from ui.shell.ports import ObjectSummary, RoomSummary, Session
from ui.shell.room.key_notices import NoticeCard, notice_key

_MENTIONS, _RECENT, _TASKS = 6, 5, 8
_ASKED = 200
"""The most unread mentions that are searched for those in rooms that are still here."""
_EVER = 2000
"""The most recently opened objects that are read to know which rooms were ever opened."""


def greeting(hour: int) -> str:
    """The greeting by the time of day."""
    if hour < 5:
        return tr("Good evening")
    if hour < 10:
        return tr("Good morning")
    if hour < 12:
        return tr("Good day")
    if hour < 18:
        return tr("Good afternoon")
    return tr("Good evening")


class Home(QWidget):
    """The page. The shell follows `link_chosen(ObjectLink)`, `room_chosen(RoomId)` and `recovery_sheet_wanted`."""

    link_chosen = Signal(object)
    room_chosen = Signal(object)
    recovery_sheet_wanted = Signal()
    """The person wants to make a recovery sheet."""

    def __init__(
        self,
        session: Session,
        icons_by_kind: dict[str, str],
        now: Callable[[], datetime] = datetime.now,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._session, self._icons, self._now = session, icons_by_kind, now
        set_props(self, frame="window")
        self.setAccessibleName(tr("Home"))
        inner = QWidget()
        page = column(inner, margins=(34, 28, 34, 24))
        self._date = label("", "muted")
        self._greeting = label("", "home")
        page.addWidget(self._date)
        page.addSpacing(3)
        page.addWidget(self._greeting)
        page.addSpacing(26)
        columns = line(spacing=20)
        self._build_lists()
        left, right = QWidget(), QWidget()
        recent, tasks = column(spacing=10), column(spacing=10)
        for part in (self._recent_host, self._no_recent):
            recent.addWidget(part)
        for part in (self._tasks, self._no_tasks):
            tasks.addWidget(part)
        self._fill(left, ((tr("Needs an answer"), self._answers()), (tr("Opened last"), recent)), 640)
        self._fill(right, ((tr("My tasks"), tasks),), 520)
        columns.addWidget(left, 6)
        columns.addWidget(right, 5)
        columns.addStretch(1)
        page.addLayout(columns)
        page.addStretch(1)
        column(self).addWidget(scroll(inner, tr("Home")))
        soon = Soon(self, self.refresh)
        for signal in (session.rooms.changed, session.people.changed, session.status_changed):
            bind(self, signal, soon.due)
        bind(self, session.service(TASKS).changed, soon.due)
        bind(self, session.invitations.changed, soon.due)
        self.refresh()

    def _fill(self, half: QWidget, parts: Sequence[tuple[str, QVBoxLayout]], width: int) -> None:
        hold(half, most_width=width)
        layout = column(half, spacing=0)
        for title, part in parts:
            heading = SectionHeader(title)
            set_props(heading, look="big-section")
            layout.addWidget(heading)
            layout.addSpacing(12)
            layout.addLayout(part)
            layout.addSpacing(18)
        layout.addStretch(1)

    def _build_lists(self) -> None:
        self._notices_host, self._asking_host, self._recent_host = QWidget(), QWidget(), QWidget()
        for host in (self._notices_host, self._asking_host, self._recent_host):
            column(host, spacing=10)
        self._notices: KeyedRows[KeyNotice, NoticeCard] = KeyedRows(
            self._notices_host,
            notice_key,
            lambda notice: NoticeCard(self._session.people, notice),
            lambda card, notice: card.show_notice(notice),
        )
        self._asking, self._recent = _actions(self._asking_host), _actions(self._recent_host)
        self._tasks = TaskCard(self._open_task, self._tick)
        self._reminder = self._make_reminder()
        self._nothing = _quiet(tr("Nothing needs your answer right now."))
        self._no_recent = _quiet(tr("What you open in rooms is found here."))
        self._no_tasks = _quiet(tr("No tasks are assigned to you."))

    def _answers(self) -> QVBoxLayout:
        layout = column(spacing=10)
        for part in (self._reminder, self._notices_host, self._asking_host, self._nothing):
            layout.addWidget(part)
        return layout

    def showEvent(self, event: object) -> None:
        self.refresh()

    def refresh(self) -> None:
        """Reads everything again; skipped while it is not shown."""
        if not self.isVisibleTo(self.window()):
            return
        now = self._now()
        self._date.setText(tr("{day} · week {week}").format(day=long_day(now.date()), week=week(now.date())))
        self._greeting.setText(greeting(now.hour))
        rooms = {r.room: r for r in self._session.rooms.rooms()}
        titles = {room: summary.title for room, summary in rooms.items()}
        unread = self._session.service(CHAT).mentions(_ASKED, unread_only=True)
        mentions = [m for m in unread if m.room in rooms][:_MENTIONS]
        asked = self._session.invitations.all()[:_MENTIONS]
        new = invitations(self._session)
        written = directs(list(rooms.values()), {m.room for m in mentions}, {room.room for room, _, _ in new})
        new = [each for each in new if each[0] not in written]
        reminds = self._session.recovery.reminds
        notices = self._session.people.notices()
        after = [w for w in self._session.trash.written_after() if w.item.room in titles]
        recent = [o for o in self._session.rooms.recent(_RECENT * 8) if o.kind != "chat" and o.room in titles][:_RECENT]
        open_tasks = tasks_here(self._session)[:_TASKS]
        done = tasks_here(self._session, done=True)[-2:] if len(open_tasks) < _TASKS else []
        actions = [
            *(self._asked(invitation) for invitation in asked),
            *(self._mention(mention, titles[mention.room]) for mention in mentions),
            *(self._direct(room) for room in written),
            *(self._invitation(room, by, t) for room, by, t in new),
            *(self._written_after(each) for each in after),
        ]
        self._reminder.setVisible(reminds)
        self._notices_host.setVisible(bool(notices))
        self._notices.show(notices)
        self._asking_host.setVisible(bool(actions))
        self._asking.show(actions)
        self._nothing.setVisible(not (reminds or notices or actions))
        self._recent_host.setVisible(bool(recent))
        self._recent.show([self._recent_action(item, titles[item.room]) for item in recent])
        self._no_recent.setVisible(not recent)
        self._show_tasks(now.date(), [*open_tasks, *done])

    def _make_reminder(self) -> QWidget:
        card = Card(margin=14, spacing=6)
        head = line(spacing=10)
        head.addWidget(IconLabel("security", "warning", 20))
        head.addWidget(label(tr("You have no recovery sheet"), "strong", wrap=True), 1)
        card.content.addLayout(head)
        text = tr("If you lose every device, what you alone could read is gone. Make a sheet and put it away.")
        card.content.addWidget(label(text, "small", wrap=True))
        buttons = FlowLayout(gap=8)
        buttons.addWidget(TextButton(tr("Make a sheet …"), self.recovery_sheet_wanted.emit))
        buttons.addWidget(TextButton(tr("Not now"), self._dismiss, kind="quiet"))
        card.content.addLayout(buttons)
        return card

    def _dismiss(self) -> None:
        run_guarded(self, self._session.recovery.dismiss)
        self.refresh()

    def _mention(self, mention: MentionRow, room_title: str) -> Action:
        author = self._session.people.person(mention.author).name
        link = ObjectLink(room=mention.room, obj=mention.obj, kind="chat", ref=bytes(mention.change_id))
        return Action(
            key=link,
            icon="mention",
            title=tr("You were mentioned in {room}").format(room=room_title),
            detail=f"{author}: {' '.join(mention.text.split())}",
            when=day_or_time(mention.t, self._local_now()),
            open=lambda: self.link_chosen.emit(link),
        )

    def _written_after(self, notices: WrittenAfter) -> Action:
        names = ", ".join(self._session.people.person(uid).name for uid in notices.by) or tr("Somebody")
        title = notices.item.title or tr("Untitled")
        return Action(
            key=("written-after", notices.item.link),
            icon=self._icons.get(notices.item.kind, "file"),
            title=tr("{names} wrote in “{title}”").format(names=names, title=title),
            detail=tr("You put it in the trash. What was written is kept there."),
            when=day_or_time(notices.t, self._local_now()),
            open=lambda: self.link_chosen.emit(notices.item.link),
        )

    def _direct(self, room: RoomSummary) -> Action:
        return Action(
            key=("direct", room.room),
            icon="chat",
            title=tr("Message from {name}").format(name=room.title),
            detail=room.preview,
            when=day_or_time(room.last_ms, self._local_now()),
            open=lambda: self.room_chosen.emit(room.room),
        )

    def _invitation(self, room: RoomSummary, by: Uid, t: int) -> Action:
        name = self._session.people.person(by).name
        direct = room.type == "direct"  # nothing is written there yet, and its title is the other's name
        return Action(
            key=("added", room.room),
            icon="invite",
            title=tr("New conversation with {name}").format(name=name)
            if direct
            else tr("You were added to {room}").format(room=room.title),
            detail="" if direct else tr("by {name}").format(name=name),
            when=day_or_time(t, self._local_now()),
            open=lambda: self.room_chosen.emit(room.room),
        )

    def _asked(self, invitation: OpenInvitation) -> Action:
        title = invitation.title or (tr("A long room") if invitation.long else tr("A room"))
        name = invitation.by.name if invitation.by is not None else tr("Somebody")
        return Action(
            key=("asked", invitation.room),
            icon="invite",
            title=tr("{name} invites you to {room}").format(name=name, room=title),
            detail=invitation.greeting,
            when=day_or_time(invitation.t_ms, self._local_now()),
            open=lambda: self.room_chosen.emit(invitation.room),
        )

    def _local_now(self) -> datetime:
        return self._now().astimezone()

    def _recent_action(self, item: ObjectSummary, room_title: str) -> Action:
        link = ObjectLink(room=item.room, obj=item.obj, kind=item.kind)
        return Action(
            key=link,
            icon=self._icons.get(item.kind, "file"),
            title=object_title(item, room_title),
            when=day_or_time(item.updated_ms, self._local_now()),
            open=lambda: self.link_chosen.emit(link),
            role="muted",
        )

    def _show_tasks(self, today: date, tasks: Sequence[TaskRow]) -> None:
        may_write = self._session.rooms.may_write
        self._tasks.setVisible(bool(tasks))
        self._no_tasks.setVisible(not tasks)
        self._tasks.show_lines([TaskLine(task=task, today=today, may_tick=may_write(task.room)) for task in tasks])

    def _open_task(self, task: TaskRow) -> None:
        self.link_chosen.emit(ObjectLink(room=task.room, obj=task.obj, kind="board", ref=task.ref))

    def _tick(self, task: TaskRow, done: bool) -> None:
        finish(self, self._session, task, done)


def directs(rooms: Sequence[RoomSummary], named: set[RoomId], new: set[RoomId]) -> list[RoomSummary]:
    """Conversations of two with something unread, or `new` and never opened, the latest first. Muted conversations are
    left out, and those in which a `named` mention is shown already."""
    found = [
        room
        for room in rooms
        if room.type == "direct" and room.preview and (room.unread or room.room in new)
        if room.room not in named and not (room.muted or room.left or room.replaced)
    ]
    return sorted(found, key=lambda room: -room.last_ms)


def invitations(session: Session) -> list[tuple[RoomSummary, Uid, int]]:
    """Rooms to which somebody added this person, who has opened nothing in them yet: (room, by whom, when)."""
    opened = {o.room for o in session.rooms.recent(_EVER)}
    me = session.people.me.uid
    found = []
    for room in session.rooms.rooms():
        if room.left or room.room in opened:
            continue
        added = [e for e in session.rooms.events(room.room) if e.kind == "add" and e.subject == me and e.by != me]
        if added:
            found.append((room, added[-1].by, added[-1].t))
    return found


def object_title(item: ObjectSummary, room_title: str) -> str:
    """What an object is called outside its room; chats and boards have the room's name."""
    if item.kind == "chat":
        return room_title
    if item.kind == "board":
        return f"{item.title or tr('Tasks')} · {room_title}"
    return item.title or tr("Untitled")


def finish(owner: QObject, session: Session, task: TaskRow, done: bool) -> None:
    """Moves a card to the board's first finished column, or back to its first unfinished one. Errors are reported for
    `owner`."""

    def move() -> None:
        board = session.service(TASKS).board(task.room, task.obj)
        target = next((c for c in board.columns() if c.done == done), None)
        if target is not None:
            board.move_card(task.card, target.id)

    edit_unseen(owner, session.service(TASKS), task.obj, move)


def _quiet(text: str) -> QWidget:
    card = Card(margin=14)
    card.content.addWidget(label(text, "muted", wrap=True))
    return card


def _actions(host: QWidget) -> KeyedRows[Action, ActionRow]:
    return KeyedRows(host, lambda action: action.key, ActionRow, lambda row, action: row.show_action(action))
