# SPDX-License-Identifier: EUPL-1.2
"""Reminders of documents."""

from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QWidget

from app.core.ids import ObjId, RoomId
from app.documents import KIND
from app.objects.links import ObjectLink
from ui.kit.menu import Entry
from ui.reminding import ReminderButton, Reminders, Reminding


class DocumentReminding:
    """What is offered about reminders of the documents in one room. `view` is the parent of menus."""

    def __init__(self, view: QWidget, room: RoomId, reminders: Reminders) -> None:
        self.reminders = reminders
        self._room, self._reminding = room, Reminding(view, reminders)

    def text(self, obj: ObjId) -> str:
        """When the person is reminded of a document, in words; "" for no reminder."""
        return self._reminding.text(self._link(obj)) if b"" in self.reminders.places(obj) else ""

    def button(self, obj: ObjId) -> ReminderButton:
        """Makes the reminder button of an open document."""
        return ReminderButton(self._reminding, self._link(obj))

    def entry(self, obj: ObjId, at: QPoint | None = None) -> Entry:
        """The entry of a document's menu, which opens the times at the global point `at`, or in the middle of the
        view."""
        return self._reminding.entry(self._link(obj), at)

    def open(self, obj: ObjId, at: QPoint | None = None) -> None:
        """Opens the menu of times for a document, at the global point `at` or in the middle of the view."""
        self._reminding.open(self._link(obj), at)

    def _link(self, obj: ObjId) -> ObjectLink:
        return ObjectLink(room=self._room, obj=obj, kind=KIND.id)
