# SPDX-License-Identifier: EUPL-1.2
"""Reminders of messages."""

from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QWidget

from app.chat import KIND
from app.chat.model import Message
from app.core.ids import RoomId
from app.objects.links import ObjectLink
from ui.kit.menu import Entry
from ui.reminding import Reminders, Reminding


class MessageReminding:
    """What is offered about reminders of the messages in one room. `view` is the parent of menus."""

    def __init__(self, view: QWidget, room: RoomId, reminders: Reminders) -> None:
        self.reminders = reminders
        self._room, self._reminding = room, Reminding(view, reminders)

    def reminded(self, message: Message) -> bool:
        """Whether the person is to be reminded of a message."""
        return message.change_id in self.reminders.places(message.obj)

    def entry(self, message: Message, at: QPoint) -> Entry:
        """The entry of a message's menu, which opens the times at the global point `at`."""
        return self._reminding.entry(self._link(message), at)

    def open(self, message: Message, at: QPoint | None = None) -> None:
        """Opens the menu of times for a message, at the global point `at` or in the middle of the view."""
        self._reminding.open(self._link(message), at)

    def _link(self, message: Message) -> ObjectLink:
        return ObjectLink(room=self._room, obj=message.obj, kind=KIND.id, ref=message.change_id)
