# SPDX-License-Identifier: EUPL-1.2
"""The table of a room's phases: what PROTOCOL.md §4, §6, §7 and §10 say of it. Nothing moves a room past it."""

import ast
import logging
from itertools import product
from pathlib import Path

import pytest

from sync.client.room import room_phase
from sync.client.room.room_phase import (
    ALARMS,
    LASTING,
    SEEN,
    TRANSITIONS,
    Alarm,
    Event,
    Head,
    Mark,
    Past,
    Reading,
    RoomPhase,
    State,
    UnlistedTransition,
)
from sync.client.room.tracked_room import TrackedRoom
from sync.client.status import RoomState
from sync.errors import BugError
from tests.sync.client.test_engine import two
from tests.world import World

CLIENT = Path(room_phase.__file__).parents[1]
STOPS = tuple(ALARMS.values())
NAMES: dict[type[State], str] = {Reading: "reading", Alarm: "alarm", Mark: "mark", Head: "head", Past: "past"}
FINAL = (Alarm.FORK, Alarm.UNREADABLE)
NEW = RoomPhase.of_stored(None, following=False, reread=False)
CALM = RoomPhase.of_stored(None, following=True, reread=False)


def reached(*events: Event, start: RoomPhase = CALM) -> RoomPhase:
    """The phase after these events."""
    for event in events:
        start = start.after(event)
    return start


def all_reached() -> set[RoomPhase]:
    """Every phase that any events lead to."""
    kept = [None, *(state.value for state in LASTING)]
    todo = [RoomPhase.of_stored(k, following=f, reread=r) for k, f, r in product(kept, (False, True), (False, True))]
    found = set[RoomPhase]()
    while todo:
        phase = todo.pop()
        if phase in found:
            continue
        found.add(phase)
        for event in Event:
            try:
                todo.append(phase.after(event))
            except UnlistedTransition:
                continue
    return found


# -- alarms (§4, §10) ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stop", STOPS, ids=lambda e: e.name)
@pytest.mark.parametrize("before", [a for a in Alarm if a not in FINAL], ids=lambda a: a.name)
def test_the_newest_alarm_is_shown(before: Alarm, stop: Event) -> None:
    assert RoomPhase(alarm=before).after(stop).alarm is Alarm[stop.name]


@pytest.mark.parametrize("event", Event, ids=lambda e: e.name)
def test_attack_a_fork_is_permanent_whatever_the_server_shows_later(event: Event) -> None:
    """A head below ours made a fork a rollback, and the next connection ended that."""
    for reading, past in product(Reading, Past):
        forked = RoomPhase(reading=reading, alarm=Alarm.FORK, mark=Mark.FORK, past=past)
        try:
            after = forked.after(event)
        except UnlistedTransition:
            assert event not in (*STOPS, Event.CONFIRMED, Event.CONNECTED) or reading is Reading.OPENING
            continue
        assert after.alarm is (Alarm.UNREADABLE if event is Event.UNREADABLE else Alarm.FORK)
        assert after.mark is Mark.FORK


@pytest.mark.parametrize("event", Event, ids=lambda e: e.name)
def test_a_room_on_which_this_program_failed_is_stopped_until_the_next_start(event: Event) -> None:
    if event in SEEN[Alarm]:
        assert RoomPhase(alarm=Alarm.UNREADABLE).after(event).alarm is Alarm.UNREADABLE


@pytest.mark.parametrize("alarm", Alarm, ids=lambda a: a.name)
def test_a_new_connection_forgets_what_only_the_last_one_showed_and_no_fork_and_no_fault_of_ours(alarm: Alarm) -> None:
    assert RoomPhase(alarm=alarm).after(Event.CONNECTED).alarm is (alarm if alarm in FINAL else Alarm.NONE)


@pytest.mark.parametrize("alarm", Alarm, ids=lambda a: a.name)
def test_a_confirmed_head_ends_no_alarm(alarm: Alarm) -> None:
    assert RoomPhase(alarm=alarm).after(Event.CONFIRMED).alarm is alarm


@pytest.mark.parametrize("stop", STOPS, ids=lambda e: e.name)
def test_the_store_records_a_fork_a_rollback_and_a_restore_and_no_other_alarm(stop: Event) -> None:
    code = stop.name.lower() if stop in (Event.FORK, Event.ROLLBACK, Event.RESTORED) else None
    assert reached(stop).recorded == code
    assert {state.value for state in LASTING} == {"fork", "rollback", "restored"}


@pytest.mark.parametrize("stop", [Event.ROLLBACK, Event.RESTORED], ids=lambda e: e.name)
def test_a_rollback_ends_when_the_server_has_our_history_again_and_not_earlier(stop: Event) -> None:
    stopped = reached(Event.CONFIRMED, stop)
    again = stopped.after(Event.CONNECTED)
    assert (again.alarm, again.mark.name, again.head) == (Alarm.NONE, stop.name, Head.UNCONFIRMED)
    assert again.after(Event.CONFIRMED).mark is Mark.NONE
    assert stopped.after(Event.CONFIRMED).mark is not Mark.NONE, "the alarm is still there"
    assert reached(Event.WITHHELD, Event.CONFIRMED, start=again).mark is not Mark.NONE


def test_a_restart_keeps_what_the_store_recorded() -> None:
    for state in LASTING:
        phase = RoomPhase.of_stored(state.value, following=True, reread=False)
        assert (phase.alarm.value, phase.recorded) == (state, state.value)
    assert (CALM.alarm, CALM.recorded) == (Alarm.NONE, None)


@pytest.mark.parametrize("later", [Event.RESTORED, Event.ROLLBACK, Event.FORK], ids=lambda e: e.name)
@pytest.mark.parametrize("first", Mark, ids=lambda m: m.name)
def test_the_store_records_the_newest_of_its_alarms_and_a_fork_for_ever(first: Mark, later: Event) -> None:
    assert RoomPhase(mark=first).after(later).mark is (Mark.FORK if first is Mark.FORK else Mark[later.name])


def test_each_alarm_has_its_event_and_its_state_for_people() -> None:
    assert {state.name for state in ALARMS} == {event.name for event in ALARMS.values()}
    others = {RoomState.SEALED, RoomState.OWES_ROTATION, RoomState.WAITING, RoomState.LEFT}
    assert ALARMS.keys() | others == set(RoomState)


# -- the head (§4, §7) --------------------------------------------------------------------------------------------


def test_a_head_is_confirmed_for_one_connection() -> None:
    confirmed = CALM.after(Event.CONFIRMED)
    assert (confirmed.head, confirmed.after(Event.CONFIRMED).head) == (Head.CONFIRMED, Head.CONFIRMED)
    assert confirmed.after(Event.CONNECTED).head is Head.UNCONFIRMED
    assert CALM.after(Event.CONNECTED).head is Head.UNCONFIRMED


# -- reading (§6, §7) ---------------------------------------------------------------------------------------------


READS: dict[Reading, dict[Event, Reading]] = {
    Reading.HOLDING: {
        Event.LONG: Reading.HEADERS,
        Event.SHORT: Reading.HOLDING,
        Event.OPENED: Reading.OPENING,
        Event.CONNECTED: Reading.HOLDING,
        Event.CONFIRMED: Reading.HOLDING,
    },
    Reading.HEADERS: {
        Event.LONG: Reading.HEADERS,
        Event.SHORT: Reading.HOLDING,
        Event.OPENED: Reading.OPENING,
        Event.STORED: Reading.FOLLOWING,
        Event.CONNECTED: Reading.HEADERS,
        Event.CONFIRMED: Reading.HEADERS,
    },
    Reading.OPENING: {Event.STORED: Reading.FOLLOWING, Event.CONNECTED: Reading.OPENING},
    Reading.FOLLOWING: {Event.CONNECTED: Reading.FOLLOWING, Event.CONFIRMED: Reading.FOLLOWING},
}


@pytest.mark.parametrize("event", [e for e in Event if e in SEEN[Reading]], ids=str)
@pytest.mark.parametrize("reading", Reading, ids=lambda r: r.name)
def test_a_room_is_read_in_order_and_never_back(reading: Reading, event: Event) -> None:
    expected = READS[reading].get(event)
    if expected is not None:
        assert RoomPhase(reading=reading).after(event).reading is expected
    else:
        with pytest.raises(UnlistedTransition, match=rf"^{event.name} in Reading\.{reading.name}$"):
            RoomPhase(reading=reading).after(event)


def test_a_room_that_is_stored_is_followed_and_a_new_one_holds_what_it_cannot_open() -> None:
    assert (NEW.reading, CALM.reading) == (Reading.HOLDING, Reading.FOLLOWING)


def test_what_is_read_again_is_owed_until_it_is_stored_that_everything_is_read() -> None:
    owed = CALM.after(Event.GRANTED)
    assert (CALM.past, owed.past, owed.after(Event.GRANTED).past) == (Past.READ, Past.OWED, Past.OWED)
    read = owed.after(Event.READ_AGAIN)
    assert (read.past, read.after(Event.NOT_RECORDED).past) == (Past.READ, Past.OWED)
    assert owed.after(Event.NOT_RECORDED).past is Past.OWED
    assert RoomPhase.of_stored(None, following=True, reread=True).past is Past.OWED
    with pytest.raises(UnlistedTransition):
        CALM.after(Event.READ_AGAIN)


# -- the whole table ----------------------------------------------------------------------------------------------


def test_every_state_of_every_machine_has_its_row_and_is_reached() -> None:
    phases = all_reached()
    for machine, rows in TRANSITIONS.items():
        assert set(rows) == set(machine)
        assert {getattr(phase, NAMES[machine]) for phase in phases} == set(machine)


def test_every_event_is_seen_by_a_machine() -> None:
    assert frozenset().union(*SEEN.values()) == set(Event)


def test_an_alarm_is_listed_in_every_state_since_several_tasks_work_on_a_room() -> None:
    for phase in all_reached():
        for stop in STOPS:
            assert phase.after(stop).alarm is not Alarm.NONE


def test_no_phase_with_a_recorded_fork_lets_the_room_go_on() -> None:
    for phase in all_reached():
        assert phase.mark is not Mark.FORK or phase.alarm in FINAL
        assert phase.alarm is not Alarm.FORK or phase.mark is Mark.FORK


def test_the_table_does_no_input_or_output() -> None:
    imported = {
        name.split(".")[0] if not name.startswith("sync") else name
        for node in ast.walk(ast.parse(Path(room_phase.__file__).read_text()))
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [])
    }
    assert imported == {"collections", "dataclasses", "enum", "typing", "sync.client.status", "sync.errors"}


# -- nothing moves past it ----------------------------------------------------------------------------------------


def test_no_other_file_sets_a_field_of_a_room() -> None:
    """The fields are private, and what other files read of them cannot be set."""
    shown = {name for name, value in vars(TrackedRoom).items() if isinstance(value, property)}
    assert {"problem", "held_back", "blocked", "waiting", "head_n", "kept_n", "reread", "incomplete"} <= shown
    private = {"_phase", "_move", "_head_n", "_kept_n", "_buffer", "_blocked", "_reread", "_incomplete", "_waiting"}
    for path in sorted(CLIENT.rglob("*.py")):
        if path.name in ("tracked_room.py", "room_sync.py"):
            continue
        found = {
            node.attr
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Attribute) and not (isinstance(node.value, ast.Name) and node.value.id == "self")
        }
        assert not found & private, path


async def test_attack_a_fork_does_not_become_a_rollback_that_ends(w: World) -> None:
    """The server forks a room, then shows less of it, and then all of it."""
    a, _, room, _ = await two(w)
    verifier, at = a.engine.parts.verifier, a.engine.parts.link.rooms[room]
    verifier.stop(at, RoomState.FORK, "fork")
    verifier.stop(at, RoomState.ROLLBACK, "rollback")
    for _ in range(2):
        assert (at.problem, at.held_back, a.store.problem(room)) == (RoomState.FORK, True, "fork")
        at.reset_connection_state()
        at.confirm_head()
    await a.restart()
    assert a.engine.room_state(room) is RoomState.FORK


async def test_a_transition_that_the_table_does_not_list_is_raised_in_tests(w: World) -> None:
    a, _, room, _ = await two(w)
    at = a.engine.parts.link.rooms[room]
    with pytest.raises(BugError, match=r"SHORT in Reading\.FOLLOWING"):
        at.choose_reading(long=False)
    assert at.problem is None


async def test_a_transition_that_the_table_does_not_list_stops_the_room_alone_in_the_product(
    w: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(TrackedRoom, "raises", False)
    a, b, room, _ = await two(w)
    other = await w.room(a, b)
    at = a.engine.parts.link.rooms[room]
    with caplog.at_level(logging.ERROR, "sync"):
        at.choose_reading(long=False)
    assert f"room {room[:4].hex()} stopped by a fault of this program: bug, SHORT in Reading.FOLLOWING" in caplog.text
    assert (at.problem, a.engine.room_state(room)) == (RoomState.UNREADABLE, RoomState.UNREADABLE)
    at.reset_connection_state()
    assert at.problem is RoomState.UNREADABLE, "until the next start"
    assert a.engine.parts.link.rooms[other].problem is None
    assert not at.may_send
