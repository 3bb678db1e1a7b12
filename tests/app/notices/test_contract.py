# SPDX-License-Identifier: EUPL-1.2
"""What a kind may make, and what becomes of its notices when its projection fails."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from app.core.ids import ObjId
from app.errors import BadChange
from app.objects.kind import Kind
from app.store.connection import Connection
from app.store.notice_rows import Notice, NoticeKind, of_change
from app.store.rows import ObjectRow, StoredChange
from app.store.store import Store
from tests.app.store.conftest import KEY, ME, ROOM_KIND, Bench

TOLD = NoticeKind(id="told", asks=True)
FOREIGN = NoticeKind(id="foreign", asks=True)
FAILS: set[bytes] = set()


def project(conn: Connection, obj: ObjectRow, changes: Sequence[StoredChange]) -> Sequence[Notice]:
    """Each change makes a notice; some are refused, and one makes a kind that is not named."""
    for change in changes:
        if change.data in FAILS:
            raise BadChange("format-newer")
    return [of_change(FOREIGN if change.data == b"foreign" else TOLD, change) for change in changes]


def kind(version: int = 1, format_: int = 1) -> Kind:
    return Kind(id="note", project=project, notices=(TOLD,), version=version, format=format_)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    kinds = {"room": ROOM_KIND, "note": kind()}
    store = Store.create(tmp_path / "store.db", KEY, kinds)
    store.set_me(ME)
    made = Bench(tmp_path, store, kinds=kinds)
    made.join()
    FAILS.clear()
    yield made
    made.store.close()


def refs(bench: Bench) -> int:
    return int(bench.store.db.value("SELECT count(*) FROM notices"))


def test_a_projection_that_fails_leaves_no_notice_and_makes_it_when_it_succeeds_at_last(bench: Bench) -> None:
    obj = bench.note()
    FAILS.add(b"newer")
    bench.receive(bench.opened(b"newer", obj), bench.opened(b"plain", obj))
    assert refs(bench) == 1
    bench.kinds["note"] = kind(version=2)
    bench.reopen()
    assert refs(bench) == 1
    FAILS.clear()
    bench.kinds["note"] = kind(version=2, format_=2)
    bench.reopen()
    assert refs(bench) == 2
    assert len(bench.store.notices.claim()) == 2
    bench.kinds["note"] = kind(version=3, format_=2)
    bench.store.db.conn.execute("DELETE FROM notices")
    bench.reopen()
    assert refs(bench) == 0


def test_changes_that_came_before_the_kind_was_known_make_their_notices_then(bench: Bench) -> None:
    obj = bench.note(announced=False)
    bench.receive(bench.opened(b"plain", obj))
    assert refs(bench) == 0
    bench.receive(bench.opened(b"announce" + obj + b"note", ObjId(b"R" * 16)))
    assert refs(bench) == 1


def test_a_kind_of_notices_that_is_not_named_is_a_fault_of_ours_and_the_change_stays(bench: Bench) -> None:
    obj = bench.note()
    bench.receive(bench.opened(b"foreign", obj))
    assert refs(bench) == 0
    assert [change.data for change in bench.store.changes.of(obj)] == [b"foreign"]


def test_own_changes_make_none_on_whichever_device_they_were_written(bench: Bench) -> None:
    obj = bench.note()
    bench.receive(bench.opened(b"other device", obj, uid=ME))
    bench.store.changes.append(bench.store.objects.get(obj).room, obj, b"here")  # type: ignore[union-attr]
    assert refs(bench) == 0
