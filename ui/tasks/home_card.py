# SPDX-License-Identifier: EUPL-1.2
"""My tasks on Home: those that are due first; and while there is room, up to two finished ones."""

from functools import partial

from PySide6.QtWidgets import QWidget

from app.tasks.service import TaskService
from ui.kit.bind import Soon, bind
from ui.kit.card import quiet_card
from ui.kit.style import column
from ui.kit.translate import tr
from ui.tasks.my_tasks import TaskCard, TaskLine, finish, open_task, tasks_here
from ui.tool import ViewParts

_SHOWN, _DONE = 8, 2


class HomeTasks(QWidget):
    """The card on the Home page with the person's own tasks: the first eight that are not finished, the earliest due
    first. If there are fewer, also finished ones, at most two and eight tasks in all: those due latest, or without a
    date. Without tasks a sentence says so."""

    def __init__(self, parts: ViewParts[TaskService], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._parts = parts
        layout = column(self, spacing=10)
        self._tasks = TaskCard(partial(open_task, self), partial(finish, self, parts.service))
        self._none = quiet_card(tr("No tasks are assigned to you."))
        layout.addWidget(self._tasks)
        layout.addWidget(self._none)
        soon = Soon(self, self.refresh)
        bind(self, parts.service.changed, soon.due)
        self.refresh()

    def showEvent(self, event: object) -> None:
        self.refresh()

    def refresh(self) -> None:
        """Reads the person's tasks again. Does nothing while the card is hidden."""
        if not self.isVisibleTo(self.window()):
            return
        parts = self._parts
        tasks = tasks_here(parts)[:_SHOWN]
        if left := min(_SHOWN - len(tasks), _DONE):
            tasks += tasks_here(parts, done=True)[-left:]
        today, may_write = parts.now().date(), parts.rooms.may_write
        self._tasks.setVisible(bool(tasks))
        self._none.setVisible(not tasks)
        self._tasks.show_lines([TaskLine(task=task, today=today, may_tick=may_write(task.room)) for task in tasks])
