# SPDX-License-Identifier: EUPL-1.2
"""Frames with which clients upload again what a restored server lacks."""

from sync.protocol.messages.frame import Frame, Receipt, Signed, WireItem, WireShare
from sync.protocol.messages.people import LogHead


class ReuploadLog(Frame, frozen=True, tag="reupload-log"):
    """Entries of a person's log, in order, that a restored server lacks, and the staff record with its salt if the
    sender has them (otherwise both are empty). Also allowed before Auth, since a restored server may not know the
    sending device any more. Answered by Ok, or refused: with "conflict" if the server's log differs, with "invalid" if
    the record is not the one whose hash the log's newest binding names. To upload the record alone, the sender repeats
    the log's first entry."""

    rid: int
    entries: list[Signed]
    salt: bytes = b""
    record: bytes = b""


class LogHeads(Frame, frozen=True, tag="log-heads"):
    """Asks for the heads of persons' logs; the server ignores ids beyond 2,000, and the reply leaves out persons that
    it does not know."""

    rid: int
    uids: list[bytes]


class LogHeadsReply(Frame, frozen=True, tag="log-heads-reply"):
    """The answer to LogHeads: the newest entries that the server has of these persons' logs. `lacking` are those among
    `heads` whose staff record the server does not have."""

    rid: int
    heads: list[LogHead]
    lacking: list[bytes]


class Promise(Frame, frozen=True, tag="promise"):
    """To a restored server: what a room held after a position. `stubs` are `u64 t ‖ u8 kind ‖ id 32` each, 41 B, of the
    positions after+1 …. More may follow in the next frame; the last frame has the server's own receipt for the last
    position, which proves all of them."""

    rid: int
    room: bytes
    after: int
    stubs: bytes
    receipt: Receipt | None


class Reupload(Frame, frozen=True, tag="reupload"):
    """Items of positions that were proven by Promise, in whole batches, with the shares of objects that begin in
    them."""

    rid: int
    room: bytes
    items: list[WireItem]
    shares: list[WireShare]


class Wanted(Frame, frozen=True, tag="wanted"):
    """The answer to Promise and Reupload: the room's head now (None if the server does not have the room), and the last
    position that is proven and not yet uploaded, 0 if there is none. To a Promise without a receipt, None and 0."""

    rid: int
    receipt: Receipt | None
    until: int


class ReuploadDone(Frame, frozen=True, tag="reupload-done"):
    """This device has proven and uploaded everything it has: the server need not wait for it any more. Answered by
    Ok."""

    rid: int


class RestoreProgress(Frame, frozen=True, tag="restore-progress"):
    """Server to members: the head now of a room that is closed to writing since a restore, with `until` as in Wanted.
    With `open` the room takes writing again."""

    receipt: Receipt
    until: int
    open: bool
