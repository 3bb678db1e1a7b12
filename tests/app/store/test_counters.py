# SPDX-License-Identifier: EUPL-1.2
"""A room's numbers are those of its objects together, whatever happens to these and whichever tools count."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from app.core.ids import ObjId, RoomId, Uid
from app.store import counters
from app.store.counters import Counter, Latest
from sync.client.ports import OpenedChange
from sync.trust.room.envelope import object_of
from tests.app.store.counting import COUNTS_NOTHING, Numbers, Rooms
from tests.memory import memory_folder

ROOM, ELSEWHERE = RoomId(b"R" * 16), RoomId(b"E" * 16)
SHARES = [bytes([at]) * 32 for at in range(4)]
OBJS = [object_of(ROOM, share) for share in SHARES]
KINDS = ["letters", "visits", "letters", "visits"]
NUMBERS = st.tuples(st.integers(0, 5), st.integers(0, 3), st.integers(0, 40))
AT = st.integers(0, len(OBJS) - 1)
NONE = (0, 0, 0)


@pytest.fixture
def rooms(tmp_path: Path) -> Iterator[Rooms]:
    made = Rooms(tmp_path / "store.db")
    made.set_member(ROOM, True)
    for obj, kind in zip(OBJS[:2], KINDS, strict=False):
        made.says(ROOM, obj, f"+{kind}")
    yield made
    made.store.close()


LETTER, VISIT = OBJS[:2]


def test_two_tools_that_count_in_one_room_add_up_and_overwrite_nothing(rooms: Rooms) -> None:
    rooms.counts(ROOM, LETTER, (3, 1, 40))
    rooms.counts(ROOM, VISIT, (2, 0, 30))
    assert rooms.numbers(ROOM) == (5, 1, 40)
    assert rooms.row(ROOM).last_preview == "letters åäö 40"
    rooms.counts(ROOM, VISIT, (0, 0, 50))
    assert rooms.numbers(ROOM) == (3, 1, 50)
    assert rooms.row(ROOM).last_preview == "visits åäö 50"
    rooms.counts(ROOM, VISIT, (0, 0, 0))  # its latest was deleted
    assert rooms.numbers(ROOM) == (3, 1, 40)
    counter = rooms.store.objects.counter(LETTER)
    assert counter == Counter(unread=3, mentions=1, last=Latest(t=40, by=Uid(b"O" * 16), preview="letters åäö 40"))
    assert rooms.store.objects.counter(ObjId(b"x" * 16)) == Counter()


def test_what_is_in_the_trash_counts_nothing_until_it_is_taken_back(rooms: Rooms) -> None:
    rooms.counts(ROOM, LETTER, (3, 1, 40))
    rooms.counts(ROOM, VISIT, (2, 0, 30))
    rooms.says(ROOM, LETTER, "-")
    assert rooms.numbers(ROOM) == (2, 0, 30)
    assert rooms.row(ROOM).last_preview == "visits åäö 30"
    rooms.counts(ROOM, LETTER, (4, 1, 41))  # changed while it is there
    assert rooms.numbers(ROOM) == (2, 0, 30)
    rooms.says(ROOM, LETTER, "~")
    assert rooms.numbers(ROOM) == (6, 1, 41)


def test_a_room_that_was_left_has_nothing_unread_until_the_person_is_in_it_again(rooms: Rooms) -> None:
    rooms.counts(ROOM, LETTER, (3, 1, 40))
    rooms.set_member(ROOM, False)
    assert rooms.numbers(ROOM) == (0, 0, 40)
    rooms.counts(ROOM, LETTER, (4, 1, 41))
    assert rooms.numbers(ROOM) == (0, 0, 41)
    rooms.set_member(ROOM, True)
    assert rooms.numbers(ROOM) == (4, 1, 41)


def test_an_object_that_is_made_again_from_its_changes_counts_what_these_say(rooms: Rooms) -> None:
    """So it is after a prune or a snapshot, when a change is taken back, and when a read model is new."""
    first = rooms.counts(ROOM, LETTER, (3, 1, 40))
    rooms.counts(ROOM, VISIT, (2, 0, 30))
    rooms.replaces(ROOM, first, msgspec.msgpack.encode((4, 2, 20)))
    assert rooms.numbers(ROOM) == (6, 2, 30)
    rooms.replaces(ROOM, first, b"no numbers")
    assert rooms.numbers(ROOM) == (2, 0, 30)  # nothing is left that counts
    rooms.counts(ROOM, LETTER, (1, 0, 10))
    rooms.reopen(visits=2)
    assert rooms.numbers(ROOM) == (3, 0, 30)
    rooms.reopen(visits=COUNTS_NOTHING)
    assert rooms.numbers(ROOM) == (1, 0, 10)


def test_attack_what_another_room_wrote_under_an_objects_id_counts_nowhere(rooms: Rooms) -> None:
    obj, share = OBJS[2], SHARES[2]
    rooms.set_member(ELSEWHERE, True)
    rooms.says(ELSEWHERE, obj, "+letters")
    rooms.counts(ELSEWHERE, obj, (9, 9, 90))
    assert rooms.numbers(ELSEWHERE) == (9, 9, 90)
    rooms.proves(ROOM, obj, share, "letters", (1, 0, 5))
    assert rooms.numbers(ELSEWHERE) == (0, 0, 0)
    assert rooms.row(ELSEWHERE).last_preview == ""
    assert rooms.numbers(ROOM) == (1, 0, 5)


def test_what_a_projection_counted_before_it_failed_is_taken_back(rooms: Rooms) -> None:
    rooms.counts(ROOM, LETTER, (3, 1, 40))
    good = msgspec.msgpack.encode((7, 7, 65))
    rooms.receive(ROOM, rooms.change(LETTER, good), rooms.change(LETTER, b"no numbers"))
    assert rooms.numbers(ROOM) == (7, 7, 65)
    assert [code for _, code in rooms.store.changes.unprojected(ROOM)] == ["bug"]


def test_a_counter_that_is_as_before_writes_nothing(rooms: Rooms) -> None:
    rooms.counts(ROOM, LETTER, (3, 1, 40))
    before = rooms.store.db.value("SELECT total_changes()")
    with rooms.store.transaction() as conn:
        counters.put(conn, ROOM, LETTER, rooms.store.objects.counter(LETTER))
    assert rooms.store.db.value("SELECT total_changes()") == before


class Sums(RuleBasedStateMachine):
    """Two rooms, two kinds and four objects. Somebody in ELSEWHERE used the ids of the last two first."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(mkdtemp(dir=memory_folder(1 << 20)))
        self.rooms = Rooms(self.folder / "store.db")
        self.said: list[Numbers] = [NONE] * len(OBJS)
        self.newest: list[OpenedChange | None] = [None] * len(OBJS)
        self.shown: set[int] = {2, 3}
        self.trash: set[int] = set()
        self.here = [True, True, False, False]
        self.version = 1
        for room in (ROOM, ELSEWHERE):
            self.rooms.set_member(room, True)
        for at in (2, 3):
            self.rooms.says(ELSEWHERE, OBJS[at], f"+{KINDS[at]}")

    def _room(self, at: int) -> RoomId:
        return ROOM if self.here[at] else ELSEWHERE

    @rule(at=AT, each=st.lists(NUMBERS, min_size=1, max_size=3))
    def count(self, at: int, each: list[Numbers]) -> None:
        self.newest[at] = self.rooms.counts(self._room(at), OBJS[at], *each)
        self.said[at] = each[-1]

    @rule(at=AT)
    def announce(self, at: int) -> None:
        self.rooms.says(self._room(at), OBJS[at], f"+{KINDS[at]}")
        self.shown.add(at)

    @rule(at=AT, on=st.booleans())
    def put_away(self, at: int, on: bool) -> None:
        if at in self.shown:
            self.rooms.says(self._room(at), OBJS[at], "-" if on else "~")
            (self.trash.add if on else self.trash.discard)(at)

    @rule(at=st.integers(2, 3), numbers=NUMBERS)
    def prove(self, at: int, numbers: Numbers) -> None:
        if not self.here[at]:
            self.newest[at] = self.rooms.proves(ROOM, OBJS[at], SHARES[at], KINDS[at], numbers)
            self.here[at], self.said[at] = True, numbers
            self.trash.discard(at)

    @rule(room=st.sampled_from([ROOM, ELSEWHERE]), is_here=st.booleans())
    def join_or_leave(self, room: RoomId, is_here: bool) -> None:
        self.rooms.set_member(room, is_here)

    @rule(at=AT, numbers=NUMBERS)
    def replace(self, at: int, numbers: Numbers) -> None:
        newest = self.newest[at]
        if newest is not None:
            self.rooms.replaces(self._room(at), newest, msgspec.msgpack.encode(numbers))
            self.said[at] = numbers

    @precondition(lambda self: self.version < 4)
    @rule(kind=st.sampled_from(["letters", "visits"]))
    def reopen(self, kind: str) -> None:
        self.version += 1
        self.rooms.reopen(**{kind: self.version})

    @invariant()
    def rooms_have_the_sums(self) -> None:
        for room in (ROOM, ELSEWHERE):
            row = self.rooms.row(room)
            counting = [at for at in self.shown - self.trash if self._room(at) == room]
            each = [self.said[at] for at in counting]
            unread, mentions = (0, 0) if row.left else (sum(u for u, _, _ in each), sum(m for _, m, _ in each))
            last = max((t for _, _, t in each), default=0)
            assert (row.unread, row.mentions, row.last_t) == (unread, mentions, last)
            previews = {f"{KINDS[at]} åäö {last}" for at in counting if self.said[at][2] == last}
            assert row.last_preview in (previews if last else {""})

    def teardown(self) -> None:
        self.rooms.store.close()
        shutil.rmtree(self.folder)


Sums.TestCase.settings = settings(max_examples=60, stateful_step_count=25)
TestSums = Sums.TestCase
