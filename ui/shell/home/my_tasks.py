# SPDX-License-Identifier: EUPL-1.2
"""Uppgifter in the rail: the cards that are assigned to me, from every room, and the row that shows one."""

from collections.abc import Callable
from datetime import date, timedelta

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QCheckBox, QWidget

from app.objects.links import ObjectLink
from app.tasks.service import TaskRow
from ui.kit.bind import Soon, bind
from ui.kit.buttons import RowButton, SegmentButton, Segments
from ui.kit.card import Card, EmptyState, SectionHeader, scroll
from ui.kit.scale import hold
from ui.kit.style import ElidedLabel, clear, column, label, line, set_props
from ui.kit.translate import short_day, tr
from ui.shell.ports import Session


class TaskCheck(QWidget):
    """A task as one line: a box to tick, its title (which opens it), and when it is due. Who may only read the room
    cannot tick."""

    def __init__(
        self,
        task: TaskRow,
        today: date,
        on_open: Callable[[TaskRow], object],
        on_tick: Callable[[TaskRow, bool], object],
        *,
        room: str = "",
        may_tick: bool = True,
    ) -> None:
        super().__init__()
        row = line(self, margins=(8, 1, 8, 1), spacing=6)
        box = QCheckBox()
        box.setChecked(task.done)
        box.setAccessibleName(tr("Done: {title}").format(title=task.title))
        box.clicked.connect(lambda checked: on_tick(task, checked))
        box.setEnabled(may_tick)
        row.addWidget(box)
        due, kind = due_text(task, today)
        button = RowButton(", ".join(x for x in (task.title, room, due) if x), lambda: on_open(task))
        inside = line(button, margins=(4, 8, 4, 8), spacing=10)
        title = ElidedLabel(task.title, "struck" if task.done else "body")
        inside.addWidget(title, 3)
        if room:
            inside.addWidget(ElidedLabel(room, "small"), 2)
        inside.addWidget(label(due, kind))
        for child in button.findChildren(QWidget):
            child.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        row.addWidget(button, 1)


def tasks_here(session: Session, *, done: bool = False) -> list[TaskRow]:
    """My tasks in rooms that go on; those of a room that another continues stand in that one."""
    ended = {room.room for room in session.rooms.rooms() if room.replaced or room.left}
    return [task for task in session.tasks.my_tasks(done=done) if task.room not in ended]


def due_text(task: TaskRow, today: date) -> tuple[str, str]:
    """(words, kind of label) for when it is due; what is due within three days is marked."""
    if task.done:
        return tr("done"), "faint"
    if task.due is None:
        return "", "faint"
    if task.due < today:
        return tr("overdue {day}").format(day=short_day(task.due, today)), "error"
    return short_day(task.due, today), "due-soon" if task.due <= today + timedelta(days=3) else "faint"


class MyTasks(QWidget):
    """All, due within a week, overdue, or done. `link_chosen(ObjectLink)` is for the shell to follow."""

    link_chosen = Signal(object)

    def __init__(
        self,
        session: Session,
        on_tick: Callable[[TaskRow, bool], object],
        today: Callable[[], date] = date.today,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._session, self._on_tick, self._today = session, on_tick, today
        set_props(self, frame="window")
        self.setAccessibleName(tr("Tasks"))
        inner = QWidget()
        page = column(inner, margins=(34, 26, 34, 24), spacing=14)
        page.addWidget(label(tr("My tasks"), "home"))
        filters = line()
        segments = Segments(tr("Which tasks are shown"))
        filters.addWidget(segments)
        self._filters = QButtonGroup(self)
        words = (tr("All"), tr("Within a week"), tr("Overdue"), tr("Done"))
        for i, word in enumerate(words):
            button = SegmentButton(word)
            button.setChecked(i == 0)
            button.setAccessibleName(tr("Show: {filter}").format(filter=word))
            self._filters.addButton(button, i)
            segments.add(button)
        filters.addStretch(1)
        self._filters.idClicked.connect(lambda _id: self.refresh())
        page.addLayout(filters)
        self._list = column(spacing=10)
        page.addLayout(self._list)
        page.addStretch(1)
        hold(inner, most_width=900)
        column(self).addWidget(scroll(inner, tr("My tasks")))
        soon = Soon(self, self.refresh)
        bind(self, session.tasks.changed, soon.due)
        bind(self, session.rooms.changed, soon.due)

    def showEvent(self, event: object) -> None:
        self.refresh()

    def refresh(self) -> None:
        """Reads the tasks again; skipped while it is not shown."""
        if not self.isVisibleTo(self.window()):
            return
        today = self._today()
        tasks = self._chosen(today)
        clear(self._list)
        if not tasks:
            self._list.addWidget(
                EmptyState(
                    "tasks", tr("Nothing here"), tr("Cards that are assigned to you on a room's board show up here.")
                )
            )
            return
        titles = {r.room: r.title for r in self._session.rooms.rooms()}
        groups: dict[str, list[TaskRow]] = {}
        for task in tasks:
            groups.setdefault(titles.get(task.room, ""), []).append(task)
        for title, of_room in groups.items():
            self._list.addWidget(SectionHeader(title))
            card = Card(margin=6, spacing=0)
            may_tick = self._session.rooms.may_write(of_room[0].room)
            for task in of_room:
                card.content.addWidget(TaskCheck(task, today, self._open, self._on_tick, may_tick=may_tick))
            self._list.addWidget(card)

    def _chosen(self, today: date) -> list[TaskRow]:
        which = self._filters.checkedId()
        tasks = tasks_here(self._session, done=which == 3)
        if which == 1:
            return [t for t in tasks if t.due is not None and t.due <= today + timedelta(days=7)]
        if which == 2:
            return [t for t in tasks if t.due is not None and t.due < today]
        return tasks

    def _open(self, task: TaskRow) -> None:
        self.link_chosen.emit(ObjectLink(room=task.room, obj=task.obj, kind="board", ref=task.ref))
