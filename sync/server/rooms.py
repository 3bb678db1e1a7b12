# SPDX-License-Identifier: EUPL-1.2
"""Rules about rooms: who may push, append, pull and listen. Every verdict on an item is sync/trust's."""

import asyncio
import logging
from collections.abc import Sequence

from sync.crypto.kdf import H
from sync.errors import Reject
from sync.ids import Uid
from sync.protocol.messages import (
    Append,
    Ephemeral,
    ErrorCode,
    Fresh,
    Items,
    Joined,
    Ok,
    Placed,
    Pull,
    Push,
    PutSeals,
    PutShare,
    Receipt,
    Removed,
    Reseal,
    RoomHead,
    SealReply,
    SealRequest,
    ShareReply,
    ShareRequest,
    Signed,
    Subscribe,
    WireItem,
    WireShare,
)
from sync.protocol.version import (
    MAX_BATCH_BYTES,
    MAX_BATCH_ITEMS,
    MAX_ENTRY_BYTES,
    MAX_OP_BYTES,
    MAX_PULL_BYTES,
)
from sync.server.auth import Who, now_ms
from sync.server.config import Limits
from sync.server.fanout import Hub, Listener
from sync.server.identity import Identity
from sync.server.live import LiveRoom, LiveRooms
from sync.server.people import People
from sync.server.refusal import Refusal, refusal_of
from sync.server.shares import Shares
from sync.server.staging import Staging
from sync.server.store.base import (
    DeviceHead,
    ItemRow,
    MemberChange,
    Placement,
    SealRow,
    ShareRow,
    Store,
    StoreError,
)
from sync.trust import roomlog
from sync.trust.envelope import Header, read_body, share_commitment
from sync.trust.epochs import Recipient, in_order, seals_fit
from sync.trust.items import ENTRY, ENVELOPE, Item, Role, item_id, next_rh
from sync.trust.roomlog import RoomEntry
from sync.trust.stream import Accepted, AcceptedEntry, AcceptedEnvelope

log = logging.getLogger("sync.server")

_DAY_MS = 86_400_000
_STATE_EVERY = 512
"""Positions between stored states: a restart judges at most so many items of a room again."""
_ROTATION_MS = 3_600_000
_SLOT_MS = 60_000
_HEAL_MS = 60_000
_WHOLE_BATCH_BYTES = MAX_BATCH_BYTES + MAX_BATCH_ITEMS * 1536
"""Holds the largest batch: its ciphertexts, and a header of at most 1 KiB for each."""
_MAX_SEAL_BYTES = 4096
_MAX_ENTRIES = 64

_Triple = tuple[bytes, bytes, bytes | None]


class Rooms:
    """What signed-in devices may ask of rooms."""

    def __init__(self, store: Store, people: People, hub: Hub, identity: Identity, limits: Limits) -> None:
        self._store = store
        self._people = people
        self._hub = hub
        self._limits = limits
        self._live = LiveRooms(store, people, identity.key, limits.rooms_in_memory)
        self._staging = Staging(limits)
        self._shares = Shares(store, hub)
        self._used: dict[bytes, tuple[int, int]] = {}

    async def close(self) -> None:
        await self._live.close()

    # -- membership

    async def heads(self, who: Who) -> list[RoomHead]:
        """Where every room of the person stands."""
        rows = await self._store.memberships(who.uid, who.dev)
        return [RoomHead(self._live.receipt(r.room, r.n, r.rh, r.t), r.dev_seq, r.dev_head) for r in rows]

    async def role_of(self, room: bytes, uid: bytes) -> Role | None:
        """The person's role now, None if not a member or no such room."""
        if self._live.at_hand(room) is None and await self._store.until_n(room, uid) != 0:
            return None
        try:
            return (await self._live.get(room)).stream.role_of(Uid(uid))
        except Refusal:
            return None

    async def room_bytes(self, room: bytes) -> int:
        return (await self._live.get(room)).size_bytes

    async def _reach(self, room: bytes, uid: bytes) -> LiveRoom:
        """The room, for one who is or was a member of it; for all others it does not exist."""
        live = self._live.at_hand(room)
        if live is not None and uid in live.stream.members:
            return live
        if await self._store.until_n(room, uid) is None:
            raise Refusal(ErrorCode.UNKNOWN_ROOM)
        return await self._live.get(room)

    async def _as_member(self, room: bytes, uid: bytes, least: Role = Role.READER) -> LiveRoom:
        live = await self._reach(room, uid)
        role = live.stream.role_of(Uid(uid))
        if role is None or role < least:
            raise Refusal(ErrorCode.FORBIDDEN)
        return live

    # -- placing

    async def push(self, who: Who, frame: Push) -> Placed:
        """Gives a batch its positions. A batch that has them gets the same answer again, before any other verdict."""
        _check_batch(frame)
        ids: list[bytes] = [item_id(ENVELOPE, b) for b in frame.bodies]
        live = await self._reach(frame.room, who.uid)
        async with live.lock:
            _check_unbroken(live)
            try:
                if (hdr := Header.decode(read_body(frame.bodies[0])[0])).dev != who.dev or hdr.uid != who.uid:
                    raise Refusal(ErrorCode.FORBIDDEN, "another device")
                size = sum(map(len, frame.bodies)) + sum(map(len, frame.cts)) + len(frame.sig)
                await self._check_quota(live, who, size)
                tail = len(ids) - 1
                signed: list[_Triple] = [
                    (body, frame.sig if k == tail else b"", ct)
                    for k, (body, ct) in enumerate(zip(frame.bodies, frame.cts, strict=True))
                ]
                items, accepted = await self._judge(live, ENVELOPE, signed)
                done = await self._begin(live, who, items, accepted, ids, size, shares=frame.shares)
            except (Refusal, Reject) as e:
                first = await self._known(live, ids)
                if first is None:
                    raise _refused(e) from e
                return await self._placed_before(frame.rid, live, first, len(ids))
        return Placed(frame.rid, items[0].n, len(items), await done)

    async def append(self, who: Who, frame: Append) -> Placed:
        """Gives entries their positions, all or none; a room that does not exist begins with genesis and epoch 1."""
        if not 1 <= len(frame.entries) <= _MAX_ENTRIES:
            raise Refusal(ErrorCode.INVALID, "entries")
        if any(len(e.body) > MAX_ENTRY_BYTES or len(e.sig) != 64 for e in frame.entries):
            raise Refusal(ErrorCode.OVERSIZE, "entry")
        entries = [RoomEntry.decode(e.body) for e in frame.entries]
        _check_entries(who, frame, entries)
        ids: list[bytes] = [e.ident for e in entries]
        live = await self._for_append(who, frame, entries)
        async with live.lock:
            if live.stream.n:
                _check_unbroken(live)
            try:
                items, done = await self._append(live, who, frame.entries, entries, ids)
            except (Refusal, Reject) as e:
                if live.stream.n == 0:
                    self._live.forget(live)
                first = await self._known(live, ids)
                if first is None:
                    why = _refused(e)
                    _hold_slot(live, who, entries[-1], why)
                    raise why from e
                return await self._placed_before(frame.rid, live, first, len(ids))
            except BaseException:
                if live.stream.n == 0:
                    self._live.forget(live)
                raise
        self._staging.done(who, frame.room)
        return Placed(frame.rid, items[0].n, len(items), await done)

    async def _for_append(self, who: Who, frame: Append, entries: list[RoomEntry]) -> LiveRoom:
        if entries[0].type != "genesis":
            return await self._reach(frame.room, who.uid)
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
        _check_slot(live, who)
        _check_rotation(live, entries[-1])
        sealed, newcomers = self._find_seals(live, who, room, entries)
        if sealed is not None:
            await self._people.load_many([*live.stream.members, *(e.uid for e in entries)])
        size = sum(len(e.body) + len(e.sig) for e in signed)
        await self._check_quota(live, who, size)
        items, accepted = await self._judge(live, ENTRY, [(e.body, e.sig, None) for e in signed])
        seals = list(newcomers)
        if sealed is not None:
            recipients = in_order(live.stream.recipients(self._people))
            if not _sealed_right(entries[-1], recipients, sealed):
                await self._undo(live)
                raise Refusal(ErrorCode.SEALS, "recipients")
            e = live.stream.epoch
            seals += [SealRow(epoch=e, uid=r.uid, seal=s) for r, s in zip(recipients, sealed, strict=True) if s]
        if [e.type for e in entries] == ["epoch"]:
            live.rotated_ms = now_ms()
        if live.slot[0] == who.dev:
            live.slot = (b"", 0)
        for question in (e.payload for e in entries if isinstance(e.payload, roomlog.CannotOpen)):
            live.cannot_open.setdefault(question.e, now_ms())
        return items, await self._begin(live, who, items, accepted, ids, size, seals=seals)

    def _find_seals(
        self, live: LiveRoom, who: Who, room: bytes, entries: list[RoomEntry]
    ) -> tuple[list[bytes] | None, list[SealRow]]:
        """The last entry's epoch's seals if it carries one, and the seals of newcomers who get the standing epoch."""
        newcomers: list[SealRow] = []
        for entry in entries:
            add = entry.payload
            if isinstance(add, roomlog.Add) and add.epoch is None:
                seal = self._staging.one(who, room, add.seal_hash)
                newcomers.append(SealRow(epoch=live.stream.epoch, uid=add.uid, seal=seal))
        epoch = entries[-1].epoch
        return (None if epoch is None else self._staging.of_epoch(who, room, epoch)), newcomers

    async def _judge(self, live: LiveRoom, kind: int, signed: list[_Triple]) -> tuple[list[Item], list[Accepted]]:
        out: list[tuple[list[Item], list[Accepted]]] = []

        def judge() -> None:
            out.append(live.stream.place(kind, signed, now_ms(), self._people, live.old_rhs))

        await self._live.satisfied(live.head.room, judge, live.old_rhs)
        return out[0]

    async def _begin(
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
    ) -> "asyncio.Future[Receipt]":
        """Sends a judged placement to the disk. The future ends when it is durable and listeners are told."""
        room = live.head.room
        share_rows = _share_rows(room, accepted, shares)
        if share_rows is None:
            await self._undo(live)
            raise Refusal(ErrorCode.INVALID, "shares")
        before = live.pending_members
        after = live.stream.members
        changes = _member_changes(before, after, accepted)
        live.pending_members = after
        rows = _rows(live.pending_rh, items, ids)
        live.pending_rh = rows[-1].rh
        for row in rows:
            live.old_rhs.held[row.n] = row.rh
        live.old_rhs.trim()
        stored = live.stream.n - live.state_n >= _STATE_EVERY or live.state_n == 0
        last = accepted[-1]
        placement = Placement(
            room=room,
            expected_n=items[0].n - 1,
            items=rows,
            size_bytes=size,
            by_dev=who.dev,
            day=now_ms() // _DAY_MS,
            shares=share_rows,
            seals=seals,
            members=changes,
            device_head=(
                DeviceHead(dev=last.hdr.dev, dev_seq=last.hdr.dev_seq, id=last.ident)
                if isinstance(last, AcceptedEnvelope)
                else None
            ),
            state=live.stream.to_bytes() if stored else None,
        )
        if stored:
            live.state_n = live.stream.n
        live.size_bytes += size
        self._note_use(who, size)
        return self._commit(live, placement, items, shares)

    def _commit(
        self, live: LiveRoom, placement: Placement, items: list[Item], shares: Sequence[WireShare]
    ) -> "asyncio.Future[Receipt]":
        answer: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()
        written = self._store.place(placement)
        live.tail = written

        def durable(future: "asyncio.Future[None]") -> None:
            error = None if future.cancelled() else future.exception()
            if error is not None or future.cancelled():
                self._live.forget(live)
                if not answer.done():
                    answer.set_exception(error or StoreError("cancelled"))
                    answer.exception()  # the asker may be gone: that is no reason for a warning
                return
            receipt = self._publish(live, placement, items, shares)
            if not answer.done():
                answer.set_result(receipt)

        written.add_done_callback(durable)
        return answer

    def _publish(self, live: LiveRoom, placement: Placement, items: list[Item], shares: Sequence[WireShare]) -> Receipt:
        """A placement is durable: the head moves, and listeners hear of it."""
        room, last = placement.room, placement.items[-1]
        live.head = receipt = self._live.receipt(room, last.n, last.rh, last.t)
        for change in placement.members:
            if change.until_n is not None:
                self._hub.unsubscribe(change.uid, room)
                gone = Removed(room, change.until_n)
                self._hub.tell(change.uid, lambda _dev, gone=gone: gone)  # type: ignore[misc]  # the default binds it
        if self._hub.listens(room):
            wire = [WireItem(i.n, i.t, i.kind, i.body, i.sig, i.ct) for i in items]
            self._hub.news(room, last.n, Fresh(room, wire, list(shares), receipt))
        for change in placement.members:
            if change.until_n is None:
                self._hub.tell(change.uid, lambda dev: Joined(self._head_for(live, dev)))
        return receipt

    def _head_for(self, live: LiveRoom, dev: bytes) -> RoomHead:
        head = live.stream.device_heads.get(dev)
        return RoomHead(live.head, head.dev_seq if head else 0, head.ident if head else b"")

    async def _undo(self, live: LiveRoom) -> None:
        """Takes back what was judged but is not to be stored: the room is read again."""
        await live.settled()
        self._live.forget(live)

    async def _known(self, live: LiveRoom, ids: Sequence[bytes]) -> int | None:
        """The first position if all of these have one already, in order."""
        await live.settled()
        found = await self._store.positions(live.head.room, list(ids))
        at = [found.get(i, 0) for i in ids]
        return at[0] if at[0] and at == list(range(at[0], at[0] + len(at))) else None

    async def _placed_before(self, rid: int, live: LiveRoom, first: int, count: int) -> Placed:
        (last,) = await self._store.items(live.head.room, first + count - 2, first + count - 1, 1)
        return Placed(rid, first, count, self._live.receipt(live.head.room, last.n, last.rh, last.t))

    # -- quotas

    async def _check_quota(self, live: LiveRoom, who: Who, size: int) -> None:
        day = now_ms() // _DAY_MS
        if live.size_bytes + size > self._limits.room_bytes:
            raise Refusal(ErrorCode.QUOTA, "room")
        at, used = self._used.get(who.dev, (-1, 0))
        if at != day:
            used = await self._store.device_bytes(who.dev, day)
            self._used[who.dev] = (day, used)
        if used + size > self._limits.device_bytes_a_day:
            raise Refusal(ErrorCode.QUOTA, "device")

    def _note_use(self, who: Who, size: int) -> None:
        day, used = self._used[who.dev]
        self._used[who.dev] = (day, used + size)

    # -- reading

    async def pull(self, who: Who, frame: Pull) -> Items:
        """Items after a position. One who was removed gets those up to the entry that did it, and no more."""
        live = await self._reach(frame.room, who.uid)
        receipt = live.head
        if who.uid not in live.stream.members:
            end = await self._store.until_n(frame.room, who.uid)
            if end is None:
                raise Refusal(ErrorCode.UNKNOWN_ROOM)
            if end:
                (last,) = await self._store.items(frame.room, end - 1, end, 1)
                receipt = self._live.receipt(frame.room, last.n, last.rh, last.t)
        after = max(0, frame.after)
        if after >= receipt.n:
            return Items(frame.rid, frame.room, [], [], receipt)
        limit = max(1, min(frame.limit_bytes, MAX_PULL_BYTES))
        rows = _whole_batches(await self._store.items(frame.room, after, receipt.n, limit))
        if not rows:  # one batch is longer than what was asked for; it still fits a frame
            rows = _whole_batches(await self._store.items(frame.room, after, receipt.n, _WHOLE_BATCH_BYTES))
        shares = await self._store.shares_between(frame.room, after, rows[-1].n if rows else after)
        return Items(
            frame.rid,
            frame.room,
            [WireItem(i.n, i.t, i.kind, i.body, i.sig, i.ct) for i in rows],
            [WireShare(h.obj, h.share) for h in shares if h.share is not None],
            receipt,
        )

    async def subscribe(self, listener: Listener, frame: Subscribe) -> Ok:
        """Fresh from now on."""
        await self._as_member(frame.room, listener.uid)
        if len(listener.rooms) >= self._limits.subscriptions:
            raise Refusal(ErrorCode.QUOTA, "subscriptions")
        self._hub.subscribe(listener, frame.room)
        self._shares.tell(listener, frame.room)
        return Ok(frame.rid)

    def ephemeral(self, listener: Listener, frame: Ephemeral) -> None:
        """To the room's other listeners, if the sender is a member who listens too. Clients check the rest."""
        live = self._live.at_hand(frame.room)
        if live is not None and frame.room in listener.rooms and listener.uid in live.stream.members:
            self._hub.passing(frame.room, frame, listener)

    # -- seals and shares

    def put_seals(self, who: Who, frame: PutSeals) -> Ok:
        """Keeps seals until the entry that names them comes."""
        self._staging.put(who, frame)
        return Ok(frame.rid)

    async def seals(self, who: Who, frame: SealRequest) -> SealReply:
        """The asker's own seals of an epoch."""
        await self._reach(frame.room, who.uid)
        return SealReply(frame.rid, await self._store.seals(frame.room, frame.epoch, who.uid))

    async def reseal(self, who: Who, frame: Reseal) -> Ok:
        """Another seal of a standing epoch, for a member, from any member. The opener checks it."""
        live = await self._as_member(frame.room, who.uid)
        if frame.uid not in live.stream.members or frame.epoch not in live.stream.epochs:
            raise Refusal(ErrorCode.INVALID, "recipient")
        log = await self._people.load(frame.uid)
        if log is None or log.puk_at(log.seq) is None:  # ▲ the agency revoked a device: first a newer PUK
            raise Refusal(ErrorCode.INVALID, "recipient")
        if not 0 < len(frame.seal) <= _MAX_SEAL_BYTES:
            raise Refusal(ErrorCode.SEALS, "size")
        row = SealRow(epoch=frame.epoch, uid=frame.uid, seal=frame.seal)
        await self._store.add_seal(frame.room, row, self._limits.reseals_kept)
        self._hub.nudge(frame.uid, frame.room, live.head.n)
        return Ok(frame.rid)

    async def shares(self, listener: Listener, frame: ShareRequest) -> ShareReply:
        """Objects' shares, as far as the server has them."""
        return await self._shares.request(listener, await self._as_member(frame.room, listener.uid), frame)

    async def put_share(self, who: Who, frame: PutShare) -> Ok:
        """Fills in a lost share, from any member."""
        return await self._shares.put(await self._as_member(frame.room, who.uid), frame)


# -- shapes ------------------------------------------------------------------------------------------------------


def _check_unbroken(live: LiveRoom) -> None:
    """Busy if the room's state in memory was given up while we waited for its lock: the client sends again."""
    if live.broken:
        raise Refusal(ErrorCode.BUSY, "room")


def _check_rotation(live: LiveRoom, entry: RoomEntry) -> None:
    """▲ A writer may rotate a clean room once an hour; the limit never holds for a dirty room, nor when somebody's
    question for the key in force has stood for a minute."""
    if entry.type != "epoch" or live.stream.dirty or live.stream.role_of(entry.uid) is not Role.WRITER:
        return
    asked_ms = live.cannot_open.get(live.stream.epoch)
    if asked_ms is not None and now_ms() - asked_ms >= _HEAL_MS:
        return
    if now_ms() - live.rotated_ms < _ROTATION_MS:
        raise Refusal(ErrorCode.BUSY, "rotation")


def _hold_slot(live: LiveRoom, who: Who, entry: RoomEntry, why: Refusal) -> None:
    """▲ A removal by an owner or administrator that lost a race has the next slot for 60 s: its seals take time to
    upload, and whoever is to go must not keep it out with small entries."""
    role = live.stream.role_of(who.uid)
    if entry.type != "rm" or why.code != ErrorCode.CONFLICT or role is None or role < Role.ADMIN:
        return
    if now_ms() >= live.slot[1]:
        live.slot = (who.dev, now_ms() + _SLOT_MS)


def _check_slot(live: LiveRoom, who: Who) -> None:
    """Busy while another device has the next slot. No limit holds for a dirty room."""
    dev, until_ms = live.slot
    if dev != who.dev and now_ms() < until_ms and not live.stream.dirty:
        raise Refusal(ErrorCode.BUSY, "slot")


def _check_batch(frame: Push) -> None:
    if not 1 <= len(frame.bodies) <= MAX_BATCH_ITEMS or len(frame.bodies) != len(frame.cts):
        raise Refusal(ErrorCode.INVALID, "batch")
    if len(frame.sig) != 64 or len(frame.shares) > len(frame.bodies):
        raise Refusal(ErrorCode.INVALID, "batch")
    if any(len(ct) > MAX_OP_BYTES for ct in frame.cts):
        raise Refusal(ErrorCode.OVERSIZE, "op")
    if sum(map(len, frame.bodies)) + sum(map(len, frame.cts)) > MAX_BATCH_BYTES:
        raise Refusal(ErrorCode.OVERSIZE, "batch")


def _check_entries(who: Who, frame: Append, entries: list[RoomEntry]) -> None:
    if any(e.dev != who.dev or e.uid != who.uid for e in entries):
        raise Refusal(ErrorCode.FORBIDDEN, "another device")
    if any(e.room not in (None, frame.room) for e in entries):
        raise Refusal(ErrorCode.INVALID, "room")
    if any(e.epoch is not None for e in entries[:-1]):
        raise Refusal(ErrorCode.INVALID, "only the last entry may carry an epoch")


def _whole_batches(rows: list[ItemRow]) -> list[ItemRow]:
    """The rows up to the last signature: a client judges a batch whole (protocol §7)."""
    end = len(rows)
    while end and not rows[end - 1].sig:
        end -= 1
    return rows[:end]


def _sealed_right(entry: RoomEntry, recipients: list[Recipient], seals: list[bytes]) -> bool:
    """▲ One seal per recipient, of the keys they should get, and an added person's is the one that the entry names."""
    if entry.epoch is None or not seals_fit(entry.epoch, recipients, seals):
        return False
    add = entry.payload
    if not isinstance(add, roomlog.Add):
        return True
    return any(r.uid == add.uid and H(s) == add.seal_hash for r, s in zip(recipients, seals, strict=True))


def _refused(e: Refusal | Reject) -> Refusal:
    return e if isinstance(e, Refusal) else refusal_of(e)


def _rows(rh: bytes, items: list[Item], ids: Sequence[bytes]) -> list[ItemRow]:
    rows = []
    for item, ident in zip(items, ids, strict=True):
        rh = next_rh(rh, item.n, item.t, item.kind, ident)
        rows.append(
            ItemRow(n=item.n, t=item.t, kind=item.kind, id=ident, rh=rh, body=item.body, sig=item.sig, ct=item.ct)
        )
    return rows


def _share_rows(room: bytes, accepted: list[Accepted], shares: Sequence[WireShare]) -> list[ShareRow] | None:
    """The shares of objects that begin here; None unless each of them came, matches, and no other did."""
    given = {s.obj: s.share for s in shares}
    rows = []
    for a in accepted:
        if isinstance(a, AcceptedEntry) or not a.hdr.share_c:
            continue
        share = given.pop(a.hdr.obj, b"")
        if share_commitment(room, a.hdr.obj, share) != a.hdr.share_c:
            return None
        rows.append(ShareRow(obj=a.hdr.obj, n=a.n, share_c=a.hdr.share_c, share=share))
    return None if given else rows


def _member_changes(before: object, after: object, accepted: list[Accepted]) -> list[MemberChange]:
    if before is after or not isinstance(before, dict) or not isinstance(after, dict):
        return []
    last = accepted[-1].n
    gone = {}
    for a in accepted:
        if isinstance(a, AcceptedEntry):
            subject = getattr(a.entry.payload, "uid", a.entry.uid)
            gone[subject] = a.n
    out = [MemberChange(uid=u, until_n=gone.get(u, last)) for u in before if u not in after]
    return out + [MemberChange(uid=u, until_n=None) for u in after if u not in before]
