# SPDX-License-Identifier: EUPL-1.2
"""Sends and receives the ephemeral messages of a room: encrypted with the epoch's key, never stored."""

from sync.client.account.account_secrets import Account
from sync.client.account.known_logs import Book
from sync.ids import DevId, RoomId, Uid
from sync.trust.keys.epochs import KeyRing
from sync.trust.room import ephemeral
from sync.trust.room.stream import RoomStream


class Ephemerals:
    """Encrypts and decrypts the ephemeral messages of one room (typing, presence and the like), which are sent to the
    devices that are online and stored by nobody."""

    def __init__(self, stream: RoomStream, room: RoomId, ring: KeyRing, book: Book, account: Account) -> None:
        self._stream = stream
        self._ring = ring
        self._book = book
        self._account = account
        self._sender = ephemeral.EphemeralSender(room)
        self._listener = ephemeral.EphemeralReceiver(room, account.dev)

    def open(self, message: ephemeral.EphemeralMessage, now: int) -> tuple[ephemeral.EphemeralHeader, bytes] | None:
        """Verifies and decrypts `message`, another device's ephemeral message (typing, presence and the like, which
        nobody stores). Returns its header (sender, kind, time) and its content; None for a kind that this program does
        not know. `now` is the server's time in ms. Reject for a replay, a forged or damaged message, another room's,
        one to another device, a sender who is no member, whose device is revoked or whose role may not send the kind, a
        time more than 2 minutes from `now`, or a missing key."""
        return self._listener.decrypt(message, self._sign_pk, self._ring.k, now, self._stream.role_of)

    def seal(self, payload: bytes, now: int, kind: int, to: DevId | None = None) -> ephemeral.EphemeralMessage | None:
        """Encrypts `payload` with the room's newest key and signs it, as an ephemeral message of this `kind` (PRESENCE,
        TYPING, …), dated `now` (the server's time in ms), to the device `to` alone; None: to all. The caller sends it.
        None is returned while this device lacks that key, or its person's own key log."""
        log, k = self._book.log(self._account.uid), self._ring.k(self._stream.epoch)
        if log is None or k is None:
            return None
        author, addressee = self._account.author(log), ephemeral.TO_ALL if to is None else to
        return self._sender.encrypt(author, self._stream.epoch, k, payload, now, kind, addressee)

    def _sign_pk(self, uid: Uid, dev: bytes) -> bytes | None:
        log = self._book.log(uid)
        if log is None or uid not in self._stream.members:
            return None
        device = log.device_active(dev, log.seq)
        return device.sign_pk if device else None
