# SPDX-License-Identifier: EUPL-1.2
"""Wrote tests/vectors/sync-1-*.json: examples of every format of sync/, version 1, with the secrets that open them.

Kept to show what is in them; not to be run again: a later version writes files of its own beside these.
"""

import json
import os
from pathlib import Path

from sync.client.account.account_secrets import Account
from sync.crypto import aead, passphrase, seal
from sync.crypto.encoding import enc
from sync.crypto.kdf import H, kdf
from sync.crypto.seal import KemKey
from sync.crypto.signatures import SigningKey
from sync.ids import ChangeId, ObjId, RoomId
from sync.trust.formats.items import ENTRY, Role
from sync.trust.keys.epochs import in_order, recipients_hash
from sync.trust.keys.merkle import root as merkle_root
from sync.trust.person import user_entry, user_log
from sync.trust.person.agency import Agency, SignInCode, encode_record, record_hash
from sync.trust.person.author import Author, DeviceSecrets, new_user, puk_info, puk_payload, safety_number
from sync.trust.person.escrow_key import ShareRequest, certify_escrow, escrow_id, seal_share
from sync.trust.person.recovery_sheet import RecoveryShare
from sync.trust.person.user_entry import device_id, entry_id
from sync.trust.person.user_log import UserLog
from sync.trust.room import blob_manifest, ephemeral, signed_receipts
from sync.trust.room.entries import DOMAIN, entry_body
from sync.trust.room.entry_drafts import Draft, new_room
from sync.trust.room.envelope import (
    ObjectKeys,
    PlainOp,
    encrypt_batch,
    pack,
    pad,
    padded_size,
    root_share,
    share_commitment,
)
from sync.trust.room.stream import RoomStream
from tests.sync.trust.people import NOW, Office, Room, Someone
from tests.vectors.notation import Json, show

HERE = Path(__file__).parent
REASON = "Ärendet är avslutat 🙂"


def write(name: str, value: Json) -> None:
    text = json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True)
    (HERE / f"sync-1-{name}.json").write_text(text + "\n")


# -- encoding and primitives -------------------------------------------------------------------------------------

VALUES: tuple[object, ...] = (
    0, 1, 23, 24, 255, 256, 65535, 65536, 2**32 - 1, 2**32, 2**64 - 1,
    b"", b"\x00", b"x" * 23, b"x" * 24, b"x" * 256, "", "a", "å", "Åtgärd behövs 🙂", "e\u0301",
    None, True, False, [], [1, [2, [3]]], list(range(25)), {}, {1: b"", 2: b"x", 24: b"y", 256: b"z"},
    {"b": 1, "a": 2, "aa": 3}, [None, {"name": "Registrator"}, [True, False]], [[[[[[[[]]]]]]]],
)  # fmt: skip

NOT_CANONICAL = {
    "1800": "integer not shortest", "1817": "integer not shortest", "1900ff": "integer not shortest",
    "1a0000ffff": "integer not shortest", "1b00000000ffffffff": "integer not shortest",
    "20": "negative", "3903e7": "negative", "c000": "tag", "c2420100": "bignum", "d9d9f700": "self-described",
    "f90000": "half float", "fa00000000": "float", "fb0000000000000000": "double", "f7": "undefined",
    "f0": "simple", "f8ff": "simple", "5f4101ff": "indefinite bytes", "7f6161ff": "indefinite text",
    "9fff": "indefinite array", "bfff": "indefinite map", "ff": "break", "580100": "length not shortest",
    "7801": "truncated", "61": "truncated", "8201": "truncated", "a101": "truncated", "": "empty", "0000": "trailing",
    "61ff": "not UTF-8", "63eda080": "surrogate", "a202010102": "keys out of order", "a201010102": "key twice",
    "a26161016162": "truncated map", "a2616201616102": "keys out of order", "a20101616102": "mixed key types",
    "a1410000": "bytes as key", "a1f600": "null as key", "a1f500": "bool as key", "a18000": "array as key",
    "81818181818181818100": "too deep", "9b7fffffffffffffff": "a huge count", "bb7fffffffffffffff": "a huge count",
    "5b7fffffffffffffff": "a huge length", "1c": "reserved", "fc": "reserved",
}  # fmt: skip


def encoding() -> Json:
    return {
        "good": [{"value": show(v), "hex": enc(v).hex()} for v in VALUES],
        "refused": [{"hex": h, "why": why} for h, why in NOT_CANONICAL.items()],
    }


def primitives() -> Json:
    key, message = SigningKey(bytes(range(32))), ["Åtgärd", 1, b"\xff"]
    kem, secret = KemKey(bytes(range(32, 64))), bytes(range(64, 96))
    params = passphrase.Argon2Params(salt=bytes(range(16)), memory_kib=64 * 1024, passes=1, lanes=4)
    ctx: list[object] = ["op", H(b"header")]
    return {
        "hash": [
            {"parts": [p.hex() for p in parts], "hex": H(*parts).hex()}
            for parts in ((), (b"",), (b"abc",), (b"kc", bytes(16), bytes(8), bytes(32)))
        ],
        "kdf": [
            {"key": secret.hex(), "label": label, "context": show(context), "hex": kdf(secret, label, *context).hex()}
            for label, context in (("prev", [bytes(16), 7]), ("eph", [bytes(16), 1]), ("puk-kem", []))
        ],
        "signature": {
            "seed": key.seed.hex(),
            "public": key.public.hex(),
            "domain": "op",
            "message": show(message),
            "sig": key.sign("op", message).hex(),
        },
        "bad_signing_keys": [
            *(y.to_bytes(32, "little").hex() for y in (0, 1, 2**255 - 20, 2**255 - 19, 2**255 - 18)),
            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        ],
        "aead": {
            "key": secret.hex(),
            "context": show(ctx),
            "plaintext": pad("Hej från version 1, åäö 🙂".encode()).hex(),
            "sealed": aead.encrypt(secret, ctx, pad("Hej från version 1, åäö 🙂".encode())).hex(),
        },
        "seal": {
            "seed": kem.seed.hex(),
            "public": kem.public.hex(),
            "info": b"info".hex(),
            "message": secret.hex(),
            "sealed": seal.seal_to(kem.public, b"info", secret).hex(),
        },
        "bad_sealing_keys": [(kem.public[:1184] + bytes(32)).hex(), kem.public[:-1].hex()],
        "passphrase": {
            "text": "Blåbär & grädde 🙂",
            "salt": params.salt.hex(),
            "memory_kib": params.memory_kib,
            "passes": params.passes,
            "lanes": params.lanes,
            "hex": passphrase.derive("Blåbär & grädde 🙂", params).hex(),
        },
    }


# -- a person ------------------------------------------------------------------------------------------------------


def person() -> Json:
    """A log with every type of entry, to its end by reset."""
    agency, salt = Agency(bytes(range(32))), bytes(range(16))
    record = encode_record({"name": "Handläggare", "title": "Handläggare", "unit": "Enheten för tillsyn 🙂"})
    code = SignInCode(bytes(range(100, 116)), agency.fingerprint[:16])
    digest = record_hash(salt, record)
    cert = agency.certify_invite(code.key.public, digest, NOW)
    secrets = DeviceSecrets(sign=bytes([1]) * 32, kem=bytes([2]) * 32, root=bytes([3]) * 32)
    seeds = [bytes([10 + i]) * 32 for i in range(4)]
    entries, log = new_user(secrets, code, agency.pk, cert, digest, seeds[0], NOW)
    first, first_dev = SigningKey(secrets.sign), next(iter(log.devices))
    server = SigningKey(bytes([9]) * 32)

    def add(key: SigningKey, by: bytes | str, kind: str, payload: object) -> None:
        body = user_entry.entry_body(log.uid, log.seq + 1, log.head, by, NOW, kind, payload)
        sig = key.sign(user_entry.DOMAIN, entry_id(body))
        log.apply(body, sig)
        entries.append((body, sig))

    key, kem = SigningKey(bytes([4]) * 32), KemKey(bytes([5]) * 32)
    dev = device_id(log.genesis_root_pk, key.public)
    keys = [key.public, kem.public]
    proof = key.sign("dev-proof", [log.uid, log.head, keys, first_dev])
    add(first, first_dev, "dev_add", [keys, proof, 1, seal.seal_to(kem.public, puk_info(log.uid, 1, dev), seeds[0])])
    kem2 = KemKey(bytes([6]) * 32)
    add(key, dev, "dev_rekey", [kem2.public, 1, seal.seal_to(kem2.public, puk_info(log.uid, 1, dev), seeds[0])])
    add(first, first_dev, "puk_rotate", puk_payload(log, seeds[1], seeds[0]))
    root, root2 = SigningKey(secrets.root), SigningKey(bytes([7]) * 32)
    proof = root2.sign("root-proof", [log.uid, log.head, root2.public])
    add(root, user_entry.ROOT, "root_rotate", [root2.public, proof])
    recovery, escrow = KemKey(bytes([8]) * 32), KemKey(bytes([20]) * 32)
    share = RecoveryShare(bytes(range(17)))
    sealed = seal_share(escrow.public, log.uid, 1, share)
    puk = puk_payload(log, seeds[2], seeds[1], recovery=recovery.public)
    fields = [user_log.RECOVERY_SHEET_FORMAT, recovery.public, 1, escrow_id(escrow.public), sealed, puk]
    add(root2, user_entry.ROOT, "recovery_set", fields)
    left = UserLog.replay(entries, agency.pk)
    left.devices[dev] = user_log.Device(dev, key.public, kem2.public, 3, 8, first_dev)
    add(first, first_dev, "dev_revoke", [dev, [], puk_payload(left, seeds[3], seeds[2])])
    add(agency.key, user_entry.AGENCY, "reset", [])
    account = Account(
        uid=log.uid, dev=first_dev, agency_pk=agency.pk, secrets=secrets, puk_seeds=dict(enumerate(seeds, start=1))
    )
    server_cert = agency.certify_server(server.public, NOW)
    return {
        "agency_seed": bytes(range(32)).hex(),
        "agency_pk": agency.pk.hex(),
        "agency_fingerprint": agency.fingerprint.hex(),
        "sign_in_code": code.format(),
        "sign_in_seed": code.seed.hex(),
        "invite_pk": code.key.public.hex(),
        "invite_cert": [c.hex() for c in cert],
        "record": record.hex(),
        "salt": salt.hex(),
        "record_hash": digest.hex(),
        "server_seed": server.seed.hex(),
        "server_cert": [c.hex() for c in server_cert],
        "not_after_ms": NOW,
        "device_seeds": {"sign": secrets.sign.hex(), "kem": secrets.kem.hex(), "root": secrets.root.hex()},
        "second_device": {"dev": dev.hex(), "kem_seed": kem2.seed.hex()},
        "recovery_seed": recovery.seed.hex(),
        "escrow_seed": escrow.seed.hex(),
        "escrow_cert": [c.hex() for c in certify_escrow(agency, escrow.public)],
        "share": share.format(),
        "share_secret": share.secret.hex(),
        "share_request": ShareRequest.encode(entries[:8], salt, record).hex(),
        "puk_seeds": [s.hex() for s in seeds],
        "uid": log.uid.hex(),
        "dev": first_dev.hex(),
        "entries": [{"type": user_entry.UserEntry.decode(b).type, "body": b.hex(), "sig": s.hex()} for b, s in entries],
        "heads": [h.hex() for h in log.heads],
        "safety_number": safety_number(log.genesis, H(b"another")),
        "account": account.encode().hex(),
    }


# -- a room --------------------------------------------------------------------------------------------------------


class Story:
    """A room in which every type of entry happens once, but prune, which make_states_1.py has."""

    def __init__(self) -> None:
        self.office = Office()
        names = ("Enhetschef", "Handläggare", "Registrator", "Jurist")
        self.head, self.clerk, self.guest, self.lawyer = (self.office.hire(n) for n in names)
        self.people = (self.head, self.clerk, self.guest, self.lawyer)
        self.keys: dict[int, tuple[bytes, bytes | None]] = {}
        self.seals: list[Json] = []
        self.payloads: dict[str, str] = {}
        self.shares: dict[str, str] = {}
        recovery = KemKey(bytes([77]) * 32)
        policy: dict[str, object] = {"history": "all", "recovery": [[b"R" * 16, recovery.public]]}
        draft = new_room(self.head.author, self.office.book, NOW, policy)
        self.room = Room(self.office, RoomStream(None))
        self.did(self.head, draft)

    def did(self, by: Someone, draft: Draft) -> None:
        self.room.append(by, draft)
        epoch = self.room.stream.epochs[self.room.stream.epoch]
        if draft.secrets is not None:
            self.keys[draft.secrets[0]] = draft.secrets[1:]
        for sealed in draft.seals:
            for who in self.people:
                self._kept(who, epoch.e, sealed)

    def _kept(self, who: Someone, e: int, sealed: bytes) -> None:
        ring = self.room.ring(who)
        before = (ring.k(e), ring.a(e))
        self.room.give_keys(who, Draft(room=self.room.id, entries=[], seals=[sealed]))
        k, a = ring.k(e), ring.a(e)
        if (k, a) != before and k is not None:
            self.seals.append({"epoch": e, "uid": who.uid.hex(), "sealed": sealed.hex(), "archive": a is not None})

    def entry(self, by: Someone, kind: str, payload: list[object]) -> None:
        """An entry that no draft makes yet."""
        s, a = self.room.stream, by.author
        body = entry_body(
            s.room, s.state.entry_seq + 1, s.state.entry_head, a.uid, a.dev, (s.n, s.rh), a.ulog, NOW, kind, payload
        )
        self.did(by, Draft(room=self.room.id, entries=[(body, a.signing.sign(DOMAIN, entry_ident(body)))]))

    def push_texts(self, by: Someone, *texts: str, obj: ObjId | None = None) -> None:
        """A batch of one object; a new object's first op commits to its share."""
        s, room = self.room.stream, self.room.id
        k = self.room.ring(by).k(s.epoch)
        assert k is not None
        share, share_c = root_share(room), b""
        if obj is not None:
            share = os.urandom(32)
            share_c = share_commitment(room, obj, share)
            self.shares[obj.hex()] = share.hex()
        at = obj or ObjId(room)
        key = ObjectKeys(room).key(k, s.epoch, at, share)
        changes = [(ChangeId(os.urandom(16)), t.encode()) for t in texts]
        ops = [PlainOp(at, key, share_c if i == 0 else b"", pack([c])) for i, c in enumerate(changes)]
        head = s.device_heads.get(by.author.dev)
        first = (head.dev_seq if head else 0) + 1
        n = s.n
        self.room.push(
            encrypt_batch(by.author, room, s.epoch, (n, s.rh), first, s.next_prev(by.uid, by.author.dev), ops)
        )
        for i, (change, text) in enumerate(zip(changes, texts, strict=True), start=1):
            self.payloads[str(n + i)] = change[0].hex() + ":" + text

    def play(self) -> None:
        room, head, clerk, guest, lawyer = self.room, self.head, self.clerk, self.guest, self.lawyer
        self.did(head, room.drafter(head).add(clerk.uid, Role.WRITER, history=True))
        self.push_texts(head, "Hej från version 1, åäö 🙂", "Andra raden")
        self.push_texts(clerk, "Ett dokument", obj=ObjId(b"N" * 16))
        self.did(head, room.drafter(head).add(guest.uid, Role.READER, history=False))
        self.did(head, room.drafter(head).set_role(clerk.uid, Role.ADMIN))
        self.did(clerk, room.drafter(clerk).propose("hist", guest.uid))
        proposal = next(iter(room.stream.state.proposals))
        self.did(head, room.drafter(head).approve(proposal))
        self.did(clerk, room.drafter(clerk).hist(guest.uid, proposal))
        guest.add_device()
        self.did(head, room.drafter(head).pin([guest.uid]))
        self.did(guest, room.drafter(guest).cannot_open(1))
        self.did(head, room.drafter(head).policy({"format": {"ext": [2], "kinds": [9], "types": ["x"]}}))
        self.entry(clerk, "note", [b"sealed"])
        self.entry(head, "recovery_use", [[1], [head.uid], b"sealed"])
        self.push_texts(clerk, "Utkast", obj=ObjId(b"D" * 16))
        self.did(head, room.drafter(head).destroy(b"D" * 16, H(b"rule"), H(b"decision")))
        self.did(head, room.drafter(head).add(lawyer.uid, Role.WRITER, history=True))
        self.did(lawyer, room.drafter(lawyer).leave())
        self.did(clerk, room.drafter(clerk).rotate())
        self.did(head, room.drafter(head).remove(guest.uid, reason=REASON))
        self.push_texts(clerk, "Efter den sista rotationen")


def entry_ident(body: bytes) -> bytes:
    return H("room-log", body)


def room() -> Json:
    story = Story()
    story.play()
    r, s = story.room, story.room.stream
    server = SigningKey(bytes([9]) * 32)
    receipt = signed_receipts.sign(server, s.room, s.n, s.rh, s.t)
    recipients = in_order(s.recipients(story.office.book))
    return {
        "agency_pk": story.office.agency.pk.hex(),
        "people": [
            {
                "uid": p.uid.hex(),
                "dev": p.author.dev.hex(),
                "sign_seed": p.secrets.sign.hex(),
                "puk_seed": p.puk_seed.hex(),
                "entries": [[b.hex(), g.hex()] for b, g in p.entries],
            }
            for p in story.people
        ],
        "room": s.room.hex(),
        "items": [
            {
                "n": i.n,
                "t": i.t,
                "kind": i.kind,
                "body": i.body.hex(),
                "sig": i.sig.hex(),
                "ct": None if i.ct is None else i.ct.hex(),
                "rh": r.rhs[i.n].hex(),
            }
            for i in r.items
        ],
        "epoch_keys": {str(e): [k.hex(), a.hex() if a else None] for e, (k, a) in story.keys.items()},
        "seals": story.seals,
        "shares": story.shares,
        "payloads": story.payloads,
        "reason": REASON,
        "recipients": [[x.kind, x.uid.hex(), x.ulog_seq, x.ulog_head.hex(), x.puk_gen] for x in recipients],
        "recipients_hash": recipients_hash(recipients).hex(),
        "state": s.to_bytes().hex(),
        "receipt": {"server_pk": server.public.hex(), "sig": receipt.hex()},
    }


def ephemeral_message(author: Author, room: RoomId, text: str, kind: int, to: bytes) -> Json:
    key = bytes([1]) * 32
    message = ephemeral.EphemeralSender(room).encrypt(author, 3, key, text.encode(), NOW, kind, to)
    return {
        "sign_pk": author.signing.public.hex(),
        "uid": author.uid.hex(),
        "dev": author.dev.hex(),
        "k": key.hex(),
        "epoch": 3,
        "now": NOW,
        "kind": kind,
        "to": to.hex(),
        "body": message.body.hex(),
        "sig": message.sig.hex(),
        "ct": message.ct.hex(),
        "payload": text,
    }


def pieces() -> Json:
    office = Office()
    head = office.hire("Enhetschef")
    own = RoomId(b"R" * 16)
    author: Author = head.author
    first, first_ct = blob_manifest.encrypt_part(own, bytes(range(256)) * 5, last=False)
    last, last_ct = blob_manifest.encrypt_part(own, "slutet på filen".encode(), last=True)
    manifest = blob_manifest.Manifest(first.length + last.length, (first, last))
    changes = [(ChangeId(bytes([i]) * 16), f"ändring {i}".encode()) for i in range(2)]
    leaves = [f"seal {i}".encode() for i in range(7)]
    return {
        "padding": [[n, padded_size(n)] for n in (0, 1, 256, 257, 4096, 4097, 5000, 65536, 65537, 196608, 4194304)],
        "padded": pad("Åtgärd 🙂".encode()).hex(),
        "pack": {"changes": [[c.hex(), d.hex()] for c, d in changes], "hex": pack(changes).hex()},
        "merkle": [{"leaves": [x.hex() for x in leaves[:n]], "root": merkle_root(leaves[:n]).hex()} for n in range(8)],
        "root_share": root_share(own).hex(),
        "share": {"share": (bytes([5]) * 32).hex(), "share_c": share_commitment(own, b"O" * 16, bytes([5]) * 32).hex()},
        "room": own.hex(),
        "ephemeral": ephemeral_message(author, own, "skriver … 🙂", ephemeral.TYPING, ephemeral.TO_ALL),
        "ephemeral_to": ephemeral_message(author, own, "är du på plats? å", ephemeral.PRESENCE, b"D" * 16),
        "blob": {
            "manifest": manifest.encode().hex(),
            "parts": [first_ct.hex(), last_ct.hex()],
            "plain": [(bytes(range(256)) * 5).hex(), "slutet på filen".encode().hex()],
        },
    }


if __name__ == "__main__":
    assert ENTRY == 1
    write("encoding", encoding())
    write("primitives", primitives())
    write("person", person())
    write("room", room())
    write("pieces", pieces())
