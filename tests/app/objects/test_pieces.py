# SPDX-License-Identifier: EUPL-1.2
"""An update, a baseline and a state longer than a change go in pieces, for every kind that merges: documents, boards,
and a kind that is made of the recipe's parts alone."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pycrdt
import pytest

from app.core.enums import Role
from app.core.ids import ChangeId, DevId, ObjId, Uid
from app.documents import KIND as DOCUMENT
from app.errors import BadChange
from app.objects.compaction import judged, state_of
from app.objects.crdt import is_update, updates
from app.objects.kind import Kind
from app.objects.object import MAX_DATA_BYTES
from app.objects.pieces import (
    MAX_PENDING,
    MAX_PIECES,
    PAYLOAD,
    PIECE_BYTES,
    Assembler,
    Piece,
    check,
    check_in_parts,
    compaction,
    encode,
    group_of,
    merging,
    newest_state,
    unpack,
)
from app.store import objects as object_rows
from app.store.connection import Connection
from app.store.rows import ObjectRow, StoredChange
from app.tasks import KIND as BOARD
from app.tasks.model import Board
from app.tool import Parts, from_snapshot
from sync.client.placed_changes import PlacedChange, position_of
from sync.client.ports import MemberRow, OpenedChange
from sync.client.received import ReceivedSlice
from tests.app.store.test_judged import marks, take
from tests.app.store.test_trials import NOTE, Desk, opened
from tests.fuzz.blocks import TEXT, Block, Blocks, Section, write
from tests.office import BOARD_ID, EK, HL, ROOM
from tests.one_change import one_change


def project(conn: Connection, obj: ObjectRow, changes: Sequence[StoredChange]) -> None:
    """Shows nothing."""
    for change in changes:
        check(change.data)


CELLS = Kind(
    id="cells",
    project=project,
    merging=merging(texts=("note",), maps=("cells",)),
    compact=compaction(texts=("note",), maps=("cells",)),
)
KINDS = {kind.id: kind for kind in (DOCUMENT, BOARD, CELLS)}
OBJ = {DOCUMENT.id: NOTE, BOARD.id: BOARD_ID, CELLS.id: ObjId(b"s" * 16)}
ROOT = {DOCUMENT.id: "meta", BOARD.id: "cards", CELLS.id: "cells"}
EACH = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)


def long(kind: Kind, client: int = 7, keys: int = 3000, prefix: str = "k") -> bytes:
    """An update that sets so many keys of the kind's map: 300 KB for 3,000."""
    doc: Any = pycrdt.Doc(client_id=client)
    doc[ROOT[kind.id]] = found = pycrdt.Map[Any]()
    with doc.transaction():
        for n in range(keys):
            found[f"{prefix}{n}"] = f"å 🙂 {n} " * 8
    return bytes(doc.get_update())


@asynccontextmanager
async def desk_at(path: Path) -> AsyncIterator[Desk]:
    async with opened(path, kinds=KINDS) as desk:
        with desk.store.transaction() as conn:
            object_rows.announce(conn, ROOM, OBJ[CELLS.id], CELLS.id, 1, EK)
        yield desk


def placed(kind: Kind, uid: Uid, datas: Sequence[bytes], n: int) -> list[OpenedChange]:
    """Changes of one author at positions from n on."""
    found = []
    for at, data in enumerate(datas, start=n):
        change_id = ChangeId(at.to_bytes(16, "big"))
        of = OBJ[kind.id]
        found.append(OpenedChange(n=at, t=at, uid=uid, dev=DevId(uid), obj=of, change_id=change_id, payload=data))
    return found


def held(desk: Desk, kind: Kind) -> Any:
    """What the merged changes of the kind's object hold."""
    made, merging = Assembler().feed(desk.store.changes.of(OBJ[kind.id])), kind.merging
    assert merging is not None
    found = state_of(made, texts=merging.texts, maps=merging.maps)
    assert found is not None
    return found[2]


def length(desk: Desk, kind: Kind) -> int:
    """How many keys the kind's map has."""
    return len(held(desk, kind)[ROOT[kind.id]])


@EACH
async def test_a_long_update_goes_in_pieces_and_is_merged_when_all_are_here(kind: Kind, tmp_path: Path) -> None:
    datas = encode(long(kind))
    assert len(datas) > 1
    assert max(map(len, datas)) <= MAX_DATA_BYTES
    pieces, other = placed(kind, HL, datas[::-1], 100), placed(kind, EK, encode(long(kind, 8, 1, "mine")), 150)
    async with desk_at(tmp_path / "s.db") as desk:
        await take(desk, *pieces[:-1])
        await take(desk, *other)
        assert {code for _, code in marks(desk.store)} == {"late"}
        assert length(desk, kind) == 1
    async with desk_at(tmp_path / "s.db") as desk:  # the pieces wait in the store
        await take(desk, replace(pieces[-1], n=160))
        assert marks(desk.store) == []
        assert length(desk, kind) == 3001
        assert desk.store.objects.crdt_state(OBJ[kind.id]) is None


@EACH
async def test_a_state_and_a_baseline_go_in_pieces_and_begin_the_object_elsewhere(kind: Kind, tmp_path: Path) -> None:
    async with desk_at(tmp_path / "s.db") as desk:
        await take(desk, *placed(kind, HL, encode(long(kind)), 100))
        await take(desk, *placed(kind, EK, encode(long(kind, 8, 5, "mine")), 200))
        state = await desk.store.snapshots.state(OBJ[kind.id])
        assert len(state) > 1
        assert max(map(len, state)) <= MAX_DATA_BYTES
        assert len({group_of(data) for data in state}) == 1
        whole = held(desk, kind)
        digest = digest_of(kind, desk)
    async with desk_at(tmp_path / "successor.db") as desk:  # a successor begins with it as its first change
        await take(desk, *placed(kind, EK, state, 100))
        assert (marks(desk.store), held(desk, kind)) == ([], whole)
        await take(desk, *placed(kind, HL, [one_change(later(kind))], 200))
        assert (marks(desk.store), length(desk, kind)) == ([], 3006)
    changes = [PlacedChange(0, ChangeId(bytes(16)), EK, 0, data) for data in state]
    replay, updates = judged(changes, unpack)
    assert replay.owner(7) == HL
    assert state_digest(kind, updates, state) == digest


def later(kind: Kind, key: str = "last", first: str | None = None) -> bytes:
    """The client of `long` sets one key more; `first`: a key that it has set since."""
    doc: Any = pycrdt.Doc(client_id=7)
    doc[ROOT[kind.id]] = found = pycrdt.Map[Any]()
    doc.apply_update(long(kind))
    if first is not None:
        found[first] = 1
    before = doc.get_state()
    found[key] = 1
    return bytes(doc.get_update(before))


def digest_of(kind: Kind, desk: Desk) -> bytes:
    """The hash of the object's snapshot, as its device computes it."""
    last = desk.store.changes.of(OBJ[kind.id])[-1].n
    assert last is not None
    assert kind.compact is not None
    found = kind.compact(desk.store.positioned(OBJ[kind.id], 0, last), last)
    assert found is not None
    return found.digest


def state_digest(kind: Kind, updates: Sequence[bytes], state: Sequence[bytes]) -> bytes:
    begun = b"".join(unpack(data).begun for data in state)
    assert kind.merging is not None
    found = state_of(updates, begun, texts=kind.merging.texts, maps=kind.merging.maps)
    assert found is not None
    return found[1]


@EACH
async def test_a_member_without_the_history_begins_with_the_newest_baseline_that_is_complete(
    kind: Kind, tmp_path: Path
) -> None:
    async with desk_at(tmp_path / "s.db") as desk:
        await take(desk, *placed(kind, HL, encode(long(kind)), 100))
        older = await desk.store.snapshots.state(OBJ[kind.id])
        await take(desk, *placed(kind, HL, [one_change(later(kind))], 200))
        newer = await desk.store.snapshots.state(OBJ[kind.id])
    async with desk_at(tmp_path / "newcomer.db") as desk:
        alone = [MemberRow(uid=HL, role=Role.WRITER, since_n=290, history=False)]
        desk.store.receive(ReceivedSlice(room=ROOM, cursor=290, state=b"", members=alone))
        given = [replace(c, baseline=True) for c in placed(kind, EK, older, 300)]
        await take(desk, *given[:1])
        assert len(desk.store.changes.of(OBJ[kind.id])) == 1
        await take(desk, *given[1:])
        assert await owner(desk, kind) == HL
        assert length(desk, kind) == 3000
        given = [replace(c, baseline=True) for c in placed(kind, EK, newer, 400)]
        await take(desk, *given[:1])
        assert await owner(desk, kind) == HL, "the older one counts until the newer one is whole"
        await take(desk, *given[1:])
        await take(desk, *placed(kind, HL, [one_change(later(kind, "more", first="last"))], 500))
        assert (marks(desk.store), length(desk, kind)) == ([], 3002)
        state = await desk.store.snapshots.state(OBJ[kind.id])
        assert len(state) == len(newer)
    async with desk_at(tmp_path / "successor.db") as desk:
        await take(desk, *placed(kind, HL, state, 100))
        assert (marks(desk.store), length(desk, kind)) == ([], 3002)


def test_of_a_baselines_pieces_the_first_of_an_index_and_the_first_count_counts() -> None:
    """An administrator may write a group's pieces twice: the judge begins with those that the model joins."""

    def given(*parts: tuple[int, int, bytes]) -> list[bytes]:
        """The updates of the pieces of the newest state; the pieces of a group are given as (index, count, update)."""
        datas = [PAYLOAD.encode(Piece(group=b"g" * 16, index=i, count=n, update=u, begun=b"b")) for i, n, u in parts]
        changes = [PlacedChange(position_of(n), ChangeId(bytes(16)), EK, 0, d) for n, d in enumerate(datas, start=1)]
        found = [unpack(change.data).update for change in newest_state(changes)]
        joined = Assembler().feed_data([(EK, data) for data in datas])
        assert [b"".join(found)] == (joined or [b""])
        return found

    assert given((0, 2, b"Be"), (1, 2, b"slut"), (0, 2, b"annat")) == [b"Be", b"slut"]
    assert given((0, 2, b"Be"), (0, 2, b"annat"), (1, 2, b"slut")) == [b"Be", b"slut"]
    assert given((0, 2, b"Be"), (1, 3, b"annat")) == []
    assert given((0, 2, b"Be"), (1, 3, b"annat"), (1, 2, b"slut")) == [b"Be", b"slut"]


async def owner(desk: Desk, kind: Kind) -> bytes | None:
    """Whose the client of `long` is, as the object's judge knows."""
    return (await desk.store.judges.known(OBJ[kind.id])).owner(7)


@EACH
async def test_attack_pieces_twice_of_another_count_or_of_another_author_change_nothing(
    kind: Kind, tmp_path: Path
) -> None:
    first, *rest = encode(long(kind))
    group, count = group_of(first), len(rest) + 1
    assert group is not None
    false = [PAYLOAD.encode(Piece(group=group, index=0, count=n, update=b"annat")) for n in (count, count + 1)]
    async with desk_at(tmp_path / "s.db") as desk:
        await take(desk, *placed(kind, HL, [first, *false], 100))
        assert marks(desk.store) == [(100, "late"), (101, "piece"), (102, "piece")]
        await take(desk, *placed(kind, EK, [*rest, false[0]], 200))  # a group of its own: damaged together
        assert desk.store.changes.of(OBJ[kind.id]) == []
        await take(desk, *placed(kind, HL, rest, 300))
        codes = {code for n, code in marks(desk.store) if n >= 200}
        assert codes == {"damaged-update"}
        assert length(desk, kind) == 3000


@EACH
async def test_attack_groups_that_never_end_stop_nobody(kind: Kind, tmp_path: Path) -> None:
    open_ended = [
        PAYLOAD.encode(Piece(group=bytes([n]) * 16, index=0, count=MAX_PIECES, update=b"")) for n in range(64)
    ]
    async with desk_at(tmp_path / "s.db") as desk:
        await take(desk, *placed(kind, EK, open_ended, 100))
        await take(desk, *placed(kind, HL, encode(long(kind)), 200))
        assert {code for _, code in marks(desk.store)} == {"late"}
        assert length(desk, kind) == 3000
        assert len(await desk.store.snapshots.state(OBJ[kind.id])) > 1


@pytest.mark.parametrize(
    "bounds",
    [
        {"index": 2, "count": 2},
        {"index": -1, "count": 2},
        {"index": 0, "count": 0},
        {"index": 0, "count": MAX_PIECES + 1},
        {"index": 0, "count": 2, "group": b"g" * 15},
    ],
)
def test_attack_pieces_out_of_bounds_are_no_records(bounds: dict[str, Any]) -> None:
    data = PAYLOAD.encode(Piece(**{"group": b"g" * 16, "update": b"x"} | bounds))
    feeder = Assembler()
    assert feeder.feed_data([(HL, data)]) == []
    assert (feeder.damaged, feeder.waiting, group_of(data)) == (1, False, None)
    for read in (check, unpack):
        with pytest.raises(BadChange, match="malformed"):
            read(data)


def test_attack_an_update_longer_than_its_pieces_may_be_together_is_void() -> None:
    """`total`: 24 MiB, however many pieces they are."""
    zero, half = bytes(PIECE_BYTES), 24 * 1024 * 1024 // PIECE_BYTES + 1
    datas = [PAYLOAD.encode(Piece(group=b"g" * 16, index=n, count=half, update=zero)) for n in range(half)]
    changes = [PlacedChange(position_of(n), ChangeId(bytes(16)), HL, 0, d) for n, d in enumerate(datas, start=1)]
    assert judged(changes, unpack)[1] == []


def test_the_oldest_incomplete_groups_are_dropped_and_later_ones_are_complete() -> None:
    update, feeder = write(Blocks([Section(1, 0, [Block(TEXT, "å", parent="text")])], [])), Assembler()
    for n in range(MAX_PENDING + 5):
        feeder.feed_data([(EK, PAYLOAD.encode(Piece(group=bytes([n]) * 16, index=0, count=2, update=b"")))])
    assert feeder.damaged == 5
    parts = [PAYLOAD.encode(Piece(group=b"h" * 16, index=n, count=2, update=b)) for n, b in enumerate((b"", update))]
    assert feeder.feed_data([(HL, data) for data in parts]) == [update]


@EACH
async def test_fields_of_a_newer_program_are_kept_and_skipped(kind: Kind, tmp_path: Path) -> None:
    pieces = [newer(data) for data in encode(long(kind))]
    whole = newer(one_change(long(kind, 8, 2, "mine")))
    async with desk_at(tmp_path / "s.db") as desk:
        await take(desk, *placed(kind, HL, pieces, 100), *placed(kind, EK, [whole], 200))
        assert (marks(desk.store), length(desk, kind)) == ([], 3002)
        assert [c.data for c in desk.store.changes.of(OBJ[kind.id])] == [*pieces, whole]


def newer(data: bytes) -> bytes:
    """The same record with fields that this version does not know."""
    return data[:1] + msgspec.msgpack.encode(msgspec.msgpack.decode(data[1:]) | {"zoom": [1, {"å": b"x"}], "by": None})


def test_a_long_title_does_not_make_a_change_too_long() -> None:
    update = bytes(PIECE_BYTES - 10)
    assert len(encode(update, "Kort")) == 1
    assert max(map(len, encode(update, "å" * 2000))) <= MAX_DATA_BYTES


def test_the_first_piece_says_how_many_there_are() -> None:
    parts = [(0, 2, b"Be"), (1, 3, b"annat"), (1, 2, b"slut")]
    datas = [PAYLOAD.encode(Piece(group=b"g" * 16, index=i, count=n, update=update)) for i, n, update in parts]
    feeder = Assembler()
    assert (feeder.feed_data([(HL, data) for data in datas]), feeder.damaged) == ([b"Beslut"], 1)


def test_attack_a_group_of_another_author_with_the_same_id_is_another_group() -> None:
    """Own pieces are merged while they wait for their positions: a colleague may have read their group's id."""
    mine, theirs = (
        [PAYLOAD.encode(Piece(group=b"g" * 16, index=i, count=2, update=update)) for i, update in enumerate(updates)]
        for updates in ((b"Be", b"slut"), (b"X", b"Y"))
    )
    changes = [(HL, mine[0]), (EK, theirs[1]), (EK, theirs[0]), (HL, mine[1])]
    assert Assembler().feed_data(changes) == [b"XY", b"Beslut"]


async def test_a_state_for_another_room_is_checked_in_parts_before_it_is_stored(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Storing merges it: a board of 1,000 cards was checked in one piece of 45 ms there."""
    with closing(Board()) as board:
        for n in range(300):
            board.add_card("", f"Begär yttrande å {n} 🙂", description=f"Ring {n}. " * 300)
        state = encode(board.snapshot(), begun=b"begun")
    assert len(state) > 3

    class Snapshots:
        async def state(self, obj: ObjId) -> Sequence[bytes]:
            return state

    parts = cast("Parts", SimpleNamespace(snapshots=Snapshots()))
    task, turns = asyncio.ensure_future(from_snapshot(parts, BOARD_ID)), 0
    while not task.done():
        turns += 1
        await asyncio.sleep(0)
    assert (task.result(), turns > 10) == (state, True)
    monkeypatch.setattr(updates, "checking", None)  # so it can be checked no more
    (update,) = Assembler().feed_data([(b"", data) for data in state])
    assert is_update(update)
    await check_in_parts([])
