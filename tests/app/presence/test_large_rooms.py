# SPDX-License-Identifier: EUPL-1.2
"""A room of more than 100 members: who is shown is asked, and no desk receives more than two frames a second."""

import pytest

from app.core.enums import Presence
from app.presence.asking import AT_ONCE, interval_s
from app.presence.audience import MOST, Audience
from app.presence.records import Ask, Here, Record, encode
from tests.app.presence.simulated import Desk, World, busy_room, room_of, uid_of

ROOM = room_of(1)


def large(members: int = MOST + 20, desks: int = 4) -> tuple[World, list[Desk]]:
    w = World({ROOM: [uid_of(n) for n in range(members)]})
    at = [w.desk(n) for n in range(desks)]
    w.connect(*at)
    w.time.pass_s(5)
    return w, at


def test_nothing_is_sent_to_all_and_those_who_are_shown_are_asked() -> None:
    w, (a, b, c, _) = large()
    assert w.frames == []
    b.service.choose(Presence.BUSY, "Föredragning å")
    a.service.show("panel", [b.uid])
    w.time.pass_s(2)
    found = a.service.of(b.uid)
    assert found is not None
    assert found.text == "Föredragning å"
    assert (a.service.of(c.uid), c.service.of(b.uid)) == (None, None)
    assert all(to is not None for _, _, to in w.frames)


def test_a_device_that_asked_receives_a_change_and_the_end() -> None:
    w, (a, b, *_) = large()
    a.service.show("panel", [b.uid])
    w.time.pass_s(20)
    b.service.choose(Presence.BUSY)
    w.time.pass_s(3)
    found = a.service.of(b.uid)
    assert found is not None
    assert found.state is Presence.BUSY
    b.service.end()
    w.time.pass_s(1)
    assert a.service.of(b.uid) is None


def test_a_person_is_asked_again_only_after_two_minutes_and_while_they_are_shown() -> None:
    w, (a, b, *_) = large()
    for _ in range(20):
        a.service.show("panel", [b.uid])
        w.time.pass_s(5)
    assert sum(uid == a.uid for _, uid, _ in w.frames) == 1
    w.time.pass_s(80)
    assert sum(uid == a.uid for _, uid, _ in w.frames) == 2
    a.service.show("panel", [])
    w.time.pass_s(3600)
    assert sum(uid == a.uid for _, uid, _ in w.frames) == 2


def test_a_few_people_are_asked_at_a_time() -> None:
    w, (a, *_) = large(desks=110)
    a.service.show("panel", [uid_of(n) for n in range(1, 100)])
    w.time.pass_s(2)
    asked = [frame for frame in w.frames if frame[1] == a.uid]
    assert len(asked) == AT_ONCE
    w.time.pass_s(70)
    assert sum(a.service.of(uid_of(n)) is not None for n in range(1, 100)) == 99


def test_those_whom_a_view_has_just_brought_up_are_asked_first() -> None:
    w, (a, *_) = large(desks=60)
    a.service.show("panel", [uid_of(n) for n in range(1, 50)])
    w.time.pass_s(1)
    a.service.show("names", [uid_of(n) for n in range(50, 55)])
    a.service.show("panel", [uid_of(n) for n in range(1, 50)])  # a refresh: it shows the same as before
    w.time.pass_s(4)
    assert all(a.service.of(uid_of(n)) is not None for n in range(50, 55))
    assert sum(uid == a.uid for _, uid, _ in w.frames) == 2 * AT_ONCE


def test_people_in_view_are_asked_as_soon_as_their_room_is_known() -> None:
    w, (a, b, *_) = large()
    known = w.audience(a.uid)
    w.set_audience(a, Audience())
    a.service.show("panel", [b.uid])
    w.time.pass_s(10)
    assert w.frames == []
    w.set_audience(a, known)
    w.time.pass_s(1)
    assert a.service.of(b.uid) is not None


@pytest.mark.slow
def test_in_a_room_of_500_no_desk_receives_more_than_two_frames_a_second() -> None:
    w = busy_room()
    until = int(w.time.now_s)
    assert w.most_in(60, until) <= 2 * 60
    assert w.most_in(10, until) <= 4 * 10  # a page of twenty answers


def test_the_pause_grows_with_the_room() -> None:
    assert [round(interval_s(members)) for members in (101, 200, 500, 5000)] == [121, 240, 600, 600]


@pytest.mark.parametrize("record", [Ask(), Here(state="available", is_new=True)])
def test_attack_a_message_that_asks_all_of_a_large_room_is_answered_by_nobody(record: Record) -> None:
    w, (a, *_) = large(desks=20)
    w.send(ROOM, a.uid, a.dev, encode(record), None)
    w.time.pass_s(30)
    assert len(w.frames) == 1
