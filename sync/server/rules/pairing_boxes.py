# SPDX-License-Identifier: EUPL-1.2
"""Boxes through which a person's old and new device exchange messages before the new one can sign in.

The server relays the messages and cannot read them. A box belongs to the connection that opened it. It admits one
guest, takes few and short messages, and lasts five minutes. Nothing of it is stored.
"""

import asyncio
import secrets
from dataclasses import dataclass, field

from sync.protocol.codec import encode
from sync.protocol.messages import ErrorCode, PairEnd, PairJoin, PairMail, PairOpen, PairOpened
from sync.protocol.version import PAIR_BOX_BYTES, PAIR_MESSAGE_BYTES, PAIR_MESSAGES, PAIR_NUMBER_DIGITS
from sync.server.load.outbox import Outbox
from sync.server.load.rates import Bucket
from sync.server.rules.handshake import now_ms
from sync.server.rules.refusal import Refusal

OPEN_S = 300.0
BOXES = 10_000
NUMBERS_PER_S = 5.0
NUMBERS_BURST = 50
"""Joins by number, of all connections together. ▲ Otherwise a client could find a number of nine digits by trying. The
limit does not apply to a box of 16 bytes, which cannot be guessed: otherwise a client could keep others from joining by
code."""


@dataclass(slots=True, eq=False)
class _Box:
    """A mailbox through which two connections exchange messages. `name`: 16 bytes of a pairing code, or nine digits.
    `host` opened the box; `guest` joined it, None before. `used`: whether a guest ever joined. `messages`: how many
    were sent, in both directions. `timer` closes the box."""

    name: bytes
    host: Outbox
    guest: Outbox | None = None
    used: bool = False
    messages: int = 0
    timer: asyncio.TimerHandle | None = field(default=None, repr=False)

    def other(self, me: Outbox) -> Outbox | None:
        return self.guest if me is self.host else self.host


class Pairing:
    """All open boxes. A box is a mailbox through which a signed-in device exchanges messages with the person's new
    device, which cannot sign in yet. A connection is identified by its outbox (the queue of frames to it)."""

    def __init__(self) -> None:
        self._by_name: dict[bytes, _Box] = {}
        self._by_peer: dict[Outbox, _Box] = {}
        self._numbers = Bucket(NUMBERS_PER_S, NUMBERS_BURST)

    def open(self, host: Outbox, frame: PairOpen) -> PairOpened:
        """Opens a new box for the connection `host` of a signed-in device; first closes the one that it had, even if
        this is then refused. Its name is the one in `frame`, or nine random digits if that is empty. It closes after
        five minutes. Returns its name and when it closes (ms since 1970). Refusal "busy" if 10,000 boxes are open,
        "code-used" for a name that is in use, "invalid" for a name that is not 16 bytes."""
        self.leave(host)
        if frame.box and len(frame.box) != PAIR_BOX_BYTES:
            raise Refusal(ErrorCode.INVALID, "box")
        if len(self._by_name) >= BOXES:
            raise Refusal(ErrorCode.BUSY, "boxes")
        name = frame.box or self._number()
        if name in self._by_name:
            raise Refusal(ErrorCode.CODE_USED)
        box = _Box(name, host)
        box.timer = asyncio.get_running_loop().call_later(OPEN_S, self._end, box)
        self._by_name[name] = self._by_peer[host] = box
        return PairOpened(frame.rid, name, now_ms() + int(OPEN_S * 1000))

    def join(self, guest: Outbox, frame: PairJoin) -> None:
        """Lets the connection `guest`, of a new device, into the box that `frame` names. ▲ Only the first connection
        may: Refusal "code-used" for a box that was joined before. "code-unknown" if there is no such box or `guest` is
        in a box already. "busy" if joins by any name that is not 16 bytes come too fast (five a second, of all
        connections together)."""
        if len(frame.box) != PAIR_BOX_BYTES and not self._numbers.take():
            raise Refusal(ErrorCode.BUSY, "pairing")
        box = self._by_name.get(frame.box)
        if box is None or guest in self._by_peer:
            raise Refusal(ErrorCode.CODE_UNKNOWN)
        if box.used:
            raise Refusal(ErrorCode.CODE_USED)
        box.used, box.guest = True, guest
        self._by_peer[guest] = box

    def post(self, peer: Outbox, data: bytes) -> None:
        """Passes the message `data` on from the connection `peer` to the other one in its box. Refusal "pairing" if
        there is none. A message above 8,192 bytes, or the 25th of both directions together, closes the box, with the
        same refusal. So does one for which the other connection's queue has no room: with a message lost, the two could
        not pair."""
        box = self._by_peer.get(peer)
        other = box.other(peer) if box is not None else None
        if box is None or other is None:
            raise Refusal(ErrorCode.PAIRING, "alone")
        box.messages += 1
        if len(data) > PAIR_MESSAGE_BYTES or box.messages > PAIR_MESSAGES:
            self._end(box)
            raise Refusal(ErrorCode.PAIRING, "too much")
        if not other.must(encode(PairMail(data))):
            self._end(box)
            raise Refusal(ErrorCode.PAIRING, "slow")

    def waits(self, peer: Outbox) -> bool:
        """Whether this connection is in a box, so that it may stay though it has not signed in."""
        return peer in self._by_peer

    def leave(self, peer: Outbox) -> None:
        """Closes the box that the connection `peer` is in, and notifies the other side. Nothing happens for a
        connection that is in no box."""
        box = self._by_peer.get(peer)
        if box is not None:
            self._end(box, but=peer)

    def _end(self, box: _Box, but: Outbox | None = None) -> None:
        if box.timer is not None:
            box.timer.cancel()
        self._by_name.pop(box.name, None)
        for peer in (box.host, box.guest):
            if peer is not None and self._by_peer.pop(peer, None) is not None and peer is not but:
                peer.must(encode(PairEnd()))  # one whose queue is full stops reading, and is cut off by itself
        box.guest = None

    def _number(self) -> bytes:
        while True:
            name = f"{secrets.randbelow(10**PAIR_NUMBER_DIGITS):0{PAIR_NUMBER_DIGITS}}".encode()
            if name not in self._by_name:
                return name
