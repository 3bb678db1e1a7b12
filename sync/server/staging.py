# SPDX-License-Identifier: EUPL-1.2
"""Seals that have been uploaded and wait for the entry that names their root. In memory, bounded, for minutes:
if they are lost the client is told "seals" and uploads them again."""

import time
from collections import OrderedDict
from dataclasses import dataclass, field

from sync.crypto.kdf import H
from sync.protocol.messages import ErrorCode, PutSeals
from sync.server.auth import Who
from sync.server.config import Limits
from sync.server.refusal import Refusal
from sync.trust import merkle
from sync.trust.epochs import Epoch

_MAX_SEAL_BYTES = 4096
_MAX_UPLOADS = 4096

_Key = tuple[bytes, bytes, bytes]


@dataclass(slots=True)
class _Upload:
    at: float
    seals: list[bytes] = field(default_factory=list)
    size_bytes: int = 0


class Staging:
    """Uploads by (device, room, root), oldest first."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._uploads: OrderedDict[_Key, _Upload] = OrderedDict()
        self._by_dev: dict[bytes, int] = {}

    def put(self, who: Who, frame: PutSeals) -> None:
        """Adds seals from index `start`; a repeated upload begins again at 0."""
        self._expire()
        key = (who.dev, frame.room, frame.root)
        if frame.start == 0:
            self._drop(key)
        upload = self._uploads.get(key) or _Upload(time.monotonic())
        if frame.start != len(upload.seals):
            raise Refusal(ErrorCode.SEALS, f"start {len(upload.seals)}")
        size = sum(map(len, frame.seals))
        if any(len(s) > _MAX_SEAL_BYTES for s in frame.seals):
            raise Refusal(ErrorCode.SEALS, "size")
        if self._by_dev.get(who.dev, 0) + size > self._limits.staged_seals_bytes:
            raise Refusal(ErrorCode.QUOTA, "seals")
        self._uploads[key] = upload
        upload.seals.extend(frame.seals)
        upload.size_bytes += size
        self._by_dev[who.dev] = self._by_dev.get(who.dev, 0) + size
        while len(self._uploads) > _MAX_UPLOADS:
            self._drop(next(iter(self._uploads)))

    def of_epoch(self, who: Who, room: bytes, epoch: Epoch) -> list[bytes]:
        """▲ The seals of an epoch: all of them, and their RFC 9162 root is the one it names. Refusal "seals" if not."""
        upload = self._uploads.get((who.dev, room, epoch.root))
        if upload is None or len(upload.seals) != epoch.count or merkle.root(upload.seals) != epoch.root:
            raise Refusal(ErrorCode.SEALS, f"epoch {epoch.e}")
        return upload.seals

    def one(self, who: Who, room: bytes, seal_hash: bytes) -> bytes:
        """A newcomer's single seal of the standing epoch, by its hash."""
        for (dev, at, _), upload in self._uploads.items():
            if dev == who.dev and at == room:
                for seal in upload.seals:
                    if H(seal) == seal_hash:
                        return seal
        raise Refusal(ErrorCode.SEALS, "newcomer")

    def done(self, who: Who, room: bytes) -> None:
        """Forgets a device's uploads to a room: they are stored, or void."""
        for key in [k for k in self._uploads if k[0] == who.dev and k[1] == room]:
            self._drop(key)

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
            left = self._by_dev.get(key[0], 0) - upload.size_bytes
            if left > 0:
                self._by_dev[key[0]] = left
            else:
                self._by_dev.pop(key[0], None)
