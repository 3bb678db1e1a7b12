# SPDX-License-Identifier: EUPL-1.2
"""What happened in a room: each kind of line, in the order of positions, and what a newcomer may see of it."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import permutations

import pytest

from app.core import clock
from app.core.enums import Role
from app.core.ids import ChangeId, DevId, Hash, ObjId, RoomId, Uid
from app.rooms.projection import KIND
from app.rooms.records import RoomNamed, encode
from app.store import room_lines
from app.store.room_lines import ALL, RoomLine, Wanted, next_after, next_before, visible
from app.store.statements import MAX_INT
from app.store.store import Store
from sync.client.ports import OpenedChange, OpenedHeartbeat, RoomEvent
from sync.client.received import OpenedContent, ReceivedSlice
from sync.trust.room.successor_claim import Origin
from tests.app.store.conftest import DEV, KEY, ME, OTHER, ROOM, Bench

THIRD = Uid(b"Q" * 16)
OBJ = ObjId(b"N" * 16)
END = MAX_INT


def named(n: int, title: str, *, by: Uid = OTHER, place: int = 0) -> OpenedChange:
    record = encode(RoomNamed(title=title, type="case"))
    change_id = ChangeId(bytes([n, place]) * 8)
    return OpenedChange(
        n=n, t=n * 1000, uid=by, dev=DEV, obj=ObjId(ROOM), change_id=change_id, payload=record, place=place
    )


def event(n: int, kind: str, by: Uid = OTHER, **more: object) -> RoomEvent:
    return RoomEvent(n=n, t=n * 1000, kind=kind, by=by, **more)  # type: ignore[arg-type] # what the kind has


def beat(n: int, uid: Uid) -> OpenedHeartbeat:
    return OpenedHeartbeat(n=n, t=n * 1000, uid=uid, dev=DevId(uid), payload=b"")


def receive(
    store: Store,
    events: Sequence[RoomEvent] = (),
    changes: Sequence[OpenedChange] = (),
    beats: Sequence[OpenedHeartbeat] = (),
) -> None:
    store.receive(ReceivedSlice(room=ROOM, events=events, changes=changes, heartbeats=beats))


def lines(store: Store, wanted: Wanted = ALL, *, limit: int = 100) -> list[RoomLine]:
    return store.room_lines.between(ROOM, 0, END, limit, wanted)


def brief(found: Sequence[RoomLine]) -> list[tuple[int, str]]:
    return [(line.n, line.kind) for line in found]


@pytest.fixture
def store(bench: Bench) -> Store:
    """A store whose room kind is the product's."""
    bench.store.close()
    bench.path.unlink()
    made = Store.create(bench.path, KEY, {KIND.id: KIND})
    made.set_me(ME)
    bench.store = made
    return made


def test_every_kind_of_entry_is_a_line_at_its_position(store: Store) -> None:
    kinds = ["genesis", "add", "policy", "pin", "epoch", "propose", "approve", "hist", "note", "cannot_open", "destroy",
             "prune", "recovery_use", "leave", "rm"]  # fmt: skip
    receive(store, [event(n, kind) for n, kind in enumerate(kinds, start=1)])
    assert brief(lines(store)) == list(enumerate(kinds, start=1))


def test_a_role_line_says_the_role_before(store: Store) -> None:
    steps = [
        event(1, "genesis"),
        event(2, "add", subject=THIRD, role=Role.READER, history=True),
        event(3, "role", subject=THIRD, role=Role.ADMIN),
        event(4, "role", subject=THIRD, role=Role.WRITER),
        event(5, "role", by=THIRD, subject=OTHER, role=Role.WRITER),
    ]
    receive(store, steps)
    roles = [(line.was, line.role) for line in lines(store, Wanted(kinds=["role"]))]
    assert roles == [(Role.READER, Role.ADMIN), (Role.ADMIN, Role.WRITER), (Role.OWNER, Role.WRITER)]


def test_a_new_key_says_what_made_the_room_owe_it(store: Store) -> None:
    before = ["genesis", "leave", "epoch", "epoch", "pin", "epoch", "rm", "epoch"]
    receive(store, [event(n, kind) for n, kind in enumerate(before, start=1)])
    why = [line.why for line in lines(store, Wanted(kinds=["epoch"]))]
    assert why == ["leave", None, "pin", None]  # a removal brings its own key


def test_the_first_key_of_a_room_is_no_line_and_later_ones_are(store: Store) -> None:
    made = ["genesis", "epoch", "add", "epoch"]
    receive(store, [event(n, kind) for n, kind in enumerate(made, start=1)])
    assert brief(lines(store)) == [(1, "genesis"), (3, "add"), (4, "epoch")]
    assert store.room_lines.positions(ROOM, 0, END, ["epoch"]) == [4]


def test_the_first_line_of_a_successor_says_that_it_continues_a_room(store: Store) -> None:
    origin = Origin(room=RoomId(b"X" * 16), n=9, rh=Hash(b"9" * 32))
    receive(store, [event(1, "genesis", origin=origin)])
    assert [line.why for line in lines(store)] == ["origin"]


def test_who_was_added_joins_with_the_first_thing_they_do(store: Store) -> None:
    receive(store, [event(1, "genesis"), event(2, "add", subject=THIRD, role=Role.WRITER, history=True)])
    receive(store, beats=[beat(5, THIRD)])
    receive(store, changes=[named(6, "Ärende åäö", by=THIRD)])
    assert brief(lines(store)) == [(1, "genesis"), (2, "add"), (5, "joined")]


def test_an_earlier_sign_that_is_opened_later_is_when_somebody_joined(store: Store) -> None:
    receive(store, [event(2, "add", subject=THIRD)], beats=[beat(9, THIRD)])
    store.receive(OpenedContent(room=ROOM, heartbeats=[beat(4, THIRD)]))
    assert brief(lines(store)) == [(2, "add"), (4, "joined")]


def test_whoever_is_added_again_joins_again(store: Store) -> None:
    receive(store, [event(2, "add", subject=THIRD)], beats=[beat(3, THIRD)])
    receive(store, [event(4, "leave", by=THIRD), event(5, "add", subject=THIRD)])
    assert brief(lines(store))[-1] == (5, "add")  # not by leaving, and not by what they did before
    receive(store, beats=[beat(8, THIRD)])
    assert brief(lines(store, Wanted(kinds=["joined"]))) == [(3, "joined"), (8, "joined")]


def test_the_founder_joins_nothing(store: Store) -> None:
    receive(store, [event(1, "genesis")], changes=[named(2, "Rum")])
    assert brief(lines(store)) == [(1, "genesis")]


def test_a_new_title_is_a_line_with_the_one_before(store: Store) -> None:
    receive(store, changes=[named(2, "Bygglov 🙂"), named(4, "Bygglov åäö", by=THIRD), named(5, "Bygglov åäö")])
    found = [(line.n, line.by, line.old, line.title) for line in lines(store)]
    assert found == [(4, THIRD, "Bygglov 🙂", "Bygglov åäö")]


def test_titles_have_the_order_of_their_positions_however_they_come(store: Store) -> None:
    receive(store, changes=[named(9, "Sist")])
    receive(store, changes=[named(3, "Först")])
    receive(store, changes=[named(6, "Sedan"), named(6, "Strax", place=1)])
    row = store.rooms_list.get(ROOM)
    assert row is not None
    assert row.title == "Sist"
    found = [(line.n, line.old, line.title) for line in lines(store)]
    assert found == [(6, "Först", "Sedan"), (6, "Sedan", "Strax"), (9, "Strax", "Sist")]


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_a_title_has_the_one_before_in_whatever_order_they_come(store: Store, order: tuple[int, ...]) -> None:
    titles = [named(3, "Ett"), named(5, "Två"), named(5, "Två", place=1), named(8, "Ett")]
    for i in order:
        receive(store, changes=[titles[i]])
    assert [(line.n, line.place, line.old, line.title) for line in lines(store)] == [
        (5, 0, "Ett", "Två"),
        (8, 0, "Två", "Ett"),
    ]


def test_own_title_that_gets_a_position_before_others_is_a_line_there(store: Store) -> None:
    own = store.changes.append(ROOM, ObjId(ROOM), encode(RoomNamed(title="Eget", type="case")))
    receive(store, changes=[named(3, "Först"), named(7, "Sist")])
    receive(
        store,
        changes=[replace(named(5, "Eget", by=ME), change_id=own, payload=encode(RoomNamed(title="Eget", type="case")))],
    )
    assert [(line.n, line.old, line.title) for line in lines(store)] == [(5, "Först", "Eget"), (7, "Eget", "Sist")]


def test_renames_to_one_title_are_not_read(store: Store) -> None:
    """100,000 of them took 100 ms each time the lines were read."""
    plan = [row[3] for row in store.db.rows(f"EXPLAIN QUERY PLAN {room_lines._TITLES}", (ROOM, 0, END))]
    assert plan == ["SEARCH titles USING INDEX titles_that_changed (room=? AND sort>? AND sort<?)"]


def test_a_title_that_waits_is_shown_and_is_no_line_yet(store: Store) -> None:
    receive(store, changes=[named(3, "Först")])
    store.changes.append(ROOM, ObjId(ROOM), encode(RoomNamed(title="Eget", type="case")))
    row = store.rooms_list.get(ROOM)
    assert row is not None
    assert row.title == "Eget"
    assert lines(store) == []


def test_the_lines_are_the_same_after_the_read_model_is_made_again(bench: Bench, store: Store) -> None:
    receive(store, [event(1, "genesis")], [named(2, "Ett"), named(3, "Två"), named(4, "Tre")])
    before = lines(store)
    store.db.conn.execute("UPDATE kinds SET version = 0")
    store.close()
    bench.store = Store.open(bench.path, KEY, {KIND.id: KIND})
    assert lines(bench.store) == before
    assert [line.kind for line in before] == ["genesis", "title", "title"]


def test_a_restored_server_is_a_line_where_this_devices_copy_ended(store: Store) -> None:
    store.receive(ReceivedSlice(room=ROOM, cursor=4, state=b"", events=[event(1, "genesis"), event(5, "prune")]))
    for code in ("restored", "restored", None, "restored", "fork"):
        store.set_problem(ROOM, code)
    assert brief(lines(store)) == [(1, "genesis"), (4, "restored"), (5, "prune")]
    assert brief(lines(store, Wanted(uid=OTHER))) == [(1, "genesis"), (5, "prune")]
    assert brief(lines(store, Wanted(kinds=["restored"]))) == [(4, "restored")]
    assert lines(store, Wanted(kinds=["restored"], since=clock.now_ms() + 60_000)) == []
    assert len(store.room_lines.positions(ROOM, 0, END, ["restored", "genesis"])) == 2


def test_each_room_that_continues_this_one_is_a_line_of_its_own(store: Store) -> None:
    store.receive(ReceivedSlice(room=ROOM, cursor=4, state=b"", events=[event(1, "genesis")]))
    for new in (b"S" * 16, b"T" * 16):
        origin = Origin(room=ROOM, n=4, rh=Hash(b"5" * 32))
        begun = RoomEvent(n=1, t=7000, kind="genesis", by=OTHER, origin=origin)
        named_so = replace(named(2, new.decode()), obj=ObjId(new), change_id=ChangeId(new))
        store.receive(ReceivedSlice(room=RoomId(new), cursor=2, state=b"", events=[begun], changes=[named_so]))
    assert [store.origins.note_believed(o) for o in [*store.origins.successors(ROOM)] * 2] == [True, True, False, False]
    found = lines(store, Wanted(kinds=["continued"]))
    assert [(line.n, line.t, line.by, line.title) for line in found] == [
        (4, 7000, OTHER, "S" * 16),
        (4, 7000, OTHER, "T" * 16),
    ]
    assert len({line.key for line in found}) == 2


def test_an_entry_that_comes_twice_is_one_line(store: Store) -> None:
    for _ in range(2):
        receive(store, [event(1, "genesis"), event(2, "add", subject=THIRD)], beats=[beat(3, THIRD)])
    assert brief(lines(store)) == [(1, "genesis"), (2, "add"), (3, "joined")]


def test_a_kind_that_a_newer_program_stored_is_read_like_the_others(store: Store) -> None:
    receive(store, [event(1, "genesis"), event(2, "from the future")])
    assert brief(lines(store)) == [(1, "genesis"), (2, "from the future")]


# -- who may see what --------------------------------------------------------------------------------------------


def test_a_newcomer_sees_what_happened_from_their_own_addition_on(store: Store) -> None:
    early = [event(1, "genesis"), event(2, "add", subject=THIRD), event(3, "rm", subject=THIRD)]
    receive(store, [*early, event(4, "add", subject=ME, history=False), event(5, "role", subject=ME, role=Role.ADMIN)])
    assert brief(lines(store)) == [(4, "add"), (5, "role")]
    assert brief(store.room_lines.before(ROOM, END, 50)) == [(5, "role"), (4, "add")]
    assert len(store.room_lines.positions(ROOM, 0, END, ["genesis", "add", "rm", "role"])) == 2
    receive(store, [event(6, "hist", subject=ME)])
    assert len(lines(store)) == 6  # the history was given to them


def test_a_former_member_sees_nothing_of_the_time_between(store: Store) -> None:
    own = [(1, "add", False), (9, "rm", None), (20, "add", False), (30, "leave", None)]
    assert visible(own) == [(1, 9), (20, 30)]
    assert visible([(1, "genesis", None), (5, "leave", None), (9, "add", False)]) == [(0, 5), (9, MAX_INT)]
    assert visible([(1, "add", False), (5, "rm", None), (9, "add", True)]) == [(0, MAX_INT)]
    assert visible([]) == [(0, MAX_INT)]


# -- reading --------------------------------------------------------------------------------------------------------


def test_pages_of_lines_join_to_all_of_them(store: Store) -> None:
    receive(store, [event(n, "role", subject=THIRD, role=Role.WRITER) for n in range(1, 51)])
    receive(store, [event(7, "reset"), event(7, "heir")], [named(7, "A"), named(7, "B", place=1), named(40, "C")])
    everything = lines(store, limit=1000)
    for size in (1, 2, 3, 7, 50):
        found, (n, skip) = list[RoomLine](), (END, 0)
        while page := store.room_lines.before(ROOM, n, size, skip=skip):
            found += page
            n, skip = next_before(page, size, (n, skip))
        assert found == everything[::-1]
        found, (n, skip) = [], (0, 0)
        while page := store.room_lines.between(ROOM, n, END, size, skip=skip):
            found += page
            n, skip = next_after(page, size, (n, skip))
        assert found == everything


def test_lines_are_found_by_person_kind_and_time(store: Store) -> None:
    receive(store, [event(1, "genesis"), event(2, "add", subject=THIRD), event(3, "add", subject=ME, history=True)])
    receive(store, [event(4, "rm", by=ME, subject=THIRD)], beats=[beat(5, ME)])  # an entry counts
    assert brief(lines(store, Wanted(uid=THIRD))) == [(2, "add"), (4, "rm")]
    assert brief(lines(store, Wanted(kinds=["add", "joined"]))) == [(2, "add"), (3, "add"), (4, "joined")]
    assert brief(lines(store, Wanted(since=4000))) == [(4, "rm"), (4, "joined")]
    assert brief(lines(store, Wanted(kinds=["joined"]))) == [(4, "joined")]
    assert brief(lines(store, Wanted(kinds=()))) == []
    assert set(store.room_lines.people(ROOM)) == {ME, OTHER, THIRD}


def test_the_mark_moves_with_each_kind_of_line(store: Store) -> None:
    marks = [store.room_lines.mark(ROOM)]
    slices = [
        ReceivedSlice(room=ROOM, events=[event(1, "genesis"), event(2, "add", subject=THIRD)]),
        ReceivedSlice(room=ROOM, heartbeats=[beat(3, THIRD)]),
        ReceivedSlice(room=ROOM, changes=[named(4, "A")]),
    ]
    for each in slices:
        store.receive(each)
        marks.append(store.room_lines.mark(ROOM))
    assert len(set(marks)) == len(marks)
    assert store.room_lines.mark(RoomId(b"X" * 16)) == (0, 0, 0, 0)


# -- hostile --------------------------------------------------------------------------------------------------------


def test_a_title_that_hides_or_turns_text_round_is_shown_plain(store: Store) -> None:
    receive(store, changes=[named(1, "Ett"), named(2, "\u202etxt.exe\x00\n" + "å" * 150)])
    (line,) = lines(store)
    assert line.title is not None
    assert not {"\u202e", "\x00", "\n"} & set(line.title)


def test_a_title_that_is_too_long_is_no_line_and_stops_nothing(store: Store) -> None:
    receive(store, changes=[named(1, "Ett"), named(2, "x" * 10_000), named(3, "Två")])
    assert [(line.old, line.title) for line in lines(store)] == [("Ett", "Två")]


def test_five_thousand_role_changes_are_read_a_page_at_a_time(store: Store) -> None:
    roles = [Role.READER, Role.WRITER]
    receive(store, [event(1, "add", subject=THIRD, role=Role.ADMIN, history=True)])
    receive(store, [event(n, "role", subject=THIRD, role=roles[n % 2]) for n in range(2, 5002)])
    page = store.room_lines.before(ROOM, END, 200)
    assert [line.n for line in page] == list(range(5001, 4802, -1))  # the last position may have had more
    assert all(line.was is not line.role for line in page)
    assert len(store.room_lines.positions(ROOM, 0, END, ["role"])) == 5000


def test_the_positions_of_lines_are_those_of_all_lines(store: Store) -> None:
    receive(store, [event(1, "genesis"), event(2, "add", subject=THIRD), event(4, "leave"), event(6, "epoch")])
    receive(store, changes=[named(3, "Ett å"), named(5, "Två 🙂"), named(5, "Tre", place=1)], beats=[beat(7, THIRD)])
    kinds = ["genesis", "add", "joined", "title", "epoch"]
    assert store.room_lines.positions(ROOM, 1, 6, kinds) == [2, 5, 5, 6]
    assert store.room_lines.positions(ROOM, 0, END, kinds) == [line.n for line in lines(store, Wanted(kinds=kinds))]
    for at in ([2, 5], [3, 6], []):
        found = lines(store, Wanted(kinds=kinds, at=at))
        assert found == [line for line in lines(store, Wanted(kinds=kinds)) if line.n in at]
