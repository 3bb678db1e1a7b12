# SPDX-License-Identifier: EUPL-1.2
"""What a newcomer has pulled and cannot open yet, because the key comes with their own add, near the end.

Held in memory up to a limit, so that a long history is opened and stored once instead of waiting in the store first.
Of a long room only the positions are held: it is pulled bare, and what is needed of its content is fetched when it is
known what that is (backfill.py). Until it is let go the room's cursor stays where it was: after a crash the same items
are pulled again.
"""

from array import array
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sync.ids import ObjId
from sync.trust.room import envelope
from sync.trust.room.stream import AcceptedEnvelope

HELD_BYTES = 8 * 1024 * 1024
"""Ciphertext and headers; a room with more behind it lets the rest wait in the store."""
HEADERS_ONLY_FROM = 1000
"""Positions; a shorter room is pulled with its content at once."""
STORED_AT_ONCE = 512
"""Positions of a bare room that are stored in one transaction: about 2 ms on the event loop."""


@dataclass(frozen=True, slots=True)
class PiecePlace:
    """Where a piece of a snapshot stands, and whose device wrote it."""

    n: int
    dev: bytes


class BootstrapBuffer:
    """The envelopes of one room, in order, or of a `bare` one where they stand."""

    def __init__(self) -> None:
        self.items: list[AcceptedEnvelope] = []
        self.headers_only = False
        self.ops: dict[ObjId, array[int]] = defaultdict(lambda: array("Q"))
        """Positions of each object's changes that count."""
        self.baselines: dict[ObjId, array[int]] = defaultdict(lambda: array("Q"))
        self.pieces: dict[ObjId, list[PiecePlace]] = defaultdict(list)
        self.positions: list[tuple[int, bytes]] = []
        """Positions and running hashes that are judged and not yet stored."""
        self._size = 0

    @property
    def full(self) -> bool:
        """Nothing more should be held."""
        return self._size > HELD_BYTES

    def judged(self, positions: Sequence[tuple[int, bytes]], *, more: bool) -> list[tuple[int, bytes]]:
        """What is to be stored now of a bare room's positions; nothing while `more` follow and they are few."""
        self.positions += positions
        if more and len(self.positions) < STORED_AT_ONCE:
            return []
        due, self.positions = self.positions, []
        return due

    def hold(self, item: AcceptedEnvelope) -> None:
        """Keeps one that has no key yet."""
        self.items.append(item)
        self._size += len(item.hdr_bytes) + len(item.ct or b"")

    def note(self, item: AcceptedEnvelope) -> None:
        """Keeps where one stands."""
        hdr = item.hdr
        if item.void is not None:
            return
        if hdr.kind == envelope.OP:
            self.ops[hdr.obj].append(item.n)
        elif hdr.kind == envelope.BASELINE:
            self.baselines[hdr.obj].append(item.n)
        elif hdr.kind == envelope.SNAPSHOT:
            self.pieces[hdr.obj].append(PiecePlace(item.n, hdr.dev))
