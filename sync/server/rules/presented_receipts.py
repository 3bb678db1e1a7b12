# SPDX-License-Identifier: EUPL-1.2
"""Checks the receipts that clients present at sign-in. A receipt that this server signed for a position that it does
not have shows that its database was set back.

Such a receipt is stored and counted, and a room that a restore closed stays closed until it reaches the receipt's
position (`restored_rooms`). ▲ The answer to a sign-in is the same whatever receipts are
presented. Otherwise a client could learn from it which rooms exist.
"""

import logging
from collections.abc import Sequence

from sync.errors import Reject
from sync.protocol.messages import ErrorCode, Receipt, RoomHead
from sync.protocol.version import MAX_RECEIPTS
from sync.server.rules.refusal import Refusal
from sync.server.store.base import Store, StoreError, UnmetRow
from sync.trust.room import signed_receipts

log = logging.getLogger("sync.server")

_FALSE_ENOUGH = 64
"""After so many receipts that this server's key did not sign, the rest are not read: 4 ms of the event loop."""


class Receipts:
    """Checks the receipts that devices present when they sign in. A receipt is a server's signature that a room had a
    certain history up to a position. `public` is this server's own key."""

    def __init__(self, store: Store, public: bytes) -> None:
        self._store = store
        self._public = public

    async def check(self, brought: Sequence[Receipt], heads: Sequence[RoomHead]) -> None:
        """Compares the receipts that a device presents (`brought`; of each room the last one counts) with the store, to
        find what a restore lost. `heads` are the heads of its person's rooms, for a quick comparison; receipts of other
        rooms are checked too. Stores each receipt that this server signed and whose position it does not have, or has
        with a different hash, unless a higher one of the room is stored. The operator sees how many rooms have such
        receipts, and a room that a restore closed waits for the position. Receipts that it did not sign are ignored;
        after 64 of them the rest is not looked at. Refusal "oversize", which ends the connection, for too many (above
        8,192)."""
        if len(brought) > MAX_RECEIPTS:
            raise Refusal(ErrorCode.OVERSIZE, "receipts", fatal=True)
        mine = {h.receipt.room: h.receipt for h in heads}
        unmet, false = 0, 0
        for receipt in {r.room: r for r in brought}.values():
            head = mine.get(receipt.room)
            if head is not None and 0 < receipt.n <= head.n and await self._have(receipt, head):
                continue  # the usual case: no signature is verified
            if not self._ours(receipt):
                false += 1
                if false == _FALSE_ENOUGH:
                    break
            elif not await self._have(receipt):
                await self._keep(receipt)
                unmet += 1
        if unmet:
            log.warning("a device holds our receipts for positions that are not here, rooms: %d", unmet)
        if false:
            log.info("receipts that this server did not sign: %d", false)

    async def _keep(self, r: Receipt) -> None:
        """Stores the receipt `r`. A failure is only logged: a full disk must keep nobody out, and the client presents
        the receipt again."""
        try:
            await self._store.put_unmet(UnmetRow(room=r.room, n=r.n, rh=r.rh, t=r.t, sig=r.sig))
        except StoreError as e:
            log.warning("a receipt was not kept: %s", e.code)

    async def _have(self, r: Receipt, head: Receipt | None = None) -> bool:
        if head is not None and r.n == head.n:
            return r.rh == head.rh
        return await self._store.rh_at(r.room, r.n) == r.rh

    def _ours(self, receipt: Receipt) -> bool:
        try:
            signed_receipts.check(self._public, receipt)
        except Reject:
            return False
        return True
