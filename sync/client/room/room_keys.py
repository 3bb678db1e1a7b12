# SPDX-License-Identifier: EUPL-1.2
"""The keys with which this device decrypts and encrypts a room's content: the epochs' keys and the objects' shares.

No network here. What is missing is noted; the callers fetch it and pass it to `take_seals` and `take_shares`.
"""

from collections.abc import Iterable, Sequence

from sync.client.account.account_secrets import Account
from sync.client.account.known_logs import Book
from sync.client.ports import InboxPort, OpenedChange, OpenedHeartbeat
from sync.errors import Reject
from sync.ids import DevId, ObjId, RoomId, Uid
from sync.protocol.messages import WireShare
from sync.trust.keys.epochs import KeyRing, content_commitment, open_seal, walk_back
from sync.trust.room import envelope
from sync.trust.room.envelope import ObjectKeys, root_share, share_commitment
from sync.trust.room.removal_notes import EncryptedNote, decrypt_note
from sync.trust.room.stream import AcceptedEnvelope, RoomStream

MAX_SEALS = 16
"""More than a server keeps of one person's seals of an epoch."""


class RoomKeys:
    """The keys that this device holds for one room. An epoch is a generation of the room's key. `ring` has each epoch's
    content key K and, for members who may read the history, its archive key A, which decrypts the keys of earlier
    epochs; the application's store keeps them. Each object has a share besides: a 32-byte secret from which its own
    keys are derived."""

    def __init__(self, stream: RoomStream, room: RoomId, ports: InboxPort, book: Book, account: Account) -> None:
        self.ring = KeyRing(room, ports.keys(room))
        self.drafted: dict[int, tuple[bytes, bytes | None]] = {}
        """Secrets of epochs that this device drafted, until the stream shows whether the epochs count."""
        self._room = room
        self._stream = stream
        self._ports = ports
        self._book = book
        self._account = account
        self._objects = ObjectKeys(room)
        self._shares: dict[ObjId, bytes] = {ObjId(room): root_share(room)}
        self._missing: set[ObjId] = set()
        self._lacking: set[int] = set()
        self._lacking_archive: set[int] = set()
        """Epochs whose archive key is needed too, because of a snapshot in them."""
        self.untried = True
        """A key, a share or our own addition has been received since waiting items were last tried."""

    @property
    def has_history(self) -> bool:
        """Whether this person is a member who may read the room from its beginning."""
        me = self._stream.members.get(self._account.uid)
        return me is not None and me.history

    @property
    def reads_alone(self) -> bool:
        """▲ Whether this person reads with content keys (K) alone, without archive keys: they are a member who was
        added without the history. True also for a former member, if this device holds keys of the room but no archive
        key: we keep what they could read, because they may be added again. False for anybody else who is no member."""
        me, keys = self._stream.members.get(self._account.uid), self.ring.all()
        return not me.history if me is not None else bool(keys) and all(a is None for _, _, a in keys)

    @property
    def needs_key(self) -> bool:
        """Whether this person is a member, the room has a key, and this device does not hold the newest one yet."""
        return (
            self._account.uid in self._stream.members
            and self._stream.epoch > 0
            and self.ring.k(self._stream.epoch) is None
        )

    def may_read(self, uid: Uid, e: int) -> bool:
        """▲ Whether the person `uid` may be given the key of epoch `e` (a generation of the room's key) now: they are a
        member with the history, or were added no later than with the entry that began that epoch. (The entry that adds
        a member without the history begins an epoch itself.) False for an epoch that is not known here."""
        member, epoch = self._stream.members.get(uid), self._stream.epochs.get(e)
        return member is not None and epoch is not None and (member.history or epoch.n >= member.since_n)

    def lacking(self) -> list[int]:
        """The numbers of the epochs (generations of the room's key) whose key this device may have and lacks, so that
        it asks for them, the newest first: the room's newest epoch, and those of items that it tried to open. An epoch
        counts too if only its archive key (for earlier epochs) is missing and a snapshot needs that key."""
        lacking = {e for e in self._lacking if self.lacks(e) and self.may_read(self._account.uid, e)}
        if self.needs_key:
            lacking.add(self._stream.epoch)
        return sorted(lacking, reverse=True)

    def lacks(self, e: int) -> bool:
        """Whether the content key of epoch `e` (a generation of the room's key) is missing here, as it is for an epoch
        that is not known. Also true if the epoch has an archive key (for earlier epochs) that is missing here, a
        snapshot needs that key, and this person may read the history."""
        epoch = self._stream.epochs.get(e)
        archive = e in self._lacking_archive and self.has_history and epoch is not None and epoch.has_archive
        return self.ring.k(e) is None or (archive and self.ring.a(e) is None)

    def share(self, obj: ObjId) -> bytes | None:
        """The share of `obj` (the secret, 32 B, from which its keys are derived), from memory or the store. None if the
        room's log states no share of the object, or if this device does not hold the one whose hash it states. The
        share of the room's own object is always here."""
        found = self._shares.get(obj)
        if found is None:
            found = self._ports.share(self._room, obj)
            if found is None or self._stream.state.shares.get(obj) != share_commitment(self._room, obj, found):
                return None  # ▲ a share of our own that came too late is not the object's
            self._shares[obj] = found
        return found

    def content_key(self, obj: ObjId) -> bytes | None:
        """The key with which the next change of `obj` is encrypted, in the newest epoch (generation of the room's key);
        None while the epoch's key or the object's share (its own secret) is missing."""
        k, share = self.ring.k(self._stream.epoch), self.share(obj)
        if k is None or share is None:
            return None
        return self._objects.key(k, self._stream.epoch, obj, share)

    def key_with(self, obj: ObjId, share: bytes) -> bytes | None:
        """The key with which the first changes of a new object `obj` are encrypted, derived from its `share` (the
        object's own secret) and the room's newest key; None while the latter is missing. Nothing is remembered until
        the object has a position in the room."""
        k = self.ring.k(self._stream.epoch)
        return ObjectKeys(self._room).key(k, self._stream.epoch, obj, share) if k is not None else None

    def lacks_share(self, obj: ObjId) -> bool:
        """If `obj` has a share (the secret from which its keys are derived) and this device does not hold it, notes it
        as missing, so that `missing_shares` lists it and it is asked for. True only if it is newly noted: the caller
        then pulls the room again. False if it is held or was noted before, or if the object has no share."""
        known = obj in self._missing or obj not in self._stream.state.shares or self.share(obj) is not None
        self._missing.update(() if known else (obj,))
        return not known

    def missing_shares(self) -> list[ObjId]:
        """The objects whose share is missing here, and needed for a waiting item or for a change to be sent. Destroyed
        objects are not among them: nobody has their share any more."""
        state = self._stream.state
        return [o for o in self._missing if o in state.shares and o not in state.destroyed]

    def forget(self, obj: ObjId) -> None:
        """▲ Drops from memory the share of `obj`, which was destroyed, and the keys that were derived from it. The
        application's store deletes the share itself. Items that wait are tried again: those of `obj` wait no more."""
        self._shares.pop(obj, None)
        self._objects.forget(obj)
        self.untried = True

    def take_shares(self, shares: Iterable[WireShare]) -> list[tuple[ObjId, bytes]]:
        """▲ Keeps in memory those of `shares` whose hash the room's log states, and returns them as (object, share), in
        the same order; the caller has them stored. Any other share is ignored, and so is one that is in memory already.
        An object's share is the secret, 32 B, without which its content keys cannot be derived. After a new share the
        items that wait are tried again."""
        out = []
        for s in shares:
            obj = ObjId(s.obj)
            expected = self._stream.state.shares.get(obj)
            if expected is None or self._shares.get(obj) == s.share:
                continue
            if expected == share_commitment(self._room, obj, s.share):
                self._shares[obj] = s.share
                self._missing.discard(obj)
                out.append((obj, s.share))
                self.untried = True
        return out

    def take_seals(self, e: int, seals: Sequence[bytes]) -> bool:
        """Tries to decrypt `seals`, each of which has the keys of epoch `e` (a generation of the room's key) encrypted
        to this person. A key counts only if its hash is the one that the epoch's log entry states. Keeps the keys that
        count, and every earlier key to which an archive key leads, in memory and in the store. True if one seal opened;
        False also if this device does not know the epoch, or lacks its person's own key log. A seal that does not open
        is skipped. A seal without the archive key does not end the search if this person may have that key.

        ▲ Of many seals only the first MAX_SEALS are tried: a server keeps no more.
        """
        epoch, log = self._stream.epochs.get(e), self._book.log(self._account.uid)
        if epoch is None or log is None:
            return False
        opened: tuple[bytes, bytes | None] | None = None
        for sealed in seals[:MAX_SEALS]:
            for puk in reversed(log.puks):
                key = self._account.puk(puk.gen)
                if key is None:
                    continue
                try:
                    opened = open_seal(self._room, epoch, self._account.uid, puk.gen, key, sealed)
                except Reject:
                    continue
                self.take_key(e, *opened)
                break
            if opened is not None and (opened[1] is not None or not epoch.has_archive or not self.has_history):
                break  # without the archive key, another seal may hold it
        return opened is not None

    def take_key(self, e: int, k: bytes, a: bytes | None) -> None:
        """Adds the content key `k` of epoch `e` (a generation of the room's key), which the caller has verified, and
        its archive key `a` (None if this device has none). Then adds every earlier epoch's key that the archive keys
        lead to; the first link that does not open ends this, without an error. Stores all keys, in a transaction of
        their own. `RoomSync.resolve` then tries the items that wait for a key again."""
        self.ring.add(e, k, a)
        self.untried = True
        at = e
        while at > 0 and self.ring.a(at) is not None:
            epoch = self._stream.epochs.get(at)
            if epoch is None:
                break
            try:
                walk_back(self._room, epoch, self._stream.epochs, self.ring)
            except Reject:
                break
            if epoch.base is None:
                break
            at = epoch.base
        self._ports.put_keys(self._room, self.ring.all())

    def take_drafted(self) -> bool:
        """Call it while this device lacks the key of the room's newest epoch (generation of its key). If this device
        made that epoch, its key is in `drafted`, the keys of epochs that this device sent to the server: then stores
        the key and returns True. False if another device made the epoch (this device's key for that number is dropped),
        if no key is drafted for it, or if the room has no epoch."""
        epoch = self._stream.epochs.get(self._stream.epoch)
        k, a = self.drafted.pop(self._stream.epoch, (b"", None))
        if epoch is None or content_commitment(self._room, epoch.e, k) != epoch.kc:
            return False
        self.take_key(epoch.e, k, a)
        return True

    def reason(self, raw: bytes) -> str | None:
        """Decrypts `raw`, the stored note with which an administrator gave the reason for a removal
        (trust/room/removal_notes.py). None if this device lacks the key, or if the note is damaged or does not
        open."""
        try:
            note = EncryptedNote.decode(raw)
            k = self.ring.k(note.epoch)
            return None if k is None else decrypt_note(k, self._room, note)
        except Reject:
            return None

    def special_key(self, obj: ObjId, e: int, kind: int) -> bytes | None:
        """The key with which the snapshots of `obj` are encrypted in epoch `e` (a generation of the room's key) if
        `kind` is SNAPSHOT (derived from the archive key A), and otherwise its attests, that is, members' signed
        confirmations of a snapshot (from the content key K). None if this device lacks that key of the epoch, or the
        object's share (its own secret)."""
        secret = self.ring.a(e) if kind == envelope.SNAPSHOT else self.ring.k(e)
        share = self.share(obj)
        return self._objects.key(secret, e, obj, share, kind) if secret is not None and share is not None else None

    def open_special(self, item: AcceptedEnvelope) -> bytes | None:
        """Decrypts `item`, a piece of a snapshot or an attest (a member's confirmation of a snapshot), and returns its
        payload. None while the key of its epoch (generation of the room's key) or the object's share (its secret) is
        missing, or if the content is gone. A missing key is then among `lacking`, a missing share is not noted. Reject
        if the content is bad."""
        self._lacking.add(item.hdr.epoch)
        if item.hdr.kind == envelope.SNAPSHOT:
            self._lacking_archive.add(item.hdr.epoch)
        key = self.special_key(item.hdr.obj, item.hdr.epoch, item.hdr.kind)
        return envelope.decrypt_op(key, item.hdr_bytes, item.ct) if key is not None and item.ct is not None else None

    def open(self, n: int, t: int, hdr: envelope.Header, hdr_bytes: bytes, ct: bytes) -> list[OpenedChange] | None:
        """Decrypts the envelope (encrypted message) at position `n`, which the server placed there at `t` (its time,
        ms), and returns its changes, in the order in which they were made; [] if it has none. `hdr_bytes` is the
        envelope's header, to which the ciphertext `ct` is bound; `hdr` is the same header, decoded. Returns None while
        this device lacks the epoch's key or the object's share (its secret), and notes what is missing for `lacking`
        and `missing_shares`, so that it is asked for. Reject "decrypt", "padding", "malformed", "encoding" or
        "oversize" if the content is not what it should be."""
        k, share = self.ring.k(hdr.epoch), self.share(hdr.obj)
        if share is None:
            self._missing.add(hdr.obj)
        if k is None:
            self._lacking.add(hdr.epoch)
        if k is None or share is None:
            return None
        payload = envelope.decrypt_op(self._objects.key(k, hdr.epoch, hdr.obj, share), hdr_bytes, ct)
        return [
            OpenedChange(
                n=n,
                t=t,
                uid=hdr.uid,
                dev=DevId(hdr.dev),
                obj=hdr.obj,
                change_id=c,
                payload=data,
                place=place,
                baseline=hdr.kind == envelope.BASELINE,
            )
            for place, (c, data) in enumerate(envelope.unpack(payload))
        ]

    def open_heartbeat(
        self, n: int, t: int, hdr: envelope.Header, hdr_bytes: bytes, ct: bytes
    ) -> OpenedHeartbeat | None:
        """Decrypts the heartbeat at position `n`, which the server placed there at `t` (its time, ms). The other
        arguments are as for `open`. None while this device lacks the key of the heartbeat's epoch, which is then
        `lacking`. Reject if the content does not open."""
        key = self.special_key(hdr.obj, hdr.epoch, hdr.kind)
        if key is None:
            self._lacking.add(hdr.epoch)
            return None
        payload = envelope.decrypt_op(key, hdr_bytes, ct)
        return OpenedHeartbeat(n=n, t=t, uid=hdr.uid, dev=DevId(hdr.dev), payload=payload)
