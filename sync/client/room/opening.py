# SPDX-License-Identifier: EUPL-1.2
"""Opens the content of a room's judged items, and sorts them: opened, bad, or waiting for a key or a share.

It stores nothing and knows no phase: `RoomSync` decides what is opened when.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sync.client.account.account_secrets import Account
from sync.client.ports import OpenedChange, OpenedHeartbeat
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
    """What decrypting some items of a room gave. `changes` are the decrypted changes, `heartbeats` the decrypted
    heartbeats. `waiting` are the items whose key (or the secret of their object) is missing, as (position, row that the
    store keeps until it is here). `bad` are the changes with faulty content, as (position, error code)."""

    changes: list[OpenedChange] = field(default_factory=list)
    heartbeats: list[OpenedHeartbeat] = field(default_factory=list)
    waiting: list[tuple[int, bytes]] = field(default_factory=list)
    bad: list[tuple[int, str]] = field(default_factory=list)


@dataclass(slots=True)
class Tried:
    """What a new attempt to decrypt the items that waited for a key or a share gave. `opened` has what was decrypted,
    and the changes with faulty content. `resolved` are the positions of all items that need not wait any more:
    decrypted, faulty, or out of scope for this person. `shut` are the objects of the items that still wait."""

    opened: Opened = field(default_factory=Opened)
    resolved: list[int] = field(default_factory=list)
    shut: set[ObjId] = field(default_factory=set)


class Opener:
    """Decrypts the content of one room's verified items for one account, and sorts the items: opened, bad, or waiting
    for a key or an object's secret. Stores nothing; the caller decides when an item is opened."""

    def __init__(self, stream: RoomStream, keys: RoomKeys, account: Account) -> None:
        self._stream, self._keys, self._account = stream, keys, account

    @property
    def inside_from(self) -> int:
        """The first position that this person may read. After an addition without the history that is the position of
        the addition: earlier ones are out of scope and not counted as waiting. 0 if they may read everything. 0 also
        for a person who is no member, or whose addition is not verified yet: the bound is unknown then, so items
        wait."""
        me = self._stream.members.get(self._account.uid)
        return me.since_n if me is not None and not me.history else 0

    def outside(self, n: int) -> bool:
        """Whether a position is before `inside_from`."""
        return n < self.inside_from

    def open(self, item: AcceptedEnvelope, into: Opened) -> bool:
        """Decrypts `item` and adds its changes to `into.changes`, or its position and an error code to `into.bad` if
        the content is faulty. Returns False, and adds nothing, if the key of the item's epoch (a generation of the
        room's key) or the object's share (the object's own secret) is missing (they are noted as missing). An item
        without content for this person adds nothing and counts as opened: it is void (of no effect), its content is
        gone, its kind is neither change nor baseline nor a heartbeat of the room, or another person wrote it as a
        baseline (an object's state, repeated for members without the history) and this person has the history. A
        baseline that this person wrote is opened: its changes may wait in this device's outbox for their position.

        ▲ A heartbeat with faulty content adds nothing either. Otherwise a reader, who may write nothing, could have the
        room warn everybody of content that cannot be read.
        """
        hdr = item.hdr
        if item.void is not None or item.ct is None or not self._has_content(hdr):
            return True
        if hdr.kind == envelope.BASELINE and hdr.uid != self._account.uid and self._keys.has_history:
            return True
        return self._open(item.n, item.t, hdr, item.hdr_bytes, item.ct, into)

    def _has_content(self, hdr: envelope.Header) -> bool:
        if hdr.kind == envelope.HEARTBEAT:
            return hdr.obj == ObjId(self._stream.room)
        return hdr.kind in (envelope.OP, envelope.BASELINE)

    def _open(self, n: int, t: int, hdr: envelope.Header, hdr_bytes: bytes, ct: bytes, into: Opened) -> bool:
        """Decrypts an item with content for this person, as `open` does. Its arguments are those of `RoomKeys.open`."""
        try:
            if hdr.kind == envelope.HEARTBEAT:
                heartbeat = self._keys.open_heartbeat(n, t, hdr, hdr_bytes, ct)
                into.heartbeats += (heartbeat,) if heartbeat is not None else ()
                return heartbeat is not None
            changes = self._keys.open(n, t, hdr, hdr_bytes, ct)
        except Reject as e:
            if hdr.kind != envelope.HEARTBEAT:
                into.bad.append((n, e.code))
            return True
        into.changes += changes or ()
        return changes is not None

    def open_or_wait(self, item: AcceptedEnvelope, into: Opened) -> None:
        """Decrypts `item` into `into` as `open` does. If the room's key or the object's share (its secret) is missing,
        adds the item to `into.waiting`, which the store keeps until both are here; but drops it if it is before
        `inside_from`, the first position that this person may read."""
        if not self.open(item, into) and not self.outside(item.n):
            into.waiting.append((item.n, _row(item)))

    def open_waiting(self, rows: Iterable[tuple[int, bytes]]) -> Tried:
        """Tries to decrypt `rows`, the store's items that wait for a room's key or an object's share (its secret), each
        as (position, row). Returns what was in those that open, the positions that need not wait any more, and the
        objects of those that still wait. A row before `inside_from`, the first position that this person may read,
        counts as resolved and is not decrypted, and so does one of a destroyed object. Reject if a row itself cannot be
        read."""
        found = Tried()
        for n, raw in rows:
            if self.outside(n):  # it was judged before the addition that puts it out of scope
                found.resolved.append(n)
                continue
            t, hdr_bytes, ct = _read(raw)
            hdr = envelope.Header.decode(hdr_bytes)
            is_destroyed = hdr.obj in self._stream.state.destroyed  # ▲ nothing of it is to be readable any more
            if is_destroyed or self._open(n, t, hdr, hdr_bytes, ct, found.opened):
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
    """Splits `row`, an item that waits in the store for its key: (the server's time of its position in ms, encoded
    header, ciphertext). Reject "malformed", "encoding" or "oversize" if the row is damaged."""
    parts = _parts(row)
    hdr_bytes, ct = (fields.blob(parts[at], _WAITING_LIMIT, "waiting") for at in (6, 7))
    return fields.u64(parts[1], "waiting"), hdr_bytes, ct
