# SPDX-License-Identifier: EUPL-1.2
"""What the server needs from a store: an async Protocol, rows, and three refusals.

Every write is durable when its coroutine returns, and whole or not at all. Placements take effect in the order of
the calls, so a caller may start the next before the one before it has returned; one that expects a head
(`expected_n`) fails if the one before it failed. Reads see only durable writes.
tests/sync/server/test_stores.py runs one suite over all implementations.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from sync.server.store.admin_chain import AdminLog
from sync.server.store.restored import RestoreStore


class StoreError(Exception):
    """Root of the store's refusals."""

    code = "busy"


class Moved(StoreError):
    """The head that a write expected is not the head any more."""

    code = "conflict"


class Taken(StoreError):
    """The name is in use: an invite that was used, a user or room that exists."""

    code = "taken"


class Unwritable(StoreError):
    """It cannot be written now: nothing of the write is kept."""

    code = "busy"


class Full(Unwritable):
    """The disk is full or failing: nothing of the write is kept, and everything that was there is."""

    code = "full"


@dataclass(frozen=True, slots=True, kw_only=True)
class InviteRow:
    """A one-time key: its certificate, the staff record it binds, and who used it. Times are in ms."""

    invite_pk: bytes
    cert_body: bytes
    cert_sig: bytes
    salt: bytes
    record: bytes
    not_after: int
    used_by: bytes | None = None
    made: int = 0
    """When it was made; 0 where nobody knows, as of one that came back after a restore."""
    person: bytes | None = None
    """Who is invited back: somebody with an account here. None for somebody new."""
    withdrawn: int = 0
    """When the agency withdrew it; 0 for never."""

    def is_open(self, now_ms: int) -> bool:
        """Whether it can still be used."""
        return self.used_by is None and not self.withdrawn and self.not_after > now_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffRow:
    """A staff record and the salt that it is hashed with; both empty where they are lost."""

    salt: bytes
    record: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class UserRow:
    """A person: the head of the user log, the staff record, the words it is found by, and the root key in force."""

    uid: bytes
    seq: int
    head: bytes
    salt: bytes
    record: bytes
    search: str
    root_pk: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryRow:
    """One entry of a user log."""

    seq: int
    body: bytes
    sig: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SightingRow:
    """When a device last signed in (ms), and the name of its program."""

    dev: bytes
    uid: bytes
    last: int
    agent: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryRequestRow:
    """What was asked with a person's recovery sheet: `what` ("add", "revoke"; "revoked" counts those done), of which
    device, since when (ms), under which invitation (empty for none), and which device said no (empty for none). `by`
    of a "revoked" row: which device revoked it (empty for the root)."""

    uid: bytes
    what: str
    dev: bytes
    since: int
    invite_pk: bytes = b""
    vetoed_by: bytes = b""
    by: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Appended:
    """What entries make of a person's row: head and root key, and the staff record where a binding changed it."""

    head: bytes
    root_pk: bytes
    salt: bytes | None = None
    record: bytes | None = None
    search: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomRow:
    """Where a room stands. `state` is the stream's state after position `state_n`, opaque here."""

    room: bytes
    n: int
    rh: bytes
    t: int
    size_bytes: int
    state_n: int
    state: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemRow:
    """One position. `id` is the 32-byte id of an entry or envelope; `ct` is None for an entry."""

    n: int
    t: int
    kind: int
    id: bytes
    rh: bytes
    body: bytes
    sig: bytes
    ct: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareRow:
    """An object's share, introduced at position `n` with the commitment `share_c`; `share` None = lost or destroyed."""

    obj: bytes
    n: int
    share_c: bytes
    share: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SealRow:
    """One sealed epoch secret for one recipient."""

    epoch: int
    uid: bytes
    seal: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberChange:
    """A person became a member (`until_n` None) or ceased to be one at `until_n`."""

    uid: bytes
    until_n: int | None
    by: bytes | None = None
    """Who added them; None for a founder, and for one who goes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowding:
    """In how many rooms a person is, and in how many by one adder's adding without an item of their own."""

    rooms: int
    unanswered: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceHead:
    """A device's newest envelope in a room."""

    dev: bytes
    dev_seq: int
    id: bytes


@dataclass(frozen=True, slots=True)
class Tally:
    """Names a count that is kept for each day (days since 1970). `what`: "device" or "person" for bytes sent to rooms,
    "log-entries" or "log-bytes" for what was added to a person's log. `who`: the id of the device or the person."""

    what: str
    who: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Everything one accepted Push or Append changes. `expected_n` 0 creates the room."""

    room: bytes
    expected_n: int
    items: Sequence[ItemRow]
    size_bytes: int
    by: Sequence["Tally"]
    day: int
    shares: Sequence[ShareRow] = ()
    seals: Sequence[SealRow] = ()
    members: Sequence[MemberChange] = ()
    spoke: Sequence[bytes] = ()
    """Persons who have an item in the room from now on; those who had one before need not be named."""
    device_head: DeviceHead | None = None
    state: bytes | None = None
    reuploaded: Sequence[int] | None = None
    """It came back after a restore: the positions of its entries that name seals, which did not come with it. A room
    that begins so is closed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """A room of a person, its head, and the asking device's own head there (dev_seq 0 and empty id if none)."""

    room: bytes
    n: int
    rh: bytes
    t: int
    dev_seq: int
    dev_head: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class UnmetRow:
    """A receipt that this server signed and whose position it does not have, or has otherwise."""

    room: bytes
    n: int
    rh: bytes
    t: int
    sig: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobRow:
    """A complete part of a blob on the object store."""

    room: bytes
    obj: bytes
    part: bytes
    size_bytes: int
    sha256: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadRow:
    """A part that is not whole yet: the person and the device that began it and when (ms), and the bytes on the object
    store."""

    room: bytes
    obj: bytes
    part: bytes
    uid: bytes
    dev: bytes
    held_bytes: int
    since: int

    @property
    def name(self) -> tuple[bytes, bytes, bytes]:
        return self.room, self.obj, self.part


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomSize:
    """What an operator may see of a room: members now, where it stands, the bytes of items and parts, the last time."""

    room: bytes
    members: int
    n: int
    size_bytes: int
    t: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What `status` shows. `rooms_behind`: clients hold receipts for positions above the head, `rooms_forked`: for
    another history; either way the database is not what it was."""

    users: int
    invites_open: int
    rooms: int
    items: int
    item_bytes: int
    blobs: int
    blob_bytes: int
    rooms_behind: int
    rooms_forked: int
    rooms_closed: int
    devices_awaited: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Population:
    """How many people have an account (also one that was ended), and devices that signed in since some time; rooms that
    a restore closed, and rooms of which clients hold receipts for another history."""

    people: int
    devices: int
    rooms_closed: int
    rooms_forked: int


class Store(RestoreStore, AdminLog, Protocol):
    """The server's memory. See the module's head for durability and order."""

    @property
    def queued(self) -> int:
        """Writes that wait for the disk."""
        ...

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def probe(self) -> None:
        """Writes a row of its own that changes each time, durably: returns if the store can be written."""
        ...

    # -- people

    async def add_invite(self, row: InviteRow) -> None:
        """Taken if the key exists."""
        ...

    async def add_invites(self, rows: Sequence[InviteRow]) -> None:
        """All or none, in one transaction. Taken if a key exists."""
        ...

    async def invite(self, invite_pk: bytes) -> InviteRow | None: ...

    async def invites(self) -> list[InviteRow]:
        """All of them, used and ended ones too, those first that were made first."""
        ...

    async def withdraw_invite(self, invite_pk: bytes, now_ms: int) -> None:
        """Ends an invitation. Taken if it was used, or is none; one that is withdrawn stays so since when it was."""
        ...

    async def enrol(self, invite_pk: bytes, user: UserRow, entries: Sequence[EntryRow]) -> None:
        """Uses the invite and stores the person, in one transaction. Taken if either is in use, or it is withdrawn."""
        ...

    async def append_user(
        self,
        uid: bytes,
        expected_seq: int,
        entries: Sequence[EntryRow],
        made: Appended,
        *,
        invite_pk: bytes | None = None,
        returned: Sequence[InviteRow] = (),
        external: bool = False,
    ) -> None:
        """The next entries of a log, all or none; Moved if the log does not end at `expected_seq`.

        `invite_pk`: the invitation that they use; Taken if it is used or withdrawn. `returned`: those that they used
        before a restore, as in `return_user`. `external`: a server that runs beside
        this process is to hear of it by `external_appends`.
        """
        ...

    async def by_root(self, root_pk: bytes) -> UserRow | None:
        """Whose log has this root key in force."""
        ...

    async def put_recovery_request(self, row: RecoveryRequestRow) -> None:
        """Replaces what was asked of the same device."""
        ...

    async def drop_recovery_request(self, uid: bytes, what: str, dev: bytes) -> None:
        """Nothing happens if there is none."""
        ...

    async def recovery_requests(self, uid: bytes) -> list[RecoveryRequestRow]:
        """Of one person, the oldest first."""
        ...

    async def return_user(self, user: UserRow, entries: Sequence[EntryRow], invites: Sequence[InviteRow]) -> None:
        """A person whose log was lost, and the invitations that they used: each is used by them from then on, and
        stored if it was lost too. Taken if there is such a person, if somebody else has used one, or if it is
        withdrawn."""
        ...

    async def fill_record(self, uid: bytes, seq: int, staff: StaffRow, search: str) -> None:
        """Stores a staff record that is lost. Nothing happens if one is here, or if the log does not end at `seq`: then
        a newer binding may name another."""
        ...

    async def nameless(self) -> list[bytes]:
        """Persons whose staff record is lost."""
        ...

    async def external_appends(self, after: int) -> list[tuple[int, bytes]]:
        """(row, uid) of logs that another process added to, with row > after."""
        ...

    async def user(self, uid: bytes) -> UserRow | None: ...

    async def user_entries(self, uid: bytes, after: int, most: int | None = None) -> list[EntryRow]:
        """Entries with seq > after (-1: from the first), in order; at most `most` of them, None for all."""
        ...

    async def put_sighting(self, row: SightingRow) -> None:
        """Replaces what was known of the device."""
        ...

    async def sightings(self, uid: bytes) -> list[SightingRow]:
        """Of the person's devices that ever signed in."""
        ...

    async def people(self, uids: Sequence[bytes]) -> list[UserRow]: ...

    async def search_people(self, words: Sequence[str], limit: int) -> list[UserRow]:
        """Persons whose search text holds every word, by that text's order."""
        ...

    # -- rooms

    def place(self, placement: Placement) -> "asyncio.Future[None]":
        """Gives positions. Moved if the room is not at `expected_n`. The call itself fixes its place in the order."""
        ...

    async def put_state(self, room: bytes, n: int, state: bytes) -> None:
        """Keeps a newer state of the stream; an older one than the stored is left out."""
        ...

    async def room(self, room: bytes) -> RoomRow | None: ...

    async def items(
        self, room: bytes, after: int, until: int, limit_bytes: int, *, bare: bool = False
    ) -> list[ItemRow]:
        """Items with after < n ≤ until in order: at least one, then while bytes and 4,096 items allow. `bare`: without
        their content."""
        ...

    async def items_at(self, room: bytes, ns: Sequence[int], limit_bytes: int) -> list[ItemRow]:
        """The items at these positions, at most 4,096, in order: at least one, then while the bytes allow."""
        ...

    async def forget(self, room: bytes, ns: Sequence[int]) -> int:
        """The content at these positions goes; gives how many bytes the room has less. Twice does no harm."""
        ...

    async def rhs(self, room: bytes, after: int, until: int) -> list[bytes]:
        """The running hashes of positions after+1 … until, in order."""
        ...

    async def rh_at(self, room: bytes, n: int) -> bytes | None: ...

    async def rhs_at(self, room: bytes, ns: Sequence[int]) -> dict[int, bytes]:
        """The running hashes of those of these positions that there are, at most 4,096."""
        ...

    async def positions(self, room: bytes, ids: Sequence[bytes]) -> dict[bytes, int]:
        """The positions of those ids that have one."""
        ...

    async def memberships(self, uid: bytes, dev: bytes) -> list[Membership]:
        """Every room the person is a member of now."""
        ...

    async def crowding(self, uid: bytes, by: bytes) -> Crowding:
        """How many rooms a person is in now, and how many of them by `by`'s adding without an item of theirs."""
        ...

    async def until_n(self, room: bytes, uid: bytes) -> int | None:
        """0 for a member, the position that ended a membership, None if there never was one."""
        ...

    async def shares(self, room: bytes, objs: Sequence[bytes]) -> list[ShareRow]: ...

    async def shares_between(self, room: bytes, after: int, until: int) -> list[ShareRow]:
        """Shares of objects that were introduced at after < n ≤ until."""
        ...

    async def put_share(self, room: bytes, row: ShareRow) -> bool:
        """Fills in a share that is lost, also one of which no row is left. False if it is here: it stays as it is."""
        ...

    async def seals(self, room: bytes, epoch: int, uid: bytes) -> list[bytes]:
        """All seals of an epoch for a person, newest first."""
        ...

    async def add_seal(self, room: bytes, row: SealRow, keep: int, by: Sequence[Tally] = (), day: int = 0) -> None:
        """Adds a seal; of those for the same person and epoch at most `keep` stay, the first and the newest. Adds its
        bytes to the counts `by` of `day`."""
        ...

    async def put_unmet(self, row: UnmetRow) -> None:
        """Keeps a room's unmet receipt, the one of the highest position."""
        ...

    async def unmet(self, room: bytes) -> UnmetRow | None: ...

    # -- blobs and figures

    async def put_upload(self, row: UploadRow, by: Sequence[Tally], day: int, sent_bytes: int) -> None:
        """Stores how far an upload has come. Adds `sent_bytes`, the bytes of this piece, to the counts `by` of
        `day`."""
        ...

    async def drop_upload(self, room: bytes, obj: bytes, part: bytes) -> None:
        """Nothing happens if there is none."""
        ...

    async def uploads(self) -> list[UploadRow]:
        """All of them, those first that began first."""
        ...

    async def add_blob(self, row: BlobRow, by: Sequence[Tally], day: int, sent_bytes: int) -> None:
        """Stores that a part is complete, and drops its upload. Adds `sent_bytes`, the bytes of the last piece, to the
        counts `by` of `day`. Taken if the part exists."""
        ...

    async def blob(self, room: bytes, obj: bytes, part: bytes) -> BlobRow | None: ...

    async def count(self, amounts: Mapping[Tally, int], day: int) -> None:
        """Adds each amount to its count of a day."""
        ...

    async def counted(self, tally: Tally, day: int) -> int:
        """A count of a day, 0 for none."""
        ...

    async def counts(self, now_ms: int) -> Counts: ...

    async def population(self, seen_since: int) -> Population:
        """`seen_since` in ms. Cheap enough for once a minute."""
        ...

    async def room_sizes(self) -> list[RoomSize]:
        """Of every room."""
        ...
