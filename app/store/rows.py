# SPDX-License-Identifier: EUPL-1.2
"""What the store hands out: frozen rows, the same for every tool."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from app.core.enums import Level, Role, RoomType
from app.core.ids import ChangeId, ObjId, RoomId, Uid


class Flush(IntEnum):
    """How a change in the outbox is sent: RECORD at once, LIVE in batches (a document edit), BASELINE (an object's
    state for a new member). See FORMAT.md, `outbox.live`."""

    RECORD = 0
    LIVE = 1
    BASELINE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredChange:
    """One change of an object in the store. `rowid` grows in the order of receipt. `n`: its position in the room, None
    until the server has given it one. `t` (ms): by the author's clock until then, the server's time afterwards. `data`
    is opaque here."""

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
    replayed: bool = False
    """Its notices were made when it was projected first: it is projected again, since its rows are made again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectRow:
    """One object of a room, as lists show it. `kind` is "" until the room's own records have said what it is. `created`
    and `updated` in ms; `by`: who made it; `deleted`: it is in the trash."""

    obj: ObjId
    room: RoomId
    kind: str
    title: str
    created: int
    updated: int
    deleted: bool
    by: Uid | None


def object_row(fields: Sequence[Any]) -> ObjectRow:
    """Makes an object's row out of the values of `statements.SELECT_OBJECTS`' columns."""
    obj, room, kind, title, created, updated, deleted, by = fields
    return ObjectRow(
        obj=obj, room=room, kind=kind, title=title, created=created, updated=updated, deleted=bool(deleted), by=by
    )


MAX_UNREAD = 1000
"""What is unread in one room is counted up to this number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomRow:
    """One room, as lists show it. `role` is this person's own, None after leaving (`left`). `unread` and `mentions` are
    counts; `level` says what of it rings; `last_t`, `last_by` and `last_preview` describe the latest activity. Times in
    ms. `written_type`, the text in the room's record, may be one of a newer program, and is what is written again when
    this program writes the room's title."""

    room: RoomId
    title: str
    written_type: str
    created: int
    role: Role | None
    left: bool
    level: Level
    pinned: bool
    unread: int
    mentions: int
    last_t: int
    last_by: Uid | None
    last_preview: str

    @property
    def type(self) -> RoomType:
        """The type as which the room is shown."""
        return RoomType.of(self.written_type)


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonRow:
    """One person, as the agency has certified them. `verified`: when this person compared safety numbers with them
    (ms), or None."""

    uid: Uid
    name: str
    title: str
    unit: str
    verified: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyNoticeRow:
    """A notice that something happened to a person's keys. `kind`: `"device-added"`, `"device-recovered"`,
    `"device-revoked"` or `"reset"`, which entry `seq` of the person's log caused; or `"duplicate"` where the agency has
    bound a second account, `other`, to the same staff record. `t`: when this device noticed it, in ms."""

    id: int
    uid: Uid
    kind: str
    seq: int
    other: bytes
    t: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Evidence that the server was false in a room: proofs as sync wrote them. `code`: "fork", "rollback", "restored"
    or "time"; `ours`: the receipt that this device had; `theirs`: the one that the server gave then; `claim`: what a
    member signed, or for "restored" the server's statement; each is None if there is none; `t`: when it was stored, in
    ms."""

    code: str
    ours: bytes | None
    theirs: bytes | None
    claim: bytes | None
    t: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchHit:
    """One search result: a place in an object that has the words. `obj`: the object, or the series that it is part
    of. `ref` is the tool's own id of the place (a message's
    or a card's); `snippet` the text around the words, with these marked (app/store/snippets.py); `t` its time in ms."""

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
    """One encrypted part of a file. `part`: its id. `key` decrypts it; `hash` is SHA-256 of the encrypted bytes; `size`
    is their length, `plain_size` that of the content. `uploaded`: the server has it."""

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
