# SPDX-License-Identifier: EUPL-1.2
"""The sample's office at a real server: five people, their rooms and what is in them, made once in each process. Tests
open copies of it (opened_office.py)."""

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache
from pathlib import Path

from app.chat.tool import TOOL as CHAT
from app.core import clock
from app.core.enums import LinkState, Role, RoomType
from app.core.ids import ObjId, RoomId
from app.documents.tool import TOOL as DOCUMENTS
from app.people.person import Person
from app.session import Session
from app.settings import ASK_UNKNOWN
from app.store.store import Store
from app.tasks.tool import TOOL as TASKS
from sync.client.account.enrolment import Enrolled, Enrolment
from sync.trust.person.recovery_sheet import RecoveryCode
from tests.ui.shell.moment import Moment, moment
from tests.ui.shell.sample import at
from tests.ui.shell.served import BY_ID, Stores, made_in_folder, session_on
from tests.world import UNIT, World, until, world

PEOPLE: Mapping[str, str] = {
    "Handläggare": UNIT,
    "Enhetschef": UNIT,
    "Registrator": "Registratur",
    "Jurist": "Juridiskt stöd",
    "Arkivarie": "Ämbetsarkivet",
}
"""The units, by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """People, rooms and objects by the names of the sample, and what is kept of them. `served`: the server's folder."""

    me: Person
    head: Person
    registrar: Person
    lawyer: Person
    archivist: Person
    case: RoomId
    permit: RoomId
    complaint: RoomId
    unit: RoomId
    legal: RoomId
    direct_head: RoomId
    direct_registrar: RoomId
    chat: ObjId
    document: ObjId
    board: ObjId
    sheet: str
    """The code of the person's recovery sheet."""
    stores: Stores = field(default_factory=dict)
    """By the person's name."""
    served: Path = Path()


# -- how it is made ---------------------------------------------------------------------------------------------------


class Making:
    """The office while it is made, with a running session of everybody."""

    def __init__(self, w: World, now: Moment) -> None:
        self.w, self.now = w, now
        self.all: dict[str, Session] = {}
        self.keys: dict[str, bytes] = {}

    @property
    def me(self) -> Session:
        return self.all["Handläggare"]

    @property
    def head(self) -> Session:
        return self.all["Enhetschef"]

    @property
    def registrar(self) -> Session:
        return self.all["Registrator"]

    async def hire(self, name: str, unit: str) -> None:
        """A person with an account and a session."""
        folder, key = self.w.folder / name, os.urandom(32)
        folder.mkdir()
        store = Store.create(folder / "store.db", key, BY_ID)
        store.db.conn.execute("PRAGMA synchronous = OFF")
        self.keys[name] = key

        def keep(enrolled: Enrolled) -> None:
            store.set_me(enrolled.account.uid)
            store.save_account(enrolled.account.encode())
            store.append_user_log(enrolled.account.uid, 0, enrolled.entries)
            store.put_person(enrolled.account.uid, enrolled.record, enrolled.salt)

        await Enrolment(self.w.dialer(), await self.w.invite(name, unit), clock.now_ms).accept(keep)
        self.all[name] = session = session_on(folder, store, self.w.dialer(), {ASK_UNKNOWN.key: False})
        session.start()

    async def room(self, owner: Session, title: str, type_: RoomType, *others: tuple[Session, Role]) -> RoomId:
        """A room with these members, all of whom follow it."""
        room = await owner.rooms.create(title, type_)
        for other, role in others:
            uid = other.people.me.uid
            await owner.rooms.add(room, uid, role, True)
        await self.settle(room, owner, *(other for other, _ in others))
        return room

    async def settle(self, room: RoomId, *sessions: Session) -> None:
        """Until everybody has what anybody has written."""

        def settled() -> bool:
            sent = all(not each.store.waiting_count() for each in sessions)
            return sent and len({each.engine.position(room) for each in sessions}) == 1

        await until(settled)

    async def say(self, by: Session, room: RoomId, text: str, t_ms: int) -> None:
        """A message at that time."""
        self.now.set(t_ms)
        chat = by.service(CHAT)
        await until(lambda: chat.channel(room) is not None)
        chat.send(room, text)
        await self.settle(room, by, self.me)

    async def fill(self) -> "Office":
        """Everything but the accounts. Nothing is kept yet."""
        me, head, registrar = self.me, self.head, self.registrar
        await asyncio.gather(*(session.people.search("e") for session in self.all.values()))  # names and keys
        others = (head, Role.ADMIN), (registrar, Role.WRITER)
        self.now.set(at(9, 12, 3))
        case, permit, complaint, unit, direct_head, direct_registrar = await asyncio.gather(
            self.room(me, "Tillsyn 2026-1184", RoomType.CASE, *others),
            self.room(me, "Tillstånd 2026-1102", RoomType.CASE, *others),
            self.room(me, "Klagomål 2026-0987", RoomType.CASE, *others),
            self.room(me, "Enheten för tillsyn", RoomType.GROUP, *others),
            self.room(me, "Enhetschef", RoomType.DIRECT, (head, Role.OWNER)),
            self.room(me, "Registrator", RoomType.DIRECT, (registrar, Role.OWNER)),
        )
        board = self._tasks(case, unit)
        self.now.set(at(13, 40, 23))
        document = head.service(DOCUMENTS).create(case, "Utkast till beslut")
        registrar.service(DOCUMENTS).create(unit, "Rutin: utlämnande av allmän handling")
        for room in (case, unit):
            await self.settle(room, me, head, registrar)
        self.now.set(at(8, 15))
        legal = await self.room(head, "Juridiskt stöd", RoomType.GROUP, (me, Role.ADMIN), (registrar, Role.WRITER))
        await self._messages(case, permit, complaint, unit, legal, direct_head, direct_registrar)
        self._opened(case, unit, document, board)
        chat = me.service(CHAT).channel(case)
        assert chat is not None
        me.people.mark_verified(head.people.me.uid, True)
        sheet = RecoveryCode.fresh().format()
        await me.engine.recovery_sheet.publish(sheet)
        await me.personal.tend()  # its heartbeat of the last day: nothing more is written by itself
        await until(lambda: not any(session.store.waiting_count() for session in self.all.values()))
        lawyer, archivist = (self.all[name].people.me.uid for name in ("Jurist", "Arkivarie"))
        return Office(
            me=me.people.me,
            head=me.people.person(head.people.me.uid),
            registrar=me.people.person(registrar.people.me.uid),
            lawyer=me.people.person(lawyer),
            archivist=me.people.person(archivist),
            case=case,
            permit=permit,
            complaint=complaint,
            unit=unit,
            legal=legal,
            direct_head=direct_head,
            direct_registrar=direct_registrar,
            chat=chat,
            document=document,
            board=board,
            sheet=sheet,
        )

    def _tasks(self, case: RoomId, unit: RoomId) -> ObjId:
        """The cards of two boards. Returns the case's board."""
        tasks, me = self.me.service(TASKS), self.me.people.me.uid
        board = tasks.board(case)
        board.rename("Ärendets uppgifter")
        to_do, doing, *_, done = (column.id for column in board.columns())
        board.add_card(doing, "Skriv skälen för beslutet", assignee=me, due=date(2026, 11, 27))
        board.add_card(to_do, "Begär yttrande från kommunen", assignee=me, due=date(2026, 12, 2))
        board.add_card(done, "Begär in handlingar", assignee=me, due=date(2026, 10, 12))
        board.add_card(done, "Registrera ärendet")
        for n in range(3):
            board.add_card(to_do, f"Läs bilaga {n + 1}")
        for_unit = tasks.board(unit)
        for_unit.add_card(for_unit.columns()[0].id, "Svara på remiss om e-arkiv", assignee=me, due=date(2026, 12, 5))
        obj = tasks.board_id(case)
        assert obj is not None
        return obj

    async def _messages(self, case: RoomId, permit: RoomId, complaint: RoomId, unit: RoomId, legal: RoomId,
                        direct_head: RoomId, direct_registrar: RoomId) -> None:  # fmt: skip
        me, head, registrar = self.me, self.head, self.registrar
        await self.say(head, legal, "Ny vägledning om maskning", at(8, 20))
        await self.say(registrar, case, "Kompletteringen från sökanden är inkommen", at(9, 12))
        await self.say(registrar, direct_registrar, "Handlingen är diarieförd", at(9, 20))
        await self.say(head, direct_head, "Tack, jag läser i kväll", at(9, 30))
        await self.say(head, unit, "Veckomöte på tisdag", at(9, 40))
        await self.say(registrar, complaint, "Svar senast 4 december", at(9, 50))
        await self.say(me, permit, "Yttrandet kom i dag", at(10, 0))
        for room in (legal, case, direct_registrar, direct_head, unit, complaint):
            me.service(CHAT).mark_all_read(room)
        about = "Ser bra ut. Två saker innan vi skickar: lagrummet i skälen ska vara 5 § 👍"
        await self.say(head, unit, "Dagordningen är klar", at(10, 1))
        await self.say(registrar, unit, "Veckomöte flyttas till 10.00", at(10, 2))
        await self.say(head, case, f"@Handläggare {about}", at(10, 5))
        await self.say(registrar, case, "Yttrandet är begärt", at(11, 0))
        await self.say(head, case, "Utkast till beslut klart för granskning", at(13, 52))

    def _opened(self, case: RoomId, unit: RoomId, document: ObjId, board: ObjId) -> None:
        """What the person opened lately."""
        me = self.me
        rules, chat = me.service(DOCUMENTS).list(unit)[0].obj, me.service(CHAT).channel(unit)
        assert chat is not None
        for room, obj, t in ((unit, rules, at(9, 0, 20)), (unit, chat, at(9, 1, 20)), (case, board, at(9, 0, 23)),
                             (case, document, at(14, 4))):  # fmt: skip
            self.now.set(t)
            me.rooms.opened(room, obj)


async def _make(folder: Path) -> Office:
    with moment(at(8, 0, 2)) as now:
        async with world(folder, kinds=BY_ID) as w:
            made = Making(w, now)
            try:
                await asyncio.gather(*(made.hire(name, unit) for name, unit in PEOPLE.items()))
                await until(lambda: all(s.status.state is LinkState.ONLINE for s in made.all.values()))
                found = await made.fill()
            finally:
                for session in made.all.values():
                    await session.close()
            stores = {n: ((folder / n / "store.db").read_bytes(), key) for n, key in made.keys.items()}
    return replace(found, stores=stores, served=folder / "server")


@cache
def office() -> Office:
    """The office; the first call makes it."""
    return made_in_folder(_make)
