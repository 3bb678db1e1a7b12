# SPDX-License-Identifier: EUPL-1.2
"""The side list: title and add button, search, and rooms in sections with what is unread."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QShowEvent
from PySide6.QtWidgets import QFrame, QWidget

from app.core.enums import Presence, RoomType
from app.core.ids import RoomId
from app.own.room_order import RoomOrder
from app.rooms.invitations import Invitations, MoreInvitations
from app.rooms.nesting import Nesting
from app.rooms.service import RoomService, RoomSummary
from ui.kit.announcing import announce
from ui.kit.bind import Soon, bind
from ui.kit.buttons import IconButton
from ui.kit.presence_in_view import KnownPresence, PresenceInView
from ui.kit.scale import hold
from ui.kit.search_field import SearchButton
from ui.kit.style import column, label, line, set_props
from ui.kit.theme import colour_of
from ui.kit.translate import tr, trn
from ui.shell.room.restricted import RestrictedRooms
from ui.shell.rows import Row
from ui.shell.window.room_groups import RoomGroup, groups
from ui.shell.window.room_menu import RoomMenu
from ui.shell.window.room_rows import RoomRows
from ui.shell.words import the_other, tile_text

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
        nesting: Nesting,
        invitations: Invitations,
        presence: KnownPresence,
        order: RoomOrder,
        mark_unread: Callable[[RoomId], object],
        restricted: RestrictedRooms,
        parent: QWidget | None = None,
    ) -> None:
        """`mark_unread` makes the newest message of others in a room unread again. `restricted` does what the menu
        offers about rooms that belong to others."""
        super().__init__(parent)
        self._rooms, self._nesting, self._invitations = rooms, nesting, invitations
        self._presence, self._order = presence, order
        self._groups: list[RoomGroup] = []
        self._shown: RoomId | None = None
        """The room that is open: it stays in sight where its section is folded up."""
        self._menu = RoomMenu(self, rooms, order, self._move, mark_unread, restricted)
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
        self.list = RoomRows(tr("List of rooms"), self._can_drop)
        layout.addWidget(self.list, 1)
        self.list.clicked.connect(self._on_index)
        self.list.activated.connect(self._on_index)
        self.list.folded.connect(self._fold)
        self.list.moved.connect(self._move)
        self.list.dropped.connect(self._drop)
        self.list.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)
        self._in_view = PresenceInView(self, presence)
        self._scrolled = Soon(self, self._show_in_view)
        self.list.verticalScrollBar().valueChanged.connect(self._scrolled.due)
        self.list.verticalScrollBar().rangeChanged.connect(self._scrolled.due)
        soon = Soon(self, self.refresh)
        bind(self, rooms.changed, soon.due)
        bind(self, invitations.changed, soon.due)
        bind(self, presence.changed, soon.due)
        bind(self, order.changed, soon.due)
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
        self._groups = groups(self._rooms.rooms(), self._order, self._nesting.parents())
        self.list.rows.set_rows([*self._invited(), *self._rows()])
        if chosen is not None:
            self.list.choose(chosen.key)
        self._scrolled.due()

    def _show_in_view(self) -> None:
        """Notes with whom the conversations of two are whose rows are in sight. If the other has written nothing in
        theirs yet, the smallest room that both have accepted may be a large one."""
        seen = self.list.in_sight() if self.isVisible() else set()
        others = (the_other(self._rooms, room) for group in self._groups for room in group.all() if room.room in seen)
        self._in_view.show([other.uid for other in others if other is not None])

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._scrolled.due()

    def choose(self, room: RoomId | None) -> None:
        """Marks `room` in the list without emitting `chosen`; None, or a room that the list does not have: no row is
        marked. If the room is not in the list yet, the list is read again first."""
        self._shown = room
        if room is not None and not self.list.rows.index_of(room).isValid():
            self.refresh()
        self.list.choose(room)

    def _on_index(self, index: QModelIndex) -> None:
        row = self.list.rows.row(index)
        if row is not None and row.folded is not None:
            self._fold(row.key, not row.folded)
        if row is None or row.section or row.hint:
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

    def _rows(self) -> list[Row]:
        result: list[Row] = []
        for group in self._groups:
            rows = [row for room in group.rooms for row in self._with_rooms_within(room, group)]
            unread = sum(row.count for row in rows) if group.is_folded else 0
            result.append(Row(key=group.ident, title=group.title, section=True, folded=group.is_folded, count=unread))
            if group.is_folded:
                result += [replace(row, folds=None) for row in rows if row.key == self._shown]
            elif not rows:
                result.append(
                    Row(key=(group.ident, "empty"), title=tr("Drag rooms here, or use their menu"), hint=True)
                )
            else:
                result += rows
        return result

    def _with_rooms_within(self, room: RoomSummary, group: RoomGroup) -> list[Row]:
        """The row of a room, and those of the rooms that belong to it, unless these are folded up. Then the room's row
        counts what is unread in them; the one that is open stays."""
        row, within = self._row(room), group.within.get(room.room, ())
        if not within:
            return [row]
        folded = self._order.hides_rooms_within(room.room)
        below = [self._row(each, room.title) for each in within]
        count = row.count + sum(each.count for each in below) if folded else row.count
        shown = [each for each in below if not folded or each.key == self._shown]
        return [replace(row, folds=folded, count=count), *shown]

    def _row(self, room: RoomSummary, within: str = "") -> Row:
        return Row(
            key=room.room,
            title=room.title,
            detail=_detail(room),
            picture=room_picture(self._rooms, room),
            presence=self._presence_in(room),
            count=0 if room.muted and not room.mentions else room.unread,
            strong_count=False,
            faded=room.left or room.replaced,
            within=within,
        )

    def _presence_in(self, room: RoomSummary) -> Presence | None:
        """The presence of the other person of a direct room; None if it is not known, and for other rooms."""
        other = the_other(self._rooms, room)
        found = self._presence.of(other.uid) if other is not None else None
        return found.state if found is not None else None

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        self.refresh()
        row = self.list.current_row()
        if event.reason() is QContextMenuEvent.Reason.Mouse:
            row = self.list.rows.row(self.list.indexAt(self.list.viewport().mapFromGlobal(event.globalPos())))
        if row is None:
            return
        for group in self._groups:
            if row.key == group.ident:
                self._menu.open_of_section(group, event.globalPos())
            for room in group.all():
                if row.key == room.room:
                    self._menu.open_of_room(room, group, event.globalPos())

    # -- sections and order ----------------------------------------------------------------------------------------

    def _fold(self, section: Hashable, folded: bool) -> None:
        """Folds a section, or the rooms within a room, up or out. The person stays at its heading, or at the open room
        if they were there before they pressed it."""
        outer = [room for group in self._groups for room in group.rooms if room.room in group.within]
        if (room := next((each for each in outer if each.room == section), None)) is not None:
            self._order.hide_rooms_within(room.room, folded)
            self.refresh()
            text = tr("{room}: its rooms are folded up") if folded else tr("{room}: its rooms are unfolded")
            announce(self, text.format(room=room.title))
            return
        group = next((each for each in self._groups if each.ident == section), None)
        if group is None or group.is_folded == folded:
            return
        self._order.set_folded(group.ident, folded)
        self.refresh()
        text = tr("{section}: folded up") if folded else tr("{section}: unfolded")
        announce(self, text.format(section=group.title))

    def _move(self, key: Hashable, by: int) -> None:
        """Moves a room within its section, or a section of the person's own among these, by so many places."""
        for group in self._groups:
            if key == group.ident and group.is_own:
                self._order.move(group.ident, by)
                self.refresh()
            room = next((each.room for each in group.all() if each.room == key), None)
            if room is not None:
                beside = group.beside(room)
                self._arrange(room, beside, beside.index(room) + by)

    def _arrange(self, room: RoomId, beside: Sequence[RoomId], to: int) -> None:
        to = max(0, min(len(beside) - 1, to))
        if beside.index(room) == to:
            return
        self._order.arrange(beside, room, to)
        self.refresh()
        text = tr("{room}: place {n} of {count}")
        announce(self, text.format(room=self._rooms.room(room).title, n=to + 1, count=len(beside)))

    def _can_drop(self, key: Hashable, gap: int) -> bool:
        return self._target(key, gap) is not None

    def _target(self, key: Hashable, gap: int) -> tuple[RoomSummary, RoomGroup, list[Hashable]] | None:
        """What a row that is dropped before the row number `gap` does: (its room, the section that it comes into, the
        rows of that section above it). None if it cannot be dropped there: a room is in a section of the person's own,
        or in that of its type."""
        room = next((room for group in self._groups for room in group.rooms if room.room == key), None)
        rows = self.list.rows.rows
        heading = next((n for n in range(gap - 1, -1, -1) if rows[n].section), None)
        group = next((each for each in self._groups if heading is not None and each.ident == rows[heading].key), None)
        if room is None or group is None or heading is None or not (group.is_own or group.ident == room.type):
            return None
        return room, group, [row.key for row in rows[heading + 1 : gap] if row.key != key]

    def _drop(self, key: Hashable, gap: int) -> None:
        target = self._target(key, gap)
        if target is None:
            return
        room, group, above = target
        if room not in group.rooms:
            self._order.put(room.room, group.ident if group.is_own else None)
            self.refresh()
            group = next(each for each in self._groups if each.ident == group.ident)
        beside = group.beside(room.room)
        self._arrange(room.room, beside, sum(other in above for other in beside if other != room.room))
        self.list.choose(room.room)


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
