# SPDX-License-Identifier: EUPL-1.2
"""A session in memory with the pictures' sample content, for the shell's tests."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any, cast

from PySide6.QtWidgets import QLabel, QLineEdit, QVBoxLayout, QWidget

import ui.chat
import ui.documents
import ui.tasks
from app.chat.service import Author, MentionRow
from app.chat.tool import TOOL as CHAT_TOOL
from app.core import clock
from app.core.ids import ChangeId, ObjId, RoomId, Uid
from app.core.signal import Signal
from app.devices.service import DeviceService
from app.devices.unsent import UnsentWork
from app.errors import StoreFault
from app.objects.trash import Trash
from app.people.codes import Verdict
from app.people.notices import KeyNotice
from app.people.person import Person
from app.people.service import PeopleService
from app.personal.answers import InvitationAnswers
from app.personal.service import Personal
from app.recovery import Recovery, RecoverySheetState
from app.rooms.held import HeldBack
from app.rooms.invitations import Invitations
from app.session import Session, SyncStatus
from app.setting import Value
from app.settings import Settings
from app.store.rows import SearchHit
from app.store.search import Search
from app.tasks.model import Board
from app.tasks.service import TaskRow
from app.tasks.tool import TOOL as TASKS_TOOL
from app.tool import AppTool, S
from sync.client.engine import Engine
from sync.client.wire.dialled_address import Nowhere
from tests.ui.shell.fake_rooms import FakeRooms, FakeSeals, FakeSuccession
from tests.ui.shell.kept_account import AccountState, account_store
from tests.ui.shell.sample import (
    ARCHIVIST,
    BOARD,
    CASE,
    CHAT,
    HEAD,
    LAWYER,
    ME,
    NOW,
    ONLINE,
    REGISTRAR,
    UNIT,
    at,
)
from ui.shell.tool_list import ToolList
from ui.tool import AnyTool, Tool, ViewParts, ViewPlace


class FakePeople(PeopleService):
    """A PeopleService over five people."""

    my_code: str = f"kansli:verify?uid={'00' * 16}&genesis={'00' * 32}"

    def __init__(self) -> None:
        self.changed: Signal[()] = Signal()
        self.marked: Signal[Uid, bool] = Signal()
        self.all = {p.uid: p for p in (ME, HEAD, REGISTRAR, LAWYER, ARCHIVIST)}
        self.marks: dict[Uid, bool] = {}
        self.others_alike: list[Person] = []
        self.notified: list[KeyNotice] = []
        self.verdict = Verdict.SAME

    @property
    def me(self) -> Person:
        return ME

    def person(self, uid: Uid) -> Person:
        return self.all[uid]

    async def duplicate_accounts(self, uid: Uid) -> list[Person]:
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
        return self.notified

    def dismiss(self, notice: KeyNotice) -> None:
        self.notified = [n for n in self.notified if n != notice]
        self.changed.emit()

    def mark_verified(self, uid: Uid, verified: bool) -> None:
        self.marks[uid] = verified
        self.changed.emit()


class FakeChat:
    """One mention."""

    def mentions(self, limit: int = 50, *, unread_only: bool = False) -> list[MentionRow]:
        text = "Ser bra ut. Två saker innan vi skickar: lagrummet i skälen ska vara 5 § 👍"
        change = ChangeId(bytes(16))
        return [MentionRow(room=CASE, obj=CHAT, change_id=change, author=HEAD.uid, t=at(10, 5), text=text, unread=True)]

    def authors(self, places: Sequence[tuple[ObjId, bytes]]) -> dict[tuple[ObjId, bytes], Author]:
        return {(obj, ref): Author(uid=HEAD.uid) for obj, ref in places if obj == CHAT}


@dataclass(slots=True)
class FakeTasks:
    """My tasks, and a real board behind them."""

    changed: Signal[RoomId] = field(default_factory=Signal)
    fault: Signal[ObjId, StoreFault] = field(default_factory=Signal)
    saved: Signal[ObjId] = field(default_factory=Signal)
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

    def unsaved(self, obj: ObjId) -> bool:
        return False

    def retry(self, obj: ObjId) -> None: ...

    def my_tasks(self, *, done: bool = False) -> list[TaskRow]:
        column_of = {c.id: self.live.column_of(c.id) for c in self.live.all_cards()}
        now = [replace(r, done=bool((found := column_of.get(r.card)) and found.done)) for r in self.rows]
        return [r for r in now if r.done == done]

    def done_of(self, room: RoomId) -> tuple[int, int]:
        return 2, 7

    def board(self, room: RoomId, obj: ObjId | None = None) -> Board:
        return self.live


class FakeSearch(Search):
    """Finds one word."""

    def __init__(self) -> None: ...

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


class FakeSession(Session):
    """A Session whose services are fakes, but for the recovery sheet, the held changes, invitations, the devices and
    the personal room: those are of a real account."""

    status: SyncStatus = ONLINE
    overdue: bool = False
    reading: tuple[int, int] = (12, 12)
    rooms: FakeRooms
    succession: FakeSuccession
    seals: FakeSeals
    people: FakePeople
    search: FakeSearch

    def __init__(self, folder: Path, policy: dict[str, Value] | None = None) -> None:
        self.rooms = FakeRooms()
        self.succession = FakeSuccession(self.rooms)
        self.seals = FakeSeals(self.rooms)
        self.people = FakePeople()
        self.rooms.known = self.people.all
        self.chat = FakeChat()
        self.tasks = FakeTasks()
        self.trash = Trash()
        self.search = FakeSearch()
        self.settings = Settings(folder / "settings.json", policy)
        self.give_sheet(folder, RecoverySheetState.STANDS)
        self.status_changed: Signal[()] = Signal()
        self.place = ""

    def service(self, tool: AppTool[S]) -> S:
        """The tools that the shell asks; each is a fake."""
        return cast("S", {CHAT_TOOL.id: self.chat, TASKS_TOOL.id: self.tasks}.get(tool.id))

    def give_sheet(self, folder: Path, sheet: RecoverySheetState) -> None:
        """Gives the session an account whose recovery sheet is in that state."""
        self.use_account(folder, sheet)

    def use_account(self, folder: Path, state: AccountState) -> None:
        """Gives the session an account in that state, on a computer without a network."""
        store = account_store(folder, state)
        self.engine = Engine(store, Nowhere(), self, clock.now_ms)
        self.recovery = Recovery(self.engine, self.people, self.settings)
        self.held = HeldBack(store, self.people, self.rooms)
        self.rooms.use(store)
        self.personal = Personal(store, self.engine, self.people, self.rooms.announce)
        self.devices = DeviceService(store, self.engine, self.people, self.personal)
        self.unsent = UnsentWork(store, self.engine, self.rooms.may_write)
        answers = InvitationAnswers(self.personal)
        self.invitations = Invitations(store, self.engine, self.people, self.settings, answers)

    def set_status(self, **values: Any) -> None:
        """Changes fields of the connection's status, and notifies nobody."""
        self.status = replace(self.status, **values)

    def report(self) -> dict[str, str]:
        return {"program.txt": "Kansli 1, Debian 13\n", "logs/kansli.log": "ui opened\n"}

    def keep_place(self, text: str) -> None:
        self.place = text

    def kept_place(self) -> str:
        return self.place


class FakeView(QWidget):
    """A tool's view that remembers where it was asked to go."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.stood = ViewPlace()
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

    def view_place(self) -> ViewPlace:
        """Its caret."""
        return ViewPlace(caret=self.field.cursorPosition())

    def restore_place(self, left: ViewPlace) -> None:
        """Remembers."""
        self.stood = left

    def open_ref(self, obj: ObjId, ref: bytes) -> None:
        """Remembers."""
        self.refs.append((obj, ref))


def fake(tool: Tool[S]) -> Tool[S]:
    """The tool with a FakeView in its tab."""

    def open_(parts: ViewParts[S], room: RoomId, obj: ObjId | None, parent: QWidget | None) -> QWidget:
        return FakeView(tool.title, parent)

    return replace(tool, open=open_)


TOOLS: tuple[AnyTool, ...] = (fake(ui.chat.TOOL), fake(ui.documents.TOOL), fake(ui.tasks.TOOL))


def tool_list(session: FakeSession) -> ToolList:
    """The tools joined with a fake session, at the pictures' moment."""
    return ToolList(TOOLS, session, lambda: NOW)
