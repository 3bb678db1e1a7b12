# SPDX-License-Identifier: EUPL-1.2
"""What the engine has the application's store store: each value completely or not at all, in one transaction.

Received
├── ReceivedSlice   a slice of a room's stream that was just judged
├── OpenedContent   content of judged positions; the cursor stays where it is
├── OpenedUpTo      the stream's state, and content of positions that were judged before
├── Resolved        items that waited for a key or a share, and wait no more
├── ReadAgain       nothing of the room is left to be read again
├── BegunObject     an object begins with a snapshot
└── Backfilled      objects have no missing range any more
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from sync.client.placed_changes import Compacted
from sync.ids import ChangeId, DevId, ObjId, RoomId, Uid
from sync.trust.formats.items import Item, Role
from sync.trust.room.successor_claim import Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptReceipt:
    """The server's signed statement that `room` had reached position `n`. `proof` is the statement, encoded (opaque);
    it convinces others too."""

    room: RoomId
    n: int
    proof: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedChange:
    """A verified, authorised and decrypted change of the object `obj`, at position `n` of its room. `uid` wrote it on
    the device `dev`. `t` is the server's time in ms. `payload` is the application's."""

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
    """It came as a baseline: the object's state, written by an administrator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedHeartbeat:
    """A verified and decrypted heartbeat that the person `uid` posted in a room from the device `dev`. It is at
    position `n` of the room, where the server placed it at `t` (its time, ms). `payload` is the application's, at most
    `MAX_HEARTBEAT_BYTES`; empty if the heartbeat only shows that the person has joined."""

    n: int
    t: int
    uid: Uid
    dev: DevId
    payload: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedSnapshot:
    """A snapshot that this device opened: `state` is the state of the object `obj` up to position `covers`, written by
    `uid`; at least one other person has attested it, that is, signed its hash. The snapshot itself is at position `n`
    (time `t`, the server's, ms)."""

    n: int
    t: int
    uid: Uid
    obj: ObjId
    covers: int
    state: Compacted


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomEvent:
    """A room entry at its position, for the timeline and the member list: `by` did something at position `n` (time `t`,
    the server's, ms). `kind` is the entry type's name, or "reset" for a member whose account the agency has ended: no
    entry, at the last position of the slice that showed it, with that member as `by` and `subject`. It is "heir" for
    the member who became owner by that, at the position that showed it, if they could not administer the room before.

    Each other field is None where it does not apply. `subject` is whom it concerns (add, rm for a removal, role, hist
    for giving the history), `role` the role that an add or a role entry gives, `history` for add: whether the member
    may read what was before. `origin` is the room that a genesis (the room's first entry) claims to continue; see
    `Engine.may_continue`. `obj` is the object that a destroy or prune (deletion of changes that a snapshot replaces)
    concerns, `until` the position up to which a prune reaches. `note` is the encrypted reason of an rm; only
    `Engine.removal_reason` can read it.
    """

    n: int
    t: int
    kind: str
    by: Uid
    subject: Uid | None = None
    role: Role | None = None
    history: bool | None = None
    origin: Origin | None = None
    obj: ObjId | None = None
    until: int | None = None
    note: bytes | None = field(default=None, repr=False)
    place: int = field(default=0, repr=False)
    """Its number among the lines of its kind at this position, from 0 on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberRow:
    """The member `uid` according to the room's log: their `role`, the position `since_n` that added them, and whether
    they may read the `history` before it."""

    uid: Uid
    role: Role
    since_n: int
    history: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedSlice:
    """What one accepted piece of a slice of a room's stream changes in the store: one transaction. A slice is stored in
    one or several pieces. Of a piece with many changes the first ones are stored before it, as `OpenedContent`.

    `state` is the stream's state after the piece (opaque), up to position `cursor`. If both are None, both stay as they
    are. `positions` are the piece's (n, running hash) pairs. `changes` are the decrypted changes, `heartbeats` the
    decrypted heartbeats, `events` the lines for the timeline. `waiting` are verified items whose key or share (their
    object's secret) is missing, as (n, row to store), `bad` the (n, code) of items that failed although the key is
    here. `void` are items without effect.
    `members` are the new or changed members, `gone` the former members. `shares` are new secrets of objects.

    `more`: the next piece follows at once, so this one need not be flushed. `receipt` is the server's signed statement
    of the last position, None if there is none for it. `items` are kept as they were received, for a server that loses
    them. `reread` is the position up to which the room is to be read again, None for no change. `incomplete` are
    objects of which the server had deleted changes before this device fetched them.
    """

    room: RoomId
    cursor: int | None = None
    more: bool = False
    """More of the same pulled slice follows at once. This part need not be durable by itself: after a crash the slice
    is pulled again."""
    state: bytes | None = None
    positions: Sequence[tuple[int, bytes]] = ()
    changes: Sequence[OpenedChange] = ()
    heartbeats: Sequence[OpenedHeartbeat] = ()
    events: Sequence[RoomEvent] = ()
    members: Sequence[MemberRow] = ()
    gone: Sequence[Uid] = ()
    waiting: Sequence[tuple[int, bytes]] = ()
    bad: Sequence[tuple[int, str]] = ()
    void: Sequence[tuple[int, Uid, str]] = ()
    """(position, person in whose name it is, code) of items that are void by the room's rules. An honest server gives
    such items no position. The person may be innocent: the signature is not always verified (protocol §4)."""
    shares: Sequence[tuple[ObjId, bytes]] = field(default=(), repr=False)
    items: Sequence[Item] = ()
    """The slice's items as they were received, those that are kept for a server that loses them."""
    receipt: KeptReceipt | None = None
    """The server's receipt for the slice's last position; None if it gave none for that one."""
    reread: int | None = None
    """The position up to which the room is to be read again; None for no change."""
    incomplete: Sequence[ObjId] = ()
    """Objects with a missing range: the server had pruned changes of them before this device fetched those changes.
    Each is kept until it is `Backfilled`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedContent:
    """One transaction with decrypted content of verified positions (changes, heartbeats, items that wait for a key, bad
    items, objects' secrets). The cursor, the position after which the room is pulled, stays where it is. It is a part
    of a slice, or content of positions that were verified before. The fields are as in `ReceivedSlice`.

    ▲ `events`: the first part of a slice has those of the whole slice, which the slice's last part repeats. What a
    change may do depends on its author's role at its position. Otherwise who receives a role and many changes at once
    would judge the first of them by the role before.
    """

    room: RoomId
    more: bool = False
    changes: Sequence[OpenedChange] = ()
    events: Sequence[RoomEvent] = ()
    heartbeats: Sequence[OpenedHeartbeat] = ()
    waiting: Sequence[tuple[int, bytes]] = ()
    bad: Sequence[tuple[int, str]] = ()
    shares: Sequence[tuple[ObjId, bytes]] = field(default=(), repr=False)
    incomplete: Sequence[ObjId] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedUpTo:
    """One transaction that stores the state of a room's stream up to position `cursor`, after which the room is pulled
    from then on, with the last content of positions that were verified before. It ends a newcomer's first reading of a
    room, or stores content that the server withheld at first. The other fields are as in `ReceivedSlice`."""

    more: ClassVar[bool] = False
    room: RoomId
    cursor: int
    state: bytes
    positions: Sequence[tuple[int, bytes]] = ()
    changes: Sequence[OpenedChange] = ()
    heartbeats: Sequence[OpenedHeartbeat] = ()
    waiting: Sequence[tuple[int, bytes]] = ()
    bad: Sequence[tuple[int, str]] = ()
    reread: int | None = None
    receipt: KeptReceipt | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """One transaction about items of `room` that waited for the room's key or for an object's share (its secret).
    `resolved` are the positions of all those that wait no more: opened now (in `changes` or `heartbeats`), faulty
    although the key is here (also in `bad`, with an error code), or before the first position that this person may
    read. `shares` are new (object, secret) pairs. `whole` are the objects whose every change is here now: they no
    longer depend on a snapshot."""

    more: ClassVar[bool] = False
    room: RoomId
    changes: Sequence[OpenedChange] = ()
    heartbeats: Sequence[OpenedHeartbeat] = ()
    resolved: Sequence[int] = ()
    bad: Sequence[tuple[int, str]] = ()
    shares: Sequence[tuple[ObjId, bytes]] = field(default=(), repr=False)
    whole: Sequence[ObjId] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadAgain:
    """One transaction: all older items of the room, whose keys came later or which a snapshot stood for, have been
    pulled again, and opened as far as this device has the keys; none is left. `whole` are the objects whose every
    change is here now: they no longer depend on a snapshot."""

    more: ClassVar[bool] = False
    room: RoomId
    whole: Sequence[ObjId] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BegunObject:
    """One transaction: `snapshot`, with whose state this device begins an object of `room`, in place of the changes
    before. It need not be durable by itself: after a crash it is fetched again."""

    more: ClassVar[bool] = True
    room: RoomId
    snapshot: OpenedSnapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class Backfilled:
    """One transaction: the objects `objs` of `room` have no missing range any more. Snapshots, which are stored
    already, have replaced the changes that were pruned before this device fetched them; or they need not be replaced,
    as in a destroyed object."""

    more: ClassVar[bool] = False
    room: RoomId
    objs: Sequence[ObjId]


Received = ReceivedSlice | OpenedContent | OpenedUpTo | Resolved | ReadAgain | BegunObject | Backfilled
