# SPDX-License-Identifier: EUPL-1.2
"""▲ Which objects are part of a conversation: it follows from the positions of the room's records alone."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.ids import ObjId, RoomId
from app.core.months import begins_ms, month_of
from app.errors import BadChange
from app.rooms.records import ObjectAnnounced, decode, encode
from sync.trust.room.envelope import object_of
from tests.app.chat.months import JANUARY, announced, at, come, counting, months_object, set_to, texts, written
from tests.office import CHANNEL, HL, ROOM, Desk, desk

NOVEMBER = at(2026, 11)
DECEMBER = at(2026, 12)


@pytest.fixture
def hl(tmp_path: Path) -> Iterator[Desk]:
    """A desk whose conversation begins in November 2026."""
    with set_to(NOVEMBER):
        made = desk(tmp_path / "hl", HL)
        yield made
        made.close()


@pytest.mark.parametrize(
    ("t", "month"),
    [
        (at(2026, 1, 31, 22), JANUARY),
        (at(2026, 1, 31, 23), JANUARY + 1),
        (at(2026, 3, 31, 21), JANUARY + 2),
        (at(2026, 3, 31, 22), JANUARY + 3),
        (at(2026, 10, 31, 22), JANUARY + 9),
        (at(2026, 10, 31, 23), JANUARY + 10),
        (at(2026, 12, 31, 23), JANUARY + 12),
        (-5, 12 * 1970),
    ],
)
def test_a_month_begins_at_midnight_of_swedish_time(t: int, month: int) -> None:
    assert month_of(t) == month
    assert t < 0 or begins_ms(month) <= t < begins_ms(month + 1)


def test_messages_of_two_months_are_one_conversation_in_the_rooms_order(hl: Desk) -> None:
    december = months_object(1)
    come(hl, written(CHANNEL, 10, NOVEMBER, "november å"), announced(december, 11, DECEMBER))
    come(hl, written(december, 12, DECEMBER, "december ö"), written(CHANNEL, 13, DECEMBER, "till november"))
    assert texts(hl) == ["november å", "december ö", "till november"]
    assert hl.chat.unread(ROOM) == (3, 0)
    assert hl.chat.channel(ROOM) == CHANNEL


def test_attack_a_ninth_object_of_a_month_is_no_part_of_the_conversation(hl: Desk) -> None:
    objs = [months_object(number) for number in range(9)]
    come(hl, *(announced(obj, 10 + i, DECEMBER) for i, obj in enumerate(objs)))
    come(hl, *(written(obj, 30 + i, DECEMBER, f"ord{i}") for i, obj in enumerate(objs)))
    assert texts(hl) == [f"ord{i}" for i in range(8)]
    assert hl.chat.unread(ROOM) == (8, 0)
    assert hl.store.search.find_here("ord8") == []
    assert [hit.obj for hit in hl.store.search.find_here("ord7")] == [CHANNEL]


def test_the_first_object_of_a_conversation_is_one_of_the_eight_of_its_month(hl: Desk) -> None:
    objs = [months_object(number) for number in range(8)]
    come(hl, *(announced(obj, 10 + i, NOVEMBER) for i, obj in enumerate(objs)))
    assert counting(hl) == [CHANNEL, *objs[:7]]


def test_attack_a_month_is_announced_at_most_one_ahead_of_its_time(hl: Desk) -> None:
    near, far = months_object(1), months_object(2)
    come(hl, announced(near, 10, NOVEMBER, period=month_of(DECEMBER)))
    come(hl, announced(far, 11, NOVEMBER, period=month_of(DECEMBER) + 1))
    come(hl, written(near, 12, NOVEMBER, "nära"), written(far, 13, at(2027, 3), "långt bort"))
    assert texts(hl) == ["nära"]


def test_attack_an_object_of_another_kind_is_no_month_though_it_is_announced_as_one_later(hl: Desk) -> None:
    """Otherwise everybody would write the month's messages into a document, where nobody sees them."""
    december = months_object(1)
    come(hl, announced(december, 10, DECEMBER, kind="document"), announced(december, 11, DECEMBER))
    assert counting(hl) == [CHANNEL]


@pytest.mark.parametrize("series", [ObjId(b"unknown".ljust(16)), months_object(1), ObjId(ROOM)])
def test_attack_an_object_of_a_series_that_is_none_is_no_part_of_a_conversation(hl: Desk, series: ObjId) -> None:
    """`months_object(1)` is itself a part of another series."""
    come(hl, announced(months_object(1), 10, DECEMBER), announced(months_object(2), 11, DECEMBER, series=series))
    come(hl, written(months_object(2), 12, DECEMBER, "för sig"))
    assert counting(hl) == [CHANNEL, months_object(1)]
    assert texts(hl) == []


def test_attack_another_rooms_announcement_takes_no_place_in_a_conversation(hl: Desk) -> None:
    other = RoomId(b"o" * 16)
    changes = [replace(announced(months_object(n), 1 + n, DECEMBER), obj=ObjId(other)) for n in range(9)]
    come(hl, *changes, room=other)
    come(hl, announced(months_object(20), 10, DECEMBER))
    assert counting(hl) == [CHANNEL, months_object(20)]
    assert [part.counts for part in hl.store.series.all(other)] == [False] * 9


def test_what_is_announced_again_for_a_new_member_comes_before_what_is_not(hl: Desk) -> None:
    """A new member has the announcements of before their time again, at later positions than a colleague's object that
    was made meanwhile. They count what everybody counts."""
    new, again = months_object(20), [months_object(number) for number in range(8)]
    come(hl, announced(new, 10, DECEMBER))
    come(hl, *(announced(obj, 11 + i, DECEMBER, baseline=True) for i, obj in enumerate(again)))
    assert counting(hl) == [CHANNEL, *again]


def test_the_announcement_at_the_lowest_position_counts_though_it_is_received_later(hl: Desk) -> None:
    december = months_object(1)
    come(hl, announced(december, 20, DECEMBER, series=december), written(december, 21, DECEMBER, "ord"))
    assert texts(hl) == []
    come(hl, announced(december, 10, DECEMBER))
    assert texts(hl) == ["ord"]


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_the_same_objects_count_in_whatever_order_the_records_are_received(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """A key may come late, so that a device reads what is behind a position before that position itself."""
    objs = [months_object(number) for number in range(11)]
    changes = [announced(obj, 10 + i, DECEMBER, period=month_of(NOVEMBER) + i % 2) for i, obj in enumerate(objs)]
    changes += [announced(objs[i], 30 + i, DECEMBER, baseline=i % 3 == 0) for i in range(11)]
    changes += [announced(objs[i], 5 + i, NOVEMBER, series=objs[0] if i else CHANNEL) for i in range(4)]
    changes.append(announced(ObjId(b"second".ljust(16)), 50, DECEMBER, series=ObjId(b"second".ljust(16))))
    changes += [written(obj, 60 + i, DECEMBER, f"ord {i}") for i, obj in enumerate(objs)]
    found = []
    for order in (changes, data.draw(st.permutations(changes))):
        with set_to(NOVEMBER):
            hl = desk(tmp_path_factory.mktemp("desk"), HL)
            timeline = hl.chat.timeline(ROOM)
            for change in order:
                come(hl, change)
            found.append((counting(hl), [timeline.message(i).text for i in range(len(timeline))], texts(hl)))
            hl.close()
    assert found[0] == found[1]
    assert found[0][1] == found[0][2]


def test_an_own_announcement_is_judged_by_its_position_once_it_has_one(hl: Desk) -> None:
    """Offline it counts after all that has a position."""
    with set_to(DECEMBER):
        hl.chat.send(ROOM, "eget")
    ((own,),) = [[part.obj for part in hl.store.series.all(ROOM) if part.obj != CHANNEL]]
    assert hl.store.series.present(ROOM, CHANNEL, month_of(DECEMBER)) == own
    theirs = months_object(1)
    come(hl, announced(theirs, 10, DECEMBER), written(theirs, 11, DECEMBER, "deras"))
    assert hl.store.series.present(ROOM, CHANNEL, month_of(DECEMBER)) == theirs
    assert set(counting(hl)) == {CHANNEL, own, theirs}


def test_attack_nobody_writes_to_an_object_of_another_room_that_is_announced_as_a_month(hl: Desk) -> None:
    """Members of that room would never read what is written there."""
    foreign = object_of(RoomId(b"o" * 16), b"s" * 32)
    come(hl, announced(foreign, 10, DECEMBER), written(foreign, 11, DECEMBER, "hit"))
    with set_to(DECEMBER):
        sent = hl.chat.send(ROOM, "dit jag vill")
    timeline = hl.chat.timeline(ROOM)
    assert texts(hl) == ["hit", "dit jag vill"]
    assert (timeline.message(1).change_id, timeline.message(1).obj == foreign) == (sent, False)


@pytest.mark.parametrize(("series", "period"), [(b"short", 24_000), (b"s" * 16, -1), (b"s" * 16, 12 * 9999)])
def test_a_series_that_is_no_id_or_a_month_that_is_none_is_a_bad_record(series: bytes, period: int) -> None:
    with pytest.raises(BadChange) as e:
        decode(encode(ObjectAnnounced(obj=b"o" * 16, kind="chat", series=series, period=period)))
    assert e.value.code == "bad-record"
