# SPDX-License-Identifier: EUPL-1.2
"""What the server needs from a store: an async Protocol, rows, and the store's refusals.

A write is durable when its coroutine returns, and it is stored whole or not at all. Placements take effect in the order
of the calls, so a caller may start the next one before the previous one has returned; a placement that expects a head
(`expected_n`) fails if the one before it failed. Reads see only durable writes. tests/sync/server/test_stores_*.py run
one suite over all implementations.

Each subject has its own module, with its rows and its part of the Protocol; all of them are exported here.
"""

from typing import Protocol

from sync.server.store.admin_chain import AdminLog
from sync.server.store.blob_store import BlobRow, BlobStore, UploadRow
from sync.server.store.figures import Counts, FigureStore, Population, RoomSize
from sync.server.store.people_store import (
    Appended,
    EntryRow,
    InviteRow,
    LogHeadRow,
    PeopleStore,
    RecoveryRequestRow,
    SightingRow,
    StaffRow,
    UserRow,
)
from sync.server.store.refusals import Full, Moved, StoreError, Taken, Unreadable, Unwritable
from sync.server.store.restored import RestoreStore
from sync.server.store.room_store import (
    Crowding,
    DeviceHead,
    ItemRow,
    MemberChange,
    Membership,
    Placement,
    RoomRow,
    RoomStore,
    SealRow,
    ShareRow,
    UnmetRow,
)
from sync.server.store.tally import Tally

__all__ = [
    "Appended", "BlobRow", "Counts", "Crowding", "DeviceHead", "EntryRow", "Full", "InviteRow", "ItemRow",
    "LogHeadRow", "MemberChange", "Membership", "Moved", "Placement", "Population", "RecoveryRequestRow", "RoomRow",
    "RoomSize", "SealRow", "ShareRow", "SightingRow", "StaffRow", "Store", "StoreError", "Taken", "Tally", "UnmetRow",
    "Unreadable", "Unwritable", "UploadRow", "UserRow",
]  # fmt: skip


class Store(PeopleStore, RoomStore, BlobStore, FigureStore, RestoreStore, AdminLog, Protocol):
    """The server's whole store, as a Protocol: people, rooms, parts of files, figures for the operator (how many
    people, rooms and bytes there are), the recovery after restores, and the admin log. A write is durable when it
    returns, and stored whole or not at all; the module's head says more about durability and order."""

    @property
    def queued(self) -> int:
        """Writes that wait for the disk."""
        ...

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def probe(self) -> None:
        """Checks that the store can be written: durably writes a row that changes each time. Raises as any write."""
        ...
