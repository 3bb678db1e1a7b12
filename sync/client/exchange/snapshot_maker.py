# SPDX-License-Identifier: EUPL-1.2
"""Makes snapshots of objects that have grown, and attests those of others (protocol §7).

One writer is enough: each waits a random time and checks again whether another has done it. A state that is made or
attested is computed from the room's own positions, never from changes that exist only here. The computation starts from
the last state that this device itself computed or opened, so that a long object is not merged from its first change
each time.

In a room of one's own the person's devices attest each other's snapshots. Where no other device does, the one that made
a snapshot attests it itself, ▲ after a replay from the object's first change: a state that was built on an earlier one
of its own would only repeat that one's faults.
"""

import asyncio
import logging
import os
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from sync.client.exchange.backfill import Backfill, begins_with, pack
from sync.client.exchange.extras import Extra
from sync.client.exchange.outbox import Outbox
from sync.client.link import Link, of_one_room
from sync.client.placed_changes import Compacted
from sync.client.room.room_sync import RoomSync
from sync.client.room.trust_facts import active_devices
from sync.client.wakeup import woken
from sync.errors import Refused, Reject
from sync.ids import ObjId, RoomId
from sync.trust.room import envelope
from sync.trust.room.envelope import Header
from sync.trust.room.room_policy import is_own
from sync.trust.room.room_state import Snapshot
from sync.trust.room.snapshots import (
    ATTESTS_KEPT,
    Attest,
    Piece,
    attester,
    attests_to_prune,
    has_vouched,
    joined,
    pieces,
)
from sync.trust.room.stream import Accepted, AcceptedEnvelope

log = logging.getLogger("sync")

EVERY_OPS = 500
EVERY_BYTES = 256 * 1024
"""An object that has grown by either gets a snapshot."""
SPREAD_S = 20.0
"""Each device waits up to so long, so that one does it and the others see it."""
AGAIN_S = 2.0
"""The wait if a room was not caught up."""
MAX_HELD = 64
"""Unfinished snapshots whose pieces are held."""

Key = tuple[RoomId, ObjId]


@dataclass(frozen=True, slots=True)
class _Claim:
    """A snapshot that this device may attest, that is, confirm: its id `snapshot`, and the hash `digest` that its
    author states; None if it is not known here. `is_opened`: this device has begun the object with this very snapshot,
    so it knows that the pieces hold content with that hash, and does not fetch them again. `from_start`: this device
    may have made the snapshot itself (in a room of one's own), so it replays the object from its first change."""

    snapshot: bytes
    digest: bytes | None
    is_opened: bool = False
    from_start: bool = False


class Snapshots:
    """Makes snapshots (an object's whole state, for newcomers), and attests those of others: computes the same state
    and confirms its hash. One `work` task while the connection lives; the list of what is due stays after it."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._backfill = Backfill(link)
        self._grown: dict[Key, list[int]] = {}
        self._make_at: dict[Key, float] = {}
        self._attest_at: dict[Key, tuple[float, _Claim]] = {}
        self._put_off: dict[Key, _Claim] = {}
        """To be attested when the changes before the snapshot have been read too."""
        self._pieces: dict[tuple[RoomId, ObjId, bytes], list[tuple[int, Piece]]] = {}
        """The pieces with their positions."""
        self._wake = asyncio.Event()

    def see(self, room: RoomSync, accepted: Sequence[Accepted]) -> None:
        """Notes, from `accepted`, the items of a slice of `room` that was just verified and stored, which objects have
        grown enough for a new snapshot, and which new snapshots are to be attested. Does nothing if this person may not
        read the history, or before the first reading of the room by a newcomer (a new member or device) is
        completed."""
        if room.bootstrap_buffer is not None or not room.keys.has_history:
            return
        for item in accepted:
            if not isinstance(item, AcceptedEnvelope) or item.void is not None or item.ct is None:
                continue
            if item.hdr.kind == envelope.OP:
                self._grow(room, item.hdr.obj, len(item.ct))
            elif item.hdr.kind == envelope.SNAPSHOT:
                self._take_piece(room, item)

    def _grow(self, room: RoomSync, obj: ObjId, size: int) -> None:
        key = (room.room, obj)
        grown = self._grown.get(key)
        if grown is None:
            ops, stored = self._link.ports.grown(obj, _covered(room, obj))
            grown = self._grown[key] = [ops, stored]
        else:
            grown[0] += 1
            grown[1] += size
        if (grown[0] >= EVERY_OPS or grown[1] >= EVERY_BYTES) and key not in self._make_at:
            self._make_at[key] = _soon()
            self._wake.set()

    def _take_piece(self, room: RoomSync, item: AcceptedEnvelope) -> None:
        """Takes in `item`, a piece of a snapshot in `room`. After its last piece the snapshot is to be attested
        (confirmed) by this device soon, if the pieces fit together and a different person made it; in a room of one's
        own, if a different device did, or if there is no other device. ▲ A snapshot with a piece at a position that it
        covers itself is not attested: a prune (deletion at the server of what a snapshot covers) would remove that
        piece, and nobody could open the snapshot."""
        key, whose = (room.room, item.hdr.obj), (room.room, item.hdr.obj, item.hdr.dev)
        try:
            payload = room.keys.open_special(item)
            piece = Piece.decode(payload) if payload is not None else None
        except Reject as e:
            log.warning("snapshot refused: %s", e.code)
            piece = None
        held = self._pieces.setdefault(whose, [])
        if piece is None or piece.index != len(held) or (held and held[0][1].token != piece.token):
            held.clear()
        if piece is not None and piece.index == len(held):
            held.append((item.n, piece))
        if not item.hdr.about:
            while len(self._pieces) > MAX_HELD:
                self._pieces.pop(next(iter(self._pieces)))
            return
        begun, found = [n for n, _ in self._pieces[whose]], [piece for _, piece in self._pieces.pop(whose)]
        self._grown.pop(key, None)  # the store is asked again how much follows the positions that it covers
        stays = bool(begun) and begun[0] > int.from_bytes(item.hdr.about, "big")
        if stays and joined(found) is not None and self._is_to_attest(room, item.hdr):
            made_here = item.hdr.dev == self._link.account.dev
            self._attest_at[key] = (_soon(), _Claim(item.ident, found[-1].digest, from_start=made_here))
            self._wake.set()

    def _is_to_attest(self, room: RoomSync, hdr: Header) -> bool:
        """Whether this device attests a snapshot in `room` that the author of `hdr` made."""
        me = self._link.account
        if hdr.uid != me.uid or not is_own(room.stream.state.policy):
            return hdr.uid != me.uid
        log_ = self._link.book.log(me.uid)
        return hdr.dev != me.dev or (log_ is not None and len(active_devices(log_)) == 1)

    def attest_again(self, room: RoomSync, obj: ObjId, row: Snapshot) -> None:
        """Has this device attest `row`, a snapshot of `obj` in `room`, a room of one's own, even if another device has,
        after a replay from the object's first change. Does nothing if another snapshot of the object is due."""
        self._attest_at.setdefault((room.room, obj), (_soon(), _Claim(row.ident, None, from_start=True)))
        self._wake.set()

    async def check(self, room: RoomSync) -> None:
        """▲ Recomputes, from the first change, the snapshots with which this device began objects of `room`; call it
        when all changes before them are here. Those of pruned objects, whose first changes are gone, are not checked. A
        correct one is attested soon if it still needs that and nothing in the room waits for a key. A false one is
        dropped: no state is built on it any more. So is one whose object has a change that waits for a key or is held
        back (not merged here for fear that it ends the program), since nobody can say whether it is false. A snapshot
        that cannot be computed now is not called false: no state is built on it either, and it is computed again before
        it is attested."""
        ports, state = self._link.ports, room.stream.state
        me = attester(state, self._link.account.uid, self._link.account.dev)
        begun = [ObjId(o) for o in state.snapshots if o not in state.pruned]
        shut = room.shut()
        self._put_off = {key: claim for key, claim in self._put_off.items() if key[0] != room.room or not shut}
        for obj in shut.intersection(begun):
            ports.forget_base(obj)
        for obj in begun:
            base, compact = ports.base(obj), ports.compactor(obj)
            if base is None or compact is None:
                continue
            if not ports.is_sound(obj):  # a replay would merge a change that is held back
                ports.forget_base(obj)
                continue
            n, held = base
            found: Compacted | None = None
            with _one_object(obj):
                changes = await asyncio.to_thread(ports.positioned, obj, 0, n)
                found = await asyncio.to_thread(compact, changes, n)
            if found is None:
                log.warning("a snapshot that was opened cannot be checked now: room %s", room.room[:4].hex())
                ports.forget_base(obj)
            elif found.digest != held.digest:
                log.error("a snapshot that was opened is false: room %s", room.room[:4].hex())
                ports.forget_base(obj)
                continue
            opened = ports.opened_at(obj)
            for row in state.snapshots[obj] if not shut else ():
                if row.covers == n and not has_vouched(row, me):
                    self._put_off.setdefault((room.room, obj), _Claim(row.ident, held.digest, row.n == opened))

    def reread_finished(self, room: RoomSync) -> None:
        """Call it when nothing of `room` is left to be read again: attests (confirmations of snapshots) that waited for
        that are made soon."""
        for key in [key for key in self._put_off if key[0] == room.room]:
            self._attest_at[key] = (_soon(), self._put_off.pop(key))
        self._wake.set()

    async def work(self, outbox: Outbox) -> None:
        """Makes the snapshots that are due, and attests (confirms the hash of) those of others, and sends the results
        by `outbox`. Runs while the connection lives. ▲ Makes and attests nothing in a room that is still being read
        again: the result would rest on other people's word. Attests wait until that is done; a snapshot becomes due
        again with the object's next change. An attest that a lost connection interrupts is due on the next one."""
        loop = asyncio.get_running_loop()
        while True:
            times = [*self._make_at.values(), *(at for at, _ in self._attest_at.values())]
            wait_s = max(0.0, min(times) - loop.time()) if times else None
            await woken(self._wake, wait_s)
            for key in [k for k, at in self._make_at.items() if at <= loop.time()]:
                del self._make_at[key]
                room = self._room(key)
                if room is None or room.reread:  # the next change sets the time again
                    continue
                if self._steady(room, key[1]):
                    with _one_object(key[1]):
                        await self._make(room, key[1], outbox)
                else:
                    self._make_at[key] = loop.time() + AGAIN_S
            for key in list(self._attest_at):
                at, claim = due = self._attest_at[key]  # perhaps a newer one than when the round began
                if at > loop.time():
                    continue
                room = self._room(key)
                if room is not None and room.reread:
                    self._put_off[key] = claim
                elif room is not None and self._steady(room, key[1]):
                    due = self._attest_at[key] = (_soon(), claim)  # stays if the connection is lost
                    with _one_object(key[1]):
                        await self._attest(room, key[1], claim, outbox)
                elif room is not None:
                    self._attest_at[key] = (loop.time() + AGAIN_S, claim)
                if self._attest_at[key] is due:  # a claim of a snapshot that came meanwhile stays
                    del self._attest_at[key]

    def _steady(self, room: RoomSync, obj: ObjId) -> bool:
        """▲ Whether a state of `obj` that is computed now would be complete: nothing of `room` is missing
        (`is_steady`), and no change of the object is held back (not merged here, because merging it might end the
        program or take too long)."""
        return is_steady(room) and self._link.ports.is_sound(obj)

    def _room(self, key: Key) -> RoomSync | None:
        """The room of `key`, which is (room, object); None if this device may not make or attest snapshots there now:
        the room is not known or is stopped, or this person is no member who may read the history."""
        room = self._link.rooms.get(key[0])
        ready = room is not None and room.problem is None and room.is_member and room.keys.has_history
        return room if ready else None

    async def _make(self, room: RoomSync, obj: ObjId, outbox: Outbox) -> None:
        key = (room.room, obj)
        before = _covered(room, obj)
        ops, size = self._link.ports.grown(obj, before)
        self._grown[key] = [ops, size]
        if not room.may_write or (ops < EVERY_OPS and size < EVERY_BYTES):
            return
        n = room.kept_n
        state = await self._state(room, obj, n)
        if state is None or _covered(room, obj) != before:
            return
        self._grown[key] = [0, 0]
        self._make_at.pop(key, None)  # changes during the computation set a time: this snapshot is enough
        made = pieces(os.urandom(16), state.digest, pack(state))
        about = n.to_bytes(8, "big")
        outbox.send_beside(
            room.room,
            [
                Extra(
                    obj=obj,
                    kind=envelope.SNAPSHOT,
                    about=about if piece.index == piece.count - 1 else b"",
                    payload=piece.encode(),
                )
                for piece in made
            ],
        )
        log.info("snapshot made: %d pieces", len(made))

    async def _attest(self, room: RoomSync, obj: ObjId, claim: _Claim, outbox: Outbox) -> None:
        """▲ Attests `claim`, a snapshot of `obj` in `room`: confirms its hash by a signed message, sent by `outbox`. It
        does so only if this device's own replay gives the same hash, and so do the snapshot's pieces put together
        (known already if this device began the object with that snapshot). Otherwise somebody could have the changes
        pruned (deleted at the server) behind a snapshot that nobody can open. What differs, or what the server refuses
        or gives wrongly, is only logged. Does nothing for a snapshot that is gone or that enough people have attested,
        or for a kind without snapshots. A lost connection (Unreachable), errors of the store and faults of the
        computation are raised."""
        row, compact = self._row(room, obj, claim), self._link.ports.compactor(obj)
        if row is None or compact is None:
            return
        state = await self._state(room, obj, row.covers, from_start=claim.from_start)
        if state is not None and claim.from_start and claim.digest not in (None, state.digest):
            self._link.ports.forget_base(obj)  # the snapshot was built on it: the next one begins with the first change
        if state is None or claim.digest not in (None, state.digest):
            log.warning("snapshot not attested: %s", "no state" if state is None else "hash differs")
            return
        try:
            made = state if claim.is_opened else await self._backfill.content(room, obj, row, compact)
        except (Refused, Reject) as e:
            log.warning("snapshot not attested: %s", e.code)
            return
        if made is None or made.digest != state.digest:
            log.warning("snapshot not attested: %s", "content differs")
            return
        row = self._row(room, obj, claim)
        if row is None:
            return
        attest = Attest(obj=obj, n=row.covers, snapshot=row.ident, digest=state.digest)
        outbox.send_beside(
            room.room, [Extra(obj=obj, kind=envelope.ATTEST, about=bytes(row.ident), payload=attest.encode())]
        )

    def _row(self, room: RoomSync, obj: ObjId, claim: _Claim) -> Snapshot | None:
        """The snapshot of `obj` that `claim` names, as the state of `room` lists it; None if it is gone, if this device
        (in other rooms: this person) has attested it (confirmed its hash), or if enough others have."""
        state, me = room.stream.state, self._link.account
        enough = ATTESTS_KEPT if claim.from_start else attests_to_prune(state)
        row = next((r for r in state.snapshots.get(obj, ()) if r.ident == claim.snapshot), None)
        if row is None or len(row.attests) >= enough:
            return None
        return row if not has_vouched(row, attester(state, me.uid, me.dev)) else None

    async def _state(self, room: RoomSync, obj: ObjId, n: int, *, from_start: bool = False) -> Compacted | None:
        """▲ The state of `obj` up to position `n`, computed from the changes of `room` that are stored here with a
        position, and stored, so that the next computation begins from it. None while it cannot be computed, for example
        because some positions are still to be read. `from_start`: computed from the object's first change, never from a
        stored state; None if the object begins with a snapshot here."""
        ports = self._link.ports
        compact = ports.compactor(obj)
        if compact is None or (from_start and ports.opened_at(obj) is not None):
            return None
        base = ports.base(obj) if not from_start else None
        after, state = base if base is not None and base[0] <= n else (0, None)
        if state is None and room.reread:
            return None
        if state is not None and after == n:
            return state
        begins, waits = (begins_with(state.changes), state.waits) if state is not None else ([], ())
        changes = await asyncio.to_thread(ports.positioned, obj, after, n, waits)
        found = await asyncio.to_thread(compact, [*begins, *changes], n)
        if state is not None and ports.base(obj) is None:  # it was found false during the computation
            return None
        if found is not None and after < n:
            ports.put_base(room.room, obj, n, found)
        return found


@contextmanager
def _one_object(obj: ObjId) -> Iterator[None]:
    """A context manager for computing the state of `obj`. ▲ A fault of this program (`of_one_room`) is logged and not
    raised: it stops neither the other objects' snapshots nor the connection. Faults of the connection, the server or
    the store are raised."""
    try:
        yield
    except Exception as e:
        if not of_one_room(e):
            raise
        log.error("no snapshot of object %s", obj[:4].hex(), exc_info=e)


def is_steady(room: RoomSync) -> bool:
    """▲ Whether a state that is computed from `room` now would be complete: nothing stops the room or its sending, all
    that the server has announced of the room is received and stored, no item waits for a key or an object's secret, and
    no range is missing that was pruned (deleted at the server) before this device fetched it. A range that a snapshot
    has replaced since is not missing. Own changes that are not sent yet do not matter."""
    return room.may_send and not room.waiting and not room.incomplete


def _covered(room: RoomSync, obj: ObjId) -> int:
    """The position up to which the object's newest snapshot reaches."""
    return max((row.covers for row in room.stream.state.snapshots.get(obj, ())), default=0)


def _soon() -> float:
    wait_s: float = random.uniform(0, SPREAD_S)  # noqa: S311 - no secret: that not all do it at once
    return asyncio.get_running_loop().time() + wait_s
