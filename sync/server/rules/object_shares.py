# SPDX-License-Identifier: EUPL-1.2
"""Objects' shares: given to members, and when one is lost, asked back from whoever holds it (protocol §7).

What an object's share must be is said by the room's stream, so a share is missed even if nothing of it is left in the
database.
"""

import random
import time
from collections import OrderedDict

from sync.protocol.messages import (
    ErrorCode,
    Fresh,
    Ok,
    PutShare,
    ShareReply,
    ShareRequest,
    SharesWanted,
    WireShare,
)
from sync.server.load.fanout import Hub, Listener
from sync.server.rules.live_rooms import LiveRoom
from sync.server.rules.refusal import Refusal
from sync.server.store.base import ShareRow, Store
from sync.trust.room.envelope import share_commitment

_MAX_NAMES = 1000
_ASK_AGAIN_S = 10.0
"""Nobody who asks, however often, makes us ask others for the same share more than once in this time."""
_ASKED_AT_ONCE = 8
"""How many listeners are asked at once: each of them probably holds it."""
_ROOMS_REMEMBERED = 4096


class Shares:
    """What is asked for and not here is remembered, so that a holder who comes later is told."""

    def __init__(self, store: Store, hub: Hub) -> None:
        self._store = store
        self._hub = hub
        self._wanted: OrderedDict[bytes, dict[bytes, float]] = OrderedDict()
        """By room and object: from when on somebody may be asked for it again (monotonic)."""

    async def request(self, listener: Listener, live: LiveRoom, frame: ShareRequest) -> ShareReply:
        """The shares that are here, of at most 1,000 objects; others who listen are asked for the rest."""
        objs = frame.objs[:_MAX_NAMES]
        rows = await self._store.shares(frame.room, objs)
        found = [WireShare(h.obj, h.share) for h in rows if h.share is not None]
        here = {s.obj for s in found}
        lost = [o for o in objs if o not in here and _expected(live, o) is not None]
        if lost:
            self._ask(frame.room, lost, listener)
        return ShareReply(frame.rid, found)

    async def put(self, live: LiveRoom, frame: PutShare) -> Ok:
        """▲ Fills in a lost share: it must match what the stream commits to, and is refused after `destroy`."""
        obj, share = frame.share.obj, frame.share.share
        expected = _expected(live, obj)
        if expected is None:
            raise Refusal(ErrorCode.INVALID, "object")
        if share_commitment(frame.room, obj, share) != expected:
            raise Refusal(ErrorCode.INVALID, "share")
        row = ShareRow(obj=obj, n=live.head.n, share_c=expected, share=share)
        if await self._store.put_share(frame.room, row):
            self._hub.news(frame.room, live.head.n, Fresh(frame.room, [], [frame.share], live.head))
        self._wanted.get(frame.room, {}).pop(obj, None)
        return Ok(frame.rid)

    def notify_wanted(self, listener: Listener, room: bytes) -> None:
        """One who begins to listen may hold what others wait for."""
        wanted = self._wanted.get(room)
        if wanted:
            listener.send(SharesWanted(room, list(wanted)))

    def _ask(self, room: bytes, lost: list[bytes], asker: Listener) -> None:
        wanted = self._wanted.setdefault(room, {})
        self._wanted.move_to_end(room)
        while len(self._wanted) > _ROOMS_REMEMBERED:
            self._wanted.popitem(last=False)
        for obj in lost[: max(0, _MAX_NAMES - len(wanted))]:
            wanted.setdefault(obj, 0.0)
        now = time.monotonic()
        due = [o for o in lost if wanted.get(o, now) < now]
        others = [who for who in self._hub.listeners(room) if who is not asker]
        if not due or not others:
            return
        wanted.update(dict.fromkeys(due, now + _ASK_AGAIN_S))
        for who in random.sample(others, min(_ASKED_AT_ONCE, len(others))):
            who.send(SharesWanted(room, due))


def _expected(live: LiveRoom, obj: bytes) -> bytes | None:
    """The commitment to an object's share, None for one that the room does not have or no longer may have."""
    state = live.stream.state
    return None if obj in state.destroyed else state.shares.get(obj)
