# SPDX-License-Identifier: EUPL-1.2
"""What lies in the personal room: small records, the latest of each counts. Also how they are folded to what is so.

The latest is the one with the highest position, and one that has none yet comes after those that have. A device is
named by its own `dev`; a record about one may come from another of the same person's devices.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec
from sqlalchemy import Connection

from app.core.ids import DevId, Hash, Uid
from app.core.visible import one_line
from app.errors import BadChange
from app.objects.object import Payload
from app.store.rows import ObjectRow, StoredChange

MAX_NAME = 64
"""As at pairing (sync/trust/pairing.py)."""
MAX_TEXT = 120


class DeviceNamed(msgspec.Struct, frozen=True, kw_only=True, tag="named"):
    """What the person calls a device."""

    dev: bytes
    name: str


class DeviceRuns(msgspec.Struct, frozen=True, kw_only=True, tag="runs"):
    """What a device runs on, by its own word: the operating system and the program's version."""

    dev: bytes
    system: str
    version: str


class Alive(msgspec.Struct, frozen=True, kw_only=True, tag="alive"):
    """A device lives: the position's time and the envelope's device say which and when, so there is nothing in it."""


class PersonMarked(msgspec.Struct, frozen=True, kw_only=True, tag="marked"):
    """A colleague's safety number was compared in person (`on`), or the mark is taken back. `genesis` 32 B: the keys
    that it was about; `t` ms: when, by the device's clock."""

    uid: bytes
    genesis: bytes
    on: bool
    t: int


Record = DeviceNamed | DeviceRuns | Alive | PersonMarked

_PAYLOAD: Payload[Record] = Payload(Record)


@dataclass(frozen=True, slots=True, kw_only=True)
class Runs:
    """A device's system and program version, as it said itself."""

    system: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Whether a person with these keys counts as verified in person, and since when (ms)."""

    genesis: Hash
    on: bool
    t: int


@dataclass(slots=True)
class Told:
    """Everything that the devices have told each other."""

    names: dict[DevId, str] = field(default_factory=dict)
    runs: dict[DevId, Runs] = field(default_factory=dict)
    marks: dict[Uid, Mark] = field(default_factory=dict)


def encode(record: Record) -> bytes:
    """The record as a change's data."""
    return _PAYLOAD.encode(record)


def decode(data: bytes) -> Record:
    """The record; BadChange if it is none of ours or breaks a limit."""
    record = _PAYLOAD.decode(data)
    match record:
        case DeviceNamed(dev=dev, name=name):
            fits = len(dev) == 16 and 0 < len(name) <= MAX_NAME
        case DeviceRuns(dev=dev, system=system, version=version):
            fits = len(dev) == 16 and len(system) <= MAX_TEXT and len(version) <= MAX_TEXT
        case PersonMarked(uid=uid, genesis=genesis):
            fits = len(genesis) == 32 and uid == genesis[:16]
        case _:
            fits = True
    if not fits:
        raise BadChange("malformed")
    return record


def fold(changes: Sequence[StoredChange]) -> Told:
    """What is so after all of them; what cannot be read is left out."""
    told = Told()
    for change in sorted(changes, key=lambda c: (c.n is None, c.n or 0, c.rowid)):
        try:
            record = decode(change.data)
        except BadChange:
            continue
        match record:
            case DeviceNamed(dev=dev, name=name):
                told.names[DevId(dev)] = one_line(name, MAX_NAME)
            case DeviceRuns(dev=dev, system=system, version=version):
                told.runs[DevId(dev)] = Runs(system=one_line(system, MAX_TEXT), version=one_line(version, MAX_TEXT))
            case PersonMarked(uid=uid, genesis=genesis, on=on, t=t):
                told.marks[Uid(uid)] = Mark(genesis=Hash(genesis), on=on, t=t)
            case Alive():
                pass
    return told


def check(conn: Connection, obj: ObjectRow, changes: Sequence[StoredChange]) -> None:
    """The kind's projection: it has no read model, since everything is folded anew; BadChange is marked."""
    for change in changes:
        decode(change.data)
