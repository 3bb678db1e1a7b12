# SPDX-License-Identifier: EUPL-1.2
"""Lists of objects, and what each has beside its changes."""

from app.core.enums import Level
from app.core.ids import ObjId
from app.store import counters
from app.store.counters import Counter, Latest
from app.store.objects import announce, set_deleted, set_title
from app.store.rooms import name
from tests.app.store.conftest import ME, OTHER, ROOM, Bench


def test_objects_are_listed_by_room_and_kind_latest_first(bench: Bench) -> None:
    first, second = bench.note(), bench.note()
    bench.note(announced=False)
    bench.receive(bench.opened(b"x", second))
    bench.receive(bench.opened(b"x", first))
    assert [o.obj for o in bench.store.objects.all(ROOM, "note")] == [first, second]
    assert bench.store.objects.all(ROOM, "board") == []
    chat = bench.store.objects.first(ROOM, "note")
    assert chat is not None
    assert chat.obj == first


def test_titles_and_putting_away_show_in_lists(bench: Bench) -> None:
    note = bench.note()
    with bench.store.transaction() as conn:
        set_title(conn, note, "Utkast till beslut åäö")
    assert [o.title for o in bench.store.objects.all(ROOM, "note")] == ["Utkast till beslut åäö"]
    with bench.store.transaction() as conn:
        set_deleted(conn, ROOM, note, True)
    assert bench.store.objects.all(ROOM, "note") == []
    assert [o.obj for o in bench.store.objects.all(ROOM, "note", deleted=True)] == [note]


def test_the_first_announcement_of_an_object_counts(bench: Bench) -> None:
    note = bench.note()
    with bench.store.transaction() as conn:
        assert announce(conn, ROOM, note, "board", 1, OTHER)
        assert not announce(conn, b"r" * 16, note, "board", 1, OTHER)  # type: ignore[arg-type]  # any room
    row = bench.store.objects.get(note)
    assert row is not None
    assert row.kind == "note"


def test_drafts_marks_and_states_survive_a_restart(bench: Bench) -> None:
    note = bench.note()
    objects = bench.store.objects
    objects.set_draft(ROOM, note, "halvfärdigt 🙂".encode())
    objects.set_read_mark(ROOM, note, 7)
    objects.set_read_mark(ROOM, note, 3)
    objects.opened(note)
    objects.set_crdt_state(note, 5, b"state")
    objects = bench.reopen().objects
    assert objects.draft(note) == "halvfärdigt 🙂".encode()
    assert objects.read_mark(note) == 7
    assert [o.obj for o, _ in objects.recent()] == [note]
    assert objects.crdt_state(note) == (5, b"state")
    objects.set_draft(ROOM, note, None)
    assert objects.draft(note) is None
    assert objects.read_mark(ObjId(b"x" * 16)) == 0


def test_a_rooms_row_shows_what_the_tools_write(bench: Bench) -> None:
    note = bench.note()
    with bench.store.transaction() as conn:
        name(conn, ROOM, "Ärende 2026:17", "case", 1)
        latest = Latest(t=4000, by=OTHER, preview="Kan du titta på det här?")
        counters.put(conn, ROOM, note, Counter(unread=3, mentions=1, last=latest))
    bench.store.rooms_list.set_level(ROOM, Level.NOTHING)
    room = bench.store.rooms_list.get(ROOM)
    assert room is not None
    assert (room.title, room.type, room.unread, room.mentions, room.level) == (
        "Ärende 2026:17",
        "case",
        3,
        1,
        Level.NOTHING,
    )
    assert (room.last_t, room.last_by, room.created) == (4000, OTHER, 1000)
    assert bench.store.me == ME
