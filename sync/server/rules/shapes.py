# SPDX-License-Identifier: EUPL-1.2
"""Checks the shape of a batch and of an append before anything in them is judged."""

from sync.protocol.messages import Append, ErrorCode, Push
from sync.protocol.version import MAX_BATCH_BYTES, MAX_BATCH_ITEMS, MAX_ENTRY_BYTES, MAX_OP_BYTES
from sync.server.rules.handshake import Who
from sync.server.rules.refusal import Refusal
from sync.trust.room.entries import RoomEntry

_MAX_ENTRIES = 64


def check_batch(frame: Push) -> None:
    """Checks how many items a batch has and how large they are. Refusal "invalid" or "oversize" if no client may send
    such a batch."""
    if not 1 <= len(frame.bodies) <= MAX_BATCH_ITEMS or len(frame.bodies) != len(frame.cts):
        raise Refusal(ErrorCode.INVALID, "batch")
    if len(frame.sig) != 64 or len(frame.shares) > len(frame.bodies):
        raise Refusal(ErrorCode.INVALID, "batch")
    if any(len(ct) > MAX_OP_BYTES for ct in frame.cts):
        raise Refusal(ErrorCode.OVERSIZE, "op")
    if sum(map(len, frame.bodies)) + sum(map(len, frame.cts)) > MAX_BATCH_BYTES:
        raise Refusal(ErrorCode.OVERSIZE, "batch")


def read_entries(who: Who, frame: Append) -> list[RoomEntry]:
    """Decodes the entries in `frame`, which are to be appended to a room together. Refusal or Reject unless there are 1
    to 64, none too long, all by the requesting device `who` and for the room, and only the last one carries an epoch
    (new keys)."""
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
