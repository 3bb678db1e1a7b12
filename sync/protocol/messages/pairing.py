# SPDX-License-Identifier: EUPL-1.2
"""Frames of the box through which a new device and an old one exchange messages."""

from sync.protocol.messages.frame import Frame


class PairOpen(Frame, frozen=True, tag="pair-open"):
    """The old device asks the server to open a box through which a new device may exchange messages with it. `box` is
    16 B from the pairing code; if it is empty, the server draws nine digits. A connection has one box at a time. The
    box closes when its time is over, when either device leaves it or loses its connection, when the old device opens
    another, or by a message that is too long or one too many."""

    rid: int
    box: bytes


class PairOpened(Frame, frozen=True, tag="pair-opened"):
    """The answer to PairOpen: the box with the name `box` is open until `expires` (the server's time, ms)."""

    rid: int
    box: bytes
    expires: int


class PairJoin(Frame, frozen=True, tag="pair-join"):
    """A new device joins the box with the name `box`; only one device may, once. Allowed before Auth. Refused with
    "code-unknown" (no such box, or the connection is in one already), "code-used", or "busy" (too many joins by
    digits)."""

    rid: int
    box: bytes


class PairPost(Frame, frozen=True, tag="pair-post"):
    """A message to the other device in the box. Refused with "pairing" if there is none, or none any more; also if the
    message is too long or one too many, which closes the box."""

    rid: int
    data: bytes


class PairLeave(Frame, frozen=True, tag="pair-leave"):
    """The old device closes its box, if any; the server notifies the other device."""

    rid: int


class PairMail(Frame, frozen=True, tag="pair-mail"):
    """Server to either device in the box: a message that the other one posted."""

    data: bytes


class PairEnd(Frame, frozen=True, tag="pair-end"):
    """Server to either device in the box: the box is closed. The other device has left it, its time is over, or a
    message was too long or one too many."""
