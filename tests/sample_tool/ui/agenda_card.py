# SPDX-License-Identifier: EUPL-1.2
"""The agenda of a room's next meeting: its open items, each with a button that closes it, and a field for a new one."""

from collections.abc import Callable

from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QLineEdit, QWidget

from app.core.ids import RoomId, Uid
from app.people.person import Person
from tests.sample_tool.app.records import MAX_ITEM
from tests.sample_tool.app.service import AgendaItem, MinutesService
from ui.kit.bind import Soon, bind
from ui.kit.buttons import IconButton, TextButton
from ui.kit.card import Card, SectionHeader
from ui.kit.keyed_rows import KeyedRows
from ui.kit.style import ElidedLabel, column, label, line
from ui.kit.tasks import run_guarded
from ui.kit.translate import tr
from ui.tool_views import toast


class ItemRow(QWidget):
    """An item's text and who added it."""

    def __init__(self, closed: Callable[[AgendaItem], object]) -> None:
        super().__init__()
        self._shown: tuple[AgendaItem, str] | None = None
        row = line(self, margins=(8, 2, 4, 2), spacing=10)
        self._text, self._by = ElidedLabel(), label("", "faint")
        self.button = IconButton("check", "", lambda: closed(self._shown[0]) if self._shown else None)
        row.addWidget(self._text, 1)
        row.addWidget(self._by)
        row.addWidget(self.button)

    @property
    def item(self) -> bytes:
        """The id of the item that it shows."""
        return self._shown[0].item if self._shown is not None else b""

    def show_item(self, item: AgendaItem, by: str, writable: bool) -> None:
        """Shows the item as it is now."""
        self.button.setVisible(writable)
        if (item, by) != self._shown:
            self._shown = item, by
            self._text.set_text(item.text)
            self._by.setText(by)
            self.button.set_name(tr("Handled: {item}").format(item=item.text))


class AgendaCard(QWidget):
    """The card under its heading. What is on screen counts as seen."""

    def __init__(
        self, service: MinutesService, room: RoomId, person: Callable[[Uid], Person], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._service, self._room, self._person = service, room, person
        layout = column(self, spacing=10)
        layout.addWidget(SectionHeader(tr("For the next meeting")))
        self.card = Card(margin=6, spacing=0)
        layout.addWidget(self.card)
        self.rows: KeyedRows[AgendaItem, ItemRow] = KeyedRows(
            self.card,
            lambda item: (item.obj, item.item, item.by),
            lambda _: ItemRow(self._close),
            lambda row, item: row.show_item(item, self._by(item), self._writable),
        )
        self._writing = QWidget()
        foot = line(self._writing, spacing=8)
        self.field = QLineEdit()
        self.field.setAccessibleName(tr("New item"))
        self.field.setPlaceholderText(tr("What is to be taken up"))
        self.field.setMaxLength(MAX_ITEM)
        self.field.returnPressed.connect(self.add)
        foot.addWidget(self.field, 1)
        foot.addWidget(TextButton(tr("Add"), self.add, icon="add"))
        layout.addWidget(self._writing)
        self._writable = True
        bind(self, service.changed, self._on_changed)
        self._soon = Soon(self, self.refresh)

    def set_writable(self, writable: bool) -> None:
        """Whether items can be added and closed."""
        self._writable = writable
        self._writing.setVisible(writable)
        self.refresh()

    def add(self) -> None:
        """Adds what is in the field. If the disk refuses, the text stays there."""
        text = self.field.text().strip()
        if text and run_guarded(self, lambda: self._service.add_item(self._room, text), again=self.add):
            self.field.clear()

    def focus_item(self, item: bytes) -> bool:
        """Gives the focus to an item's button. Returns False if it is not shown."""
        row = next((row for row in self.rows.rows if row.button.isVisible() and row.item == item), None)
        if row is not None:
            row.button.setFocus()
        return row is not None

    def refresh(self) -> None:
        """Reads the items again, and notes that they were seen if they are on screen."""
        items = [item for item in self._service.agenda(self._room) if not item.closed]
        self.rows.show(items)
        self.card.setVisible(bool(items))
        if self.isVisible() and self.window().isActiveWindow():
            run_guarded(self, lambda: self._service.see_agenda(self._room))

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.refresh()

    def _on_changed(self, room: RoomId) -> None:
        if room == self._room:
            self._soon.due()

    def _close(self, item: AgendaItem) -> None:
        if run_guarded(self, lambda: self._service.close_item(self._room, item, True), again=lambda: self._close(item)):
            toast(self, tr("“{item}” is handled").format(item=item.text), lambda: self._open_again(item))

    def _open_again(self, item: AgendaItem) -> None:
        run_guarded(
            self, lambda: self._service.close_item(self._room, item, False), again=lambda: self._open_again(item)
        )

    def _by(self, item: AgendaItem) -> str:
        name = self._person(item.by).name
        if item.stated_by is None:
            return name
        return tr("{name}, as {carrier} states").format(name=self._person(item.stated_by).name, carrier=name)
