# SPDX-License-Identifier: EUPL-1.2
"""Figures about everything that is stored, for operators and monitoring."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomSize:
    """What an operator may see of one room: its id, the number of members now, its last position `n`, the bytes of its
    items and parts of files together (`size_bytes`), and the last item's time `t` (ms, the server's clock)."""

    room: bytes
    members: int
    n: int
    size_bytes: int
    t: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How much of everything the store has, for the operator's command `status`. `invites_open`: invitations that can
    still be used. `blobs`: parts of files. `rooms_closed`: rooms that a restore closed, `devices_awaited`: devices that
    may still upload what it lost. `rooms_behind`: rooms of which clients hold receipts (this server's signatures) for
    positions above the last one here. `rooms_forked`: rooms of which clients hold receipts for another history. Either
    of these two shows that the database was set back or changed."""

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
    """Counts for monitoring: people with an account (ended ones too), devices that signed in since a given time, rooms
    that a restore closed (`rooms_closed`), and rooms of which clients hold receipts (this server's signatures) for
    another history (`rooms_forked`)."""

    people: int
    devices: int
    rooms_closed: int
    rooms_forked: int


class FigureStore(Protocol):
    """The part of the store, as a Protocol, that counts what is stored, for operators and monitoring."""

    async def counts(self, now_ms: int) -> Counts: ...

    async def population(self, seen_since: int) -> Population:
        """Counts for monitoring: people; devices that signed in, or were noted as connected, at `seen_since` (ms) or
        later; rooms that a restore closed; and rooms of which clients hold receipts (this server's signatures) for
        another history. There is no count of all rooms. Cheap enough to call once a minute."""
        ...

    async def room_sizes(self) -> list[RoomSize]:
        """The size of every room."""
        ...
