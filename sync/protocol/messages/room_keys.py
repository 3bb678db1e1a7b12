# SPDX-License-Identifier: EUPL-1.2
"""Frames about a room's keys: the seals of its epochs and the shares of its objects."""

from sync.protocol.messages.frame import Frame, WireShare


class PutSeals(Frame, frozen=True, tag="put-seals"):
    """Uploads seals of an epoch: copies of a room's new key, each encrypted to one recipient. They must come before the
    entry of the room's log that names `root`, the root of the tree of their hashes. They come in order, in several
    frames if needed; `start` is the index of the first in this frame, and 0 begins the upload again."""

    rid: int
    room: bytes
    root: bytes
    start: int
    seals: list[bytes]


class SealRequest(Frame, frozen=True, tag="seal-request"):
    """Asks for the copies of an epoch's key (a generation of a room's key) that are sealed to the asking person."""

    rid: int
    room: bytes
    epoch: int


class SealReply(Frame, frozen=True, tag="seal-reply"):
    """The answer to SealRequest: all copies of the epoch's key, encrypted to this person, that the server holds, newest
    first. One is good if it has the very key to which the room's log commits (kc)."""

    rid: int
    seals: list[bytes]


class Reseal(Frame, frozen=True, tag="reseal"):
    """Uploads a seal of an epoch's key (a copy encrypted to one person) for one more recipient, `uid`: a newcomer, a
    person with a new generation of their key (PUK), or a member whose `cannot_open` entry in the room states that they
    lack the key."""

    rid: int
    room: bytes
    epoch: int
    uid: bytes
    seal: bytes


class ShareRequest(Frame, frozen=True, tag="share-request"):
    rid: int
    room: bytes
    objs: list[bytes]


class ShareReply(Frame, frozen=True, tag="share-reply"):
    rid: int
    shares: list[WireShare]


class PutShare(Frame, frozen=True, tag="put-share"):
    """Uploads again an object's share (the secret from which its keys are derived) that the server has lost; it must
    match the hash in the room (share_c)."""

    rid: int
    room: bytes
    share: WireShare


class SharesWanted(Frame, frozen=True, tag="shares-wanted"):
    """Server to some of a room's listeners: the server has lost the shares of these objects, and a member needs them. A
    client that holds one uploads it again; the server then sends it to the listeners in a `Fresh` without items."""

    room: bytes
    objs: list[bytes]
