# SPDX-License-Identifier: EUPL-1.2
"""Holds what a newcomer has pulled and cannot open yet: the key comes with their own addition, near the end of the
room.

It holds items in memory up to a limit, so that a long history is opened and stored once instead of waiting in the store
first. Of a long room it holds only the positions: such a room is pulled headers-only, and backfill.py fetches the
content that is needed once it is known which content that is. The room's cursor does not move until the buffer is
released: after a crash the same items are pulled again.
"""

from array import array
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sync.ids import ObjId
from sync.trust.room import envelope
from sync.trust.room.stream import AcceptedEnvelope

HELD_BYTES = 8 * 1024 * 1024
"""Ciphertext and headers. When the buffer holds more, the remaining items of the room wait in the store."""
HEADERS_ONLY_FROM = 1000
"""Positions; a shorter room is pulled with its content at once."""
STORED_AT_ONCE = 512
"""Positions of a headers-only room that are stored in one transaction: about 2 ms on the event loop."""


@dataclass(frozen=True, slots=True)
class PiecePlace:
    """Where one piece of a snapshot is in the room: its position `n`, and the device `dev` that wrote it. A snapshot is
    an object's whole state; it is cut into pieces, one message each."""

    n: int
    dev: bytes


class BootstrapBuffer:
    """What a new member or a new device has received of one room before it has the room's key: the encrypted messages
    in order, or only their positions if the room is long and only headers were pulled. Then the messages are opened, or
    the content that is needed is fetched. In memory only: after a crash the same items are pulled again."""

    def __init__(self) -> None:
        self.items: list[AcceptedEnvelope] = []
        self.ops: dict[ObjId, array[int]] = defaultdict(lambda: array("Q"))
        """The positions of each object's changes that count."""
        self.baselines: dict[ObjId, array[int]] = defaultdict(lambda: array("Q"))
        self.pieces: dict[ObjId, list[PiecePlace]] = defaultdict(list)
        self.heartbeats: dict[bytes, int] = {}
        """The position of each device's newest heartbeat."""
        self.positions: list[tuple[int, bytes]] = []
        """Positions and running hashes that are judged and not yet stored."""
        self._size = 0

    @property
    def full(self) -> bool:
        """Whether the buffer should hold nothing more."""
        return self._size > HELD_BYTES

    def judged(self, positions: Sequence[tuple[int, bytes]], *, more: bool) -> list[tuple[int, bytes]]:
        """Adds `positions`, the verified (position, running hash) pairs of a headers-only room. Returns all pairs that
        the caller is to store now, in the order in which they were added, and forgets them; returns [] while `more` of
        them follow and there are fewer than STORED_AT_ONCE, so that one transaction stores many."""
        self.positions += positions
        if more and len(self.positions) < STORED_AT_ONCE:
            return []
        due, self.positions = self.positions, []
        return due

    def hold(self, item: AcceptedEnvelope) -> None:
        """Keeps in memory `item`, an encrypted message whose key is not here yet, and adds its size to that of the
        buffer; `full` compares that size with its limit."""
        self.items.append(item)
        self._size += len(item.hdr_bytes) + len(item.ct or b"")

    def note(self, item: AcceptedEnvelope) -> None:
        """Keeps the position of `item`, not its content, so that what is needed can be fetched later: under the item's
        object, in the list for its kind (change, piece of a snapshot, or baseline: an object's state repeated for
        members without the history); of a heartbeat under its device, in place of an earlier one. Items that the room's
        rules make void (of no effect) are left out, and so are other kinds."""
        hdr = item.hdr
        if item.void is not None:
            return
        if hdr.kind == envelope.OP:
            self.ops[hdr.obj].append(item.n)
        elif hdr.kind == envelope.BASELINE:
            self.baselines[hdr.obj].append(item.n)
        elif hdr.kind == envelope.SNAPSHOT:
            self.pieces[hdr.obj].append(PiecePlace(item.n, hdr.dev))
        elif hdr.kind == envelope.HEARTBEAT:
            self.heartbeats[hdr.dev] = item.n
