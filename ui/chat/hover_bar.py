# SPDX-License-Identifier: EUPL-1.2
"""The small bar over the message under the pointer: react, reply, edit, more. Keys and the menu do the same."""

from collections.abc import Callable

from PySide6.QtCore import QPoint, QRect
from PySide6.QtWidgets import QFrame, QWidget

from app.chat.model import Message
from ui.kit.buttons import IconButton
from ui.kit.style import line, set_props
from ui.kit.translate import tr


class HoverBar(QFrame):
    """A small bar of buttons over the message under the pointer. `action` is called with the message and "react",
    "reply", "edit" or "more". `parent` is the viewport of the conversation."""

    def __init__(self, parent: QWidget, action: Callable[[Message, str], object]) -> None:
        super().__init__(parent)
        self._viewport = parent
        set_props(self, frame="hover-bar")
        self._action = action
        self.message: Message | None = None
        row = line(self, margins=(3, 3, 3, 3), spacing=0)
        self._buttons = {
            "react": IconButton("emoji", tr("React"), lambda: self._do("react"), size=16),
            "reply": IconButton("reply", tr("Reply"), lambda: self._do("reply"), size=16),
            "edit": IconButton("edit", tr("Edit message"), lambda: self._do("edit"), size=16),
            "more": IconButton("more", tr("More for this message"), lambda: self._do("more"), size=16),
        }
        for button in self._buttons.values():
            row.addWidget(button)
        self.hide()

    def show_for(self, message: Message | None, rect: QRect, *, can_write: bool, can_edit: bool) -> None:
        """Shows the bar at the viewport's right edge, at the top of `rect`, where `message` is (in the viewport's
        coordinates); hides it for None or a deleted message. `can_write`: the person may react and reply. `can_edit`:
        the person may change this message. The buttons for what the person may not do are hidden."""
        self.message = None if message is None or message.deleted else message
        if self.message is None:
            self.hide()
            return
        for name, shown in (("react", can_write), ("reply", can_write), ("edit", can_edit)):
            self._buttons[name].setVisible(shown)
        self.adjustSize()
        parent = self._viewport
        x = parent.width() - self.width() - 20
        self.move(x, max(2, min(rect.top() - 6, parent.height() - self.height() - 2)))
        self.show()
        self.raise_()

    def stands_on(self, message: Message) -> bool:
        """Whether the bar is shown for that message."""
        return self.isVisible() and self.message is not None and self.message.change_id == message.change_id

    def below(self, name: str) -> QPoint:
        """The global point below the lower left corner of the button `name` ("react", "reply", "edit", "more"): there
        its panel or menu opens. KeyError for another name."""
        button = self._buttons[name]
        return button.mapToGlobal(QPoint(0, button.height() + 4))

    def _do(self, action: str) -> None:
        if self.message is not None:
            self._action(self.message, action)
