# SPDX-License-Identifier: EUPL-1.2
"""What a false server keeps of one room: any number of histories, each with its items and what goes with them.

A history judges what is placed in it as an honest server would, as long as an honest server could have this history.
Once something false is in it, it accepts anything.
"""

import copy
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from sync.crypto.kdf import H
from sync.errors import Reject
from sync.ids import RoomId, Uid
from sync.trust.formats.items import ENTRY, ENVELOPE, Item, item_id, next_rh
from sync.trust.keys.epochs import in_order
from sync.trust.person.log_source import UserBook
from sync.trust.room.entries import RoomEntry
from sync.trust.room.envelope import Header, read_body
from sync.trust.room.payloads import Add
from sync.trust.room.stream import RoomStream

Triple = tuple[bytes, bytes, bytes | None]
Seals = dict[tuple[int, Uid], list[bytes]]


@dataclass
class History:
    """`stream` is the judged state: at the history's head, unless it is `broken`."""

    room: RoomId
    stream: RoomStream
    items: list[Item] = field(default_factory=list)
    rhs: list[bytes] = field(default_factory=lambda: [bytes(32)])
    seals: Seals = field(default_factory=lambda: defaultdict(list))
    shares: dict[bytes, bytes] = field(default_factory=dict)
    broken: bool = False

    @classmethod
    def new(cls, room: RoomId) -> "History":
        return cls(room, RoomStream(room))

    @property
    def n(self) -> int:
        return len(self.items)

    def rh_at(self, n: int) -> bytes | None:
        return self.rhs[n] if n < len(self.rhs) else None

    def place(self, kind: int, signed: Sequence[Triple], t: int, book: UserBook) -> list[Item]:
        """Places items at the next positions. Rejects as an honest server would, while this could be an honest server's
        history."""
        if self.broken:
            return self.force(kind, signed, t, book)
        items, _ = self.stream.place(kind, signed, t, book, self.rh_at)
        self._keep(items)
        return items

    def force(self, kind: int, signed: Sequence[Triple], t: int, book: UserBook) -> list[Item]:
        """Places items at the next positions, whatever they are."""
        items = [Item(self.n + 1 + i, t, kind, body, sig, ct) for i, (body, sig, ct) in enumerate(signed)]
        self.show(items, book)
        return items

    def show(self, items: Sequence[Item], book: UserBook) -> None:
        """Takes items as they are."""
        if not self.broken:
            try:
                self.stream.accept(items, book, self.rh_at)
            except Exception:
                self.broken = True
        self._keep(items)

    def branch(self, until: int, book: UserBook) -> "History":
        """Another history with the same beginning up to a position."""
        made = History(self.room, RoomStream(self.room), seals=copy.deepcopy(self.seals), shares=dict(self.shares))
        made.show(whole(self.items[:until]), book)
        return made

    def note_seals(self, entry: RoomEntry, given: Sequence[bytes], book: UserBook) -> None:
        """Keeps the seals named by an entry that was just placed."""
        if entry.epoch is not None and not self.broken:
            for to, sealed in zip(in_order(self.stream.recipients(book)), given, strict=False):
                self.seals[entry.epoch.e, to.uid].insert(0, sealed)
        elif isinstance(entry.payload, Add):
            wanted = entry.payload.seal_hash
            self.seals[self.stream.epoch, entry.payload.uid] += [s for s in given if H(s) == wanted]

    def _keep(self, items: Sequence[Item]) -> None:
        for item in items:
            self.items.append(item)
            self.rhs.append(next_rh(self.rhs[-1], item.n, item.t, item.kind, item_id(item.kind, item.body)))


def whole(items: Sequence[Item]) -> list[Item]:
    """The items up to the last signature: batches are never cut."""
    end = len(items)
    while end and not items[end - 1].sig:
        end -= 1
    return list(items[:end])


def units(items: Sequence[Item]) -> list[list[Item]]:
    """Entries and whole batches, one after the other."""
    out: list[list[Item]] = [[]]
    for item in items:
        out[-1].append(item)
        if item.sig:
            out.append([])
    return [unit for unit in out if unit]


def renumbered(items: Sequence[Item], first: int) -> list[Item]:
    return [replace(item, n=first + i) for i, item in enumerate(items)]


def triples(items: Sequence[Item]) -> list[Triple]:
    return [(item.body, item.sig, item.ct) for item in items]


def begins(items: Sequence[Item]) -> set[bytes]:
    """Objects whose first op is among these items."""
    headers = [Header.decode(read_body(i.body)[0]) for i in items if i.kind == ENVELOPE]
    return {hdr.obj for hdr in headers if hdr.share_c}


def entry_of(body: bytes) -> RoomEntry:
    return RoomEntry.decode(body, lenient=True)


__all__ = ["ENTRY", "ENVELOPE", "History", "Reject", "begins", "entry_of", "renumbered", "triples", "units", "whole"]
