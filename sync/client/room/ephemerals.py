# SPDX-License-Identifier: EUPL-1.2
"""A room's ephemerals as this device sends and hears them: sealed with the epoch's key, never stored."""

from sync.client.account.account_secrets import Account
from sync.client.account.known_logs import Book
from sync.ids import RoomId, Uid
from sync.trust.keys.epochs import KeyRing
from sync.trust.room import ephemeral
from sync.trust.room.stream import RoomStream


class Whispers:
    """One room's."""

    def __init__(self, stream: RoomStream, room: RoomId, ring: KeyRing, book: Book, account: Account) -> None:
        self._stream = stream
        self._ring = ring
        self._book = book
        self._account = account
        self._whisperer = ephemeral.EphemeralSender(room)
        self._listener = ephemeral.EphemeralReceiver(room)

    def open(self, whisper: ephemeral.EphemeralMessage, now: int) -> tuple[ephemeral.EphemeralHeader, bytes]:
        """Opens somebody's ephemeral; Reject for a replay, a spoof or a stranger."""
        return self._listener.decrypt(whisper, self._sign_pk, self._ring.k, now, self._stream.role_of)

    def seal(self, payload: bytes, now: int, kind: int) -> ephemeral.EphemeralMessage | None:
        """Seals an ephemeral, or None while there is no key."""
        log, k = self._book.log(self._account.uid), self._ring.k(self._stream.epoch)
        if log is None or k is None:
            return None
        return self._whisperer.encrypt(self._account.author(log), self._stream.epoch, k, payload, now, kind)

    def _sign_pk(self, uid: Uid, dev: bytes) -> bytes | None:
        log = self._book.log(uid)
        if log is None or uid not in self._stream.members:
            return None
        device = log.device_active(dev, log.seq)
        return device.sign_pk if device else None
