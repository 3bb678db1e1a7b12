# SPDX-License-Identifier: EUPL-1.2
"""What the engine needs from its owner: a durable store of bytes, and someone to tell.

Every method is synchronous, durable when it returns (one transaction each) and called on the engine's event loop.
app/store implements `Ports`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from sync.client.placed_changes import Compact, Compacted, PlacedChange
from sync.ids import ChangeId, DevId, Hash, ObjId, PartId, RoomId, Uid
from sync.trust.formats.items import Item
from sync.trust.room.ephemeral import CARET as CARET
from sync.trust.room.ephemeral import PRESENCE as PRESENCE
from sync.trust.room.ephemeral import TYPING as TYPING
from sync.trust.room.successor_claim import Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingChange:
    """An outbox row that is not sealed yet. `payload` is opaque to sync; rows come in the order of appending."""

    row: int
    room: RoomId
    obj: ObjId
    change_id: ChangeId
    payload: bytes = field(repr=False)
    live: bool
    """True for document edits, which are batched; False for records, which are flushed at once."""
    baseline: bool = False
    """The object's present state for somebody who was added without the history (protocol §7)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedBatch:
    """A signed batch, persisted before it is sent and sent again verbatim until it is acknowledged.

    `rows` are the outbox rows that went into it; `shares` the (obj, share) pairs that its first ops introduce.
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
    """The server's signed word that a room stood at `n`; `proof` is opaque and holds for others too."""

    room: RoomId
    n: int
    proof: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedChange:
    """A verified, authorised and decrypted change at its position. `t` is the server's time in ms."""

    n: int
    t: int
    uid: Uid
    dev: DevId
    obj: ObjId
    change_id: ChangeId
    payload: bytes = field(repr=False)
    place: int = 0
    """Its number in its envelope, from 0 on."""
    baseline: bool = False
    """It came as a baseline: the object's state, by an administrator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedSnapshot:
    """An object's attested state up to position `covers`, by `uid`; it stands at `n` (time `t`)."""

    n: int
    t: int
    uid: Uid
    obj: ObjId
    covers: int
    state: Compacted


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomEvent:
    """A room entry at its position, for the timeline and the member list. `kind` is the entry type's name, or "reset"
    for a member whose account the agency has ended.

    `subject` is whom it concerns (add, rm, role, hist), `role` the new role's number, `history` for add. `origin` is
    what a genesis claims to continue; see `Engine.may_continue`. `obj` is the object that a destroy or prune concerns,
    `until` the position up to which a prune reaches. `note` is the encrypted reason of an rm; only
    `Engine.removal_reason` can read it.
    """

    n: int
    t: int
    kind: str
    by: Uid
    subject: Uid | None = None
    role: int | None = None
    history: bool | None = None
    origin: Origin | None = None
    obj: ObjId | None = None
    until: int | None = None
    note: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberRow:
    """A member as the room's log says. `role` 1 reader, 2 writer, 3 admin, 4 owner."""

    uid: Uid
    role: int
    since_n: int
    history: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """Everything one accepted slice of a room's stream changes; stored whole or not at all.

    `state` is the stream's state after it (opaque; None with `cursor` leaves both as they are: a part of a slice,
    or something that waited), `positions` its (n, rh) pairs, `waiting` verified items whose
    key or share is missing (opaque, by n), `resolved` the positions of waiting items that are now opened or bad,
    `bad` the (n, code) of items that failed with the key held, `members` those that are new or changed, `gone` those
    that are no members any more.
    """

    room: RoomId
    cursor: int | None = None
    more: bool = False
    """More of the same pulled slice follows at once: it need not be durable by itself, a crash repeats it."""
    state: bytes | None = None
    positions: Sequence[tuple[int, bytes]] = ()
    changes: Sequence[OpenedChange] = ()
    events: Sequence[RoomEvent] = ()
    members: Sequence[MemberRow] = ()
    gone: Sequence[Uid] = ()
    waiting: Sequence[tuple[int, bytes]] = ()
    resolved: Sequence[int] = ()
    bad: Sequence[tuple[int, str]] = ()
    void: Sequence[tuple[int, Uid, str]] = ()
    """(position, person in whose name it is, code) of items that are void by the room's rules. An honest server gives
    them no position. The person may be innocent: the signature is not always verified (protocol §4)."""
    keys: Sequence[tuple[int, bytes, bytes | None]] = field(default=(), repr=False)
    shares: Sequence[tuple[ObjId, bytes]] = field(default=(), repr=False)
    items: Sequence[Item] = ()
    """The slice's items as they came, those that are to be kept for a server that loses them."""
    reread: int | None = None
    """The position up to which the room is to be read once more; 0 when that is done, None leaves it."""
    snapshots: Sequence["OpenedSnapshot"] = ()
    whole: Sequence[ObjId] = ()
    """Objects of which every change is here now: they need no snapshot any more to stand on."""
    incomplete: Sequence[ObjId] = ()
    """Objects of which the server had forgotten changes before they came here: kept until they are in `filled`."""
    backfilled: Sequence[ObjId] = ()
    """Objects that stand whole in spite of that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptServer:
    """Where the account's server proved itself last: `address` "host:port" as it was dialled, `key` its receipt key."""

    address: str
    key: bytes


class ServerPort(Protocol):
    """Where the account's server is."""

    def kept_server(self) -> KeptServer | None:
        """What `keep_server` stored last; None before the first connection."""
        ...

    def keep_server(self, server: KeptServer) -> None:
        """Stores where the account's server is, in place of what was stored."""
        ...


class AccountPort(Protocol):
    """The account's own secrets and everybody's public logs."""

    def load_account(self) -> bytes | None: ...

    def save_account(self, account: bytes) -> None: ...

    def recovery_first_seen(self) -> bytes | None:
        """The bytes that `keep_heard` stored last; None for nothing."""
        ...

    def keep_recovery_first_seen(self, first_seen: bytes) -> None:
        """Stores when this device first learned of each recovery attempt; opaque. Replaces what was stored."""
        ...

    def user_log(self, uid: Uid) -> list[tuple[bytes, bytes]]:
        """All stored (body, sig) of a user's log, in order."""
        ...

    def append_user_log(self, uid: Uid, first_seq: int, entries: Sequence[tuple[bytes, bytes]]) -> None:
        """Stores verified entries; those already stored are left as they are."""
        ...

    def user_logs(self) -> list[tuple[Uid, int]]:
        """Everybody of whom there are entries, with the seq of the newest."""
        ...

    def put_person(self, uid: Uid, record: Mapping[str, str], salt: bytes) -> None:
        """Stores a verified staff record ("name", "title", "unit") and the salt that the agency hashed it with."""
        ...

    def staff_record(self, uid: Uid) -> tuple[Mapping[str, str], bytes] | None:
        """What `put_person` stored last of this person."""
        ...


class InboxPort(Protocol):
    """What came from the server."""

    def rooms(self) -> list[tuple[RoomId, bytes]]:
        """Every room with its stored stream state."""
        ...

    def rh_at(self, room: RoomId, n: int) -> bytes | None: ...

    def entry_time(self, room: RoomId, n: int) -> int | None:
        """The server's time in ms of a position at which an entry stands that counts, else None."""
        ...

    def promoted_at(self, room: RoomId, uid: Uid) -> int | None:
        """The position of the newest entry that made a member an administrator or owner, or None."""
        ...

    def note_seen(self, room: RoomId, n: int, t: int) -> None:
        """Everything up to position `n` has been seen at `t` (own clock, ms)."""
        ...

    def seen_ms(self, room: RoomId, n: int) -> int | None:
        """When (own clock, ms) a position had been seen here, at most an hour too late; None: just now."""
        ...

    def keys(self, room: RoomId) -> list[tuple[int, bytes, bytes | None]]:
        """(epoch, K, A or None) of every epoch whose key is held."""
        ...

    def put_keys(self, room: RoomId, keys: Sequence[tuple[int, bytes, bytes | None]]) -> None: ...

    def share(self, room: RoomId, obj: ObjId) -> bytes | None: ...

    def waiting(self, room: RoomId) -> list[tuple[int, bytes]]: ...

    def reread(self, room: RoomId) -> int:
        """`Received.reread` as it was stored last, 0 if never."""
        ...

    def incomplete(self, room: RoomId) -> list[ObjId]:
        """What was in `Received.gaps` and not in `Received.filled` since."""
        ...

    def problem(self, room: RoomId) -> str | None:
        """Why the room stopped ("fork", "rollback"), as `set_problem` kept it."""
        ...

    def set_problem(self, room: RoomId, code: str | None) -> None:
        """Keeps that the room has stopped, which holds back its outbox; None lets it go on."""
        ...

    def receipts(self) -> list[KeptReceipt]:
        """The newest receipt of every room."""
        ...

    def put_receipts(self, receipts: Sequence[KeptReceipt]) -> None:
        """Keeps each unless one of a later position is kept. The loss of the last ones in a power cut does no harm."""
        ...

    def put_evidence(
        self, room: RoomId, code: str, ours: bytes | None, theirs: bytes | None, claim: bytes | None
    ) -> None:
        """Keeps what shows that the server was false ("fork", "rollback", "restored", "time"): the receipt we had, the
        one it gave then (both proofs), and what a member signed, or the server's statement that it was restored. The
        first of each code in a room stays."""
        ...

    def kept_items(self, room: RoomId, n: int, limit_bytes: int) -> list[Item]:
        """Kept items that follow position `n` without a gap, at least one if it is there, then while bytes allow."""
        ...

    def trim_items(self, before_ms: int, most_bytes: int) -> bool:
        """Lets a few kept items go that are older, or the oldest above so many bytes. True: call it again."""
        ...

    async def receive_apart(self, received: Received) -> None:
        """Stores a slice in ONE transaction: commits it, then tells the tools, then flushes the commit to the disk and
        returns. With `received.more` it is not flushed, since the last part of the slice is. If this raises, the slice
        may be stored all the same.

        A change id that is already stored only gets its position (own changes, doubles).
        """
        ...


class SnapshotPort(Protocol):
    """Objects as their state."""

    def compactor(self, obj: ObjId) -> Compact | None:
        """How an object's changes are made its state; None for one of a kind that has no snapshots, or unknown."""
        ...

    def is_sound(self, obj: ObjId) -> bool:
        """Whether everything that came for the object is merged here. What is held back may be merged later."""
        ...

    def base(self, obj: ObjId) -> tuple[int, Compacted] | None:
        """(position, the state up to there) that this device last computed or opened, to begin from."""
        ...

    def opened_at(self, obj: ObjId) -> int | None:
        """The position n of the newest snapshot with which this device began the object; None if it stands on none."""
        ...

    def put_base(self, room: RoomId, obj: ObjId, n: int, state: Compacted) -> None:
        """Keeps it in place of an older one."""
        ...

    def forget_base(self, obj: ObjId) -> None:
        """It was false: the next state begins from the start."""
        ...

    def positioned(self, obj: ObjId, after: int, until: int, waits: Sequence[int] = ()) -> list[PlacedChange]:
        """The object's changes at positions after < n ≤ until and at those of `waits`, in the room's order, without the
        snapshot that was opened. Called from a thread that is not the loop's."""
        ...

    def grown(self, obj: ObjId, after: int) -> tuple[int, int]:
        """(positions, bytes) of the object's changes after a position."""
        ...


class OutboxPort(Protocol):
    """What goes to the server."""

    def pending(self, limit: int) -> list[PendingChange]:
        """Unsealed rows, oldest first, leaving out those that wait for a blob's upload or a postponed room."""
        ...

    def pending_in(self, room: RoomId, limit: int) -> list[PendingChange]: ...

    def put_sealed(self, batch: SealedBatch) -> None:
        """Stores the batch and its shares, marks its rows sealed and its dev_seq signed, in one transaction."""
        ...

    def sealed(self, room: RoomId) -> SealedBatch | None:
        """The oldest batch of the room that is not acknowledged."""
        ...

    def rooms_with_work(self) -> list[RoomId]:
        """Rooms that have a sealed batch or a pending row."""
        ...

    def shown(self, batch: SealedBatch, first: int) -> bool:
        """The room's stream has shown it from position `first` on: the batch goes, with the rows whose changes got
        their position by `receive`. False if others were neither bad nor waiting there, but void: they are pending
        again, the dev_seq burned."""
        ...

    def unseal(self, batch: SealedBatch) -> None:
        """The server refused it as stale: its rows are pending again and the batch is dropped, its dev_seq burned."""
        ...

    def burned(self, room: RoomId) -> int:
        """The highest dev_seq that was ever signed in the room, 0 for none: it is never signed again."""
        ...

    def waiting_count(self) -> int:
        """Changes that the server does not have yet: what the status bar calls waiting."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PartUpload:
    """A sealed part that lies with the owner and not yet at the server. `digest` is SHA-256 of its bytes."""

    part: PartId
    room: RoomId
    obj: ObjId
    digest: bytes


class BlobPort(Protocol):
    """Sealed parts of files."""

    def uploads(self) -> list[PartUpload]:
        """Parts to upload, oldest first."""
        ...

    def read_part(self, part: PartId, digest: bytes) -> bytes:
        """The sealed bytes; whatever it raises, this part is left out. Called in a thread."""
        ...

    def uploaded_parts(self) -> list[PartUpload]:
        """Parts that lie here and that the server has confirmed."""
        ...

    def part_lost(self, part: PartId) -> None:
        """The server has it no more: it is to be uploaded again."""
        ...

    def parts_checked_for(self) -> bytes | None:
        """What `set_parts_looked_for` kept: for which restore all parts were looked for."""
        ...

    def set_parts_checked_for(self, mark: bytes) -> None: ...

    def part_uploaded(self, part: PartId) -> None:
        """The server has it durably: changes that waited for it may go."""
        ...


class Listener(Protocol):
    """Whom the engine tells. Called on the event loop; must not block or raise."""

    def on_status(self) -> None:
        """`Engine.status` changed."""
        ...

    def on_room(self, room: RoomId) -> None:
        """A room appeared, was left, or its state (members, forks, waiting) changed."""
        ...

    def on_log(self, uid: Uid) -> None:
        """A person's log has grown, and is stored: their keys may be others."""
        ...

    def on_ephemeral(self, room: RoomId, uid: Uid, dev: DevId, payload: bytes, kind: int) -> None:
        """A verified, decrypted ephemeral message of another device, of a kind that its sender's role may send."""
        ...


class Ports(AccountPort, ServerPort, InboxPort, SnapshotPort, OutboxPort, BlobPort, Protocol):
    """The whole store as the engine sees it."""
