# SPDX-License-Identifier: EUPL-1.2
"""The actions on a column of the board."""

from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QWidget

from app.tasks.model import Board, Column
from ui.kit.dialogs import ask
from ui.kit.menu import Entry, close_when, popup
from ui.kit.tasks import run, run_guarded
from ui.kit.translate import tr
from ui.tool_views import toast


class ColumnMenu:
    """The menu of a column of the board. `owner` is the board's view, which shows dialogs and errors."""

    def __init__(self, owner: QWidget, board: Board) -> None:
        self._owner, self._board = owner, board

    def open(self, column_id: str, at: QPoint) -> None:
        """Opens the menu of a column at the global point `at`. Does nothing if the column is gone, or for the one of
        cards without a column, whose id is ""."""
        shown = self._board.column(column_id)
        if shown is None or not shown.id:
            return
        menu = popup(self._owner, tr("Column menu"), self._entries(shown), at)
        close_when(menu, self._board.columns_changed, lambda: self._board.column(column_id) is None)

    def new(self) -> None:
        """Asks for the title of a column, and adds it."""
        run(self._owner, self._new())

    def _entries(self, shown: Column) -> list[Entry | None]:
        columns = self._board.columns()
        number = columns.index(shown)
        after = columns[number + 2].id if number + 2 < len(columns) else None
        return [
            Entry(text=tr("Rename column …"), icon="rename", run=lambda: run(self._owner, self._rename(shown))),
            Entry(text=tr("New column …"), icon="add", run=self.new),
            Entry(
                text=tr("Tasks here are finished"),
                checked=shown.done,
                run=lambda: run_guarded(self._owner, lambda: self._board.set_column_done(shown.id, not shown.done)),
            ),
            Entry(
                text=tr("Move left"),
                icon="back",
                enabled=number > 0,
                run=lambda: run_guarded(self._owner, lambda: self._board.move_column(shown.id, columns[number - 1].id)),
            ),
            Entry(
                text=tr("Move right"),
                icon="forward",
                enabled=number < len(columns) - 1,
                run=lambda: run_guarded(self._owner, lambda: self._board.move_column(shown.id, after)),
            ),
            None,
            Entry(
                text=tr("Delete column"),
                icon="delete",
                danger=True,
                enabled=len(columns) > 1,
                run=lambda: self._delete(shown),
            ),
        ]

    async def _rename(self, shown: Column) -> None:
        title = await ask(self._owner, tr("Rename column"), tr("Title"), value=shown.title, accept=tr("Rename"))
        if title:
            run_guarded(self._owner, lambda: self._board.rename_column(shown.id, title))

    async def _new(self) -> None:
        title = await ask(self._owner, tr("New column"), tr("Title"), accept=tr("Add"))
        if title:
            run_guarded(self._owner, lambda: self._board.add_column(title))

    def _delete(self, shown: Column) -> None:
        if run_guarded(self._owner, lambda: self._board.delete_column(shown.id)):
            text = tr("The column “{title}” is deleted").format(title=shown.title)
            toast(self._owner, text, lambda: run_guarded(self._owner, lambda: self._board.restore_column(shown)))
