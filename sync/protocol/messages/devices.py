# SPDX-License-Identifier: EUPL-1.2
"""Frames about the person's own devices."""

import msgspec

from sync.protocol.messages.frame import Frame


class Devices(Frame, frozen=True, tag="devices"):
    """Asks when each of the person's own devices was last connected at the server, and with which program."""

    rid: int


class DeviceSeen(msgspec.Struct, frozen=True, array_like=True):
    """When a device was last signed in or connected at the server (`last`, ms, 0 for never), and the program name that
    it gave (`agent`). A device that never signed in may also be left out."""

    dev: bytes
    last: int
    agent: str


class DevicesReply(Frame, frozen=True, tag="devices-reply"):
    rid: int
    devices: list[DeviceSeen]


class LogMoved(Frame, frozen=True, tag="log-moved"):
    """Server to a person's devices: the person's key log now has entries up to number `seq`."""

    seq: int
