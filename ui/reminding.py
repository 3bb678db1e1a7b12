# SPDX-License-Identifier: EUPL-1.2
"""Reminders of things in rooms: the menu in which a time is chosen, changed or removed, and the button that opens it.
The views of every tool use them."""

from dataclasses import dataclass
from functools import partial
from typing import Protocol

from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QWidget

from app.core.ids import ObjId
from app.core.signal import Signal
from app.objects.links import ObjectLink
from app.store.reminder_rows import ReminderId, ReminderRow
from ui.kit.bind import bind
from ui.kit.buttons import IconButton
from ui.kit.choose_time import open_time_menu, time_entries, when_text
from ui.kit.icons import set_icon
from ui.kit.menu import Entry, popup
from ui.kit.tasks import run_guarded
from ui.kit.translate import tr
from ui.tool_views import toast

COMMAND = "remind"
"""The window's command, as `ActingView.doable` names it."""


class Reminders(Protocol):
    """The person's reminders (app/reminders/)."""

    @property
    def changed(self) -> Signal[()]:
        """Emitted when reminders were made, moved or removed, or have rung."""
        ...

    def at(self, link: ObjectLink, /) -> ReminderRow | None:
        """The earliest reminder that waits about what a link leads to; None if there is none."""
        ...

    def places(self, obj: ObjId, /) -> frozenset[bytes]:
        """The places in an object about which reminders wait, as `ObjectLink.ref`; b"" is the object itself."""
        ...

    def remind(self, link: ObjectLink, at_ms: int, /) -> ReminderRow: ...

    def move(self, ident: ReminderId, at_ms: int, /) -> ReminderRow: ...

    def remove(self, ident: ReminderId, /) -> None: ...


@dataclass(frozen=True, slots=True)
class Reminding:
    """The menus of reminders that a view opens. `view` is their parent, and shows errors."""

    view: QWidget
    reminders: Reminders

    def text(self, link: ObjectLink) -> str:
        """When the person is reminded of what `link` leads to, in words; "" for no reminder."""
        row = self.reminders.at(link)
        return tr("Reminder {when}").format(when=when_text(row.at)) if row is not None else ""

    def entry(self, link: ObjectLink, at: QPoint | None = None) -> Entry:
        """An entry for the menu of what `link` leads to. It opens the menu of times (see `open`)."""
        row = self.reminders.at(link)
        text = tr("Remind me …") if row is None else tr("Reminder {when} …").format(when=when_text(row.at))
        return Entry(text=text, icon="clock", run=lambda: self.open(link, at))

    def open(self, link: ObjectLink, at: QPoint | None = None) -> None:
        """Opens the menu of times for what `link` leads to, at the global point `at` or in the middle of the view. If
        there is a reminder already, the menu moves or removes it."""
        row = self.reminders.at(link)
        found = time_entries(self.view, tr("Remind me"), partial(self._set, link))
        if row is not None:
            heading = Entry(text=tr("Reminder {when}").format(when=when_text(row.at)))
            remove = Entry(text=tr("Remove the reminder"), icon="delete", shortcut="Del", run=lambda: self.remove(row))
            found = [heading, None, *found, None, remove]
        popup(self.view, tr("Remind me"), found, at or self.view.mapToGlobal(self.view.rect().center()))

    def _set(self, link: ObjectLink, at_ms: int) -> None:
        before = self.reminders.at(link)
        row = self.reminders.remind(link, at_ms)
        text = tr("You are reminded {when}").format(when=when_text(at_ms))
        toast(self.view, text, lambda: self._restore(row, before))

    def remove(self, row: ReminderRow) -> None:
        """Removes a reminder, and offers to take that back."""
        if run_guarded(self.view, lambda: self.reminders.remove(row.id), again=lambda: self.remove(row)):
            toast(self.view, tr("The reminder is removed"), lambda: self._restore(row, row))

    def change(self, row: ReminderRow, under: QPoint) -> None:
        """Opens the menu of times for a reminder at the global point `under`, to move it."""
        open_time_menu(self.view, tr("Remind me"), partial(self._move, row), under)

    def _move(self, row: ReminderRow, at_ms: int) -> None:
        self.reminders.move(row.id, at_ms)
        text = tr("You are reminded {when}").format(when=when_text(at_ms))
        toast(self.view, text, lambda: self._restore(row, row))

    def _restore(self, row: ReminderRow, before: ReminderRow | None) -> None:
        def restore() -> None:
            if before is None:
                self.reminders.remove(row.id)
            else:
                self.reminders.move(before.id, before.at)

        run_guarded(self.view, restore, again=lambda: self._restore(row, before))


class ReminderButton(IconButton):
    """A button that opens the menu of times for what a view shows (`link`). If there is a reminder of that, the name of
    the button says when. `size`: of the icon, in pixels at 100 %."""

    def __init__(self, reminding: Reminding, link: ObjectLink | None = None, *, size: int = 18) -> None:
        super().__init__("clock", tr("Remind me"), self._open, size=size)
        self._reminding, self._link, self._icon_size = reminding, link, size
        bind(self, reminding.reminders.changed, self._refresh)
        self._refresh()

    def show_link(self, link: ObjectLink | None) -> None:
        """Makes this the button for what `link` leads to; hides it for None. Call it when the button has its parent."""
        self._link = link
        self.setVisible(link is not None)
        self._refresh()

    def _refresh(self) -> None:
        text = self._reminding.text(self._link) if self._link is not None else ""
        self.set_name(text or tr("Remind me"))
        set_icon(self, "clock", "accent" if text else "muted", self._icon_size)

    def _open(self) -> None:
        if self._link is not None:
            self._reminding.open(self._link, self.mapToGlobal(self.rect().bottomLeft()))
