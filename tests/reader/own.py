# SPDX-License-Identifier: EUPL-1.2
"""A room that judges who may be let in and what may be pruned, as sync/PROTOCOL.md §5 and §7 say it, from those pages
alone: rooms of one's own beside all others. Other rules are not judged here."""

from dataclasses import dataclass, field
from typing import Any

from tests.reader.people import must
from tests.reader.primitives import dec, verify
from tests.reader.rooms import ENTRY, SNAPSHOT, Room

ATTEST = 4
ADMIN, OWNER = 3, 4
MONTH_MS = 30 * 24 * 3600 * 1000


@dataclass
class Shot:
    """A snapshot: the last position that it covers, its time and author, and who attests it."""

    covers: int
    t: int
    uid: bytes
    attests: list[bytes] = field(default_factory=list)


@dataclass
class JudgedRoom(Room):
    """A room that a false server may show with items that have no effect."""

    shots: dict[tuple[bytes, bytes], Shot] = field(default_factory=dict)
    """By object and id."""
    pruned: dict[bytes, int] = field(default_factory=dict)

    @property
    def is_own(self) -> bool:
        return self.policy.get("own") is True

    def judge(self, n: int, t: int, kind: int, body: bytes, sig: bytes, ct: bytes | None) -> str | None:
        """Takes an item, and returns why it has no effect; None if it has one."""
        why = self._why_entry(t, body) if kind == ENTRY else self._why_envelope(body)
        if why is not None:
            self._pass_over(n, t, kind, body, sig)
            return why
        self.take(n, t, kind, body, sig, ct)
        if kind == ENTRY:
            self._note_prune(body)
        else:
            self._note(n, t, body)
        return None

    def _pass_over(self, n: int, t: int, kind: int, body: bytes, sig: bytes) -> None:
        """Has an item keep its position without an effect."""
        ident = self.step(n, t, kind, body)
        if kind == ENTRY:
            _version, _room, seq, prev, uid, dev, seen, ulog, *_ = dec(body)
            must((seq, prev) == (self.entry_seq + 1, self.entry_head), "chain")
            self.entry_seq, self.entry_head = seq, ident
            domain = "room-log"
        else:
            _version, _suite, _room, uid, dev, _seq, _prev, _e, seen, ulog, *_ = dec(dec(body)[0])
            self.last[dev] = ident
            domain = "op"
        verify(self.author(uid, dev, seen, ulog), domain, ident, sig)

    # -- entries

    def _why_entry(self, t: int, body: bytes) -> str | None:
        _version, _room, seq, _prev, uid, _dev, _seen, _ulog, _time, kind, payload, _ext = dec(body)
        if seq == 0:
            return None
        if uid not in self.members:
            return "forbidden"
        match kind:
            case "add" | "propose" if self.is_own:
                return "forbidden"
            case "policy" if {"history", "recovery", "own"} & payload[0].keys():
                return "forbidden"
            case "role" if payload[0] in self.members:
                owners = sum(m["role"] == OWNER for m in self.members.values())
                return "last-owner" if self.members[payload[0]]["role"] == OWNER and owners == 1 else None
            case "prune":
                return self._why_prune(t, uid, *payload)
        return None

    def _why_prune(self, t: int, uid: bytes, obj: bytes, n: int, ident: bytes) -> str | None:
        shot = self.shots.get((obj, ident))
        if self.members[uid]["role"] < ADMIN:
            return "forbidden"
        if shot is None or shot.covers < n or len(shot.attests) < (1 if self.is_own else 2):
            return "snapshot"
        return "early" if t - shot.t < MONTH_MS else None

    def _note_prune(self, body: bytes) -> None:
        kind, payload = dec(body)[9:11]
        if kind == "prune":
            self.pruned[payload[0]] = max(payload[1], self.pruned.get(payload[0], 0))

    # -- envelopes

    def _why_envelope(self, body: bytes) -> str | None:
        hdr = dec(dec(body)[0])
        uid, dev, obj, kind, ext = hdr[3], hdr[4], hdr[10], hdr[12], hdr[14]
        if uid not in self.members:
            return "forbidden"
        if kind != ATTEST:
            return None
        shot, by = self.shots.get((obj, ext[1])), self._attester(uid, dev)
        if shot is None or by in (shot.uid, *shot.attests) or len(shot.attests) == 4 or not self._has_history(uid):
            return "snapshot"
        return None

    def _attester(self, uid: bytes, dev: bytes) -> bytes:
        """Whose attest it is: a device's in a room of one's own, a person's in every other."""
        return dev if self.is_own else uid

    def _has_history(self, uid: bytes) -> bool:
        return bool(self.members[uid]["history"])

    def _note(self, n: int, t: int, body: bytes) -> None:
        hdr: list[Any] = dec(dec(body)[0])
        uid, dev, seen, obj, kind, ext = hdr[3], hdr[4], hdr[8], hdr[10], hdr[12], hdr[14]
        if kind == ATTEST:
            self.shots[obj, ext[1]].attests.append(self._attester(uid, dev))
        elif kind == SNAPSHOT and len(ext.get(1, b"")) == 8:
            covers = int.from_bytes(ext[1], "big")
            if 0 < covers <= seen[0]:
                self.shots[obj, self.last[dev]] = Shot(covers, t, uid)
