# SPDX-License-Identifier: EUPL-1.2
"""A store for a room that is only previewed: it contains nothing and stores nothing."""

from collections.abc import Sequence

from sync.client.ports import KeptReceipt
from sync.client.received import Received
from sync.errors import BugError
from sync.ids import ObjId, RoomId, Uid
from sync.trust.formats.items import Item


class Unstored:
    """An `InboxPort`, the part of the store that a room uses, for a room that is only previewed: it contains nothing
    and stores nothing. Keys that are opened stay in the room's own memory. BugError if received content is to be
    stored."""

    def rooms(self) -> list[tuple[RoomId, bytes]]:
        return []

    def rh_at(self, room: RoomId, n: int) -> bytes | None:
        return None

    def entry_time(self, room: RoomId, n: int) -> int | None:
        return None

    def promoted_at(self, room: RoomId, uid: Uid) -> int | None:
        return None

    def note_seen(self, room: RoomId, n: int, t: int) -> None: ...

    def seen_ms(self, room: RoomId, n: int) -> int | None:
        return None

    def keys(self, room: RoomId) -> list[tuple[int, bytes, bytes | None]]:
        return []

    def put_keys(self, room: RoomId, keys: Sequence[tuple[int, bytes, bytes | None]]) -> None: ...

    def share(self, room: RoomId, obj: ObjId) -> bytes | None:
        return None

    def waiting(self, room: RoomId) -> list[tuple[int, bytes]]:
        return []

    def reread(self, room: RoomId) -> int:
        return 0

    def incomplete(self, room: RoomId) -> list[ObjId]:
        return []

    def problem(self, room: RoomId) -> str | None:
        return None

    def set_problem(self, room: RoomId, code: str | None) -> None: ...

    def receipts(self) -> list[KeptReceipt]:
        return []

    def put_receipts(self, receipts: Sequence[KeptReceipt]) -> None: ...

    def put_placed(self, room: RoomId, items: Sequence[Item], receipt: KeptReceipt | None) -> None: ...

    def put_evidence(
        self, room: RoomId, code: str, ours: bytes | None, theirs: bytes | None, claim: bytes | None
    ) -> None: ...

    def kept_items(self, room: RoomId, n: int, limit_bytes: int) -> list[Item]:
        return []

    def trim_items(self, before_ms: int, most_bytes: int) -> bool:
        return False

    async def receive_apart(self, received: Received) -> None:
        raise BugError("a previewed room is not stored")
