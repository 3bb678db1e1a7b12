# SPDX-License-Identifier: EUPL-1.2
"""A change that an administrator had left out: the same object at everybody, in whatever slices it came."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from app.chat import KIND as CHAT
from app.core.enums import Role
from app.core.ids import ChangeId, DevId, ObjId, Uid
from app.documents import KIND as DOCUMENTS
from app.objects.pieces import Assembler
from app.richtext.model import Document
from app.rooms.projection import KIND as ROOM_KIND
from app.rooms.records import ChangeLeftOut, ObjectAnnounced, ObjectRetired, Record, encode
from app.store import statements as sql
from app.store.author_roles import author_role
from app.store.connection import Connection
from app.store.left_out import LEAVE_OUT, role_at
from app.store.store import Store
from sync.client.placed_changes import Compacted
from sync.client.ports import OpenedChange, RoomEvent
from sync.client.received import ReceivedSlice
from tests.app.poison import Writer
from tests.app.store.test_judged import marks, take
from tests.app.store.test_trials import opened
from tests.office import EK, HL, KEY, RG, ROOM
from tests.world import until

KINDS = {DOCUMENTS.id: DOCUMENTS, ROOM_KIND.id: ROOM_KIND}
NOTE = ObjId(b"n" * 16)
ROOT = ObjId(ROOM)
EVENTS = [
    RoomEvent(n=1, t=1, kind="genesis", by=HL),
    RoomEvent(n=2, t=2, kind="add", by=HL, subject=EK, role=Role.WRITER, history=True),
    RoomEvent(n=3, t=3, kind="add", by=HL, subject=RG, role=Role.ADMIN, history=True),
]


def change(n: int, by: Uid, obj: ObjId, data: bytes) -> OpenedChange:
    return OpenedChange(
        n=n, t=n, uid=by, dev=DevId(by), obj=obj, change_id=ChangeId(n.to_bytes(16, "big")), payload=data
    )


def record(n: int, by: Uid, left_out: OpenedChange) -> OpenedChange:
    emitted = ChangeLeftOut(obj=NOTE, author=left_out.uid, change=left_out.change_id)
    return change(n, by, ROOT, encode(emitted))


class Room:
    """The items of one room in their order: three edits of two people, and what is given besides."""

    def __init__(self) -> None:
        writer = Writer()
        (first,) = writer.take()
        self.edits = [
            change(5, HL, NOTE, first),
            change(6, HL, NOTE, writer.types("Ett å. ")),
            change(7, EK, NOTE, writer.types("Två 🙂. ")),
            change(8, HL, NOTE, writer.types("Tre. ")),
        ]
        self.announced = change(4, HL, ROOT, encode(ObjectAnnounced(obj=NOTE, kind=DOCUMENTS.id)))


@pytest.fixture
def room() -> Room:
    return Room()


def take_in(path: Path, slices: Sequence[Sequence[OpenedChange]], events: Sequence[RoomEvent] = EVENTS) -> Store:
    store = Store.create(path, KEY, KINDS)
    store.set_me(EK)
    store.receive(ReceivedSlice(room=ROOM, cursor=3, state=b"", events=events))
    for part in slices:
        store.receive(ReceivedSlice(room=ROOM, cursor=part[-1].n, state=b"", changes=part))
    return store


def test_attack_nobody_puts_a_rooms_chat_away(tmp_path: Path) -> None:
    """The chat disappeared for everybody, no view could bring it back, and another one took its place."""
    chat, false = ObjId(b"c" * 16), ObjId(b"f" * 16)
    kinds = {CHAT.id: CHAT, ROOM_KIND.id: ROOM_KIND}
    store = Store.create(tmp_path / "store.db", KEY, kinds)
    store.set_me(EK)
    emitted: list[tuple[Uid, Record]] = [
        (EK, ObjectRetired(obj=chat, on=True)),
        (HL, ObjectAnnounced(obj=chat, kind=CHAT.id)),
        (EK, ObjectAnnounced(obj=false, kind=CHAT.id)),
        (EK, ObjectRetired(obj=chat, on=True)),
    ]
    for n, (by, shown) in enumerate(emitted, start=4):
        store.receive(ReceivedSlice(room=ROOM, cursor=n, state=b"", changes=[change(n, by, ROOT, encode(shown))]))
    first = store.objects.first(ROOM, CHAT.id)
    store.close()
    assert first is not None
    assert first.obj == chat


def text(store: Store) -> str:
    document = Document()
    document.merge(Assembler().feed(store.changes.of(NOTE)))
    return document.plain_text()


def state(store: Store, until: int) -> Compacted:
    """The state of the document up to a position."""
    compact = store.compactor(NOTE)
    assert compact is not None
    found = compact(store.snapshots.positioned(NOTE, 0, until), until)
    assert found is not None
    return found


def state_text(store: Store, until: int) -> str:
    document = Document()
    document.merge(Assembler().feed_data([(HL, data) for data in state(store, until).changes]))
    return document.plain_text()


def test_a_change_is_left_out_from_the_records_position_on_at_everybody(tmp_path: Path, room: Room) -> None:
    emitted = record(9, RG, room.edits[3])
    orders = [
        [[room.announced, *room.edits, emitted]],
        [[room.announced], room.edits[:3], [emitted], room.edits[3:]],  # its content came late
        [[emitted], [room.announced], room.edits],
    ]
    stores = [take_in(tmp_path / f"{i}.db", slices) for i, slices in enumerate(orders)]
    assert [text(store) for store in stores] == ["Ett å. Två 🙂. \n"[:-1]] * 3
    assert len({state(store, 9).digest for store in stores}) == 1
    assert len({state(store, 8).digest for store in stores}) == 1
    for store in stores:
        assert [(gone.author, gone.n) for gone in store.left_out.of(NOTE)] == [(HL, 9)]
        assert [(e.by, e.subject) for e in store.rooms_list.events(ROOM) if e.kind == "leave-out"] == [(RG, HL)]
        store.close()


def test_a_state_has_what_a_later_record_leaves_out_and_not_what_an_earlier_one_does(
    tmp_path: Path, room: Room
) -> None:
    edits = [replace(edit, uid=EK, dev=DevId(EK)) for edit in room.edits]
    store = take_in(tmp_path / "s.db", [[room.announced, *edits, record(9, RG, edits[3])]])
    assert ["Tre." in state_text(store, until) for until in (8, 9)] == [True, False]
    store.close()


async def test_what_builds_on_it_waits_although_the_program_ended_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: Room
) -> None:
    """The judge's stored state still counted the change: what builds on it stayed merged here, and waited at others."""
    edits = [replace(edit, uid=EK, dev=DevId(EK)) for edit in room.edits]
    emitted = record(9, RG, edits[1])
    async with opened(tmp_path / "s.db", kinds=KINDS) as desk:
        for event in EVENTS:
            desk.store.receive(ReceivedSlice(room=ROOM, cursor=event.n, state=b"", events=[event]))
        for changes in ([room.announced], edits):
            await take(desk, *changes)
        assert marks(desk.store) == []
        desk.store.judges.close()
        monkeypatch.setattr(desk.store.judges, "again", lambda *_: asyncio.Event().wait())  # it ends before that
        await desk.store.receive_apart(ReceivedSlice(room=ROOM, cursor=9, state=b"", changes=[emitted]))
        assert marks(desk.store) == [(6, sql.LEFT_OUT_CHANGE)]
    async with opened(tmp_path / "s.db", kinds=KINDS) as desk:
        await until(lambda: marks(desk.store) == [(6, sql.LEFT_OUT_CHANGE), (7, "late"), (8, "late")])


def test_attack_each_of_two_records_in_one_envelope_has_its_line(tmp_path: Path, room: Room) -> None:
    emitted = [
        record(9, RG, room.edits[2]),
        replace(record(9, RG, room.edits[3]), place=1, change_id=ChangeId(b"2" * 16)),
    ]
    store = take_in(tmp_path / "s.db", [[room.announced, *room.edits, *emitted]])
    assert {gone.author for gone in store.left_out.of(NOTE)} == {EK, HL}
    lines = [(e.n, e.by, e.subject) for e in store.rooms_list.events(ROOM) if e.kind == "leave-out"]
    assert lines == [(9, RG, EK), (9, RG, HL)]
    assert text(store) == "Ett å. \n"[:-1]
    store.close()


def test_attack_of_two_records_for_one_change_the_earlier_counts_in_whatever_order_they_come(
    tmp_path: Path, room: Room
) -> None:
    """A key that was received late made a device keep the later record: its states differed from those of all other
    members."""
    first, second = record(9, RG, room.edits[3]), record(10, HL, room.edits[3])
    orders = [[[first], [second]], [[second], [first]]]
    stores = [
        take_in(tmp_path / f"{i}.db", [[room.announced, *room.edits], *slices]) for i, slices in enumerate(orders)
    ]
    assert [[gone.n for gone in store.left_out.of(NOTE)] for store in stores] == [[9], [9]]
    assert len({state(store, 9).digest for store in stores}) == 1
    for store in stores:
        store.close()


@pytest.mark.parametrize("by", [EK, Uid(b"\x07" * 16)], ids=["writer", "stranger"])
def test_attack_who_is_no_administrator_leaves_nothing_out(tmp_path: Path, room: Room, by: Uid) -> None:
    store = take_in(tmp_path / "s.db", [[room.announced, *room.edits, record(9, by, room.edits[3])]])
    assert "Tre." in text(store)
    assert store.left_out.of(NOTE) == []
    store.close()


def test_attack_who_was_an_administrator_before_leaves_nothing_out(tmp_path: Path, room: Room) -> None:
    lowered = [*EVENTS, RoomEvent(n=9, t=9, kind="role", by=HL, subject=RG, role=Role.WRITER)]
    after = take_in(tmp_path / "a.db", [[room.announced, *room.edits, record(10, RG, room.edits[3])]], lowered)
    assert "Tre." in text(after)
    after.close()
    raised = [*EVENTS, RoomEvent(n=11, t=11, kind="role", by=HL, subject=RG, role=Role.WRITER)]
    before = take_in(tmp_path / "b.db", [[room.announced, *room.edits, record(10, RG, room.edits[3])]], raised)
    assert "Tre." not in text(before)
    before.close()


def test_an_heir_leaves_changes_out_from_the_position_that_promoted_them(tmp_path: Path, room: Room) -> None:
    """The last owner's account ended at position 9; no entry names who became owner by that."""
    inherited = [*EVENTS, RoomEvent(n=9, t=9, kind="heir", by=EK, subject=EK, role=Role.OWNER)]
    later = take_in(tmp_path / "a.db", [[room.announced, *room.edits, record(10, EK, room.edits[3])]], inherited)
    assert "Tre." not in text(later)
    assert (later.promoted_at(ROOM, EK), later.entry_time(ROOM, 9)) == (9, None)
    later.close()
    inherited[-1] = replace(inherited[-1], n=11)
    before = take_in(tmp_path / "b.db", [[room.announced, *room.edits, record(10, EK, room.edits[3])]], inherited)
    assert "Tre." in text(before)
    before.close()


def test_what_was_pruned_before_is_not_left_out(tmp_path: Path, room: Room) -> None:
    """Only states hold it: some could take it out and others could not."""
    pruned = [*EVENTS, RoomEvent(n=9, t=9, kind="prune", by=HL, obj=NOTE, until=8)]
    store = take_in(tmp_path / "s.db", [[room.announced, *room.edits, record(10, RG, room.edits[3])]], pruned)
    assert "Tre." in text(store)
    store.close()


def test_attack_another_persons_change_of_that_id_stays(tmp_path: Path, room: Room) -> None:
    emitted = ChangeLeftOut(obj=NOTE, author=EK, change=room.edits[3].change_id)
    store = take_in(tmp_path / "s.db", [[room.announced, *room.edits, change(9, RG, ROOT, encode(emitted))]])
    assert "Tre." in text(store)
    store.close()


def test_a_state_that_holds_what_was_left_out_is_built_on_no_more(tmp_path: Path, room: Room) -> None:
    store = take_in(tmp_path / "s.db", [[room.announced, *room.edits]])
    compact = store.compactor(NOTE)
    assert compact is not None
    state = compact(store.snapshots.positioned(NOTE, 0, 8), 8)
    assert state is not None
    store.put_base(ROOM, NOTE, 8, state)
    store.receive(ReceivedSlice(room=ROOM, cursor=9, state=b"", changes=[record(9, RG, room.edits[3])]))
    assert store.base(NOTE) is None
    store.close()


def test_what_one_wrote_oneself_counts_when_it_has_its_position(tmp_path: Path, room: Room) -> None:
    store = take_in(tmp_path / "s.db", [[room.announced, *room.edits]])
    with store.transaction():
        store.db.conn.execute("UPDATE meta SET value = ? WHERE name = 'me'", (RG,))
    store.close()
    store = Store.open(tmp_path / "s.db", KEY, KINDS)
    emitted = encode(ChangeLeftOut(obj=NOTE, author=HL, change=room.edits[3].change_id))
    which = store.changes.append(ROOM, ROOT, emitted)
    assert "Tre." in text(store)
    echo = OpenedChange(n=9, t=9, uid=RG, dev=DevId(RG), obj=ROOT, change_id=which, payload=emitted)
    taken = list[ObjId]()
    store.changes.taken_back.connect(taken.append)
    store.receive(ReceivedSlice(room=ROOM, cursor=9, state=b"", changes=[echo]))
    assert "Tre." not in text(store)
    assert taken == [NOTE]
    store.close()


def test_in_a_store_without_a_worker_what_came_before_an_own_announcement_is_shown(tmp_path: Path, room: Room) -> None:
    """It was kept for a trial that nothing made."""
    store = take_in(tmp_path / "s.db", [room.edits])
    store.changes.append(ROOM, ROOT, encode(ObjectAnnounced(obj=NOTE, kind=DOCUMENTS.id)))
    assert "Tre." in text(store)
    store.close()


def test_attack_the_lines_of_20_000_left_out_changes_slow_no_look_at_a_role_down(tmp_path: Path, room: Room) -> None:
    """▲ Each record, and each message of the person whose changes they are, would walk through all of them."""
    store = take_in(tmp_path / "store.db", [[room.announced, *room.edits]])
    with store.transaction() as conn:
        lines = [(ROOM, n, n, LEAVE_OUT, RG, HL, NOTE, 0) for n in range(100, 20_100)]
        sql_of_line = "INSERT INTO events (room, n, t, kind, by, subject, obj, place) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
        conn.executemany(sql_of_line, lines)

    def steps(work: Callable[[Connection], object]) -> int:
        """How many hundreds of the database's steps it takes."""
        taken: list[None] = []
        store.db.conn.set_progress_handler(lambda: taken.append(None), 100)
        work(store.db.conn)
        store.db.conn.set_progress_handler(None, 100)
        return len(taken)

    asked: tuple[Callable[[Connection], object], ...] = (
        lambda conn: author_role(conn, ROOM, HL, 20_100),
        lambda conn: author_role(conn, ROOM, RG, 20_100),
        lambda conn: role_at(conn, ROOM, HL, 20_100),
        lambda conn: role_at(conn, ROOM, RG, 20_100),
        lambda conn: conn.execute(sql.ADD_JOIN, (ROOM, HL, 20_100, 1)),
    )
    assert [steps(work) < 5 for work in asked] == [True] * len(asked)
    conn = store.db.conn
    assert (author_role(conn, ROOM, RG, 20_100), role_at(conn, ROOM, RG, 20_100)) == (Role.ADMIN, Role.ADMIN)
    assert (author_role(conn, ROOM, HL, 20_100), role_at(conn, ROOM, HL, 20_100)) == (Role.OWNER, Role.OWNER)
    store.close()
