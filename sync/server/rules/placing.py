# SPDX-License-Identifier: EUPL-1.2
"""Gives items their positions. Shape, quota and rate limits are checked here, all other rules by sync/trust.

Placements are judged one after the other under their room's lock and queued for the disk. When a placement is durable,
it is answered and sent to the room's listeners.
"""

import asyncio
from collections.abc import Container, Sequence

from sync.crypto.kdf import H
from sync.errors import Reject
from sync.protocol.messages import (
    Append,
    ErrorCode,
    Fresh,
    Joined,
    Ok,
    Placed,
    Push,
    PutSeals,
    Receipt,
    Removed,
    RoomHead,
    Signed,
    WireItem,
    WireShare,
)
from sync.server.config import Limits
from sync.server.load.fanout import Hub, encoded_news
from sync.server.load.meters import Meters
from sync.server.load.spending import charged
from sync.server.rules.addition_limit import check_crowding
from sync.server.rules.clock_guard import ClockGuard
from sync.server.rules.handshake import Who, now_ms
from sync.server.rules.live_rooms import MAX_OLD_SEEN, LiveRoom, LiveRooms
from sync.server.rules.named_items import named_by
from sync.server.rules.people import People
from sync.server.rules.placements import Deletions, deletions_in, next_rows, placement_of
from sync.server.rules.pruned_content import Pruning
from sync.server.rules.quotas import Quotas
from sync.server.rules.refusal import Refusal, refusal_of
from sync.server.rules.rotation_limit import check_reserved_slot, check_rotation, note_entries, reserve_slot
from sync.server.rules.shapes import check_batch, read_entries
from sync.server.rules.staging import Staging
from sync.server.rules.store_rows import returned_shares, share_rows
from sync.server.store.base import Placement, SealRow, Store, StoreError
from sync.trust.formats.items import ENTRY, ENVELOPE, Item, item_id
from sync.trust.keys.epochs import Recipient, in_order, seals_fit
from sync.trust.room.entries import RoomEntry
from sync.trust.room.envelope import Header, read_body
from sync.trust.room.payloads import Add
from sync.trust.room.stream import Accepted

_RECOVERY = 8
"""Most recovery recipients that a policy may name beside the members."""

_Triple = tuple[bytes, bytes, bytes | None]
_Made = tuple[Receipt, bytes | None]
"""The receipt for a write, and the encoded frame for the room's listeners; None if nobody listens."""


class Placing:
    """Takes new items of rooms, checks them, gives them the next positions and stores them. An item is an encrypted
    change (changes come in batches) or an entry, which changes members, keys or rules. Keeps seals (a room's keys,
    encrypted to one member) that are uploaded before their entry."""

    def __init__(
        self,
        store: Store,
        people: People,
        hub: Hub,
        live: LiveRooms,
        limits: Limits,
        meters: Meters,
        pruning: Pruning,
        quotas: Quotas,
        clock: ClockGuard,
        closed: Container[bytes] = (),
    ) -> None:
        """`closed`: the ids of rooms that take no writing since a restore. The others are parts of the server: `people`
        has the persons' logs, `live` the rooms in memory. `hub` sends to listeners. `limits` and `quotas` bound what is
        sent, `clock` refuses while the time is in doubt, `pruning` deletes old content, `meters` counts for the
        operator."""
        self._clock = clock
        self._meters = meters
        self._pruning = pruning
        self._closed = closed
        self._store = store
        self._people = people
        self._hub = hub
        self._live = live
        self._staging = Staging(limits)
        self._limits = limits
        self._quotas = quotas

    def put_seals(self, who: Who, frame: PutSeals) -> Ok:
        """Keeps the seals that the device `who` uploads in memory until it appends the entry that names them; after ten
        minutes they may be dropped. A seal is a room's key, encrypted to one member. Refusal "seals" for a wrong index,
        name or size, "quota" if the device, or all devices of its person, keep too much here."""
        self._staging.put(who, frame)
        return Ok(frame.rid)

    def forget(self, dev: bytes) -> None:
        """Drops the seals of a device that still wait here for their entry. Called when it is not active any more."""
        self._staging.forget(dev)

    async def push(self, who: Who, frame: Push) -> Placed:
        """Gives a batch of changes by the device `who` its positions, and returns when it is on the disk. A batch that
        already has positions gets the same answer again, even if it would now be refused. Refusal if a rule forbids the
        batch: "unknown-room", "closed" (since a restore), "forbidden", "stale" (the client must sync first),
        "rotation-owed" (the room needs a new key first), "quota", "oversize", "invalid" or "busy". StoreError if it
        cannot be written; then none of it has a position."""
        check_batch(frame)
        ids: list[bytes] = [item_id(ENVELOPE, b) for b in frame.bodies]
        live = await self._live.reach(frame.room, who.uid)
        async with live.lock:
            _check_unbroken(live)
            try:
                self._check_open(frame.room)
                if (hdr := Header.decode(read_body(frame.bodies[0])[0])).dev != who.dev or hdr.uid != who.uid:
                    raise Refusal(ErrorCode.FORBIDDEN, "another device")
                size = sum(map(len, frame.bodies)) + sum(map(len, frame.cts)) + len(frame.sig)
                await self._quotas.check(live, who, size)
                tail = len(ids) - 1
                signed: list[_Triple] = [
                    (body, frame.sig if k == tail else b"", ct)
                    for k, (body, ct) in enumerate(zip(frame.bodies, frame.cts, strict=True))
                ]
                items, accepted = await self._judge(live, ENVELOPE, signed)
                done = await self.begin(live, who, items, accepted, ids, size, shares=frame.shares)
            except (Refusal, Reject) as e:
                first = await self._known(live, ids)
                if first is None:
                    raise _refused(e) from e
                return await self._placed_before(frame.rid, live, first, len(ids))
        return Placed(frame.rid, items[0].n, len(items), await done)

    async def append(self, who: Who, frame: Append) -> Placed:
        """Gives the entries in `frame`, by the device `who`, their positions, all or none, and returns when they are on
        the disk. An entry changes a room's members, keys or rules; a genesis (the first entry) and an epoch (its first
        keys) together create a room. Entries that already have positions get the same answer again, even if they would
        now be refused. Refusal if a rule forbids one: "unknown-room", "closed" (since a restore), "forbidden",
        "conflict" (another entry was first), "seals" (not uploaded), "rotation-owed" (the room needs a new key first),
        "stale" (the client must sync first), "too-many-rooms" or "unanswered" (an added person is in too many rooms, or
        wrote nothing after earlier adds), "quota", "oversize", "invalid" or "busy". A removal by an owner or
        administrator that lost a race then has the room's next entry reserved. Reject for an entry that cannot be read,
        StoreError if they cannot be written."""
        entries = read_entries(who, frame)
        ids: list[bytes] = [e.ident for e in entries]
        live = await self._for_append(who, frame, entries)
        async with live.lock:
            if live.stream.n:
                _check_unbroken(live)
            try:
                self._check_open(frame.room)
                items, done = await self._append(live, who, frame.entries, entries, ids)
            except (Refusal, Reject) as e:
                if live.stream.n == 0:
                    self._live.forget(live)
                first = await self._known(live, ids)
                if first is None:
                    why = _refused(e)
                    reserve_slot(live, who, entries[-1], why)
                    raise why from e
                return await self._placed_before(frame.rid, live, first, len(ids))
            except BaseException:
                if live.stream.n == 0:
                    self._live.forget(live)
                raise
        self._staging.done(who, frame.room)
        return Placed(frame.rid, items[0].n, len(items), await done)

    def _check_open(self, room: bytes) -> None:
        """▲ Refusal "closed" if the room with the id `room` may lack acknowledged items since a restore: nothing new
        may take their positions."""
        if room in self._closed:
            raise Refusal(ErrorCode.CLOSED)

    async def _for_append(self, who: Who, frame: Append, entries: list[RoomEntry]) -> LiveRoom:
        if entries[0].type != "genesis":
            return await self._live.reach(frame.room, who.uid)
        if [e.type for e in entries] != ["genesis", "epoch"] or entries[0].ident[:16] != frame.room:
            raise Refusal(ErrorCode.INVALID, "a room begins with genesis and epoch")
        try:
            return self._live.at_hand(frame.room) or await self._live.get(frame.room)
        except Refusal:
            return self._live.at_hand(frame.room) or self._live.new(frame.room)

    async def _append(
        self, live: LiveRoom, who: Who, signed: list[Signed], entries: list[RoomEntry], ids: list[bytes]
    ) -> "tuple[list[Item], asyncio.Future[Receipt]]":
        room = live.head.room
        check_reserved_slot(live, who)
        check_rotation(live, entries[-1])
        await check_crowding(self._store, self._limits, who, entries)
        sealed, newcomers = self._find_seals(live, who, room, entries)
        if sealed is not None:
            await self._people.load_many([*live.stream.members, *(e.uid for e in entries)])
        size = sum(len(e.body) + len(e.sig) for e in signed) + sum(map(len, sealed or ()))
        size += sum(len(newcomer.seal) for newcomer in newcomers)
        ends = live.stream.rotation_owed or entries[-1].type in ("rm", "leave")
        await self._quotas.check(live, who, size, ends=ends)
        items, accepted = await self._judge(live, ENTRY, [(e.body, e.sig, None) for e in signed])
        seals = list(newcomers)
        if sealed is not None:
            recipients = in_order(live.stream.recipients(self._people))
            if not _sealed_right(entries[-1], recipients, sealed):
                await self._undo(live)
                raise Refusal(ErrorCode.SEALS, "recipients")
            e = live.stream.epoch
            seals += [SealRow(epoch=e, uid=r.uid, seal=s) for r, s in zip(recipients, sealed, strict=True) if s]
        note_entries(live, who, entries)
        return items, await self.begin(live, who, items, accepted, ids, size, seals=seals)

    def _find_seals(
        self, live: LiveRoom, who: Who, room: bytes, entries: list[RoomEntry]
    ) -> tuple[list[bytes] | None, list[SealRow]]:
        """The seals that the device `who` uploaded for `entries` of the room with the id `room`, which is `live`; a
        seal is a room's key, encrypted to one member. Returns (those of the new keys that the last entry brings, None
        if it brings none; one for each member who is added without new keys). Refusal "seals" if some were not
        uploaded, if they are not the ones that the entry names, or if they are more than the room can need."""
        newcomers: list[SealRow] = []
        for entry in entries:
            add = entry.payload
            if isinstance(add, Add) and add.epoch is None:
                seal = self._staging.one(who, room, add.seal_hash)
                newcomers.append(SealRow(epoch=live.stream.epoch, uid=add.uid, seal=seal))
        epoch, most = entries[-1].epoch, len(live.stream.members) + len(entries) + _RECOVERY
        return (None if epoch is None else self._staging.of_epoch(who, room, epoch, most)), newcomers

    async def _judge(self, live: LiveRoom, kind: int, signed: list[_Triple]) -> tuple[list[Item], list[Accepted]]:
        self._clock.check()
        out: list[tuple[list[Item], list[Accepted]]] = []

        def judge() -> None:
            out.append(live.stream.place(kind, signed, now_ms(), self._people, live.old_rhs))

        named = named_by((kind, body) for body, _, _ in signed)
        await self._live.satisfied(live.stream, judge, live.old_rhs, named, most=MAX_OLD_SEEN)
        return out[0]

    async def begin(
        self,
        live: LiveRoom,
        who: Who,
        items: list[Item],
        accepted: list[Accepted],
        ids: list[bytes],
        size: int,
        *,
        shares: Sequence[WireShare] = (),
        seals: Sequence[SealRow] = (),
        returned: bool = False,
    ) -> "asyncio.Future[Receipt]":
        """Queues items of the room `live` that were judged (verified) for the disk. The future has the receipt, the
        server's signature on the new last position, when they are durable and listeners are notified; it ends with the
        store's error if the write fails, and the room is then dropped from memory.

        `who`: the device that sent them. `accepted`: the verdicts on `items`; `ids` are their ids and `size` the bytes
        that quotas count. `shares`: the secrets of exactly the objects that begin in the items; Refusal "invalid"
        otherwise. `seals`: the encrypted keys that the entries name. `returned`: a client uploads the items again after
        a restore, at their old positions and without their seals; a share that is missing or wrong then counts as lost.
        """
        room = live.head.room
        given = returned_shares(room, accepted, shares) if returned else share_rows(room, accepted, shares)
        if given is None:
            await self._undo(live)
            raise Refusal(ErrorCode.INVALID, "shares")
        rows = next_rows(live, items, ids)
        placement = placement_of(live, who, rows, accepted, size, given, seals, returned=returned)
        live.size_bytes += size
        if not returned:
            self._quotas.note(who, size)
        return self._commit(live, placement, items, shares, deletions_in(accepted))

    def _commit(
        self,
        live: LiveRoom,
        placement: Placement,
        items: list[Item],
        shares: Sequence[WireShare],
        deletions: Deletions,
    ) -> "asyncio.Future[Receipt]":
        answer: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()
        made = list[_Made]()

        def make() -> None:
            if not made:
                with charged():
                    made.append(self._make(placement, items, shares))

        written = self._store.place(placement, make)
        live.tail = written

        def durable(future: "asyncio.Future[None]") -> None:
            error = None if future.cancelled() else future.exception()
            if error is not None or future.cancelled():
                self._live.forget(live)
                self._quotas.take_back(placement.by, placement.size_bytes, placement.day)
                live.limits.reset()  # a rotation that was not written is none
                if not answer.done():
                    answer.set_exception(error or StoreError("cancelled"))
                    answer.exception()  # read here: asyncio would warn if the requester is gone
                return
            make()
            with charged():
                [(receipt, news)] = made
                self._meters.accepted(len(placement.items))
                live.head = receipt
                if not answer.done():
                    answer.set_result(receipt)  # before the others are notified
                self._publish(live, placement, news)
            if deletions:
                self._pruning.begin(live, deletions.pruned, deletions.destroyed)

        written.add_done_callback(durable)
        return answer

    def _make(self, placement: Placement, items: list[Item], shares: Sequence[WireShare]) -> _Made:
        """Signs the receipt for the last position of `placement`, and encodes the frame with `items`, `shares` and that
        receipt for the devices that listen to the room (None in place of the frame if none does). `placement` is the
        write that is under way. ▲ The caller sends neither before the write is on the disk, and drops both if it fails:
        with a receipt the server promises to keep the items at their positions."""
        room, last = placement.room, placement.items[-1]
        receipt = self._live.receipt(room, last.n, last.rh, last.t)
        if not self._hub.listens(room):
            return receipt, None
        wire = [WireItem(i.n, i.t, i.kind, i.body, i.sig, i.ct) for i in items]
        return receipt, encoded_news(Fresh(room, wire, list(shares), receipt))

    def _publish(self, live: LiveRoom, placement: Placement, news: bytes | None) -> None:
        """Notifies listeners (with the encoded frame `news`), added and removed members of `placement`."""
        room, last = placement.room, placement.items[-1]
        for change in placement.members:
            if change.until_n is not None:
                self._hub.unsubscribe(change.uid, room)
                self._hub.notify_person(change.uid, Removed(room, change.until_n))
        if self._hub.listens(room):
            by = placement.device_head.dev if placement.device_head is not None else b""
            self._hub.news(room, last.n, news or b"", by)  # b"": those who subscribed since then pull the items
        for change in placement.members:
            if change.until_n is None:
                self._hub.admit(change.uid, room)
                self._hub.notify_each_device(change.uid, lambda dev: Joined(self._head_for(live, dev)))

    def _head_for(self, live: LiveRoom, dev: bytes) -> RoomHead:
        head = live.stream.device_heads.get(dev)
        return RoomHead(live.head, head.dev_seq if head else 0, head.ident if head else b"")

    async def _undo(self, live: LiveRoom) -> None:
        """Discards items that the stream of the room `live` has accepted but that are not to be stored: marks the room
        as broken at once, and drops it from memory when its earlier writes have ended, so that the next request reads
        it again from the disk. Waits for that; both happen also if the caller is cancelled meanwhile."""
        live.broken = True
        if live.tail is None or live.tail.done():
            self._live.forget(live)
        else:
            live.tail.add_done_callback(lambda _: self._live.forget(live))
            await live.settled()

    async def _known(self, live: LiveRoom, ids: Sequence[bytes]) -> int | None:
        """The position of the first of `ids` (at least one) if the room `live` has all of these items, one after the
        other; None otherwise. So a request that is sent again gets its first answer. Waits for writes under way."""
        await live.settled()
        found = await self._store.positions(live.head.room, list(ids))
        at = [found.get(i, 0) for i in ids]
        return at[0] if at[0] and at == list(range(at[0], at[0] + len(at))) else None

    async def _placed_before(self, rid: int, live: LiveRoom, first: int, count: int) -> Placed:
        return Placed(rid, first, count, await self._live.receipt_at(live.head.room, first + count - 1))


def _check_unbroken(live: LiveRoom) -> None:
    """Refusal "busy" if the room was dropped from memory while we waited for its lock. The client sends again."""
    if live.broken:
        raise Refusal(ErrorCode.BUSY, "room")


def _sealed_right(entry: RoomEntry, recipients: list[Recipient], seals: list[bytes]) -> bool:
    """▲ Whether `seals` are one for each of `recipients`, in the same order and of the right lengths; and if `entry`
    adds a person, whether that person's seal is the one that the entry names by its hash. False for an entry that
    brings no new keys."""
    if entry.epoch is None or not seals_fit(entry.epoch, recipients, seals):
        return False
    add = entry.payload
    if not isinstance(add, Add):
        return True
    return any(r.uid == add.uid and H(s) == add.seal_hash for r, s in zip(recipients, seals, strict=True))


def _refused(e: Refusal | Reject) -> Refusal:
    return e if isinstance(e, Refusal) else refusal_of(e)
