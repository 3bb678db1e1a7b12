# SPDX-License-Identifier: EUPL-1.2
"""Opens a long room for a newcomer or a new device. The device has judged every position by its headers, and fetches
the content that it needs: the room's own records, each object's newest attested snapshot, and the changes after it.
reread.py reads the rest in the background. `fetch_pruned` replaces missing ranges by snapshots in the same manner.

▲ Fetched content must be the very item that was judged at its position. ▲ A snapshot is opened only if somebody other
than its author attested it and its content has the hash that both state; otherwise the object is read from its changes.
So nothing that is shown, or written on, rests on one person's word for what others wrote. In a room of one's own nobody
else writes, and an attest by any device of the person is enough.
"""

import asyncio
import logging
from array import array
from bisect import bisect_left
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from functools import partial

from sync.client.link import Link
from sync.client.placed_changes import Compact, Compacted, PlacedChange
from sync.client.received import Backfilled, BegunObject, OpenedSnapshot
from sync.client.room.bootstrap_buffer import BootstrapBuffer, PiecePlace
from sync.client.room.room_sync import CHUNK, RoomSync
from sync.crypto.encoding import dec, enc
from sync.errors import Refused, Reject
from sync.ids import ChangeId, ObjId, RoomId, Uid
from sync.protocol import messages as m
from sync.protocol.version import MAX_CONTENTS
from sync.trust.formats import fields
from sync.trust.formats.items import Item
from sync.trust.room import envelope
from sync.trust.room.room_state import Snapshot
from sync.trust.room.snapshots import MAX_PIECES, PIECE_BYTES, Attest, Piece, attested, attests_to_prune, joined
from sync.trust.room.stream import AcceptedEnvelope

log = logging.getLogger("sync")

TRIES = 3
"""Attested snapshots of one object that are tried, the newest first."""
LOOK_BACK = 1024
"""Positions that are searched at a time for a snapshot's earlier pieces."""
WHOLE_LIMIT = MAX_PIECES * PIECE_BYTES


def pack(state: Compacted) -> bytes:
    """A snapshot's bytes, before they are cut into pieces, from `state`."""
    return enc(list(state.changes))


def unpack(whole: bytes) -> list[bytes]:
    """Decodes `whole`, the bytes that `pack` made of a snapshot, into the changes that produce the object's state, in
    their order. Reject "malformed", "encoding" or "oversize" if they are damaged."""
    changes = fields.items(dec(whole, limit=WHOLE_LIMIT + 1024), "snapshot", 4 * MAX_PIECES)
    return [fields.blob(change, WHOLE_LIMIT, "snapshot") for change in changes]


def begins_with(changes: Sequence[bytes]) -> list[PlacedChange]:
    """A state's changes in the form that `Compact` expects at its start."""
    return [PlacedChange(0, ChangeId(bytes(16)), Uid(bytes(16)), 0, change) for change in changes]


def _since(ns: "array[int]", first: int) -> "array[int]":
    """The rising positions from `first` on. A long object has 200,000."""
    return ns[bisect_left(ns, first) :]


def _shown(room: RoomSync, n: int, i: m.WireItem) -> AcceptedEnvelope:
    """The envelope in `i`, which the server shows for position `n` of `room`, if it is the one that was verified there.
    Reject "content-hash" if the server shows another item. If the server gives it without its content it is returned
    so. Unless the content may be gone (the object is destroyed, or pruned there), that is recorded: the server is asked
    again later, and the room stopped if the content is still missing."""
    item = room.shown(Item.of(i), n)
    if item is None:
        raise Reject("content-hash", f"position {n}")
    if item.ct is None:
        room.missed(item)
    return item


class Backfill:
    """Fetches the content that is needed of long rooms, of which only headers were pulled, and snapshots in place of
    changes that the server pruned (deleted) before this device fetched them."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._given_up: set[tuple[RoomId, ObjId]] = set()

    async def bootstrap(self, room: RoomSync) -> None:
        """Fetches, opens and stores the content of `room`, of which only headers were pulled, that a newcomer (a new
        member or device) needs to begin: the newest snapshots (for a member without the history the copies of the state
        that administrators wrote) and the changes after them. Then stores the room's verified state, and the room is
        followed as usual. Does nothing for a room that was pulled with its content, and for one of which no position is
        verified yet. Reject or Refused if the server does not give what it must; Unreachable if the connection is
        lost."""
        held = room.begin_opening()
        if held is None:
            return
        root = ObjId(room.room)
        inside = room.inside_from
        await self._open(room, _since(held.ops.pop(root, array("Q")), inside))  # they name the kinds of objects
        reread = False  # whether some of the room is left to be read later
        wanted: list[int] = []
        for obj, ns in held.ops.items():
            base, waits = await self._snapshot(room, obj, held) if room.keys.has_history else (0, ())
            reread |= base > 0
            wanted += _since(ns, max(base + 1, inside))
            wanted += [n for n in waits if n <= base and n in _since(ns, n)[:1]]
        if not room.keys.has_history:
            for ns in held.baselines.values():
                wanted += _since(ns, inside)
        if not reread:  # reading again opens the heartbeats too
            wanted += [n for n in held.heartbeats.values() if n >= inside]
        await self._open(room, sorted(wanted))
        await self._link.ports.receive_apart(room.finish_bootstrap(reread=reread))

    async def fetch_pruned(self, room: RoomSync) -> None:
        """▲ Fetches, for each object of `room` of which the server pruned (deleted) changes before this device fetched
        them, the snapshot behind which the server pruned, so that a device that was offline loses nothing. Does nothing
        until all that the server announced of the room is stored. Nothing is fetched of destroyed objects, and for
        members without the history: they use baselines (copies of the state that an administrator writes for them).
        Objects that lack nothing any more are stored as `Backfilled`. A snapshot that the server refuses, or that does
        not open, is only logged, and tried again when a key is received and on the next connection. Unreachable is
        raised."""
        whole_until = dict[ObjId, int]()
        for obj in sorted(room.incomplete) if room.caught_up else ():
            state, base = room.stream.state, self._link.ports.base(obj)
            until = state.pruned.get(obj, 0)
            reaches = base is not None and base[0] >= until  # what is not pruned is pulled as usual
            whole = until == 0 or reaches or room.keys.reads_alone or obj in state.destroyed
            if not whole and (room.room, obj) not in self._given_up:
                try:
                    whole = (await self._snapshot(room, obj, None))[0] >= until
                except (Refused, Reject) as e:
                    log.warning("snapshot not given: %s", e.code)
                if not whole:
                    self._given_up.add((room.room, obj))
                    log.error("a pruned object is incomplete here: room %s", room.room[:4].hex())
                    self._link.listener.on_room(room.room)
            if whole:
                whole_until[obj] = until
        # ▲ the server may have pruned further during the wait: then a range is still missing
        done = [obj for obj, n in whole_until.items() if room.caught_up and room.stream.state.pruned.get(obj, 0) <= n]
        if done:
            room.note_backfilled(done)
            await self._link.ports.receive_apart(Backfilled(room=room.room, objs=done))
            self._link.listener.on_room(room.room)

    def given_up(self, room: RoomId, obj: ObjId) -> bool:
        """Whether the snapshot of the object `obj` in `room` that replaces pruned changes (deleted at the server) could
        not be fetched or opened. It is then not asked for again before a key of the room is received or a new
        connection is made. False for any other object, also an unknown one."""
        return (room, obj) in self._given_up

    def start(self) -> None:
        """Call it on a new connection: snapshots that the server did not give before are asked for again."""
        self._given_up.clear()

    def allow_retry(self, room: RoomId) -> None:
        """Call it when a key has been received: snapshots that could not be opened may open now."""
        self._given_up = {key for key in self._given_up if key[0] != room}

    async def _open(self, room: RoomSync, ns: Sequence[int]) -> None:
        """Fetches and decrypts the changes at `ns`, rising positions of `room`, and stores them; those whose key is
        missing wait in the store. The write is not durable by itself: after a crash it is repeated. Reject if the
        server shows other items than were verified there; Refused; Unreachable if the connection is lost."""
        async for items in self._fetch(room, ns):
            for received in room.open_again(items, ()):
                await self._link.ports.receive_apart(replace(received, more=True))

    async def _fetch(self, room: RoomSync, ns: Sequence[int]) -> AsyncIterator[list[AcceptedEnvelope]]:
        """Fetches the envelopes at `ns`, rising positions of `room`, with their content, and yields them in small
        lists, in that order. An envelope whose content the server does not give is yielded without it. Reject
        "content-hash" if the server shows other items than were verified there, "malformed" if it shows none or too
        many; Refused; Unreachable if the connection is lost."""
        at = 0
        while at < len(ns):
            asked = list(ns[at : at + MAX_CONTENTS])
            reply = await self._link.online.request(partial(m.Contents, room=room.room, ns=asked), m.ContentsReply)
            if not 0 < len(reply.items) <= len(asked):
                raise Reject("malformed", "contents")
            for start in range(0, len(reply.items), CHUNK):
                yield [
                    _shown(room, n, i) for n, i in zip(asked[start:], reply.items[start : start + CHUNK], strict=False)
                ]
                await asyncio.sleep(0)
            at += len(reply.items)

    async def _one(self, room: RoomSync, n: int) -> AcceptedEnvelope:
        async for items in self._fetch(room, [n]):
            return items[0]
        raise Reject("malformed", "contents")

    # -- snapshots ------------------------------------------------------------------------------------------------

    async def _snapshot(self, room: RoomSync, obj: ObjId, held: BootstrapBuffer | None) -> tuple[int, tuple[int, ...]]:
        """Opens and stores the newest good snapshot of `obj`: a person other than its author attests it (confirms it by
        signature), and it reaches as far as the object is pruned. At most TRIES are tried. `held`, what is in memory of
        a newcomer's first reading, has the positions of its pieces; if it is None they are searched. Returns the
        position that the snapshot covers, 0 for none (also for a kind without snapshots), and the positions up to there
        of changes that wait for others and are not in it: the caller fetches these. A Reject is only logged, and the
        next snapshot is tried; Refused and Unreachable are raised.

        ▲ For a pruned object, snapshots with as many attests (signed confirmations) as a prune needs are tried first:
        their state cannot be computed again later. Otherwise two people who lie together would be believed, or could
        hide a snapshot that three people attest.
        """
        compact, least = self._link.ports.compactor(obj), room.stream.state.pruned.get(obj, 0)
        if compact is None:
            return 0, ()
        rows = [row for row in attested(room.stream.state, obj) if row.covers >= least]
        if least:
            rows.sort(key=lambda row: len(row.attests) < attests_to_prune(room.stream.state))
        for row in rows[:TRIES]:
            try:
                found = await self._checked(room, obj, held, row, compact)
            except Reject as e:
                log.warning("snapshot refused: %s", e.code)
                continue
            if found is not None:
                snapshot = OpenedSnapshot(n=row.n, t=row.t, uid=row.uid, obj=obj, covers=row.covers, state=found)
                await self._link.ports.receive_apart(BegunObject(room=room.room, snapshot=snapshot))
                return row.covers, found.waits
        return 0, ()

    async def _checked(
        self, room: RoomSync, obj: ObjId, held: BootstrapBuffer | None, row: Snapshot, compact: Compact
    ) -> Compacted | None:
        """▲ The state in `row`, a snapshot of `obj` in `room`, as `compact` computes it from the snapshot's pieces. It
        is returned only if its hash is the one that the snapshot's author states, and another person has attested that
        hash, so that it does not rest on one person's word. None if nobody else has, if the computed hash differs, or
        if the pieces do not fit together or cannot be opened. `held`: the bootstrap buffer, which has the positions of
        the pieces; None if they must be searched. Reject if a piece is damaged or is not the item that was verified;
        Refused or Unreachable if the server does not give one."""
        last = await self._piece(room, row.n)
        if last is None or not await self._attested(room, obj, row, last.digest):
            return None
        return await self._joined(room, obj, held, row, last, compact)

    async def content(self, room: RoomSync, obj: ObjId, row: Snapshot, compact: Compact) -> Compacted | None:
        """▲ The state in `row`, a snapshot of `obj` in `room`, if its hash is the one that the snapshot's last piece
        states. A device calls it before it attests the snapshot (confirms it by signature). Whether others attest the
        snapshot does not matter. `compact` computes the state, with its hash, from the changes in the pieces. None if
        the hash differs, or if the pieces do not fit together or cannot be opened. Reject if a piece is damaged or is
        not the item that was verified; Refused or Unreachable if the server does not give the pieces."""
        last = await self._piece(room, row.n)
        return await self._joined(room, obj, None, row, last, compact) if last is not None else None

    async def _joined(
        self, room: RoomSync, obj: ObjId, held: BootstrapBuffer | None, row: Snapshot, last: Piece, compact: Compact
    ) -> Compacted | None:
        places = held.pieces[obj] if held is not None else await self._places(room, obj, row.n, last.count)
        dev = next((p.dev for p in places if p.n == row.n), b"")
        before = [p.n for p in places if p.dev == dev and p.n < row.n][-last.count + 1 :] if last.count > 1 else []
        if before and before[0] <= row.covers:  # ▲ a prune behind the snapshot would remove the piece
            return None
        found = [await self._piece(room, n) for n in before]
        whole = joined([*(p for p in found if p is not None), last])
        if whole is None:
            return None
        state = await asyncio.to_thread(compact, begins_with(unpack(whole)), row.covers)
        return state if state is not None and state.digest == last.digest else None

    async def _places(self, room: RoomSync, obj: ObjId, n: int, count: int) -> list[PiecePlace]:
        """▲ Where the pieces of snapshots of `obj` in `room` are, up to position `n`, the last piece of the wanted
        snapshot; in rising order, those of other devices too. Pulls headers and searches backwards until there are
        `count` pieces of the device that wrote the one at `n`; fewer are returned if the room's beginning is reached.
        [] if the server shows no piece near `n`. Each position is read once and in order, so a server cannot make the
        search endless. Reject "withheld" if the server leaves positions out; Refused; Unreachable."""
        found: list[PiecePlace] = []
        until, enough = n, False
        while until > 0 and not enough:
            at, part = max(0, until - LOOK_BACK), list[PiecePlace]()
            after = at
            while at < until:
                items = (await self._link.pull(room.room, at, headers_only=True)).items
                if not items or [i.n for i in items] != list(range(at + 1, at + 1 + len(items))):
                    raise Reject("withheld", "pieces")
                for i in items:
                    item = room.shown(Item(i.n, i.t, i.kind, i.body, i.sig, None), i.n) if i.n <= until else None
                    if item is not None and (item.hdr.kind, item.hdr.obj) == (envelope.SNAPSHOT, obj):
                        part.append(PiecePlace(item.n, item.hdr.dev))
                at = items[-1].n
            found, until = part + found, after
            enough = sum(p.dev == found[-1].dev for p in found) >= count if found else True
        return found

    async def _piece(self, room: RoomSync, n: int) -> Piece | None:
        payload = room.keys.open_special(await self._one(room, n))
        return Piece.decode(payload) if payload is not None else None

    async def _attested(self, room: RoomSync, obj: ObjId, row: Snapshot, digest: bytes) -> bool:
        """▲ Whether a person other than the author of `row`, a snapshot of `obj` in `room`, has attested it with
        exactly the hash `digest` (an attest is a signed statement that one has made the same snapshot). Without one the
        snapshot is not used. Fetches the attests; one that is damaged or cannot be opened does not count. Reject if the
        server shows another item in the place of an attest; Refused; Unreachable."""
        expected = Attest(obj=obj, n=row.covers, snapshot=row.ident, digest=digest)
        for _, n in row.attests:
            item = await self._one(room, n)
            try:
                payload = room.keys.open_special(item) if item.hdr.kind == envelope.ATTEST else None
                if payload is not None and Attest.decode(payload) == expected:
                    return True
            except Reject as e:
                log.warning("attest refused: %s", e.code)
        return False
