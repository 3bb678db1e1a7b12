# SPDX-License-Identifier: EUPL-1.2
"""What the store keeps of rooms: their streams, members, shares and seals."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from sync.server.store.tally import Tally


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


class RoomStore(Protocol):
    """The part of the store that is about rooms. See sync/server/store/base.py for durability and order."""

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
