# SPDX-License-Identifier: EUPL-1.2
"""Read marks further than the room is at this computer, and with another hash than the room's."""

import pytest

from app.core.ids import ObjId
from app.errors import DiskFull
from app.own.joining import MAX_NUMBER, NOTHING_READ, ReadMark
from app.own.reached import MarksAhead
from app.store import read_positions
from tests.app.own.devices import DAY_MS, TALKS, Device, Two, forge, named
from tests.counting import lines_run

CHAT, OTHER = ObjId(b"c" * 16), ObjId(b"o" * 16)
PLACE = CHAT.hex()


def test_a_mark_that_is_further_than_the_room_is_here_counts_once_the_room_is_there(two: Two) -> None:
    home, office, server = two
    home.reach(140)
    home.reads.read(CHAT, 40)
    office.reads.read(CHAT, 30)
    home.own.flush()
    home.reads.read(CHAT, 120, left=[45])
    for device in (home, office):
        device.own.flush()
    emitted: list[frozenset[ObjId]] = []
    office.reads.changed.connect(emitted.append)
    server.meet(home, office)
    assert office.reads.mark(CHAT) == ReadMark(position=30)
    office.reach(119)
    assert office.reads.mark(CHAT) == ReadMark(position=30)
    office.restart()
    office.reads.start()
    office.reads.changed.connect(emitted.append)
    office.reach(120)
    assert office.reads.mark(CHAT) == ReadMark(position=120, left=(45,)) == row_of(office)
    assert emitted == [frozenset({CHAT})]


def test_a_room_that_comes_after_the_mark_of_its_conversation_is_read_up_to_there(two: Two) -> None:
    home, office, server = two
    late = ObjId(b"z" * 16)
    home.follow(conversations=[late])
    home.reads.read(late, 60)
    home.own.flush()
    server.meet(home, office)
    assert office.reads.mark(late) == NOTHING_READ
    office.follow(conversations=[late])
    office.store.changed.emit(TALKS)
    assert office.reads.mark(late) == ReadMark(position=60) == row_of(office, late)


def test_marked_as_unread_counts_above_a_mark_that_is_still_ahead(two: Two) -> None:
    home, office, server = two
    home.reach(140)
    home.reads.unread(CHAT, 130)
    home.own.flush()
    server.meet(home, office)
    office.reads.unread(CHAT, 20)
    office.own.flush()
    server.meet(home, office)
    office.reach(140)
    for device in (home, office):
        assert device.reads.mark(CHAT) == ReadMark(generation=2, position=20)


def row_of(device: Device, series: ObjId = CHAT) -> ReadMark:
    conn = device.store.db.conn
    return ReadMark(
        generation=read_positions.generation(conn, series),
        position=read_positions.position(conn, series),
        left=read_positions.left(conn, series),
    )


@pytest.mark.parametrize("generation", [0, 7])
@pytest.mark.parametrize("hash_of_it", ["", "ab" * 8, named(90), named(100).upper()])
def test_attack_a_mark_with_another_hash_than_the_rooms_never_counts(
    two: Two, generation: int, hash_of_it: str
) -> None:
    """A stolen device read all that will ever be written, until the person marked something as unread."""
    home, stolen, server = two
    home.reads.read(CHAT, 40)
    home.own.flush()
    server.meet(home, stolen)
    forge(stolen, {PLACE: [generation, 110, hash_of_it]})
    forge(stolen, {OTHER.hex(): [generation, MAX_NUMBER - 1, hash_of_it]})
    server.meet(home, stolen)
    for upto in (109, 110, 150):
        home.reach(upto)
        assert home.reads.mark(CHAT) == ReadMark(position=40) == row_of(home)
        assert home.reads.mark(OTHER) == NOTHING_READ == row_of(home, OTHER)
    home.reads.read(CHAT, 120)
    home.restart()
    home.reads.start()
    assert home.reads.mark(CHAT) == ReadMark(position=120) == row_of(home)


def test_attack_a_mark_that_does_not_count_here_is_not_carried_into_the_next_year(two: Two) -> None:
    home, stolen, server = two
    home.reads.read(CHAT, 40)
    home.own.flush()
    server.meet(home, stolen)
    forge(stolen, {PLACE: [5, MAX_NUMBER - 1, "ab" * 8], OTHER.hex(): [0, 120, named(120)]})
    server.meet(home, stolen)
    home.now_ms += 60 * DAY_MS
    home.settings.set("theme", "dark")
    home.own.flush()
    home.settings.set("theme", "light")
    home.own.flush()
    newest = max(home.own.objects(), key=lambda each: each.year or 0)
    assert newest.values("reads", PLACE) == {home.own.dev: [0, 40, named(40)]}
    assert newest.keys("reads") == {PLACE}
    home.reach(120)  # and one that counts now is carried over
    home.settings.set("theme", "dark")
    home.own.flush()
    assert newest.values("reads", OTHER.hex()) == {home.own.dev: [0, 120, named(120)]}


def test_a_mark_counts_although_what_brought_the_room_there_was_refused_once(
    two: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, office, server = two
    home.reach(120)
    home.reads.read(CHAT, 120)
    home.own.flush()
    server.meet(home, office)

    def refuse(*_args: object) -> None:
        raise DiskFull

    with monkeypatch.context() as full:
        full.setattr(office.store.changes, "receive", refuse)
        with pytest.raises(DiskFull):
            office.reach(120)
    assert office.reads.mark(CHAT) == NOTHING_READ == row_of(office)
    office.reach(120)
    assert office.reads.mark(CHAT) == ReadMark(position=120) == row_of(office)


def test_attack_a_mark_that_moves_again_and_again_while_it_is_ahead_leaves_nothing_behind() -> None:
    """A stolen device could fill the memory, and the room's next item waited until all of it was looked through."""

    def moved(times: int) -> MarksAhead:
        ahead = MarksAhead()
        for n in range(times):
            ahead.note(OTHER.hex(), TALKS, 1000 + n)
            ahead.note(PLACE, TALKS, 200_000 - n)
            ahead.note(PLACE, TALKS, None)
        ahead.note(PLACE, TALKS, 200_000)
        return ahead

    few, many = moved(1000), moved(10_000)
    assert lines_run(lambda: many.due(TALKS, MAX_NUMBER)) < 2 * lines_run(lambda: few.due(TALKS, MAX_NUMBER))
    assert many.due(TALKS, 199_999) == [OTHER.hex()]
    assert many.take(TALKS, 200_000) == [OTHER.hex(), PLACE]
    assert many.due(TALKS, MAX_NUMBER) == []
