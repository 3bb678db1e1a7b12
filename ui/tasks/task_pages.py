# SPDX-License-Identifier: EUPL-1.2
"""The section Tasks of the rail: the list of the person's tasks, and beside it their own board."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtGui import QFocusEvent
from PySide6.QtWidgets import QWidget

from app.core.later import Later
from app.tasks.service import TaskService
from ui.kit import theme
from ui.kit.page_tabs import PageTabs
from ui.kit.pages import Pages
from ui.kit.style import column, line, set_props
from ui.kit.translate import tr
from ui.tasks.my_tasks import MyTasks
from ui.tool import ViewParts
from ui.tool_views import OWN, ViewPlace, go_tab

if TYPE_CHECKING:
    from ui.tasks import own_board_page
else:
    own_board_page = Later("ui.tasks.own_board_page", when_idle=True)

MINE = ""
"""The tab with the list, as `Place.tab` has it; the other one is OWN."""
NEW = "new-own-task"
"""The command that goes to the field for a new task of one's own."""


class TaskPages(QWidget):
    """The two pages `mine` and `own_board`, under a row of buttons that chooses one. The second one is made when it is
    first shown."""

    def __init__(self, parts: ViewParts[TaskService], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._parts = parts
        self._own_board: own_board_page.OwnBoardPage | None = None
        set_props(self, frame="window")
        self.setAccessibleName(tr("Tasks"))
        layout = column(self)
        head = line(margins=(34, 18, 34, 10))
        self.tabs = PageTabs(tr("Pages of Tasks"), {MINE: tr("My tasks"), OWN: tr("My own board")})
        self.tabs.chosen.connect(partial(go_tab, self, "tasks"))
        head.addWidget(self.tabs)
        head.addStretch(1)
        layout.addLayout(head)
        self._stack = Pages()
        self.mine = MyTasks(parts)
        self._stack.addWidget(self.mine)
        layout.addWidget(self._stack, 1)
        self.show_tab(MINE)

    @property
    def own_board(self) -> "own_board_page.OwnBoardPage":
        """The page with the person's own board."""
        if self._own_board is None:
            with theme.styled_at_once():
                self._own_board = own_board_page.OwnBoardPage(self._parts)
                self._stack.addWidget(self._own_board)
        return self._own_board

    @property
    def tab(self) -> str:
        """The tab that is shown."""
        return MINE if self._stack.currentWidget() is self.mine else OWN

    # -- for the shell ----------------------------------------------------------------------------------------------

    def show_tab(self, tab: str) -> None:
        """Shows a tab; the list for one that is unknown."""
        shown = self.tabs.show_tab(tab)
        self._stack.setCurrentWidget(self.own_board if shown == OWN else self.mine)

    def open_own(self, ref: bytes, words: Sequence[str]) -> None:
        """Opens the card whose id is `ref` (b"": none) on the person's own board, and marks the words of a search in
        it."""
        self.show_tab(OWN)
        self.own_board.open_ref(ref, words)

    def doable(self) -> Mapping[str, Callable[[], object]]:
        """The window's commands that are possible now, by name: on the list, to write a new task; on the person's own
        board, what that board offers."""
        if self.tab == MINE:
            return {NEW: self.mine.new.setFocus}
        return self.own_board.view.doable() if self.own_board.view is not None else {}

    def keep_draft(self) -> None:
        """Stores what is being written in the open card of the person's own board."""
        if self._own_board is not None and self._own_board.view is not None:
            self._own_board.view.keep_draft()

    def view_place(self) -> ViewPlace:
        """What is shown of the person's own board, to be restored later; nothing for the list."""
        return self.own_board.view_place() if self.tab == OWN else ViewPlace()

    def restore_place(self, left: ViewPlace) -> None:
        """Shows again the place on the person's own board that `view_place` returned. If the board is not made yet, the
        place is kept until it is. Does nothing while another tab than that board is selected."""
        if self.tab == OWN:
            self.own_board.restore_place(left)

    def focusInEvent(self, event: QFocusEvent) -> None:
        if self.tab == OWN:
            self.own_board.setFocus(event.reason())
