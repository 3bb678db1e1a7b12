# SPDX-License-Identifier: EUPL-1.2
"""What an operator lists: people, devices, rooms, closed rooms, open invitations. Each listing is lines of one shape,
printed as a JSON object a line, or as a table for people. The server may be running.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sync.protocol.programs import AGENT, Release, release_of
from sync.server.host.identity import read_agency_pk
from sync.server.host.wording import format_time
from sync.server.operator.admin import opened
from sync.server.operator.aftermath import NO_RECORD
from sync.server.operator.upkeep.audit import AuditLine
from sync.server.operator.upkeep.owners import OwnerLine
from sync.server.rules.handshake import now_ms
from sync.server.store.base import InviteRow, SightingRow, UserRow
from sync.server.store.sql import SqlStore
from sync.trust.person.agency import decode_record, invite_id
from sync.trust.person.user_log import UserLog

_ALL = 1_000_000
_TIMES = {"time", "added", "last_seen", "changed", "made", "entries_lost_after"}
_HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True, kw_only=True)
class UserLine:
    """One person in the listing of people: id in hex; `state` "active", "no-device" (none is active) or "ended" (the
    account); `devices` counts the active ones; `last_seen` in ms, of any of their devices, 0 for never. `note`: why the
    name is empty, "" otherwise."""

    person: str
    name: str
    title: str
    unit: str
    state: str
    devices: int
    last_seen: int
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceLine:
    """One device in the listing of devices: ids in hex, times in ms; `added` when the device was added, by the clock of
    the device that added it, `last_seen` 0 for never. `revoked`: also because the account has ended. `agent` is the
    program as the device named it when it signed in last. `older`: that release is older than this server's, or than
    one that devices of two people have named. Such a program was started before the upgrade, or the computer was not
    upgraded; the server cannot know which. `note`: why the person's name is empty, "" otherwise."""

    person: str
    name: str
    device: str
    added: int
    revoked: bool
    last_seen: int
    agent: str
    older: bool
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomLine:
    """One room in the listing of rooms: its id in hex, `members` now, number of `items` (a room has at least one),
    `size_bytes` (parts of files counted), `changed` when the last item came (ms), and whether it is `closed` to writing
    since a restore."""

    room: str
    members: int
    items: int
    size_bytes: int
    changed: int
    closed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A device that a closed room waits for, since it may have items that a restore lost. `name`: its person's name, or
    the person's id if their staff record was lost. `device`: its id in hex. `last_seen`: when it was last seen (ms); a
    device that was never seen is not awaited."""

    name: str
    device: str
    last_seen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedLine:
    """A room that is closed since a restore: how many items it has, and how many are known to be missing, because
    devices have shown receipts (this server's signatures) for them, whether they have proven these yet or not. `waits`:
    its members' devices that have not reported since the restore that they have nothing more to upload; they may have
    what is missing, or receipts for still more."""

    room: str
    items: int
    missing: int
    waits: list[Waiting]


@dataclass(frozen=True, slots=True, kw_only=True)
class InviteLine:
    """One open invitation in the listing of invitations: ids in hex; `person` who is invited back ("" for somebody
    new); `made` in ms, 0 for unknown; `age_hours`: hours since then, 0 also if `made` is unknown; `hours_left` until
    the code ends."""

    invitation: str
    name: str
    title: str
    unit: str
    person: str
    made: int
    age_hours: float
    hours_left: float


Line = UserLine | DeviceLine | RoomLine | ClosedLine | AuditLine | OwnerLine | InviteLine


async def users(data: Path, words: str) -> list[UserLine]:
    """A line for every person in the data folder `data` whose name, title and unit contain all `words` (separated by
    spaces), sorted by name; "" lists everybody. People whose account has ended are listed too. A word may also be a
    part of a longer one, and case does not matter: `berg` finds Lindberg. [] if no person is found. ConfigError if
    there is no database."""
    agency_pk = read_agency_pk(data)
    async with opened(data) as store:
        return [await _user_line(store, user, agency_pk) for user in await _people(store, words)]


async def _user_line(store: SqlStore, user: UserRow, agency_pk: bytes) -> UserLine:
    log, seen = await _log(store, user.uid, agency_pk), await _seen(store, user.uid)
    active = sum(log.device_active(dev, log.seq) is not None for dev in log.devices)
    known = decode_record(user.record) if user.record else {}
    name, title, unit = (known.get(field, "") for field in ("name", "title", "unit"))
    return UserLine(
        person=user.uid.hex(),
        name=name,
        title=title,
        unit=unit,
        state="ended" if log.ended is not None else "active" if active else "no-device",
        devices=active,
        last_seen=max((row.last for row in seen.values()), default=0),
        note="" if user.record else NO_RECORD,
    )


async def devices(data: Path, words: str) -> list[DeviceLine]:
    """A line for each device, revoked ones too, of every person in the data folder `data` whose name, title and unit
    contain all `words` (separated by spaces; also as parts of longer words, in any case); "" lists everybody's. Sorted
    by the person's name; a person's devices in the order in which they were added. ConfigError if there is no
    database."""
    agency_pk = read_agency_pk(data)
    lines = []
    async with opened(data) as store:
        newest = await _newest(store)
        for user in await _people(store, words):
            log, seen = await _log(store, user.uid, agency_pk), await _seen(store, user.uid)
            for device in log.devices.values():
                sighting = seen.get(device.dev)
                agent = sighting.agent if sighting else ""
                lines.append(
                    DeviceLine(
                        person=user.uid.hex(),
                        name=decode_record(user.record)["name"] if user.record else "",
                        device=device.dev.hex(),
                        added=device.time,
                        revoked=log.device_active(device.dev, log.seq) is None,
                        last_seen=sighting.last if sighting else 0,
                        agent=agent,
                        older=(named := release_of(agent)) is not None and named < newest,
                        note="" if user.record else NO_RECORD,
                    )
                )
    return lines


async def unsearched(data: Path) -> str:
    """A note for a search by words of the staff record: how many people in the data folder `data` have no record, so
    that no words find them. "" if all have one."""
    async with opened(data) as store:
        nameless = len(await store.nameless())
    return f"{nameless} without a staff record, whom no words find; without words all are listed" if nameless else ""


async def _newest(store: SqlStore) -> Release:
    """The newest release of the program that is known here: this server's, or a newer one that devices of two people
    have named. Otherwise one person who lies about their own release could make all others look old."""
    people: dict[Release, set[bytes]] = {}
    for user in await _people(store, ""):
        for row in (await _seen(store, user.uid)).values():
            if (named := release_of(row.agent)) is not None:
                people.setdefault(named, set()).add(user.uid)
    known = [named for named, by in people.items() if len(by) > 1]
    own = release_of(AGENT)
    assert own is not None  # noqa: S101 - this program's own name
    return max([*known, own])


async def _people(store: SqlStore, words: str) -> list[UserRow]:
    return await store.search_people(words.casefold().split(), _ALL)


async def _log(store: SqlStore, uid: bytes, agency_pk: bytes) -> UserLog:
    return UserLog.replay([(r.body, r.sig) for r in await store.user_entries(uid, -1)], agency_pk)


async def _seen(store: SqlStore, uid: bytes) -> dict[bytes, SightingRow]:
    return {row.dev: row for row in await store.sightings(uid)}


async def rooms(data: Path) -> list[RoomLine]:
    """A line for every room in the data folder `data`, the largest (in bytes) first. The server knows no titles."""
    async with opened(data) as store:
        closed = set(await store.closed_rooms())
        sizes = sorted(await store.room_sizes(), key=lambda size: (-size.size_bytes, size.room))
    return [
        RoomLine(
            room=size.room.hex(),
            members=size.members,
            items=size.n,
            size_bytes=size.size_bytes,
            changed=size.t,
            closed=size.room in closed,
        )
        for size in sizes
    ]


async def closed(data: Path) -> list[ClosedLine]:
    """A line for each room in the data folder `data` that takes no writing since a restore, with the devices that it
    waits for. Sorted by the rooms' ids; [] if no room is closed. ConfigError if there is no database."""
    lines = []
    async with opened(data) as store:
        awaited = dict(await store.awaited_devices())
        waits = {uid: await _waiting(store, uid, awaited) for uid in set(awaited.values())}
        for room in sorted(await store.closed_rooms()):
            row, unmet = await store.room(room), await store.unmet(room)
            items = row.n if row else 0
            members = [uid for uid in waits if await store.until_n(room, uid) == 0]
            lines.append(
                ClosedLine(
                    room=room.hex(),
                    items=items,
                    missing=max(len(await store.awaited_items(room, 0, _ALL)), unmet.n - items if unmet else 0),
                    waits=[line for uid in members for line in waits[uid]],
                )
            )
    return lines


async def _waiting(store: SqlStore, uid: bytes, awaited: dict[bytes, bytes]) -> list[Waiting]:
    user = await store.user(uid)
    name = decode_record(user.record)["name"] if user is not None and user.record else f"{uid.hex()} (no staff record)"
    rows = [row for row in await store.sightings(uid) if row.dev in awaited]
    return [Waiting(name=name, device=row.dev.hex(), last_seen=row.last) for row in rows]


def format_waiting(waiting: Waiting) -> str:
    """An awaited device in words: its person, its id, and when it was last seen."""
    return f"{waiting.name} ({waiting.device}, seen {format_time(waiting.last_seen)})"


def in_form(lines: Sequence[Line], *, table: bool) -> str:
    """The lines as a table or as JSON."""
    return as_table(lines) if table else as_json(lines)


async def invites(data: Path) -> list[InviteLine]:
    """A line for every invitation in the data folder `data` that can still be used, the oldest first."""
    now = now_ms()
    async with opened(data) as store:
        return [_invite_line(row, now) for row in await store.invites() if row.is_open(now)]


def _invite_line(row: InviteRow, now: int) -> InviteLine:
    known = decode_record(row.record) if row.record else {}
    name, title, unit = (known.get(field, "") for field in ("name", "title", "unit"))
    return InviteLine(
        invitation=invite_id(row.invite_pk).hex(),
        name=name,
        title=title,
        unit=unit,
        person=row.person.hex() if row.person is not None else "",
        made=row.made,
        age_hours=round((now - row.made) / _HOUR_MS, 1) if row.made else 0.0,
        hours_left=round((row.not_after - now) / _HOUR_MS, 1),
    )


def as_json(lines: Iterable[Line]) -> str:
    """The lines as JSON, an object a line; "" for no lines."""
    return "".join(_printable(json.dumps(asdict(line), ensure_ascii=False)) + "\n" for line in lines)


def as_table(lines: Sequence[Line]) -> str:
    """Formats `lines`, all of one listing, as a table for people: a row with the names of the columns, then a row for
    each line, in their order. Times are in local time ("never" for 0), truth values are yes or no. "" for no lines."""
    rows = [{key: _printable(_cell(key, value)) for key, value in asdict(line).items()} for line in lines]
    if not rows:
        return ""
    rows.insert(0, {key: key.upper().replace("_", " ") for key in rows[0]})
    widths = {key: max(len(row[key]) for row in rows) for key in rows[0]}
    return "".join("  ".join(text.ljust(widths[key]) for key, text in row.items()).rstrip() + "\n" for row in rows)


def _printable(text: str) -> str:
    """`text` with its unprintable characters escaped as in JSON: control and format characters, and every blank other
    than the space. Otherwise a terminal would obey control characters in a person's name."""
    return "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text)


def _cell(key: str, value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(format_waiting(Waiting(**each)) for each in value)
    if isinstance(value, dict):
        return ", ".join(f"{name} {format_time(of) if name in _TIMES else of}" for name, of in value.items())
    return format_time(value) if key in _TIMES else str(value)
