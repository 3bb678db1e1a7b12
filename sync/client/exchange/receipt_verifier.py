# SPDX-License-Identifier: EUPL-1.2
"""Verifies the receipts that the server signs about its rooms, against what this device verified and what the server
signed before.

▲ Every answer that moves a head carries a receipt. The application's store keeps the newest of each room, every sign-in
shows it to the server, and it is a promise. A server that later shows less has been rolled back; a server that shows
another history has forked the room. The two receipts that contradict each other are kept as evidence (protocol §4,
§10).
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from sync.client.link import Link
from sync.client.ports import KeptReceipt
from sync.client.room.room_phase import LASTING
from sync.client.room.room_sync import RoomSync
from sync.client.status import RoomState
from sync.errors import Refused, Reject
from sync.ids import RoomId
from sync.protocol import messages as m
from sync.protocol.version import MAX_RECEIPTS, SIGN_IN_CLOCK_TOLERANCE_MS
from sync.trust.formats.items import ENTRY, ENVELOPE, RH_0, Item, item_id, next_rh
from sync.trust.room import signed_receipts
from sync.trust.room.restore_notice import Restored
from sync.trust.room.signed_receipts import Proof, contradict
from sync.trust.room.stream import MAX_T

log = logging.getLogger("sync")

_VERSIONS = {"format": RoomState.UPDATE_NEEDED, "old-format": RoomState.OLD_FORMAT}
FAR_MS = SIGN_IN_CLOCK_TOLERANCE_MS
"""A sign-in lets two clocks differ by so much; a position's time beyond it is far ahead."""
BROKEN = "promise"
"""The code of items that do not make the running hash that the server signed for their last position."""


class ReceiptVerifier:
    """Checks and keeps one account's receipts, with which the server signs how far each room goes. A room in which the
    server contradicts what it signed before, or what this device has verified, is stopped. Used on the event loop by
    the inbox, the outbox and the restore recovery."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._kept = {k.room: Proof.decode(k.proof) for k in link.ports.receipts()}
        self._agreed: dict[RoomId, m.Receipt] = {}
        """Newer receipts that agree with what was judged and stored before. Their signatures are verified, and they are
        stored, when the inbox is idle. Those of new positions are stored with these; see `stored_with`."""
        self._far: set[RoomId] = set()
        """Rooms whose time was far ahead of both clocks when a sign-in had just compared them."""
        self.restored: Restored | None = None
        """The server's statement that it was restored, verified, if it made one on this connection."""

    def kept(self, room: RoomId) -> m.Receipt | None:
        """The newest receipt of `room` that this device keeps: the server's signature on how far the room goes and on
        its running hash. None if there is none."""
        proof = self._kept.get(room)
        return proof.receipt if proof is not None else None

    def newest(self) -> list[m.Receipt]:
        """The newest receipt of every room, at most MAX_RECEIPTS of them, which the sign-in shows to the server."""
        return [proof.receipt for proof in self._kept.values()][:MAX_RECEIPTS]

    # -- heads ----------------------------------------------------------------------------------------------------

    def check_head(self, room: RoomSync, r: m.Receipt) -> bool:
        """Checks `r`, the receipt for the last position of `room` that the server shows at the sign-in. False if the
        room had to be stopped. Reject if the receipt is not signed by the server or is of another room. Also notes a
        room whose time is far ahead of the clocks (`time_ahead`).

        ▲ Only at a sign-in is a head below the newest receipt an error: on a running connection replies overtake each
        other.
        """
        if not self.check(room, r):
            return False
        kept = self._kept.get(room.room)
        if kept is not None and r.n < kept.receipt.n:
            self.stop(room, self.why_less(room, r.n), "rollback", theirs=r)
            return False
        if room.room not in self._far and self._ahead(r.t):
            self._far.add(room.room)
            self._link.ports.put_evidence(room.room, "time", None, self._proof(r).encode(), None)
            log.warning("room %s has a time far ahead", room.room[:4].hex())
        return True

    def _ahead(self, t: int) -> int:
        """How many ms `t`, the server's time of a position, is ahead of the server's clock as the sign-in measured it:
        the whole difference, or 0 if that is FAR_MS (10 minutes) or less."""
        ahead = t - self._link.server_now_ms
        return ahead if ahead > FAR_MS else 0

    def time_ahead(self, room: RoomSync) -> int:
        """▲ By how many ms the time that the server gave to the newest item of `room` is ahead of the server's clock; 0
        if it is not more than FAR_MS (10 minutes). Also 0 until a sign-in, which compares this device's clock with the
        server's, has found the room's time far ahead: without it our own clock may be wrong. The person is only warned:
        the room continues."""
        return self._ahead(room.stream.t) if room.room in self._far else 0

    def why_less(self, room: RoomSync, n: int) -> RoomState:
        """▲ The reason why a server has `room` only up to position `n`, which is less than it promised. RESTORED if its
        own signed statement says that it was restored from a backup, the first lost item is newer than that backup or
        at most a minute older, and the last promised one is not from more than a day after the restore; ROLLBACK
        otherwise. If the first lost item is not kept here, the time of the newest receipt counts instead, and without a
        receipt that of the last item that we verified. Stops nothing."""
        lost = self._link.ports.kept_items(room.room, n, 1)
        kept = self.kept(room.room)
        promised_t = max(room.stream.t, kept.t if kept is not None else 0)
        lost_t = lost[0].t if lost else kept.t if kept is not None else room.stream.t
        explained = self.restored is not None and self.restored.explains(lost_t, promised_t)
        return RoomState.RESTORED if explained else RoomState.ROLLBACK

    def check(self, room: RoomSync, r: m.Receipt) -> bool:
        """▲ Compares `r`, the server's receipt for the last position of `room`, with our copy and with the receipt that
        we keep: another hash is a fork; a position below our copy's last is a rollback, or a restore if the server's
        signed statement explains it. A higher position is no fault here. False if the room had to be stopped. Reject if
        the receipt is not signed by the server, or is of another room."""
        self.verify(room, r)
        if self._forked(room, r):
            return False
        if r.n < room.stream.n or room.rh_at(r.n + 1) is not None:  # a large room's stored state may lag behind
            self.stop(room, self.why_less(room, r.n), "rollback", theirs=r)
            return False
        return True

    def agrees(self, room: RoomSync, r: m.Receipt) -> bool:
        """▲ Whether `r`, the server's receipt for the last position of `room`, is exactly what we have verified; the
        next `keep` verifies its signature and stores it then. Call it when everything that the server gave is verified.
        If `r` differs, the room is stopped, for what `check` finds, or as WITHHELD: a receipt for a higher position
        means that items are withheld. Reject if a receipt that differs is not signed."""
        if (r.room, r.n, r.rh) == (room.room, room.stream.n, room.stream.rh):
            kept = self._kept.get(room.room)
            if kept is None or kept.receipt != r:
                self._agreed[room.room] = r
            if room.room not in self._far and self._ahead(r.t):
                self._link.compare_clocks()
            return True
        if self.check(room, r):
            self.stop(room, RoomState.WITHHELD, "withheld")
        return False

    def placed(self, room: RoomSync, placed: m.Placed, count: int) -> KeptReceipt | None:
        """Checks `placed`, the server's answer to `count` items that this device sent to `room`. Returns its receipt,
        which the caller must store: in memory it is kept already. None if one of the same or a later position is kept,
        or if the receipt contradicts our copy: the room is then stopped. Reject if the answer is malformed, is about
        another number of items, or is not signed.

        ▲ The receipt is for a position beyond our own copy until that shows the items: acknowledged items cannot vanish
        unnoticed.
        """
        r = placed.receipt
        if placed.count != count or r.n != placed.first + count - 1:
            raise Reject("malformed", "placed")
        self.verify(room, r)
        return None if self._forked(room, r) else self._take(r)

    def _forked(self, room: RoomSync, r: m.Receipt) -> bool:
        """Whether `r`, a verified receipt, contradicts our copy of `room` or the receipt that we keep. The room is
        then stopped as FORK."""
        kept = self._kept.get(room.room)
        if (room.rh_at(r.n) or r.rh) == r.rh and (kept is None or not contradict(kept.receipt, r)):
            return False
        self.stop(room, RoomState.FORK, "fork", theirs=r)
        return True

    def keep(self, *, from_rooms: int = 1) -> None:
        """Verifies and stores the receipts that `agrees` accepted since the last call, the newest of each room, if they
        are of at least `from_rooms` rooms; fewer wait for a later call. Reject "signature" if the server did not sign
        one; then none of them is stored, and all of them are dropped."""
        if len(self._agreed) < from_rooms:
            return
        agreed, self._agreed = self._agreed, {}
        for room, r in agreed.items():
            self.verify(self._link.room(room), r)
        self._link.ports.put_receipts([kept for kept in map(self._take, agreed.values()) if kept is not None])

    def agreed(self, room: RoomSync) -> m.Receipt | None:
        """The newest receipt of `room` that `agrees` accepted and that is not stored yet."""
        return self._agreed.get(room.room)

    @contextmanager
    def stored_with(self, room: RoomSync, r: m.Receipt | None) -> Iterator[Callable[[], KeptReceipt | None]]:
        """A context manager for storing the last verified position of `room`. Yields a function, to be called right
        before that, which verifies the server's receipt `r` for the position and returns it, to be stored in the same
        transaction. It returns None if there is nothing to store: `r` is None, is for another position or hash, or is
        not signed, or a newer one is kept. A faulty `r` raises nothing here: call `agrees` and `keep` too, which stop
        the room or raise.

        ▲ A position that is stored without its receipt could not be proven to a restored server: the room would be
        rolled back for ever. If the block raises, its transaction may be stored all the same: this reads the stored
        receipts again, and raises the error on.
        """
        proof: Proof | None = None

        def provable() -> KeptReceipt | None:
            nonlocal proof
            proof = self._provable(room, r) if r is not None else None
            return _row(proof) if proof is not None else None

        try:
            yield provable
        except BaseException:
            for stored in self._link.ports.receipts():
                if stored.room == room.room:
                    self._remember(room.room, Proof.decode(stored.proof))
            raise
        if proof is not None:
            self._remember(room.room, proof)

    def _provable(self, room: RoomSync, r: m.Receipt) -> Proof | None:
        if not self._newer(room.room, r):
            kept = self._kept[room.room]
            return kept if kept.receipt == r else None
        ours = (r.room, r.n, r.rh) == (room.room, room.stream.n, room.stream.rh)
        return self._proof(r) if ours and self._verified(room, r) is not None else None

    def _remember(self, room: RoomId, proof: Proof) -> None:
        """Call it when `proof`, a receipt of `room` with the certificate of the server's key, is in the store. Makes it
        the newest receipt of the room in memory, unless one of the same or a later position is kept. If `agrees` had
        accepted this receipt, `keep` need not store it any more."""
        if self._newer(room, proof.receipt):
            self._kept[room] = proof
        if (agreed := self._agreed.get(room)) is not None and agreed == proof.receipt:
            del self._agreed[room]

    def _take(self, r: m.Receipt) -> KeptReceipt | None:
        room = RoomId(r.room)
        if not self._newer(room, r):
            return None
        proof = self._kept[room] = self._proof(r)
        return _row(proof)

    def _newer(self, room: RoomId, r: m.Receipt) -> bool:
        """Whether `r` is for a later position than the receipt of `room` that is kept, or none is kept."""
        kept = self._kept.get(room)
        return kept is None or kept.receipt.n < r.n

    def verify(self, room: RoomSync, r: m.Receipt) -> None:
        """Reject unless `r` is a receipt for a position of `room`: "other-room", or "signature" if it is not signed by
        the server of the present connection. Compares it with nothing, and keeps nothing."""
        if r.room != room.room:
            raise Reject("other-room", "receipt")
        signed_receipts.check(self._link.online.identity.server_pk, r)

    def _proof(self, r: m.Receipt) -> Proof:
        return Proof(r, self._link.online.identity.server_cert)

    # -- promises -------------------------------------------------------------------------------------------------

    def check_promise(self, room: RoomSync, items: Sequence[Item]) -> None:
        """▲ Call it before `items`, the next items of `room` (at least one), are verified. Reject "promise" if they
        reach the position of the newest receipt of the room that this device keeps, and their running hash there is not
        the one that the server signed. Items over which no running hash can be computed are left to the
        verification."""
        kept = self._kept.get(room.room)
        if kept is None or not room.stream.n < kept.receipt.n <= items[-1].n:
            return
        rh = _chained(room.stream.rh, room.stream.n, items, kept.receipt.n)
        if rh is not None and rh != kept.receipt.rh:
            raise Reject(BROKEN, f"position {kept.receipt.n}")

    async def refuse(self, room: RoomSync, why: Reject, shown: m.Receipt, items: Sequence[Item]) -> None:
        """Stops `room` because the verification of `items` failed with `why`: the server showed another history (FORK),
        items of another format (UPDATE_NEEDED, OLD_FORMAT), or items that may not be there (WITHHELD: the right ones
        are not shown). `shown` is the receipt that it gave with them. Keeps as evidence what was signed, if it is a
        fork or a false signature. In the last case then asks the server for proof of a fork, and stops the room as FORK
        if it gives one; Unreachable or Reject if that request fails."""
        theirs: m.Receipt | None = None
        state = RoomState.WITHHELD
        if why.code in _VERSIONS:
            state = _VERSIONS[why.code]
        elif why.code == "fork":
            state, theirs = RoomState.FORK, self._verified(room, shown)
        else:
            forged = _from(items, why.where) if why.code == "signature" else []
            proof = self._verified(room, shown) if forged else None
            # ▲ stop before asking for more: a server that lied may not answer now
            self.stop(room, state, why.code, theirs=proof, claim=signed_receipts.claim(forged) if forged else None)
            theirs = await self._other_past(room, broken=why.code == BROKEN)
            if theirs is None:
                return
            state = RoomState.FORK
        signed_items = _from(items, why.where) if why.code == "fork" else []
        self.stop(
            room, state, why.code, theirs=theirs, claim=signed_receipts.claim(signed_items) if signed_items else None
        )

    async def _other_past(self, room: RoomSync, *, broken: bool) -> m.Receipt | None:
        """▲ Asks the server for proof of a fork: its receipt for a history of `room` that differs from ours, that is,
        has another running hash at the last position that we verified. None if it gives none, or its history agrees
        with ours there. `broken`: its items contradict the newest receipt that we keep, which may be for a later
        position than we verified; the histories are then compared at the position of that receipt. Unreachable if the
        connection is lost; Reject if the server's receipt is not signed.

        The running hash is computed over the server's items, from a position of ours (the base) up to its last one. If
        the result is the hash that it signed, the two histories are the same up to the base. Otherwise they part before
        it, and the search begins further back. None of the items are kept.
        """
        kept = self._kept.get(room.room)
        n, ours = room.stream.n, bytes(room.stream.rh)
        if broken and kept is not None:
            n, ours = kept.receipt.n, kept.receipt.rh
        back = 0 if broken else 1
        while n:
            base = max(0, room.stream.n - back)
            before = room.rh_at(base) if base else RH_0
            found = await self._signed_past(room, base, before, n) if before is not None else None
            if found is not None:
                theirs, signed = found
                return signed if theirs != ours else None
            if base == 0:
                break
            back = max(1, back * 8)
        return None

    async def _signed_past(self, room: RoomSync, base: int, rh: bytes, n: int) -> tuple[bytes, m.Receipt] | None:
        """Pulls the server's items after position `base`, where the running hash is `rh`, up to its head. Returns (its
        running hash at position `n`, its receipt for the head, which proves that hash). None if the items do not make
        the hash in the receipt, or end before `n`, or the server refuses to give them. Reject if the receipt is not
        signed."""
        at = base
        there: bytes = rh
        while True:
            try:
                pulled = await self._link.pull(room.room, at)
            except Refused:
                return None
            for i in pulled.items:
                following = _chained(rh, at, [Item.of(i)], at + 1)
                if following is None:
                    return None
                rh, at = following, at + 1
                there = rh if at == n else there
            r = pulled.receipt
            if not pulled.items or at >= r.n:
                break
        if (r.room, r.n, r.rh) != (room.room, at, rh) or at < n:
            return None
        self.verify(room, r)
        return there, r

    def _verified(self, room: RoomSync, r: m.Receipt) -> m.Receipt | None:
        try:
            self.verify(room, r)
        except Reject:
            return None
        return r

    # -- stopping -------------------------------------------------------------------------------------------------

    def stop(
        self,
        room: RoomSync,
        state: RoomState,
        code: str,
        *,
        theirs: m.Receipt | None = None,
        claim: bytes | None = None,
    ) -> None:
        """Stops `room` in this `state`. `code`: the reason, for the log. `theirs`: the receipt that the server gave,
        which the caller has verified. `claim`: what somebody signed, or what the server shows under a false signature.

        ▲ After a fork, a rollback or a restore our copy is kept and stays readable, and our receipt, `theirs` and the
        claim are kept as evidence. The room continues only if the server shows our history again, and never after a
        fork. After a restore the claim is replaced by the server's statement of it (`restored`). In any other state
        evidence is kept only with a `claim`.
        """
        if state in LASTING or claim is not None:
            if state is RoomState.RESTORED and self.restored is not None:
                claim = self.restored.encode()
            last = self._agreed.pop(room.room, None)
            if last is not None and self._verified(room, last) is not None:
                newer = self._take(last)
                self._link.ports.put_receipts([newer] if newer else [])
            kept = self._kept.get(room.room)
            ours = kept.encode() if kept else None
            other = self._proof(theirs).encode() if theirs else None
            self._link.ports.put_evidence(room.room, state.value, ours, other, claim)
        room.stop(state)
        log.error("room %s stopped at %d: %s", room.room[:4].hex(), room.stream.n, code)
        self._link.listener.on_room(room.room)


def _row(proof: Proof) -> KeptReceipt:
    return KeptReceipt(room=RoomId(proof.receipt.room), n=proof.receipt.n, proof=proof.encode())


def _chained(rh: bytes, at: int, items: Sequence[Item], n: int) -> bytes | None:
    """The running hash at position `n`, computed over `items` from `rh`, the running hash at position `at`. None if the
    items are not numbered `at` + 1, `at` + 2 and so on, if one of them has an impossible time or kind, if they end
    before `n`, or if `n` is not after `at`."""
    for i in items:
        if i.n != at + 1 or not 0 <= i.t <= MAX_T or i.kind not in (ENTRY, ENVELOPE):
            return None
        rh, at = next_rh(rh, i.n, i.t, i.kind, item_id(i.kind, i.body)), i.n
        if at == n:
            return rh
    return None


def _from(items: Sequence[Item], where: str) -> list[Item]:
    """The item at which an error (Reject) occurred, and those after it up to the signature that covers it, or to the
    end if there is none: evidence of what was signed. `where` is the place that the error names ("position n"). Empty
    if none of `items` is at that position."""
    out: list[Item] = []
    for i in items:
        if out or where == f"position {i.n}":
            out.append(i)
            if i.sig:
                break
    return out
