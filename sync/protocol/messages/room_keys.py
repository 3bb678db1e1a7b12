# SPDX-License-Identifier: EUPL-1.2
"""Frames about a room's keys: the seals of its epochs and the shares of its objects."""

from sync.protocol.messages.frame import Frame, WireShare


class PutSeals(Frame, frozen=True, tag="put-seals"):
    """Uploads seals of an epoch before the entry that names `root`. They come in order; `start` is the index of the
    first."""

    rid: int
    room: bytes
    root: bytes
    start: int
    seals: list[bytes]


class SealRequest(Frame, frozen=True, tag="seal-request"):
    """Asks for the person's own seal of an epoch."""

    rid: int
    room: bytes
    epoch: int


class SealReply(Frame, frozen=True, tag="seal-reply"):
    """All seals for this person and epoch that the server holds, newest first. Any that matches kc is good."""

    rid: int
    seals: list[bytes]


class Reseal(Frame, frozen=True, tag="reseal"):
    """Uploads a seal of an epoch for one more recipient (a newcomer, a new PUK generation, a cannot_open)."""

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
    """Uploads a lost share again; the share must match share_c."""

    rid: int
    room: bytes
    share: WireShare


class SharesWanted(Frame, frozen=True, tag="shares-wanted"):
    """Server to some of a room's listeners: the server has lost the shares of these objects, and a member needs them. A
    client that holds one uploads it again; the server then sends it to the listeners in a `Fresh` without items."""

    room: bytes
    objs: list[bytes]
