# SPDX-License-Identifier: EUPL-1.2
"""What the store keeps of rooms: their streams, members, shares and seals."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from sync.server.store.tally import Tally


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomRow:
    """One room: its last position `n` with that item's running hash `rh` and time `t` (ms, the server's clock), the
    bytes of its items and parts of files (`size_bytes`), and `state`: what its items up to position `state_n` amount to
    (members, keys, …), opaque to the store. `state_n` may be below `n`, since the state is stored only now and then; 0
    with an empty `state` if it never was."""

    room: bytes
    n: int
    rh: bytes
    t: int
    size_bytes: int
    state_n: int
    state: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemRow:
    """One item of a room, at position `n`: an entry or, by `kind`, an envelope (an encrypted change). `t`: when the
    server gave it the position (ms). `id`: its 32-byte id. `rh`: the running hash, which commits to all items up to
    here. `body` and `sig`: what its author signed, and the signature (empty within a batch). `ct`: the ciphertext; None
    for an entry, once the content is deleted, and where the caller asked for items without content."""

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
    """The share of the object `obj`: the secret without which the object cannot be decrypted. `n`: the position of the
    item that introduced it; if the whole row was lost and a client uploaded the share again, the room's last position
    at that time. `share_c`: the commitment (a hash) in that item. `share`: the secret; None if a restore lost it and no
    client has uploaded it since."""

    obj: bytes
    n: int
    share_c: bytes
    share: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SealRow:
    """The keys of one epoch (a generation of a room's keys), sealed (encrypted) to one recipient, the person `uid`."""

    epoch: int
    uid: bytes
    seal: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberChange:
    """A change of a room's members: the person `uid` became a member (`until_n` None), or ceased to be one by the entry
    at the position `until_n`. The position at which a membership began is not stored. `by`: the person who added them;
    None for the room's founder and for the end of a membership, at which the store keeps the adder that it has."""

    uid: bytes
    until_n: int | None
    by: bytes | None = None
    """The person who added them; None for a founder, and if the membership ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowding:
    """How many rooms a person is in (`rooms`), and to how many of these one particular other person added them although
    they have written nothing there yet (`unanswered`). The rules refuse a further add by these numbers."""

    rooms: int
    unanswered: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceHead:
    """The newest change (envelope) by the device `dev` in a room: its number `dev_seq` among the device's changes
    there, and its id. The server sends it to that device at each sign-in, beside the room's newest position; the
    command `verify` compares it with the room's items."""

    dev: bytes
    dev_seq: int
    id: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Everything that the store writes for one accepted request that adds items to a room, in one transaction.
    `expected_n`: the room's last position before it; 0 creates the room; Moved if that is not so. `size_bytes`: what
    the request adds to the room's size, and to each of the counts `by` (of the device and the person that send it) of
    the day with the number `day`, which limit what may be sent in a day. `shares` and `seals`: secrets of new objects,
    and encrypted keys, that come with the items. `members`: who became or ceased to be a member. `spoke`: persons who
    now have an item in the room. `device_head`: the last of the changes, now the newest one by the device that wrote
    it; None if the items are entries. `state`: the room's state after these items, None to keep the stored one.
    `reuploaded`: None, except for items that clients upload again after a restore; then the positions of the entries
    whose seals do not come with them. `prunes`: an item here has content of the room deleted; the store then lists the
    room in `prunings` until `end_pruning`."""

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
    prunes: bool = False
    reuploaded: Sequence[int] | None = None
    """None for a new placement. For one that was uploaded again after a restore: the positions of its entries that name
    seals, which are not uploaded with it. A room that begins with such a placement is closed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """A room that a person is a member of: its last position `n`, the running hash `rh` and the time `t` there, and the
    newest change there by the asking device (`dev_seq` 0 and an empty `dev_head` if there is none)."""

    room: bytes
    n: int
    rh: bytes
    t: int
    dev_seq: int
    dev_head: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class UnmetRow:
    """A receipt that this server signed for position `n` of a room, which it does not have or has with a different
    hash: its database was set back or changed. `rh` and `t`: the running hash and the time in the receipt."""

    room: bytes
    n: int
    rh: bytes
    t: int
    sig: bytes


class RoomStore(Protocol):
    """The part of the server's store, as a Protocol, that keeps rooms: their items, members, shares (secrets of
    objects) and seals (encrypted keys). A write is durable when its coroutine returns or its future ends, and is stored
    whole or not at all. A failed write raises a StoreError. New items of a room are stored in the order of the calls of
    `place`. Reads see only durable writes."""

    def place(self, placement: Placement, ahead: Callable[[], None] | None = None) -> "asyncio.Future[None]":
        """Stores new items of a room at their positions; the future ends when they are durable. Its error is Moved if
        the room's last position is not `expected_n`, or another StoreError if the write failed. The order of the calls
        is the order of the writes. `ahead` is called on the event loop while the disk works, if there is time for that:
        it may make what will be sent, and must send nothing, since the write may still fail."""
        ...

    async def put_state(self, room: bytes, n: int, state: bytes) -> None:
        """Stores a room's state at position `n`, unless the stored one is as new or `n` is beyond the room's head."""
        ...

    async def room(self, room: bytes) -> RoomRow | None: ...

    async def items(
        self, room: bytes, after: int, until: int, limit_bytes: int, *, bare: bool = False
    ) -> list[ItemRow]:
        """Items of the room with the id `room` whose positions are above `after` and at most `until`, in order: the
        first, if there is any, then as many as `limit_bytes` and 4,096 items allow. `bare`: without their content. []
        if there are none, or no such room."""
        ...

    async def items_at(self, room: bytes, ns: Sequence[int], limit_bytes: int) -> list[ItemRow]:
        """Items, with their content, of the room with the id `room` at the positions `ns` (1 to 4,096 of them,
        ascending). They come in ascending order: the first, if there is any, then as many as `limit_bytes` allows.
        Positions that the room does not have are left out."""
        ...

    async def forget(self, room: bytes, ns: Sequence[int]) -> int:
        """Deletes the content at these positions, and overwrites it in the database's file. Returns how many bytes that
        freed; a second call frees none."""
        ...

    async def forget_share(self, room: bytes, obj: bytes) -> None:
        """Deletes the share of an object (its secret), and overwrites it in the database's file. The row with its
        commitment stays. Nothing happens if it has none."""
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

    async def prunings(self) -> list[bytes]:
        """The ids of the rooms that had a placement with `prunes` for which `end_pruning` was not called since, in no
        order."""
        ...

    async def end_pruning(self, room: bytes, n: int) -> None:
        """Notes that all content is deleted that the prunes of the room with the id `room` up to position `n` cover:
        the room leaves `prunings`. Does nothing if the room has a prune above `n`, or none. `n`: the last position of
        the placement, or a later one."""
        ...

    async def last_positions(self, uid: bytes, rooms: Sequence[bytes]) -> dict[bytes, int]:
        """The last position of each of `rooms` that the person `uid` is a member of now; the others are left out."""
        ...

    async def crowding(self, uid: bytes, by: bytes) -> Crowding:
        """How many rooms the person `uid` is in now, and to how many of these the person `by` added them although they
        have written nothing there yet. Both are 0 for an unknown person. The rules refuse a further add by these
        numbers."""
        ...

    async def until_n(self, room: bytes, uid: bytes) -> int | None:
        """0 for a member; the position that ended the membership for a former member; None for any other person."""
        ...

    async def shares(self, room: bytes, objs: Sequence[bytes]) -> list[ShareRow]: ...

    async def shares_between(self, room: bytes, after: int, until: int) -> list[ShareRow]:
        """Shares of objects that were introduced at after < n ≤ until."""
        ...

    async def put_share(self, room: bytes, row: ShareRow) -> bool:
        """Stores the share (the secret) of an object in the room with the id `room` that the store lost, even if no row
        of it is left. True if it was stored. False, with nothing changed, if the store has the share. The caller has
        checked the share against its commitment."""
        ...

    async def seals(self, room: bytes, epoch: int, uid: bytes) -> list[bytes]:
        """All seals of an epoch for a person, newest first."""
        ...

    async def add_seal(self, room: bytes, row: SealRow, keep: int, by: Sequence[Tally] = (), day: int = 0) -> None:
        """Adds a seal to the room with the id `room`: the keys of an epoch (a generation of the room's keys), encrypted
        to one person. Of all seals for that person and epoch at most `keep` stay (2 if `keep` is lower), the first and
        the newest; the oldest after the first are dropped. Adds the seal's bytes to the counts `by` of the day with the
        number `day`, which limit what may be sent in a day."""
        ...

    async def put_unmet(self, row: UnmetRow) -> None:
        """Stores a receipt whose item is missing here, unless the room already has one of that or a higher position."""
        ...

    async def unmet(self, room: bytes) -> UnmetRow | None: ...
