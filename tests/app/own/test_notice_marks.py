# SPDX-License-Identifier: EUPL-1.2
"""A notice that is marked as done on one device is done on the person's others, whichever of them was offline."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from app.core.signal import Signal
from app.own.joining import AHEAD_MS, is_kept, is_possible
from app.own.notice_marks import Mark, NoticeMarks, last_choice
from app.store.notice_rows import NoticeId, NoticeState
from tests.app.own.devices import DAY_MS, NOVEMBER, Device, Server

ONE, TWO = NoticeId(b"1" * 16), NoticeId(b"2" * 16)
NEW, SEEN, DONE = ((state, None) for state in (NoticeState.NEW, NoticeState.SEEN, NoticeState.DONE))


class AtHand(Device):
    """A device whose notices are a table of states."""

    def begin(self) -> None:
        self.marked: Signal[Mapping[NoticeId, Mark]] = Signal()
        self.rung: Signal[Mapping[NoticeId, int]] = Signal()
        self.silenced: list[NoticeId] = []
        self.applied: list[dict[NoticeId, Mark]] = []
        self.states: dict[NoticeId, Mark] = {}
        self.marks = NoticeMarks(
            self.own, self.marked, self._apply, self.rung, self.silenced.extend, lambda: self.now_ms
        )

    def _apply(self, marks: Mapping[NoticeId, Mark]) -> None:
        self.applied.append(dict(marks))
        self.states |= marks

    def mark(self, ident: NoticeId, mark: Mark) -> None:
        self.states[ident] = mark
        self.marked.emit({ident: mark})


Two = tuple[AtHand, AtHand, Server]


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Two]:
    home, office = AtHand(tmp_path / "home", 1), AtHand(tmp_path / "office", 2)
    for device in (home, office):
        device.begin()
    yield home, office, Server()
    home.close()
    office.close()


def share(server: Server, *devices: Device) -> None:
    for device in devices:
        device.own.flush()
    server.meet(*devices)
    server.meet(*devices)


def test_what_is_done_or_put_off_on_one_device_is_so_on_the_other_and_what_was_only_seen_is_not(two: Two) -> None:
    home, office, server = two
    home.mark(ONE, DONE)
    home.mark(TWO, (NoticeState.SNOOZED, NOVEMBER + 5))
    home.mark(NoticeId(b"3" * 16), SEEN)
    share(server, home, office)
    assert office.states == {ONE: DONE, TWO: (NoticeState.SNOOZED, NOVEMBER + 5)}
    assert home.applied == [], "nothing comes back"


def test_what_is_taken_back_is_new_again_everywhere_and_can_be_done_again(two: Two) -> None:
    home, office, server = two
    home.mark(ONE, DONE)
    share(server, home, office)
    office.mark(ONE, NEW)
    share(server, office, home)
    assert home.states[ONE] == NEW
    home.mark(ONE, (NoticeState.SNOOZED, NOVEMBER + 9))
    share(server, home, office)
    assert office.states[ONE] == (NoticeState.SNOOZED, NOVEMBER + 9)
    home.mark(ONE, (NoticeState.SNOOZED, NOVEMBER + 3))
    share(server, home, office)
    assert office.states[ONE] == (NoticeState.SNOOZED, NOVEMBER + 3), "an earlier time counts, too"


def test_of_two_devices_that_were_apart_the_one_that_was_done_counts(two: Two) -> None:
    home, office, server = two
    home.mark(ONE, (NoticeState.SNOOZED, NOVEMBER + 9))
    office.mark(ONE, DONE)
    share(server, home, office)
    assert home.states[ONE] == office.states[ONE] == DONE


def test_what_came_before_a_start_is_taken_in_at_it(two: Two) -> None:
    home, office, server = two
    office.marks.close()
    home.mark(ONE, DONE)
    share(server, home, office)
    office.begin()
    office.marks.start()
    assert office.states == {ONE: DONE}
    office.now_ms += 5 * DAY_MS
    office.begin()
    office.marks.start()
    assert office.states == {}, "of long ago nothing is read again at each start"


def test_marks_of_notices_are_left_behind_after_ninety_days(two: Two) -> None:
    home, office, server = two
    home.mark(ONE, DONE)
    share(server, home, office)
    home.now_ms = office.now_ms = NOVEMBER + 91 * DAY_MS
    home.mark(TWO, DONE)
    share(server, home, office)
    (new,) = [model for model in home.own.objects() if model.year == 2027]
    assert new.keys("notices") == {TWO.hex()}
    assert office.states[TWO] == DONE


def test_a_mark_of_a_day_that_is_far_ahead_is_left_behind(two: Two) -> None:
    home, office, server = two
    today = NOVEMBER // DAY_MS
    home.own.put("notices", ONE.hex(), [0, 4, 0, today + 91 + 366 + 1])
    home.own.put("notices", TWO.hex(), [0, 4, 0, today + 91 + 366])
    share(server, home, office)
    home.now_ms = office.now_ms = NOVEMBER + 91 * DAY_MS
    home.mark(NoticeId(b"3" * 16), DONE)
    share(server, home, office)
    kept = {key for model in home.own.objects() if model.year == 2027 for key in model.keys("notices")}
    assert kept == {TWO.hex(), (b"3" * 16).hex()}


@pytest.mark.parametrize("value", [[0, 9, 0, 1], [0], ["x", 3, 0], [0, 3, "x"]])
def test_what_is_no_mark_changes_nothing(two: Two, value: list[object]) -> None:
    home, office, server = two
    home.own.put("notices", ONE.hex(), value)
    home.own.put("notices", "no-id", [0, 3, 0, 1])
    share(server, home, office)
    assert office.states == {}
    office.mark(ONE, DONE)
    share(server, office, home)
    assert home.states == {ONE: DONE}


def test_what_is_only_new_is_not_shared(two: Two) -> None:
    """Otherwise "mark all as new" would write as many values."""
    home, office, server = two
    home.mark(ONE, SEEN)
    home.mark(ONE, NEW)
    share(server, home, office)
    assert home.own.keys("notices") == set()


def test_what_was_done_while_the_other_device_was_away_for_a_week_is_done_there(two: Two) -> None:
    home, office, server = two
    office.marks.start()
    home.mark(ONE, DONE)
    home.now_ms = office.now_ms = NOVEMBER + 7 * DAY_MS
    share(server, home, office)
    assert office.states == {ONE: DONE}


def test_what_a_newer_program_chose_is_no_choice_here(two: Two) -> None:
    home, office, server = two
    home.own.put("notices", ONE.hex(), [5, 9, 0, NOVEMBER // DAY_MS])
    home.own.put("notices", TWO.hex(), [0, 0, 0, NOVEMBER // DAY_MS])
    share(server, home, office)
    assert [last_choice(office.own, ident) for ident in (ONE, TWO, NoticeId(b"3" * 16))] == [None] * 3
    office.mark(TWO, (NoticeState.SNOOZED, NOVEMBER + 5))
    assert last_choice(office.own, TWO) is NoticeState.SNOOZED
    office.rung.emit({TWO: NOVEMBER + 5})
    assert last_choice(office.own, TWO) is NoticeState.SNOOZED, "it has come back, and nothing was chosen since"


@pytest.mark.parametrize(("days", "kept"), [(90, True), (91, False)])
def test_a_mark_is_kept_for_ninety_days(days: int, kept: bool) -> None:
    today = NOVEMBER // DAY_MS
    assert is_kept("notices", [5, 4, 0, today - days], today) is kept


def test_a_generation_above_one_for_each_second_counts_nowhere() -> None:
    most = (NOVEMBER + AHEAD_MS) // 1000
    for root in ("reads", "notices", "reminders"):
        assert [is_possible(root, [generation], NOVEMBER) for generation in (most, most + 1)] == [True, False]
