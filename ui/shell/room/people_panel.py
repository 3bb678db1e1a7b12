# SPDX-License-Identifier: EUPL-1.2
"""The panel at the right of a room: who is in it, how surely, and what was changed last."""

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QLayout, QWidget

from app.core.enums import Role
from app.core.ids import RoomId
from app.people.person import Person
from app.rooms.service import EndedMember, HistoryProposal, MemberInfo, ObjectSummary
from app.session import Session
from ui.kit.bind import Soon, bind
from ui.kit.buttons import IconButton, RowButton, TextButton
from ui.kit.card import Card, IconLabel, SectionHeader, scroll
from ui.kit.dialogs import confirm, show
from ui.kit.keyed_rows import KeyedRows
from ui.kit.menu import Entry, popup
from ui.kit.presence_in_view import PresenceInView
from ui.kit.style import ElidedLabel, column, label, line, set_props
from ui.kit.tasks import run
from ui.kit.translate import language, tr, trn
from ui.shell.room.adding import ask_and_add, ask_and_change_role
from ui.shell.room.ended_card import EndedCard
from ui.shell.room.history_card import HistoryCard, propose
from ui.shell.room.member_row import MemberRow
from ui.shell.room.nested_part import NestedPart
from ui.shell.room.removal_dialogs import RemovalsDialog
from ui.shell.room.removing import ask_and_remove
from ui.shell.room.verify_dialog import VerifyDialog
from ui.shell.tool_list import ToolList
from ui.shell.words import history_name, history_refusal, one_owner, role_name
from ui.tool_views import toast

WIDTH = 316
_SHOWN_OBJECTS = 4


class ObjectRow(RowButton):
    """A row that shows one object of the room (document, board or channel) with a line about it. A press calls `choose`
    with the summary of that object."""

    def __init__(self, icon: str, item: ObjectSummary, choose: Callable[[ObjectSummary], object]) -> None:
        super().__init__("", lambda: choose(self._item))
        self._item = item
        set_props(self, kind="card-row")
        layout = column(self, margins=(12, 12, 12, 12), spacing=4)
        top = line(spacing=7)
        self._title, self._detail = ElidedLabel(), label("", "small")
        top.addWidget(IconLabel(icon, "accent", 16))
        top.addWidget(self._title, 1)
        layout.addLayout(top)
        layout.addWidget(self._detail)
        self.take_clicks()

    def show_object(self, item: ObjectSummary, detail: str) -> None:
        """Shows `item` in this row, from now on, with `detail` under its title: the line that its tool writes about it,
        or who changed it last."""
        self._item = item
        spoken = f"{item.title}, {detail}"
        if self.accessibleName() != spoken:
            self.setAccessibleName(spoken)
            self._title.set_text(item.title)
            self._detail.setText(detail)


class PeoplePanel(QFrame):
    """The panel at the right of a room: who is in it, and the four objects that were changed last. It emits
    `object_chosen` with an object's summary, `room_chosen` with a room that belongs to this one or the other way round,
    and `write_to` with the person to write to."""

    object_chosen = Signal(object)
    room_chosen = Signal(object)
    write_to = Signal(object)

    def __init__(self, session: Session, tools: ToolList, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._tools = tools
        self._room: RoomId | None = None
        self._shown: tuple[object, ...] = ()
        set_props(self, frame="panel")
        self.setAccessibleName(tr("In the room"))
        inner = QWidget()
        content = column(inner, margins=(16, 12, 16, 16), spacing=8)
        content.addLayout(self._head())
        self._members = Card(margin=4, spacing=0)
        self._rows: KeyedRows[MemberInfo, MemberRow] = KeyedRows(
            self._members,
            lambda member: member.person.uid,
            lambda member: MemberRow(member, self._member_menu),
            lambda row, member: row.show_member(member, session.presence.of(member.person.uid)),
        )
        content.addWidget(self._members)
        self.one_owner = label("", "small", wrap=True)
        content.addWidget(self.one_owner)
        self.removed_button = TextButton("", self._show_removals, kind="link")
        content.addWidget(self.removed_button, 0, Qt.AlignmentFlag.AlignLeft)
        over_host, proposals_host, objects_host = QWidget(), QWidget(), QWidget()
        for host, spacing in ((over_host, 8), (proposals_host, 8), (objects_host, 10)):
            column(host, spacing=spacing)
        self._over_host, self._proposals_host = over_host, proposals_host
        self._make_rows(over_host, proposals_host, objects_host)
        content.addWidget(over_host)
        content.addWidget(proposals_host)
        self.nested = NestedPart(session)
        self.nested.room_chosen.connect(self.room_chosen)
        content.addWidget(self.nested)
        content.addSpacing(8)
        self._changed_title = SectionHeader(tr("Changed last"))
        content.addWidget(self._changed_title)
        content.addWidget(objects_host)
        content.addStretch(1)
        area = scroll(inner, tr("Members and changes"))
        column(self, margins=(1, 0, 0, 0)).addWidget(area)
        soon = Soon(self, self.refresh)
        self._in_view = PresenceInView(self, session.presence)
        self._scrolled = Soon(self, self._show_in_view)
        area.verticalScrollBar().valueChanged.connect(self._scrolled.due)
        area.verticalScrollBar().rangeChanged.connect(self._scrolled.due)
        bind(self, session.presence.changed, soon.due)
        bind(self, session.rooms.changed, soon.due)
        bind(self, session.people.changed, soon.due)
        bind(self, session.notices.changed, soon.due)

    def _head(self) -> QLayout:
        head = line()
        head.addWidget(SectionHeader(tr("In the room")))
        head.addStretch(1)
        self.add_button = IconButton("invite", tr("Add member"), self.add, size=16)
        kept = self.add_button.sizePolicy()
        kept.setRetainSizeWhenHidden(True)  # the heading stays in its place without the button
        self.add_button.setSizePolicy(kept)
        head.addWidget(self.add_button)
        return head

    def _make_rows(self, over_host: QWidget, proposals_host: QWidget, objects_host: QWidget) -> None:
        self._over: KeyedRows[EndedMember, EndedCard] = KeyedRows(
            over_host,
            lambda ended: (ended.person.uid, ended.t_ms),
            EndedCard,
            lambda card, ended: card.show_ended(ended),
        )
        self._proposals: KeyedRows[HistoryProposal, HistoryCard] = KeyedRows(
            proposals_host,
            lambda proposal: (self._room, proposal.ident),
            self._history_card,
            lambda card, proposal: card.show_proposal(proposal),
        )
        self._objects: KeyedRows[ObjectSummary, ObjectRow] = KeyedRows(
            objects_host,
            lambda item: item.obj,
            lambda item: ObjectRow(self._tools.icon(item.kind), item, self.object_chosen.emit),
            lambda row, item: row.show_object(item, self._tools.line(item)),
        )

    def set_room(self, room: RoomId) -> None:
        """Shows the members and objects of `room` from now on."""
        self._room = room
        self.refresh()

    def refresh(self) -> None:
        """Reads the room's members and objects again; shows them only if anything has changed. Does nothing while the
        panel is hidden; it is called again when the panel is shown."""
        if self._room is None or not self.isVisibleTo(self.window()):
            return
        room = self._room
        self._scrolled.due()
        shown = self._snapshot(room)
        if shown == self._shown:
            return
        self._shown = shown
        self.add_button.setVisible(self._may_add(room))
        self._rows.show(self._session.rooms.members(room))
        owner = self._session.rooms.sole_owner(room)
        self.one_owner.setVisible(owner is not None)
        self.one_owner.setText(one_owner(owner) if owner is not None else "")
        removed = self._session.rooms.removed(room)
        self.removed_button.setVisible(removed > 0)
        self.removed_button.setText(trn("{n} removed …", "{n} removed …", removed).format(n=removed))
        over, proposals = self._session.rooms.ended(room), self._session.rooms.history_proposals(room)
        self._over_host.setVisible(bool(over))
        self._over.show(over)
        self._proposals_host.setVisible(bool(proposals))
        self._proposals.show(proposals)
        self.nested.show_room(room)
        objects = sorted(self._session.rooms.objects(room), key=lambda o: -o.updated_ms)
        listed = self._tools.listed(objects)[:_SHOWN_OBJECTS]
        self._changed_title.setVisible(bool(listed))
        self._objects.show(listed)

    def _history_card(self, proposal: HistoryProposal) -> HistoryCard:
        assert self._room is not None  # noqa: S101 - narrows the type: nothing is shown without a room
        return HistoryCard(self._session.rooms, self._room, proposal)

    def _may_add(self, room: RoomId) -> bool:
        """Whether this person may add members: administrators may, but not in a room that another room continues."""
        return self._session.rooms.is_admin(room) and self._session.rooms.may_write(room)

    def _snapshot(self, room: RoomId) -> tuple[object, ...]:
        """Everything that the panel would show of `room`, as a tuple; equal to the last one if nothing has to be drawn
        again."""
        rooms = self._session.rooms
        objects = [(o.obj, o.title, self._tools.line(o)) for o in self._tools.listed(rooms.objects(room))]
        proposals = tuple(rooms.history_proposals(room))
        return (
            room,
            language(),
            rooms.my_role(room),
            rooms.may_write(room),
            rooms.sole_owner(room),
            tuple((m, self._session.presence.of(m.person.uid)) for m in rooms.members(room)),
            proposals,
            tuple(rooms.ended(room)),
            rooms.removed(room),
            self.nested.snapshot(room),
            tuple(objects),
        )

    def _show_in_view(self) -> None:
        """Notes whose rows are in sight: in a large room only their presence is asked for."""
        rows = self._rows.rows if self.isVisible() else []
        seen = [row.uid for row in rows if not row.visibleRegion().isEmpty()]
        self._in_view.show(seen)

    def showEvent(self, event: object) -> None:
        self.refresh()

    def _member_menu(self, row: QWidget, member: MemberInfo) -> None:
        person, room = member.person, self._room
        if room is None:
            return
        my_role, admin = self._session.rooms.my_role(room), self._session.rooms.is_admin(room)
        heading = f"{person.name} · {role_name(member.role)}"
        entries: list[Entry | None] = [Entry(text=heading), Entry(text=history_name(member.history)), None]
        if person.is_me:
            entries.append(Entry(text=tr("Leave the room …"), icon="leave", run=lambda: run(self, self._leave(room))))
        else:
            entries.append(Entry(text=tr("Verify …"), icon="verified", run=lambda: run(self, self._verify(person))))
            entries.append(Entry(text=tr("Write to {name}").format(name=person.name), icon="direct",
                                 run=lambda: self.write_to.emit(person)))  # fmt: skip
        if admin and not member.history:
            entries += [None, *self._history_entries(room, person)]
        if admin and not person.is_me and (member.role < Role.OWNER or my_role is Role.OWNER):
            entries += [
                None,
                Entry(text=tr("Change role …"), icon="role", run=lambda: self._change_role(room, member)),
                Entry(text=tr("Remove from the room …"), icon="remove", danger=True,
                      run=lambda: self._remove(room, person)),
            ]  # fmt: skip
        popup(row, tr("Menu of {name}").format(name=person.name), entries)

    def _history_entries(self, room: RoomId, person: Person) -> list[Entry]:
        why_not = self._session.rooms.history_refusal(room, person.uid)
        give = Entry(text=tr("Give access to the whole history …"), icon="history", enabled=why_not is None,
                     run=lambda: run(self, propose(self, self._session.rooms, room, person)))  # fmt: skip
        return [give] if why_not is None else [give, Entry(text=history_refusal(why_not))]

    def add(self) -> None:
        """Opens the dialog that adds a member to the room, and returns at once; the dialog invites the person who is
        chosen there. Does nothing before a room is set."""
        if self._room is not None:
            window = self.window()  # not this panel: leaving the room does not end it half way
            run(window, ask_and_add(window, self._session, self._room))

    async def _verify(self, person: Person) -> None:
        people = self._session.people
        number, compare = people.safety_number(person.uid), partial(people.read_code, person.uid)
        dialog = VerifyDialog(self.window(), person, number, people.my_code, compare)
        if await show(dialog):
            people.mark_verified(person.uid, person.verified != "in-person")
        elif dialog.same_by_code:
            toast(self, tr("{name} is verified in person.").format(name=person.name))

    def _change_role(self, room: RoomId, member: MemberInfo) -> None:
        window = self.window()  # as in `add`
        run(window, ask_and_change_role(window, self._session.rooms, room, member))

    def _remove(self, room: RoomId, person: Person) -> None:
        window = self.window()  # not this panel: leaving the room does not end it half way
        run(window, ask_and_remove(window, self._session, room, person))

    def _show_removals(self) -> None:
        if self._room is not None:
            run(self, show(RemovalsDialog(self.window(), self._session.rooms.removals(self._room))))

    async def _leave(self, room: RoomId) -> None:
        text = tr("You get nothing written from now on. Only an administrator can add you again.")
        if await confirm(self.window(), tr("Leave the room?"), text, accept=tr("Leave"), danger=True):
            await self._session.rooms.leave(room)
