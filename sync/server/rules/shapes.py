# SPDX-License-Identifier: EUPL-1.2
"""Checks the shape of a batch and of an append before anything in them is judged."""

from sync.protocol.messages import Append, ErrorCode, Push
from sync.protocol.version import MAX_BATCH_BYTES, MAX_BATCH_ITEMS, MAX_ENTRY_BYTES, MAX_OP_BYTES
from sync.server.rules.handshake import Who
from sync.server.rules.refusal import Refusal
from sync.trust.room.entries import RoomEntry

_MAX_ENTRIES = 64


def check_batch(frame: Push) -> None:
    """Checks the shape of a batch of changes in `frame`, before anything in it is decoded or looked up. Refusal
    "invalid" for none or too many items, not one content for each, a signature that is not of 64 bytes, or more shares
    (secrets of objects) than items; "oversize" if a content or the batch is too large. The same for every room and
    device."""
    if not 1 <= len(frame.bodies) <= MAX_BATCH_ITEMS or len(frame.bodies) != len(frame.cts):
        raise Refusal(ErrorCode.INVALID, "batch")
    if len(frame.sig) != 64 or len(frame.shares) > len(frame.bodies):
        raise Refusal(ErrorCode.INVALID, "batch")
    if any(len(ct) > MAX_OP_BYTES for ct in frame.cts):
        raise Refusal(ErrorCode.OVERSIZE, "op")
    if sum(map(len, frame.bodies)) + sum(map(len, frame.cts)) > MAX_BATCH_BYTES:
        raise Refusal(ErrorCode.OVERSIZE, "batch")


def read_entries(who: Who, frame: Append) -> list[RoomEntry]:
    """Decodes the entries in `frame`, which are to be appended to a room together, and returns them in order. Refusal
    "invalid" unless there are 1 to 64, all for the room, and only the last one carries an epoch (new keys); "oversize"
    if one is too long or a signature is not of 64 bytes; "forbidden" unless all are by the requesting device `who`.
    Reject for an entry that cannot be decoded."""
    if not 1 <= len(frame.entries) <= _MAX_ENTRIES:
        raise Refusal(ErrorCode.INVALID, "entries")
    if any(len(e.body) > MAX_ENTRY_BYTES or len(e.sig) != 64 for e in frame.entries):
        raise Refusal(ErrorCode.OVERSIZE, "entry")
    entries = [RoomEntry.decode(e.body) for e in frame.entries]
    if any(e.dev != who.dev or e.uid != who.uid for e in entries):
        raise Refusal(ErrorCode.FORBIDDEN, "another device")
    if any(e.room not in (None, frame.room) for e in entries):
        raise Refusal(ErrorCode.INVALID, "room")
    if any(e.epoch is not None for e in entries[:-1]):
        raise Refusal(ErrorCode.INVALID, "only the last entry may carry an epoch")
    return entries
