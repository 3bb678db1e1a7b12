# SPDX-License-Identifier: EUPL-1.2
"""Answers members' requests to read a room, and passes on what gets no position. placing.py gives positions."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Iterable
from itertools import pairwise

from sync.ids import Uid
from sync.protocol.messages import (
    Contents,
    ContentsReply,
    Ephemeral,
    ErrorCode,
    Items,
    MemberMoved,
    Ok,
    Pull,
    PutShare,
    Receipt,
    Reseal,
    RoomHead,
    SealReply,
    SealRequest,
    ShareReply,
    ShareRequest,
    Subscribe,
    Subscribed,
    WireItem,
    WireShare,
)
from sync.protocol.version import MAX_BATCH_BYTES, MAX_BATCH_ITEMS, MAX_CONTENTS, MAX_PULL_BYTES, MAX_SUBSCRIBED
from sync.server.config import Limits
from sync.server.load.fanout import Hub, Listener
from sync.server.rules.handshake import Who
from sync.server.rules.live_rooms import LiveRoom, LiveRooms
from sync.server.rules.object_shares import Shares
from sync.server.rules.people import People
from sync.server.rules.quotas import Quotas, senders, today
from sync.server.rules.refusal import Refusal
from sync.server.store.base import ItemRow, SealRow, Store, StoreError
from sync.trust.formats.items import Role
from sync.trust.room.ephemeral import TO_ALL, EphemeralHeader

_WHOLE_BATCH_BYTES = MAX_BATCH_BYTES + MAX_BATCH_ITEMS * 1536
"""Holds the largest batch: its ciphertexts, and a header of at most 1 KiB for each."""
_MAX_SEAL_BYTES = 4096
_BREATHE = 64
"""Receipts that are signed in one step of the event loop: 45 µs each."""
_RESEAL_S = 10.0
"""Least time between two re-seals by one person of the same epoch for the same member."""
_RESEALS_REMEMBERED = 65_536


class Rooms:
    """Answers signed-in devices' requests to read rooms, to subscribe to them, and for their keys."""

    def __init__(self, store: Store, people: People, hub: Hub, live: LiveRooms, limits: Limits, quotas: Quotas) -> None:
        self._quotas = quotas
        self._store = store
        self._people = people
        self._hub = hub
        self._limits = limits
        self._live = live
        self._shares = Shares(store, hub)
        self._resealed: OrderedDict[tuple[bytes, int, bytes, bytes], float] = OrderedDict()
        """By (room, epoch, recipient, sender): when the last re-seal was taken (monotonic)."""

    # -- membership

    async def heads(self, who: Who) -> list[RoomHead]:
        """The newest position of each room that the person of `who` is in now, with the receipt (the server's signature
        on it), in no fixed order; [] if they are in none. Each comes with the number and id of the last change there by
        the device `who` itself, 0 and b"" for none. They are part of the answer to a sign-in: the device sees what it
        missed, and whether the server has lost something."""
        heads: list[RoomHead] = []
        for r in await self._store.memberships(who.uid, who.dev):
            heads.append(RoomHead(self._live.receipt(r.room, r.n, r.rh, r.t), r.dev_seq, r.dev_head))
            if len(heads) % _BREATHE == 0:
                await asyncio.sleep(0)
        return heads

    async def notify_member_moved(self, uid: bytes) -> None:
        """Notifies the connected members of all rooms of the person `uid`, who lost a device or the account. Their
        clients then state so in the rooms and rotate keys."""
        for count, r in enumerate(await self._store.memberships(uid, b""), start=1):
            self._hub.notify_room(r.room, MemberMoved(r.room))
            if count % _BREATHE == 0:
                await asyncio.sleep(0)

    async def role_of(self, room: bytes, uid: bytes) -> Role | None:
        """The present role of the person `uid` in the room with the id `room`; None if they are not a member or there
        is no such room."""
        if self._live.at_hand(room) is None and await self._store.until_n(room, uid) != 0:
            return None
        try:
            return (await self._live.get(room)).stream.role_of(Uid(uid))
        except Refusal:
            return None

    async def room_bytes(self, room: bytes) -> int:
        return (await self._live.get(room)).size_bytes

    async def is_destroyed(self, room: bytes, obj: bytes) -> bool:
        """Whether an administrator of the room has destroyed the object `obj`, so that it takes nothing more."""
        return obj in (await self._live.get(room)).stream.state.destroyed

    def grew(self, room: bytes, size_bytes: int) -> None:
        """Adds `size_bytes`, the size of a new part of a file, to the size of the room with the id `room`, if the room
        is in memory. The store has counted it already."""
        live = self._live.at_hand(room)
        if live is not None:
            live.size_bytes += size_bytes

    async def _as_member(self, room: bytes, uid: bytes) -> LiveRoom:
        live = await self._live.reach(room, uid)
        if uid not in live.stream.members:
            raise Refusal(ErrorCode.FORBIDDEN)
        return live

    # -- reading

    async def pull(self, who: Who, frame: Pull) -> Items:
        """A room's items after a position, in whole batches, at least one batch or entry and then up to a size that
        `frame` names; none if there is nothing newer. With them the shares of objects that begin there, and the receipt
        (the server's signature) for the last position that the person may read. A former member gets items up to the
        entry that removed them. Refusal "unknown-room" for any other person."""
        receipt = await self._shown_to(who, frame.room)
        after = max(0, frame.after)
        if after >= receipt.n:
            return Items(frame.rid, frame.room, [], [], receipt)
        limit = max(1, min(frame.limit_bytes, MAX_PULL_BYTES))
        bare = frame.headers_only
        rows = _whole_batches(await self._store.items(frame.room, after, receipt.n, limit, bare=bare))
        if not rows:  # the first batch is longer than the requested limit; it still fits a frame
            rows = _whole_batches(await self._store.items(frame.room, after, receipt.n, _WHOLE_BATCH_BYTES, bare=bare))
        shares = await self._store.shares_between(frame.room, after, rows[-1].n if rows else after)
        return Items(
            frame.rid,
            frame.room,
            _wire(rows),
            [WireShare(h.obj, h.share) for h in shares if h.share is not None],
            receipt,
        )

    async def contents(self, who: Who, frame: Contents) -> ContentsReply:
        """The items at the single positions that `frame` names, in their order and with their content, None where that
        was deleted. Returns the first ones that fit in an answer, at least one; the client requests the rest again. For
        a client that read the room without contents first. Refusal "malformed" for positions that are not ascending,
        for none or more than 4,096 of them, and outside the room; ▲ for a former member also beyond the entry that
        removed them. "unknown-room" for a person who never was a member, and if there is no such room."""
        if not 0 < len(frame.ns) <= MAX_CONTENTS or any(a >= b for a, b in pairwise(frame.ns)):
            raise Refusal(ErrorCode.MALFORMED, "ns")
        end = (await self._shown_to(who, frame.room)).n
        if frame.ns[0] < 1 or frame.ns[-1] > end:
            raise Refusal(ErrorCode.MALFORMED, "ns")
        return ContentsReply(frame.rid, _wire(await self._store.items_at(frame.room, frame.ns, MAX_PULL_BYTES)))

    async def _shown_to(self, who: Who, room: bytes) -> Receipt:
        """The receipt (the server's signature) for the last position that the person of `who` may read in the room with
        the id `room`: the room's head, or for a former member the entry that removed them. Refusal "unknown-room" for
        any other person."""
        live = await self._live.reach(room, who.uid)
        if who.uid not in live.stream.members:
            end = await self._store.until_n(room, who.uid)
            if end is None:
                raise Refusal(ErrorCode.UNKNOWN_ROOM)
            if end:
                return await self._live.receipt_at(room, end)
        return live.head

    async def subscribe(self, listener: Listener, frame: Subscribe) -> Subscribed:
        """Sends `listener`, one connection of a signed-in device, what is new in the rooms of `frame` from now on, and
        returns the last position of each, in their order. Asks the device at once for shares (secrets of objects) that
        others requested and the server has lost. A room of which the person is no member is answered with 0 and not
        subscribed to, whether it exists or not. A second call for a room changes nothing. Refusal "invalid" for more
        than 1,000 rooms; "quota", and none of the rooms is subscribed to, if the connection would have more
        subscriptions than it may.

        ▲ Only a new subscription is sent the requested shares. Otherwise a member could name one room 1,000 times, and
        have up to 1,000 ids encoded and queued for each.

        ▲ The positions are read after the subscriptions have begun. Otherwise an item that is placed between the two
        would be neither in them nor sent. No room is read into memory for this: a device that reconnects names all of
        its rooms, some fifty.
        """
        if len(frame.rooms) > MAX_SUBSCRIBED:
            raise Refusal(ErrorCode.INVALID, "rooms")
        own = [room for room in dict.fromkeys(frame.rooms) if listener.is_member(room)]
        new = [room for room in own if room not in listener.rooms]
        if len(listener.rooms) + len(new) > self._limits.subscriptions:
            raise Refusal(ErrorCode.QUOTA, "subscriptions")
        for room in new:
            self._hub.subscribe(listener, room)
            self._shares.notify_wanted(listener, room)
        ns = await self._store.last_positions(listener.uid, own) if own else {}
        return Subscribed(frame.rid, [ns.get(room, 0) for room in frame.rooms])

    def ephemeral(self, listener: Listener, frame: Ephemeral, header: EphemeralHeader) -> None:
        """Passes a message that is not stored on: to all other listeners of the room, or if it is addressed to one
        device, to those of them that are that device's. `header` is the message's own; its kind may be one that this
        program does not know. ▲ The message is dropped unless its header names the room of `frame`, and the person and
        the device of `listener`, the connection that sent it, and unless that connection listens to the room, as only a
        member's may. Otherwise a member could send in another's name. Clients check the rest, the signature too.
        """
        named = (header.room, header.uid, header.dev) == (frame.room, listener.uid, listener.dev)
        if not named or frame.room not in listener.rooms:
            return
        if header.to == TO_ALL:
            self._hub.passing(frame.room, frame, listener)
        else:
            self._hub.passing_to(frame.room, header.to, frame, listener)

    # -- seals and shares

    async def seals(self, who: Who, frame: SealRequest) -> SealReply:
        """The seals of one epoch for the requesting person, newest first: copies of the room's keys of that time,
        encrypted to them. An empty list if there are none, also for an epoch that the room does not have. Refusal
        "unknown-room" for a person who never was a member."""
        live = await self._live.reach(frame.room, who.uid)
        if frame.epoch > live.stream.epoch:  # it may be more than a column of the database holds
            return SealReply(frame.rid, [])
        return SealReply(frame.rid, await self._store.seals(frame.room, frame.epoch, who.uid))

    async def reseal(self, who: Who, frame: Reseal) -> Ok:
        """Stores another seal of an existing epoch for the member `frame.uid`: the room's keys of that time, encrypted
        to them. Notifies their connected devices. Any member may send one. The recipient verifies it. Refusal
        "forbidden" for a former member as the sender, "unknown-room" for any other person, "seals" for an empty seal or
        one of more than 4,096 bytes, "quota", "busy". "invalid" if the room has no such member or epoch, or if the
        recipient has no key of their own in force: after the agency has revoked one of their devices they must make a
        new one first.

        ▲ Each member may send one in 10 s for an epoch and recipient ("busy"): only few seals are kept, so that a
        member could otherwise push out the good ones. ▲ Its bytes count in the device's daily quota ("quota").
        Otherwise a member could seal the thousands of epochs of a room of their own again and again.
        """
        live = await self._as_member(frame.room, who.uid)
        if frame.uid not in live.stream.members or frame.epoch not in live.stream.epochs:
            raise Refusal(ErrorCode.INVALID, "recipient")
        log = await self._people.load(frame.uid)
        if log is None or log.puk_at(log.seq) is None:  # ▲ the agency revoked a device: first a newer PUK
            raise Refusal(ErrorCode.INVALID, "recipient")
        if not 0 < len(frame.seal) <= _MAX_SEAL_BYTES:
            raise Refusal(ErrorCode.SEALS, "size")
        await self._quotas.check_device(who, len(frame.seal))
        key = frame.room, frame.epoch, frame.uid, who.uid
        self._check_reseal(key)
        row = SealRow(epoch=frame.epoch, uid=frame.uid, seal=frame.seal)
        try:
            await self._store.add_seal(frame.room, row, self._limits.reseals_kept, senders(who), today())
        except StoreError:
            self._resealed.pop(key, None)  # nothing was stored: it may be sent again
            raise
        self._quotas.note(who, len(frame.seal))
        self._hub.nudge(frame.uid, frame.room, live.head.n)
        return Ok(frame.rid)

    def _check_reseal(self, key: tuple[bytes, int, bytes, bytes]) -> None:
        now = time.monotonic()
        if now - self._resealed.get(key, -_RESEAL_S) < _RESEAL_S:
            raise Refusal(ErrorCode.BUSY, "reseal")
        self._resealed[key] = now
        self._resealed.move_to_end(key)
        while len(self._resealed) > _RESEALS_REMEMBERED:
            self._resealed.popitem(last=False)

    async def shares(self, listener: Listener, frame: ShareRequest) -> ShareReply:
        """The shares that the server has of the objects that `frame` names, the secrets without which they cannot be
        decrypted; of at most 1,000 objects. A lost share is missing in the answer. The server asks up to eight other
        connections that listen to the room to upload it, once in 10 s; everybody who listens gets it then. Refusal
        "forbidden" for a former member, "unknown-room" for any other person."""
        return await self._shares.request(listener, await self._as_member(frame.room, listener.uid), frame)

    async def put_share(self, who: Who, frame: PutShare) -> Ok:
        """Stores a share (an object's secret) that the server lost and a member sends again, and sends it to all
        connections that listen to the room. A share that the server has is not replaced; the answer is Ok all the same.
        Refusal "forbidden" for a former member, "unknown-room" for any other person, "invalid" if the share does not
        match its commitment (a hash in the room's items), or if the object is unknown or was destroyed."""
        return await self._shares.put(await self._as_member(frame.room, who.uid), frame)


def _wire(rows: Iterable[ItemRow]) -> list[WireItem]:
    return [WireItem(i.n, i.t, i.kind, i.body, i.sig, i.ct) for i in rows]


def _whole_batches(rows: list[ItemRow]) -> list[ItemRow]:
    """`rows` up to the last one with a signature, [] if none has one. The rest is a batch that is cut off, and a client
    judges whole batches (protocol §7)."""
    end = len(rows)
    while end and not rows[end - 1].sig:
        end -= 1
    return rows[:end]
