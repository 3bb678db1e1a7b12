# SPDX-License-Identifier: EUPL-1.2
"""What others send is merged only after a real worker has merged it: poison is held back, all other changes are
merged."""

import asyncio
import contextlib
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from app.core.enums import Role
from app.core.ids import ChangeId, DevId, ObjId, Uid, new_change
from app.documents import KIND as DOCUMENTS
from app.errors import WorkerUnavailable
from app.objects.pieces import PAYLOAD, Assembler, Whole
from app.rooms.projection import KIND as ROOM_KIND
from app.rooms.records import ObjectAnnounced, encode
from app.store import objects as object_rows
from app.store.projection import Projector
from app.store.rehearsal import Rehearsal
from app.store.store import Store
from app.tasks import KIND as BOARDS
from app.tasks.service import new_board
from app.worker.client import Worker
from sync.client.ports import MemberRow, OpenedChange
from sync.client.received import ReceivedSlice
from tests.app.poison import MORTAL, SEEDS, Writer, deep_update, fatal
from tests.office import BOARD_ID, COLUMNS, EK, HL, KEY, NAMES, ROOM
from tests.one_change import one_change as board_change
from tests.patience import PATIENCE_S
from tests.world import until

KINDS = {DOCUMENTS.id: DOCUMENTS, BOARDS.id: BOARDS}
ROOT = Path(__file__).parents[3]
NOTE = ObjId(b"n" * 16)
SLOW = "import time; from app.worker import serve; serve.Serving._try = lambda *_: time.sleep(60); serve.main()"
"""A worker that is too slow for whatever it is given."""


@dataclass
class Desk:
    """A store with a room in which a document and a board are announced, and a running worker."""

    path: Path
    store: Store
    n: int = 10
    worker: Worker = field(default_factory=Worker)

    async def receive(self, *payloads: tuple[ObjId, bytes], uid: Uid = EK) -> list[ChangeId]:
        """One slice of changes of a colleague."""
        opened = []
        for obj, data in payloads:
            self.n += 1
            dev = DevId(uid)
            opened.append(
                OpenedChange(n=self.n, t=self.n, uid=uid, dev=dev, obj=obj, change_id=new_change(), payload=data)
            )
        await self.store.receive_apart(ReceivedSlice(room=ROOM, cursor=self.n, state=b"", changes=opened))
        return [change.change_id for change in opened]

    def text(self, obj: ObjId = NOTE) -> str:
        """What a document says, merged in this process."""
        writer = Writer()
        document = type(writer.document)()
        document.merge(_updates(self.store, obj))
        return document.plain_text()

    def held(self, obj: ObjId) -> list[tuple[bytes, str]]:
        return [(q.change.change_id, q.why) for q in self.store.held_changes.quarantined(obj)]


def _updates(store: Store, obj: ObjId) -> Sequence[bytes]:
    return Assembler().feed(store.changes.of(obj))


def found_room(store: Store) -> None:
    """A room of three in which a document and a board are announced."""
    store.set_me(HL)
    members = [MemberRow(uid=u, role=Role.OWNER if u == HL else Role.WRITER, since_n=0, history=True) for u in NAMES]
    store.receive(ReceivedSlice(room=ROOM, cursor=0, state=b"", members=members))
    with store.db.transaction() as conn:
        object_rows.announce(conn, ROOM, NOTE, DOCUMENTS.id, 1, EK)
        object_rows.announce(conn, ROOM, BOARD_ID, BOARDS.id, 1, EK)


@asynccontextmanager
async def opened(
    path: Path, worker: Worker | None = None, kinds: Mapping[str, Projector] = KINDS
) -> AsyncIterator[Desk]:
    """The store of a path, made at first, with its trials running."""
    new = not await asyncio.to_thread(path.exists)
    make = Store.create if new else Store.open
    worker = worker or Worker()
    store = make(path, KEY, dict(kinds), None, worker)
    if new:
        found_room(store)
    running = asyncio.ensure_future(store.trials.run())
    try:
        yield Desk(path, store, 10 + len(store.changes.of(NOTE)) + 100 * (not new), worker)
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
        store.close()


@pytest_asyncio.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with opened(tmp_path / "store.db", mortal()) as made:
        yield made


def mortal() -> Worker:
    """A worker that dies of `fatal`."""
    return Worker([sys.executable, "-c", MORTAL])


async def test_attack_one_crash_after_the_other_makes_only_that_object_wait(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each crash delayed every document and board of every room by up to ten seconds."""
    writer, when_received = Writer(), list[ObjId]()
    passes = Rehearsal.passes

    def recorded(rehearsal: Rehearsal, obj: ObjId, *given: Any) -> bool:
        when_received.append(obj)
        return passes(rehearsal, obj, *given)

    monkeypatch.setattr(Rehearsal, "passes", recorded)
    await desk.receive((BOARD_ID, new_board("Uppgifter å", COLUMNS)), *((NOTE, data) for data in writer.take()))
    await desk.receive((BOARD_ID, board_change(fatal("cards"))))
    await until(lambda: desk.store.trials.untried == [])
    assert len(desk.held(BOARD_ID)) == 1
    when_received.clear()
    await desk.receive((BOARD_ID, board_change(fatal("labels"))))
    await desk.receive((NOTE, writer.types("Beslutet är fattat 🙂. ")))
    assert when_received == [NOTE], "the board's change is tried in the background"
    assert "Beslutet är fattat" in desk.text()
    await settled(desk, BOARD_ID)
    assert len(desk.held(BOARD_ID)) == 2


async def settled(desk: Desk, obj: ObjId) -> None:
    """Nothing of an object waits for a trial, and the trials know it."""
    await until(lambda: obj not in desk.store.trials.untried)


async def test_what_a_colleague_writes_is_merged_when_it_comes(desk: Desk) -> None:
    writer, seen = Writer(), list[int]()
    desk.store.changes.received.connect(lambda changes: seen.append(len(changes)))
    await desk.receive(*((NOTE, data) for data in writer.take()))
    await desk.receive((NOTE, writer.types("Yttrande åäö 🙂")))
    assert seen == [1, 1]
    assert "Yttrande åäö 🙂" in desk.text()
    assert desk.store.trials.is_sound(NOTE)


async def test_the_library_is_loaded_off_the_loop_before_the_first_merge(tmp_path: Path) -> None:
    """Its import takes 40 ms."""
    loaded: list[bool] = []
    assert DOCUMENTS.merging is not None
    merging = replace(
        DOCUMENTS.merging, load=lambda: loaded.append(threading.current_thread() is threading.main_thread())
    )
    kinds = KINDS | {DOCUMENTS.id: replace(DOCUMENTS, merging=merging)}
    async with opened(tmp_path / "store.db", kinds=kinds) as desk:
        writer = Writer()
        await desk.receive(*[(NOTE, data) for data in writer.take()])
        assert loaded
        assert not any(loaded)


@pytest.mark.parametrize("poison", [SEEDS, (deep_update("board"),)], ids=["two-updates", "nested"])
async def test_attack_what_breaks_the_grammar_is_void_and_reaches_no_native_code(
    desk: Desk, poison: Sequence[bytes]
) -> None:
    """Audit finding 1: the program died on receipt, and at each start after that."""
    (before,) = await desk.receive((BOARD_ID, new_board("Ärendets uppgifter", COLUMNS)))
    ids = await desk.receive(*((BOARD_ID, board_change(update)) for update in poison))
    await settled(desk, BOARD_ID)
    assert desk.held(BOARD_ID) == []
    void = desk.store.held_changes.void(ROOM)
    assert {code for _, code in void} == {"damaged-update"}
    assert ids[-1] in [change.change_id for change, _ in void]
    assert before in [change.change_id for change in desk.store.changes.of(BOARD_ID)]


async def test_attack_a_poisoned_board_ends_no_process_but_the_worker(desk: Desk) -> None:
    (before,) = await desk.receive((BOARD_ID, new_board("Ärendets uppgifter", COLUMNS)))
    ids = await desk.receive((BOARD_ID, board_change(fatal("cards"))))
    await settled(desk, BOARD_ID)
    assert desk.held(BOARD_ID) == [(ids[-1], "crash")]
    (held,) = desk.store.held_changes.quarantined(BOARD_ID)
    assert held.change.author == EK
    assert [c.change_id for c in desk.store.changes.of(BOARD_ID)] == [before]


async def test_attack_a_poisoned_document_lets_every_honest_change_be_merged(desk: Desk) -> None:
    writer = Writer()
    changes = [(NOTE, data) for data in writer.take()]
    changes += [(NOTE, writer.types("Före. "))]
    poison = _document(fatal("meta"))
    await desk.receive(*changes, (NOTE, poison), (NOTE, writer.types("Efter åäö 🙂.")))
    await settled(desk, NOTE)
    await desk.receive((NOTE, writer.types(" Sist.")))
    await settled(desk, NOTE)
    assert desk.text() == writer.document.plain_text()
    assert [why for _, why in desk.held(NOTE)] == ["crash"]


async def test_nothing_is_made_of_an_object_of_which_a_change_is_held_back(desk: Desk) -> None:
    writer = Writer()
    await desk.receive(*((NOTE, data) for data in writer.take()))
    assert desk.store.is_sound(NOTE)
    await desk.receive((NOTE, _document(fatal("meta"))))
    await settled(desk, NOTE)
    assert not desk.store.is_sound(NOTE)
    assert desk.store.changes.append(ROOM, NOTE, writer.types("Jag skriver vidare."))  # ▲ but it can be written in


async def test_a_held_change_is_tried_again_at_the_next_start_and_merged_if_it_passes(tmp_path: Path) -> None:
    path, writer = tmp_path / "store.db", Writer()
    first = [(NOTE, data) for data in writer.take()]
    late = writer.types("Kom fram till slut å.")
    slow = Worker([sys.executable, "-c", SLOW], answer_s=0.2)
    async with opened(path, slow) as desk:
        desk.n += 1
        opened_ = [
            OpenedChange(
                n=desk.n, t=1, uid=EK, dev=DevId(EK), obj=NOTE, change_id=new_change(), payload=data, place=place
            )
            for place, (_, data) in enumerate([*first, (NOTE, late)])
        ]
        await desk.store.receive_apart(ReceivedSlice(room=ROOM, cursor=desk.n, state=b"", changes=opened_))
        await until(lambda: len(desk.held(NOTE)) == 2)
    async with opened(path) as desk:  # a faster machine
        await until(lambda: desk.held(NOTE) == [])
        assert "Kom fram till slut å." in desk.text()
        assert desk.store.trials.is_sound(NOTE)


async def test_attack_a_held_change_is_held_at_the_next_start_too(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    async with opened(path, mortal()) as desk:
        ids = await desk.receive((BOARD_ID, board_change(fatal("cards"))))
        await settled(desk, BOARD_ID)
    for _ in range(2):
        async with opened(path, mortal()) as desk:
            assert desk.held(BOARD_ID) == [(ids[-1], "crash")]
            await desk.receive((BOARD_ID, new_board("Ärendets uppgifter", COLUMNS)))
            await settled(desk, BOARD_ID)


async def test_while_the_worker_cannot_be_started_what_came_is_kept_and_not_merged(tmp_path: Path) -> None:
    path, writer = tmp_path / "store.db", Writer()
    async with opened(path, Worker([str(tmp_path / "nothing")])) as desk:
        await desk.receive(*((NOTE, data) for data in writer.take()))
        assert desk.store.changes.of(NOTE) == []
        assert desk.store.trials.waiting(NOTE) == 1
        with pytest.raises(WorkerUnavailable):
            await desk.store.trials._apart(desk.store.trials._rehearsal.passes, NOTE, DOCUMENTS, [])  # type: ignore[union-attr]
    async with opened(path) as desk:
        await settled(desk, NOTE)
        assert len(desk.store.changes.of(NOTE)) == 1


async def test_attack_anothers_change_id_lets_nothing_pass_untried(desk: Desk) -> None:
    """Two people with one change id in one slice: the second one's is tried as well."""
    writer, shared = Writer(), new_change()
    (honest,) = writer.take()
    changes = [
        OpenedChange(n=11 + i, t=1, uid=uid, dev=DevId(uid), obj=NOTE, change_id=shared, payload=data)
        for i, (uid, data) in enumerate([(EK, honest), (Uid(b"\x02" + b"r" * 15), _document(fatal("meta")))])
    ]
    await desk.store.receive_apart(ReceivedSlice(room=ROOM, cursor=12, state=b"", changes=changes))
    await settled(desk, NOTE)
    assert [q.change.author for q in desk.store.held_changes.quarantined(NOTE)] == [Uid(b"\x02" + b"r" * 15)]
    assert len(desk.store.changes.of(NOTE)) == 1


async def test_changes_that_came_before_their_object_was_announced_are_tried_when_it_is(tmp_path: Path) -> None:
    obj, writer = ObjId(b"x" * 16), Writer()
    store = Store.create(tmp_path / "store.db", KEY, {**KINDS, ROOM_KIND.id: ROOM_KIND}, None, mortal())
    found_room(store)
    running = asyncio.ensure_future(store.trials.run())
    desk = Desk(tmp_path, store)
    (data,) = writer.take()
    await desk.receive((obj, _document(fatal("meta"))), (obj, data))
    announced = encode(ObjectAnnounced(obj=obj, kind=DOCUMENTS.id))
    await desk.receive((ObjId(ROOM), announced))
    await until(lambda: len(desk.held(obj)) == 1 and len(store.changes.of(obj)) == 1)
    running.cancel()
    store.close()


@pytest.mark.parametrize("late", [1, 3])
async def test_what_comes_while_earlier_changes_are_tried_is_tried_after_them(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, late: int
) -> None:
    """A new member's document stopped in the middle of a sentence until the next start."""
    writer, trying, go_on = Writer(), threading.Event(), threading.Event()
    passes, one_by_one = Rehearsal.passes, Rehearsal.one_by_one

    def in_doubt(self: Rehearsal, *given: Any) -> bool:
        monkeypatch.setattr(Rehearsal, "passes", passes)
        return False

    def slowly(self: Rehearsal, *given: Any) -> Any:
        trying.set()
        go_on.wait(PATIENCE_S)
        return one_by_one(self, *given)

    monkeypatch.setattr(Rehearsal, "passes", in_doubt)
    monkeypatch.setattr(Rehearsal, "one_by_one", slowly)
    await desk.receive(*((NOTE, data) for data in writer.take()), (NOTE, writer.types("Tillsyn")))
    await until(trying.is_set)
    for n in range(late):
        await desk.receive((NOTE, writer.types(f" å {n} 🙂")))
    go_on.set()
    await until(lambda: desk.store.trials.untried == [])
    assert desk.text() == "Tillsyn" + "".join(f" å {n} 🙂" for n in range(late))
    assert desk.store.trials.is_sound(NOTE)


# -- an end of this program -------------------------------------------------------------------------------------------


def run_reader(how: str, path: Path, *payloads: bytes) -> int:
    """A program takes changes in, and dies of them or not; its exit status (see dying_reader.py)."""
    command = [sys.executable, "-m", "tests.app.store.dying_reader", how, str(path), NOTE.hex()]
    given = "\n".join(payload.hex() for payload in payloads)
    return subprocess.run(command, cwd=ROOT, input=given, text=True, capture_output=True, check=False).returncode


@pytest.mark.slow
async def test_attack_a_store_that_holds_the_poison_already_opens_and_only_the_poison_is_held(tmp_path: Path) -> None:
    path, writer = tmp_path / "store.db", Writer()
    async with opened(path):
        pass
    honest = [*writer.take(), writer.types("Före å. ")]
    assert run_reader("untried", path, *honest) == 0
    poison = _document(fatal("meta"))
    after = writer.types("Efter 🙂.")
    _store_unseen(path, [poison, after])
    assert run_reader("untried", path) == -9
    async with opened(path, mortal()) as desk:
        await settled(desk, NOTE)
        assert desk.text() == writer.document.plain_text()
        assert [(q.why, q.change.data) for q in desk.store.held_changes.quarantined(NOTE)] == [("crash", poison)]


def _store_unseen(path: Path, payloads: Sequence[bytes]) -> None:
    """As a program of before had stored them: marked by nobody."""
    store = Store.open(path, KEY, KINDS)
    with store.transaction():
        for n, data in enumerate(payloads, start=2000):
            row = (ROOM, NOTE, new_change(), EK, EK, n, n, data)
            store.db.conn.execute(
                "INSERT INTO changes (room, obj, change_id, author, dev, t, n, data) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                row,
            )
        store.db.conn.execute("UPDATE objects SET last = (SELECT max(row) FROM changes), projected = last")
        store.db.conn.execute("UPDATE objects SET projected = last")
    store.close()


@pytest.mark.slow
async def test_attack_what_only_the_program_dies_of_is_held_after_three_ends(tmp_path: Path) -> None:
    """The worker is not the program: another stack, another library. It must not die at each start for that."""
    path, writer = tmp_path / "store.db", Writer()
    async with opened(path):
        pass
    honest = [*writer.take(), writer.types("Före å. ")]
    fatal = writer.types("Här tar det slut. ")
    after = writer.types("Efter 🙂.")
    assert run_reader("tried", path, *honest, fatal, after) == -9
    assert run_reader("tried", path) == -9
    assert run_reader("tried", path) == -9
    assert run_reader("tried", path) == 0
    async with opened(path) as desk:
        assert [(q.why, q.change.data) for q in desk.store.held_changes.quarantined(NOTE)] == [("program", fatal)]
        assert "Före å." in desk.text()
        assert not desk.store.trials.is_sound(NOTE)


def _document(update: bytes) -> bytes:
    return PAYLOAD.encode(Whole(update=update))
