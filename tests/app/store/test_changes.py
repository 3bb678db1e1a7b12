# SPDX-License-Identifier: EUPL-1.2
"""Changes: once each, with their projection, in one transaction."""

import contextlib
from dataclasses import replace

import pytest

from app.core.ids import ObjId, RoomId, new_change
from app.errors import BadChange, BugError
from app.store.rows import StoredChange
from tests.app.store.conftest import ME, OTHER, ROOM, Bench

OTHER_ROOM = RoomId(b"r" * 16)


def test_an_append_stores_change_outbox_row_and_projection(bench: Bench) -> None:
    note = bench.note()
    emitted: list[StoredChange] = []
    bench.store.changes.appended.connect(emitted.append)
    change_id = bench.store.changes.append(ROOM, note, "Ärendet är klart 🙂".encode())
    store = bench.reopen()
    (change,) = store.changes.of(note)
    assert (change.change_id, change.author, change.n, change.own) == (change_id, ME, None, True)
    assert [p.change_id for p in store.pending(10)] == [change_id]
    assert bench.texts(note) == ["Ärendet är klart 🙂"]
    assert emitted == [change]


def test_an_append_that_cannot_be_projected_stores_nothing(bench: Bench) -> None:
    note = bench.note()
    emitted: list[StoredChange] = []
    bench.store.changes.appended.connect(emitted.append)
    with pytest.raises(BadChange):
        bench.store.changes.append(ROOM, note, b"nonsense")
    assert (bench.store.changes.of(note), bench.store.waiting_count(), bench.texts(note), emitted) == ([], 0, [], [])


def test_an_append_to_another_rooms_object_is_refused(bench: Bench) -> None:
    note = bench.note()
    with pytest.raises(BugError):
        bench.store.changes.append(OTHER_ROOM, note, b"x")
    assert bench.store.waiting_count() == 0


def test_several_appends_in_one_transaction_are_stored_together_or_not_at_all(bench: Bench) -> None:
    note = bench.note()
    emitted: list[StoredChange] = []
    bench.store.changes.appended.connect(emitted.append)
    append = bench.store.changes.append

    def write(*texts: bytes) -> None:
        with bench.store.transaction():
            for text in texts:
                append(ROOM, note, text)
            assert emitted == []

    with pytest.raises(BadChange):
        write(b"one", b"nonsense")
    assert emitted == []
    write(b"one", b"two")
    assert [c.data for c in emitted] == [b"one", b"two"]
    assert bench.texts(note) == ["one", "two"]


def test_a_swallowed_error_in_an_inner_transaction_rolls_everything_back(bench: Bench) -> None:
    note = bench.note()

    def write() -> None:
        with bench.store.transaction():
            bench.store.changes.append(ROOM, note, b"one")
            with contextlib.suppress(BadChange):
                bench.store.changes.append(ROOM, note, b"nonsense")

    with pytest.raises(BugError):
        write()
    assert bench.texts(note) == []


def test_a_received_change_applies_once_however_often_it_comes(bench: Bench) -> None:
    note = bench.note()
    emitted: list[list[StoredChange]] = []
    bench.store.changes.received.connect(emitted.append)
    change = bench.opened(b"hej", note)
    bench.receive(change, change)
    bench.receive(change)
    bench.receive(bench.opened(b"hej", note, change_id=change.change_id))
    assert bench.texts(note) == ["hej"]
    assert [[c.data for c in batch] for batch in emitted] == [[b"hej"]]
    assert bench.store.changes.of(note)[0].n == change.n


def test_an_own_change_that_comes_back_only_gets_its_position(bench: Bench) -> None:
    note = bench.note()
    placed: list[list[StoredChange]] = []
    bench.store.changes.positioned.connect(placed.append)
    change_id = bench.store.changes.append(ROOM, note, b"mitt")
    back = bench.opened(b"mitt", note, uid=ME, change_id=change_id)
    bench.receive(back)
    bench.receive(bench.opened(b"mitt", note, uid=ME, change_id=change_id))
    (change,) = bench.store.changes.of(note)
    assert (change.n, change.t) == (back.n, back.t)
    assert placed == [[change]]
    assert bench.store.db.value("SELECT n FROM note_rows WHERE obj = ?", (note,)) == back.n


def test_a_kind_that_fails_at_a_position_does_not_stop_the_slice(bench: Bench) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    bench.kinds["note"] = replace(bench.kinds["note"], positioned=fail)
    bench.reopen()
    note = bench.note()
    change_id = bench.store.changes.append(ROOM, note, b"mitt")
    back = bench.opened(b"mitt", note, uid=ME, change_id=change_id)
    bench.receive(back, bench.opened(b"ditt", note))
    assert bench.texts(note) == ["mitt", "ditt"]
    assert bench.store.changes.of(note)[0].n == back.n


def test_a_change_id_used_by_somebody_else_keeps_nobodys_change_out(bench: Bench) -> None:
    note = bench.note()
    change_id = bench.store.changes.append(ROOM, note, b"mitt")
    bench.receive(bench.opened(b"falskt", note, uid=OTHER, change_id=change_id))
    assert bench.store.changes.of(note)[0].n is None
    bench.receive(bench.opened(b"mitt", note, uid=ME, change_id=change_id))
    assert [(c.data, c.n is not None) for c in bench.store.changes.of(note)] == [(b"mitt", True), (b"falskt", True)]


def test_a_change_id_counts_within_its_room(bench: Bench) -> None:
    bench.join(OTHER_ROOM)
    here, there = bench.note(), bench.note(room=OTHER_ROOM)
    change_id = new_change()
    bench.receive(bench.opened(b"one", there, change_id=change_id), room=OTHER_ROOM)
    bench.receive(bench.opened(b"two", here, change_id=change_id))
    assert (bench.texts(here), bench.texts(there)) == (["two"], ["one"])


def test_changes_of_an_object_that_is_not_announced_yet_are_projected_when_it_is(bench: Bench) -> None:
    note = bench.note(announced=False)
    bench.receive(bench.opened(b"ett", note), bench.opened("två".encode(), note))
    assert bench.texts(note) == []
    assert len(bench.store.changes.of(note)) == 2
    bench.receive(bench.opened(b"announce" + note + b"note", ObjId(ROOM)), bench.opened(b"tre", note))
    assert bench.texts(note) == ["ett", "två", "tre"]


def test_changes_of_an_unknown_kind_are_projected_once_the_program_knows_it(bench: Bench) -> None:
    kind = bench.kinds.pop("note")
    bench.reopen()
    note = bench.note()
    bench.receive(bench.opened(b"ett", note))
    bench.kinds["note"] = kind
    bench.reopen()
    assert bench.texts(note) == ["ett"]


def test_a_newer_read_model_is_built_from_all_changes(bench: Bench) -> None:
    note = bench.note()
    bench.receive(bench.opened(b"ett", note), bench.opened(b"nonsense", note))
    bench.store.db.conn.execute("UPDATE note_rows SET text = 'gammalt'")
    bench.kinds["note"] = replace(bench.kinds["note"], version=2)
    store = bench.reopen()
    assert bench.texts(note) == ["ett"]
    assert len(store.search.find_here("ett")) == 1
    assert [code for _, code in store.changes.unprojected()] == ["nonsense"]


@pytest.mark.parametrize(("data", "code"), [(b"nonsense", "nonsense"), (b"crash", "bug"), (b"panic", "bug")])
def test_a_change_that_cannot_be_projected_is_kept_and_counted_and_stops_nothing(
    bench: Bench, data: bytes, code: str
) -> None:
    note = bench.note()
    bench.receive(bench.opened(b"ett", note), bench.opened(data, note), bench.opened(b"tre", note))
    bench.receive(bench.opened(b"fyra", note))
    assert bench.texts(note) == ["ett", "tre", "fyra"]
    assert len(bench.store.changes.of(note)) == 4
    assert [c for _, c in bench.store.changes.unprojected(ROOM)] == [code]


def test_a_change_for_another_rooms_object_is_kept_apart_and_counted(bench: Bench) -> None:
    bench.join(OTHER_ROOM)
    note = bench.note()
    bench.receive(bench.opened("rätt".encode(), note))
    bench.receive(bench.opened(b"fel", note), room=OTHER_ROOM)
    assert bench.texts(note) == ["rätt"]
    assert [c.data for c in bench.store.changes.of(note)] == ["rätt".encode()]
    assert [c for _, c in bench.store.changes.unprojected(OTHER_ROOM)] == ["other-room"]


def test_a_rooms_root_object_cannot_be_taken_by_another_room(bench: Bench) -> None:
    late = RoomId(b"L" * 16)
    bench.receive(bench.opened(b"squat", ObjId(late)))
    bench.join(late)
    note = bench.note(room=late)
    bench.receive(bench.opened(b"hej", note), room=late)
    assert bench.texts(note) == ["hej"]
    root = bench.store.objects.get(ObjId(late))
    assert root is not None
    assert (root.room, root.kind) == (late, "room")


def test_changes_come_in_the_order_of_arrival_and_after_a_row(bench: Bench) -> None:
    note = bench.note()
    bench.receive(*(bench.opened(f"{i}".encode(), note) for i in range(300)))
    changes = bench.store.changes.of(note)
    assert [c.data for c in changes] == [f"{i}".encode() for i in range(300)]
    assert bench.store.changes.of(note, changes[297].rowid) == changes[298:]
    assert bench.store.changes.get(changes[5].rowid) == changes[5]
