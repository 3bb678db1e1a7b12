# SPDX-License-Identifier: EUPL-1.2
"""The records of the personal room, and how they are folded into present values: the latest record of each subject
counts.

The latest is the one with the latest time of the server; records without a position yet come after those that have one.
A device is named by its own `dev`; a record about a device may come from another of the same person's devices.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from app.core.ids import DevId, Hash, RoomId, Uid
from app.core.visible import one_line
from app.errors import BadChange
from app.objects.object import Payload
from app.store.connection import Connection
from app.store.rows import ObjectRow, StoredChange

MAX_NAME = 64
"""As at pairing (sync/trust/person/pairing_protocol.py)."""
MAX_TEXT = 120
ACCEPTED, DECLINED, ASKED = ANSWERS = ("accepted", "declined", "asked")


class DeviceNamed(msgspec.Struct, frozen=True, kw_only=True, tag="named"):
    """A record in the personal room: the person has given the device `dev` this name."""

    dev: bytes
    name: str


class DeviceRuns(msgspec.Struct, frozen=True, kw_only=True, tag="runs"):
    """A record in the personal room: what a device runs on, as it reports itself: the operating system and the
    program's version."""

    dev: bytes
    system: str
    version: str


class Alive(msgspec.Struct, frozen=True, kw_only=True, tag="alive"):
    """A record in the personal room: a device's heartbeat. It is empty: the position's time says when, and the
    envelope's device says which."""


class PersonMarked(msgspec.Struct, frozen=True, kw_only=True, tag="marked"):
    """A record in the personal room: a colleague's safety number was compared in person (`on` True), or the mark is
    taken back. `genesis` (32 B): the hash of the first entry of the colleague's log, which identifies the keys that
    were compared; `t`: when, in ms by the device's clock."""

    uid: bytes
    genesis: bytes
    on: bool
    t: int


class InvitationAnswered(msgspec.Struct, frozen=True, kw_only=True, tag="answered"):
    """A record in the personal room: the person's answer to being added to a room at position `n` (0: not known):
    "accepted", "declined", or "asked" if they want to be asked again."""

    room: bytes
    n: int
    answer: str


class PersonBlocked(msgspec.Struct, frozen=True, kw_only=True, tag="blocked"):
    """A record in the personal room: invitations by the colleague `uid` are hidden (`on` True), or shown again."""

    uid: bytes
    on: bool


Record = DeviceNamed | DeviceRuns | Alive | PersonMarked | InvitationAnswered | PersonBlocked

_PAYLOAD: Payload[Record] = Payload(Record)


@dataclass(frozen=True, slots=True, kw_only=True)
class Runs:
    """The operating system and program version that a device reported last."""

    system: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """The latest mark about a colleague: whether the person whose log begins with the entry of the hash `genesis`,
    which identifies their keys, counts as verified in person (`on`), and since when (`t`, ms by the clock of the device
    that wrote it)."""

    genesis: Hash
    on: bool
    t: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The latest answer about an invitation to a room, the position `n` at which the person was added, as the record
    says, and the server's time `t` (ms) of the record; None while the record has no position."""

    answer: str
    n: int
    t: int | None = None


@dataclass(slots=True)
class SharedRecords:
    """The present values of everything that the person's devices have shared with each other: the devices' names and
    systems by device, marks by colleague, answers by room, blocked colleagues."""

    names: dict[DevId, str] = field(default_factory=dict)
    runs: dict[DevId, Runs] = field(default_factory=dict)
    marks: dict[Uid, Mark] = field(default_factory=dict)
    answers: dict[RoomId, Answer] = field(default_factory=dict)
    blocked: set[Uid] = field(default_factory=set)


def encode(record: Record) -> bytes:
    """The record as a change's data."""
    return _PAYLOAD.encode(record)


def decode(data: bytes) -> Record:
    """Decodes a record of the personal room. BadChange if it is no valid record or breaks a limit."""
    record = _PAYLOAD.decode(data)
    match record:
        case DeviceNamed(dev=dev, name=name):
            fits = len(dev) == 16 and 0 < len(name) <= MAX_NAME
        case DeviceRuns(dev=dev, system=system, version=version):
            fits = len(dev) == 16 and len(system) <= MAX_TEXT and len(version) <= MAX_TEXT
        case PersonMarked(uid=uid, genesis=genesis):
            fits = len(genesis) == 32 and uid == genesis[:16]
        case InvitationAnswered(room=room, n=n, answer=answer):
            fits = len(room) == 16 and 0 <= n < 2**63 and answer in ANSWERS
        case PersonBlocked(uid=uid):
            fits = len(uid) == 16
        case _:
            fits = True
    if not fits:
        raise BadChange("malformed")
    return record


def fold(changes: Sequence[StoredChange], writing: RoomId | None) -> SharedRecords:
    """The present values after all these `changes` of the personal rooms, given in any order. `writing`: the room that
    is written to, if there is one. Of several records about one thing, such as a device's name, the latest counts by
    the server's time, which never falls within a room; a record in `writing` without a position yet counts before all
    others. Positions say nothing across rooms: a room that replaces one with two histories begins at 1 again. A record
    that another room never placed counts by this device's time. Changes that cannot be read are ignored."""

    def order(change: StoredChange) -> tuple[bool, int, int, int]:
        last = change.n is None and change.room == writing
        return last, 0 if last else change.t, change.n or 0, change.rowid

    shared = SharedRecords()
    for change in sorted(changes, key=order):
        try:
            record = decode(change.data)
        except BadChange:
            continue
        match record:
            case DeviceNamed(dev=dev, name=name):
                shared.names[DevId(dev)] = one_line(name, MAX_NAME)
            case DeviceRuns(dev=dev, system=system, version=version):
                shared.runs[DevId(dev)] = Runs(system=one_line(system, MAX_TEXT), version=one_line(version, MAX_TEXT))
            case PersonMarked(uid=uid, genesis=genesis, on=on, t=t):
                shared.marks[Uid(uid)] = Mark(genesis=Hash(genesis), on=on, t=t)
            case InvitationAnswered(room=room, n=n, answer=answer):
                shared.answers[RoomId(room)] = Answer(answer=answer, n=n, t=None if change.n is None else change.t)
            case PersonBlocked(uid=uid, on=on):
                (shared.blocked.add if on else shared.blocked.discard)(Uid(uid))
            case Alive():
                pass
    return shared


def check(conn: Connection, obj: ObjectRow, changes: Sequence[StoredChange]) -> None:
    """What the store calls for new `changes` of the personal room's object: only checks that each is a valid record,
    and raises BadChange if one is not. It writes no rows, since all records are read again each time."""
    for change in changes:
        decode(change.data)
