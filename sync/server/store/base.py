# SPDX-License-Identifier: EUPL-1.2
"""What the server needs from a store: an async Protocol, rows, and the store's refusals.

A write is durable when its coroutine returns, and it is stored whole or not at all. Placements take effect in the order
of the calls, so a caller may start the next one before the previous one has returned; a placement that expects a head
(`expected_n`) fails if the one before it failed. Reads see only durable writes.
tests/sync/server/test_stores.py runs one suite over all implementations.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from sync.errors import WorldError
from sync.server.store.admin_chain import AdminLog
from sync.server.store.restored import RestoreStore


class StoreError(WorldError):
    """Root of the store's refusals."""

    code = "busy"


class Moved(StoreError):
    """The head has changed since the caller read it."""

    code = "conflict"


class Taken(StoreError):
    """The name is in use: an invite that was used, a user or room that exists."""

    code = "taken"


class Unwritable(StoreError):
    """The store cannot be written now. Nothing of the write is kept."""

    code = "busy"


class Full(Unwritable):
    """The disk is full or failing. Nothing of the write is kept; everything stored before is."""

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
    """When it was made; 0 if unknown, as for one that clients uploaded again after a restore."""
    person: bytes | None = None
    """The person with an account who is invited back; None for somebody new."""
    withdrawn: int = 0
    """When the agency withdrew it; 0 for never."""

    def is_open(self, now_ms: int) -> bool:
        """Whether the invitation can still be used."""
        return self.used_by is None and not self.withdrawn and self.not_after > now_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffRow:
    """A staff record and the salt that it is hashed with; both are empty if they are lost."""

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
    """A request by recovery sheet. `what`: "add" or "revoke" a device; "revoked" records a revocation that was made, so
    that they can be counted. `dev`: that device. `since`: when (ms). `invite_pk`: the invitation, empty for none.
    `vetoed_by`: the device that objected, empty for none. `by` of a "revoked" row: the device that revoked it, empty
    for the root."""

    uid: bytes
    what: str
    dev: bytes
    since: int
    invite_pk: bytes = b""
    vetoed_by: bytes = b""
    by: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Appended:
    """The new values of a person's row after new log entries: head and root key, and the staff record if a binding
    changed it (None otherwise)."""

    head: bytes
    root_pk: bytes
    salt: bytes | None = None
    record: bytes | None = None
    search: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomRow:
    """A room's head and size. `state`: the stream's state after position `state_n`, opaque to the store."""

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
    """The person who added them; None for a founder, and if the membership ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowding:
    """The number of rooms a person is in, and of those to which one particular person added them and in which they
    have no item yet."""

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
    """None for a new placement. For one that was uploaded again after a restore: the positions of its entries that name
    seals, which are not uploaded with it. A room that begins with such a placement is closed."""


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
    """A receipt that this server signed and whose position it does not have, or has with a different hash."""

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
    """An unfinished upload of a part: the person and the device that began it, when (ms), and the bytes that are on the
    object store."""

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
    """What an operator may see of a room: the number of members now, its last position, the bytes of items and parts,
    and the last item's time (ms)."""

    room: bytes
    members: int
    n: int
    size_bytes: int
    t: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What `status` shows. `rooms_behind`: rooms of which clients hold receipts for positions above the head.
    `rooms_forked`: rooms of which clients hold receipts for another history. Either shows that the database was set
    back or changed."""

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
    """Counts: people with an account (ended ones too), devices that signed in since a given time, rooms that a restore
    closed, and rooms of which clients hold receipts for another history."""

    people: int
    devices: int
    rooms_closed: int
    rooms_forked: int


class Store(RestoreStore, AdminLog, Protocol):
    """Everything that the server stores. See the module's head for durability and order."""

    @property
    def queued(self) -> int:
        """Writes that wait for the disk."""
        ...

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def probe(self) -> None:
        """Checks that the store can be written: durably writes a row that changes each time. Raises as any write."""
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
        """All invitations, used and ended ones too, in the order in which they were made."""
        ...

    async def withdraw_invite(self, invite_pk: bytes, now_ms: int) -> None:
        """Withdraws an invitation. Taken if it was used or does not exist. A second call keeps the first call's
        time."""
        ...

    async def enrol(self, invite_pk: bytes, user: UserRow, entries: Sequence[EntryRow]) -> None:
        """Uses the invitation and stores the person, in one transaction. Taken if the invitation was used or withdrawn,
        or if the person exists."""
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
        """Appends entries to a log, all or none. Moved if the log does not end at `expected_seq`.

        `invite_pk`: the invitation that the entries use; Taken if it was used or withdrawn. `returned`: the invitations
        that they used before a restore, as in `return_user`. `external`: whether this process is not the server; a
        running server then finds the append by `external_appends`.
        """
        ...

    async def by_root(self, root_pk: bytes) -> UserRow | None:
        """The person whose log has this root key in force; None if there is none."""
        ...

    async def put_recovery_request(self, row: RecoveryRequestRow) -> None:
        """Stores a request; replaces the one of the same person, kind and device."""
        ...

    async def drop_recovery_request(self, uid: bytes, what: str, dev: bytes) -> None:
        """Drops a request. Nothing happens if there is none."""
        ...

    async def recovery_requests(self, uid: bytes) -> list[RecoveryRequestRow]:
        """A person's requests, the oldest first."""
        ...

    async def return_user(self, user: UserRow, entries: Sequence[EntryRow], invites: Sequence[InviteRow]) -> None:
        """Stores a person whose log was lost, and marks the invitations as used by them; an invitation that was lost
        too is stored. Taken if the person exists, or if an invitation was withdrawn or used by another person."""
        ...

    async def fill_record(self, uid: bytes, seq: int, staff: StaffRow, search: str) -> None:
        """Stores a staff record that was lost. Nothing happens if the store has a record, or if the log does not end at
        `seq`: then a newer binding may name another record."""
        ...

    async def nameless(self) -> list[bytes]:
        """Persons whose staff record is lost."""
        ...

    async def external_appends(self, after: int) -> list[tuple[int, bytes]]:
        """(row, uid) of logs to which another process has appended, with row > after, in order."""
        ...

    async def user(self, uid: bytes) -> UserRow | None: ...

    async def user_entries(self, uid: bytes, after: int, most: int | None = None) -> list[EntryRow]:
        """Entries with seq > after (-1: from the first), in order; at most `most` of them, None for all."""
        ...

    async def put_sighting(self, row: SightingRow) -> None:
        """Stores when the device last signed in; replaces its earlier row."""
        ...

    async def sightings(self, uid: bytes) -> list[SightingRow]:
        """The last sign-in of each of the person's devices that ever signed in."""
        ...

    async def people(self, uids: Sequence[bytes]) -> list[UserRow]: ...

    async def search_people(self, words: Sequence[str], limit: int) -> list[UserRow]:
        """Persons whose search text holds every word, by that text's order."""
        ...

    # -- rooms

    def place(self, placement: Placement) -> "asyncio.Future[None]":
        """Stores items at their positions. Moved if the room's head is not at `expected_n`. The order of the calls is
        the order of the writes."""
        ...

    async def put_state(self, room: bytes, n: int, state: bytes) -> None:
        """Stores a state of the stream, unless the stored one is newer."""
        ...

    async def room(self, room: bytes) -> RoomRow | None: ...

    async def items(
        self, room: bytes, after: int, until: int, limit_bytes: int, *, bare: bool = False
    ) -> list[ItemRow]:
        """Items with after < n ≤ until, in order: at least one, then as many as `limit_bytes` and 4,096 items allow.
        `bare`: without their content."""
        ...

    async def items_at(self, room: bytes, ns: Sequence[int], limit_bytes: int) -> list[ItemRow]:
        """The items at these positions (at most 4,096), in order: at least one, then as many as `limit_bytes`
        allows."""
        ...

    async def forget(self, room: bytes, ns: Sequence[int]) -> int:
        """Deletes the content at these positions. Returns how many bytes that freed; a second call frees none."""
        ...

    async def rhs(self, room: bytes, after: int, until: int) -> list[bytes]:
        """The running hashes of positions after+1 … until, in order."""
        ...

    async def rh_at(self, room: bytes, n: int) -> bytes | None: ...

    async def rhs_at(self, room: bytes, ns: Sequence[int]) -> dict[int, bytes]:
        """The running hashes by position, of those of these positions that exist; at most 4,096."""
        ...

    async def positions(self, room: bytes, ids: Sequence[bytes]) -> dict[bytes, int]:
        """The positions of those ids that have one."""
        ...

    async def memberships(self, uid: bytes, dev: bytes) -> list[Membership]:
        """The rooms that the person is a member of now, with the device's own head in each."""
        ...

    async def crowding(self, uid: bytes, by: bytes) -> Crowding:
        """The number of rooms the person is in now, and of those to which `by` added them and in which they have no
        item."""
        ...

    async def until_n(self, room: bytes, uid: bytes) -> int | None:
        """0 for a member; the position that ended the membership for a former member; None for any other person."""
        ...

    async def shares(self, room: bytes, objs: Sequence[bytes]) -> list[ShareRow]: ...

    async def shares_between(self, room: bytes, after: int, until: int) -> list[ShareRow]:
        """Shares of objects that were introduced at after < n ≤ until."""
        ...

    async def put_share(self, room: bytes, row: ShareRow) -> bool:
        """Stores a share that was lost, even if no row of it is left. False, with nothing changed, if the store has the
        share."""
        ...

    async def seals(self, room: bytes, epoch: int, uid: bytes) -> list[bytes]:
        """All seals of an epoch for a person, newest first."""
        ...

    async def add_seal(self, room: bytes, row: SealRow, keep: int, by: Sequence[Tally] = (), day: int = 0) -> None:
        """Adds a seal; of those for the same person and epoch at most `keep` stay, the first and the newest. Adds its
        bytes to the counts `by` of `day`."""
        ...

    async def put_unmet(self, row: UnmetRow) -> None:
        """Stores a receipt whose item is missing here, unless the room already has one of a higher position."""
        ...

    async def unmet(self, room: bytes) -> UnmetRow | None: ...

    # -- blobs and figures

    async def put_upload(self, row: UploadRow, by: Sequence[Tally], day: int, sent_bytes: int) -> None:
        """Stores how far an upload has come. Adds `sent_bytes`, the bytes of this piece, to the counts `by` of
        `day`."""
        ...

    async def drop_upload(self, room: bytes, obj: bytes, part: bytes) -> None:
        """Drops an unfinished upload's row. Nothing happens if there is none."""
        ...

    async def uploads(self) -> list[UploadRow]:
        """All unfinished uploads, in the order in which they began."""
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
        """The amount counted on that day, 0 for none."""
        ...

    async def counts(self, now_ms: int) -> Counts: ...

    async def population(self, seen_since: int) -> Population:
        """The counts of Population; devices that signed in at `seen_since` (ms) or later. Cheap enough to call once a
        minute."""
        ...

    async def room_sizes(self) -> list[RoomSize]:
        """The size of every room."""
        ...
