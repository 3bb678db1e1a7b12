# SPDX-License-Identifier: EUPL-1.2
"""Judges, opens and stores a slice of a room's items, in pieces that leave turns of the event loop to others."""

import asyncio
from collections.abc import Iterator

from sync.client.exchange.missing_content import MissingContent
from sync.client.exchange.missing_keys import Seals
from sync.client.exchange.missing_logs import MissingLogs
from sync.client.exchange.receipt_verifier import ReceiptVerifier
from sync.client.exchange.room_invitations import Invitations
from sync.client.exchange.snapshot_maker import Snapshots
from sync.client.link import Link
from sync.client.room.room_sync import RoomSync
from sync.errors import Reject
from sync.ids import Uid
from sync.protocol import messages as m
from sync.trust.formats.items import ENTRY, Item
from sync.trust.room.stream import Accepted, AcceptedEntry

PIECE = 64
"""Items judged in one turn of the event loop, about 1.5 ms; a longer batch is judged whole."""
PIECE_BYTES = 96 * 1024
"""The same limit in bytes: a batch of packed edits may hold thousands of changes."""
BREATHE = 16
"""A longer piece is judged, opened and stored in one turn of the loop each."""
KEPT_MS = 90 * 86_400_000
KEPT_BYTES = 256 * 1024 * 1024
"""Items that are kept as they were received, for a server that loses them (protocol §10)."""


class SliceReader:
    """Judges (verifies by the room's rules), decrypts and stores what the server sent of rooms, one slice at a time. A
    slice is a run of items in a room's order."""

    def __init__(
        self,
        link: Link,
        verifier: ReceiptVerifier,
        seals: Seals,
        snapshots: Snapshots,
        logs: MissingLogs,
        content: MissingContent,
        invitations: Invitations,
    ) -> None:
        self._link, self._verifier, self._seals, self._snapshots = link, verifier, seals, snapshots
        self._logs, self._content, self._invitations = logs, content, invitations

    async def read(
        self,
        room: RoomSync,
        wire: list[m.WireItem],
        shares: list[m.WireShare],
        receipt: m.Receipt,
        *,
        shows_first: bool = False,
    ) -> bool:
        """Judges (verifies by the room's rules), decrypts and stores a slice of `room`, piece by piece: `wire` are its
        items (at least one), the first of which follows the last verified position; `shares` the secrets of objects
        that came with it, `receipt` is the server's for the room's last position, which may be after the slice. False
        if the room was stopped, since an item breaks the rules or is not what the server signed before, or if the room
        passed to the invitations; True otherwise. A lost connection (Unreachable) and errors of the store are raised.
        Reject if the server is asked for proof of a fork, and its answer is malformed or not signed; the room is then
        stopped too. `shows_first`: nothing else waits to be read, so that a single change is stored and shown before
        the rest of the slice is stored.

        ▲ Reading ends at the position at which this person left the room from another device. They may have been added
        again after it, and must then be asked before anything more of the room is read.
        """
        entries = left = False
        # ▲ The room counts as behind until the slice ends: only the last piece is flushed, and nothing is sent earlier.
        room.announce(wire[-1].n)
        me, owners = self._link.account.uid, room.stream.state.dev_owner
        for piece, more in _pieces(wire, me):
            heavy = any(i.kind == ENTRY for i in piece)
            try:
                self._verifier.check_promise(room, piece)
                if heavy:
                    await self._link.load_logs(room)
                accepted = await self.judge(room, piece)
            except Reject as e:
                await self.store_judged(room)  # the store keeps the reason only for a stream that it has
                await self._verifier.refuse(room, e, receipt, piece)
                return False
            entries = entries or heavy
            breathe = heavy or len(piece) > BREATHE
            first = shows_first and not more
            await self._store(room, piece, accepted, shares, receipt, more=more, breathe=breathe, shows_first=first)
            if not room.is_member and _left(accepted[-1], me) and receipt.n > room.stream.n:
                left = self._invitations.left(room, receipt)
                if left:
                    break
        self._link.notify_moved()
        new_device = room.stream.state.dev_owner is not owners  # a person's first item: they accepted
        if (entries or new_device) and not room.keys.needs_key:  # without the key: once it is here or known missing
            self._link.listener.on_room(room.room)
        return not left

    async def judge(self, room: RoomSync, items: list[Item]) -> list[Accepted]:
        """Verifies `items`, the next items of `room`, by the room's rules, which moves the room's state in memory past
        them. Returns the verdicts, one for each item in order; void ones (without effect) are among them. Fetches the
        user logs that this needs. Reject if an honest server would not show the items, or "withheld" if it does not
        give a log; the caller then stops the room. Unreachable if the connection is lost."""
        return await self._logs.judge(lambda: room.judge(items), len(items))

    async def _store(
        self,
        room: RoomSync,
        piece: list[Item],
        accepted: list[Accepted],
        shares: list[m.WireShare],
        receipt: m.Receipt,
        *,
        more: bool,
        breathe: bool,
        shows_first: bool,
    ) -> None:
        """Decrypts and stores `piece`, a verified part of a slice of `room`. `accepted` are the verdicts on its items,
        one each in their order. `shares` are the secrets of objects and `receipt` the server's receipt that came with
        the slice; the receipt is stored with its last piece. `more`: further pieces of the slice follow. `breathe`:
        lets other tasks of the event loop run before each step, so that one turn does not take too long; set if `piece`
        has an entry or is long. `shows_first`: see `RoomSync.open_all`.

        While a newcomer (a new member or device) reads the room for the first time, content without a key is held in
        memory; if only headers were pulled, it is fetched later. An error is raised after the room was loaded from the
        store again (`Link.kept`).
        """
        since = self._link.server_now_ms - KEPT_MS
        # the receipt is for the slice's end; and while the buffer holds what is read, nothing is stored yet
        provable = None if more or room.bootstrap_buffer is not None else receipt
        with self._link.kept(room), self._verifier.stored_with(room, provable) as proven:
            if breathe:
                await asyncio.sleep(0)
            # an item without content could not be uploaded again
            kept = [] if room.headers_only else [i for i in piece if i.t >= since]
            writes = room.open_all(accepted, shares, more=more, items=kept, receipt=proven, shows_first=shows_first)
            for received in writes:
                if breathe:
                    await asyncio.sleep(0)
                await self._link.ports.receive_apart(received)
        if room.bootstrap_buffer is None:
            room.note_stored(accepted[-1].n)
        elif room.bootstrap_buffer.full:
            await self._content.bootstrap(room)
        self._seals.see(room, accepted)
        self._snapshots.see(room, accepted)

    async def store_judged(self, room: RoomSync) -> None:
        """Stores what was verified of `room`, which a newcomer (a new member or device) is reading for the first time,
        before the room is stopped. Otherwise the store could not keep the reason. If only headers were pulled, its
        content is left to be pulled later. Stores nothing of a room that is followed already: its slices are stored as
        they are verified."""
        if not room.headers_only or not room.stream.n:
            await self._content.bootstrap(room)
            return
        with self._link.kept(room):
            await self._link.ports.receive_apart(room.finish_bootstrap(reread=True))
        room.record_alarm()
        self._link.notify_moved()


def _left(item: Accepted, me: Uid) -> bool:
    return isinstance(item, AcceptedEntry) and item.void is None and item.entry.type == "leave" and item.entry.uid == me


def _may_leave(i: m.WireItem, me: Uid) -> bool:
    """Whether an item may be this person's `leave` entry. Judging decides; a wrong True only ends a piece early."""
    return i.kind == ENTRY and bytes(me) in i.body and b"leave" in i.body


def _pieces(wire: list[m.WireItem], me: Uid) -> Iterator[tuple[list[Item], bool]]:
    """Splits `wire`, the items of a slice, into small pieces, so that one turn of the loop never verifies a whole
    slice, and yields (piece, whether more follow), in order; nothing for an empty `wire`. A piece ends at the first
    signature at which it has PIECE items or PIECE_BYTES of content; a batch under one signature is not divided. A piece
    also ends at a signed item that may be the `leave` entry of the person `me`, since reading ends there."""
    piece: list[Item] = []
    size = 0
    for at, i in enumerate(wire, start=1):
        piece.append(Item.of(i))
        size += len(i.ct or b"")
        if i.sig and (len(piece) >= PIECE or size >= PIECE_BYTES or _may_leave(i, me)):
            yield piece, at < len(wire)
            piece, size = [], 0
    if piece:
        yield piece, False
