# SPDX-License-Identifier: EUPL-1.2
"""A card in the settings that lists the rooms whose only owner this person is. The person goes through the list before
a leave or a change of post."""

from collections.abc import Callable

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from app.core.ids import RoomId
from app.rooms.service import RoomService, RoomSummary
from ui.kit.bind import Soon, bind
from ui.kit.buttons import RowButton
from ui.kit.card import Card
from ui.kit.keyed_rows import KeyedRows
from ui.kit.style import ElidedLabel, column, label, line, set_props
from ui.kit.translate import tr


class OwnedRow(RowButton):
    """A row of the settings that shows one room by its title. A press calls `choose` with the room."""

    def __init__(self, room: RoomSummary, choose: Callable[[RoomId], object]) -> None:
        ident = room.room
        super().__init__(room.title, lambda: choose(ident))
        set_props(self, kind="card-row")
        self._title = ElidedLabel(room.title)
        line(self, margins=(10, 8, 10, 8)).addWidget(self._title)
        self.take_clicks()

    def show_room(self, room: RoomSummary) -> None:
        """Shows the present title of `room`, which is the room that the row was made for."""
        if self.accessibleName() != room.title:
            self.setAccessibleName(room.title)
            self._title.set_text(room.title)


class OwnedCard(Card):
    """The card in the settings with the rooms whose only owner the person is. `room_chosen` is emitted with the room
    when one is pressed; there the person can make another member an owner."""

    room_chosen = Signal(object)

    def __init__(self, rooms: RoomService, parent: QWidget | None = None) -> None:
        super().__init__(margin=12, spacing=6, parent=parent)
        self._service = rooms
        self._about = label("", "muted", wrap=True)
        self.content.addWidget(self._about)
        self._host = QWidget()
        column(self._host, spacing=4)
        self.rows: KeyedRows[RoomSummary, OwnedRow] = KeyedRows(
            self._host,
            lambda room: room.room,
            lambda room: OwnedRow(room, self.room_chosen.emit),
            lambda row, room: row.show_room(room),
        )
        self.content.addWidget(self._host)
        bind(self, rooms.changed, Soon(self, self.refresh).due)
        self.refresh()

    def refresh(self) -> None:
        """Reads again of which rooms the person is the only owner."""
        found = self._service.only_mine()
        self._host.setVisible(bool(found))
        self._about.setText(
            tr("While you are away nobody else can name an owner there. Make a colleague an owner beside its members.")
            if found
            else tr("Every room that you own and share has another owner too.")
        )
        self.rows.show(found)
