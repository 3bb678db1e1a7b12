# SPDX-License-Identifier: EUPL-1.2
"""The people who are writing: sent seldom, stopped as long as it is shown, and by a clock that nobody can set."""

import pytest

from app.chat.typing import SEND_EVERY_S, SHOWN_FOR_S, Typing
from app.core import clock
from app.core.ids import DevId
from app.setting import Switch
from tests.office import EK, RG, ROOM


class Two:
    """Somebody who writes, a colleague who sees it, and the clock of both."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.now_s = 1_000.0
        self.mine = Typing(lambda room, payload: self.sent.append(payload), now_s=lambda: self.now_s)
        self.theirs = Typing(None, now_s=lambda: self.now_s)

    def arrive(self) -> None:
        """What was sent last reaches the colleague."""
        self.theirs.receive(ROOM, RG, DevId(RG), self.sent[-1])


@pytest.fixture
def two() -> Two:
    return Two()


def test_typing_is_sent_seldom_and_forgotten_soon(two: Two) -> None:
    for _ in range(5):
        two.mine.send(ROOM)
        two.now_s += 0.1
    assert len(two.sent) == 1
    two.arrive()
    two.theirs.receive(ROOM, EK, DevId(EK), b"another tool's")
    assert two.theirs.now(ROOM) == [RG]
    two.now_s += SHOWN_FOR_S
    assert two.theirs.now(ROOM) == []


@pytest.mark.parametrize("after_s", [1.0, SEND_EVERY_S, SHOWN_FOR_S - 0.1])
def test_a_stop_is_sent_once_as_long_as_others_show_that_one_is_writing(two: Two, after_s: float) -> None:
    two.mine.send(ROOM)
    two.arrive()
    two.now_s += after_s
    assert two.theirs.now(ROOM) == [RG]
    two.mine.send(ROOM, on=False)
    two.arrive()
    assert two.theirs.now(ROOM) == []
    two.mine.send(ROOM, on=False)
    assert len(two.sent) == 2
    two.mine.send(ROOM)
    assert len(two.sent) == 3


def test_a_stop_is_not_sent_when_nobody_shows_it_any_more(two: Two) -> None:
    two.mine.send(ROOM, on=False)
    two.mine.send(ROOM)
    two.now_s += SHOWN_FOR_S
    two.mine.send(ROOM, on=False)
    assert len(two.sent) == 1


def test_a_wall_clock_that_is_set_back_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[bytes] = []
    awake_s = [500.0]
    monkeypatch.setattr("app.chat.typing.clock.awake_s", lambda: awake_s[0])
    now_ms = [10_000_000]
    restore = clock.set_clock(lambda: now_ms[0])
    try:
        typing = Typing(lambda room, payload: sent.append(payload))
        typing.send(ROOM)
        typing.receive(ROOM, RG, DevId(RG), sent[0])
        now_ms[0] -= 3_600_000
        awake_s[0] += SHOWN_FOR_S
        assert typing.now(ROOM) == []
        typing.send(ROOM)
        assert len(sent) == 2
    finally:
        restore()


def test_nothing_is_sent_where_it_is_switched_off_and_what_was_sent_is_taken_back() -> None:
    sent: list[bytes] = []
    on = [True]
    shown = Switch(lambda: on[0])
    typing = Typing(lambda room, payload: sent.append(payload), shown)
    typing.send(ROOM)
    on[0] = False
    shown.changed.emit()
    assert len(sent) == 2  # that they write, and that they have stopped
    typing.send(ROOM)
    assert len(sent) == 2
    on[0] = True
    shown.changed.emit()
    typing.send(ROOM)
    assert len(sent) == 3
