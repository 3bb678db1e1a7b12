# SPDX-License-Identifier: EUPL-1.2
"""The page of a large board: shows how far the board is opened, and then the board itself.

The board is read and its cards are made in parts, between which the event loop runs. What the shell asks of the board
meanwhile is done once the board is complete. Nothing of it is shown before. Otherwise half a board would look like a
whole one.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QFocusEvent, QHideEvent, QShowEvent
from PySide6.QtWidgets import QWidget

from app.core.ids import ObjId, RoomId
from app.tasks.service import TaskService
from ui.kit.card import EmptyState
from ui.kit.pages import Pages
from ui.kit.progress import ProgressRow
from ui.kit.style import column, line, set_props
from ui.kit.tasks import report, run
from ui.kit.translate import tr
from ui.reminding import Reminders
from ui.tasks.view import TasksView
from ui.tool_views import ViewPlace


class BoardPage(Pages):
    """A large board of a room, opened in parts while the page is shown. `view` is the board's view once it is complete,
    None before. If the page is hidden before that, the work stops, and begins from scratch when the page is shown
    again. If it fails, the page shows the error and a button that tries again. It has the methods of `TasksView` that
    the shell calls."""

    def __init__(
        self,
        service: TaskService,
        room: RoomId,
        obj: ObjId | None = None,
        parent: QWidget | None = None,
        *,
        reminders: Reminders | None = None,
    ) -> None:
        """`obj`, `reminders`: see `TasksView`."""
        super().__init__(parent)
        set_props(self, frame="window")
        self.setAccessibleName(tr("My own board") if service.own.is_own(room) else tr("Tasks"))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._service, self._room, self._obj, self._reminders = service, room, obj, reminders
        self.view: TasksView | None = None
        self._task: asyncio.Task[None] | None = None
        self._left: ViewPlace | None = None
        """The place to restore once the board is there."""
        self._asked: list[Callable[[TasksView], object]] = []
        """What is to be done once the board is there, in order."""
        self.progress = ProgressRow(tr("The board is being opened"))
        self._opening = QWidget()
        layout, row = column(self._opening, margins=(24, 24, 24, 24)), line()
        row.addStretch(1)
        row.addWidget(self.progress, 2)
        row.addStretch(1)
        layout.addStretch(2)
        layout.addLayout(row)
        layout.addStretch(3)
        self.failed = EmptyState(
            "tasks",
            tr("The board could not be opened"),
            tr("Nothing of it is lost."),
            tr("Try again"),
            self._begin,
        )
        self.addWidget(self._opening)
        self.addWidget(self.failed)

    # -- opening ----------------------------------------------------------------------------------------------------

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if not event.spontaneous() and self.view is None:
            self._begin()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        if not event.spontaneous() and self._task is not None:
            self._task.cancel()
            self._task = None

    def _begin(self) -> None:
        if self._task is None:
            self.progress.set_progress(0, 0)
            self.setCurrentWidget(self._opening)
            self._task = run(self, self._open(), on_error=self._on_error)

    async def _open(self) -> None:
        board = await self._service.board_in_parts(self._room, self._obj)
        view = TasksView(self._service, self._room, self._obj, self, reminders=self._reminders, in_parts=True)
        self.addWidget(view)
        self.setCurrentWidget(view)  # so that its columns have their widths; nothing is painted in this turn
        self.setCurrentWidget(self._opening)
        total = len(board.all_cards())
        try:
            for shown in view.kanban.filling():
                self.progress.set_progress(shown, total)
                await asyncio.sleep(0)
        except BaseException:
            view.deleteLater()
            raise
        self._task = None
        self._show_view(view)

    def _show_view(self, view: TasksView) -> None:
        had_focus = self.hasFocus()
        self.view, left = view, self._left
        view.set_writable(self._service.may_write(self._room))
        self.setCurrentWidget(view)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        if left is not None:
            view.restore_place(left)
        if had_focus:
            view.setFocus()
        asked, self._asked = self._asked, []
        for act in asked:
            act(view)

    def _on_error(self, error: Exception) -> None:
        self._task = None
        self.setCurrentWidget(self.failed)
        report(self, error)

    # -- for the shell ----------------------------------------------------------------------------------------------

    def _ask(self, act: Callable[[TasksView], object]) -> None:
        """Has the board's view do something, now or once it is there."""
        if self.view is not None:
            act(self.view)
        else:
            self._asked.append(act)

    def open_ref(self, obj: ObjId, ref: bytes) -> None:
        """See `TasksView.open_ref`."""
        self._ask(lambda view: view.open_ref(obj, ref))

    def mark_words(self, words: Sequence[str]) -> None:
        """See `TasksView.mark_words`."""
        self._ask(lambda view: view.mark_words(words))

    def view_place(self) -> ViewPlace:
        """See `TasksView.view_place`. Before the board is complete: the place that is still to be restored, or an empty
        one."""
        return self.view.view_place() if self.view is not None else self._left or ViewPlace()

    def restore_place(self, left: ViewPlace) -> None:
        """See `TasksView.restore_place`. Before the board is complete: notes the place, in place of an earlier one."""
        if self.view is not None:
            self.view.restore_place(left)
        else:
            self._left = left

    def doable(self) -> Mapping[str, Callable[[], object]]:
        """See `TasksView.doable`. Empty before the board is complete."""
        return self.view.doable() if self.view is not None else {}

    def keep_draft(self) -> None:
        """See `TasksView.keep_draft`."""
        if self.view is not None:
            self.view.keep_draft()

    def set_writable(self, writable: bool) -> None:
        """See `TasksView.set_writable`. Does nothing before the board is complete: the page then asks the service."""
        if self.view is not None:
            self.view.set_writable(writable)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        if self.view is not None:
            self.view.setFocus(event.reason())


def board_view(
    service: TaskService,
    room: RoomId,
    obj: ObjId | None = None,
    parent: QWidget | None = None,
    *,
    reminders: Reminders | None = None,
) -> TasksView | BoardPage:
    """Makes the view of a board: a BoardPage if it is large (`TaskService.is_large`), otherwise a TasksView. The
    arguments are those of `TasksView`."""
    kind = BoardPage if service.is_large(room, obj) else TasksView
    return kind(service, room, obj, parent, reminders=reminders)
