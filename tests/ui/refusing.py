# SPDX-License-Identifier: EUPL-1.2
"""Fixtures: a desk with a chat, a document and a board on one real store, whose disk can be made to refuse for real."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import pytest
from PySide6.QtWidgets import QPushButton
from sqlcipher3 import dbapi2 as driver

from app.chat import KIND as CHAT
from app.chat.service import ChatService
from app.core.alarms import Alarms
from app.core.enums import Role
from app.core.i18n import set_language
from app.core.ids import ObjId
from app.documents import KIND as DOCUMENT
from app.documents.service import DocumentService
from app.errors import StoreFault
from app.rooms.projection import KIND as ROOM_KIND
from app.store import objects as object_rows
from app.store import rooms as room_rows
from app.store.store import Store
from app.tasks import KIND as BOARD
from app.tasks.service import TaskService
from sync.client.ports import MemberRow
from sync.client.received import ReceivedSlice
from tests.app.documents.desks import Rooms, Timers, World
from tests.office import BOARD_ID, CHANNEL, COLUMNS, HL, KEY, NAMES, ROOM, Folk, OwnPlaces, announce_chat, notices_of
from ui.errors import code_of
from ui.kit import tasks
from ui.kit.toast import InfoBar

_FULL = """CREATE TEMP TRIGGER "full_{verb}_{table}" AFTER {verb} ON main."{table}"
    BEGIN INSERT INTO filler VALUES (zeroblob(200000)); END"""
KINDS = {kind.id: kind for kind in (CHAT, DOCUMENT, BOARD, ROOM_KIND)}
TEXT = "Beslut i ärendet å 🙂"


@dataclass
class Place:
    """One person's store and services. `notified`: codes of errors that a message showed, with their Try again."""

    folder: Path
    store: Store
    chat: ChatService
    documents: DocumentService
    tasks: TaskService
    document: ObjId
    notified: list[tuple[str, Callable[[], object] | None]] = field(default_factory=list)

    @classmethod
    def make(cls, folder: Path) -> "Place":
        """A new store with a message, a document and a board with a card."""
        store = Store.create(folder / "office.db", KEY, KINDS, folder / "blobs")
        store.set_me(HL)
        members = [
            MemberRow(uid=u, role=Role.OWNER if u == HL else Role.WRITER, since_n=0, history=True) for u in NAMES
        ]
        store.receive(ReceivedSlice(room=ROOM, cursor=0, state=b"", members=members))
        with store.db.transaction() as conn:
            room_rows.name(conn, ROOM, "Tillsyn 2026-1184", "case", 1)
            announce_chat(conn, ROOM, CHANNEL, HL)
            object_rows.announce(conn, ROOM, BOARD_ID, BOARD.id, 1, HL)
        place = cls.open(folder, store)
        place.chat.send(ROOM, TEXT)
        place.document = place.documents.create(ROOM, "Utkast å")
        with_text = place.documents.open(place.document)
        with_text.splice(0, 0, TEXT)
        place.documents.close(place.document)
        board = place.tasks.board(ROOM)
        board.setup(COLUMNS, done=3, title="Uppgifter")
        card = board.add_card(board.columns()[1].id, "Begär yttrande å", by=HL)
        board.add_check_item(card, "Läs handlingarna")
        board.add_card(board.columns()[1].id, "Skriv beslut", by=HL)
        board.add_label("Brådskande", "red")
        return place

    @classmethod
    def open(cls, folder: Path, store: Store) -> "Place":
        """The services over a store."""
        folk, world = Folk(HL, store=store), World(folder)
        rooms = Rooms(store, HL, world)
        parts = (store.db, store.changes, store.objects, folk)
        world.desks.append(Announcing(store))  # type: ignore[arg-type] # all that announcing needs of a desk
        return cls(
            folder,
            store,
            ChatService(*parts, folk),
            DocumentService(*parts, rooms, later=Timers().later),
            TaskService(*parts, folk, rooms, notices_of(store), OwnPlaces(), alarms=Alarms()),
            next(iter(store.db.rows("SELECT obj FROM document_rows")), (ObjId(b""),))[0],
        )

    def save(self) -> None:
        """As `Session.save`, which locking calls until it raises nothing."""
        faults: list[StoreFault] = []
        for save in (self.documents.save, self.tasks.save, self.chat.save):
            try:
                save()
            except StoreFault as fault:
                faults.append(fault)
        if faults:
            raise faults[0]

    def again(self) -> "Place":
        """The same desk after the program was locked: only what is stored is there."""
        self.close()
        store = Store.open(self.folder / "office.db", KEY, KINDS, self.folder / "blobs")
        return Place.open(self.folder, store)

    def close(self) -> None:
        for close in (self.chat.close_all, self.documents.close_all, self.tasks.close_all):
            with suppress(StoreFault):
                close()
        self.store.close()

    def collect_errors(self) -> None:
        """From now on, errors go to `notified`."""
        tasks.set_error_hook(lambda _owner, error, again: self.notified.append((code_of(error), again)))


@dataclass
class Announcing:
    store: Store


class Stored(Protocol):
    """Whatever has a store."""

    @property
    def store(self) -> Store: ...


@contextmanager
def full(place: Stored) -> Iterator[None]:
    """The disk is full: every write needs a page more, and SQLite gets none."""
    conn = place.store.db.conn
    conn.execute("CREATE TABLE IF NOT EXISTS filler (data BLOB)")
    tables = [name for (name,) in conn.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()]
    written = [t for t in tables if not t.startswith(("sqlite_", "filler")) and "search" not in t]
    for table in written:
        for verb in ("INSERT", "UPDATE", "DELETE"):
            conn.execute(_FULL.format(verb=verb, table=table))
    most = conn.value("PRAGMA max_page_count")
    conn.execute(f"PRAGMA max_page_count={conn.value('PRAGMA page_count')}")
    yield
    conn.execute(f"PRAGMA max_page_count={most}")
    for table in written:
        for verb in ("INSERT", "UPDATE", "DELETE"):
            conn.execute(f'DROP TRIGGER "full_{verb}_{table}"')


@contextmanager
def locked(place: Place) -> Iterator[None]:
    """Another program holds the database's lock."""
    place.store.db.conn.execute("PRAGMA busy_timeout=1")
    other = driver.connect(str(place.folder / "office.db"), isolation_level=None)
    other.execute(f"PRAGMA key=\"x'{KEY.hex()}'\"")
    other.execute("BEGIN IMMEDIATE")
    yield
    other.execute("ROLLBACK")
    other.close()


@contextmanager
def closed(place: Place) -> Iterator[None]:
    """The store was closed, and is never opened again in this process."""
    place.store.close()
    yield


FAULTS = {"full": (full, "disk-full"), "locked": (locked, "store-unwritable"), "closed": (closed, "store-closed")}
PASSING = ("full", "locked")
"""The faults after which the same store goes on: a test takes only these where no view is shown of a closed store."""

Fault = tuple[Callable[[Place], Any], str]


@contextmanager
def reopened(place: Place) -> Iterator[Place]:
    """The desk after a lock."""
    again = place.again()
    try:
        yield again
    finally:
        again.close()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    set_language("sv")
    made = Place.make(tmp_path)
    made.collect_errors()
    yield made
    tasks.set_error_hook(None)
    made.close()


@pytest.fixture(params=FAULTS)
def fault(request: pytest.FixtureRequest) -> Fault:
    return FAULTS[request.param]


@pytest.fixture
def announced(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The bar's announcements."""
    found: list[str] = []
    monkeypatch.setattr("ui.kit.unsaved_bar.announce", lambda _owner, text, _kind: found.append(text))
    return found


def press_again(bar: InfoBar, text: str = "Försök igen") -> None:
    """Presses the bar's one button."""
    button = bar.findChild(QPushButton)
    assert button is not None
    assert button.text() == text
    button.click()
