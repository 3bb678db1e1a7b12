# SPDX-License-Identifier: EUPL-1.2
"""The model: what the items of one history are worth at their own positions, written a second time from PROTOCOL.md §4
to §7.

It shares the decoders with the program and none of its rules. It reads only items that a desk has accepted, so it does
not handle what an honest server never shows (bad chains, signatures, hashes); it judges what a member may have done
wrong.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sync.crypto.encoding import enc
from sync.crypto.kdf import H
from sync.ids import Uid
from sync.trust.formats.items import ENTRY, Item
from sync.trust.keys.epochs import Epoch
from sync.trust.room.entries import RoomEntry
from sync.trust.room.envelope import Header, read_body
from sync.trust.room.payloads import Unreadable
from tests.sync.byzantine.people import Person

DAY_MS = 86_400_000
READER, WRITER, ADMIN, OWNER = 1, 2, 3, 4
LEAST = {1: WRITER, 2: WRITER, 3: ADMIN, 4: READER, 5: READER, 6: READER}


@dataclass(frozen=True, slots=True)
class Seat:
    """A membership. `admin_since`: ms by the server's time, 0 from genesis."""

    role: int
    history: bool
    n: int
    admin_since: int | None = None


@dataclass
class Ledger:
    """`read` items in order; `counts[n]` says whether the item at position n counts. `person(uid)` is the desk's copy
    of a log."""

    room: bytes
    person: Callable[[Uid], Person]
    counts: dict[int, bool] = field(default_factory=dict)
    seats: dict[Uid, Seat] = field(default_factory=dict)
    pins: dict[Uid, int] = field(default_factory=dict)
    archives: dict[int, bool] = field(default_factory=dict)
    owes_rotation: bool = True
    policy: dict[str, Any] = field(default_factory=dict)
    open: dict[bytes, tuple[str, Uid, bytes, bool]] = field(default_factory=dict)
    """Proposals: what is proposed, by whom, about whom, and whether another administrator has agreed."""
    gone: set[bytes] = field(default_factory=set)
    begun: set[bytes] = field(default_factory=set)
    owner: dict[bytes, Uid] = field(default_factory=dict)
    seen: dict[bytes, int] = field(default_factory=dict)
    marks: Counter[tuple[Uid, int, int]] = field(default_factory=Counter)
    after: dict[int, tuple[frozenset[Uid], dict[Uid, int]]] = field(default_factory=dict)
    """Members and pins after each entry that counts."""
    epochs: dict[int, bytes] = field(default_factory=dict)
    """kc of each epoch that counts, by position."""
    _batch: list[tuple[Item, Header]] = field(default_factory=list)

    @property
    def epoch(self) -> int:
        return max(self.archives, default=0)

    def read(self, items: Iterable[Item]) -> None:
        for item in items:
            if item.kind == ENTRY:
                self._entry(item)
                continue
            self._batch.append((item, Header.decode(read_body(item.body)[0])))
            if item.sig:
                batch, self._batch = self._batch, []
                self._envelopes(batch)

    # -- who -------------------------------------------------------------------------------------------------------

    def _may_speak(self, uid: Uid, dev: bytes, ulog: tuple[int, bytes], first: bool) -> bool:
        who = self.person(uid)
        if not who.stood(dev, ulog[0]) or self.owner.get(dev, uid) != uid:
            return False
        if not first and uid not in self.seats:
            return False
        return ulog[0] >= self.pins.get(uid, 0) and who.active(dev, ulog[0])

    def _spoke(self, uid: Uid, dev: bytes, seq: int, t: int) -> None:
        self._pin([(uid, seq)], t)
        self.owner.setdefault(dev, uid)

    def _pin(self, heads: Sequence[tuple[Uid, int]], t: int) -> None:
        left = []
        for uid, seq in heads:
            before = self.pins[uid]
            if seq > before:
                self.pins = {**self.pins, uid: seq}
                lost = self.person(uid).lost_device(before, seq)
                self.owes_rotation = self.owes_rotation or (lost and uid in self.seats)
                left += [uid] if uid in self.seats and self.person(uid).over(seq) else []
        if left:
            self._without(left, t)
            self.owes_rotation = True

    def _without(self, uids: Sequence[Uid], t: int) -> None:
        self.seats = {u: s for u, s in self.seats.items() if u not in uids}
        self._close_proposals(uids)
        if not any(s.role == OWNER for s in self.seats.values()):
            for role in (ADMIN, WRITER):
                heirs = [(s.n, u) for u, s in self.seats.items() if s.role == role]
                if heirs:
                    heir = self.seats[min(heirs)[1]]
                    since = t if heir.admin_since is None else heir.admin_since
                    self.seats[min(heirs)[1]] = replace(heir, role=OWNER, admin_since=since)
                    return

    def _close_proposals(self, uids: Iterable[Uid]) -> None:
        self.open = {i: p for i, p in self.open.items() if p[0] != "hist" or p[2] not in set(uids)}

    def _close_orphans(self) -> None:
        """A proposal that nobody agreed to ends when its proposer is no longer an administrator."""
        admins = {uid for uid, seat in self.seats.items() if seat.role >= ADMIN}
        self.open = {i: p for i, p in self.open.items() if p[3] or p[1] in admins}

    # -- envelopes ---------------------------------------------------------------------------------------------------

    def _envelopes(self, batch: Sequence[tuple[Item, Header]]) -> None:
        hdr = batch[0][1]
        member, speaks = hdr.uid in self.seats, self._may_speak(hdr.uid, hdr.dev, hdr.ulog, False)
        for item, at in batch:
            self.counts[item.n] = speaks and self._counts(at) and self._few(at, item.t)
            if self.counts[item.n] and at.share_c:
                self.begun.add(at.obj)
        if member and self.owner.get(hdr.dev, hdr.uid) == hdr.uid and self.person(hdr.uid).stood(hdr.dev, hdr.ulog[0]):
            self.seen[hdr.dev] = batch[-1][1].seen[0]
        if any(self.counts[item.n] for item, _ in batch):
            self._spoke(hdr.uid, hdr.dev, hdr.ulog[0], batch[-1][0].t)
            self._close_orphans()

    def _few(self, hdr: Header, t: int) -> bool:
        """Heartbeats and similar envelopes, by the day; attests count only of snapshots, which nobody makes here."""
        if hdr.kind in (5, 6):
            self.marks[hdr.uid, hdr.kind, t // DAY_MS] += 1
            return self.marks[hdr.uid, hdr.kind, t // DAY_MS] <= (16 if hdr.kind == 5 else 256)
        return hdr.kind != 4

    def _counts(self, hdr: Header) -> bool:
        known = hdr.obj == self.room or hdr.obj in self.begun
        begins = hdr.kind == 1 and hdr.obj != self.room and not known
        return (
            hdr.kind in LEAST
            and not hdr.even_ext
            and (hdr.flags, hdr.suite) == (0, 2)
            and self.seats[hdr.uid].role >= LEAST[hdr.kind]
            and not self.owes_rotation
            and hdr.epoch == self.epoch
            and not (hdr.kind == 2 and not self.archives[self.epoch])
            and hdr.obj not in self.gone
            and bool(hdr.share_c) == begins
            and (known or begins)
        )

    # -- entries -----------------------------------------------------------------------------------------------------

    def _entry(self, item: Item) -> None:
        entry = RoomEntry.decode(item.body, lenient=True)
        kept = {name: getattr(self, name) for name in ("seats", "pins", "owes_rotation", "policy", "open", "archives")}
        ok = self._may_speak(entry.uid, entry.dev, entry.ulog, item.n == 1)
        ok = ok and not isinstance(entry.payload, Unreadable) and entry.seen[0] >= self.seen.get(entry.dev, 0)
        ok = ok and self._allowed(entry) and self._rule(entry, item)
        self.counts[item.n] = ok
        if not ok:
            for name, value in kept.items():
                setattr(self, name, value)
            return
        self._spoke(entry.uid, entry.dev, entry.ulog[0], item.t)
        self._close_orphans()
        self.seen[entry.dev] = entry.seen[0]
        self.after[item.n] = frozenset(self.seats), self.pins
        if entry.epoch is not None:
            self.epochs[item.n] = entry.epoch.kc

    def _allowed(self, entry: RoomEntry) -> bool:
        if not self.owes_rotation or entry.type == "genesis" or entry.epoch is not None:
            return True
        p: Any = entry.payload
        lowers = entry.type == "role" and p.uid in self.seats and p.role < self.seats[p.uid].role
        return lowers or entry.type in ("leave", "pin", "cannot_open")

    def _rule(self, entry: RoomEntry, item: Item) -> bool:
        p: Any = entry.payload
        me = self.seats.get(entry.uid, Seat(0, False, 0))
        match entry.type:
            case "genesis":
                self.policy = dict(p.policy)
                self.seats = {entry.uid: Seat(OWNER, True, item.n, 0)}
                self.pins = {entry.uid: entry.ulog[0]}
                return self.person(entry.uid).ready(entry.ulog[0])
            case "add":
                return self._add(entry, item, p, me)
            case "rm":
                if p.uid == entry.uid or not self._may_touch(me, p.uid):
                    return False
                self._close_proposals([p.uid])
                return self._epoch(entry, item, p.epoch, {p.uid: None})
            case "leave":
                self.seats = {u: s for u, s in self.seats.items() if u != entry.uid}
                self._close_proposals([entry.uid])
                self.owes_rotation = True
                return me.role < OWNER or any(s.role == OWNER for s in self.seats.values())
            case "role":
                return self._set_role(entry, item, p, me)
            case "policy":
                if me.role < ADMIN or {"history", "recovery"} & p.changes.keys() or "format" in p.changes:
                    return False  # nobody here changes a format, and a strict room must stay strict
                return self._epoch(entry, item, p.epoch, {})
            case "epoch":
                return me.role >= WRITER and self._epoch(entry, item, p.epoch, {})
            case "pin":
                before = self.pins
                return self._pinned(p.pins, item.t) and self.pins != before
            case "propose":
                self.open = {**self.open, entry.ident: (p.what, entry.uid, p.subject, False)}
                return me.role >= ADMIN
            case "approve" | "hist":
                return self._agreed(entry, item, p, me)
            case "note":
                return me.role >= WRITER
            case "cannot_open":
                return p.e in self.archives
            case "destroy":
                right = me.role >= ADMIN and p.obj in self.begun
                self.gone |= {p.obj} if right else set()
                return right
        return False  # a prune, behind snapshots that nobody makes here; a recovery that no policy names

    def _pinned(self, pins: Sequence[tuple[Uid, int, bytes]], t: int) -> bool:
        for uid, seq, head in pins:
            if uid not in self.pins or self.person(uid).heads[seq : seq + 1] != [head]:
                return False
        self._pin([(uid, seq) for uid, seq, _ in pins], t)
        return True

    def _may_touch(self, me: Seat, uid: Uid) -> bool:
        seat = self.seats.get(uid)
        owners = sum(s.role == OWNER for s in self.seats.values())
        return seat is not None and me.role >= ADMIN and (seat.role < OWNER or (me.role == OWNER and owners > 1))

    def _add(self, entry: RoomEntry, item: Item, p: Any, me: Seat) -> bool:
        who, seq = self.person(p.uid), p.ulog[0]
        if me.role < ADMIN or p.role > me.role or p.uid in self.seats or seq < self.pins.get(p.uid, 0):
            return False
        if who.heads[seq : seq + 1] != [p.ulog[1]] or not who.ready(seq) or who.generation(seq) is None:
            return False
        if p.history and (not me.history or self.policy.get("history") == "from-now"):
            return False
        archive = p.epoch.has_archive if p.epoch is not None else self.archives[self.epoch]
        if (p.epoch is None and not p.history) or (p.history and not archive):
            return False
        self.pins = {**self.pins, p.uid: seq}
        seat = Seat(int(p.role), p.history, item.n, item.t if p.role >= ADMIN else None)
        return self._epoch(entry, item, p.epoch, {p.uid: seat})

    def _set_role(self, entry: RoomEntry, item: Item, p: Any, me: Seat) -> bool:
        seat = self.seats.get(p.uid)
        if seat is None or p.role > me.role:
            return False
        last = seat.role == OWNER and sum(s.role == OWNER for s in self.seats.values()) == 1
        lowers_own = p.uid == entry.uid and p.role < me.role and not (last and me.role >= ADMIN)
        if not self._may_touch(me, p.uid) and not lowers_own:
            return False
        since = None if p.role < ADMIN else item.t if seat.admin_since is None else seat.admin_since
        made = replace(seat, role=int(p.role), admin_since=since)
        ok = self._epoch(entry, item, p.epoch, {p.uid: made})
        self.owes_rotation = self.owes_rotation or (p.epoch is None and p.role < seat.role)
        return ok

    def _agreed(self, entry: RoomEntry, item: Item, p: Any, me: Seat) -> bool:
        found = self.open.get(p.proposal)
        if found is None or me.role < ADMIN:
            return False
        what, by, subject, agreed = found
        if entry.type == "approve":
            seasoned = me.admin_since is not None and (me.admin_since == 0 or item.t - me.admin_since >= 7 * DAY_MS)
            proposer = self.seats.get(by)
            self.open = {**self.open, p.proposal: (what, by, subject, True)}
            self.policy = {**self.policy, "history": subject.decode()} if what == "history" else self.policy
            self.owes_rotation = self.owes_rotation or what == "recovery"
            return seasoned and by != entry.uid and not agreed and proposer is not None and proposer.role >= ADMIN
        seat = self.seats.get(p.uid)
        archive = p.epoch.has_archive if p.epoch is not None else self.archives[self.epoch]
        if not me.history or not agreed or what != "hist" or subject != p.uid or seat is None or not archive:
            return False
        self.open = {i: q for i, q in self.open.items() if i != p.proposal}
        return self._epoch(entry, item, p.epoch, {p.uid: replace(seat, history=True)})

    # -- epochs ------------------------------------------------------------------------------------------------------

    def _epoch(self, entry: RoomEntry, item: Item, epoch: Epoch | None, change: dict[Uid, Seat | None]) -> bool:
        author, held = entry.uid, self.seats[entry.uid].history
        if epoch is not None:
            own = [(author, *entry.ulog)]
            if epoch.e != self.epoch + 1 or any(u == author and seq > entry.ulog[0] for u, seq, _ in epoch.pins):
                return False
            if not self._pinned([*own, *epoch.pins], item.t):
                return False
        self.seats = {u: s for u, s in {**self.seats, **change}.items() if s is not None}
        if epoch is None:
            return True
        readers = any(s.history for s in self.seats.values())
        if epoch.has_archive and epoch.base is None:
            if readers and epoch.e != 1:
                return False
            self.seats = {**self.seats, author: replace(self.seats[author], history=True)}
        elif epoch.has_archive and not (held and self.archives.get(epoch.base or 0)):
            return False
        if not epoch.has_archive and epoch.e == 1:
            return False
        rows = []
        for uid in self.seats:
            gen = self.person(uid).generation(self.pins[uid])
            if gen is not None:
                rows.append([1, uid, self.pins[uid], self.person(uid).heads[self.pins[uid]], gen])
        if epoch.recip != H(enc(sorted(rows, key=enc))) or epoch.count != len(rows) or epoch.unsealed:
            return False
        self.archives, self.owes_rotation = {**self.archives, epoch.e: epoch.has_archive}, False
        return True
