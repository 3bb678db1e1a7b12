# SPDX-License-Identifier: EUPL-1.2
"""Drafts entries, ready to be signed and sent. Each function builds what one room operation needs in the room's present
state.

Nothing here changes the stream. The server places the entry, or refuses it as a conflict, and then it is drafted again.
The author's own client accepts the placed entry like every other client.
"""

import copy
import os
from dataclasses import dataclass, field, replace

from sync.crypto.kdf import H
from sync.errors import Reject
from sync.ids import Hash, RoomId, Uid
from sync.trust.formats.items import ENTRY, RH_0, Role, item_id, room_id_of
from sync.trust.keys.epochs import KeyRing, NewEpoch, new_epoch, seal_for, sound_base
from sync.trust.person.author import Author, Entry
from sync.trust.person.log_source import UserBook
from sync.trust.room import entry_rules, totals
from sync.trust.room.entries import DOMAIN, NO_PREV, entry_body
from sync.trust.room.removal_notes import encrypt_note
from sync.trust.room.room_state import Member, RoomState
from sync.trust.room.stream import RoomStream
from sync.trust.room.successor_claim import Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """Signed `entries`, each (body, signature), that are to be appended to the log of `room` together. `seals` are the
    keys that come with them, each sealed to one recipient: those of a new epoch, or for one added member the keys in
    force. They are uploaded first, under `root`: their Merkle root, or the hash of that one seal. `secrets` are the new
    epoch's (number, content key, archive key or None), None without a new epoch."""

    room: RoomId
    entries: list[Entry]
    root: Hash | None = None
    seals: list[bytes] = field(default_factory=list)
    secrets: tuple[int, bytes, bytes | None] | None = None

    def __repr__(self) -> str:
        return f"Draft(entries={len(self.entries)}, seals={len(self.seals)})"


Pins = list[tuple[Uid, int, Hash]]


class Drafter:
    """Drafts entries for one room by one author. It uses the room's state at the moment when the Drafter is made and
    does not see what is accepted later, so a draft may be made in a thread. If the room's log has grown since, the
    server refuses the draft as a conflict, and the caller drafts again. `book` has the user logs of the members, which
    are read when an entry is drafted, `ring` the room's secret keys. `time` in ms is a claim and orders nothing."""

    def __init__(self, stream: RoomStream, author: Author, book: UserBook, ring: KeyRing, time: int) -> None:
        self._s: RoomState = copy.copy(stream.state)  # fields that a draft reads are replaced, not changed
        self._stream = stream
        self._author = author
        self._book = book
        self._ring = ring
        self._time = time

    def add(self, uid: Uid, role: Role, *, history: bool) -> Draft:
        """Drafts the entry that adds the person `uid` with a role; `history`: whether they may read what was written
        before. With history, both keys of the present epoch and no owed rotation (new keys are due, since a member or
        device is gone) this is a small entry and one seal; in every other case the entry carries a new epoch. Reject
        "not-ready" if nothing can be sealed to the person, or their user log is not here; "forbidden" if the author is
        no member or may not read the history that they give. NeedLog if a new epoch is made and a member's user log is
        not here. The author's role, the room's policy and whether `uid` is a member already are not checked here."""
        log = self._book.log(uid)
        if log is None or not log.ready:
            raise Reject("not-ready", "user log")
        ulog = log.at  # read once: another thread may apply entries
        to = log.recipient(*ulog, history)
        if to is None:  # the agency revoked a device, and there is no newer PUK generation yet
            raise Reject("not-ready", "user log")
        if history and not self._me().history:
            raise Reject("forbidden", "history")
        member = Member(uid, role, 0, 0, history, Hash(bytes(32)))
        epoch = self._s.epochs[self._s.epoch]
        k, a = self._ring.k(epoch.e), self._ring.a(epoch.e)
        if history and not self._s.rotation_owed and epoch.has_archive and k is not None and a is not None:
            sealed = seal_for(self._stream.room, epoch, to, k, a)
            digest = H(sealed)
            payload: list[object] = [uid, int(role), history, list(ulog), digest, None]
            return self._draft("add", payload, root=digest, seals=[sealed])
        new = self._new_epoch({uid: member}, {uid: ulog})
        index = next(i for i, to in enumerate(new.recipients) if to.uid == uid)
        payload = [uid, int(role), history, list(ulog), H(new.seals[index]), new.epoch.payload()]
        return self._draft("add", payload, new=new)

    def remove(self, uid: Uid, *, reason: str = "") -> Draft:
        """Drafts the entry that removes the member `uid`. It carries the next epoch (new keys of the room), which the
        removed person does not receive, and `reason`, cut after 280 code points and encrypted under that epoch's
        content key, for the members who stay. Reject "forbidden" if the author is no member, or removes themselves.
        NeedLog if a member's user log is not here. The author's role, and whether `uid` is a member, are not checked
        here: the server refuses a wrong entry."""
        new = self._new_epoch({uid: None}, {})
        note = encrypt_note(new.k, self._stream.room, new.epoch.e, self._author.uid, uid, reason)
        return self._draft("rm", [uid, 0, note, new.epoch.payload()], new=new)

    def leave(self, *, note: bytes = b"") -> Draft:
        return self._draft("leave", [0, note])

    def set_role(self, uid: Uid, role: Role) -> Draft:
        return self._draft("role", [uid, int(role), None])

    def rotate(self) -> Draft:
        """Drafts an entry with nothing but a new epoch, that is new keys for the room. The caller decides when: these
        are due since a member or a device is gone, the epoch is old enough, or a person asked for it. That is not
        checked here. Reject "forbidden" if the author is no member, NeedLog if a member's user log is not here."""
        new = self._new_epoch({}, {})
        return self._draft("epoch", [new.epoch.payload()], new=new)

    def pin(self, uids: list[Uid]) -> Draft:
        """Drafts an entry that pins the newest heads of the user logs of `uids`: up to there the logs count in the
        room, so that devices which they revoke end there too. The caller passes only persons whose log has grown beyond
        what the room has pinned: that is not checked here. Persons whose log is not available are left out; if all are,
        the entry names nobody."""
        logs = [log for log in (self._book.log(u) for u in uids) if log is not None]
        return self._draft("pin", [[[log.uid, *log.at] for log in logs]])

    def cannot_open(self, e: int) -> Draft:
        return self._draft("cannot_open", [e])

    def propose(self, what: str, subject: bytes) -> Draft:
        return self._draft("propose", [what, subject])

    def approve(self, proposal: Hash) -> Draft:
        return self._draft("approve", [proposal])

    def hist(self, uid: Uid, proposal: Hash) -> Draft:
        """Drafts the entry that gives the member `uid`, who may not read the history, the archive key of a new epoch
        and with it the history. Two administrators must have agreed before: `proposal` is the hash of the entry that
        proposed it. Reject "not-member" if `uid` is no member, "forbidden" if the author is none. NeedLog if a member's
        user log is not here. The agreement, and the author's role and history, are not checked here: the server refuses
        a wrong entry."""
        member = self._s.members.get(uid)
        if member is None:
            raise Reject("not-member")
        new = self._new_epoch({uid: replace(member, history=True)}, {})
        return self._draft("hist", [uid, proposal, new.epoch.payload()], new=new)

    def destroy(self, obj: bytes, rule: Hash, decision: Hash) -> Draft:
        return self._draft("destroy", [obj, rule, decision])

    def prune(self, obj: bytes, n: int, snapshot: Hash) -> Draft:
        """Drafts the entry that lets the server delete the content of the object with the id `obj`, up to and including
        position `n`; the snapshot with the id `snapshot`, the object's whole state, replaces it. Nothing is checked
        here: the server refuses the entry if the author is no administrator or the snapshot may not replace that
        content."""
        return self._draft("prune", [obj, n, snapshot])

    def policy(self, changes: dict[str, object]) -> Draft:
        return self._draft("policy", [changes, None])

    # -- pieces -------------------------------------------------------------------------------------------------

    def _me(self) -> Member:
        """The author of the drafts as a member of the room, with role and history. Reject "forbidden" if the author is
        not a member."""
        member = self._s.members.get(self._author.uid)
        if member is None:
            raise Reject("forbidden", "author")
        return member

    def _pins(self, more: dict[Uid, tuple[int, Hash]]) -> dict[Uid, tuple[int, Hash]]:
        """The newest known (number, hash) of the user log of each person who is or was a member: what the room has
        pinned (up to there the log counts in it), or for a member the newer head that this device knows. `more` are
        those of persons whom the entry adds. The author is always in it. A new epoch is sealed by these heads. ▲ The
        author's is no newer than the head that the entry itself states, though the log may have grown since: the epoch
        would be void ("ulog")."""
        pins = {**self._s.pins, **more}
        for uid in self._s.members:
            at = self._newest(uid)
            if at is not None and at[0] > pins[uid][0]:
                pins[uid] = at
        return pins

    def _newest(self, uid: Uid) -> tuple[int, Hash] | None:
        if uid == self._author.uid:
            return self._author.ulog
        log = self._book.log(uid)
        return log.at if log is not None else None

    def _new_epoch(self, change: entry_rules.Change, more: dict[Uid, tuple[int, Hash]]) -> NewEpoch:
        """Makes the next epoch, sealed to the members as they will be after the entry: with the newest known heads of
        their user logs pinned (stated in the entry, counting from then on) and `change` applied. `more` are the pinned
        heads of persons whom the entry adds. Every client computes the same recipients. A member whose log the agency
        has ended is left out.

        The epoch has an archive key, which opens older epochs for members with history, if the author may read the
        history, holds the keys for it and has not used up their share of long links; otherwise it has none. If no
        member may read the history then, the author may from here on, and a new archive begins. NeedLog if a member's
        log is missing. Reject "forbidden" if the author is no member now, or after the entry.
        """
        me, room = self._author.uid, self._stream.room
        pins = self._pins(more)
        moved: Pins = [(u, *pins[u]) for u in pins if pins[u] != self._s.pins.get(u) and u not in more]
        members = entry_rules.changed(
            entry_rules.without_reset(self._s.members, pins, [u for u, _, _ in moved], self._book, self._s.t), change
        )
        base = sound_base(room, self._s.epochs, self._ring) if self._me().history else None
        if base is not None and not totals.may_link(self._s, me, base):
            base = None  # ▲ the person's share of longer links is used up: an epoch without archive is never stopped
        archive = base is not None
        if me not in members:
            raise Reject("forbidden", "a member who leaves makes no epoch")
        if not any(m.history for m in members.values()):  # ▲ nobody may read history: the archive begins again here
            archive, base = True, None
            members[me] = replace(members[me], history=True)
        to = entry_rules.recipients(members, pins, self._s.policy, self._book)
        return new_epoch(room, self._s.epoch + 1, to, moved, self._ring, archive=archive, base=base)

    def _draft(
        self,
        kind: str,
        payload: list[object],
        *,
        new: NewEpoch | None = None,
        root: Hash | None = None,
        seals: list[bytes] | None = None,
    ) -> Draft:
        s, a = self._s, self._author
        body = entry_body(
            s.room, s.entry_seq + 1, s.entry_head, a.uid, a.dev, (s.n, s.rh), a.ulog, self._time, kind, payload
        )
        entry = body, a.signing.sign(DOMAIN, item_id(ENTRY, body))
        if new is None:
            return Draft(room=s.room, entries=[entry], root=root, seals=seals or [])
        secrets = (new.epoch.e, new.k, new.a)
        return Draft(room=s.room, entries=[entry], root=new.epoch.root, seals=new.seals, secrets=secrets)


def new_room(
    author: Author,
    book: UserBook,
    time: int,
    policy: dict[str, object] | None = None,
    nonce: bytes | None = None,
    origin: Origin | None = None,
) -> Draft:
    """Drafts the first two entries of a new room, to be appended together: the genesis with the room's `policy` (its
    settings by name; None for none), and its first epoch, whose only member is `author`, as owner. `nonce` (32 B,
    random by default) determines the room's id. `origin` is the stopped room that the new one continues, None if there
    is none. `time` in ms is a claim. NeedLog if the author's user log in `book` is missing or older than the head that
    `author` states; Reject "malformed" or "bad-key" for bad recovery keys in `policy`. Nothing else is checked."""
    payload: list[object] = [nonce or os.urandom(32), policy or {}, origin.field() if origin else None]
    body = entry_body(None, 0, NO_PREV, author.uid, author.dev, (0, RH_0), author.ulog, time, "genesis", payload)
    ident = item_id(ENTRY, body)
    room = room_id_of(ident)
    founder = Member(author.uid, Role.OWNER, 1, 0, True, ident)
    to = entry_rules.recipients({author.uid: founder}, {author.uid: author.ulog}, policy or {}, book)
    new = new_epoch(room, 1, to, [], KeyRing(room))
    second = entry_body(
        room, 1, ident, author.uid, author.dev, (0, RH_0), author.ulog, time, "epoch", [new.epoch.payload()]
    )
    entries = [(b, author.signing.sign(DOMAIN, item_id(ENTRY, b))) for b in (body, second)]
    return Draft(room=room, entries=entries, root=new.epoch.root, seals=new.seals, secrets=(1, new.k, new.a))
