# SPDX-License-Identifier: EUPL-1.2
"""The people and devices that have gone over to the server: removed members, revoked devices, and members who are
bribed. They sign what no honest program makes, with keys that are or once were good, and the server places it where it
likes."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from app.core.ids import ChangeId, ObjId
from sync.client.account.account_secrets import Account
from sync.crypto.kdf import H
from sync.ids import Hash, RoomId, Uid
from sync.trust.formats.items import ENTRY, Item, Role, item_id
from sync.trust.keys.epochs import KeyRing, NewEpoch, Recipient, new_epoch, sound_base
from sync.trust.person.author import Author
from sync.trust.room import entry_rules, envelope
from sync.trust.room.entries import DOMAIN, entry_body
from sync.trust.room.envelope import ObjectKeys, PlainOp, pack, root_share, share_commitment
from sync.trust.room.room_state import Member
from tests.sync.byzantine.desk import Desk
from tests.sync.byzantine.histories import ENVELOPE, History, Triple
from tests.sync.byzantine.server import Book

OPS = ("op",) * 15 + ("snapshot", "baseline", "again")
ENTRIES = (
    "add", "add-from-now", "add-bare", "rm", "role", "epoch", "epoch-ghost", "epoch-alone", "epoch-null", "pin",
    "leave", "policy", "destroy", "prune", "hist", "cannot_open",
)  # fmt: skip


@dataclass
class Traitor:
    """One device with everything it had when it went over."""

    account: Account
    rings: dict[RoomId, KeyRing]
    seq: int = 2**20
    """The next dev_seq: far above what the device ever signed."""

    @classmethod
    def of(cls, desk: Desk) -> "Traitor":
        rings = {room: KeyRing(room, desk.store.keys(room)) for room in desk.rooms()}
        return cls(Account.decode(desk.account.encode()), rings)

    @property
    def uid(self) -> Uid:
        return self.account.uid

    def forge(self, history: History, book: Book, dice: Random, others: Sequence[Uid]) -> list[Triple]:
        """A false item, made for the end of a history."""
        what = dice.choice(OPS if dice.random() < 0.5 else ENTRIES)
        author = self._author(book, dice, old=dice.random() < 0.4)
        if dice.random() < 0.15:  # in another's name
            theirs = book.logs[dice.choice(others)]
            dev, ulog = dice.choice([*theirs.devices, author.dev]), (theirs.seq, theirs.head)
            author = Author(uid=theirs.uid, dev=dev, signing=author.signing, ulog=ulog)
        if what == "again":
            old = dice.choice([i for i in history.items if i.sig])
            return [(old.body, old.sig, old.ct)]
        if what in OPS:
            return self._op(what, history, author, dice)
        strangers = [uid for uid in book.logs if uid not in history.stream.members and book.logs[uid].ready]
        kind, payload = self._entry(what, history, book, dice.choice(others), dice.choice([self.uid, *strangers]), dice)
        s = history.stream.state
        body = entry_body(
            history.room, s.entry_seq + 1, s.entry_head, author.uid, author.dev, (history.n, history.rhs[-1]),
            author.ulog, s.t, kind, payload,
        )  # fmt: skip
        return [(body, author.signing.sign(DOMAIN, item_id(ENTRY, body)), None)]

    def _author(self, book: Book, dice: Random, *, old: bool) -> Author:
        """The device as author, by its own log as it is now or as it once was."""
        log = book.logs[self.uid]
        revoked = log.devices[self.account.dev].revoked
        once = revoked - 1 if revoked is not None else dice.randrange(2, log.seq + 1)
        seq = once if old else log.seq
        return Author(uid=self.uid, dev=self.account.dev, signing=self.account.signing, ulog=(seq, log.heads[seq]))

    # -- envelopes ---------------------------------------------------------------------------------------------------

    def _op(self, what: str, history: History, author: Author, dice: Random) -> list[Triple]:
        s, room = history.stream, history.room
        e = dice.randint(1, max(1, s.epoch)) if dice.random() < 0.35 else s.epoch
        ring = self.rings.get(room, KeyRing(room))
        held = ring.a(e) if what == "snapshot" else ring.k(e)
        share, share_c, obj = root_share(room), b"", ObjId(room)
        if dice.random() < 0.2:
            share, obj = os.urandom(32), ObjId(os.urandom(16))
            share_c = share_commitment(room, obj, share)
            history.shares[obj] = share
        kind = {"snapshot": envelope.SNAPSHOT, "baseline": envelope.BASELINE}.get(what, envelope.OP)
        key = ObjectKeys(room).key(held or bytes(32), e, obj, share, kind)
        payload = pack([(ChangeId(os.urandom(16)), b"nobody may say this")])
        n = dice.randint(1, history.n) if dice.random() < 0.2 else history.n
        self.seq += 1
        prev = s.next_prev(author.uid, author.dev)
        about = n.to_bytes(8, "big") if kind == envelope.SNAPSHOT else b""
        ops = [PlainOp(obj, key, share_c, payload, kind, about)]
        sealed = envelope.encrypt_batch(author, room, e, (n, history.rhs[n]), self.seq, prev, ops)
        return [(sealed.bodies[0], sealed.sig, sealed.cts[0])]

    # -- entries -----------------------------------------------------------------------------------------------------

    def _entry(
        self, what: str, history: History, book: Book, other: Uid, ghost: Uid, dice: Random
    ) -> tuple[str, list[object]]:
        """`other` is a member; `ghost` is no member, or the traitor."""
        s = history.stream
        log = book.logs[ghost]
        seat = Member(ghost, Role.OWNER, history.n + 1, s.t, True, Hash(bytes(32)))
        match what:
            case "add" | "add-from-now" | "add-bare":
                new = None if what == "add-bare" else self._epoch(history, book, {ghost: seat})
                block = None if new is None else new.epoch.payload()
                digest = H(new.seals[0] if new is not None and new.seals else b"")
                history_too = what != "add-from-now"
                return "add", [ghost, int(Role.OWNER), history_too, [log.seq, log.head], digest, block]
            case "rm":
                return "rm", [other, 0, b"", self._epoch(history, book, {other: None}).epoch.payload()]
            case "role":
                return "role", [self.uid, dice.randint(1, 4), None]
            case "epoch":
                return "epoch", [self._epoch(history, book, {}).epoch.payload()]
            case "epoch-ghost":
                return "epoch", [self._epoch(history, book, {ghost: seat}).epoch.payload()]
            case "epoch-alone":
                return "epoch", [self._epoch(history, book, dict.fromkeys(s.members)).epoch.payload()]
            case "epoch-null":
                new = self._epoch(history, book, {}, archive=False)
                return "epoch", [new.epoch.payload()]
            case "pin":
                theirs = book.logs[other]
                return "pin", [[[other, theirs.seq, theirs.head]]]
            case "leave":
                return "leave", [0, b""]
            case "policy":
                return "policy", [{"history": "from-now"}, None]
            case "destroy":
                obj = next(iter(s.state.shares), b"o" * 16)
                return "destroy", [obj, H(b"rule"), H(b"decision")]
            case "prune":
                return "prune", [next(iter(s.state.shares), history.room), history.n, H(b"snapshot")]
            case "hist":
                return "hist", [self.uid, next(iter(s.state.proposals), H(b"none")), None]
        return "cannot_open", [s.epoch]

    def _epoch(self, history: History, book: Book, change: entry_rules.Change, *, archive: bool = True) -> NewEpoch:
        """An epoch for any recipients, with secrets of its own; the server keeps the seals."""
        s, room = history.stream, history.room
        members = entry_rules.changed(s.members, change)
        pins = {uid: s.pins.get(uid, (book.logs[uid].seq, book.logs[uid].head)) for uid in members}
        to: list[Recipient] = entry_rules.recipients(members, pins, {}, book)
        ring = self.rings.setdefault(room, KeyRing(room))
        base = sound_base(room, s.epochs, ring) if archive else None
        new = new_epoch(room, s.epoch + 1, to, [], ring, archive=archive, base=base)
        ring.add(new.epoch.e, new.k, new.a)
        for recipient, sealed in zip(new.recipients, new.seals, strict=True):
            history.seals[new.epoch.e, recipient.uid].insert(0, sealed)
        return new


def forced(history: History, signed: Sequence[Triple], t: int, book: Book) -> list[Item]:
    """Placed without being judged."""
    kind = ENTRY if signed and signed[0][2] is None else ENVELOPE
    return history.force(kind, signed, t, book)
