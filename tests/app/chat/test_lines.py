# SPDX-License-Identifier: EUPL-1.2
"""What happened in the room between messages: where it is shown, what is gathered, and that it is no message."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.chat.lines import MOST, PAGE_LINES, READ, WITHIN_MS, Gathered, Lines, gather
from app.chat.model import PAGE, Timeline
from app.chat.records import MessageSent, encode
from app.core.enums import Role
from app.core.ids import ObjId, Uid
from app.rooms.records import RoomNamed
from app.rooms.records import encode as record
from app.store.room_lines import RoomLine, RoomLines
from sync.client.ports import RoomEvent
from sync.client.received import ReceivedSlice
from tests.office import CHANNEL, EK, HL, RG, ROOM, Desk, desk, from_others

T = 1_795_500_000_000
NEW = Uid(b"\x03" + b"n" * 15)


@pytest.fixture
def hl(tmp_path: Path) -> Iterator[Desk]:
    made = desk(tmp_path, HL)
    yield made
    made.close()


def say(hl: Desk, *positions: int) -> None:
    for n in positions:
        from_others(hl, EK, CHANNEL, [encode(MessageSent(text=f"Text {n} å 🙂"))], n=n, t=T + n * 1000)


def happen(hl: Desk, *events: RoomEvent) -> None:
    hl.store.receive(ReceivedSlice(room=ROOM, events=events))


def event(n: int, kind: str = "add", *, by: Uid = EK, subject: Uid | None = RG, t: int | None = None) -> RoomEvent:
    return RoomEvent(n=n, t=T + n * 1000 if t is None else t, kind=kind, by=by, subject=subject, history=True)


def shown(timeline: Timeline) -> list[list[int]]:
    """The positions of the lines before each message, and those after the last."""
    places = [timeline.place(i) for i in range(len(timeline))]
    after = places[-1].after if places else ()
    return [[line.n for each in lines for line in each.lines] for lines in (*(p.lines for p in places), after)]


def test_a_line_is_where_it_happened_between_two_messages(hl: Desk) -> None:
    say(hl, 10, 20, 30)
    happen(hl, event(5, "genesis"), event(15), event(25, "leave"), event(27, "rm"), event(35, "role"))
    assert shown(hl.chat.timeline(ROOM)) == [[5], [15], [25, 27], [35]]


def test_lines_are_no_messages(hl: Desk) -> None:
    say(hl, 10, 20)
    hl.chat.mark_all_read(ROOM)
    timeline = hl.chat.timeline(ROOM)
    happen(hl, event(15), event(25, "rm"))
    assert len(timeline) == 2
    assert hl.chat.unread(ROOM) == (0, 0)
    assert timeline.first_unread is None
    row = hl.store.rooms_list.get(ROOM)
    assert row is not None
    assert (row.unread, row.last_preview) == (0, "Text 20 å 🙂")


def test_what_happens_while_a_conversation_is_open_changes_only_the_message_beside_it(hl: Desk) -> None:
    say(hl, *range(10, 400, 2))
    timeline = hl.chat.timeline(ROOM)
    shown(timeline)
    seen: list[tuple[str, int, int]] = []
    timeline.reset.connect(lambda: seen.append(("reset", 0, 0)))
    timeline.inserted.connect(lambda first, count: seen.append(("inserted", first, count)))
    timeline.changed.connect(lambda first, count: seen.append(("changed", first, count)))
    happen(hl, event(900))
    assert seen == [("changed", len(timeline) - 1, 1)]
    say(hl, 950)
    assert ("reset", 0, 0) not in seen
    assert shown(timeline)[-2:] == [[900], []]
    assert timeline.place(len(timeline) - 2).after == ()


def test_an_event_that_nobody_is_shown_changes_nothing(hl: Desk) -> None:
    say(hl, 10)
    timeline = hl.chat.timeline(ROOM)
    assert shown(timeline) == [[], []]
    seen = list[int]()
    timeline.changed.connect(lambda first, count: seen.append(first))
    happen(hl, event(20, "policy"), event(21, "pin"), event(22, "a newer program's"))
    assert seen == []
    assert shown(timeline) == [[], []]


def test_a_new_title_and_who_joins_are_lines_too(hl: Desk) -> None:
    say(hl, 10)
    timeline = hl.chat.timeline(ROOM)
    shown(timeline)
    titles = [record(RoomNamed(title=title, type="case")) for title in ("Ett", "Två")]
    from_others(hl, EK, ObjId(ROOM), titles, n=20, t=T + 20_000)
    happen(hl, event(30, subject=NEW))
    from_others(hl, NEW, CHANNEL, [encode(MessageSent(text="Hej"))], n=40, t=T + 40_000)
    assert shown(timeline) == [[], [21, 30, 40], []]


def test_a_message_that_waits_stays_below_what_happened(hl: Desk) -> None:
    say(hl, 10)
    hl.chat.send(ROOM, "Väntar")
    timeline = hl.chat.timeline(ROOM)
    happen(hl, event(20))
    assert shown(timeline) == [[], [20], []]


def test_a_message_does_not_continue_another_over_a_line(hl: Desk) -> None:
    say(hl, 10, 12)
    timeline = hl.chat.timeline(ROOM)
    assert timeline.place(1).continues
    happen(hl, event(11))
    assert not timeline.place(1).continues


def test_lines_at_the_edges_of_pages_are_neither_lost_nor_doubled(hl: Desk) -> None:
    say(hl, *range(10, 10 + 2 * (2 * PAGE), 2))
    happen(hl, *(event(n) for n in range(9, 12 + 4 * PAGE, 2)))
    found = shown(hl.chat.timeline(ROOM))
    assert sorted(n for each in found for n in each) == list(range(9, 12 + 4 * PAGE, 2))
    assert all(len(each) == 1 for each in found[:-1])


# -- gathering ---------------------------------------------------------------------------------------------------


def line(n: int, kind: str = "add", *, by: Uid = EK, t: int | None = None) -> RoomLine:
    return RoomLine(n=n, t=n * 1000 if t is None else t, kind=kind, by=by, subject=RG)


def counts(lines: Lines) -> list[int]:
    return [each.count for each in lines]


def test_what_one_person_does_within_an_hour_is_one_line() -> None:
    twelve = [line(n) for n in range(1, 13)]
    assert gather(twelve) == (Gathered(lines=tuple(twelve)),)
    assert counts(gather([line(1), line(2, by=HL)])) == [1, 1]
    assert counts(gather([line(1), line(2, "rm"), line(3)])) == [1, 1, 1]
    assert counts(gather([line(1, t=0), line(2, t=WITHIN_MS), line(3, t=2 * WITHIN_MS + 1)])) == [2, 1]


def test_people_who_join_or_leave_by_themselves_are_gathered() -> None:
    assert counts(gather([line(n, "joined", by=by) for n, by in enumerate((HL, EK, RG))])) == [3]


def test_no_more_than_a_few_lines_are_between_two_messages() -> None:
    many = [line(n, ("add", "rm")[n % 2]) for n in range(40)]
    lines = gather(many)
    assert counts(lines) == [*[1] * (MOST - 1), 40 - (MOST - 1)]
    assert [each.mixed for each in lines] == [*[False] * (MOST - 1), True]


def test_five_thousand_role_changes_are_one_line_that_counts_them(hl: Desk) -> None:
    say(hl, 10, 6000)
    happen(hl, *(RoomEvent(n=n, t=T, kind="role", by=EK, subject=RG, role=Role.WRITER) for n in range(100, 5100)))
    (only,) = hl.chat.timeline(ROOM).place(1).lines
    assert (only.count, len(only.lines), only.mixed) == (5000, READ, True)


def test_of_events_between_many_messages_the_first_are_read_and_all_are_counted(
    hl: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, between = list[int](), RoomLines.between

    def count(*what: Any, **how: Any) -> list[RoomLine]:
        found = between(*what, **how)
        read.append(len(found))
        return found

    monkeypatch.setattr(RoomLines, "between", count)
    say(hl, *range(100, 2100, 20))
    happen(hl, *(event(n, "role", subject=HL) for n in range(1, 2110) if n % 20))
    timeline = hl.chat.timeline(ROOM)
    places = [timeline.place(i) for i in range(len(timeline))]
    lines = [*(place.lines for place in places), places[-1].after]
    assert [sum(counts(each)) for each in lines] == [95, *[19] * 99, 19 + 10 - 1]
    assert sum(len(line.lines) for each in lines for line in each) <= PAGE_LINES
    assert 0 < max(read) <= PAGE_LINES
    assert [each[0].lines[0].n for each in lines] == [1, *range(101, 2100, 20)]


def test_many_lines_at_one_position_are_counted_between_the_right_messages(hl: Desk) -> None:
    say(hl, 10, 20, 30)
    happen(
        hl, *(replace(event(15, "leave-out"), place=place) for place in range(PAGE_LINES + 50)), event(25), event(35)
    )
    timeline = hl.chat.timeline(ROOM)
    assert sum(counts(timeline.place(1).lines)) == PAGE_LINES + 50
    assert [counts(each) for each in (timeline.place(2).lines, timeline.place(2).after)] == [[1], [1]]
    assert shown(timeline)[2:] == [[25], [35]]
