# SPDX-License-Identifier: EUPL-1.2
"""The section Home of the rail: the page Home, and beside it Activity, which has everything that concerned the
person."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QWidget

from app.notices.service import NoticeFilter
from app.session import Session
from ui.kit import theme
from ui.kit.bind import Soon, bind
from ui.kit.page_tabs import PageTabs
from ui.kit.pages import Pages
from ui.kit.style import column, line, set_props
from ui.kit.translate import tr, trn
from ui.shell.home.home_page import Home
from ui.tool_views import go_tab

if TYPE_CHECKING:
    from ui.shell.notices import activity_page

HOME, ACTIVITY = "", "activity"
"""The tabs, as `Place.tab` has them."""


class HomePages(QWidget):
    """The two pages `home` and `activity`, under a row of buttons that chooses one. `make_activity` makes the second
    one when it is first shown."""

    def __init__(self, session: Session, home: Home, make_activity: "Callable[[], activity_page.Activity]") -> None:
        super().__init__()
        self._session, self.home, self._make_activity = session, home, make_activity
        self._activity: activity_page.Activity | None = None
        set_props(self, frame="window")
        self.setAccessibleName(tr("Home"))
        layout = column(self)
        head = line(margins=(34, 18, 34, 0))
        self.tabs = PageTabs(tr("Pages of Home"), {HOME: tr("Overview"), ACTIVITY: tr("Activity")})
        self.tabs.chosen.connect(partial(go_tab, self, "home"))
        head.addWidget(self.tabs)
        head.addStretch(1)
        layout.addLayout(head)
        self._stack = Pages()
        self._stack.addWidget(home)
        layout.addWidget(self._stack, 1)
        bind(self, session.notices.changed, Soon(self, self._count).due)
        self._count()
        self.show_tab(HOME)

    @property
    def activity(self) -> "activity_page.Activity":
        """The page Activity."""
        if self._activity is None:
            with theme.styled_at_once():
                self._activity = self._make_activity()
                self._stack.addWidget(self._activity)
        return self._activity

    @property
    def tab(self) -> str:
        """The tab that is shown."""
        return HOME if self._stack.currentWidget() is self.home else ACTIVITY

    def show_tab(self, tab: str) -> None:
        """Shows a tab; Home for one that is unknown."""
        shown = self.tabs.show_tab(tab)
        self._stack.setCurrentWidget(self.activity if shown == ACTIVITY else self.home)

    def focusInEvent(self, event: object) -> None:
        if self.tab == ACTIVITY:
            self.activity.setFocus()

    def _count(self) -> None:
        """Shows how many notices are unread. Above 99 it shows 99+."""
        count = self._session.notices.count(NoticeFilter(unseen=True))
        shown = "99+" if count > 99 else str(count)
        button = self.tabs.buttons[ACTIVITY]
        button.setText(f"{tr('Activity')} ({shown})" if count else tr("Activity"))
        words = trn("{name}, {n} unread", "{name}, {n} unread", count).format(name=tr("Activity"), n=shown)
        button.setAccessibleName(words if count else tr("Activity"))
