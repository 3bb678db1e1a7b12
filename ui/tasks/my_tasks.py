# SPDX-License-Identifier: EUPL-1.2
"""My tasks: the cards that are assigned to me, from every room, those of my own board, and the row that shows one."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial

from PySide6.QtWidgets import QButtonGroup, QCheckBox, QLayout, QWidget

from app.core.ids import RoomId
from app.objects.links import ObjectLink
from app.tasks import KIND
from app.tasks.service import TaskRow, TaskService
from ui.kit.bind import Soon, bind
from ui.kit.buttons import RowButton, SegmentButton, Segments
from ui.kit.card import Card, EmptyState, SectionHeader, scroll
from ui.kit.keyed_rows import KeyedRows
from ui.kit.scale import hold
from ui.kit.style import ElidedLabel, column, label, line, set_props
from ui.kit.translate import short_day, tr
from ui.kit.unsaved_bar import edit_unseen
from ui.tasks.new_own_task import NewOwnTask
from ui.tool import ViewParts
from ui.tool_views import follow, toast


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskLine:
    """One line of a list of the person's tasks. `today` is the day by which the due date is judged, `may_tick` whether
    the person may finish the task."""

    task: TaskRow
    today: date
    may_tick: bool


class TaskCheck(QWidget):
    """A widget that shows one task as a line: a box that finishes it, its title, which opens it, and when it is due.
    `on_open` and `on_tick` are called with the task, `on_tick` also with whether it is finished; it returns whether
    that was stored, otherwise the box is as before."""

    def __init__(self, on_open: Callable[[TaskRow], object], on_tick: Callable[[TaskRow, bool], bool]) -> None:
        super().__init__()
        self._shown: TaskLine | None = None
        row = line(self, margins=(8, 1, 8, 1), spacing=6)
        self._box = QCheckBox()
        self._box.clicked.connect(lambda checked: self._tick(on_tick, checked))
        row.addWidget(self._box)
        self._button = RowButton("", lambda: self._do(on_open))
        inside = line(self._button, margins=(4, 8, 4, 8), spacing=10)
        self._title, self._due = ElidedLabel(), label("")
        inside.addWidget(self._title, 3)
        inside.addWidget(self._due)
        self._button.take_clicks()
        row.addWidget(self._button, 1)

    def show_line(self, shown: TaskLine) -> None:
        """Shows the task of `shown` from now on."""
        self._box.setChecked(shown.task.done)  # also if it is the same: a tick may have changed nothing
        if shown == self._shown:
            return
        self._shown, task = shown, shown.task
        self._box.setAccessibleName(tr("Done: {title}").format(title=task.title))
        self._box.setEnabled(shown.may_tick)
        due, kind = due_text(task, shown.today)
        self._button.setAccessibleName(", ".join(x for x in (task.title, due) if x))
        set_props(self._title, look="struck" if task.done else "body")
        self._title.set_text(task.title)
        set_props(self._due, look=kind)
        self._due.setText(due)

    def _tick(self, on_tick: Callable[[TaskRow, bool], bool], checked: bool) -> None:
        if self._shown is not None and not on_tick(self._shown.task, checked):
            self._box.setChecked(self._shown.task.done)

    def _do(self, action: Callable[[TaskRow], object]) -> None:
        if self._shown is not None:
            action(self._shown.task)


class TaskCard(Card):
    """A card with several tasks, a line each. A task that is still there keeps its line. `on_open` is called with the
    task whose title was pressed, `on_tick` with a task and whether it was ticked as finished; it returns whether that
    was stored."""

    def __init__(self, on_open: Callable[[TaskRow], object], on_tick: Callable[[TaskRow, bool], bool]) -> None:
        super().__init__(margin=6, spacing=0)
        self._rows: KeyedRows[TaskLine, TaskCheck] = KeyedRows(
            self,
            lambda shown: (shown.task.room, shown.task.obj, shown.task.card),
            lambda _: TaskCheck(on_open, on_tick),
            lambda row, shown: row.show_line(shown),
        )

    def show_lines(self, lines: Sequence[TaskLine]) -> None:
        """Shows exactly these."""
        self._rows.show(lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class _RoomTasks:
    """The part of the list of the person's tasks that is about one room: its title and a line for each task."""

    room: RoomId
    title: str
    lines: Sequence[TaskLine]


class RoomTasks(QWidget):
    """A widget that shows a room's title and the person's tasks in that room."""

    def __init__(self, card: TaskCard) -> None:
        super().__init__()
        layout = column(self, spacing=10)
        self._heading, self._card = SectionHeader(""), card
        layout.addWidget(self._heading)
        layout.addWidget(card)

    def show_room(self, shown: _RoomTasks) -> None:
        """Shows the title and the tasks of this room from now on."""
        if self._heading.accessibleName() != shown.title:
            self._heading.setText(shown.title)
            self._heading.setAccessibleName(shown.title)
        self._card.show_lines(shown.lines)


def tasks_here(parts: ViewParts[TaskService], *, done: bool = False) -> list[TaskRow]:
    """The person's tasks, finished ones if `done`, otherwise the others; the earliest due first, those without a date
    last. Rooms that the person has left, or that another room continues, are left out; in the latter case the other
    room has the tasks."""
    ended = {room.room for room in parts.rooms.rooms() if room.replaced or room.left}
    return [task for task in parts.service.my_tasks(done=done) if task.room not in ended]


def open_task(view: QWidget, task: TaskRow) -> None:
    """Opens the card in its room."""
    follow(view, ObjectLink(room=task.room, obj=task.obj, kind=KIND.id, ref=task.ref))


def finish(owner: QWidget, service: TaskService, task: TaskRow, done: bool) -> bool:
    """Finishes a task (`done`), by moving its card to the board's first column for finished ones, or back to the first
    of the others. Returns whether that was done and stored. If the board has no such column, a message says so. An
    error is shown for `owner`, with Try again if the disk refused."""

    def move() -> None:
        board = service.board(task.room, task.obj)
        target = next((c for c in board.columns() if c.done == done), None)
        if target is not None:
            board.move_card(task.card, target.id)
            moved.append(task)
        elif done:
            toast(owner, tr("The board has no column for finished tasks. Choose one in the menu of a column."))
        else:
            toast(owner, tr("All columns of the board are for finished tasks."))

    moved: list[TaskRow] = []
    return edit_unseen(owner, service, task.obj, move) and bool(moved)


def due_text(task: TaskRow, today: date) -> tuple[str, str]:
    """Returns (text, look) for when a task is due. The look is "error" if it is overdue, "due-soon" if it is due
    `today` or within three days, otherwise "faint". The text of a finished task is only that it is done; "" for a task
    without a date."""
    if task.done:
        return tr("done"), "faint"
    if task.due is None:
        return "", "faint"
    if task.due < today:
        return tr("overdue {day}").format(day=short_day(task.due, today)), "error"
    return short_day(task.due, today), "due-soon" if task.due <= today + timedelta(days=3) else "faint"


class MyTasks(QWidget):
    """The page with the person's tasks: those of all rooms that are assigned to them, and those of their own board. The
    person chooses what it shows: all that are not finished, those due within a week or overdue, those overdue, or the
    finished ones. `new` is the line in which a task of their own is written."""

    def __init__(self, parts: ViewParts[TaskService], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._parts = parts
        set_props(self, frame="window")
        self.setAccessibleName(tr("My tasks"))
        inner = QWidget()
        page = column(inner, margins=(34, 6, 34, 24), spacing=14)
        page.addWidget(label(tr("My tasks"), "home"))
        self.new = NewOwnTask(parts.service)
        page.addWidget(self.new)
        page.addLayout(self._filter_line())
        self._none = EmptyState(
            "tasks",
            tr("Nothing here"),
            tr("Cards that are assigned to you on a room's board show up here, and those of your own board."),
        )
        page.addWidget(self._none)
        self._list = QWidget()
        column(self._list, spacing=10)
        page.addWidget(self._list)
        self._rooms: KeyedRows[_RoomTasks, RoomTasks] = KeyedRows(
            self._list,
            lambda shown: shown.room,
            lambda _: RoomTasks(TaskCard(partial(open_task, self), partial(finish, self, parts.service))),
            lambda row, shown: row.show_room(shown),
        )
        page.addStretch(1)
        hold(inner, most_width=900)
        column(self).addWidget(scroll(inner, tr("My tasks")))
        soon = Soon(self, self.refresh)
        bind(self, parts.service.changed, soon.due)
        bind(self, parts.rooms.changed, soon.due)

    def _filter_line(self) -> QLayout:
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
        return filters

    def showEvent(self, event: object) -> None:
        self.refresh()

    def refresh(self) -> None:
        """Reads the person's tasks again. Does nothing while the page is hidden."""
        if not self.isVisibleTo(self.window()):
            return
        today = self._parts.now().date()
        tasks = self._chosen(today)
        rooms = self._parts.rooms
        titles = {room.room: room.title for room in rooms.rooms()}
        lines: dict[RoomId, list[TaskLine]] = {}
        for task in tasks:
            shown = TaskLine(task=task, today=today, may_tick=rooms.may_write(task.room))
            lines.setdefault(task.room, []).append(shown)
        self._none.setVisible(not tasks)
        self._list.setVisible(bool(tasks))
        self._rooms.show(
            [_RoomTasks(room=room, title=self._title(titles, room), lines=of_room) for room, of_room in lines.items()]
        )

    def _title(self, titles: Mapping[RoomId, str], room: RoomId) -> str:
        return tr("My own board") if self._parts.service.own.is_own(room) else titles.get(room, "")

    def _chosen(self, today: date) -> list[TaskRow]:
        which = self._filters.checkedId()
        tasks = tasks_here(self._parts, done=which == 3)
        if which == 1:
            return [t for t in tasks if t.due is not None and t.due <= today + timedelta(days=7)]
        if which == 2:
            return [t for t in tasks if t.due is not None and t.due < today]
        return tasks
