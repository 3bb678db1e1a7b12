# SPDX-License-Identifier: EUPL-1.2
"""The base of every frame, and the structs that frames of several sections hold."""

import msgspec


class Frame(msgspec.Struct, frozen=True, array_like=True, tag_field="f", forbid_unknown_fields=True):
    """The base of every frame on the wire: a message of the protocol between client and server. `rid`, in most frames,
    is the id of a request, which its reply repeats."""


class Signed(msgspec.Struct, frozen=True, array_like=True):
    """A signed body, verbatim: an entry of a person's key log or of a room, or a statement of the agency or the
    server."""

    body: bytes
    sig: bytes


class WireItem(msgspec.Struct, frozen=True, array_like=True):
    """One item of a room's stream, at position `n`.

    `kind` is 1 for an entry and 2 for an envelope. `sig` is empty inside a batch before its last item, whose signature
    covers the batch. `ct` (the ciphertext) is None for an entry, and for an envelope whose content was destroyed or
    pruned. `t` is in milliseconds since 1970, UTC.
    """

    n: int
    t: int
    kind: int
    body: bytes
    sig: bytes
    ct: bytes | None


class WireShare(msgspec.Struct, frozen=True, array_like=True):
    """An object's share: the 32-byte secret from which the object's keys are derived."""

    obj: bytes
    share: bytes

    def __repr__(self) -> str:
        return f"WireShare({self.obj.hex()})"


class Receipt(msgspec.Struct, frozen=True, array_like=True):
    """The server's signature over `[room, n, rh, t]`: proof that the room had reached position `n`, with the running
    hash `rh`, at the server's time `t`."""

    room: bytes
    n: int
    rh: bytes
    t: int
    sig: bytes


class RoomHead(msgspec.Struct, frozen=True, array_like=True):
    """A room as the server lists it at the sign-in: the receipt for its newest position, and this device's own last
    envelope there (dev_seq 0 and an empty id if it has none)."""

    receipt: Receipt
    dev_seq: int
    dev_head: bytes
