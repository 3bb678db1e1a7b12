# SPDX-License-Identifier: EUPL-1.2
"""People and rooms for tests of signed logs, made by the real builders."""

import os
from dataclasses import dataclass, field

from sync.crypto import seal
from sync.crypto.seal import KemKey
from sync.crypto.signatures import SigningKey
from sync.errors import Reject
from sync.ids import ChangeId, DevId, ObjId, RoomId, Uid
from sync.trust.formats.items import ENTRY, ENVELOPE, Item, Role, item_id, next_rh
from sync.trust.keys.epochs import KeyRing, open_seal
from sync.trust.person.agency import Agency, SignInCode, encode_record, record_hash
from sync.trust.person.author import Author, DeviceSecrets, new_user, puk_info, puk_key, puk_payload
from sync.trust.person.user_entry import AGENCY, DOMAIN, device_id, entry_body, entry_id
from sync.trust.person.user_log import RECOVERY_SHEET_FORMAT, SHARE_SEAL_BYTES, UserLog
from sync.trust.room.entries import DOMAIN as ROOM_DOMAIN
from sync.trust.room.entries import entry_body as room_entry_body
from sync.trust.room.entry_drafts import Draft, Drafter, new_room
from sync.trust.room.envelope import EncryptedBatch, ObjectKeys, PlainOp, encrypt_batch, pack, root_share
from sync.trust.room.stream import Accepted, RoomStream

NOW = 1_795_000_000_000


class Book:
    """The logs of all persons."""

    def __init__(self) -> None:
        self.logs: dict[Uid, UserLog] = {}

    def log(self, uid: Uid) -> UserLog | None:
        return self.logs.get(uid)


@dataclass
class Someone:
    """A person with one device."""

    secrets: DeviceSecrets
    puk_seed: bytes
    log: UserLog
    entries: list[tuple[bytes, bytes]]
    rings: dict[RoomId, KeyRing] = field(default_factory=dict)
    dev: DevId | None = None

    @property
    def author(self) -> Author:
        dev = self.dev or next(iter(self.log.devices))
        return Author(
            uid=self.log.uid, dev=dev, signing=SigningKey(self.secrets.sign), ulog=(self.log.seq, self.log.head)
        )

    @property
    def uid(self) -> Uid:
        return self.log.uid

    @property
    def puk(self) -> KemKey:
        return puk_key(self.puk_seed)

    def write(self, by: bytes | str, signing: SigningKey, kind: str, payload: object) -> None:
        """Appends an entry to the person's log; the entry must be valid."""
        body = self.entry(by, signing, kind, payload)
        self.log.apply(*body)
        self.entries.append(body)

    def entry(self, by: bytes | str, signing: SigningKey, kind: str, payload: object) -> tuple[bytes, bytes]:
        """The next entry, signed, not applied."""
        body = entry_body(self.log.uid, self.log.seq + 1, self.log.head, by, NOW, kind, payload)
        return body, signing.sign(DOMAIN, entry_id(body))

    @property
    def root(self) -> SigningKey:
        return SigningKey(self.secrets.root)

    def rotate_puk(self) -> None:
        """The next generation, by this device."""
        new = os.urandom(32)
        self.write(self.author.dev, self.author.signing, "puk_rotate", puk_payload(self.log, new, self.puk_seed))
        self.puk_seed = new

    def device_payload(self, device: DeviceSecrets, by: bytes | str) -> list[object]:
        """The payload of a dev_add for a new device."""
        signing, kem = SigningKey(device.sign), KemKey(device.kem)
        keys = [signing.public, kem.public]
        proof = signing.sign("dev-proof", [self.log.uid, self.log.head, keys, by])
        dev = device_id(self.log.genesis_root_pk, signing.public)
        gen = len(self.log.puks)
        return [keys, proof, gen, seal.seal_to(kem.public, puk_info(self.log.uid, gen, dev), self.puk_seed)]

    def recovery_payload(self, recovery_pk: bytes, seed: bytes) -> list[object]:
        """The payload of a recovery_set with a new recovery key and the generation of this seed. Nobody can open its
        share."""
        number = (self.log.recovery_sheet.number if self.log.recovery_sheet is not None else 0) + 1
        puk = puk_payload(self.log, seed, self.puk_seed, recovery=recovery_pk)
        return [RECOVERY_SHEET_FORMAT, recovery_pk, number, bytes(16), bytes(SHARE_SEAL_BYTES), puk]

    def add_device(self) -> "Someone":
        """The same person at a second device, added by the first."""
        device = DeviceSecrets.fresh()
        self.write(self.author.dev, self.author.signing, "dev_add", self.device_payload(device, self.author.dev))
        return Someone(device, self.puk_seed, self.log, self.entries, self.rings, list(self.log.devices)[-1])

    def revoke(self, index: int, agency: Agency) -> None:
        """The agency revokes the person's device of this index."""
        target = list(self.log.devices)[index]
        added = [d.dev for d in self.log.devices.values() if d.by == target]
        self.write(AGENCY, agency.key, "dev_revoke", [target, added, None])


@dataclass
class Office:
    """An agency, its people and a book of their logs."""

    agency: Agency = field(default_factory=lambda: Agency(os.urandom(32)))
    book: Book = field(default_factory=Book)

    def hire(self, name: str) -> Someone:
        code = SignInCode.fresh(self.agency.pk)
        record = record_hash(b"salt" * 4, encode_record({"name": name, "title": "", "unit": "Enheten för tillsyn"}))
        cert = self.agency.certify_invite(code.key.public, record, NOW + 10**9)
        secrets, puk_seed = DeviceSecrets.fresh(), os.urandom(32)
        entries, log = new_user(secrets, code, self.agency.pk, cert, record, puk_seed, NOW)
        self.book.logs[log.uid] = log
        return Someone(secrets, puk_seed, log, entries)


def signed_ops(ops: EncryptedBatch) -> list[tuple[bytes, bytes, bytes | None]]:
    """A batch as (body, signature, ciphertext); only the tail has a signature."""
    last = len(ops.bodies) - 1
    return [(b, ops.sig if i == last else b"", c) for i, (b, c) in enumerate(zip(ops.bodies, ops.cts, strict=True))]


@dataclass
class Room:
    """A room as an honest server holds it, with every seal, and each member's key ring."""

    office: Office
    stream: RoomStream
    items: list[Item] = field(default_factory=list)
    rhs: list[bytes] = field(default_factory=lambda: [bytes(32)])
    seals: dict[tuple[int, Uid], bytes] = field(default_factory=dict)
    t: int = NOW

    @classmethod
    def founded(cls, office: Office, founder: Someone) -> "Room":
        draft = new_room(founder.author, office.book, NOW)
        room = cls(office, RoomStream(None))
        room.append(founder, draft)
        return room

    @property
    def id(self) -> RoomId:
        return self.stream.room

    def rh_at(self, n: int) -> bytes | None:
        return self.rhs[n] if n < len(self.rhs) else None

    def append(self, by: Someone, draft: Draft) -> list[Accepted]:
        """Places a draft's entries and gives its author the new epoch's keys."""
        out = []
        for body, sig in draft.entries:
            self.t += 1000
            items, accepted = self.stream.place(ENTRY, [(body, sig, None)], self.t, self.office.book, self.rh_at)
            self._keep(items)
            out += accepted
        if draft.secrets is not None:
            by.rings.setdefault(self.id, KeyRing(self.id)).add(*draft.secrets)
        return out

    def drafter(self, by: Someone) -> Drafter:
        return Drafter(self.stream, by.author, self.office.book, self.ring(by), self.t)

    def any_entry(self, by: Someone, kind: str, payload: list[object]) -> Draft:
        """An entry of any kind with any payload, which its author signed: also one that no Drafter makes."""
        s, a = self.stream.state, by.author
        body = room_entry_body(
            s.room, s.entry_seq + 1, s.entry_head, a.uid, a.dev, (s.n, s.rh), a.ulog, self.t, kind, payload
        )
        return Draft(room=s.room, entries=[(body, a.signing.sign(ROOM_DOMAIN, item_id(ENTRY, body)))])

    def ring(self, by: Someone) -> KeyRing:
        return by.rings.setdefault(self.id, KeyRing(self.id))

    def give_keys(self, to: Someone, draft: Draft) -> None:
        """Opens the seal of a draft that is for this person, as their client would."""
        epoch = self.stream.epochs[self.stream.epoch]
        for sealed in draft.seals:
            try:
                k, a = open_seal(self.id, epoch, to.uid, 1, to.puk, sealed)
            except Reject:  # another person's seal
                continue
            self.ring(to).add(epoch.e, k, a)

    def seal(self, by: Someone, *datas: bytes, seen: tuple[int, bytes] | None = None) -> EncryptedBatch:
        """A batch of ops on the root object, not placed yet."""
        s = self.stream
        k = self.ring(by).k(s.epoch)
        assert k is not None
        key = ObjectKeys(self.id).key(k, s.epoch, self.id, root_share(self.id))
        head = s.device_heads.get(by.author.dev)
        ops = [PlainOp(ObjId(self.id), key, b"", pack([(ChangeId(os.urandom(16)), d)])) for d in datas]
        prev = s.next_prev(by.uid, by.author.dev)
        return encrypt_batch(
            by.author, self.id, s.epoch, seen or (s.n, s.rh), (head.dev_seq if head else 0) + 1, prev, ops
        )

    def push(self, ops: EncryptedBatch) -> list[Accepted]:
        self.t += 1
        items, accepted = self.stream.place(ENVELOPE, signed_ops(ops), self.t, self.office.book, self.rh_at)
        self._keep(items)
        return accepted

    def join(self, by: Someone, who: Someone, role: Role = Role.WRITER, *, history: bool = True) -> Draft:
        """Adds a person and gives the keys to every member present."""
        draft = self.drafter(by).add(who.uid, role, history=history)
        self.append(by, draft)
        self.give_keys(who, draft)
        return draft

    def client(self, upto: int | None = None) -> RoomStream:
        """A client that accepted the first `upto` items, or all of them."""
        stream = RoomStream(self.id)
        stream.accept(self.items[:upto], self.office.book, self.rh_at)
        return stream

    def forced(self, kind: int, *signed: tuple[bytes, bytes, bytes | None]) -> list[Item]:
        """The items that a false server would show next, which nobody judged."""
        n = len(self.items)
        return [Item(n + 1 + i, self.t + 1, kind, body, sig, ct) for i, (body, sig, ct) in enumerate(signed)]

    def forced_ops(self, ops: EncryptedBatch) -> list[Item]:
        return self.forced(ENVELOPE, *signed_ops(ops))

    def forced_entry(self, draft: Draft) -> list[Item]:
        return self.forced(ENTRY, *[(body, sig, None) for body, sig in draft.entries])

    def _keep(self, items: list[Item]) -> None:
        for item in items:
            self.items.append(item)
            self.rhs.append(next_rh(self.rhs[-1], item.n, item.t, item.kind, item_id(item.kind, item.body)))
        assert self.rhs[-1] == self.stream.rh
