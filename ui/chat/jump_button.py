# SPDX-License-Identifier: EUPL-1.2
"""The button over the conversation that goes to the latest message and marks the rest as read. It shows how many those
are."""

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QWidget

from ui.kit import theme
from ui.kit.buttons import TextButton
from ui.kit.plain import set_tip
from ui.kit.translate import tr, trn

_SIDE = 28
MANY = 1000
"""More unread messages are not counted."""


class JumpButton(TextButton):
    """A button in the lower right corner of `parent`, the conversation, that goes to the latest message and marks the
    others as read, except those that mention the person. A press calls `on_click`, which does it."""

    def __init__(self, on_click: Callable[[], object], parent: QWidget) -> None:
        super().__init__("", on_click, icon="down", parent=parent)
        self._around = parent
        self.show_count(0, 0)
        parent.installEventFilter(self)
        self.hide()
        theme.on_change(self, self.place)

    def show_count(self, unread: int, mentions: int) -> None:
        """Shows how many messages the button marks as read: those that are `unread`, without the `mentions` of the
        person among them, which stay unread. Shows no number if that is 0, and "over 999" if 1000 or more are unread,
        which is as far as they are counted."""
        marked = unread - mentions
        if unread >= MANY and marked > 1:  # no more were counted, so these are the fewest
            text = tr("Go to latest and mark over {n} as read").format(n=marked - 1)
        elif marked > 0:
            text = trn("Go to latest and mark {n} as read", "Go to latest and mark {n} as read", marked)
            text = text.format(n=marked)
        else:
            text = tr("Go to latest")
        if text != self.accessibleName():
            self.setText(text)
            self.place()
        set_tip(self, tr("Messages that mention you stay unread until you have seen them.") if mentions else "")

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and not self.isHidden():
            self.place()
        return False

    def place(self) -> None:
        """Moves the button to its corner. Called when the parent or the text has another size."""
        around = self._around
        self.adjustSize()
        self.setFixedWidth(min(self.sizeHint().width(), around.width() - 2 * _SIDE))
        self.move(around.width() - self.width() - _SIDE, around.height() - self.height() - 10)
