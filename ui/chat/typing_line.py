# SPDX-License-Identifier: EUPL-1.2
"""The line under the messages that names the people who are writing."""

from collections.abc import Sequence

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QWidget

from app.chat.service import ChatService
from app.core.ids import RoomId
from ui.chat.message_layout import left_px
from ui.kit import theme
from ui.kit.announcing import announce
from ui.kit.bind import bind
from ui.kit.gathering import Kind
from ui.kit.scale import hold
from ui.kit.style import label
from ui.kit.translate import tr


class TypingLine:
    """The line (`label`) under the messages of a room that says which other people are writing; empty for nobody. A new
    text is announced to screen readers while the conversation is visible in an active window."""

    def __init__(self, view: QWidget, service: ChatService, room: RoomId) -> None:
        """For the line that says who is writing in the room. `view` is the conversation's widget: with it the timer
        ends that updates the line."""
        self.label = label("", "faint")
        hold(self.label, height=22)
        self._view = view
        self._service = service
        self._room = room
        self._indent()
        theme.on_change(self.label, self._indent)
        self._timer = QTimer(view, interval=1000)
        self._timer.timeout.connect(self._show)
        bind(view, service.typing.changed, self._on_typing)

    def _indent(self) -> None:
        self.label.setContentsMargins(left_px(), 0, 0, 0)

    def _on_typing(self, room: RoomId) -> None:
        if room == self._room:
            self._show()

    def _show(self) -> None:
        uids = [uid for uid in self._service.typing.now(self._room) if uid != self._service.me]
        names = [self._service.people.person(uid).name for uid in uids]
        text = typing_text(names)
        if text and text != self.label.text() and self._view.isVisible() and self._view.isActiveWindow():
            announce(self._view, text, Kind.PASSING)
        self.label.setText(text)
        if names and not self._timer.isActive():
            self._timer.start()
        elif not names:
            self._timer.stop()


def typing_text(names: Sequence[str]) -> str:
    """A sentence that names the one or two people who are writing; for more, that several are; "" for nobody."""
    match len(names):
        case 0:
            return ""
        case 1:
            return tr("{name} is writing …").format(name=names[0])
        case 2:
            return tr("{a} and {b} are writing …").format(a=names[0], b=names[1])
        case _:
            return tr("Several people are writing …")
