# SPDX-License-Identifier: EUPL-1.2
"""Reminders on Home: what will ring, and when. Reminders and notices that were put off are one list, the earliest
first."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QWidget

from app.core.visible import one_line
from app.notices.service import NoticeRow
from app.objects.links import ObjectLink
from app.session import Session
from app.store.reminder_rows import ReminderRow
from ui.kit.buttons import IconButton, TextButton
from ui.kit.card import IconLabel
from ui.kit.choose_time import when_text
from ui.kit.keyed_rows import KeyedRows
from ui.kit.style import ElidedLabel, column
from ui.kit.translate import tr, trn
from ui.reminding import Reminding
from ui.shell.notices import dealing
from ui.shell.notices.card_row import CardRow
from ui.shell.notices.lines import NoticeLines, link_of
from ui.shell.tool_list import ToolList

FIRST, MORE = 4, 20
_MAX_TEXT = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """Something that will ring: its icon, what it is about, the room, and the time in words. `row`: the reminder, or
    the notice that was put off. `link`: its place; None if it leads to no object."""

    key: Hashable
    icon: str
    title: str
    room: str
    when: str
    link: ObjectLink | None = field(compare=False)
    row: ReminderRow | NoticeRow = field(compare=False)


class PlannedRow(CardRow):
    """A row for one reminder. Enter or a press opens its place (`opened`), S changes the time (`changed`, which also
    gets the global point for a menu), E or Del removes it (`removed`)."""

    def __init__(
        self,
        planned: Planned,
        *,
        opened: Callable[[Planned], object],
        changed: Callable[[Planned, QPoint], object],
        removed: Callable[[Planned], object],
    ) -> None:
        icon, title = IconLabel(planned.icon, "muted", 20), ElidedLabel("", "body")
        super().__init__(lambda: opened(self._planned), icon, title, edge=9)
        self._planned, self._changed, self._removed = planned, changed, removed
        self.change_button = IconButton("clock", tr("Change the time"), self._change, shortcut="S")
        self.remove_button = IconButton("close", tr("Remove the reminder"), self._remove, shortcut="E")
        self._finish(self.change_button, self.remove_button)

    def show_planned(self, planned: Planned) -> None:
        """Shows this reminder from now on."""
        self._planned = planned
        name = ", ".join(part for part in (planned.title, planned.when, planned.room) if part)
        self.button.setAccessibleName(name)
        self.button.setAccessibleDescription(tr("S: another time, E: remove"))
        self.change_button.set_name(tr("Change the time: {title}").format(title=planned.title), "S")
        self.remove_button.set_name(tr("Remove the reminder: {title}").format(title=planned.title), "E")
        self._icon.set_icon(planned.icon, "muted")
        self._title.set_text(planned.title)
        self._detail.set_text(" · ".join(part for part in (planned.when, planned.room) if part))

    def _change(self) -> None:
        button = self.change_button
        self._changed(self._planned, button.mapToGlobal(button.rect().bottomLeft()))

    def _remove(self) -> None:
        self._removed(self._planned)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        plain = not event.modifiers()
        if plain and event.key() == Qt.Key.Key_S:
            self._change()
        elif plain and event.key() in (Qt.Key.Key_E, Qt.Key.Key_Delete):
            self._remove()
        else:
            super().keyPressEvent(event)


class PlannedList(QWidget):
    """The list of reminders and snoozed notices that have still to ring: the next FIRST, and a button for more. It
    emits `opened` with the ObjectLink of the place that the person wants to see. It is empty until its owner calls
    `refresh`, when it is shown and whenever reminders or notices have changed."""

    opened = Signal(object)

    def __init__(self, session: Session, tools: ToolList, lines: NoticeLines, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session, self._tools, self._lines = session, tools, lines
        self._reminding = Reminding(self, session.reminders)
        self._limit = FIRST
        layout = column(self, spacing=8)
        host = QWidget()
        column(host, spacing=8)
        self._rows: KeyedRows[Planned, PlannedRow] = KeyedRows(
            host, lambda each: each.key, self._make, lambda row, each: row.show_planned(each)
        )
        self._more = TextButton("", self._show_more, kind="link")
        layout.addWidget(host)
        layout.addWidget(self._more)

    def refresh(self) -> int:
        """Reads the reminders again. Returns how many are shown."""
        reminders = self._session.reminders.list(self._limit + MORE)
        snoozed = self._session.notices.snoozed(self._limit + MORE)
        found = [*((row.at, self._of_reminder(row)) for row in reminders)]
        found += [(row.until or 0, self._of_notice(row)) for row in snoozed]
        found.sort(key=lambda each: each[0])
        self._rows.show([planned for _, planned in found[: self._limit]])
        left = min(max(0, len(found) - self._limit), MORE)
        self._more.setVisible(left > 0)
        self._more.show_text(trn("Show {n} more", "Show {n} more", left).format(n=left))
        return min(len(found), self._limit)

    def _of_reminder(self, row: ReminderRow) -> Planned:
        link = ObjectLink(room=row.room, obj=row.obj, kind=row.kind, ref=row.ref)
        linked = self._session.linked(link)
        text = one_line(linked.title, _MAX_TEXT) if linked is not None else tr("something that is no longer here")
        return Planned(
            key=row.id,
            icon=self._tools.icon_of(link),
            title=text,
            room=self._tools.own_title(row.room, row.kind) or self._lines.room_title(row.room),
            when=when_text(row.at),
            link=link,
            row=row,
        )

    def _of_notice(self, row: NoticeRow) -> Planned:
        shown = self._lines.line(row)
        title = (
            " · ".join(part for part in (shown.title, shown.text) if part and part not in shown.title) or shown.title
        )
        return Planned(
            key=row.id,
            icon=shown.icon,
            title=title,
            room=shown.room,
            when=when_text(row.until or 0),
            link=link_of(row),
            row=row,
        )

    def _make(self, planned: Planned) -> PlannedRow:
        return PlannedRow(planned, opened=self._open, changed=self._change, removed=self._remove)

    def _open(self, planned: Planned) -> None:
        if planned.link is not None:
            self.opened.emit(planned.link)

    def _change(self, planned: Planned, under: QPoint) -> None:
        if isinstance(planned.row, ReminderRow):
            self._reminding.change(planned.row, under)
        else:
            dealing.ask_later(self, self._session.notices, planned.row, at=under)

    def _remove(self, planned: Planned) -> None:
        if isinstance(planned.row, ReminderRow):
            self._reminding.remove(planned.row)
        else:
            dealing.bring_back(self, self._session.notices, planned.row)

    def _show_more(self) -> None:
        self._limit += MORE
        self.refresh()
