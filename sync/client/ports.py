# SPDX-License-Identifier: EUPL-1.2
"""What the engine needs from its owner: a durable store of bytes, and a listener to notify.

Every method is synchronous, durable when it returns (one transaction each) and called on the engine's event loop.
app/store implements `Ports`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from sync.client.placed_changes import Compact, Compacted, PlacedChange
from sync.client.received import MemberRow as MemberRow
from sync.client.received import OpenedChange as OpenedChange
from sync.client.received import OpenedSnapshot as OpenedSnapshot
from sync.client.received import Received
from sync.client.received import RoomEvent as RoomEvent
from sync.ids import ChangeId, DevId, Hash, ObjId, PartId, RoomId, Uid
from sync.trust.formats.items import Item
from sync.trust.room.ephemeral import CARET as CARET
from sync.trust.room.ephemeral import PRESENCE as PRESENCE
from sync.trust.room.ephemeral import TYPING as TYPING


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingChange:
    """An outbox row that is not encrypted yet. `payload` is opaque to sync. Rows come in the order in which they were
    appended."""

    row: int
    room: RoomId
    obj: ObjId
    change_id: ChangeId
    payload: bytes = field(repr=False)
    live: bool
    """True for document edits, which are batched; False for records, which are flushed at once."""
    baseline: bool = False
    """The object's present state, for a member who was added without the history (protocol §7)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedBatch:
    """A signed batch of encrypted changes. It is stored before it is sent, and sent again byte for byte until it is
    acknowledged.

    `rows` are the outbox rows in it; `shares` the (obj, share) pairs that its first ops introduce.
    """

    room: RoomId
    first_seq: int
    last_id: Hash
    bodies: tuple[bytes, ...]
    cts: tuple[bytes, ...]
    sig: bytes
    shares: tuple[tuple[ObjId, bytes], ...] = field(repr=False)
    rows: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptReceipt:
    """The server's signature that a room had reached position `n`. `proof` is opaque; it convinces others too."""

    room: RoomId
    n: int
    proof: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptServer:
    """Where the account's server last proved itself: `address` is "host:port" as it was dialled, `key` the server's
    receipt key."""

    address: str
    key: bytes


class ServerPort(Protocol):
    """What the engine asks of the owner's store about the account's server: loads and stores its address and key."""

    def kept_server(self) -> KeptServer | None:
        """What `keep_server` stored last; None before the first connection."""
        ...

    def keep_server(self, server: KeptServer) -> None:
        """Stores where the account's server is, in place of what was stored."""
        ...


class AccountPort(Protocol):
    """The account's own secrets, and everybody's public logs."""

    def load_account(self) -> bytes | None: ...

    def save_account(self, account: bytes) -> None: ...

    def recovery_first_seen(self) -> bytes | None:
        """The bytes that `keep_recovery_first_seen` stored last; None if nothing is stored."""
        ...

    def keep_recovery_first_seen(self, first_seen: bytes) -> None:
        """Stores when this device first saw each recovery attempt; opaque. Replaces what was stored."""
        ...

    def user_log(self, uid: Uid) -> list[tuple[bytes, bytes]]:
        """All stored (body, sig) of a user's log, in order."""
        ...

    def append_user_log(self, uid: Uid, first_seq: int, entries: Sequence[tuple[bytes, bytes]]) -> None:
        """Stores verified entries. Entries that are already stored are left as they are."""
        ...

    def user_logs(self) -> list[tuple[Uid, int]]:
        """Every person with stored entries, with the seq of the newest."""
        ...

    def put_person(self, uid: Uid, record: Mapping[str, str], salt: bytes) -> None:
        """Stores a verified staff record ("name", "title", "unit") and the salt that the agency hashed it with."""
        ...

    def staff_record(self, uid: Uid) -> tuple[Mapping[str, str], bytes] | None:
        """What `put_person` stored last of this person."""
        ...


class InboxPort(Protocol):
    """What was received from the server."""

    def rooms(self) -> list[tuple[RoomId, bytes]]:
        """Every room with its stored stream state."""
        ...

    def rh_at(self, room: RoomId, n: int) -> bytes | None: ...

    def entry_time(self, room: RoomId, n: int) -> int | None:
        """The server's time in ms of a position if an entry that counts is there; None otherwise."""
        ...

    def promoted_at(self, room: RoomId, uid: Uid) -> int | None:
        """The position of the newest entry that made a member an administrator or owner, or None."""
        ...

    def note_seen(self, room: RoomId, n: int, t: int) -> None:
        """Everything up to position `n` has been seen at `t` (own clock, ms)."""
        ...

    def seen_ms(self, room: RoomId, n: int) -> int | None:
        """When (own clock, ms) this device had seen a position, at most an hour too late. None if it has only just seen
        it."""
        ...

    def keys(self, room: RoomId) -> list[tuple[int, bytes, bytes | None]]:
        """(epoch, K, A or None) of every epoch whose key is held."""
        ...

    def put_keys(self, room: RoomId, keys: Sequence[tuple[int, bytes, bytes | None]]) -> None: ...

    def share(self, room: RoomId, obj: ObjId) -> bytes | None: ...

    def waiting(self, room: RoomId) -> list[tuple[int, bytes]]: ...

    def reread(self, room: RoomId) -> int:
        """The position up to which the room is to be read again, as it was stored last; 0 for none."""
        ...

    def incomplete(self, room: RoomId) -> list[ObjId]:
        """Objects that were stored as incomplete and have not been `Backfilled` since."""
        ...

    def problem(self, room: RoomId) -> str | None:
        """Why the room stopped ("fork", "rollback"), as `set_problem` kept it."""
        ...

    def set_problem(self, room: RoomId, code: str | None) -> None:
        """Stores why the room has stopped; its outbox is held back. None lets the room continue."""
        ...

    def receipts(self) -> list[KeptReceipt]:
        """The newest receipt of every room."""
        ...

    def put_receipts(self, receipts: Sequence[KeptReceipt]) -> None:
        """Stores each receipt unless one of a later position is stored. Losing the last ones in a power cut does no
        harm."""
        ...

    def put_evidence(
        self, room: RoomId, code: str, ours: bytes | None, theirs: bytes | None, claim: bytes | None
    ) -> None:
        """Stores the proof that the server was false ("fork", "rollback", "restored", "time"): the receipt that we had,
        the one that the server gave then (both as proofs), and a claim. The claim is what a member signed, or the
        server's statement that it was restored. Only the first evidence of each code in a room is kept."""
        ...

    def kept_items(self, room: RoomId, n: int, limit_bytes: int) -> list[Item]:
        """Kept items that follow position `n` without a break: at least one if it is there, then as many as the bytes
        allow."""
        ...

    def trim_items(self, before_ms: int, most_bytes: int) -> bool:
        """Deletes some kept items that are older than `before_ms`, or the oldest ones above `most_bytes`. True: call it
        again."""
        ...

    async def receive_apart(self, received: Received) -> None:
        """Stores a slice in ONE transaction: commits it, then notifies the tools, then flushes the commit to the disk
        and returns. With `received.more` it is not flushed, since the last part of the slice is. If this raises, the
        slice may be stored all the same.

        A change id that is already stored only gets its position (own changes, doubles).
        """
        ...


class SnapshotPort(Protocol):
    """Objects' states."""

    def compactor(self, obj: ObjId) -> Compact | None:
        """The function that makes an object's changes into its state. None for an unknown object, or a kind without
        snapshots."""
        ...

    def is_sound(self, obj: ObjId) -> bool:
        """Whether every change that was received of the object is merged here. A change that is held back may be merged
        later."""
        ...

    def base(self, obj: ObjId) -> tuple[int, Compacted] | None:
        """(position, the state up to there) that this device last computed or opened, to begin from."""
        ...

    def opened_at(self, obj: ObjId) -> int | None:
        """The position n of the newest snapshot from which this device began the object; None if it began from none."""
        ...

    def put_base(self, room: RoomId, obj: ObjId, n: int, state: Compacted) -> None:
        """Stores the state in place of an older one."""
        ...

    def forget_base(self, obj: ObjId) -> None:
        """Deletes a stored state that was false: the next one is computed from the first change."""
        ...

    def positioned(self, obj: ObjId, after: int, until: int, waits: Sequence[int] = ()) -> list[PlacedChange]:
        """The object's changes at positions after < n ≤ until and at those of `waits`, in the room's order, without the
        opened snapshot. Called from a thread that is not the loop's."""
        ...

    def grown(self, obj: ObjId, after: int) -> tuple[int, int]:
        """(positions, bytes) of the object's changes after a position."""
        ...


class OutboxPort(Protocol):
    """What goes to the server."""

    def pending(self, limit: int) -> list[PendingChange]:
        """Rows that are not encrypted yet, oldest first. Rows that wait for a blob's upload or a postponed room are
        left out."""
        ...

    def pending_in(self, room: RoomId, limit: int) -> list[PendingChange]: ...

    def put_sealed(self, batch: SealedBatch) -> None:
        """Stores the batch and its shares, and marks its rows encrypted and its dev_seq signed, in one transaction."""
        ...

    def sealed(self, room: RoomId) -> SealedBatch | None:
        """The oldest batch of the room that is not acknowledged."""
        ...

    def rooms_with_work(self) -> list[RoomId]:
        """Rooms that have an encrypted batch or a pending row."""
        ...

    def shown(self, batch: SealedBatch, first: int) -> bool:
        """Removes a batch that the room's stream shows from position `first` on, with the rows whose changes
        `receive_apart` gave a position. Returns False if some rows were void there (neither placed, bad nor waiting):
        these are pending again, and the dev_seq is used up."""
        ...

    def unseal(self, batch: SealedBatch) -> None:
        """Drops a batch that the server refused as stale: its rows are pending again, its dev_seq is used up."""
        ...

    def burned(self, room: RoomId) -> int:
        """The highest dev_seq that was ever signed in the room, 0 for none. It is never signed again."""
        ...

    def waiting_count(self) -> int:
        """The number of changes that the server does not have yet: the status bar calls them waiting."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PartUpload:
    """An encrypted part that is stored at the owner and not yet at the server. `digest` is SHA-256 of its bytes."""

    part: PartId
    room: RoomId
    obj: ObjId
    digest: bytes


class BlobPort(Protocol):
    """What the engine asks of the owner's store of encrypted file parts: which ones to upload, and their bytes."""

    def uploads(self) -> list[PartUpload]:
        """Parts to upload, oldest first."""
        ...

    def read_part(self, part: PartId, digest: bytes) -> bytes:
        """The encrypted bytes. Whatever error this raises, only this part is left out. Called in a thread."""
        ...

    def uploaded_parts(self) -> list[PartUpload]:
        """Parts that are stored here and that the server has confirmed."""
        ...

    def part_lost(self, part: PartId) -> None:
        """The server no longer has the part: it is to be uploaded again."""
        ...

    def parts_checked_for(self) -> bytes | None:
        """The mark that `set_parts_checked_for` stored: the restore after which all parts were checked at the
        server."""
        ...

    def set_parts_checked_for(self, mark: bytes) -> None: ...

    def part_uploaded(self, part: PartId) -> None:
        """The server has the part durably: changes that waited for it may be sent."""
        ...


class Listener(Protocol):
    """Receives the engine's notifications. Called on the event loop; must not block or raise."""

    def on_status(self) -> None:
        """`Engine.status` changed."""
        ...

    def on_room(self, room: RoomId) -> None:
        """A room appeared, was left, or its state (members, forks, waiting) changed."""
        ...

    def on_log(self, uid: Uid) -> None:
        """A person's log has grown and is stored: their keys may have changed."""
        ...

    def on_ephemeral(self, room: RoomId, uid: Uid, dev: DevId, payload: bytes, kind: int) -> None:
        """A verified, decrypted ephemeral message of another device, of a kind that its sender's role may send."""
        ...


class Ports(AccountPort, ServerPort, InboxPort, SnapshotPort, OutboxPort, BlobPort, Protocol):
    """The whole store as the engine sees it."""
