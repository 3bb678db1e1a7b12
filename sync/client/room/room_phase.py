# SPDX-License-Identifier: EUPL-1.2
"""The phase of a room on this device, and every transition that a phase may make. No input, no output, no numbers:
`RoomSync` moves by this table, and keeps the positions beside it.

Theory
======

A room is five small machines side by side. Each machine sees the events that its table lists; an event that is in
several tables moves several machines at once.

1) Reading: how the room's content gets from the server into the store.
       HOLDING    the stream's state is not stored yet; items are pulled whole, and held in memory without their key
       HEADERS    the stream's state is not stored yet; the room is long, and only headers are pulled and judged
       OPENING    what was held is opened and stored, or what the judged headers name is fetched, opened and stored
       FOLLOWING  the stream's state is stored; each further slice is opened and stored as it is received
   HOLDING becomes HEADERS, and HEADERS HOLDING, only while no position is judged. FOLLOWING is final: a room whose
   slice could not be stored gets a new `RoomSync` from the store, with a phase of its own (`Link.kept`).

2) Alarm: why nothing more is read in or sent on this connection; NONE while nothing is wrong. Each alarm has the name
   of the `RoomState` that a person is shown. Several tasks work on a room at once, so an alarm may follow an alarm: the
   newest is shown. Two alarms are final. A FORK stays whatever the server shows next: otherwise a server that has
   forked a room could show less of it, and so turn the fork into a rollback, which ends. UNREADABLE stays until the
   next start.

3) Mark: which alarm the store records. It survives a restart and a new connection, and holds back the outbox until the
   server is seen to have our history; a FORK does so for ever. The store records it from the moment in which it has the
   stream's state (`TrackedRoom.record_alarm`).

4) Head: whether on this connection the server has the same position and history as this device.

5) Past: whether positions that were judged before are still to be read again (`RoomSync.reread` says up to which).

There are two kinds of transitions.

Event-triggered: an event moves each machine that sees it as its table says. A machine that sees an event, and lists
nothing for it in its present state, makes the event a fault of this program: see `UnlistedTransition`.

State-triggered: JOINT names a combination of Alarm, Head and Mark, and the Mark that follows at once. It is what ends a
rollback or a restore: nothing is wrong on this connection, and the server has confirmed our history.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import TypeVar

from sync.client.status import RoomState
from sync.errors import BugError


class Reading(Enum):
    """How a room's content gets from the server into the store. Without a key it is held in memory (HOLDING); of a long
    room only headers are pulled at first (HEADERS); what was held or named by headers is opened and stored (OPENING);
    or each slice is opened and stored as it is received (FOLLOWING). One of the five state machines of a room."""

    HOLDING = auto()
    HEADERS = auto()
    OPENING = auto()
    FOLLOWING = auto()


class Alarm(Enum):
    """Why the room is stopped; NONE if it is not. The value is the `RoomState` that a person is shown."""

    NONE = None
    WITHHELD = RoomState.WITHHELD
    UPDATE_NEEDED = RoomState.UPDATE_NEEDED
    OLD_FORMAT = RoomState.OLD_FORMAT
    RESTORED = RoomState.RESTORED
    ROLLBACK = RoomState.ROLLBACK
    FORK = RoomState.FORK
    UNREADABLE = RoomState.UNREADABLE


class Mark(Enum):
    """Which alarm of a room the store records, a fork, a rollback or a restore, so that it holds after a restart and
    holds back sending; NONE for no record. The value is what `InboxPort.set_problem` stores."""

    NONE = None
    RESTORED = RoomState.RESTORED
    ROLLBACK = RoomState.ROLLBACK
    FORK = RoomState.FORK


class Head(Enum):
    """Whether the server has confirmed on this connection that it has the same last position and history of the room as
    this device. UNCONFIRMED from the beginning of a connection, CONFIRMED once it has. If the server shows a different
    history, that is an `Alarm`, and no state of this machine."""

    UNCONFIRMED = auto()
    CONFIRMED = auto()


class Past(Enum):
    """Whether positions of the room that were verified before are still to be pulled and opened again (OWED), or
    everything is read (READ)."""

    READ = auto()
    OWED = auto()


class Event(Enum):
    """What may happen to a room. An event moves one or several of the room's state machines."""

    # Reading
    LONG = auto()
    """Nothing is judged yet, and the room is announced to be long."""
    SHORT = auto()
    """Nothing is judged yet, and the room is announced to be short."""
    OPENED = auto()
    """The room's key is here or known to be missing: what is judged is opened now."""
    STORED = auto()
    """What is judged is stored, with the stream's state."""

    # Head
    CONNECTED = auto()
    """A new connection, or the head of a restored server is checked again."""
    CONFIRMED = auto()
    """The server signed the very head that this device has judged."""

    # alarms
    WITHHELD = auto()
    """The server does not give what it must, or it shows what breaks the rules."""
    UPDATE_NEEDED = auto()
    """The room has items of a newer version than this program reads."""
    OLD_FORMAT = auto()
    """The room has items of a version that no program reads any more."""
    RESTORED = auto()
    """The server has less than it promised, and its signed statement explains that."""
    ROLLBACK = auto()
    """The server has less than it promised."""
    FORK = auto()
    """Two histories of the room are signed."""
    UNREADABLE = auto()
    """This program failed on the room."""

    # Past
    GRANTED = auto()
    """Positions are to be read again: their keys were received later, or only headers of them were read."""
    READ_AGAIN = auto()
    """Everything of the room is read."""
    NOT_RECORDED = auto()
    """That everything is read could not be stored."""


State = Reading | Alarm | Mark | Head | Past
S = TypeVar("S", Reading, Alarm, Mark, Head, Past)
E = Event

ALARMS: Mapping[RoomState, Event] = {alarm.value: Event[alarm.name] for alarm in Alarm if alarm.value is not None}
"""The event with which a room is stopped so."""
_PASSING = tuple(alarm for alarm in Alarm if alarm not in (Alarm.FORK, Alarm.UNREADABLE))
_NEWEST: Mapping[Event, Alarm] = {event: Alarm(state) for state, event in ALARMS.items()}
_OF_ALARM = (E.CONNECTED, E.CONFIRMED, *_NEWEST)

TRANSITIONS: Mapping[type[State], Mapping[State, Mapping[Event, State]]] = {
    Reading: {
        Reading.HOLDING: {
            E.LONG: Reading.HEADERS,
            E.SHORT: Reading.HOLDING,
            E.OPENED: Reading.OPENING,
            E.CONNECTED: Reading.HOLDING,
            E.CONFIRMED: Reading.HOLDING,
        },
        Reading.HEADERS: {
            E.LONG: Reading.HEADERS,
            E.SHORT: Reading.HOLDING,
            E.OPENED: Reading.OPENING,
            E.STORED: Reading.FOLLOWING,  # the server showed what breaks the rules: the judged part is kept, unopened
            E.CONNECTED: Reading.HEADERS,
            E.CONFIRMED: Reading.HEADERS,
        },
        Reading.OPENING: {
            E.STORED: Reading.FOLLOWING,
            E.CONNECTED: Reading.OPENING,  # the restore recovery has the head checked again while content is fetched
        },
        Reading.FOLLOWING: {
            E.CONNECTED: Reading.FOLLOWING,
            E.CONFIRMED: Reading.FOLLOWING,
        },
    },
    Alarm: {
        **{alarm: {E.CONNECTED: Alarm.NONE, E.CONFIRMED: alarm, **_NEWEST} for alarm in _PASSING},
        Alarm.FORK: {**dict.fromkeys(_OF_ALARM, Alarm.FORK), E.UNREADABLE: Alarm.UNREADABLE},
        Alarm.UNREADABLE: dict.fromkeys(_OF_ALARM, Alarm.UNREADABLE),
    },
    Mark: {
        Mark.NONE: {E.RESTORED: Mark.RESTORED, E.ROLLBACK: Mark.ROLLBACK, E.FORK: Mark.FORK},
        Mark.RESTORED: {E.RESTORED: Mark.RESTORED, E.ROLLBACK: Mark.ROLLBACK, E.FORK: Mark.FORK},
        Mark.ROLLBACK: {E.RESTORED: Mark.RESTORED, E.ROLLBACK: Mark.ROLLBACK, E.FORK: Mark.FORK},
        Mark.FORK: {E.RESTORED: Mark.FORK, E.ROLLBACK: Mark.FORK, E.FORK: Mark.FORK},
    },
    Head: {
        Head.UNCONFIRMED: {E.CONNECTED: Head.UNCONFIRMED, E.CONFIRMED: Head.CONFIRMED},
        Head.CONFIRMED: {E.CONNECTED: Head.UNCONFIRMED, E.CONFIRMED: Head.CONFIRMED},
    },
    Past: {
        Past.READ: {E.GRANTED: Past.OWED, E.NOT_RECORDED: Past.OWED},
        Past.OWED: {E.GRANTED: Past.OWED, E.NOT_RECORDED: Past.OWED, E.READ_AGAIN: Past.READ},
    },
}

JOINT: Mapping[tuple[Alarm, Head, Mark], Mark] = {
    (Alarm.NONE, Head.CONFIRMED, Mark.RESTORED): Mark.NONE,
    (Alarm.NONE, Head.CONFIRMED, Mark.ROLLBACK): Mark.NONE,
}

del E
SEEN: Mapping[type[State], frozenset[Event]] = {
    machine: frozenset(event for row in table.values() for event in row) for machine, table in TRANSITIONS.items()
}
"""The events that each machine sees."""

LASTING = tuple(mark.value for mark in Mark if mark.value is not None)
"""The problems that are kept after a restart, and for which evidence is kept."""


class UnlistedTransition(BugError):
    """A fault of this program: an event happened to a room in a state for which the table of its state machines lists
    nothing. It stops that room until the next start; it is raised only in tests."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomPhase:
    """The phase of one room on this device: the present state of each of its five state machines. Immutable; `after`
    gives the next phase."""

    reading: Reading = Reading.HOLDING
    alarm: Alarm = Alarm.NONE
    mark: Mark = Mark.NONE
    head: Head = Head.UNCONFIRMED
    past: Past = Past.READ

    @classmethod
    def of_stored(cls, problem: str | None, *, following: bool, reread: bool) -> "RoomPhase":
        """The phase of a room that was just loaded from the store. `problem`: the alarm that the store recorded
        ("fork", "rollback" or "restored"), which stops the room again; None for none, ValueError for any other text.
        `following`: whether the stream's state (what is verified of the room) is stored; the room is then followed as
        usual, and otherwise read from its beginning. `reread`: whether earlier positions are to be pulled and opened
        again."""
        mark = Mark(RoomState(problem)) if problem else Mark.NONE
        return cls(
            reading=Reading.FOLLOWING if following else Reading.HOLDING,
            alarm=Alarm(mark.value),
            mark=mark,
            past=Past.OWED if reread else Past.READ,
        )

    def after(self, event: Event) -> "RoomPhase":
        """The phase that follows when `event` happens. UnlistedTransition if one of the state machines reacts to this
        event, and the table lists nothing for it in the machine's present state."""
        moved = RoomPhase(
            reading=_after(Reading, self.reading, event),
            alarm=_after(Alarm, self.alarm, event),
            mark=_after(Mark, self.mark, event),
            head=_after(Head, self.head, event),
            past=_after(Past, self.past, event),
        )
        mark = JOINT.get((moved.alarm, moved.head, moved.mark))
        return moved if mark is None else replace(moved, mark=mark)

    def failed(self) -> "RoomPhase":
        """The phase after a fault of this program: the room is stopped until the next start."""
        return self.after(Event.UNREADABLE)

    @property
    def recorded(self) -> str | None:
        """What the store is to record of the alarm ("fork", "rollback", "restored"); None for no record. Reads nothing
        from the store: after a change of the phase the caller stores the value (`InboxPort.set_problem`)."""
        state: RoomState | None = self.mark.value
        return state.value if state is not None else None


def _after(machine: type[S], state: S, event: Event) -> S:
    if event not in SEEN[machine]:
        return state
    found = TRANSITIONS[machine][state].get(event)
    if not isinstance(found, machine):
        raise UnlistedTransition(f"{event.name} in {machine.__name__}.{state.name}")
    return found
