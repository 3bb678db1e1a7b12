# SPDX-License-Identifier: EUPL-1.2
"""The side list: title and add button, search, and rooms in sections with what is unread."""

from collections.abc import Sequence

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtWidgets import QFrame, QWidget

from app.core.enums import Presence, RoomType
from app.core.ids import RoomId
from app.presence.service import PresenceService
from app.rooms.invitations import Invitations, MoreInvitations
from app.rooms.service import RoomService, RoomSummary
from ui.kit.bind import Soon, bind
from ui.kit.buttons import IconButton
from ui.kit.menu import Entry, popup
from ui.kit.scale import hold
from ui.kit.search_field import SearchButton
from ui.kit.style import column, label, line, set_props
from ui.kit.tasks import run_guarded
from ui.kit.theme import colour_of
from ui.kit.translate import tr, trn
from ui.shell.rows import Row, RowList
from ui.shell.words import the_other, tile_text, type_name

_ANY_WIDTH = 8000


class RoomList(QFrame):
    """The list of rooms at the side: title and add button, search, and rooms and invitations in sections with what is
    unread. It emits `chosen` with a room, `more_chosen` with invitations that are only counted, `new_room` and
    `search`."""

    chosen = Signal(object)
    more_chosen = Signal(object)
    """MoreInvitations: the line of those that are not shown one by one."""
    new_room = Signal()
    search = Signal()

    def __init__(
        self,
        rooms: RoomService,
        invitations: Invitations,
        presence: PresenceService,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._rooms, self._invitations, self._presence = rooms, invitations, presence
        set_props(self, frame="side-list")
        self.setAccessibleName(tr("Rooms"))
        self.set_alone(False)
        layout = column(self)
        head = line(margins=(16, 16, 16, 6))
        head.addWidget(label(tr("Rooms"), "side-title"))
        head.addStretch(1)
        add = IconButton(
            "add", tr("New room"), self.new_room.emit, size=16, role="text", framed=True, shortcut="Ctrl+N"
        )
        head.addWidget(add)
        layout.addLayout(head)
        find = line(margins=(12, 4, 12, 0))
        self.find_button = SearchButton(tr("Search everything"), "Ctrl K", self.search.emit)
        find.addWidget(self.find_button)
        layout.addLayout(find)
        layout.addSpacing(8)
        self.list = RowList(tr("List of rooms"))
        layout.addWidget(self.list, 1)
        self.list.clicked.connect(self._on_index)
        self.list.activated.connect(self._on_index)
        self.list.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)
        soon = Soon(self, self.refresh)
        bind(self, rooms.changed, soon.due)
        bind(self, invitations.changed, soon.due)
        bind(self, presence.changed, soon.due)
        self.refresh()

    def set_alone(self, alone: bool) -> None:
        """Sets whether the list has all of the window beside the rail (`alone`), or has the content beside it."""
        if alone:
            hold(self, least_width=0, most_width=_ANY_WIDTH)
        else:
            hold(self, least_width=220, most_width=420)

    def refresh(self) -> None:
        """Reads rooms and invitations again; the chosen row stays chosen."""
        chosen = self.list.current_row()
        self.list.rows.set_rows([*self._invited(), *self._rows(self._rooms.rooms())])
        if chosen is not None:
            self.list.choose(chosen.key)

    def choose(self, room: RoomId | None) -> None:
        """Marks `room` in the list without emitting `chosen`; None, or a room that the list does not have: no row is
        marked. If the room is not in the list yet, the list is read again first."""
        if room is not None and not self.list.rows.index_of(room).isValid():
            self.refresh()
        self.list.choose(room)

    def _on_index(self, index: QModelIndex) -> None:
        row = self.list.rows.row(index)
        if row is None or row.section:
            return
        more = next((m for m in self._invitations.more() if _more_key(m) == row.key), None)
        if more is not None:
            self.more_chosen.emit(more)
        else:
            self.chosen.emit(row.key)

    def _invited(self) -> list[Row]:
        """The rows of the invitations that wait for an answer, with their heading; they come above the rooms. [] if
        none waits."""
        invitations = self._invitations
        if not invitations.count:
            return []
        heading = tr("Invitations ({n})").format(n=invitations.count)
        rows = [Row(key="invitations", title=heading, section=True)]
        for one in invitations.all():
            title = one.title or (tr("A long room") if one.long else tr("A room"))
            by = tr("{name} invites you").format(name=one.by.name) if one.by is not None else tr("You are invited")
            rows.append(Row(key=one.room, title=title, detail=by, icon="invite"))
        for more in invitations.more():
            n = len(more.rooms)
            name = more.by.name if more.by is not None else tr("Somebody")
            title = trn("{n} more invitation", "{n} more invitations", n).format(n=n)
            rows.append(Row(key=_more_key(more), title=title, detail=name, icon="more"))
        return rows

    def _rows(self, rooms: Sequence[RoomSummary]) -> list[Row]:
        result: list[Row] = []
        for room_type in RoomType:
            of_type = [r for r in rooms if r.type is room_type]
            if of_type:
                result.append(Row(key=room_type, title=type_name(room_type), section=True))
                result += [self._row(r) for r in of_type]
        return result

    def _row(self, room: RoomSummary) -> Row:
        return Row(
            key=room.room,
            title=room.title,
            detail=_detail(room),
            picture=room_picture(self._rooms, room),
            presence=self._presence_in(room),
            count=0 if room.muted and not room.mentions else room.unread,
            strong_count=False,
            faded=room.left or room.replaced,
        )

    def _presence_in(self, room: RoomSummary) -> Presence | None:
        """The presence of the other person of a direct room; None if it is not known, and for other rooms."""
        other = the_other(self._rooms, room)
        found = self._presence.of(other.uid) if other is not None else None
        return found.state if found is not None else None

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        row = self.list.current_row()
        found = [r for r in self._rooms.rooms() if row is not None and r.room == row.key]
        if found:
            room = found[0]
            text = tr("Unmute") if room.muted else tr("Mute")
            mute = Entry(text=text, icon="mute", run=lambda: self._set_muted(room.room, not room.muted))
            text = tr("Remove from favourites") if room.favourite else tr("Favourite")
            favourite = Entry(text=text, icon="star", run=lambda: self._set_favourite(room.room, not room.favourite))
            popup(self, tr("Room menu"), [favourite, mute], event.globalPos())

    def _set_favourite(self, room: RoomId, favourite: bool) -> None:
        run_guarded(self, lambda: self._rooms.set_favourite(room, favourite))

    def _set_muted(self, room: RoomId, muted: bool) -> None:
        run_guarded(self, lambda: self._rooms.set_muted(room, muted))


def room_picture(rooms: RoomService, room: RoomSummary) -> tuple[str, int, bool]:
    """The picture in a room's row, as (text, hue, whether it is square): the room's own, or in a direct room that of
    the other person."""
    if (other := the_other(rooms, room)) is not None:
        return other.initials, other.colour, False
    return tile_text(room.title, room.type), colour_of(room.room), room.type is not RoomType.DIRECT


def _more_key(more: MoreInvitations) -> tuple[str, object]:
    return "more", more.by.uid if more.by is not None else None


def _detail(room: RoomSummary) -> str:
    if room.left:
        return tr("You are no longer a member")
    return tr("Goes on in a new room") if room.replaced else room.preview
