# SPDX-License-Identifier: EUPL-1.2
"""Finds rooms that depend on one owner: while that person is away, no member can appoint another owner.

Only reads, and a server may be running. The server knows roles but no titles. Each room's stored state is read, and the
items after it are judged again as at a start: a few milliseconds a room, up to a second for a large one.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sync.errors import NeedLog, Reject
from sync.ids import Uid
from sync.protocol.version import MAX_BATCH_ITEMS
from sync.server.config import Config
from sync.server.host.identity import read_agency_pk
from sync.server.operator.upkeep.problems import Logs
from sync.server.operator.upkeep.reading import MISTYPED, Reading
from sync.trust.formats.items import ENTRY, Item, Role
from sync.trust.person.agency import decode_record
from sync.trust.room.stream import RoomStream

_ITEMS = "SELECT n, t, kind, body, sig, ct FROM items WHERE room = ? AND n > ? AND n <= ? ORDER BY n"


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerLine:
    """One line in the listing of rooms that depend on one person: a room in which at most one owner still has an
    account. `room` and `owner`: ids in hex. `name`: the owner's, from the staff record. `owner` and `name` are "" if
    every owner's account was ended, and `name` if the server has no staff record of the owner, or a damaged one.
    `members`: how many members the room has. `changed`: the last item's time in ms."""

    room: str
    owner: str
    name: str
    members: int
    changed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OneOwner:
    """The rooms that have at most one owner with an account, a line for each. `unread` has the ids, in hex, of rooms
    that could not be listed, because they or their owner's staff record are damaged; `verify` says what is wrong with
    them."""

    lines: tuple[OwnerLine, ...]
    unread: tuple[str, ...]


def one_owner(data: Path) -> OneOwner:
    """Finds the rooms in the data folder `data` of two or more members of whose owners at most one has an account,
    those with the most members first. Rooms of one member are left out: no other person would lose anything, and each
    person has one such room. Damaged rooms are listed apart. ConfigError if agency.pub is missing or cannot be read,
    TooNew for a later version's database, Damaged for one that cannot be read."""
    agency_pk = read_agency_pk(data)
    reading = Reading(Config(data=data).database)
    lines, unread = [], []
    try:
        with reading.snapshot():
            logs = Logs(reading, agency_pk)
            rooms = list(reading.rows("rooms", "SELECT room, n, t, state_n, state FROM rooms"))
            for room, n, t, state_n, state in rooms:
                try:
                    line = _line(reading, logs, room, n, t, state_n, state)
                except (Reject, NeedLog, *MISTYPED):
                    unread.append(bytes(room).hex())
                    continue
                if line is not None:
                    lines.append(line)
    finally:
        reading.close()
    lines.sort(key=lambda line: (-line.members, line.room))
    return OneOwner(lines=tuple(lines), unread=tuple(sorted(unread)))


def _line(reading: Reading, logs: Logs, room: bytes, n: int, t: int, state_n: int, state: bytes) -> OwnerLine | None:
    stream = RoomStream.from_bytes(state)
    for unit in _units(reading, room, state_n, n):
        stream.accept(unit, logs, lambda at: _rh_at(reading, room, at))
    owners = [uid for uid, member in stream.members.items() if member.role is Role.OWNER and _lives(logs, uid)]
    if len(stream.members) < 2 or len(owners) > 1:
        return None
    return OwnerLine(
        room=room.hex(),
        owner=owners[0].hex() if owners else "",
        name=_name(reading, owners[0]) if owners else "",
        members=len(stream.members),
        changed=t,
    )


def _units(reading: Reading, room: bytes, after: int, until: int) -> Iterator[list[Item]]:
    """Reads items of the room with the id `room` from the database `reading`: those whose positions are above `after`
    and at most `until`, in order. Yields them as units that are judged together: single entries and whole batches. A
    batch that goes on beyond `until` is cut there. Damaged if the file cannot be read."""
    unit: list[Item] = []
    for n, t, kind, body, sig, ct in reading.rows("items", _ITEMS, (room, after, until)):
        unit.append(Item(n, t, kind, body, sig, ct))
        if kind == ENTRY or sig or len(unit) > MAX_BATCH_ITEMS:
            yield unit
            unit = []
    if unit:
        yield unit


def _rh_at(reading: Reading, room: bytes, n: int) -> bytes | None:
    row = reading.one("items", "SELECT rh FROM items WHERE room = ? AND n = ?", (room, n))
    return row[0] if row else None


def _lives(logs: Logs, uid: Uid) -> bool:
    """Whether the account of the person `uid` has not ended. True also for a missing or damaged log, which does not
    show whether the account ended."""
    log = logs.log(uid)
    return log is None or log.ended is None


def _name(reading: Reading, uid: bytes) -> str:
    """The name in the staff record of the person `uid`; "" if there is none or it is damaged, which `verify`
    reports."""
    row = reading.one("users", "SELECT record FROM users WHERE uid = ?", (uid,))
    try:
        return decode_record(row[0]).get("name", "") if row and row[0] else ""
    except (Reject, *MISTYPED):
        return ""
