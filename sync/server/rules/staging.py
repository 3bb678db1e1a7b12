# SPDX-License-Identifier: EUPL-1.2
"""Keeps uploaded seals until the entry that names their root is appended. In memory, bounded, and for minutes only. If
they are lost, the append is refused with "seals" and the client uploads them again."""

import time
from collections import OrderedDict
from dataclasses import dataclass, field

from sync.crypto.kdf import H
from sync.protocol.messages import ErrorCode, PutSeals
from sync.server.config import Limits
from sync.server.rules.handshake import Who
from sync.server.rules.quotas import is_within
from sync.server.rules.refusal import Refusal
from sync.trust.keys import merkle
from sync.trust.keys.epochs import Epoch

_MAX_SEAL_BYTES = 4096
_SEAL_BYTES = 64
"""Added to each seal's size. ▲ Otherwise a client could upload millions of empty ones."""
_MAX_UPLOADS = 65_536
_MAX_OF_A_DEVICE = 32
"""Most uploads of one device. A further one replaces the device's oldest, never another device's."""

_Key = tuple[bytes, bytes, bytes]


@dataclass(slots=True)
class _Device:
    """The seals (a room's keys, each encrypted to one member) that one device has uploaded: the names of its uploads
    (`uploads`), each (device, room, root hash of the seals), oldest first, and their bytes together (`size_bytes`)."""

    uploads: dict[_Key, None] = field(default_factory=dict)
    size_bytes: int = 0


@dataclass(slots=True)
class _Upload:
    at: float
    uid: bytes
    seals: list[bytes] = field(default_factory=list)
    size_bytes: int = 0
    _by_hash: dict[bytes, bytes] = field(default_factory=dict)
    _hashed: int = 0

    def named(self, seal_hash: bytes) -> bytes | None:
        """The seal in this upload whose hash is `seal_hash`, None if there is none. ▲ Each seal is hashed only once,
        however often this is called."""
        for seal in self.seals[self._hashed :]:
            self._by_hash[H(seal)] = seal
        self._hashed = len(self.seals)
        return self._by_hash.get(seal_hash)


class Staging:
    """Keeps uploaded seals (a room's keys, each encrypted to one member) in memory until the entry that names them is
    appended; any new upload drops those that are older than ten minutes. An upload is named by (device, room, root):
    the root is the hash of all its seals together."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._uploads: OrderedDict[_Key, _Upload] = OrderedDict()
        self._by_dev: dict[bytes, _Device] = {}
        self._of_person: dict[bytes, int] = {}
        """By uid: the bytes that all devices of the person have uploaded. A person without uploads is not in it."""

    def put(self, who: Who, frame: PutSeals) -> None:
        """Adds seals (a room's keys, each encrypted to one member) that the device `who` uploads. `frame.start` is the
        index of the first; 0 begins the upload again. Refusal "seals" for a wrong index, name or size, "quota" for too
        much.

        ▲ An upload beyond the number that a device may have replaces the oldest one of the same device. Otherwise a
        member who is being removed could push out the seals of the removal. Only beyond 65,536 of all devices the
        oldest of all is dropped. ▲ The uploads of all devices of a person together have a limit too.
        """
        self._expire()
        if len(frame.room) != 16 or len(frame.root) != 32:
            raise Refusal(ErrorCode.SEALS, "name")
        key = (who.dev, frame.room, frame.root)
        if frame.start == 0:
            self._drop(key)
        upload = self._uploads.get(key) or _Upload(time.monotonic(), who.uid)
        if frame.start != len(upload.seals):
            raise Refusal(ErrorCode.SEALS, f"start {len(upload.seals)}")
        size = sum(len(s) + _SEAL_BYTES for s in frame.seals)
        if any(len(s) > _MAX_SEAL_BYTES for s in frame.seals):
            raise Refusal(ErrorCode.SEALS, "size")
        device = self._by_dev.get(who.dev) or _Device()
        together = self._of_person.get(who.uid, 0) + size
        if not is_within(device.size_bytes + size, together, self._limits.staged_seals_bytes):
            raise Refusal(ErrorCode.QUOTA, "seals")
        if key not in self._uploads and len(device.uploads) >= _MAX_OF_A_DEVICE:
            self._drop(next(iter(device.uploads)))
        self._by_dev[who.dev] = device
        device.uploads[key] = None
        self._uploads[key] = upload
        upload.seals.extend(frame.seals)
        upload.size_bytes += size
        device.size_bytes += size
        self._add(who.uid, size)
        while len(self._uploads) > _MAX_UPLOADS:
            self._drop(next(iter(self._uploads)))

    def of_epoch(self, who: Who, room: bytes, epoch: Epoch, most: int) -> list[bytes]:
        """The seals of a new `epoch` (new keys of a room) that the device `who` uploaded for the room with the id
        `room`, in the order of the upload. They stay here until the entry is accepted. ▲ Refusal "seals" unless all of
        them are here, there are at most `most`, and their RFC 9162 root is the one that the epoch names."""
        upload = self._uploads.get((who.dev, room, epoch.root))
        if upload is None or len(upload.seals) != epoch.count or epoch.count > most:
            raise Refusal(ErrorCode.SEALS, f"epoch {epoch.e}")
        if merkle.root(upload.seals) != epoch.root:
            raise Refusal(ErrorCode.SEALS, f"epoch {epoch.e}")
        return upload.seals

    def one(self, who: Who, room: bytes, seal_hash: bytes) -> bytes:
        """The seal of the epoch in force (the room's present keys, encrypted) for an added member, among the seals that
        the adding device (`who`) uploaded for the room with the id `room`; `seal_hash` is the hash that the entry
        names. Refusal "seals" if that device has not uploaded it."""
        for key in self._of(who, room):
            seal = self._uploads[key].named(seal_hash)
            if seal is not None:
                return seal
        raise Refusal(ErrorCode.SEALS, "newcomer")

    def forget(self, dev: bytes) -> None:
        """Drops all seals (encrypted keys) of the device `dev` that still wait here for the entry that names them;
        those that a room has stay. Called when the device is not active any more, so that the person's other devices
        have room. Nothing happens for a device without any."""
        device = self._by_dev.get(dev)
        for key in list(device.uploads) if device else []:
            self._drop(key)

    def done(self, who: Who, room: bytes) -> None:
        """Drops all seals (encrypted keys) that the device `who` uploaded for the room with the id `room`, after its
        entry was accepted: the store has those that the entry names. Nothing happens if there are none."""
        for key in self._of(who, room):
            self._drop(key)

    def _of(self, who: Who, room: bytes) -> list[_Key]:
        device = self._by_dev.get(who.dev)
        return [key for key in device.uploads if key[1] == room] if device else []

    def _expire(self) -> None:
        before = time.monotonic() - self._limits.staged_seals_s
        while self._uploads:
            key, upload = next(iter(self._uploads.items()))
            if upload.at > before:
                return
            self._drop(key)

    def _drop(self, key: _Key) -> None:
        upload = self._uploads.pop(key, None)
        if upload is not None:
            device = self._by_dev[key[0]]
            del device.uploads[key]
            device.size_bytes -= upload.size_bytes
            self._add(upload.uid, -upload.size_bytes)
            if not device.uploads:
                del self._by_dev[key[0]]

    def _add(self, uid: bytes, size_bytes: int) -> None:
        self._of_person[uid] = self._of_person.get(uid, 0) + size_bytes
        if not self._of_person[uid]:
            del self._of_person[uid]
