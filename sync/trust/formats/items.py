# SPDX-License-Identifier: EUPL-1.2
"""Positions of a room's stream, roles, and the running hash over all positions (protocol §4)."""

import struct
from dataclasses import dataclass
from enum import IntEnum

from sync.crypto.kdf import H
from sync.ids import Hash, RoomId
from sync.protocol.messages import WireItem

ENTRY = 1
ENVELOPE = 2
RH_0 = Hash(bytes(32))
STUB = struct.Struct(">QB32s")
"""What a `promise` frame states of each position in place of the item itself: t (ms), kind, id."""


class Role(IntEnum):
    """What a member may do in a room: READER, WRITER, ADMIN or OWNER, in ascending order. A higher role may do
    everything that a lower one may."""

    READER = 1
    WRITER = 2
    ADMIN = 3
    OWNER = 4


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a room's stream, as the server sends it: an entry or an envelope (`kind`) at position `n`.

    `t` is the time at which the server placed it, in ms since 1970. `body` is what was signed. `ct` is the encrypted
    content of an envelope; None for an entry, and for content that was destroyed, pruned or not sent. `sig` is empty
    for all but the last envelope of a batch, since one signature covers the batch.
    """

    n: int
    t: int
    kind: int
    body: bytes
    sig: bytes
    ct: bytes | None

    @classmethod
    def of(cls, wire: WireItem) -> "Item":
        """The position that a frame carries."""
        return cls(wire.n, wire.t, wire.kind, wire.body, wire.sig, wire.ct)


def item_id(kind: int, body: bytes) -> Hash:
    """The id of an item: the hash of its `body`, under a label for its `kind`: ENTRY, or for any other number ENVELOPE.
    The running hash covers the id."""
    return H("room-log" if kind == ENTRY else "op-id", body)


def next_rh(rh: bytes, n: int, t: int, kind: int, ident: bytes) -> Hash:
    """The running hash after position `n`, which commits to everything up to there. `rh` is the running hash before it;
    `t` (ms), `kind` and `ident` (its id) are those of the item at `n`."""
    return H("rh", rh, struct.pack(">QQB", n, t, kind), ident)


def stub(item: Item) -> bytes:
    """The item's stub, 41 B."""
    return STUB.pack(item.t, item.kind, item_id(item.kind, item.body))


def room_id_of(genesis_id: bytes) -> RoomId:
    """The id of the room that begins with this genesis."""
    return RoomId(genesis_id[:16])
