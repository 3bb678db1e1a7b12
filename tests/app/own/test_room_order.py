# SPDX-License-Identifier: EUPL-1.2
"""Sections and order of rooms: they follow, a removed section loses nothing, and hostile values change nothing."""

from random import Random

import pytest

from app.core.ids import RoomId
from app.own.registers import Registers, of_room
from app.own.room_order import MAX_SECTIONS, MAX_TITLE, RoomOrder
from tests.app.own.devices import Two
from tests.counting import lines_run
from tests.office import ROOM

ROOMS = [RoomId(bytes([letter]) * 16) for letter in b"abcdefgh"]


def shown(order: RoomOrder, rooms: list[RoomId]) -> str:
    def key(room: RoomId) -> tuple[bool, int, int]:
        place = order.place_of(room)
        return place is None, place or 0, rooms.index(room)

    return "".join(chr(room[0]) for room in sorted(rooms, key=key))


def test_a_section_and_what_is_in_it_follows(two: Two) -> None:
    home, office, server = two
    mine, other = RoomOrder(home.own), RoomOrder(office.own)
    told: list[int] = []
    other.changed.connect(lambda: told.append(1))
    first, second = mine.make("Överklaganden 🙂"), mine.make("  Nästa\nvecka ")
    mine.put(ROOMS[0], first)
    mine.set_folded(second, True)
    mine.set_folded("case", True)
    home.own.flush()
    server.meet(home, office)
    assert [(each.ident, each.title) for each in other.sections()] == [
        (first, "Överklaganden 🙂"),
        (second, "Nästa vecka"),
    ]
    assert (other.section_of(ROOMS[0]), other.section_of(ROOMS[1])) == (first, None)
    assert (other.is_folded(second), other.is_folded("case"), other.is_folded(first)) == (True, True, False)
    assert told
    other.move(second, -1)
    other.move(second, -1)
    office.own.flush()
    server.meet(home, office)
    assert [each.ident for each in mine.sections()] == [second, first]


def test_the_rooms_of_a_removed_section_go_back_to_their_type_and_are_in_it_again_when_it_is_restored(two: Two) -> None:
    order = RoomOrder(two[0].own)
    ident = order.make("Brådskande å")
    order.put(ROOMS[0], ident)
    order.remove(ident)
    assert order.sections() == []
    assert order.section_of(ROOMS[0]) is None
    order.rename(ident, "Brådskande å")
    assert order.section_of(ROOMS[0]) == ident
    order.put(ROOMS[0], None)
    assert order.section_of(ROOMS[0]) is None
    assert order.make("\u200b \n") == ""


def test_a_room_stays_where_it_was_put_and_the_others_follow_their_activity(two: Two) -> None:
    order, rooms = RoomOrder(two[0].own), ROOMS[:5]
    order.arrange(rooms, ROOMS[3], 1)
    assert shown(order, rooms) == "adbce"
    assert [order.place_of(room) is None for room in rooms] == [False, True, True, False, True]
    order.arrange([ROOMS[0], ROOMS[3], ROOMS[1], ROOMS[2], ROOMS[4]], ROOMS[4], 0)
    assert shown(order, rooms) == "eadbc"
    back = order.forget_places(rooms)
    assert shown(order, rooms) == "abcde"
    back()
    assert shown(order, rooms) == "eadbc"


def test_any_moves_leave_the_order_that_was_seen(two: Two) -> None:
    chance, order, now = Random(7), RoomOrder(two[0].own), list(ROOMS)
    for _ in range(120):
        room, to = chance.choice(ROOMS), chance.randrange(len(ROOMS))
        order.arrange(now, room, to)
        now.remove(room)
        now.insert(to, room)
        assert shown(order, ROOMS) == "".join(chr(each[0]) for each in now)


@pytest.mark.parametrize("value", ["", "x", 7, True, None, "zz" * 8, "ff" * 8, "f" * 500, "AA" * 8])
def test_a_value_that_is_no_section_and_no_place_changes_nothing(two: Two, value: str | int | None) -> None:
    home = two[0]
    order, rooms, sections = RoomOrder(home.own), Registers(home.own, "rooms"), Registers(home.own, "sections")
    rooms.set(of_room(ROOMS[0], "section"), value)
    sections.set("ff" * 8 + "/order", value)
    sections.set("ff" * 8 + "/folded", value)
    sections.set("no id å/title", "Å")
    sections.set("/title", "Å")
    assert order.section_of(ROOMS[0]) is None
    assert order.sections() == []
    rooms.set(of_room(ROOMS[0], "place"), value)
    assert order.place_of(ROOMS[0]) == (value if value == 7 else None)


def test_titles_of_others_are_one_line_and_a_thousand_sections_are_not_shown(two: Two) -> None:
    home = two[0]
    order, sections = RoomOrder(home.own), Registers(home.own, "sections")
    for n in range(MAX_SECTIONS + 5):
        sections.set(f"{n:016x}/title", f"A\u202e{n:03}\n" + "å" * 500)
    assert len(order.sections()) == MAX_SECTIONS
    assert all(len(each.title) <= MAX_TITLE and "\u202e" not in each.title for each in order.sections())


def test_attack_the_sections_of_a_stolen_device_are_read_once(two: Two) -> None:
    """Each message in any room would have gone through all of them, also once the device was revoked."""
    home, stolen, server = two
    order = RoomOrder(home.own)
    mine = order.make("Överklaganden 🙂")
    home.own.flush()
    server.meet(home, stolen)
    _, model = stolen.own._present(ROOM)
    titles = {f"{n:016x}/title": [home.now_ms, f"Avsnitt {n}"] for n in range(1000)}
    with stolen.store.transaction():
        model.write(stolen.own.dev, 1, {"sections": titles})
    server.meet(home, stolen)
    assert len(order.sections()) == MAX_SECTIONS
    assert lines_run(order.sections) < 20
    order.rename(mine, "Först")
    order.make("Sist")
    assert len(order.sections()) == MAX_SECTIONS
