# SPDX-License-Identifier: EUPL-1.2
"""What an operator lists: people, devices, rooms, closed rooms, open invitations. Each listing is lines of one shape,
printed as a JSON object a line, or as a table for people. The server may be running.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sync.server.admin import opened
from sync.server.auth import now_ms
from sync.server.identity import read_agency_pk
from sync.server.store.base import InviteRow, SightingRow, UserRow
from sync.server.store.sql import SqlStore
from sync.trust.agency import decode_record, invite_id
from sync.trust.userlog import UserLog

_EVERYBODY = 1_000_000
_TIMES = {"added", "last_seen", "changed", "made"}
_HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True, kw_only=True)
class UserLine:
    """One person: id in hex; `state` "active", "no-device" or "ended"; `last_seen` in ms, 0 for never."""

    person: str
    name: str
    title: str
    unit: str
    state: str
    devices: int
    last_seen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceLine:
    """One device: ids in hex, times in ms; `last_seen` 0 for never."""

    person: str
    name: str
    device: str
    added: int
    revoked: bool
    last_seen: int
    agent: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomLine:
    """One room: id in hex, members now, items and bytes (parts of files counted), the last item's time in ms."""

    room: str
    members: int
    items: int
    size_bytes: int
    changed: int
    closed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A device that a closed room waits for: id in hex, time in ms."""

    name: str
    device: str
    last_seen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedLine:
    """A room closed since a restore: it stands at `n`; up to `until` it is proven what is missing, 0 if nothing is."""

    room: str
    n: int
    until: int
    waits: list[Waiting]


@dataclass(frozen=True, slots=True, kw_only=True)
class InviteLine:
    """An invitation that can be used: ids in hex, `person` who is invited back ("" for somebody new), `made` in ms."""

    invitation: str
    name: str
    title: str
    unit: str
    person: str
    made: int
    age_hours: float
    hours_left: float


Line = UserLine | DeviceLine | RoomLine | ClosedLine | InviteLine


async def users(data: Path, words: str) -> list[UserLine]:
    """Everybody whose record has these words, by name."""
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
    )


async def devices(data: Path, words: str) -> list[DeviceLine]:
    """The devices of everybody whose record has these words."""
    agency_pk = read_agency_pk(data)
    lines = []
    async with opened(data) as store:
        for user in await _people(store, words):
            log, seen = await _log(store, user.uid, agency_pk), await _seen(store, user.uid)
            for device in log.devices.values():
                sighting = seen.get(device.dev)
                lines.append(
                    DeviceLine(
                        person=user.uid.hex(),
                        name=decode_record(user.record)["name"] if user.record else "",
                        device=device.dev.hex(),
                        added=device.time,
                        revoked=log.device_active(device.dev, log.seq) is None,
                        last_seen=sighting.last if sighting else 0,
                        agent=sighting.agent if sighting else "",
                    )
                )
    return lines


async def _people(store: SqlStore, words: str) -> list[UserRow]:
    return await store.search_people(words.casefold().split(), _EVERYBODY)


async def _log(store: SqlStore, uid: bytes, agency_pk: bytes) -> UserLog:
    return UserLog.replay([(r.body, r.sig) for r in await store.user_entries(uid, -1)], agency_pk)


async def _seen(store: SqlStore, uid: bytes) -> dict[bytes, SightingRow]:
    return {row.dev: row for row in await store.sightings(uid)}


async def rooms(data: Path) -> list[RoomLine]:
    """Every room, the largest first. The server knows no titles."""
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
    """The rooms that take no writing since a restore, and for whom they wait."""
    lines = []
    async with opened(data) as store:
        awaited = dict(await store.awaited_devices())
        waits = {uid: await _waiting(store, uid, awaited) for uid in set(awaited.values())}
        for room in sorted(await store.closed_rooms()):
            row = await store.room(room)
            members = [uid for uid in waits if await store.until_n(room, uid) == 0]
            lines.append(
                ClosedLine(
                    room=room.hex(),
                    n=row.n if row else 0,
                    until=await store.awaited_until(room),
                    waits=[line for uid in members for line in waits[uid]],
                )
            )
    return lines


async def _waiting(store: SqlStore, uid: bytes, awaited: dict[bytes, bytes]) -> list[Waiting]:
    user = await store.user(uid)
    name = decode_record(user.record)["name"] if user is not None and user.record else uid.hex()
    rows = [row for row in await store.sightings(uid) if row.dev in awaited]
    return [Waiting(name=name, device=row.dev.hex(), last_seen=row.last) for row in rows]


async def invites(data: Path) -> list[InviteLine]:
    """Every invitation that is open, the oldest first."""
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
    """An object a line; nothing for no lines."""
    return "".join(json.dumps(asdict(line), ensure_ascii=False) + "\n" for line in lines)


def as_table(lines: Sequence[Line]) -> str:
    """Columns under their names, times in local time; nothing for no lines."""
    rows = [{key: _cell(key, value) for key, value in asdict(line).items()} for line in lines]
    if not rows:
        return ""
    rows.insert(0, {key: key.upper().replace("_", " ") for key in rows[0]})
    widths = {key: max(len(row[key]) for row in rows) for key in rows[0]}
    return "".join("  ".join(text.ljust(widths[key]) for key, text in row.items()).rstrip() + "\n" for row in rows)


def _cell(key: str, value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(f"{each['name']} ({_time(each['last_seen'])})" for each in value)
    return _time(value) if key in _TIMES else str(value)


def _time(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000).astimezone().strftime("%Y-%m-%d %H:%M") if ms else "never"
