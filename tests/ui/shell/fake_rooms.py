# SPDX-License-Identifier: EUPL-1.2
"""Rooms in memory: their services, what continues them, and their seals."""

from dataclasses import replace
from typing import Any

from app.core.enums import Role, RoomState, RoomType
from app.core.ids import Hash, ObjId, RoomId, Uid
from app.core.signal import Signal
from app.errors import Forbidden, NotFound
from app.people.person import Person
from app.rooms.offers import HeldOffer
from app.rooms.removals import Removal
from app.rooms.security_status import Reader, SecurityReport, SecurityStatuses
from app.rooms.service import EndedMember, HistoryProposal, MemberInfo, ObjectSummary, RoomService, RoomSummary
from app.rooms.succession import Plan, Standing, Succession
from app.store.store import Store
from sync.client.ports import RoomEvent
from tests.ui.shell.sample import (
    BOARD,
    CASE,
    CHAT,
    DIRECT_HEAD,
    DIRECT_REGISTRAR,
    DOCUMENT,
    HEAD,
    LEGAL,
    ME,
    ORDINARY,
    REGISTRAR,
    SAMPLE_ROOMS,
    SEAL,
    UNIT,
    at,
    listed,
    member,
    room_id,
    summary,
)


class FakeRooms(RoomService):
    """A RoomService over lists."""

    def __init__(self) -> None:
        self.changed: Signal[()] = Signal()
        self.room_changed: Signal[RoomId] = Signal()
        self.list = [*SAMPLE_ROOMS]
        three = [
            member(ME, Role.OWNER),
            member(HEAD, Role.ADMIN),
            member(REGISTRAR, Role.WRITER),
        ]
        self.people: dict[RoomId, list[MemberInfo]] = {r.room: list(three) for r in self.list}
        self.people[DIRECT_HEAD] = three[:2]
        self.people[DIRECT_REGISTRAR] = [three[0], three[2]]
        self.opened_objects: list[ObjId] = []
        self.notified: list[str] = []
        self.filled: int | None = None
        self.proposals: list[HistoryProposal] = []
        self.over: list[EndedMember] = []
        self.gone: list[Removal] = []
        self.refusal: str | None = None
        self.known: dict[Uid, Person] = {}

    def use(self, store: Store) -> None:
        """Has announcements and decisions written in that store."""
        self._store = store

    def notify(self, room: RoomId) -> None:
        self.room_changed.emit(room)
        self.changed.emit()

    def rooms(self) -> list[RoomSummary]:
        return self.list

    def room(self, room: RoomId) -> RoomSummary:
        found = next((r for r in self.list if r.room == room), None)
        if found is None:
            raise NotFound
        return found

    async def create(self, title: str, type: RoomType) -> RoomId:  # noqa: A002 - the field's word
        room = room_id(7, len(self.list) + 10)
        self.list.append(summary(room, title, type))
        self.people[room] = [member(ME, Role.OWNER)]
        self.changed.emit()
        return room

    async def add(self, room: RoomId, uid: Uid, role: Role, history_all: bool, greeting: str = "") -> None:
        self.people[room].append(member(self.known[uid], role))
        self.notify(room)

    async def remove(self, room: RoomId, uid: Uid, reason: str = "") -> None:
        gone = [m.person for m in self.people[room] if m.person.uid == uid]
        self.gone += [Removal(person=person, by=ME, t_ms=at(14, 3, 2), reason=reason) for person in gone]
        self.people[room] = [m for m in self.people[room] if m.person.uid != uid]
        self.notify(room)

    async def leave(self, room: RoomId) -> None:
        raise Forbidden

    async def set_role(self, room: RoomId, uid: Uid, role: Role) -> None:
        self.people[room] = [replace(m, role=role) if m.person.uid == uid else m for m in self.people[room]]
        self.notify(room)

    def rename(self, room: RoomId, title: str) -> None:
        self.change(room, title=title)

    def set_muted(self, room: RoomId, muted: bool) -> None:
        self.change(room, muted=muted)

    def set_state(self, room: RoomId, state: RoomState) -> None:
        """Changes the security status of the room."""
        self.change(room, sealed_state=state)

    def set_unread(self, room: RoomId, unread: int, mentions: int = 0) -> None:
        """Changes what is unread."""
        self.change(room, unread=unread, mentions=mentions)

    def change(self, room: RoomId, **values: Any) -> None:
        self.list = [replace(r, **values) if r.room == room else r for r in self.list]
        self.notify(room)

    def members(self, room: RoomId) -> list[MemberInfo]:
        return self.people[room]

    def ended(self, room: RoomId) -> list[EndedMember]:
        return self.over if room == CASE else []

    def removed(self, room: RoomId) -> int:
        return len(self.removals(room))

    def removals(self, room: RoomId) -> list[Removal]:
        return self.gone if room == CASE else []

    def my_role(self, room: RoomId) -> Role | None:
        return next((m.role for m in self.people[room] if m.person.is_me), None)

    def sole_owner(self, room: RoomId) -> Person | None:
        members = self.people.get(room, [])
        owners = [m.person for m in members if m.role is Role.OWNER]
        shared = len(members) > 1 and self.room(room).type is not RoomType.DIRECT
        return owners[0] if shared and len(owners) == 1 else None

    def only_mine(self) -> list[RoomSummary]:
        return [r for r in self.list if (owner := self.sole_owner(r.room)) is not None and owner.is_me]

    def may_write(self, room: RoomId) -> bool:
        return (self.my_role(room) or 0) >= Role.WRITER

    def notices(self, room: RoomId) -> list[str]:
        return self.notified

    def filling(self, room: RoomId) -> int | None:
        return self.filled

    def history_proposals(self, room: RoomId) -> list[HistoryProposal]:
        return self.proposals if room == CASE else []

    def history_refusal(self, room: RoomId, uid: Uid) -> str | None:
        return self.refusal

    async def propose_history(self, room: RoomId, uid: Uid) -> None:
        self.proposals.append(
            HistoryProposal(ident=Hash(bytes(32)), subject=self.known[uid], by=ME, approved=False, refusal="own")
        )
        self.notify(room)

    async def give_history(self, room: RoomId, proposal: Hash) -> None:
        (found,) = [p for p in self.proposals if p.ident == proposal]
        self.proposals = []
        self.people[room] = [replace(m, history=True) if m.person == found.subject else m for m in self.people[room]]
        self.notify(room)

    def events(self, room: RoomId) -> list[RoomEvent]:
        if room == LEGAL:
            return [RoomEvent(n=7, t=at(8, 15), kind="add", by=HEAD.uid, subject=ME.uid)]
        return []

    def objects(self, room: RoomId) -> list[ObjectSummary]:
        chat = listed(obj=CHAT, room=room, kind="chat", title="Chatt", updated_ms=at(13, 52))
        board = listed(obj=BOARD, room=room, kind="board", title="Ärendets uppgifter", updated_ms=at(13, 0))
        document = listed(
            obj=DOCUMENT, room=room, kind="document", title="Utkast till beslut", updated_ms=at(13, 40), by=HEAD.uid
        )
        return [chat, document, board] if room == CASE else [chat, board]

    def recent(self, limit: int) -> list[ObjectSummary]:
        return [
            listed(obj=DOCUMENT, room=CASE, kind="document", title="Utkast till beslut", updated_ms=at(14, 4)),
            listed(obj=BOARD, room=CASE, kind="board", title="Ärendets uppgifter", updated_ms=at(9, 0, 23)),
            listed(obj=CHAT, room=UNIT, kind="chat", title="", updated_ms=at(9, 0, 20)),
            listed(
                obj=DOCUMENT,
                room=UNIT,
                kind="document",
                title="Rutin: utlämnande av allmän handling",
                updated_ms=at(9, 0, 20),
            ),
        ][:limit]

    def opened(self, room: RoomId, obj: ObjId) -> None:
        self.opened_objects.append(obj)


class FakeSuccession(Succession):
    """A Succession; `standings` holds what is not ordinary."""

    def __init__(self, rooms: FakeRooms) -> None:
        self.sample = rooms
        self.standings: dict[RoomId, Standing] = {}
        self.opened: list[RoomId] = []
        self.answers: list[tuple[str, RoomId, HeldOffer]] = []

    def offer_copy(self, room: RoomId, held: HeldOffer) -> None:
        self._answer("copy", room, held)

    def ask_later(self, room: RoomId, held: HeldOffer) -> None:
        self._answer("later", room, held)

    def refuse_copy(self, room: RoomId, held: HeldOffer) -> None:
        self._answer("no", room, held)

    def _answer(self, answer: str, room: RoomId, held: HeldOffer) -> None:
        self.answers.append((answer, room, held))
        left = tuple(h for h in self.standings[room].held if h != held)
        self.standings[room] = replace(self.standings[room], held=left)

    def standing(self, room: RoomId) -> Standing:
        return self.standings.get(room, ORDINARY)

    def plan(self, room: RoomId) -> Plan:
        members = [m for m in self.sample.people[room] if not m.person.is_me]
        infos = tuple(MemberInfo(person=m.person, role=m.role, since_ms=0) for m in members)
        return Plan(n=41, t=at(13, 58), members=infos, waiting=2)

    async def open(self, old: RoomId) -> RoomId:
        self.opened.append(old)
        found = self.sample.room(old)
        new = await self.sample.create(found.title, found.type)
        self.sample.change(old, replaced=True)
        return new


class FakeSeals(SecurityStatuses):
    """The rooms' security status, as their lists have it."""

    def __init__(self, rooms: FakeRooms) -> None:
        self.sample = rooms
        self.levels: dict[RoomId, str] = {}

    def level(self, room: RoomId) -> str:
        state = next(r.sealed_state for r in self.sample.list if r.room == room)
        return self.levels.get(room, state)

    async def report(self, room: RoomId) -> SecurityReport | None:
        readers = tuple(
            Reader(person=m.person, role=m.role, since_ms=at(9, 12, Role.ADMIN), history=m.history, keyless=False)
            for m in self.sample.people[room]
        )
        return replace(SEAL, level=self.level(room), readers=readers)
