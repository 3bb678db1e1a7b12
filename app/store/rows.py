# SPDX-License-Identifier: EUPL-1.2
"""What the store hands out: frozen rows, the same for every tool."""

from dataclasses import dataclass, field
from enum import IntEnum

from app.core.enums import Role, RoomType
from app.core.ids import ChangeId, ObjId, RoomId, Uid


class Flush(IntEnum):
    """How an outbox row is sent (FORMAT.md, `outbox.live`)."""

    RECORD = 0
    LIVE = 1
    BASELINE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredChange:
    """A change in the store. `rowid` grows in the order of receipt; `n` is None until the server has given it a
    position. `t` (ms) is the author's clock until then, and the server's afterwards."""

    rowid: int
    room: RoomId
    obj: ObjId
    change_id: ChangeId
    author: Uid
    t: int
    n: int | None
    data: bytes = field(repr=False)
    own: bool = False
    """True if this account wrote it (on whichever device)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectRow:
    """An object of a room. `kind` is "" until the root object has announced it."""

    obj: ObjId
    room: RoomId
    kind: str
    title: str
    created: int
    updated: int
    deleted: bool
    by: Uid | None


MAX_UNREAD = 1000
"""What is unread in one room is counted up to this number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomRow:
    """A room as the lists show it. Times in ms; `role` is this person's own, None after leaving."""

    room: RoomId
    title: str
    type: RoomType
    created: int
    role: Role | None
    left: bool
    muted: bool
    pinned: bool
    unread: int
    mentions: int
    last_t: int
    last_by: Uid | None
    last_preview: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonRow:
    """A person as in the agency's binding. `verified`: when this account compared safety numbers, or None."""

    uid: Uid
    name: str
    title: str
    unit: str
    verified: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyNoticeRow:
    """Something happened to a person's keys: `kind` `"device-added"`, `"device-recovered"`, `"device-revoked"` or
    `"reset"` by entry `seq` of their log, or `"duplicate"` where the agency has bound a second person, `other`, to the
    same staff record. `t`: when this device saw it, in ms."""

    id: int
    uid: Uid
    kind: str
    seq: int
    other: bytes
    t: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Evidence that the server was false in a room: proofs as sync wrote them. `code`: "fork" or "rollback"; `ours`:
    the receipt that this device had; `theirs`: the one that the server gave then; `claim`: what a member signed; `t`:
    when it was stored, in ms."""

    code: str
    ours: bytes | None
    theirs: bytes | None
    claim: bytes | None
    t: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchHit:
    """A place in an object that has the words. `ref` is the tool's own id of it (a message's or card's)."""

    room: RoomId
    obj: ObjId
    kind: str
    ref: bytes
    title: str
    snippet: str
    t: int
    rank: float
    """Lower is better (bm25)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobPart:
    """One sealed part of a file. `key` opens it, `hash` is SHA-256 of the sealed bytes, sizes in bytes."""

    part: bytes
    room: RoomId
    obj: ObjId
    key: bytes
    hash: bytes
    size: int
    plain_size: int
    uploaded: bool
    present: bool
    """The sealed bytes are in this profile's folder."""
