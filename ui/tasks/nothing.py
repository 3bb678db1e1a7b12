# SPDX-License-Identifier: EUPL-1.2
"""The sentence over an empty board: there are no tasks yet, all are in the trash, or the filter shows none."""

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QWidget

from ui.kit.card import EmptyState
from ui.kit.pages import Pages
from ui.kit.scale import px
from ui.kit.translate import tr

HEAD_PX = 52
"""So many pixels at the host's top stay free, for the columns' heads with their menus."""


class Nothing(Pages):
    """A page that covers `host`, a board's view, while nothing is shown in it, with a sentence that says why and a
    button that helps: `add` a card, `show_all` (no filter) or `look_in_trash`."""

    def __init__(
        self,
        host: QWidget,
        add: Callable[[], object],
        show_all: Callable[[], object],
        look_in_trash: Callable[[], object],
        *,
        own: bool = False,
    ) -> None:
        """`own`: it is the person's own board, which nobody else sees."""
        super().__init__(host)
        self._host = host
        self._no_cards = EmptyState(
            "tasks",
            tr("No tasks yet"),
            tr("What only you have to do stands here. Nobody else sees it, and it is on all your devices.")
            if own
            else tr("What is to be done in the room stands here, and everybody in the room sees it."),
            tr("Add the first task"),
            add,
        )
        self._none_shown = EmptyState(
            "filter",
            tr("The filter shows no task"),
            tr("There are tasks on the board, but none that fits."),
            tr("Show all"),
            show_all,
        )
        self.addWidget(self._no_cards)
        self.all_away = EmptyState(
            "delete",
            tr("All tasks are in the trash"),
            tr("Nothing disappears from there by itself."),
            tr("Look in the trash"),
            look_in_trash,
        )
        self.addWidget(self._none_shown)
        self.addWidget(self.all_away)
        host.installEventFilter(self)
        self.hide()

    def set_writable(self, writable: bool) -> None:
        """Sets whether the button that adds a card is offered (`writable`)."""
        if self._no_cards.step is not None:
            self._no_cards.step.setVisible(writable)

    def show_for(self, *, cards: int, shown: int, only_away: bool = False) -> None:
        """Shows the sentence that fits, or hides the page if any card is shown. `cards` is the number of cards on the
        board, `shown` how many of them the filter shows, `only_away` whether there are cards in the trash and nowhere
        else."""
        self.setCurrentWidget(self._none_shown if cards else self.all_away if only_away else self._no_cards)
        self.setVisible(not shown)
        self.raise_()
        self._place()

    def _place(self) -> None:
        head = px(HEAD_PX)
        self.setGeometry(0, head, self._host.width(), max(0, self._host.height() - head))
        page = self.currentWidget()
        needs = head + page.minimumSizeHint().height() if page is not None and not self.isHidden() else 0
        self._host.setMinimumHeight(needs)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            self._place()
        return False
