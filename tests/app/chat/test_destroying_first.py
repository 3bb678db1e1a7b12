# SPDX-License-Identifier: EUPL-1.2
"""The first object of a conversation is destroyed. Its id still names the conversation: no other room takes it."""

from dataclasses import replace

import pytest

from app.core.ids import ObjId, RoomId
from app.core.months import month_of
from app.rooms.records import ObjectAnnounced, encode
from sync.client.ports import OpenedChange, RoomEvent
from sync.client.received import ReceivedSlice, Resolved
from sync.trust.room.envelope import object_of
from tests.app.chat.destroys import CANARY, found_in
from tests.app.chat.months import DECEMBER, NOVEMBER, Clock, _change, at, clock, hl, written
from tests.office import EK, Desk

__all__ = ["clock", "hl"]  # fixtures

HERE, OTHER = RoomId(b"A" * 16), RoomId(b"B" * 16)
FIRST = object_of(HERE, b"f" * 32)
LATER = object_of(HERE, b"l" * 32)
JANUARY = at(2027, 1)


def announced(room: RoomId, obj: ObjId, n: int, t: int, series: ObjId | None = None) -> OpenedChange:
    """An object of a room's conversation; by default a new conversation."""
    record = ObjectAnnounced(obj=obj, kind="chat", series=series, period=month_of(t) if series is not None else None)
    return _change(ObjId(room), n, t, encode(record))


def here(with_first: bool) -> ReceivedSlice:
    """The room: two months, of which the first is destroyed. `with_first`: the server still had it."""
    gone = [written(FIRST, 3, NOVEMBER, CANARY)] if with_first else []
    changes = [
        announced(HERE, FIRST, 2, NOVEMBER),
        *gone,
        announced(HERE, LATER, 4, DECEMBER, series=FIRST),
        written(LATER, 5, DECEMBER, "december å"),
    ]
    shares = [(FIRST, b"f" * 32)] if with_first else []
    return ReceivedSlice(room=HERE, cursor=5, state=b"", changes=changes, shares=[*shares, (LATER, b"l" * 32)])


def destroyed(room: RoomId, n: int) -> ReceivedSlice:
    event = RoomEvent(n=n, t=JANUARY, kind="destroy", by=EK, obj=FIRST)
    return ReceivedSlice(room=room, cursor=n, state=b"", events=[event])


def elsewhere() -> ReceivedSlice:
    """Another room, in which somebody who knows the id announces it as a conversation, and writes there."""
    changes = [announced(OTHER, FIRST, 2, JANUARY), written(FIRST, 3, JANUARY, "i det andra rummet å")]
    return ReceivedSlice(room=OTHER, cursor=3, state=b"", changes=changes, shares=[(FIRST, b"x" * 32)])


def said(desk: Desk) -> list[str]:
    timeline = desk.chat.timeline(HERE)
    return [timeline.message(index).text for index in range(len(timeline))]


def test_attack_another_room_takes_no_destroyed_first_object(hl: Desk, clock: Clock) -> None:
    for each in (here(with_first=True), destroyed(HERE, 6), elsewhere(), destroyed(OTHER, 4)):
        hl.store.receive(each)
    assert hl.chat.channel(HERE) == FIRST
    assert hl.chat.channel(OTHER) is None
    assert said(hl) == ["december å"]
    clock.now_ms = DECEMBER
    hl.chat.send(HERE, "vidare å")
    assert said(hl) == ["december å", "vidare å"]
    assert hl.chat.timeline(HERE).message(1).obj == LATER


def test_attack_a_share_that_is_sent_again_brings_no_first_object_back(hl: Desk) -> None:
    for each in (here(with_first=True), destroyed(HERE, 6)):
        hl.store.receive(each)
    late = [written(FIRST, 3, NOVEMBER, CANARY)]
    hl.store.receive(Resolved(room=HERE, changes=late, resolved=[3], shares=[(FIRST, b"f" * 32)]))
    assert hl.store.share(HERE, FIRST) is None
    assert found_in(hl.store) == set()
    hl.store.receive(Resolved(room=OTHER, changes=late, resolved=[3], shares=[(FIRST, b"f" * 32)]))
    assert said(hl) == ["december å"]
    assert hl.chat.channel(HERE) == FIRST


@pytest.mark.parametrize("order", [(1, 2), (2, 1)], ids=["announced-first", "destroyed-first"])
@pytest.mark.parametrize("at_once", [True, False], ids=["one-slice", "apart"])
def test_attack_a_new_device_shows_the_room_whose_first_object_is_destroyed(
    hl: Desk, order: tuple[int, int], at_once: bool
) -> None:
    """It reads the other room first, and the share that proves whose the object is exists no more."""
    hl.store.receive(elsewhere())
    assert hl.chat.channel(OTHER) == FIRST
    room, entry = here(with_first=False), destroyed(HERE, 6)
    if at_once:
        hl.store.receive(replace(room, events=entry.events, cursor=6))
    else:
        for which in order:
            hl.store.receive(room if which == 1 else entry)
    assert hl.chat.channel(HERE) == FIRST
    assert said(hl) == ["december å"]
    assert hl.chat.channel(OTHER) is None
    hl.store.receive(elsewhere())
    hl.store.receive(destroyed(OTHER, 4))
    assert hl.chat.channel(HERE) == FIRST
    assert [part.counts for part in hl.store.series.all(HERE)] == [True, True]


def test_attack_a_room_takes_no_object_by_destroying_what_was_used_earlier_elsewhere(hl: Desk) -> None:
    """Neither one of which the share is gone, nor one that has none: only the time decides."""
    hl.store.receive(here(with_first=False))
    hl.store.receive(elsewhere())
    hl.store.receive(destroyed(OTHER, 4))
    assert hl.chat.channel(HERE) == FIRST
    assert said(hl) == ["december å"]


def test_attack_a_room_takes_no_object_that_its_share_binds_to_another(hl: Desk) -> None:
    hl.store.receive(here(with_first=True))
    early = [announced(OTHER, FIRST, 2, at(2026, 10))]
    event = RoomEvent(n=3, t=JANUARY, kind="destroy", by=EK, obj=FIRST)
    hl.store.receive(ReceivedSlice(room=OTHER, cursor=3, state=b"", changes=early, events=[event]))
    assert hl.chat.channel(HERE) == FIRST
    assert said(hl) == [CANARY, "december å"]
