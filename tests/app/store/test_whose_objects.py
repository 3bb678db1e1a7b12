# SPDX-License-Identifier: EUPL-1.2
"""An object belongs to one room, and a member of another who uses its id first takes nothing from it."""

import os
from pathlib import Path

import pytest

from app.core.ids import ObjId, RoomId
from app.core.signal import Signal
from app.kinds import KINDS as REAL_KINDS
from app.store import statements as sql
from app.store.journal import Journal
from app.store.objects import set_deleted
from app.store.store import Store
from app.store.suspects import CRASHES, Suspects
from app.store.tables import names
from sync.client.ports import RoomEvent
from sync.client.received import ReceivedSlice
from sync.trust.room.envelope import object_of
from sync.trust.room.successor_claim import Origin, object_in
from tests.app.store.conftest import KEY, OTHER, ROOM, Bench

SQUAT = RoomId(b"S" * 16)


@pytest.fixture
def squatted(bench: Bench) -> Bench:
    """In two rooms: ROOM, and one that somebody hostile is in too."""
    bench.join(SQUAT)
    return bench


def bound() -> tuple[ObjId, bytes]:
    """An object of ROOM as honest clients make it, and its share."""
    share = os.urandom(32)
    return object_of(ROOM, share), share


def arrives(bench: Bench, obj: ObjId, share: bytes, *texts: str) -> None:
    """The true object: its announcement, its share, its content."""
    changes = [bench.opened(b"announce" + obj + b"note", ObjId(ROOM))]
    changes += [bench.opened(text.encode(), obj) for text in texts]
    bench.store.receive(ReceivedSlice(room=ROOM, cursor=bench.n, state=b"s", shares=[(obj, share)], changes=changes))


def squats(bench: Bench, obj: ObjId, *texts: str) -> None:
    changes = [bench.opened(b"announce" + obj + b"note", ObjId(SQUAT))]
    bench.receive(*changes, *(bench.opened(text.encode(), obj) for text in texts), room=SQUAT)


def shown(bench: Bench, obj: ObjId) -> tuple[RoomId, list[str]]:
    row = bench.store.objects.get(obj)
    assert row is not None
    assert row.kind == "note"
    return row.room, bench.texts(obj)


@pytest.mark.parametrize("before", [(), ("falskt",), ("falskt", "falskt igen")])
async def test_attack_who_uses_an_objects_id_first_in_another_room_takes_nothing(
    squatted: Bench, before: tuple[str, ...]
) -> None:
    obj, share = bound()
    squats(squatted, obj, *before)
    squatted.store.objects.set_draft(SQUAT, obj, b"utkast")
    arrives(squatted, obj, share, "äkta", "äkta igen 🙂")
    assert shown(squatted, obj) == (ROOM, ["äkta", "äkta igen 🙂"])
    hits = await squatted.store.search.find("falskt")
    assert hits == []
    assert [h.room for h in await squatted.store.search.find("äkta")] == [ROOM] * 2
    assert squatted.store.objects.draft(obj) is None
    squats(squatted, obj, "en gång till")
    assert shown(squatted, obj) == (ROOM, ["äkta", "äkta igen 🙂"])
    squatted.reopen()
    assert shown(squatted, obj) == (ROOM, ["äkta", "äkta igen 🙂"])


def test_attack_what_another_rooms_changes_did_under_an_objects_id_makes_it_no_suspect(squatted: Bench) -> None:
    """The program had ended at the false object several times: nothing was ever computed from the true one here."""
    obj, share = bound()
    squats(squatted, obj, "falskt")
    for _ in range(CRASHES):
        squatted.store.db.conn.execute(sql.SUSPECT, (obj, SQUAT))
    store = squatted.reopen()
    assert not store.trials.is_sound(obj)
    taken_out: Signal[ObjId] = Signal()
    suspects = Suspects(store.db, Journal(squatted.folder / "merging"), lambda row, why: None, taken_out)
    suspects.prepare()
    assert obj in suspects
    arrives(squatted, obj, share, "äkta")
    taken_out.emit(obj)
    assert obj not in suspects
    assert squatted.reopen().trials.is_sound(obj)


def test_a_change_that_has_another_mark_by_now_is_held_back_no_more(bench: Bench) -> None:
    note = bench.note()
    bench.receive(bench.opened(b"ett", note))
    ((row,),) = bench.store.db.rows("SELECT row FROM changes WHERE obj = ?", (note,))
    bench.store.db.conn.execute(sql.MARK_UNPROJECTED, (sql.QUARANTINED, row))
    bench.store.db.conn.execute("INSERT INTO quarantined (row, why, since) VALUES (?, 'crash', 1)", (row,))
    assert not bench.store.trials.is_sound(note)
    assert len(bench.store.held_changes.quarantined()) == 1
    assert bench.store.held_changes.quarantined_objects() == [note]
    bench.store.db.conn.execute(sql.MARK_UNPROJECTED, ("foreign", row))
    assert bench.store.trials.is_sound(note)
    assert bench.store.held_changes.quarantined() == []
    assert bench.store.held_changes.quarantined_objects() == []


def test_an_announcement_that_came_before_its_objects_share_counts_when_that_is_here(squatted: Bench) -> None:
    obj, share = bound()
    squats(squatted, obj, "falskt")
    squatted.receive(squatted.opened(b"announce" + obj + b"note", ObjId(ROOM)))
    assert shown(squatted, obj) == (SQUAT, ["falskt"])
    change = squatted.opened("äkta".encode(), obj)
    squatted.store.receive(
        ReceivedSlice(room=ROOM, cursor=squatted.n, shares=[(obj, share)], state=b"s", changes=[change])
    )
    assert shown(squatted, obj) == (ROOM, ["äkta"])


def test_what_came_while_another_room_had_the_object_is_shown_then(squatted: Bench) -> None:
    """As in a store of before, which knew no bound ids."""
    obj, share = bound()
    squats(squatted, obj, "falskt")
    squatted.receive(squatted.opened("äkta ett".encode(), obj))
    assert [c for _, c in squatted.store.changes.unprojected(ROOM)] == ["other-room"]
    arrives(squatted, obj, share, "äkta två")
    assert shown(squatted, obj) == (ROOM, ["äkta ett", "äkta två"])


def test_attack_a_share_of_anothers_proves_nothing(squatted: Bench) -> None:
    obj, share = bound()
    arrives(squatted, obj, share, "äkta")
    squatted.store.receive(
        ReceivedSlice(
            room=SQUAT, cursor=squatted.n, state=b"s", shares=[(obj, share)], changes=[squatted.opened(b"x", obj)]
        )
    )
    assert shown(squatted, obj) == (ROOM, ["äkta"])


def test_attack_an_id_that_a_successor_will_use_is_taken_by_nobody_before_it(squatted: Bench) -> None:
    note = squatted.note()
    squatted.receive(squatted.opened("före".encode(), note))
    successor = RoomId(b"N" * 16)
    there = object_in(successor, ROOM, note)
    squats(squatted, there, "falskt")
    origin = Origin(room=ROOM, n=2, rh=b"h" * 32)  # type: ignore[arg-type]  # any hash
    event = RoomEvent(n=1, t=1, kind="genesis", by=OTHER, origin=origin)
    squatted.store.receive(ReceivedSlice(room=successor, cursor=1, state=b"s", events=[event]))
    squatted.receive(
        squatted.opened(b"announce" + there + b"note", ObjId(successor)),
        squatted.opened(b"fortsatt", there),
        room=successor,
    )
    assert shown(squatted, there) == (successor, ["fortsatt"])


def test_attack_a_room_puts_away_no_other_rooms_object(squatted: Bench) -> None:
    note = squatted.note()
    with squatted.store.transaction() as conn:
        set_deleted(conn, SQUAT, note, True)
    assert [o.obj for o in squatted.store.objects.all(ROOM, "note")] == [note]


def test_a_new_objects_id_is_bound_by_the_share_that_waits_for_it(bench: Bench) -> None:
    obj = bench.store.objects.new(ROOM)
    share = bench.store.share(ROOM, obj)
    assert share is not None
    assert object_of(ROOM, share) == obj
    assert object_of(SQUAT, share) != obj


def test_every_kinds_tables_name_the_object_of_a_row(tmp_path: Path) -> None:
    store = Store.create(tmp_path / "store.db", KEY, {kind.id: kind for kind in REAL_KINDS})
    own = {name: kind.id for kind in REAL_KINDS for name in names(kind.tables)}
    assert own["room_put_away"] == "room"
    for name, kind in own.items():
        assert name.startswith(f"{kind}_")
        assert "obj" in {row[1] for row in store.db.rows(f"PRAGMA table_info({name})")}, name
    store.close()
