# SPDX-License-Identifier: EUPL-1.2
"""The layout of a store: its tables, and that a store of this number opens, whichever program wrote it."""

import shutil
from pathlib import Path

import pytest

from app.core.ids import Hash, ObjId, RoomId, Uid
from app.errors import StoreOlder
from app.store import own_waiting, read_positions
from app.store.database import Database
from app.store.heartbeats import KeptHeartbeat
from app.store.layout import VERSION
from app.store.notice_rows import NoticeState, id_of
from app.store.notice_store import NoticeFilter
from app.store.origins import OriginRow, Step
from app.store.statements import MAX_INT
from app.store.store import Store
from sync.client.placed_changes import Compacted
from tests.app.store.conftest import DEV, KEY, KINDS, Bench

VECTORS = Path(__file__).parents[2] / "vectors"
VECTOR_KEY = bytes(range(32))
ROOM, NOTE = RoomId(b"R" * 16), ObjId(b"N" * 16)


def test_opening_twice_changes_nothing(bench: Bench) -> None:
    before = bench.store.db.rows("SELECT name, sql FROM sqlite_master ORDER BY name")
    store = bench.reopen()
    assert store.db.rows("SELECT name, sql FROM sqlite_master ORDER BY name") == before
    assert store.db.value("PRAGMA user_version") == VERSION


@pytest.mark.parametrize("version", [1, VERSION - 1])
def test_a_store_of_an_older_layout_is_refused_and_left_as_it_is(bench: Bench, version: int) -> None:
    bench.store.close()
    db = Database.open(bench.path, KEY)
    db.conn.execute(f"PRAGMA user_version={version}")
    db.close()
    before = bench.path.read_bytes()
    with pytest.raises(StoreOlder) as e:
        Store.open(bench.path, KEY, KINDS)
    assert e.value.code == "store-older"
    assert bench.path.read_bytes() == before


@pytest.fixture
def written(tmp_path: Path) -> Store:
    """What tests/vectors/make_store_22.py wrote."""
    shutil.copy(VECTORS / "store-22.db", tmp_path / "store.db")
    return Store.open(tmp_path / "store.db", VECTOR_KEY, KINDS)


def test_a_store_that_this_layout_wrote_opens_with_its_rooms(written: Store) -> None:
    assert written.me == Uid(b"M" * 16)
    assert written.load_account() == b"account"
    assert [c.data.decode() for c in written.changes.of(NOTE)] == ["Hej åäö 🙂", "Eget, väntar"]
    assert [p.payload.decode() for p in written.pending_in(ROOM, 10)] == []  # a restored server holds it back
    assert written.keys(ROOM) == [(1, b"K" * 32, b"A" * 32)]
    assert written.rh_at(ROOM, 3) == b"3" * 32
    assert len(written.search.find_here("Hej")) == 1
    assert written.objects.draft(NOTE) == b"utkast"
    kept = [(i.n, i.t, i.kind, i.body, i.ct) for i in written.kept_items(ROOM, 2, 1000)]
    assert kept == [(3, 30, 1, b"entry 3", None), (4, 40, 2, b"envelope 4", b"sealed 4")]
    assert [(e.kind, e.note) for e in written.rooms_list.events(ROOM)] == [
        ("genesis", None),
        ("rm", b"sealed note"),
        ("add", None),
    ]
    lines = written.room_lines.between(ROOM, 0, MAX_INT, 10)
    assert [(line.n, line.kind) for line in lines] == [
        (1, "genesis"),
        (2, "rm"),
        (3, "add"),
        (4, "joined"),
        (4, "restored"),
    ]
    titles = "SELECT room, sort, t, title, type FROM titles"
    assert written.db.rows(titles) == [(ROOM, 4 << 20, 4, "Bygglov åäö 🙂", "case")]
    row = written.rooms_list.get(ROOM)
    assert row is not None
    assert (row.unread, row.mentions, row.last_t, row.last_preview) == (3, 1, 4, "Hej åäö 🙂")
    assert written.objects.counter(NOTE).unread == 3
    parts = [(p.obj[:1], p.series[:1], p.period, p.counts) for p in written.series.all(ROOM)]
    assert parts == [(b"C", b"C", 24322, True), (b"F", b"C", 24323, True), (b"A", b"C", 24324, False)]
    assert written.inbox.void_items(ROOM) == [(Uid(b"Q" * 16), 1)]
    said = KeptHeartbeat(room=ROOM, uid=Uid(b"O" * 16), dev=DEV, t=4, data=b"what the device reads")
    assert written.heartbeats.of(ROOM) == written.heartbeats.by(DEV) == [said]
    assert (read_positions.position(written.db.conn, NOTE), read_positions.left(written.db.conn, NOTE)) == (4, (3,))
    assert own_waiting.all_waiting(written.db) == [("settings", "theme", b"\x92\x01\xa4dark")]
    long = "SELECT kind, room, obj, retires, place, data FROM long_writes JOIN long_write_changes USING (number)"
    assert written.db.rows(long) == [("note", ROOM, NOTE, b"C" * 16, 7, "Kopia å 🙂".encode())]
    assert written.db.check() == []
    written.close()


def test_a_store_that_this_layout_wrote_opens_with_what_the_person_was_told(written: Store) -> None:
    ids = [id_of("mention", ROOM, NOTE, key) for key in (b"first", b"second")]
    assert [ident.hex() for ident in ids] == ["07466627035420b0978b8060ff025b33", "99f3cd657589daa2540b1054e6b14525"]
    first, second = map({row.id: row for row in written.notices.page(NoticeFilter(), 0)}.get, ids)
    assert first is not None
    assert second is not None
    assert (first.kind, first.by, first.n, first.ref, first.detail) == ("mention", Uid(b"O" * 16), 5, b"ref", "code")
    assert (first.answered, second.answered) == (True, False)
    assert (second.state, second.until) == (NoticeState.SNOOZED, first.t + 1000)
    assert [row.id for row in written.notices.page(NoticeFilter(open=True), first.t)] == []
    assert [row.id for row in written.notices.page(NoticeFilter(open=True), first.t + 1000)] == [ids[1]]
    assert written.notices.claim() == []
    assert written.db.value("SELECT n FROM notified WHERE room = ?", (ROOM,)) == 4
    assert written.db.rows("SELECT id, state, until FROM notice_states") == [(b"i" * 16, 2, None)]
    written.close()


def test_a_store_that_this_layout_wrote_opens_with_its_received_parts(written: Store) -> None:
    assert written.cached.here([bytes([n]) * 32 for n in (1, 2, 3)]) == {b"\1" * 32, b"\2" * 32}
    assert [(part.part, part.room) for part in written.cached.wanted()] == [(b"\3" * 16, ROOM)]
    assert written.cached.pinned_bytes() == 10
    assert written.cached.is_room_pinned(RoomId(b"T" * 16))
    assert not written.cached.is_room_pinned(ROOM)
    assert written.db.rows("SELECT name FROM uncached") == [("removed",)]
    written.close()


def test_a_store_that_this_layout_wrote_opens_with_receipts_evidence_and_successors(written: Store) -> None:
    assert [(r.room, r.n, r.proof) for r in written.receipts()] == [(ROOM, 9, b"proof of 9")]
    evidence = {e.code: (e.ours, e.theirs, e.claim) for e in written.receipts_kept.evidence(ROOM)}
    assert evidence == {
        "rollback": (b"proof of 9", b"proof of 4", None),
        "fork": (b"proof of 9", b"another proof of 9", b"what a member signed"),
    }
    assert written.problem(ROOM) == "restored"
    new = RoomId(b"S" * 16)
    kept = OriginRow(room=new, old=ROOM, n=9, rh=Hash(b"9" * 32), by=Uid(b"O" * 16), step=Step.FOLLOWED)
    assert written.origins.all() == written.origins.successors(ROOM) == [kept]
    written.close()


def test_a_store_that_this_layout_wrote_opens_with_states_and_notices(written: Store) -> None:
    begun, computed = ObjId(b"B" * 16), ObjId(b"P" * 16)
    state = Compacted(changes=(b"first piece", b"second piece"), digest=b"d" * 32)
    assert written.base(begun) == (9, state)
    assert written.base(computed) == (7, Compacted(changes=(b"whole",), digest=b"e" * 32))
    snapshots, edits = written.changes.history(begun)
    assert [(c.n, c.data) for c in snapshots] == [(12, b"first piece"), (12, b"second piece")]
    assert edits == []
    assert written.reread(RoomId(b"T" * 16)) == 14
    person, other = Uid(b"O" * 16), Uid(b"Q" * 16)
    notices = [(n.uid, n.kind, n.seq, n.other) for n in written.key_notices.open()]
    assert notices == [(person, "device-added", 3, b""), (person, "duplicate", 0, other)]
    assert written.key_notices.resets() == {other}
    assert [p.name for p in written.people.all()] == ["Registrator åäö"] * 2
    written.close()
