# SPDX-License-Identifier: EUPL-1.2
"""A session in memory with the pictures' sample content, for the shell's tests and screenshots."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from PySide6.QtWidgets import QLabel, QLineEdit, QVBoxLayout, QWidget

from app.chat.service import MentionRow
from app.core.ids import ChangeId, Hash, ObjId, RoomId, Uid
from app.core.signal import Signal
from app.errors import Forbidden, WrongPassphrase
from app.people.codes import Verdict
from app.people.notices import KeyNotice
from app.people.person import Person, Verified
from app.recovery import AskedFor, SheetPaper, SheetState
from app.rooms.seal import Reader, SealReport
from app.rooms.service import EndedMember, HistoryProposal, MemberInfo
from app.rooms.succession import Plan, Standing
from app.settings import Settings, Value
from app.store.rows import SearchHit
from app.tasks.model import Board
from app.tasks.service import TaskRow
from app.unlocking import SlotKind
from sync.errors import Reject
from tests.ui.shell.fake_devices import FakeDevices, FakeUnsent
from ui.tool import Tool

NOW = datetime(2026, 11, 24, 14, 5)  # noqa: DTZ001 - local time, as the shell takes it


def at(hour: int, minute: int, day: int = 24) -> int:
    """A time in November 2026 in ms, local."""
    return int(NOW.replace(day=day, hour=hour, minute=minute).timestamp() * 1000)


def uid(n: int) -> Uid:
    """An id whose hue is n."""
    return Uid(bytes([n]) * 16)


def room_id(hue: int, n: int) -> RoomId:
    """A room's id with this hue."""
    return RoomId(bytes([hue, n]) * 8)


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeRoom:
    """A RoomSummary."""

    room: RoomId
    title: str
    type: str
    preview: str = ""
    unread: int = 0
    mentions: int = 0
    muted: bool = False
    left: bool = False
    replaced: bool = False
    sealed_state: str = "sealed"
    last_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeMember:
    """A MemberInfo."""

    person: Person
    role: int
    since_ms: int = 0
    history: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeObject:
    """An ObjectSummary."""

    obj: ObjId
    room: RoomId
    kind: str
    title: str
    updated_ms: int
    by: Uid | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeEvent:
    """A RoomEvent."""

    kind: str
    by: Uid
    subject: Uid | None
    t: int


@dataclass(slots=True, kw_only=True)
class FakeStatus:
    """A SyncStatus."""

    state: str = "online"
    code: str | None = None
    waiting: int = 0
    last_synced_ms: int | None = at(14, 3)
    server: str = "kansli.myndighet.example"


def person(n: int, name: str, initials: str, unit: str, verified: Verified, *, me: bool = False) -> Person:
    """A person by role; `n` is the hue."""
    return Person(
        uid=uid(n), name=name, title=name, unit=unit, initials=initials, colour=n, verified=verified, is_me=me
    )


ME = person(0, "Handläggare", "HL", "Enheten för tillsyn", Verified.AGENCY, me=True)
HEAD = person(1, "Enhetschef", "EK", "Enheten för tillsyn", Verified.IN_PERSON)
REGISTRAR = person(2, "Registrator", "RG", "Registratur", Verified.NONE)
LAWYER = person(6, "Jurist", "JU", "Juridiskt stöd", Verified.AGENCY)
ARCHIVIST = person(5, "Arkivarie", "AR", "Ämbetsarkivet", Verified.AGENCY)

CASE = room_id(3, 1)
PERMIT = room_id(4, 2)
COMPLAINT = room_id(5, 3)
UNIT = room_id(0, 4)
LEGAL = room_id(6, 5)
DIRECT_HEAD = room_id(1, 6)
DIRECT_REGISTRAR = room_id(2, 7)

ORDINARY = Standing(origin=None, believed=False, successors=(), refusal="not-stopped", evidence=(), head=None)
CHAT, DOCUMENT, BOARD = (ObjId(bytes([9, n]) * 8) for n in (1, 2, 3))


SAMPLE_ROOMS: tuple[dict[str, Any], ...] = (
    {"room": CASE, "title": "Tillsyn 2026-1184", "type": "case", "preview": "Utkast till beslut klart för granskning"}
    | {"unread": 3, "mentions": 1},
    {"room": PERMIT, "title": "Tillstånd 2026-1102", "type": "case", "preview": "Du: Kompletteringen kom i dag"},
    {"room": COMPLAINT, "title": "Klagomål 2026-0987", "type": "case", "preview": "Svar senast 4 december"},
    {
        "room": UNIT,
        "title": "Enheten för tillsyn",
        "type": "group",
        "preview": "Veckomöte flyttas till 10.00",
        "unread": 2,
    },
    {"room": LEGAL, "title": "Juridiskt stöd", "type": "group", "preview": "Ny vägledning om maskning"},
    {"room": DIRECT_HEAD, "title": "Enhetschef", "type": "direct", "preview": "Tack, jag läser i kväll"},
    {"room": DIRECT_REGISTRAR, "title": "Registrator", "type": "direct", "preview": "Handlingen är diarieförd"},
)


class FakeRecovery:
    """The recovery sheet over a few values."""

    def __init__(self) -> None:
        self.state = SheetState.STANDS
        self.needs_old = False
        self.reminds = False
        self.old = "AAAA-BBBB-CCCC-DDDD-EEEE-FFFF-GGGG"
        self.published: list[tuple[str, str]] = []
        self.vetoed: list[AskedFor] = []
        self.waiting: list[AskedFor] = []
        self.error: Exception | None = None

    def dismiss(self) -> None:
        self.reminds = False

    def check_old(self, code: str) -> None:
        if code != self.old:
            raise Reject("sheet")

    def draw(self) -> SheetPaper:
        return SheetPaper(
            code="7KQ2-0MXA-9RTB-W4HN-ZC5E-1VDG-8PJS",
            name="Handläggare",
            title="Handläggare",
            unit="Enheten för tillsyn",
            server="kansli.myndighet.example",
            agency="3f 1c 88 a0",
            made_ms=at(14, 5),
        )

    async def publish(self, paper: SheetPaper, old: str = "") -> None:
        if self.error is not None:
            raise self.error
        self.published.append((paper.code, old))
        self.state = SheetState.STANDS

    def asked(self) -> list[AskedFor]:
        return self.waiting

    async def veto(self, asked: AskedFor) -> None:
        self.vetoed.append(asked)
        self.waiting = [replace(a, vetoed=True) if a == asked else a for a in self.waiting]


SEAL = SealReport(
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
        self.told: list[str] = []
        self.filled: int | None = None
        self.proposals: list[HistoryProposal] = []
        self.over: list[EndedMember] = []
        self.refusal: str | None = None
        self.known: dict[Uid, Person] = {}

    def rooms(self) -> list[FakeRoom]:
        return self.list

    async def create(self, title: str, type: str) -> RoomId:  # noqa: A002 - the field's word
        room = room_id(7, len(self.list) + 10)
        self.list.append(FakeRoom(room=room, title=title, type=type))
        self.people[room] = [FakeMember(person=ME, role=4)]
        self.changed.emit()
        return room

    async def add(self, room: RoomId, uid: Uid, role: int, history_all: bool) -> None:
        self.people[room].append(FakeMember(person=self.known[uid], role=role))
        self.room_changed.emit(room)

    async def remove(self, room: RoomId, uid: Uid) -> None:
        self.people[room] = [m for m in self.people[room] if m.person.uid != uid]
        self.room_changed.emit(room)

    async def leave(self, room: RoomId) -> None:
        raise Forbidden

    async def set_role(self, room: RoomId, uid: Uid, role: int) -> None:
        self.people[room] = [replace(m, role=role) if m.person.uid == uid else m for m in self.people[room]]
        self.room_changed.emit(room)

    def rename(self, room: RoomId, title: str) -> None:
        self._change(room, title=title)

    def set_muted(self, room: RoomId, muted: bool) -> None:
        self._change(room, muted=muted)

    def set_state(self, room: RoomId, state: str) -> None:
        """Changes how the seal stands."""
        self._change(room, sealed_state=state)

    def set_unread(self, room: RoomId, unread: int, mentions: int = 0) -> None:
        """Changes what is unread."""
        self._change(room, unread=unread, mentions=mentions)

    def _change(self, room: RoomId, **values: Any) -> None:
        self.list = [replace(r, **values) if r.room == room else r for r in self.list]
        self.room_changed.emit(room)

    def members(self, room: RoomId) -> list[FakeMember]:
        return self.people[room]

    def ended(self, room: RoomId) -> list[EndedMember]:
        return self.over if room == CASE else []

    def my_role(self, room: RoomId) -> int:
        return next((m.role for m in self.people[room] if m.person.is_me), 0)

    def may_write(self, room: RoomId) -> bool:
        return self.my_role(room) >= 2

    def notices(self, room: RoomId) -> list[str]:
        return self.told

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
        self.room_changed.emit(room)

    async def give_history(self, room: RoomId, proposal: Hash) -> None:
        (found,) = [p for p in self.proposals if p.ident == proposal]
        self.proposals = []
        self.people[room] = [replace(m, history=True) if m.person == found.subject else m for m in self.people[room]]
        self.room_changed.emit(room)

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
    """The rooms' seals, as their lists say."""

    def __init__(self, rooms: FakeRooms) -> None:
        self._rooms = rooms
        self.levels: dict[RoomId, str] = {}

    def level(self, room: RoomId) -> str:
        state = next(r.sealed_state for r in self._rooms.list if r.room == room)
        return self.levels.get(room, state)

    async def report(self, room: RoomId) -> SealReport | None:
        readers = tuple(
            Reader(person=m.person, role=m.role, since_ms=at(9, 12, 3), history=m.history, keyless=False)
            for m in self._rooms.people[room]
        )
        return replace(SEAL, level=self.level(room), readers=readers)


class FakePeople:
    """A PeopleService over five people."""

    def __init__(self) -> None:
        self.changed: Signal[()] = Signal()
        self.all = {p.uid: p for p in (ME, HEAD, REGISTRAR, LAWYER, ARCHIVIST)}
        self.marked: dict[Uid, bool] = {}
        self.others_alike: list[Person] = []
        self.told: list[KeyNotice] = []
        self.verdict = Verdict.SAME
        self.my_code = f"kansli:verify?uid={'00' * 16}&genesis={'00' * 32}"

    @property
    def me(self) -> Person:
        return ME

    def person(self, uid: Uid) -> Person:
        return self.all[uid]

    async def twins(self, uid: Uid) -> list[Person]:
        return self.others_alike

    async def search(self, query: str) -> list[Person]:
        words = query.casefold()
        return [p for p in self.all.values() if words in f"{p.name} {p.unit}".casefold()]

    def safety_number(self, uid: Uid) -> str:
        return "".join(f"{(i * 7919 + uid[0]) % 100000:05}" for i in range(12))

    def read_code(self, uid: Uid, texts: Sequence[str]) -> Verdict:
        if self.verdict is Verdict.SAME:
            self.mark_verified(uid, True)
        return self.verdict

    def notices(self) -> list[KeyNotice]:
        return self.told

    def dismiss(self, notice: KeyNotice) -> None:
        self.told = [n for n in self.told if n != notice]
        self.changed.emit()

    def mark_verified(self, uid: Uid, verified: bool) -> None:
        self.marked[uid] = verified
        self.changed.emit()


class FakeChat:
    """One mention."""

    def mentions(self, limit: int = 50) -> list[MentionRow]:
        text = "Ser bra ut. Två saker innan vi skickar: lagrummet i skälen ska vara 5 § 👍"
        change = ChangeId(bytes(16))
        return [MentionRow(room=CASE, obj=CHAT, change_id=change, author=HEAD.uid, t=at(10, 5), text=text, unread=True)]


@dataclass(slots=True)
class FakeTasks:
    """My tasks, and a real board behind them."""

    changed: Signal[RoomId] = field(default_factory=Signal)
    live: Board = field(default_factory=Board)
    rows: list[TaskRow] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.live.setup(["Att göra", "Pågår", "Klart"], done=2)
        columns = self.live.columns()
        samples: Sequence[tuple[str, int, RoomId, date]] = (
            ("Skriv skälen för beslutet", 1, CASE, date(2026, 11, 27)),
            ("Begär yttrande från kommunen", 0, CASE, date(2026, 12, 2)),
            ("Svara på remiss om e-arkiv", 0, UNIT, date(2026, 12, 5)),
            ("Begär in komplettering", 2, CASE, date(2026, 10, 12)),
        )
        for title, column, room, due in samples:
            card = self.live.add_card(columns[column].id, title)
            self.rows.append(
                TaskRow(room=room, obj=BOARD, card=card, title=title, column=columns[column].title, assignee=ME.uid,
                        due=due, done=column == 2, labels=(), checked=0, check_items=0)
            )  # fmt: skip

    def my_tasks(self, *, done: bool = False) -> list[TaskRow]:
        column_of = {c.id: self.live.column_of(c.id) for c in self.live.all_cards()}
        now = [replace(r, done=bool((found := column_of.get(r.card)) and found.done)) for r in self.rows]
        return [r for r in now if r.done == done]

    def done_of(self, room: RoomId) -> tuple[int, int]:
        return 2, 7

    def board(self, room: RoomId, obj: ObjId | None = None) -> Board:
        return self.live


class FakeSearch:
    """Finds one word."""

    async def find(
        self, text: str, *, room: RoomId | None = None, kind: str | None = None, limit: int = 50
    ) -> list[SearchHit]:
        if not text.casefold().startswith("kompl"):
            return []
        hit = SearchHit(
            room=CASE,
            obj=CHAT,
            kind="chat",
            ref=b"m1",
            title="Chatt",
            snippet="\x02Kompletteringen\x03 från sökanden är inkommen",
            t=at(9, 12),
            rank=-1.0,
        )
        return [hit]


PASSPHRASE = "blå häst går hem"


class FakeKeys:
    """Ways of unlocking, in memory."""

    def __init__(self, there: Sequence[SlotKind], *, forbidden: SlotKind | None = None) -> None:
        self.there, self.forbidden = list(there), forbidden

    def kinds(self) -> Sequence[SlotKind]:
        return self.there

    def allowed(self, kind: SlotKind) -> bool:
        return kind != self.forbidden

    def keyring_available(self) -> bool:
        return True

    async def check(self, passphrase: str) -> None:
        if passphrase != PASSPHRASE:
            raise WrongPassphrase

    async def add_keyring(self, passphrase: str) -> None:
        await self.check(passphrase)
        self.there.append(SlotKind.KEYRING)

    async def add_passphrase(self, new: str) -> None:
        self.there.append(SlotKind.PASSPHRASE)


class FakeSession:
    """A Session."""

    def __init__(self, folder: Path, policy: dict[str, Value] | None = None) -> None:
        self.rooms = FakeRooms()
        self.succession = FakeSuccession(self.rooms)
        self.seals = FakeSeals(self.rooms)
        self.recovery = FakeRecovery()
        self.people = FakePeople()
        self.rooms.known = self.people.all
        self.chat = FakeChat()
        self.tasks = FakeTasks()
        self.devices = FakeDevices()
        self.unsent = FakeUnsent(CASE)
        self.reading = (12, 12)
        self.search = FakeSearch()
        self.settings = Settings(folder / "settings.json", policy)
        self.status = FakeStatus()
        self.status_changed: Signal[()] = Signal()


class FakeView(QWidget):
    """A tool's view that remembers where it was asked to go."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.refs: list[tuple[ObjId, bytes]] = []
        layout = QVBoxLayout(self)
        layout.addWidget(QLabel(name))
        layout.addStretch(1)
        self.field = QLineEdit()
        self.field.setAccessibleName(f"Skriv i {name}")
        layout.addWidget(self.field)

    def focusInEvent(self, event: object) -> None:
        self.field.setFocus()

    def writing_area(self) -> QWidget:
        """Its field."""
        return self.field

    def open_ref(self, obj: ObjId, ref: bytes) -> None:
        """Remembers."""
        self.refs.append((obj, ref))


def fake_tool(tool_id: str, title: str, icon: str, kind: str, *, shows_people: bool = True) -> Tool:
    """A tool of FakeViews."""

    def open_(session: Any, room: RoomId, obj: ObjId | None, parent: QWidget | None) -> QWidget:
        return FakeView(title, parent)

    return Tool(id=tool_id, title=title, icon=icon, shortcut="", kinds=(kind,), open=open_, shows_people=shows_people)


TOOLS = (
    fake_tool("chat", "Chat", "chat", "chat"),
    fake_tool("documents", "Documents", "document", "document", shows_people=False),
    fake_tool("tasks", "Tasks", "board", "board", shows_people=False),
)
