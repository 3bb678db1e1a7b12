# SPDX-License-Identifier: EUPL-1.2
"""Rooms in memory: their services, what continues them, and their seals."""

from dataclasses import replace
from typing import Any

from app.core.ids import Hash, ObjId, RoomId, Uid
from app.core.signal import Signal
from app.errors import Forbidden, NotFound
from app.people.person import Person
from app.rooms.offers import HeldOffer
from app.rooms.removals import Removal
from app.rooms.security_status import Reader, SecurityReport
from app.rooms.service import EndedMember, HistoryProposal, MemberInfo
from app.rooms.succession import Plan, Standing
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
    UNIT,
    FakeEvent,
    FakeMember,
    FakeObject,
    FakeRoom,
    at,
    room_id,
)

SEAL = SecurityReport(
    level="warned",
    readers=(
        Reader(person=ME, role=4, since_ms=at(9, 12, 3), history=True, keyless=False),
        Reader(
            person=HEAD, role=3, since_ms=at(9, 14, 3), history=True, keyless=False, silent=1, silent_ms=at(8, 0, 1)
        ),
        Reader(person=REGISTRAR, role=2, since_ms=at(15, 0, 9), history=False, keyless=True),
    ),
    recovery=(),
    generation=7,
    made_ms=at(14, 3, 2),
    made_by=HEAD,
    due_ms=at(14, 3, 25),
)


class FakeRooms:
    """A RoomService over lists."""

    def __init__(self) -> None:
        self.changed: Signal[()] = Signal()
        self.room_changed: Signal[RoomId] = Signal()
        self.list = [FakeRoom(**values) for values in SAMPLE_ROOMS]
        three = [FakeMember(person=ME, role=4), FakeMember(person=HEAD, role=3), FakeMember(person=REGISTRAR, role=2)]
        self.people: dict[RoomId, list[FakeMember]] = {r.room: list(three) for r in self.list}
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

    def notify(self, room: RoomId) -> None:
        self.room_changed.emit(room)
        self.changed.emit()

    def rooms(self) -> list[FakeRoom]:
        return self.list

    def room(self, room: RoomId) -> FakeRoom:
        found = next((r for r in self.list if r.room == room), None)
        if found is None:
            raise NotFound
        return found

    async def create(self, title: str, type: str) -> RoomId:  # noqa: A002 - the field's word
        room = room_id(7, len(self.list) + 10)
        self.list.append(FakeRoom(room=room, title=title, type=type))
        self.people[room] = [FakeMember(person=ME, role=4)]
        self.changed.emit()
        return room

    async def add(self, room: RoomId, uid: Uid, role: int, history_all: bool, greeting: str = "") -> None:
        self.people[room].append(FakeMember(person=self.known[uid], role=role))
        self.notify(room)

    async def remove(self, room: RoomId, uid: Uid, reason: str = "") -> None:
        gone = [m.person for m in self.people[room] if m.person.uid == uid]
        self.gone += [Removal(person=person, by=ME, t_ms=at(14, 3, 2), reason=reason) for person in gone]
        self.people[room] = [m for m in self.people[room] if m.person.uid != uid]
        self.notify(room)

    async def leave(self, room: RoomId) -> None:
        raise Forbidden

    async def set_role(self, room: RoomId, uid: Uid, role: int) -> None:
        self.people[room] = [replace(m, role=role) if m.person.uid == uid else m for m in self.people[room]]
        self.notify(room)

    def rename(self, room: RoomId, title: str) -> None:
        self._change(room, title=title)

    def set_muted(self, room: RoomId, muted: bool) -> None:
        self._change(room, muted=muted)

    def set_state(self, room: RoomId, state: str) -> None:
        """Changes the security status of the room."""
        self._change(room, sealed_state=state)

    def set_unread(self, room: RoomId, unread: int, mentions: int = 0) -> None:
        """Changes what is unread."""
        self._change(room, unread=unread, mentions=mentions)

    def _change(self, room: RoomId, **values: Any) -> None:
        self.list = [replace(r, **values) if r.room == room else r for r in self.list]
        self.notify(room)

    def members(self, room: RoomId) -> list[FakeMember]:
        return self.people[room]

    def ended(self, room: RoomId) -> list[EndedMember]:
        return self.over if room == CASE else []

    def removed(self, room: RoomId) -> int:
        return len(self.removals(room))

    def removals(self, room: RoomId) -> list[Removal]:
        return self.gone if room == CASE else []

    def my_role(self, room: RoomId) -> int:
        return next((m.role for m in self.people[room] if m.person.is_me), 0)

    def sole_owner(self, room: RoomId) -> Person | None:
        members = self.people.get(room, [])
        owners = [m.person for m in members if m.role == 4]
        shared = len(members) > 1 and self.room(room).type != "direct"
        return owners[0] if shared and len(owners) == 1 else None

    def only_mine(self) -> list[FakeRoom]:
        return [r for r in self.list if (owner := self.sole_owner(r.room)) is not None and owner.is_me]

    def may_write(self, room: RoomId) -> bool:
        return self.my_role(room) >= 2

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

    def events(self, room: RoomId) -> list[FakeEvent]:
        if room == LEGAL:
            return [FakeEvent(kind="add", by=HEAD.uid, subject=ME.uid, t=at(8, 15))]
        return []

    def objects(self, room: RoomId) -> list[FakeObject]:
        chat = FakeObject(obj=CHAT, room=room, kind="chat", title="Chatt", updated_ms=at(13, 52))
        board = FakeObject(obj=BOARD, room=room, kind="board", title="Ärendets uppgifter", updated_ms=at(13, 0))
        document = FakeObject(
            obj=DOCUMENT, room=room, kind="document", title="Utkast till beslut", updated_ms=at(13, 40), by=HEAD.uid
        )
        return [chat, document, board] if room == CASE else [chat, board]

    def recent(self, limit: int) -> list[FakeObject]:
        return [
            FakeObject(obj=DOCUMENT, room=CASE, kind="document", title="Utkast till beslut", updated_ms=at(14, 4)),
            FakeObject(obj=BOARD, room=CASE, kind="board", title="Ärendets uppgifter", updated_ms=at(9, 0, 23)),
            FakeObject(obj=CHAT, room=UNIT, kind="chat", title="", updated_ms=at(9, 0, 20)),
            FakeObject(
                obj=DOCUMENT,
                room=UNIT,
                kind="document",
                title="Rutin: utlämnande av allmän handling",
                updated_ms=at(9, 0, 20),
            ),
        ][:limit]

    def opened(self, room: RoomId, obj: ObjId) -> None:
        self.opened_objects.append(obj)


class FakeSuccession:
    """A Succession; `standings` holds what is not ordinary."""

    def __init__(self, rooms: FakeRooms) -> None:
        self._rooms = rooms
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
        members = [m for m in self._rooms.people[room] if not m.person.is_me]
        infos = tuple(MemberInfo(person=m.person, role=m.role, since_ms=0) for m in members)
        return Plan(n=41, t=at(13, 58), members=infos, waiting=2)

    async def open(self, room: RoomId) -> RoomId:
        self.opened.append(room)
        old = next(r for r in self._rooms.list if r.room == room)
        new = await self._rooms.create(old.title, old.type)
        self._rooms._change(room, replaced=True)
        return new


class FakeSeals:
    """The rooms' security status, as their lists have it."""

    def __init__(self, rooms: FakeRooms) -> None:
        self._rooms = rooms
        self.levels: dict[RoomId, str] = {}

    def level(self, room: RoomId) -> str:
        state = next(r.sealed_state for r in self._rooms.list if r.room == room)
        return self.levels.get(room, state)

    async def report(self, room: RoomId) -> SecurityReport | None:
        readers = tuple(
            Reader(person=m.person, role=m.role, since_ms=at(9, 12, 3), history=m.history, keyless=False)
            for m in self._rooms.people[room]
        )
        return replace(SEAL, level=self.level(room), readers=readers)
