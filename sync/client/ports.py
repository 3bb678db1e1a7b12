# SPDX-License-Identifier: EUPL-1.2
"""What the engine needs from the application that runs it: a durable store of bytes, and a listener to notify.

Every method is synchronous, durable when it returns (one transaction each) and called on the engine's event loop.
app/store implements `Ports`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from sync.client.placed_changes import Compact, Compacted, PlacedChange
from sync.client.received import KeptReceipt as KeptReceipt
from sync.client.received import MemberRow as MemberRow
from sync.client.received import OpenedChange as OpenedChange
from sync.client.received import OpenedHeartbeat as OpenedHeartbeat
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
    """One row of the outbox: a change of the object `obj` in `room` that the person made and that is not encrypted yet.
    `row` is its number; rows come in the order in which they were appended. `change_id` is the change's id, `payload`
    is opaque to sync. `live`: a document edit, sent in batches; other changes (records, such as messages) are sent at
    once. `baseline`: it is the object's whole state, repeated for a member without the history."""

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
    """A batch of encrypted changes of one `room`, signed by this device. It is stored before it is sent, and sent again
    byte for byte until the server has acknowledged it, or has refused it so that its changes must be encrypted again.

    `bodies` are the envelopes (header, hash and length of the ciphertext) and `cts` their ciphertexts. The envelopes
    have the sequence numbers from `first_seq` on. `last_id` is the id of the last, which `sig` signs, and thereby all:
    each envelope names the id of the one before it. `rows` are the numbers of the outbox rows in the batch; `shares`
    the (object, secret) pairs of objects that begin in it.
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
class KeptServer:
    """Where the account's server last proved itself, in the handshake of a connection: `address` is "host:port" as it
    was dialled, `key` the public key of its signatures on receipts."""

    address: str
    key: bytes


class ServerPort(Protocol):
    """What the engine asks of the application's store about the account's server: loads and stores its address and the
    public key of its signatures. Nothing is stored before the first connection."""

    def kept_server(self) -> KeptServer | None:
        """What `keep_server` stored last; None before the first connection."""
        ...

    def keep_server(self, server: KeptServer) -> None:
        """Stores where the account's server is, in place of what was stored."""
        ...


class AccountPort(Protocol):
    """What the engine asks of the application's store about people: loads and stores the account's own secrets, and
    everybody's public key logs and staff records."""

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
        """What `put_person` stored last of this person; None if nothing is stored."""
        ...


class InboxPort(Protocol):
    """What the engine asks of the application's store about rooms: loads and stores what was received from the
    server."""

    def rooms(self) -> list[tuple[RoomId, bytes]]:
        """Every room with its stored stream state."""
        ...

    def rh_at(self, room: RoomId, n: int) -> bytes | None: ...

    def entry_time(self, room: RoomId, n: int) -> int | None:
        """The server's time in ms of a position if an entry that counts is there; None otherwise."""
        ...

    def promoted_at(self, room: RoomId, uid: Uid) -> int | None:
        """The position of the newest entry that made a person an administrator or owner, also if they are none any
        more; None if there is none. The genesis made the room's founder one."""
        ...

    def note_seen(self, room: RoomId, n: int, t: int) -> None:
        """Everything up to position `n` has been seen at `t` (own clock, ms)."""
        ...

    def seen_ms(self, room: RoomId, n: int) -> int | None:
        """A time (own clock, ms) at which this device had already seen position `n` of `room`. It is never too early.
        It is an hour or two too late in most cases, since such times are stored about once an hour while connected;
        more if the connection ended before, or if it is more than a month ago. None if the device has seen the position
        only since it last stored a time, or not at all. An action that waits for days waits by this time too."""
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
        """For which lasting reason `room` stopped ("fork", "rollback" or "restored"), as `set_problem` stored it last.
        None if none of the three is stored; the room may be stopped for another reason all the same, in memory."""
        ...

    def set_problem(self, room: RoomId, code: str | None) -> None:
        """Stores `code`, why `room` has stopped: "fork", "rollback" or "restored", the reasons that last after a
        restart. While it is stored, the room's outbox is held back (`OutboxPort.pending` leaves its rows out). None
        removes the reason: the outbox is sent again. Does nothing for a room of which no state is stored. BugError for
        any other code."""
        ...

    def receipts(self) -> list[KeptReceipt]:
        """The newest receipt of every room that has one."""
        ...

    def put_receipts(self, receipts: Sequence[KeptReceipt]) -> None:
        """Stores each of `receipts` (the server's signed statements of how far a room goes), unless one of the same or
        a later position is stored for its room. It need not be durable: losing the last ones in a power cut does no
        harm, since a position that is stored has its receipt from the same transaction (`ReceivedSlice.receipt`)."""
        ...

    def put_placed(self, room: RoomId, items: Sequence[Item], receipt: KeptReceipt | None) -> None:
        """Stores log entries that this device wrote to `room` and the server has acknowledged, before the server sends
        them back: byte for byte as `items` for a restored server (see `kept_items`), together with the server's
        `receipt` for them, if there is one, in one transaction. Otherwise nobody could upload them again."""
        ...

    def put_evidence(
        self, room: RoomId, code: str, ours: bytes | None, theirs: bytes | None, claim: bytes | None
    ) -> None:
        """Stores the proof that the server was false about `room`. `code` is what it did ("fork", "rollback",
        "restored", "time", "withheld"), `ours` the receipt (the server's signed statement of how far the room goes)
        that we had, `theirs` the one that the server gave then (both as `KeptReceipt.proof`), and `claim` what a member
        signed, what the server showed under a false signature, or its statement that it was restored. Each may be None.
        Only the first evidence of each code in a room is kept."""
        ...

    def kept_items(self, room: RoomId, n: int, limit_bytes: int) -> list[Item]:
        """Items of `room` that are kept as they were received, at positions `n` + 1, `n` + 2 and so on, up to the first
        one that is not kept: they are uploaded again to a server that lost them. [] if the item at `n` + 1 is not kept;
        otherwise at least one item, then as many as fit into `limit_bytes` in all."""
        ...

    def trim_items(self, before_ms: int, most_bytes: int) -> bool:
        """Deletes some of the items that are kept as they were received, for a server that loses them: those older than
        `before_ms` (server's time), and the oldest ones while all together exceed `most_bytes`. True: there may be more
        to delete, call it again; one call deletes a bounded number, so that it does not hold up the event loop. False:
        all of that is done."""
        ...

    async def receive_apart(self, received: Received) -> None:
        """Stores `received` (a slice of a room's stream, a part of one, or what was opened or fetched of the room
        later) in ONE transaction: commits it, then notifies the parts of the application that show it (chat, documents
        and so on), then flushes the commit to the disk and returns. With `received.more` it is not flushed, since more
        follows, which is. If this raises, it may be stored all the same.

        A change that was written on this device only gets its position. One that is stored at its position already is
        not stored again.
        """
        ...


class SnapshotPort(Protocol):
    """What the engine asks of the application's store for making snapshots: an object's changes, and its state as it
    was last computed."""

    def compactor(self, obj: ObjId) -> Compact | None:
        """The function that computes the state of the object `obj` from its changes and the position up to which they
        reach; it returns None if it cannot. It may be called in any thread. None for an unknown object, or a kind
        without snapshots."""
        ...

    def is_sound(self, obj: ObjId) -> bool:
        """Whether no change of `obj` is held back here. A change is held back because merging it might end this
        program or take too long; it may be merged later. Changes that wait for a key (see `is_steady`) or for other
        changes do not count. While this is False no snapshot or attest of the object may be made."""
        ...

    def base(self, obj: ObjId) -> tuple[int, Compacted] | None:
        """(position, state of `obj` up to there): the newest state that this device computed or opened from a snapshot,
        from which the next computation begins. None if none is stored, or if an administrator has since had a change
        that is in it left out of the object: the next computation then begins with the first change."""
        ...

    def opened_at(self, obj: ObjId) -> int | None:
        """The position n of the newest snapshot from which this device began the object `obj`; None if it began from
        none, or does not have the object."""
        ...

    def put_base(self, room: RoomId, obj: ObjId, n: int, state: Compacted) -> None:
        """Stores the state in place of an older one."""
        ...

    def forget_base(self, obj: ObjId) -> None:
        """Deletes a stored state that was false: the next one is computed from the first change."""
        ...

    def positioned(self, obj: ObjId, after: int, until: int, waits: Sequence[int] = ()) -> list[PlacedChange]:
        """The input for computing a state of `obj`, in the room's order, [] for none: its changes at positions n with
        `after` < n ≤ `until`, those at the positions `waits` (earlier ones that waited for other changes), and the
        prunes of the object in between (`PlacedChange.covers`). Left out are the snapshot with which this device began
        the object, baselines (states written for members without the history), and changes that an administrator had
        left out of the object by `until`. Called from a thread that is not the loop's."""
        ...

    def grown(self, obj: ObjId, after: int) -> tuple[int, int]:
        """(positions, bytes) of the object's changes after a position."""
        ...


EncryptAtOnce = Callable[[RoomId, Sequence[PendingChange]], Callable[[], None] | None]
"""A function that encrypts changes of one room within the transaction that has written them; see
`OutboxPort.set_encrypter`."""


class OutboxPort(Protocol):
    """What the engine asks of the application's store about sending: changes that are not encrypted yet, and batches
    that are not acknowledged."""

    def pending(self, limit: int) -> list[PendingChange]:
        """At most `limit` outbox rows of all rooms that are not encrypted yet, oldest first; [] for none. Left out are
        rows of changes that name a file that is not uploaded yet; document edits (`PendingChange.live`) of the same
        object after such a row, since they build on it (messages and other records do not wait); and rows of a room
        that has stopped (`InboxPort.set_problem`)."""
        ...

    def pending_in(self, room: RoomId, limit: int) -> list[PendingChange]: ...

    def set_encrypter(self, encrypt: EncryptAtOnce | None) -> None:
        """Has `encrypt` called right before a transaction that has written changes of the person is committed: once for
        each room, with the room and all changes of it. It is called only if the outbox has nothing else of any room,
        none of the changes names a file or is a baseline, and they are few: at most 64 with 32 KiB. `encrypt` may call
        `put_sealed`, which then joins the transaction: change and batch are stored together or not at all. It returns
        a function to be called once both are on the disk, before anybody else is notified of the commit; None if it
        encrypted nothing. An error of `encrypt` rolls back the changes too. A second call of this method replaces the
        first function; None: nothing is encrypted so, as before the first call."""
        ...

    def put_sealed(self, batch: SealedBatch) -> None:
        """Stores `batch` with its shares (objects' secrets), and records that its outbox rows are encrypted and its
        sequence numbers (dev_seq) are used, in one transaction. It is on the disk when this returns, before the batch
        is sent: no number is signed twice, even after a crash. (Within `encrypt` of `set_encrypter` it is there when
        the outer transaction is committed.) BugError if a number of the batch was used before."""
        ...

    def sealed(self, room: RoomId) -> SealedBatch | None:
        """The oldest batch of the room that is not acknowledged; None if there is none."""
        ...

    def rooms_with_work(self) -> list[RoomId]:
        """Rooms that have an encrypted batch or a pending row."""
        ...

    def shown(self, batch: SealedBatch, first: int) -> bool:
        """Call it when the room's stream shows `batch` from position `first` on, and that is stored. Removes the batch,
        and those of its outbox rows whose changes were given a position when it was stored. If an item of the batch
        cannot be read here or waits for a key, it is not known which changes it has: then all rows are removed, since
        the server has them. Returns True if no row is left. False if some are, since they were void (against the room's
        rules) where the server placed them: these are pending again, and the batch's sequence numbers are used up."""
        ...

    def unseal(self, batch: SealedBatch) -> None:
        """Drops a batch that is not to be sent as it is: its rows are pending again, its dev_seq is used up."""
        ...

    def burned(self, room: RoomId) -> int:
        """The highest dev_seq that was ever signed in the room by this store, 0 for none. No number up to it is signed
        again. If the room shows a higher one of this device, the store is an old copy, and the next number is higher
        still (`BatchMaker._next_seq`)."""
        ...

    def waiting_count(self) -> int:
        """The number of changes that the server does not have yet: the status bar calls them waiting."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PartUpload:
    """One encrypted part of a file, with the id `part`, which is stored by the application and belongs to the object
    `obj` in `room`: to be uploaded, or uploaded already. `digest` is the SHA-256 of its encrypted bytes, which are not
    in this value: `BlobPort.read_part` returns them."""

    part: PartId
    room: RoomId
    obj: ObjId
    digest: bytes


class BlobPort(Protocol):
    """What the engine asks of the application's store of encrypted file parts: which ones to upload, their bytes, and
    which ones the server has confirmed or lost."""

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
        """The mark (opaque) that `set_parts_checked_for` stored last; None if nothing is stored. It names the restore
        of the server (from a backup) after which the server was asked for the uploaded parts of files, and the rooms
        whose parts it was not asked for. After a restore with another mark all are asked for again."""
        ...

    def set_parts_checked_for(self, mark: bytes) -> None: ...

    def part_uploaded(self, part: PartId, obj: ObjId) -> None:
        """The server has the part durably as one of the object `obj`: changes that waited for it may be sent. Does
        nothing if the part has become one of another object meanwhile."""
        ...


class Listener(Protocol):
    """What the engine notifies of changes; the application implements it. Called on the event loop; must not block or
    raise."""

    def on_status(self) -> None:
        """`Engine.status` changed."""
        ...

    def on_room(self, room: RoomId) -> None:
        """A room appeared, was left, or its state (members, forks, waiting) changed."""
        ...

    def on_log(self, uid: Uid) -> None:
        """A person's log has grown and is stored: their keys may have changed."""
        ...

    def on_ephemeral(
        self, room: RoomId, uid: Uid, dev: DevId, payload: bytes, kind: int, *, addressed: bool = False
    ) -> None:
        """A verified, decrypted ephemeral message of another device, of a kind that its sender's role may send.
        `addressed`: to this device alone; otherwise to all devices in the room."""
        ...


class Ports(AccountPort, ServerPort, InboxPort, SnapshotPort, OutboxPort, BlobPort, Protocol):
    """Everything that the engine asks of the application's store: the account and people, the server, rooms, snapshots,
    the outbox, and parts of files. The application implements it."""
