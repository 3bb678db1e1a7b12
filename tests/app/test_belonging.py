# SPDX-License-Identifier: EUPL-1.2
"""Which rooms belong to which: judged at the records' positions, and the same at everybody in whatever order they
come."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.enums import Role
from app.core.ids import ChangeId, DevId, ObjId, RoomId, Uid, new_change
from app.errors import BadChange
from app.rooms import belonging, nesting
from app.rooms.nesting import Nesting
from app.rooms.projection import KIND
from app.rooms.records import ChildLinked, ParentLinked, PersonInvited, Record, RoomNamed, decode, encode
from app.rooms.service import RoomService
from app.store.store import Store
from sync.client.engine import Engine
from sync.client.ports import MemberRow, OpenedChange, RoomEvent
from sync.client.received import OpenedContent, ReceivedSlice
from tests.office import EK, HL, KEY, RG
from tests.patience import PATIENCE_S
from tests.world import until

CASE, INNER, OTHER = RoomId(b"c" * 16), RoomId(b"i" * 16), RoomId(b"o" * 16)
ROOMS = (CASE, INNER, OTHER)
STRANGE = RoomId(b"s" * 16)


def events_of(room: RoomId) -> list[RoomEvent]:
    """HL founded each room, EK is an administrator, RG a writer."""
    return [
        RoomEvent(n=1, t=1, kind="genesis", by=HL),
        RoomEvent(n=2, t=2, kind="add", by=HL, subject=EK, role=Role.ADMIN, history=True),
        RoomEvent(n=3, t=3, kind="add", by=HL, subject=RG, role=Role.WRITER, history=True),
    ]


def made(path: Path, uid: Uid = HL, rooms: Sequence[RoomId] = ROOMS) -> Store:
    store = Store.create(path, KEY, {KIND.id: KIND})
    store.set_me(uid)
    roles = ((HL, Role.OWNER), (EK, Role.ADMIN), (RG, Role.WRITER))
    members = [MemberRow(uid=u, role=role, since_n=n, history=True) for n, (u, role) in enumerate(roles, start=1)]
    for room in rooms:
        store.receive(ReceivedSlice(room=room, cursor=3, state=b"", events=events_of(room), members=members))
        receive(store, room, 4, HL, RoomNamed(title="Tillsyn å 🙂", type="case"))
    return store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = made(tmp_path / "store.db")
    yield opened
    opened.close()


def change(room: RoomId, n: int, by: Uid, record: Record, change_id: ChangeId | None = None) -> OpenedChange:
    ident = change_id or new_change()
    return OpenedChange(n=n, t=n, uid=by, dev=DevId(by), obj=ObjId(room), change_id=ident, payload=encode(record))


def receive(store: Store, room: RoomId, n: int, by: Uid, record: Record, change_id: ChangeId | None = None) -> None:
    changes = [change(room, n, by, record, change_id)]
    store.receive(ReceivedSlice(room=room, cursor=n, state=b"", changes=changes))


def event(store: Store, room: RoomId, told: RoomEvent) -> None:
    store.receive(ReceivedSlice(room=room, cursor=told.n, state=b"", events=[told]))


def link(store: Store, parent: RoomId = CASE, child: RoomId = INNER, *, n: int = 10) -> None:
    receive(store, parent, n, EK, ChildLinked(room=child, on=True))
    receive(store, child, n, HL, ParentLinked(room=parent))


def test_records_are_read_again_as_they_were_written() -> None:
    for record in (
        ChildLinked(room=INNER, on=True),
        ChildLinked(room=INNER, on=False, again=True),
        ParentLinked(),
        ParentLinked(room=CASE, again=True),
        PersonInvited(uid=EK, title="Tillsyn", type="case", text="", parent=CASE),
    ):
        assert decode(encode(record)) == record
    assert encode(ChildLinked(room=INNER, on=True)) == (
        b"\x01\x83\xa2is\xa5child\xa4room\xc4\x10" + INNER + b"\xa2on\xc3"
    )  # the id alone
    for wrong in (ChildLinked(room=b"short", on=True), ParentLinked(room=b"x" * 17)):
        with pytest.raises(BadChange):
            decode(encode(wrong))


def test_a_link_counts_once_both_rooms_have_its_record(store: Store) -> None:
    receive(store, CASE, 10, EK, ChildLinked(room=INNER, on=True))
    assert belonging.parents(store.db) == {}
    receive(store, INNER, 10, HL, ParentLinked(room=CASE))
    assert belonging.parents(store.db) == {INNER: CASE}


def test_attack_the_first_of_many_changes_are_judged_by_the_roles_of_their_own_slice(store: Store) -> None:
    """Otherwise an administrator who is about to be lowered could link rooms by a batch so long that it is stored in
    parts, for those members alone who receive both at once."""
    roles = [
        RoomEvent(n=9, t=9, kind="role", by=HL, subject=EK, role=Role.WRITER),
        RoomEvent(n=10, t=10, kind="role", by=HL, subject=RG, role=Role.ADMIN),
    ]
    changes = [
        change(CASE, 11, EK, ChildLinked(room=INNER, on=True)),
        change(CASE, 12, RG, ChildLinked(room=OTHER, on=True)),
    ]
    store.receive(OpenedContent(room=CASE, more=True, changes=changes, events=roles))
    store.receive(ReceivedSlice(room=CASE, cursor=12, state=b"", events=roles))
    for room in (INNER, OTHER):
        receive(store, room, 10, HL, ParentLinked(room=CASE))
    assert belonging.parents(store.db) == {OTHER: CASE}


def test_either_side_ends_a_link_and_makes_it_count_again(store: Store) -> None:
    link(store)
    for n, room, by, off, on in (
        (20, CASE, EK, ChildLinked(room=INNER, on=False), ChildLinked(room=INNER, on=True)),
        (30, INNER, HL, ParentLinked(), ParentLinked(room=CASE)),
    ):
        receive(store, room, n, by, off)
        assert belonging.parents(store.db) == {}
        receive(store, room, n + 1, by, on)
        assert belonging.parents(store.db) == {INNER: CASE}


def test_attack_a_writer_of_the_parent_and_an_administrator_of_the_child_link_nothing(store: Store) -> None:
    receive(store, CASE, 10, RG, ChildLinked(room=INNER, on=True))
    receive(store, INNER, 10, HL, ParentLinked(room=CASE))
    assert belonging.parents(store.db) == {}
    receive(store, CASE, 11, EK, ChildLinked(room=INNER, on=True))
    receive(store, INNER, 11, EK, ParentLinked(room=OTHER))
    assert belonging.parents(store.db) == {INNER: CASE}
    receive(store, CASE, 12, RG, ChildLinked(room=INNER, on=False))
    receive(store, INNER, 12, EK, ParentLinked())
    assert belonging.parents(store.db) == {INNER: CASE}


def test_the_author_of_a_link_is_judged_at_the_records_position(store: Store) -> None:
    event(store, CASE, RoomEvent(n=20, t=20, kind="role", by=HL, subject=EK, role=Role.WRITER))
    event(store, INNER, RoomEvent(n=20, t=20, kind="role", by=HL, subject=RG, role=Role.OWNER))
    receive(store, CASE, 21, EK, ChildLinked(room=OTHER, on=True))  # no administrator any more
    receive(store, OTHER, 21, HL, ParentLinked(room=CASE))
    receive(store, INNER, 21, RG, ParentLinked(room=CASE))  # an owner by now
    receive(store, CASE, 10, EK, ChildLinked(room=INNER, on=True))  # an administrator then
    assert belonging.parents(store.db) == {INNER: CASE}


def test_an_own_record_counts_at_once_and_by_its_position_later(store: Store) -> None:
    ids = [
        store.changes.append(CASE, ObjId(CASE), encode(ChildLinked(room=INNER, on=True))),
        store.changes.append(INNER, ObjId(INNER), encode(ParentLinked(room=CASE))),
    ]
    assert belonging.parents(store.db) == {INNER: CASE}
    receive(store, INNER, 12, HL, ParentLinked(room=OTHER))
    assert belonging.parents(store.db) == {INNER: CASE}  # what waits is the newest
    receive(store, INNER, 11, HL, ParentLinked(room=CASE), ids[1])
    assert belonging.named_parent(store.db, INNER) == OTHER


def test_attack_a_child_that_claims_a_foreign_parent_belongs_to_none_and_its_own_children_are_rooms_of_their_own(
    store: Store,
) -> None:
    link(store)
    receive(store, CASE, 20, HL, ParentLinked(room=STRANGE))
    assert belonging.parents(store.db) == {}
    receive(store, CASE, 21, HL, ParentLinked())
    assert belonging.parents(store.db) == {INNER: CASE}


def test_attack_rooms_that_belong_to_each_other_belong_to_none(store: Store) -> None:
    link(store, CASE, INNER)
    link(store, INNER, CASE, n=20)
    assert belonging.parents(store.db) == {}


def test_attack_a_chain_has_one_level(store: Store) -> None:
    link(store, CASE, INNER)
    link(store, INNER, OTHER, n=20)
    assert belonging.parents(store.db) == {INNER: CASE}


def test_of_two_parents_the_one_that_was_named_last_counts(store: Store) -> None:
    link(store, OTHER, INNER, n=12)
    link(store, CASE, INNER, n=11)
    assert belonging.parents(store.db) == {INNER: OTHER}


def test_attack_a_room_that_names_itself_is_kept_and_counts_nowhere(store: Store) -> None:
    receive(store, CASE, 10, HL, ParentLinked(room=CASE))
    receive(store, CASE, 11, HL, ChildLinked(room=CASE, on=True))
    assert [code for _, code in store.changes.unprojected(CASE)] == ["bad-record"] * 2
    assert belonging.all_named(store.db) == {}


def test_a_repeated_record_counts_only_where_no_other_is(store: Store) -> None:
    link(store)
    receive(store, INNER, 20, HL, ParentLinked())
    receive(store, INNER, 21, HL, ParentLinked(room=CASE, again=True))  # its author had not read the one before
    assert belonging.parents(store.db) == {}
    receive(store, OTHER, 10, HL, ParentLinked(room=CASE, again=True))  # a member who cannot read the first
    receive(store, CASE, 11, EK, ChildLinked(room=OTHER, on=True, again=True))
    assert belonging.parents(store.db) == {OTHER: CASE}
    receive(store, CASE, 12, EK, ChildLinked(room=OTHER, on=False))
    receive(store, CASE, 13, HL, ChildLinked(room=OTHER, on=True, again=True))  # its author had not read the one before
    assert belonging.parents(store.db) == {}


def test_attack_100_000_links_hold_nothing_up(store: Store) -> None:
    link(store)
    with store.transaction() as conn:
        for n in range(100_000):
            values = (1_000_000 + n, CASE, 0, n.to_bytes(16, "big"), 1, 0, n << 20, EK)
            conn.execute("INSERT INTO room_links VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values)
            conn.execute("INSERT INTO room_linked VALUES (?, 0, ?)", (CASE, n.to_bytes(16, "big")))

    def steps(work: Callable[[], object]) -> int:
        """How many hundreds of the database's steps it takes."""
        taken: list[None] = []
        store.db.conn.set_progress_handler(lambda: taken.append(None), 100)
        work()
        store.db.conn.set_progress_handler(None, 100)
        return len(taken)

    reading: tuple[Callable[[], object], ...] = (
        lambda: belonging.parents(store.db),
        lambda: belonging.named_parent(store.db, INNER),
        lambda: belonging.counting_record(store.db, CASE, INNER),
        lambda: belonging.newest(store.db, CASE, INNER),
        lambda: belonging.names_child(store.db, CASE, INNER),
    )
    assert [steps(work) < 5 for work in reading] == [True] * len(reading)
    assert belonging.parents(store.db) == {INNER: CASE}


# -- the same at everybody ---------------------------------------------------------------------------------------------

Shown = dict[RoomId, RoomId]
PEOPLE = (HL, EK, RG)


@dataclass(slots=True)
class Server:
    """Gives the records of each room their positions, and each desk what it has not had."""

    logs: dict[RoomId, list[OpenedChange]] = field(default_factory=lambda: {room: [] for room in ROOMS})
    had: dict[tuple[int, RoomId], int] = field(default_factory=dict)

    def sync(self, who: int, uid: Uid, store: Store, *, backwards: bool = False) -> None:
        have = {c.change_id for log in self.logs.values() for c in log}
        for row in store.pending(1000):
            if row.change_id not in have:
                log = self.logs[row.room]
                log.append(change(row.room, 10 + len(log), uid, decode(row.payload), row.change_id))
        for room, log in self.logs.items():
            new = log[self.had.get((who, room), 0) :]
            for each in reversed(new) if backwards else new:  # as while older history is read later
                store.receive(ReceivedSlice(room=room, cursor=log[-1].n, state=b"", changes=[each]))
            self.had[who, room] = len(log)


WHO, ROOM = st.integers(0, 2), st.integers(0, 2)
STEP = st.tuples(st.sampled_from(["child", "unchild", "parent", "none", "again", "sync", "sync"]), WHO, ROOM, ROOM)


@settings(max_examples=25, deadline=None)
@given(steps=st.lists(STEP, min_size=5, max_size=40))
def test_links_recorded_in_any_order_offline_and_online_are_the_same_for_everybody(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int, int, int]]
) -> None:
    folder = tmp_path_factory.mktemp("links")
    with ExitStack() as stack:
        desks = [made(folder / f"{who}.db", uid) for who, uid in enumerate(PEOPLE)]
        late = made(folder / "late.db")
        for each in (*desks, late):
            stack.callback(each.close)
        server = Server()
        for what, who, at, other in steps:
            room, named = ROOMS[at], ROOMS[other]
            if what == "sync":
                server.sync(who, PEOPLE[who], desks[who], backwards=other == 0)
            elif room != named or what == "none":
                records: dict[str, Record] = {
                    "child": ChildLinked(room=named, on=True),
                    "unchild": ChildLinked(room=named, on=False),
                    "parent": ParentLinked(room=named),
                    "none": ParentLinked(),
                    "again": ParentLinked(room=named, again=True),
                }
                desks[who].changes.append(room, ObjId(room), encode(records[what]))
        for _ in range(2):
            for who, uid in enumerate(PEOPLE):
                server.sync(who, uid, desks[who])
        server.sync(9, HL, late, backwards=True)
        everybodys = [belonging.parents(each.db) for each in (*desks, late)]
        assert everybodys == [expected(server)] * 4
        for each in (*desks, late):
            assert each.changes.unprojected() == []


def expected(server: Server) -> Shown:
    """The rule once more, from the logs alone."""
    named: Shown = {}
    children: set[tuple[RoomId, RoomId]] = set()
    for room, log in server.logs.items():
        records = [(c.uid, decode(c.payload)) for c in log]
        about = [r for uid, r in records if isinstance(r, ParentLinked) and uid == HL]
        counting = [r for r in about if not r.again] or about
        if counting and counting[-1].room is not None:
            named[room] = RoomId(counting[-1].room)
        for uid, record in records:
            if isinstance(record, ChildLinked) and uid in (HL, EK):
                pair = (room, RoomId(record.room))
                children = children | {pair} if record.on else children - {pair}
    return {c: p for c, p in named.items() if (p, c) in children and p not in named}


class _Engine:
    """An engine that notes which rooms it was asked about, and has none of them whole."""

    uid = HL

    def __init__(self) -> None:
        self.asked: list[RoomId] = []

    def is_whole(self, room: RoomId) -> bool:
        self.asked.append(room)
        return False


async def test_one_turn_of_the_loop_looks_at_one_link(store: Store) -> None:
    """A message in a case with many rooms within it has all of them looked at, 1 to 2 ms each."""
    for room in (INNER, OTHER):
        receive(store, room, 10, HL, ParentLinked(room=CASE))
    engine, counts = _Engine(), list[int]()
    nesting = Nesting(store, cast("Engine", engine), cast("RoomService", None))
    task = asyncio.create_task(nesting.run())
    nesting.on_status(online=True)
    async with asyncio.timeout(PATIENCE_S):
        while len(engine.asked) < 2:
            await asyncio.sleep(0)
            counts.append(len(engine.asked))
    task.cancel()
    nesting.close()
    assert counts[-1] == 2
    assert 1 in counts


async def test_a_room_that_becomes_whole_without_a_change_is_looked_at_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was missing may be no change of the room. Otherwise a member without the history would not see the link."""
    monkeypatch.setattr(nesting, "AGAIN_S", 0.2)
    receive(store, INNER, 10, HL, ParentLinked(room=CASE))
    engine = _Engine()
    made = Nesting(store, cast("Engine", engine), cast("RoomService", None))
    task = asyncio.create_task(made.run())
    made.on_status(online=True)
    await until(lambda: len(engine.asked) == 3)
    task.cancel()
    made.close()
    assert engine.asked == [INNER] * 3
