# SPDX-License-Identifier: EUPL-1.2
"""Objects' shares: sent to members, and requested from other members if the server has lost one (protocol §7).

The room's stream commits to each object's share. So the server notices a lost share even if no row of it is left in the
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
from sync.server.load.fanout import Hub, Listener, encoded_news
from sync.server.rules.live_rooms import LiveRoom
from sync.server.rules.refusal import Refusal
from sync.server.store.base import ShareRow, Store
from sync.trust.room.envelope import share_commitment

_MAX_NAMES = 1000
_ASK_AGAIN_S = 10.0
"""▲ Members are asked for the same share at most once in this time, however often somebody requests it."""
_ASKED_AT_ONCE = 8
"""How many listeners are asked at once. Each of them probably holds the share."""
_ROOMS_REMEMBERED = 4096


class Shares:
    """Gives members the shares of objects: a share is a secret of 32 bytes without which an object cannot be decrypted.
    The server has the shares as they are, not encrypted; an object's key needs the room's key too, which the server
    does not have. Remembers, in memory only, shares that were requested and that the server has lost, so that a member
    who begins to listen later is asked for them too."""

    def __init__(self, store: Store, hub: Hub) -> None:
        self._store = store
        self._hub = hub
        self._wanted: OrderedDict[bytes, dict[bytes, float]] = OrderedDict()
        """By room and object: when members may be asked for the share again (monotonic)."""

    async def request(self, listener: Listener, live: LiveRoom, frame: ShareRequest) -> ShareReply:
        """Answers a request for the shares (the secrets) of objects in the room `live` with those that the server has;
        looks only at the first 1,000 objects. Asks up to eight other listeners than `listener`, which sent the request,
        to upload those that are lost, the same share at most once in 10 s. Does not ask for those of objects that the
        room does not have, or that were destroyed."""
        objs = frame.objs[:_MAX_NAMES]
        rows = await self._store.shares(frame.room, objs)
        found = [WireShare(h.obj, h.share) for h in rows if h.share is not None]
        here = {s.obj for s in found}
        lost = [o for o in objs if o not in here and _expected(live, o) is not None]
        if lost:
            self._ask(frame.room, lost, listener)
        return ShareReply(frame.rid, found)

    async def put(self, live: LiveRoom, frame: PutShare) -> Ok:
        """Stores a lost share (an object's secret) that a member uploads, and sends it to the room's listeners. ▲
        Refusal "invalid" if it does not match the commitment (a hash) in the room's items, or if the object is unknown
        or was destroyed. A share that the server has is not replaced: the answer is Ok all the same."""
        obj, share = frame.share.obj, frame.share.share
        expected = _expected(live, obj)
        if expected is None:
            self._wanted.get(frame.room, {}).pop(obj, None)  # destroyed since it was requested
            raise Refusal(ErrorCode.INVALID, "object")
        if share_commitment(frame.room, obj, share) != expected:
            raise Refusal(ErrorCode.INVALID, "share")
        row = ShareRow(obj=obj, n=live.head.n, share_c=expected, share=share)
        if await self._store.put_share(frame.room, row):
            self._hub.news(frame.room, live.head.n, encoded_news(Fresh(frame.room, [], [frame.share], live.head)))
        self._wanted.get(frame.room, {}).pop(obj, None)
        return Ok(frame.rid)

    def notify_wanted(self, listener: Listener, room: bytes) -> None:
        """Sends a device that has just subscribed to the room with the id `room` the ids of objects whose shares
        (secrets) somebody requested since the start and the server has lost: it may hold them and upload them. Sends
        nothing if there are none."""
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
    """The commitment (a hash) that the share, the secret, of the object `obj` must match; None if the room has no such
    object, or the object was destroyed."""
    state = live.stream.state
    return None if obj in state.destroyed else state.shares.get(obj)
