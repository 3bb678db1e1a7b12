# SPDX-License-Identifier: EUPL-1.2
"""Hem: the day, what asks for an answer, my tasks, and what was opened last."""

from collections.abc import Callable, Sequence
from datetime import date, datetime

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.chat.service import MentionRow
from app.core.ids import RoomId, Uid
from app.objects.links import ObjectLink
from app.objects.trash import WrittenAfter
from app.rooms.invitations import OpenInvitation
from app.tasks.service import TaskRow
from ui.kit.bind import Soon, bind
from ui.kit.buttons import RowButton, TextButton
from ui.kit.card import Card, IconLabel, SectionHeader, scroll
from ui.kit.flow_layout import FlowLayout
from ui.kit.scale import hold
from ui.kit.style import ElidedLabel, clear, column, label, line, set_props
from ui.kit.tasks import run_guarded
from ui.kit.translate import day_or_time, long_day, tr, week
from ui.kit.unsaved_bar import edit_unseen
from ui.shell.key_notices import NoticeCard
from ui.shell.my_tasks import TaskCheck, tasks_here
from ui.shell.ports import ObjectSummary, RoomSummary, Session

_MENTIONS, _RECENT, _TASKS = 6, 5, 8
_ASKED = 200
"""So many unread mentions are looked through for those in rooms that are still here."""
_EVER = 2000
"""So many recently opened objects are asked for to know which rooms were ever opened."""


def greeting(hour: int) -> str:
    """By the time of day."""
    if hour < 5:
        return tr("Good evening")
    if hour < 10:
        return tr("Good morning")
    if hour < 12:
        return tr("Good forenoon")
    if hour < 18:
        return tr("Good afternoon")
    return tr("Good evening")


class Home(QWidget):
    """`link_chosen(ObjectLink)`, `room_chosen(RoomId)` and `sheet_wanted` are for the shell to follow."""

    link_chosen = Signal(object)
    room_chosen = Signal(object)
    sheet_wanted = Signal()
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
        self._shown: tuple[object, ...] = ()
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
        self._answers, self._recent, self._tasks = column(spacing=10), column(spacing=10), column(spacing=10)
        left, right = QWidget(), QWidget()
        self._fill(left, ((tr("Needs an answer"), self._answers), (tr("Opened last"), self._recent)), 640)
        self._fill(right, ((tr("My tasks"), self._tasks),), 520)
        columns.addWidget(left, 6)
        columns.addWidget(right, 5)
        columns.addStretch(1)
        page.addLayout(columns)
        page.addStretch(1)
        column(self).addWidget(scroll(inner, tr("Home")))
        soon = Soon(self, self.refresh)
        for signal in (session.rooms.changed, session.people.changed, session.status_changed):
            bind(self, signal, soon.due)
        bind(self, session.tasks.changed, soon.due)
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
        mentions = [m for m in self._session.chat.mentions(_ASKED, unread_only=True) if m.room in rooms][:_MENTIONS]
        asked = self._session.invitations.all()[:_MENTIONS]
        new = invitations(self._session)
        written = directs(list(rooms.values()), {m.room for m in mentions}, {room.room for room, _, _ in new})
        new = [each for each in new if each[0] not in written]
        reminds = self._session.recovery.reminds
        told = self._session.people.notices()
        after = [w for w in self._session.trash.written_after() if w.item.room in titles]
        recent = [o for o in self._session.rooms.recent(_RECENT * 8) if o.kind != "chat" and o.room in titles][:_RECENT]
        open_tasks = tasks_here(self._session)[:_TASKS]
        done = tasks_here(self._session, done=True)[-2:] if len(open_tasks) < _TASKS else []
        minute = (now.date(), now.hour, now.minute)
        shown = (
            minute,
            reminds,
            tuple(told),
            tuple(titles.items()),
            tuple(mentions),
            tuple(written),
            tuple(new),
            tuple(asked),
            tuple(after),
            tuple(recent),
            tuple(open_tasks),
            tuple(done),
            tuple(self._session.rooms.may_write(task.room) for task in (*open_tasks, *done)),
        )
        if shown == self._shown:  # nothing is built anew, so that the focus stays where it is
            return
        self._shown = shown
        self._fill_answers(mentions, written, new, titles, quiet=not (told or reminds or after or asked))
        for each in after:
            self._answers.addWidget(self._written_after(each))
        for at, invitation in enumerate(asked):
            self._answers.insertWidget(at, self._asked(invitation))
        for at, notice in enumerate(told):
            self._answers.insertWidget(at, NoticeCard(self._session.people, notice))
        if reminds:
            self._answers.insertWidget(0, self._reminder())
        clear(self._recent)
        for item in recent:
            self._recent.addWidget(self._recent_row(item, titles[item.room]))
        if not recent:
            self._recent.addWidget(_quiet(tr("What you open in rooms is found here.")))
        self._show_tasks(now.date(), [*open_tasks, *done])

    def _fill_answers(
        self,
        mentions: Sequence[MentionRow],
        written: Sequence[RoomSummary],
        new: Sequence[tuple[RoomSummary, Uid, int]],
        titles: dict[RoomId, str],
        *,
        quiet: bool,
    ) -> None:
        clear(self._answers)
        for mention in mentions:
            self._answers.addWidget(self._mention(mention, titles[mention.room]))
        for room in written:
            self._answers.addWidget(self._direct(room))
        for room, by, t in new:
            self._answers.addWidget(self._invitation(room, by, t))
        if quiet and not mentions and not written and not new:
            self._answers.addWidget(_quiet(tr("Nothing needs your answer right now.")))

    def _reminder(self) -> QWidget:
        card = Card(margin=14, spacing=6)
        head = line(spacing=10)
        head.addWidget(IconLabel("security", "warning", 20))
        head.addWidget(label(tr("You have no recovery sheet"), "strong", wrap=True), 1)
        card.content.addLayout(head)
        text = tr("If you lose every device, what you alone could read is gone. Make a sheet and put it away.")
        card.content.addWidget(label(text, "small", wrap=True))
        buttons = FlowLayout(gap=8)
        buttons.addWidget(TextButton(tr("Make a sheet …"), self.sheet_wanted.emit))
        buttons.addWidget(TextButton(tr("Not now"), self._dismiss, kind="quiet"))
        card.content.addLayout(buttons)
        return card

    def _dismiss(self) -> None:
        run_guarded(self, self._session.recovery.dismiss)
        self.refresh()

    def _mention(self, mention: MentionRow, room_title: str) -> QWidget:
        author = self._session.people.person(mention.author).name
        return action_row(
            "mention",
            tr("You were mentioned in {room}").format(room=room_title),
            f"{author}: {' '.join(mention.text.split())}",
            day_or_time(mention.t, self._local_now()),
            lambda: self.link_chosen.emit(
                ObjectLink(room=mention.room, obj=mention.obj, kind="chat", ref=bytes(mention.change_id))
            ),
        )

    def _written_after(self, told: WrittenAfter) -> QWidget:
        names = ", ".join(self._session.people.person(uid).name for uid in told.by) or tr("Somebody")
        title = told.item.title or tr("Untitled")
        return action_row(
            self._icons.get(told.item.kind, "file"),
            tr("{names} wrote in “{title}”").format(names=names, title=title),
            tr("You put it in the trash. What was written is kept there."),
            day_or_time(told.t, self._local_now()),
            lambda: self.link_chosen.emit(told.item.link),
        )

    def _direct(self, room: RoomSummary) -> QWidget:
        return action_row(
            "chat",
            tr("Message from {name}").format(name=room.title),
            room.preview,
            day_or_time(room.last_ms, self._local_now()),
            lambda: self.room_chosen.emit(room.room),
        )

    def _invitation(self, room: RoomSummary, by: Uid, t: int) -> QWidget:
        name = self._session.people.person(by).name
        direct = room.type == "direct"  # nothing is written there yet, and its title is the other's name
        return action_row(
            "invite",
            tr("New conversation with {name}").format(name=name)
            if direct
            else tr("You were added to {room}").format(room=room.title),
            "" if direct else tr("by {name}").format(name=name),
            day_or_time(t, self._local_now()),
            lambda: self.room_chosen.emit(room.room),
        )

    def _asked(self, invitation: OpenInvitation) -> QWidget:
        title = invitation.title or (tr("A long room") if invitation.long else tr("A room"))
        name = invitation.by.name if invitation.by is not None else tr("Somebody")
        return action_row(
            "invite",
            tr("{name} invites you to {room}").format(name=name, room=title),
            invitation.greeting,
            day_or_time(invitation.t_ms, self._local_now()),
            lambda: self.room_chosen.emit(invitation.room),
        )

    def _local_now(self) -> datetime:
        return self._now().astimezone()

    def _recent_row(self, item: ObjectSummary, room_title: str) -> QWidget:
        return action_row(
            self._icons.get(item.kind, "file"),
            object_title(item, room_title),
            "",
            day_or_time(item.updated_ms, self._local_now()),
            lambda: self.link_chosen.emit(ObjectLink(room=item.room, obj=item.obj, kind=item.kind)),
            role="muted",
        )

    def _show_tasks(self, today: date, tasks: Sequence[TaskRow]) -> None:
        clear(self._tasks)
        if not tasks:
            self._tasks.addWidget(_quiet(tr("No tasks are assigned to you.")))
            return
        card = Card(margin=6, spacing=0)
        for task in tasks:
            may_tick = self._session.rooms.may_write(task.room)
            card.content.addWidget(TaskCheck(task, today, self._open_task, self._tick, may_tick=may_tick))
        self._tasks.addWidget(card)

    def _open_task(self, task: TaskRow) -> None:
        self.link_chosen.emit(ObjectLink(room=task.room, obj=task.obj, kind="board", ref=task.ref))

    def _tick(self, task: TaskRow, done: bool) -> None:
        finish(self, self._session, task, done)


def directs(rooms: Sequence[RoomSummary], named: set[RoomId], new: set[RoomId]) -> list[RoomSummary]:
    """Conversations of two with something that was not read, or `new` and never opened, the latest first. Not those
    that are muted, and not those in which one is `named`: the mention is shown."""
    found = [
        room
        for room in rooms
        if room.type == "direct" and room.preview and (room.unread or room.room in new)
        if room.room not in named and not (room.muted or room.left or room.replaced)
    ]
    return sorted(found, key=lambda room: -room.last_ms)


def invitations(session: Session) -> list[tuple[RoomSummary, Uid, int]]:
    """Rooms that somebody added me to and where I have not opened anything yet: (room, by whom, when)."""
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
    """Moves a card to the board's first finished column, or back to its first unfinished one. `owner`: for whom an
    error is reported."""

    def move() -> None:
        board = session.tasks.board(task.room, task.obj)
        target = next((c for c in board.columns() if c.done == done), None)
        if target is not None:
            board.move_card(task.card, target.id)

    edit_unseen(owner, session.tasks, task.obj, move)


def _quiet(text: str) -> QWidget:
    card = Card(margin=14)
    card.content.addWidget(label(text, "muted", wrap=True))
    return card


def action_row(
    icon: str, title: str, detail: str, when: str, on_click: Callable[[], object], *, role: str = "accent"
) -> QWidget:
    """A card of one row that can be pressed: icon, title, a line under it, time at the right."""
    row = RowButton(", ".join(x for x in (title, detail, when) if x), on_click)
    set_props(row, kind="card-row")
    layout = line(row, margins=(13, 13, 13, 13), spacing=13)
    layout.addWidget(IconLabel(icon, role, 20))
    words = column(spacing=2)
    words.addWidget(ElidedLabel(title, "strong" if detail else "body"))
    if detail:
        words.addWidget(ElidedLabel(detail, "small"))
    layout.addLayout(words, 1)
    layout.addWidget(label(when, "faint"))
    for child in row.findChildren(QWidget):
        child.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
    return row
