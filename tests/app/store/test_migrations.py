# SPDX-License-Identifier: EUPL-1.2
"""Formats are for good: what a released version wrote, every later one opens."""

import shutil
from pathlib import Path

from sqlalchemy import Table

from app.core.ids import Hash, ObjId, RoomId, Uid
from app.store import schema
from app.store.migrations import VERSION
from app.store.origins import OriginRow, Step
from app.store.store import Store
from sync.client.ports import Compacted
from tests.app.store.conftest import KINDS, Bench

VECTORS = Path(__file__).parents[2] / "vectors"
VECTOR_KEY = bytes(range(32))


def columns(bench: Bench, table: Table) -> set[str]:
    return {row[1] for row in bench.store.db.rows(f"PRAGMA table_info({table.name})")}


def test_the_tables_are_as_the_schema_says(bench: Bench) -> None:
    for table in schema.metadata.tables.values():
        assert {c.name for c in table.columns} == columns(bench, table), table.name


def test_opening_twice_changes_nothing(bench: Bench) -> None:
    before = bench.store.db.rows("SELECT name, sql FROM sqlite_master ORDER BY name")
    store = bench.reopen()
    assert store.db.rows("SELECT name, sql FROM sqlite_master ORDER BY name") == before
    assert store.db.value("PRAGMA user_version") == VERSION


def test_the_store_that_version_1_wrote_opens_with_everything_in_it(tmp_path: Path) -> None:
    """tests/vectors/make_store_1.py wrote it, once; it is never written again."""
    shutil.copy(VECTORS / "store-1.db", tmp_path / "store.db")
    store = Store.open(tmp_path / "store.db", VECTOR_KEY, KINDS)
    room, note = RoomId(b"R" * 16), ObjId(b"N" * 16)
    assert store.me == Uid(b"M" * 16)
    assert store.load_account() == b"account"
    assert [c.data.decode() for c in store.changes.of(note)] == ["Hej från version 1, åäö 🙂", "Eget, väntar"]
    assert [p.payload.decode() for p in store.pending(10)] == ["Eget, väntar"]
    assert store.keys(room) == [(1, b"K" * 32, b"A" * 32)]
    assert store.rh_at(room, 3) == b"3" * 32
    assert [p.name for p in store.people.all()] == ["Registrator"]
    assert len(store.search.find_here("version")) == 1
    assert store.objects.draft(note) == b"utkast"
    assert store.db.check() == []
    store.close()


def test_the_store_that_version_2_wrote_opens_with_everything_in_it(tmp_path: Path) -> None:
    """tests/vectors/make_store_2.py wrote it, once; it is never written again."""
    shutil.copy(VECTORS / "store-2.db", tmp_path / "store.db")
    store = Store.open(tmp_path / "store.db", VECTOR_KEY, KINDS)
    room = RoomId(b"R" * 16)
    assert [(r.room, r.n, r.proof) for r in store.receipts()] == [(room, 9, b"proof of 9")]
    kept = {e.code: (e.ours, e.theirs, e.claim) for e in store.receipts_kept.evidence(room)}
    assert kept == {
        "rollback": (b"proof of 9", b"proof of 4", None),
        "fork": (b"proof of 9", b"another proof of 9", b"what a member signed"),
    }
    assert store.db.check() == []
    store.close()


def test_the_store_that_version_3_wrote_opens_with_everything_in_it(tmp_path: Path) -> None:
    """tests/vectors/make_store_3.py wrote it, once; it is never written again."""
    shutil.copy(VECTORS / "store-3.db", tmp_path / "store.db")
    store = Store.open(tmp_path / "store.db", VECTOR_KEY, KINDS)
    old, new = RoomId(b"R" * 16), RoomId(b"S" * 16)
    kept = OriginRow(room=new, old=old, n=9, rh=Hash(b"9" * 32), by=Uid(b"O" * 16), step=Step.FOLLOWED)
    assert store.origins.all() == store.origins.successors(old) == [kept]
    assert store.db.check() == []
    store.close()


def test_the_store_that_version_4_wrote_opens_with_everything_in_it(tmp_path: Path) -> None:
    """tests/vectors/make_store_4.py wrote it, once; it is never written again."""
    shutil.copy(VECTORS / "store-4.db", tmp_path / "store.db")
    store = Store.open(tmp_path / "store.db", VECTOR_KEY, KINDS)
    room = RoomId(b"R" * 16)
    assert [(i.n, i.t, i.kind, i.body, i.ct) for i in store.kept_items(room, 2, 1000)] == [
        (3, 30, 1, b"entry 3", None),
        (4, 40, 2, b"envelope 4", b"sealed 4"),
    ]
    assert store.problem(room) == "restored"
    assert [(e.code, e.claim) for e in store.receipts_kept.evidence(room)] == [("restored", b"statement")]
    assert store.db.check() == []
    store.close()


def test_the_store_that_version_5_wrote_opens_with_everything_in_it(tmp_path: Path) -> None:
    """tests/vectors/make_store_5.py wrote it, once; it is never written again."""
    shutil.copy(VECTORS / "store-5.db", tmp_path / "store.db")
    store = Store.open(tmp_path / "store.db", VECTOR_KEY, KINDS)
    room, begun, computed = RoomId(b"R" * 16), ObjId(b"N" * 16), ObjId(b"P" * 16)
    state = Compacted(changes=(b"first piece", b"second piece"), digest=b"d" * 32)
    assert store.base(begun) == (9, state)
    assert store.base(computed) == (7, Compacted(changes=(b"whole",), digest=b"e" * 32))
    snapshots, edits = store.changes.history(begun)
    assert [(c.n, c.data) for c in snapshots] == [(12, b"first piece"), (12, b"second piece")]
    assert edits == []
    assert store.reread(room) == 14
    assert store.db.check() == []
    store.close()


def test_the_store_that_version_6_wrote_opens_with_everything_in_it(tmp_path: Path) -> None:
    """tests/vectors/make_store_6.py wrote it, once; it is never written again."""
    shutil.copy(VECTORS / "store-6.db", tmp_path / "store.db")
    store = Store.open(tmp_path / "store.db", VECTOR_KEY, KINDS)
    person, other = Uid(b"P" * 16), Uid(b"Q" * 16)
    told = [(n.uid, n.kind, n.seq, n.other) for n in store.key_notices.open()]
    assert told == [(person, "device-added", 3, b""), (person, "twin", 0, other)]
    assert store.key_notices.resets() == {other}
    assert store.key_notices.behind() == [(other, 2)]
    assert store.key_notices.twins() == [(person, other)]
    assert store.key_notices.begin_new() == []
    assert store.db.check() == []
    store.close()
