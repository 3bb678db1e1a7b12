# SPDX-License-Identifier: EUPL-1.2
"""The base of every frame, and the structs that frames of several sections hold."""

import msgspec


class Frame(msgspec.Struct, frozen=True, array_like=True, tag_field="f", forbid_unknown_fields=True):
    """Base of every frame."""


class Signed(msgspec.Struct, frozen=True, array_like=True):
    """A signed body, verbatim: a user-log or room entry."""

    body: bytes
    sig: bytes


class WireItem(msgspec.Struct, frozen=True, array_like=True):
    """One position of a room's stream.

    `kind` is 1 for an entry and 2 for an envelope. `sig` is empty inside a batch before its tail. `ct` is None for an
    entry, and for an envelope whose content was destroyed or pruned. `t` is in milliseconds since 1970, UTC.
    """

    n: int
    t: int
    kind: int
    body: bytes
    sig: bytes
    ct: bytes | None


class WireShare(msgspec.Struct, frozen=True, array_like=True):
    """The 32-byte share of an object."""

    obj: bytes
    share: bytes

    def __repr__(self) -> str:
        return f"WireShare({self.obj.hex()})"


class Receipt(msgspec.Struct, frozen=True, array_like=True):
    """The server's signature over `[room, n, rh_n, t_n]`: proof of a position."""

    room: bytes
    n: int
    rh: bytes
    t: int
    sig: bytes


class RoomHead(msgspec.Struct, frozen=True, array_like=True):
    """The newest position of a room, and this device's own last envelope there (dev_seq 0 and an empty id if it has
    none)."""

    receipt: Receipt
    dev_seq: int
    dev_head: bytes
