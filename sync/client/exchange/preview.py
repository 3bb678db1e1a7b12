# SPDX-License-Identifier: EUPL-1.2
"""Reads what an invitation shows of a room, before the person has accepted it.

It pulls the room's entries and the headers of its envelopes, judges them as those of any room, and decrypts at most
three records: the room's first, the first that the inviting person wrote after the invitation, and the newest. ▲ It
stores nothing.

A room beyond MAX_POSITIONS or MAX_BYTES is not judged, and nothing of it is decrypted. Only its newest MAX_POSITIONS,
and of these about MAX_BYTES, are searched for the entry that adds the person, the newest first; that entry is believed
by its author's signature. If the entry is not among them, the invitation shows no inviting person.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from sync.client.exchange.reread import WithLogs, pieces
from sync.client.link import Link
from sync.client.room.invitation_consent import Added, InvitedRecord
from sync.client.room.room_sync import RoomSync
from sync.client.room.unstored import Unstored
from sync.crypto.signatures import verify
from sync.errors import Reject
from sync.ids import DevId, ObjId, RoomId, Uid
from sync.protocol import messages as m
from sync.trust.formats.items import ENTRY, Item, item_id
from sync.trust.room import envelope
from sync.trust.room.entries import DOMAIN, RoomEntry
from sync.trust.room.payloads import Add, Genesis
from sync.trust.room.stream import Accepted, AcceptedEntry, AcceptedEnvelope
from sync.trust.room.successor_claim import origin

log = logging.getLogger("sync")

MAX_POSITIONS = 1000
MAX_BYTES = 4 * 1024 * 1024
"""Headers and entries that are pulled of one room."""
MAX_RECORDS = 3
MAX_RECORD_BYTES = 1024
_SEALED_BYTES = MAX_RECORD_BYTES + 256
"""The size of a record of 1 KiB after encryption."""
_FIRST_BYTES = 64 * 1024
_NEWEST = 8
"""How many of a long room's newest positions are searched first. They fit MAX_BYTES, whatever they are."""


class Preview:
    """Reads what an invitation shows of a room that the person has not accepted: how they were added, and a few
    records. For one room, once: `read`, then `records`. Nothing is stored."""

    def __init__(self, link: Link, with_logs: WithLogs, room: RoomId, receipt: m.Receipt) -> None:
        self._link, self._with_logs, self._receipt = link, with_logs, receipt
        self._me = link.account.uid
        self._room = RoomSync(room, Unstored(), link.book, link.account, None)
        self._room.choose_reading(long=True)
        self._added = Added(room=room, n=receipt.n)
        self._left_n = self._wrote_n = 0
        self._roots: list[tuple[AcceptedEnvelope, int]] = []
        """Changes of the room's own object, with the length of their content."""

    async def read(self) -> Added:
        """Pulls and verifies the headers of a room (its items without content) up to the server's receipt, and returns
        how this person was added. Of a long room (more than MAX_POSITIONS or MAX_BYTES) only a part is read, and not
        verified by the room's rules. Refused or Unreachable if the server does not give the headers. Reject "withheld"
        if they end before the receipt's position, "fork" if their running hash is not the receipt's, another code if
        one of them breaks a rule."""
        room, end, size = self._room, self._receipt.n, 0
        if end > MAX_POSITIONS:
            return await self._read_long()
        while room.stream.n < end:
            wire = (await self._link.pull(room.room, room.stream.n, headers_only=True)).items
            size += sum(len(i.body) + len(i.sig) for i in wire)
            if not wire:
                raise Reject("withheld", "invitation")
            if size > MAX_BYTES:
                return await self._read_long()
            for piece in pieces([Item(i.n, i.t, i.kind, i.body, i.sig, None) for i in wire]):
                if piece and room.stream.n < end:
                    await self._judge(piece)
                    await asyncio.sleep(0)
        if room.stream.rh_of(end, room.rh_at) != self._receipt.rh:
            raise Reject("fork", "invitation")
        spoke = self._wrote_n > self._added.added_n
        left = self._left_n > 0 and not spoke
        self._added = replace(self._added, wrote=self._wrote_n > 0, spoke=spoke, left=left)
        return self._added

    async def _judge(self, piece: Sequence[Item]) -> None:
        accepted = await self._with_logs(partial(self._room.judge, piece), len(piece))
        for item, was in zip(accepted, piece, strict=True):
            if item.void is None:
                self._note(item, was)

    def _note(self, item: Accepted, was: Item) -> None:
        if isinstance(item, AcceptedEntry):
            self._note_entry(item)
        elif item.hdr.uid == self._me:
            self._wrote_n = item.n
        if isinstance(item, AcceptedEnvelope) and _is_root(item, self._room.room):
            self._roots.append((item, envelope.read_body(was.body)[2]))

    def _note_entry(self, item: AcceptedEntry) -> None:
        entry, payload = item.entry, item.entry.payload
        if isinstance(payload, Genesis):
            self._added = replace(self._added, founder=entry.uid, origin=origin(payload))
        if isinstance(payload, Add) and payload.uid == self._me:
            self._added = _with_add(self._added, entry.uid, payload, item.n, item.t)
        elif entry.uid == self._me and entry.type == "leave":
            self._left_n = item.n
        elif entry.uid == self._me:
            self._wrote_n = item.n

    # -- a room beyond the bounds ---------------------------------------------------------------------------------

    async def _read_long(self) -> Added:
        """How this person was added to a room that is too long to be read whole: its founder, and who added this person
        if the addition is among the room's newest positions (MAX_POSITIONS, as far as MAX_BYTES allow). The founder is
        None if not proven, `adder` is None if the addition is not found. ▲ Nothing here is verified by the room's
        rules: the room's id proves the founder, and the addition has its author's signature. What was verified before
        the room proved too long is dropped, so that `records` opens nothing of it. Reject if the addition's signature
        is false, or an entry is malformed. Refused or Unreachable if the server does not give the headers, or the
        author's key log."""
        room, end = self._room.room, self._receipt.n
        self._roots.clear()
        self._added = found = Added(room=room, n=end, long=True)
        first = (await self._link.pull(room, 0, headers_only=True, limit_bytes=_FIRST_BYTES)).items[:1]
        for i in first:
            genesis = RoomEntry.decode(i.body) if i.kind == ENTRY else None
            if genesis is not None and genesis.type == "genesis" and genesis.ident[:16] == room:
                found = replace(found, founder=genesis.uid)
        until, count, size = end, _NEWEST, 0
        oldest = max(0, end - MAX_POSITIONS)
        while until > oldest and size <= MAX_BYTES and found.adder is None:
            after = max(oldest, until - count)
            window = await self._search(after, until, found, MAX_BYTES - size)
            if window is None:
                break
            found, size = window[0], size + window[1]
            until, count = after, 4 * count
        return found

    async def _search(self, after: int, until: int, found: Added, most_bytes: int) -> tuple[Added, int] | None:
        """Searches the positions from `after` + 1 to `until` for the newest entry that adds this person to the room.
        Returns (`found`, with that entry if there is one; the size of these positions in bytes). None if the server's
        items end before `until`, or if more than `most_bytes` were pulled: then the caller shows no inviting person. ▲
        Reject "withheld" if the server leaves out a position and goes on behind it: it may have a newer addition than
        the one found. Reject with another code if the entry is malformed or its signature false. Refused if the server
        refuses, Unreachable if it does not answer."""
        at, size = after, 0
        while at < until and size <= most_bytes:
            wire = (await self._link.pull(self._room.room, at, headers_only=True)).items
            if not wire:
                return None
            if [i.n for i in wire] != list(range(at + 1, at + 1 + len(wire))):
                raise Reject("withheld", "invitation")
            for i in wire:
                if i.n > until:  # a pull has newer positions too, which are searched already
                    return found, size
                size += len(i.body) + len(i.sig)
                if i.kind == ENTRY:
                    found = await self._addition(i, found)
            at = wire[-1].n
            await asyncio.sleep(0)
        return (found, size) if at == until else None

    async def _addition(self, i: m.WireItem, found: Added) -> Added:
        entry = RoomEntry.decode(i.body, lenient=True)
        payload = entry.payload
        if not isinstance(payload, Add) or payload.uid != self._me or entry.room != self._room.room:
            return found
        author = await self._link.book.fetch(self._link.online, entry.uid)
        device = author.devices.get(DevId(entry.dev))
        if device is None:
            raise Reject("signature", "invitation")
        verify(device.sign_pk, DOMAIN, item_id(ENTRY, i.body), i.sig)
        return _with_add(found, entry.uid, payload, i.n, i.t)

    # -- records --------------------------------------------------------------------------------------------------

    async def records(self) -> tuple[InvitedRecord, ...]:
        """Fetches and decrypts the records in at most three changes of the room's own object (such as its name): the
        first, the first that the inviting person wrote after the addition, and the newest; returns them in the room's
        order. Call it after `read`: only changes that it verified are considered, that this person may read, and that
        are not longer than a record of 1 KiB. Those that cannot be opened are left out. () if the room is too long to
        be judged. Reject "content-hash" if the server shows another item; Refused or Unreachable if it gives none."""
        wanted = self._wanted()
        if not wanted:
            return ()
        ns = sorted(wanted)
        reply = await self._link.online.request(
            lambda rid: m.Contents(rid=rid, room=self._room.room, ns=ns), m.ContentsReply
        )
        found: list[InvitedRecord] = []
        for n, i in zip(ns, reply.items, strict=False):
            item = self._room.shown(Item.of(i), n)
            if item is None:
                raise Reject("content-hash", f"position {n}")
            if item.ct is not None and await self._key(item.hdr.epoch):
                found += self._opened(item, item.ct)
        return tuple(found)

    def _wanted(self) -> set[int]:
        inside, added = self._room.inside_from, self._added
        roots = [item for item, length in self._roots if item.n >= inside and length <= _SEALED_BYTES]
        greeting = next((r.n for r in roots if r.n > added.added_n and r.hdr.uid == added.adder), None)
        wanted = {r.n for r in (*roots[:1], *roots[-1:])} | ({greeting} if greeting is not None else set())
        assert len(wanted) <= MAX_RECORDS  # noqa: S101 - by construction
        return wanted

    async def _key(self, e: int) -> bool:
        """Whether this device has the key of epoch `e` (a generation of the room's key), after fetching it if need be.
        If it does not have it, it first asks the server for the copies of that key that are sealed to this person, then
        for those of the newest epoch, whose archive key leads back to the earlier keys. False if neither gives it: what
        it encrypts is left out of the preview. Refused or Unreachable if the server does not answer."""
        keys = self._room.keys
        for at in dict.fromkeys((e, self._room.stream.epoch)):
            if keys.ring.k(e) is None:
                asked = partial(m.SealRequest, room=self._room.room, epoch=at)
                reply = await self._link.online.request(asked, m.SealReply)
                keys.take_seals(at, reply.seals)
        return keys.ring.k(e) is not None

    def _opened(self, item: AcceptedEnvelope, ct: bytes) -> list[InvitedRecord]:
        hdr = item.hdr
        try:
            changes = self._room.keys.open(item.n, item.t, hdr, item.hdr_bytes, ct)
        except Reject as e:
            log.info("a record of an invitation cannot be opened: %s", e.code)
            return []
        return [
            InvitedRecord(n=item.n, uid=hdr.uid, payload=c.payload)
            for c in changes or ()
            if len(c.payload) <= MAX_RECORD_BYTES
        ]


def _with_add(added: Added, by: Uid, add: Add, n: int, t: int) -> Added:
    return replace(added, adder=by, added_n=n, t=t, role=add.role, history=add.history)


def _is_root(item: AcceptedEnvelope, room: RoomId) -> bool:
    """Whether it is a change of the room's own object."""
    return item.hdr.obj == ObjId(room) and item.hdr.kind in (envelope.OP, envelope.BASELINE)
