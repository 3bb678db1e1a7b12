# SPDX-License-Identifier: EUPL-1.2
"""A room's single stream, judged position by position (protocol §4) by the same rules at every client and at the
server.

What a member did wrong is void: it keeps its position and is never applied. What only a false server could show (a gap,
a bad hash, signature or chain, another history) is a Reject, and then nothing of the slice is applied.
"""

import copy
from collections import deque
from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

from sync.crypto.signatures import verify
from sync.errors import Reject
from sync.ids import Hash, ObjId, RoomId, Uid
from sync.pieces import finished
from sync.protocol.version import MAX_BATCH_ITEMS, MAX_TIME_MS
from sync.trust.formats.items import ENTRY, ENVELOPE, RH_0, Item, Role, item_id, next_rh, room_id_of
from sync.trust.keys.epochs import Epoch, Recipient
from sync.trust.person.log_source import UserBook
from sync.trust.room import entries, entry_rules, envelope, snapshots, totals
from sync.trust.room.accepted import Accepted, AcceptedEntry, AcceptedEnvelope, heir_of
from sync.trust.room.entries import RoomEntry
from sync.trust.room.envelope import Header
from sync.trust.room.envelope_rules import check_chain, check_content, judge
from sync.trust.room.item_authors import author_of, pin_author
from sync.trust.room.payloads import Destroy, Prune, Unreadable
from sync.trust.room.room_policy import enables
from sync.trust.room.room_state import DeviceHead, Member, Missing, RoomState
from sync.trust.room.state_codec import StateCodec, decoding_state
from sync.trust.room.used_totals import EVERYBODY, NOTHING, Used

__all__ = ["MAX_T", "Accepted", "AcceptedEntry", "AcceptedEnvelope", "RhAt", "RoomStream"]

_RECENT = 4096
MAX_T = MAX_TIME_MS
_ABOUT_STATES = (envelope.SNAPSHOT, envelope.BASELINE, envelope.ATTEST)
_Undo = tuple[dict[Any, Any], bytes | int, Any]


RhAt = Callable[[int], bytes | None]
"""Gets an old position and returns the running hash there, from the store; None if the store does not have it."""


class RoomStream:
    """The verified beginning of one room's stream: judges each next item and keeps the state after the last one. Not
    thread-safe; `accept` may run in a thread while no other code uses the stream."""

    def __init__(self, room: RoomId | None, state: RoomState | None = None, codec: StateCodec | None = None) -> None:
        """A stream of the given room (None: the room that its genesis makes), at position 1 or after `state`. `codec`
        is the codec that already has the bytes of `state`, None for a new one."""
        self.state = state or RoomState()
        self._expected = room
        self._codec = codec or StateCodec()
        self._touched: dict[bytes, None] = {}
        self._used: dict[bytes, None] = {}
        self._undo: list[_Undo] = []
        self._recent: deque[Hash] = deque(maxlen=_RECENT)
        """The running hashes of the last positions, up to `state.n`."""
        if self.state.n:
            self._recent.append(self.state.rh)

    @classmethod
    def from_bytes(cls, data: bytes) -> "RoomStream":
        return finished(cls.reading(data))

    @classmethod
    def reading(cls, data: bytes) -> Generator[None, None, "RoomStream"]:
        """Reads `data`, the state that `to_bytes` made: a generator that stops after each piece of about 2 ms and
        returns the stream at the end. Reject "format" for another version; for damaged bytes any error."""
        state, codec = yield from decoding_state(data)
        return cls(state.room, state, codec)

    def to_bytes(self) -> bytes:
        """Encodes the room's state after the newest accepted position, to be stored and read by `from_bytes`. Encodes
        again only what has changed since the last call. Reject "oversize" above 64 MiB."""
        data = self._codec.encode(self.state, self._touched, self._used)
        self._touched.clear()
        self._used.clear()
        return data

    # -- state for readers ---------------------------------------------------------------------------------------

    @property
    def room(self) -> RoomId:
        return self.state.room

    @property
    def n(self) -> int:
        return self.state.n

    @property
    def rh(self) -> Hash:
        return self.state.rh

    @property
    def t(self) -> int:
        return self.state.t

    @property
    def members(self) -> dict[Uid, Member]:
        return self.state.members

    @property
    def epoch(self) -> int:
        return self.state.epoch

    @property
    def epochs(self) -> dict[int, Epoch]:
        return self.state.epochs

    @property
    def rotation_owed(self) -> bool:
        return self.state.rotation_owed

    @property
    def pins(self) -> dict[Uid, tuple[int, Hash]]:
        return self.state.pins

    @property
    def device_heads(self) -> dict[bytes, DeviceHead]:
        return self.state.device_heads

    def role_of(self, uid: Uid) -> Role | None:
        member = self.state.members.get(uid)
        return member.role if member else None

    def next_prev(self, uid: Uid, dev: bytes) -> bytes:
        """▲ The id that the next envelope of the device `dev` of `uid` must name as the one before: that of its own
        last envelope or of the entry that last added its person, whichever is later. Zeros if there is neither."""
        head, member = self.state.device_heads.get(dev), self.state.members.get(uid)
        if member is None or (head is not None and head.n > member.since_n):
            return head.ident if head else bytes(32)
        return member.add_id

    def recent(self, count: int) -> list[Hash]:
        """The running hashes of the last `count` accepted positions, oldest first; at most the last 4096."""
        return list(islice(reversed(self._recent), count))[::-1]

    def recipients(self, book: UserBook) -> list[Recipient]:
        """The recipients of the room's next epoch by its present state, at the pinned heads."""
        return entry_rules.recipients(self.state.members, self.state.pins, self.state.policy, book)

    def may_be_gone(self, obj: ObjId, n: int) -> bool:
        """▲ Whether the content at position `n`, of the object `obj`, may rightly be missing: the object is destroyed,
        or pruned up to there. Otherwise the server withholds it."""
        return obj in self.state.destroyed or n <= self.state.pruned.get(obj, 0)

    def withheld(self) -> list[int]:
        """▲ Positions whose content is missing without a reason, in the order in which that was noticed. The caller
        asks when everything up to the server's head is judged, since the destroy or prune that explains a missing
        content may come after it."""
        return list(self.state.missing)

    # -- taking items in ----------------------------------------------------------------------------------------

    def accept(
        self, items: Sequence[Item], book: UserBook, rh_at: RhAt | None = None, *, headers_only: bool = False
    ) -> list[Accepted]:
        """Judges `items`, the room's next ones, in order and takes in all of them or none; returns them with their
        verdicts. `book` has the user logs. `rh_at` is given an old position and returns the running hash there, or
        None: items of authors who lag behind state it. With `headers_only` their content was not requested and does not
        count as missing; the caller requests it later and checks it against the running hash. Reject for what an honest
        server never shows, and "format" if the room needs a newer program. NeedLog if a user log must be fetched first;
        the caller then calls again."""
        saved = self._save()
        try:
            return self._accept_all(items, book, rh_at, strict=False, headers_only=headers_only)
        except BaseException:
            self._restore(saved)
            raise

    def place(
        self, kind: int, signed: Sequence[tuple[bytes, bytes, bytes | None]], t: int, book: UserBook, rh_at: RhAt
    ) -> tuple[list[Item], list[Accepted]]:
        """At the server: gives `signed` items of one `kind`, each (body, sig, ct), the next positions at time `t` (ms;
        at least the last position's). Returns them with their positions, and verdicts. If one is refused, none is
        placed: by a Reject, which for an item that would be void has that reason as its code, or by NeedLog if a user
        log must be fetched first. `rh_at` is given an old position and returns the running hash there, or None."""
        t = max(t, self.state.t)
        items = [Item(self.state.n + 1 + i, t, kind, body, sig, ct) for i, (body, sig, ct) in enumerate(signed)]
        saved = self._save()
        try:
            return items, self._accept_all(items, book, rh_at, strict=True)
        except BaseException:
            self._restore(saved)
            raise

    def _save(self) -> tuple[RoomState, int, int]:
        """Returns the state for `_restore`, and how many device heads and persons' use have changed since `to_bytes`.
        These, shares and missing content grow to tens of thousands of rows, so they are changed in place, and a
        journal, begun here, records how to change them back. Of the other fields the old references are enough."""
        self._undo.clear()
        return copy.copy(self.state), len(self._touched), len(self._used)

    def _restore(self, saved: tuple[RoomState, int, int]) -> None:
        for where, key, old in reversed(self._undo):
            if old is None:
                del where[key]
            else:
                where[key] = old
        taken = self.state.n
        self.state, touched, used = saved
        while len(self._touched) > touched:
            self._touched.popitem()
        while len(self._used) > used:
            self._used.popitem()
        for _ in range(min(taken - self.state.n, len(self._recent))):
            self._recent.pop()
        if not self._recent and self.state.n:
            self._recent.append(self.state.rh)

    def _put(self, where: dict[Any, Any], key: bytes | int, value: object) -> None:
        self._undo.append((where, key, where.get(key)))
        where[key] = value

    def _accept_all(
        self, items: Sequence[Item], book: UserBook, rh_at: RhAt | None, *, strict: bool, headers_only: bool = False
    ) -> list[Accepted]:
        out: list[Accepted] = []
        at = 0
        while at < len(items):
            if items[at].kind == ENTRY:
                out.append(self._entry(items[at], book, rh_at, strict=strict))
                at += 1
                continue
            end = at
            while end < len(items) and items[end].kind == ENVELOPE and not items[end].sig:
                end += 1
            if end == len(items) or items[end].kind != ENVELOPE or end - at >= MAX_BATCH_ITEMS:
                raise Reject("batch", f"position {items[at].n}")
            out += self._batch(items[at : end + 1], book, rh_at, strict=strict, headers_only=headers_only)
            at = end + 1
        return out

    def _step(self, item: Item, ident: Hash) -> None:
        """Moves position, time and running hash on past `item`, whose id is `ident`, after its verdict (also void)."""
        s = self.state
        s.rh = next_rh(s.rh, item.n, item.t, item.kind, ident)
        s.n, s.t = item.n, item.t
        self._recent.append(s.rh)

    def _check_position(self, item: Item) -> None:
        if item.n != self.state.n + 1:
            raise Reject("gap", f"position {item.n}")
        if not self.state.t <= item.t <= MAX_T:
            raise Reject("time", f"position {item.n}")

    # -- entries ------------------------------------------------------------------------------------------------

    def _entry(self, item: Item, book: UserBook, rh_at: RhAt | None, *, strict: bool) -> AcceptedEntry:
        self._check_position(item)
        if item.ct is not None:
            raise Reject("malformed", f"position {item.n}")
        entry = RoomEntry.decode(item.body, lenient=not strict)
        self._check_place(entry, item.n, strict=strict)
        s = self.state
        device, void = author_of(s, entry.uid, entry.dev, entry.ulog, book, item.n)
        if device is not None:
            verify(device.sign_pk, entries.DOMAIN, entry.ident, item.sig)
            self._check_seen(entry.seen, item.n, rh_at)
            head = s.device_heads.get(entry.dev)
            if void is None and head is not None and entry.seen[0] < head.seen_n:
                void = "stale"
        if void is None and isinstance(entry.payload, Unreadable) and enables(s.policy, entry.payload.needs):
            raise Reject("format", ", ".join(entry.payload.needs))
        before, keep = copy.copy(s), totals.knows_or_takes_device(s, entry.uid, entry.dev)
        if void is None:
            void = entry_rules.apply_entry(s, entry, item.n, item.t, book)
            void = void or totals.judge_entry(before, s, entry, book, known=keep)
            if void is not None:
                self.state = s = before
        if void is not None and (strict or item.n <= 2):  # a room that nobody founded is no room
            raise Reject(void, f"position {item.n}")
        if void is None:
            pin_author(s, entry.uid, entry.dev, entry.ulog, book, item.t, keep=keep)
            self._explain_missing(entry)
            self._count_entry(before, entry, book)
            head = s.device_heads.get(entry.dev) or DeviceHead(0, bytes(32), 0, 0)
            if keep:
                self._move_head(entry.uid, entry.dev, replace(head, seen_n=entry.seen[0]))
        s.entry_seq, s.entry_head = entry.seq, entry.ident
        self._step(item, entry.ident)
        return AcceptedEntry(item.n, item.t, entry, void, heir_of(before.members, self.state.members, entry))

    def _check_place(self, entry: RoomEntry, n: int, *, strict: bool) -> None:
        """Checks the room and the number of an entry at position `n`, and that the room begins with a genesis and its
        founder's first epoch. Sets the room's id. Reject "chain" ("conflict" if `strict`, at the server), "order" or
        "other-room"."""
        s = self.state
        if entry.seq != s.entry_seq + 1 or entry.prev != s.entry_head:
            raise Reject("conflict" if strict else "chain", f"position {n}")
        if (entry.type == "genesis") != (n == 1) or (entry.room is None) != (n == 1):
            raise Reject("order", f"position {n}")
        if n == 2 and (entry.type != "epoch" or entry.uid not in s.members):
            raise Reject("order", f"position {n}")
        if entry.room is None:
            s.room = room_id_of(entry.ident)
            if self._expected is not None and s.room != self._expected:
                raise Reject("other-room", "genesis")
        elif entry.room != s.room:
            raise Reject("other-room", f"position {n}")

    def _move_head(self, uid: Uid, dev: bytes, head: DeviceHead) -> None:
        if dev not in self.state.device_heads:
            self._count(uid, {"devices": 1})
        self._put(self.state.device_heads, dev, head)
        self._touched[dev] = None

    # -- what each person has used (totals.py) ------------------------------------------------------------------

    def _count(self, uid: Uid, more: dict[str, int]) -> None:
        """Adds `more`, numbers by the fields of `Used` (also below 0), to what the person `uid` has used of the room's
        totals, and to the sums of all persons. Called only after the verdict, since these are changed in place."""
        for who in (uid, EVERYBODY) if more else ():
            self._put_used(who, totals.add(self.state.used.get(who, NOTHING), more))

    def _put_used(self, uid: Uid, used: Used) -> None:
        self._put(self.state.used, uid, used)
        self._used[uid] = None

    def _count_entry(self, before: RoomState, entry: RoomEntry, book: UserBook) -> None:
        s = self.state
        self._count(entry.uid, totals.counted_entry(before, s, entry, book))
        if s.snapshots is not before.snapshots and isinstance(entry.payload, Destroy | Prune):
            self._count_snapshots(before, entry.payload.obj)

    def _count_snapshots(self, before: RoomState, obj: ObjId) -> None:
        grown = totals.snapshots_between(before.snapshots.get(obj, ()), self.state.snapshots.get(obj, ()))
        for uid, n in grown.items():
            self._count(uid, {"snapshots": n})

    def _explain_missing(self, entry: RoomEntry) -> None:
        s = self.state
        if s.missing and entry.type in ("destroy", "prune"):
            left = ((n, obj) for n, obj in s.missing.items() if not self.may_be_gone(ObjId(obj), n))
            s.missing = Missing(left)

    # -- envelopes ----------------------------------------------------------------------------------------------

    def _batch(
        self, items: Sequence[Item], book: UserBook, rh_at: RhAt | None, *, strict: bool, headers_only: bool
    ) -> list[Accepted]:
        """▲ Judges one device's batch of envelopes, each of which names the one before; the last is signed. Nothing is
        applied before that signature is verified. Returns them with their verdicts. With `strict` (at the server) a
        void one is a Reject; with `headers_only` content that is not here does not count as missing. `rh_at` is given
        an old position and returns the running hash there, or None. Reject for a false signature, chain, content or
        history; NeedLog if the author's log is missing."""
        bodies = [envelope.read_body(item.body) for item in items]
        headers = [Header.decode(hdr) for hdr, _, _ in bodies]
        idents = [item_id(ENVELOPE, item.body) for item in items]
        first, n = headers[0], items[0].n
        device, void = author_of(self.state, first.uid, first.dev, first.ulog, book, n)
        if device is not None:
            verify(device.sign_pk, envelope.DOMAIN, idents[-1], items[-1].sig)
        keep = totals.knows_or_takes_device(self.state, first.uid, first.dev)
        void = void or (None if keep else "total")
        # nothing is kept of a former member, or of a device beyond its person's share, so nothing can be chained;
        # all of it is void
        chained = keep and device is not None and first.uid in self.state.members
        start = self.next_prev(first.uid, first.dev) if chained else None
        check_chain(self.state, headers, idents, n, start=start, strict=strict)
        out: list[Accepted] = []
        seen: tuple[int, bytes] | None = None
        for item, (hdr_bytes, digest, length), hdr, ident in zip(items, bodies, headers, idents, strict=True):
            self._check_position(item)
            check_content(item, hdr, self.state.room, digest, length, strict=strict)
            if device is not None and hdr.seen != seen:
                self._check_seen(hdr.seen, item.n, rh_at)
                seen = hdr.seen
            why = void or judge(self.state, hdr, length, item.t)
            if why is not None and strict:
                raise Reject(why, f"position {item.n}")
            if why is None:
                self._take(item, hdr, ident, headers_only=headers_only)
            self._step(item, ident)
            out.append(AcceptedEnvelope(item.n, item.t, ident, hdr, hdr_bytes, item.ct, why))
        if chained:
            last = headers[-1]
            self._move_head(last.uid, last.dev, DeviceHead(last.dev_seq, idents[-1], items[-1].n, last.seen[0]))
        if any(a.void is None for a in out):  # once and at the end: what the pin states must not split a batch
            pin_author(self.state, first.uid, first.dev, first.ulog, book, items[-1].t, keep=True)
        return out

    def _take(self, item: Item, hdr: Header, ident: Hash, *, headers_only: bool) -> None:
        """Applies an envelope that is not void, with the id `ident`, to the room's snapshots, objects and use of the
        totals. Notes content that is not here as missing, unless `headers_only` or a destroy or prune explains it."""
        s = self.state
        if hdr.kind in _ABOUT_STATES:
            before = copy.copy(s)
            snapshots.note(s, item.n, item.t, ident, hdr)
            self._count_snapshots(before, hdr.obj)
        used = s.used.get(hdr.uid, NOTHING)
        counted = totals.counted_envelope(used, hdr, item.t)
        if counted is not used:
            self._put_used(hdr.uid, counted)
        if hdr.share_c:
            self._put(s.shares, hdr.obj, hdr.share_c)
        if item.ct is None and not headers_only and not self.may_be_gone(hdr.obj, item.n):
            self._put(s.missing, item.n, hdr.obj)

    def _check_seen(self, seen: tuple[int, bytes], n: int, rh_at: RhAt | None) -> None:
        """▲ Reject "fork" unless `seen`, the position and running hash that the author of the item at `n` had verified,
        is in our history before `n`. Otherwise the server showed the author another history. Also "fork" if our hash
        there is neither in memory nor found by `rh_at`."""
        at, rh = seen
        if at >= n:
            raise Reject("fork", f"position {n}")
        if self.rh_of(at, rh_at) != rh:
            raise Reject("fork", f"position {n}")

    def rh_of(self, at: int, rh_at: RhAt | None) -> bytes | None:
        """The running hash at the accepted position `at`: of the last 4096 from memory, of older ones from `rh_at`, if
        that is given; None if neither has it. Zeros at position 0."""
        if at == 0:
            return RH_0
        first = self.state.n - len(self._recent) + 1
        if first <= at <= self.state.n:
            return self._recent[at - first]
        return rh_at(at) if rh_at else None
