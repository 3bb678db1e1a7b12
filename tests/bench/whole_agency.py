# SPDX-License-Identifier: EUPL-1.2
"""A whole agency for benches: people by the hundred with rooms by the thousand, made through the server's own service
and kept in a file, so that clients can sign in as them. Nothing of it is anybody's.
"""

import asyncio
import json
import os
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from app.core import clock
from sync.crypto.signatures import SigningKey
from sync.ids import DevId, Hash, ObjId, RoomId, Uid
from sync.protocol.messages import Append, Push, PutSeals, Signed
from sync.server.config import Limits
from sync.server.host.identity import read_agency
from sync.server.rules.handshake import Who
from sync.server.rules.service import Service
from sync.server.rules.store_rows import entry_rows, user_row
from sync.server.store.base import InviteRow
from sync.server.store.sql import SqlStore
from sync.trust.formats.items import ENTRY, Item, Role
from sync.trust.keys.epochs import KeyRing
from sync.trust.person.agency import SignInCode, encode_record, record_hash
from sync.trust.person.author import Author, DeviceSecrets, new_user
from sync.trust.person.user_log import UserLog
from sync.trust.room import entry_drafts, envelope
from sync.trust.room.stream import RoomStream
from tests.bench.filling import service_of
from tests.bench.office import found

_AT_ONCE = 16
"""Rooms that are made beside each other: their commits overlap."""
_ADDED_AT_ONCE = 60
KEPT = "agency.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A person with one device. `author` signs."""

    author: Author
    rooms: list[int] = field(default_factory=list)
    """By number in the agency."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeRoom:
    """A room as it is when it was made: its last position, its key, and who is in it, by number, each with the id that
    their first envelope names."""

    room: RoomId
    seen: tuple[int, Hash]
    key: bytes
    members: list[int]
    prevs: list[bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Agency:
    people: list[Member]
    rooms: list[MadeRoom]

    @classmethod
    def read(cls, folder: Path) -> "Agency":
        """The one that `build` left in the folder."""
        kept = json.loads((folder / KEPT).read_text(encoding="utf-8"))
        people = [
            Member(
                author=Author(
                    uid=Uid(bytes.fromhex(p["uid"])),
                    dev=DevId(bytes.fromhex(p["dev"])),
                    signing=SigningKey(bytes.fromhex(p["sign"])),
                    ulog=(p["seq"], Hash(bytes.fromhex(p["head"]))),
                )
            )
            for p in kept["people"]
        ]
        rooms = []
        for number, r in enumerate(kept["rooms"]):
            room = MadeRoom(
                room=RoomId(bytes.fromhex(r["room"])),
                seen=(r["n"], Hash(bytes.fromhex(r["rh"]))),
                key=bytes.fromhex(r["key"]),
                members=r["members"],
                prevs=[bytes.fromhex(prev) for prev in r["prevs"]],
            )
            rooms.append(room)
            for member in room.members:
                people[member].rooms.append(number)
        return cls(people=people, rooms=rooms)


class Writing:
    """What one member writes in one room, made before it is sent so that it costs nothing then: each batch has seen the
    room as it was made."""

    def __init__(self, agency: Agency, room: MadeRoom, place: int) -> None:
        """`place`: which of the room's members."""
        self._author = agency.people[room.members[place]].author
        self._room, self._prev, self._seq = room, room.prevs[place], 1
        self._key = envelope.ObjectKeys(room.room).key(room.key, 1, room.room, envelope.root_share(room.room))

    def batch(self, rid: int, text: bytes) -> Push:
        """The next one."""
        room = self._room
        op = envelope.PlainOp(ObjId(room.room), self._key, b"", envelope.pack([(os.urandom(16), text)]))  # type: ignore[list-item]
        sealed = envelope.encrypt_batch(self._author, room.room, 1, room.seen, self._seq, self._prev, [op])
        self._seq, self._prev = self._seq + 1, sealed.last_id
        return Push(rid, room.room, list(sealed.bodies), list(sealed.cts), sealed.sig, [])


class _Logs:
    def __init__(self, logs: Sequence[UserLog]) -> None:
        self._logs = {log.uid: log for log in logs}

    def log(self, uid: Uid) -> UserLog | None:
        return self._logs.get(uid)


async def build(folder: Path, people: int, sizes: Sequence[int], seed: int = 7) -> None:
    """An agency in the folder with so many people, and a room of each size with people drawn by lot."""
    found(folder)
    limits = Limits(unanswered_adds=1_000_000, device_bytes_a_day=1 << 50, staged_seals_bytes=1 << 30)
    drawing = random.Random(seed)
    async with service_of(folder, limits) as (service, store):
        authors, logs = await _enrolled(folder, store, people)
        book = _Logs(logs)
        rooms: list[dict[str, object]] = []
        plans = [drawing.sample(range(people), size) for size in sizes]
        for at in range(0, len(plans), _AT_ONCE):
            making = (_made(service, book, [authors[m] for m in plan]) for plan in plans[at : at + _AT_ONCE])
            for plan, made in zip(plans[at : at + _AT_ONCE], await asyncio.gather(*making), strict=True):
                rooms.append(made | {"members": plan})
    kept = [
        {
            "uid": a.uid.hex(),
            "dev": a.dev.hex(),
            "sign": a.signing.seed.hex(),
            "seq": a.ulog[0],
            "head": a.ulog[1].hex(),
        }
        for a in authors
    ]
    (folder / KEPT).write_text(json.dumps({"people": kept, "rooms": rooms}), encoding="utf-8")


async def _enrolled(folder: Path, store: SqlStore, count: int) -> tuple[list[Author], list[UserLog]]:
    agency, ends = read_agency(folder / "server"), clock.now_ms() + 3_600_000
    authors, logs, writes = [], [], []
    for n in range(count):
        code, salt = SignInCode.fresh(agency.pk), os.urandom(16)
        record = encode_record({"name": f"Handläggare {n + 1}", "title": "Handläggare å 🙂", "unit": "Tillsyn"})
        digest = record_hash(salt, record)
        cert = agency.certify_invite(code.key.public, digest, ends)
        secrets = DeviceSecrets.fresh()
        entries, log = new_user(secrets, code, agency.pk, cert, digest, os.urandom(32), clock.now_ms())
        invite = InviteRow(
            invite_pk=code.key.public, cert_body=cert[0], cert_sig=cert[1], salt=salt, record=record, not_after=ends
        )
        rows = entry_rows(0, [Signed(*entry) for entry in entries])
        writes.append(store.add_invite(invite))
        writes.append(store.enrol(invite.invite_pk, user_row(log, invite), rows))
        dev = next(iter(log.devices))
        authors.append(Author(uid=log.uid, dev=dev, signing=SigningKey(secrets.sign), ulog=(log.seq, log.head)))
        logs.append(log)
    await asyncio.gather(*writes)
    return authors, logs


async def _made(service: Service, book: _Logs, members: Sequence[Author]) -> dict[str, object]:
    """Founds a room by the first of the members, who adds the others."""
    founder, *others = members
    who = Who(founder.uid, founder.dev)
    draft = entry_drafts.new_room(founder, book, clock.now_ms())
    stream, ring = RoomStream(draft.room), KeyRing(draft.room)
    await _append(service, who, stream, book, draft)
    assert draft.secrets is not None
    ring.add(*draft.secrets)
    for other in others:
        drafter = entry_drafts.Drafter(stream, founder, book, ring, clock.now_ms())
        await _append(service, who, stream, book, drafter.add(other.uid, Role.WRITER, history=True))
    k = ring.k(1)
    assert k is not None
    prevs = [stream.next_prev(m.uid, m.dev).hex() for m in members]
    return {"room": draft.room.hex(), "n": stream.n, "rh": stream.rh.hex(), "key": k.hex(), "prevs": prevs}


async def _append(service: Service, who: Who, stream: RoomStream, book: _Logs, draft: entry_drafts.Draft) -> None:
    assert draft.root is not None
    service.placing.put_seals(who, PutSeals(0, draft.room, draft.root, 0, draft.seals))
    placed = await service.placing.append(who, Append(0, draft.room, [Signed(*entry) for entry in draft.entries]))
    items = [
        Item(placed.first + k, placed.receipt.t, ENTRY, body, sig, None) for k, (body, sig) in enumerate(draft.entries)
    ]
    stream.accept(items, book)
