# SPDX-License-Identifier: EUPL-1.2
"""Opens the content of a room's judged items, and sorts them: opened, bad, or waiting for a key or a share.

It stores nothing and knows no phase: `RoomSync` decides what is opened when.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sync.client.account.account_secrets import Account
from sync.client.ports import OpenedChange
from sync.client.room.room_keys import RoomKeys
from sync.crypto.encoding import dec, enc
from sync.errors import Reject
from sync.ids import ObjId
from sync.trust.formats import fields
from sync.trust.room import envelope
from sync.trust.room.stream import AcceptedEnvelope, RoomStream

_WAITING_LIMIT = 1024 * 1024


@dataclass(slots=True)
class Opened:
    """What was made of some items. `waiting` are rows for the store, by position; `bad` are (position, code)."""

    changes: list[OpenedChange] = field(default_factory=list)
    waiting: list[tuple[int, bytes]] = field(default_factory=list)
    bad: list[tuple[int, str]] = field(default_factory=list)


@dataclass(slots=True)
class Tried:
    """What was made of items that waited. `resolved`: the positions of those that wait no more; `shut`: the objects of
    those that still wait."""

    changes: list[OpenedChange] = field(default_factory=list)
    resolved: list[int] = field(default_factory=list)
    bad: list[tuple[int, str]] = field(default_factory=list)
    shut: set[ObjId] = field(default_factory=set)


class Opener:
    """One account's view of one room's content."""

    def __init__(self, stream: RoomStream, keys: RoomKeys, account: Account) -> None:
        self._stream, self._keys, self._account = stream, keys, account

    @property
    def inside_from(self) -> int:
        """The first position that this person may read. After an addition without the history, earlier positions are
        out of scope and not counted as waiting. Until the addition itself is judged the bound is unknown, so items
        wait."""
        me = self._stream.members.get(self._account.uid)
        return me.since_n if me is not None and not me.history else 0

    def outside(self, n: int) -> bool:
        """Whether a position is before `inside_from`."""
        return n < self.inside_from

    def open(self, item: AcceptedEnvelope, into: Opened) -> bool:
        """Opens an item, and adds what is opened or bad to `into`. Items without content for people add nothing. False
        if the key is missing."""
        hdr = item.hdr
        if item.void is not None or item.ct is None or hdr.kind not in (envelope.OP, envelope.BASELINE):
            return True
        if hdr.kind == envelope.BASELINE and hdr.uid != self._account.uid and self._keys.has_history:
            return True
        try:
            changes = self._keys.open(item.n, item.t, hdr, item.hdr_bytes, item.ct)
        except Reject as e:
            into.bad.append((item.n, e.code))
            return True
        if changes is None:
            return False
        into.changes += changes
        return True

    def open_or_wait(self, item: AcceptedEnvelope, into: Opened) -> None:
        """Opens an item. If its key is missing the item waits in the store, unless it is out of scope."""
        if not self.open(item, into) and not self.outside(item.n):
            into.waiting.append((item.n, _row(item)))

    def open_waiting(self, rows: Iterable[tuple[int, bytes]]) -> Tried:
        """Tries to open the store's waiting rows."""
        found = Tried()
        for n, raw in rows:
            if self.outside(n):  # it was judged before the addition that puts it out of scope
                found.resolved.append(n)
                continue
            t, hdr_bytes, ct = _read(raw)
            hdr = envelope.Header.decode(hdr_bytes)
            try:
                changes = self._keys.open(n, t, hdr, hdr_bytes, ct)
            except Reject as e:
                found.bad.append((n, e.code))
                found.resolved.append(n)
                continue
            if changes is not None:
                found.changes += changes
                found.resolved.append(n)
            else:
                found.shut.add(hdr.obj)
        return found


def objects_of(rows: Sequence[tuple[int, bytes]]) -> set[ObjId]:
    """The objects of the store's waiting rows."""
    return {ObjId(fields.raw(_parts(raw)[4], 16, "waiting")) for _, raw in rows}


def _row(item: AcceptedEnvelope) -> bytes:
    hdr = item.hdr
    return enc([item.n, item.t, hdr.uid, hdr.dev, hdr.obj, hdr.epoch, item.hdr_bytes, item.ct])


def _parts(row: bytes) -> list[object]:
    return fields.array(dec(row, limit=_WAITING_LIMIT), 8, "waiting")


def _read(row: bytes) -> tuple[int, bytes, bytes]:
    """(the position's time in ms, header, ciphertext) of a waiting row."""
    parts = _parts(row)
    hdr_bytes, ct = (fields.blob(parts[at], _WAITING_LIMIT, "waiting") for at in (6, 7))
    return fields.u64(parts[1], "waiting"), hdr_bytes, ct
