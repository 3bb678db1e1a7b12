# SPDX-License-Identifier: EUPL-1.2
"""What the app needs of a tool, typed. The recipe for a new one is in ARCHITECTURE.md ("A new tool").

A tool exports one `AppTool`, named TOOL, in its module `tool.py`. `app/kinds.py` lists them. app/open_tools.py opens
them for a session. Nothing here names a tool, and no field has a default: an omission is an error of types, and a
TypeError or BugError that says what is missing.
"""

from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, Protocol, TypeVar

from app.copies.service import WorkingCopies
from app.core.alarms import Alarms
from app.core.ids import DevId, ObjId, RoomId, Uid
from app.core.signal import Signal
from app.errors import BugError
from app.objects.compaction import Compaction
from app.objects.files import SealedFiles
from app.objects.kind import Kind
from app.objects.links import Linked, ObjectLink
from app.objects.pieces import check_in_parts
from app.objects.trash import Bin, Retired
from app.own.drafts import OwnDrafts
from app.people.person import Person
from app.rooms import held, offers
from app.rooms.baselines import Baseline
from app.rooms.founding import Starter
from app.rooms.succession import Carrier
from app.setting import Switch
from app.store.changes import Changes
from app.store.database import Database
from app.store.long_writes import Decided, Progress
from app.store.notice_rows import Notice, NoticeKind
from app.store.objects import Objects
from app.store.room_lines import RoomLines
from app.store.snapshots import Snapshots

# ---- what the app gives a tool


class People(Protocol):
    """What a tool needs to know of people: their names, and who this account's person is."""

    @property
    def changed(self) -> Signal[()]:
        """Somebody's name or verification changed, or was received: a person can be asked for before that."""
        ...

    @property
    def me(self) -> Person: ...

    def person(self, uid: Uid) -> Person: ...


class Rooms(Protocol):
    """The members of a room, what this account may do there, and the room's list of objects."""

    def people_in(self, room: RoomId) -> Sequence[Person]:
        """The room's members."""
        ...

    def is_admin(self, room: RoomId) -> bool:
        """Whether this account is administrator or owner there."""
        ...

    def may_write(self, room: RoomId) -> bool:
        """Whether this account may write there."""
        ...

    def announce(self, room: RoomId, obj: ObjId, kind: str) -> None:
        """Adds an object to the room, in the transaction that writes its first change."""
        ...

    def announce_part(self, room: RoomId, obj: ObjId, kind: str, series: ObjId, period: int) -> None:
        """As `announce`, for an object of the month `period` in the series that begins with the object `series`."""
        ...

    def retire(self, room: RoomId, obj: ObjId, on: bool) -> None:
        """Puts an object away, or (`on` False) restores it."""
        ...

    def put_away(self, room: RoomId | None = None, by: Uid | None = None) -> Sequence[Retired]:
        """The objects that are put away, of one room or all, by one person or anybody."""
        ...


class Reads(Protocol):
    """How far this person has read series, on any of their devices (app/own/reads.py)."""

    @property
    def changed(self) -> Signal[frozenset[ObjId]]:
        """Series that were read or marked as unread on another device. Emitted in a transaction."""
        ...

    def read(self, series: ObjId, position: int, left: Sequence[int] = ()) -> None:
        """Notes, in the caller's transaction, that everything up to `position` has been read, but not what is at the
        positions `left`."""
        ...

    def unread(self, series: ObjId, position: int, left: Sequence[int] = ()) -> None:
        """Notes, in the caller's transaction, that nothing behind `position` has been read, nor what is at the
        positions `left` up to it."""


class Destroying(Protocol):
    """Destroys objects of rooms (app/rooms/destroying.py)."""

    @property
    def changed(self) -> Signal[()]:
        """Emitted when the connection has changed."""
        ...

    def refusal(self, room: RoomId, /) -> str | None:
        """Why nothing can be destroyed in the room now, as a code; None if it can."""
        ...

    def now_ms(self) -> int:
        """The time (ms) by which a month counts as over."""
        ...

    async def destroy(self, room: RoomId, obj: ObjId, /) -> None:
        """Destroys one object, for everybody. Unreachable; Refused."""
        ...


class OwnPlace(Protocol):
    """Finds or makes the room of one's own (decision 0023), in which a tool keeps what belongs to the person alone. No
    list shows the room. app/own/room.py implements it."""

    @property
    def known(self) -> Signal[()]:
        """Emitted when `find` or `rooms` returns something else than before, once there is a room to write to."""
        ...

    def rooms(self) -> Sequence[RoomId]:
        """The rooms whose content counts as the person's own, the oldest first; usually one. [] before one was made."""
        ...

    def find(self) -> RoomId | None:
        """The room to write to; None if there is none."""
        ...

    async def ensure(self) -> RoomId:
        """Returns the room to write to, and makes it if there is none. SyncError, such as Unreachable while offline;
        StoreFault. NotFound if no further room may be made, or if one exists that cannot be read now."""
        ...


class Standing(Protocol):
    """Keeps notices that no change makes, such as that a day has come, beside the state that they are about."""

    async def keep(self, kinds: Sequence[NoticeKind], notices: Sequence[Notice]) -> None:
        """Makes the notices of these kinds those that are given: new ones are added and ring; those that are not among
        them are answered. One that is here already stays as it is. StoreFault."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The services that a tool (chat, documents, …) gets when an account is unlocked, for as long as it is.

    The store: `db`, `changes`, `objects`, `snapshots`. The office: `people`, `rooms`, and `files`, which encrypts files
    and fetches them. `copies` opens received files in other programs. `notices` keeps notices that no change makes.

    `lines` reads what happened in rooms: who was added, renamed them, and so on.

    `send_ephemeral` sends an ephemeral message of the tool's kind (`AppTool.ephemeral`) to the devices of the room's
    members that are online now; a tool that has no such kind gets BugError. `set_shared` notes whether a colleague has
    an object open too; this device then sends its edits of that object at short intervals. `may_export` and `may_print`
    read the policy at each call. `shows_typing` and `shows_reading`: whether colleagues may see that the person writes
    a message, and where in which document they are. `origin_of` returns the stopped room that a room was opened to
    replace, or None. `find` returns the title and state that a linked object of any tool has now, or None if this
    device does not have it. `room_changed` is emitted with a room whose content or members changed, by whomever.
    `alarms` calls the tool at times of day. `rooms_within` returns the rooms that belong to a room and that this person
    is in, each with its title. `reads` are the person's read marks and `drafts` what they were writing, which follow to
    their other devices. `own_room` is the room of their own. `destroying` destroys objects for everybody.
    """

    db: Database
    changes: Changes
    objects: Objects
    snapshots: Snapshots
    people: People
    rooms: Rooms
    files: SealedFiles
    copies: WorkingCopies
    notices: Standing
    send_ephemeral: Callable[[RoomId, bytes], None]
    set_shared: Callable[[ObjId, bool], None]
    may_export: Callable[[], bool]
    may_print: Callable[[], bool]
    shows_typing: Switch
    shows_reading: Switch
    origin_of: Callable[[RoomId], RoomId | None]
    find: Callable[[ObjectLink], Linked | None]
    rooms_within: Callable[[RoomId], Sequence[tuple[RoomId, str]]]
    room_changed: Signal[RoomId]
    lines: RoomLines
    reads: Reads
    drafts: OwnDrafts
    alarms: Alarms
    own_room: OwnPlace
    destroying: Destroying


# ---- what a tool gives the app


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsaved:
    """Edits of the object `obj`, or a draft in it (`draft`), that the disk has refused and that are only in memory. A
    draft in a room is named by the room's root object, which has the room's own records."""

    obj: ObjId
    draft: bool


class Service(Protocol):
    """What the app calls of a tool's service in one session. Lives on the event loop."""

    def start(self) -> None:
        """Does what an earlier run did not complete. Called once, when the loop runs."""
        ...

    def save(self) -> None:
        """Tries again to store what the disk has refused. StoreFault if it refuses again; it stays in memory then."""
        ...

    def unstored(self) -> Sequence[Unsaved]:
        """What the disk has refused so far."""
        ...

    def close_all(self) -> None:
        """Tries once more to store what the disk has refused, and stops following the store, which closes next.
        StoreFault if the disk refuses again. A second call does no harm."""
        ...

    def on_ephemeral(self, room: RoomId, uid: Uid, dev: DevId, payload: bytes) -> None:
        """Receives a colleague's ephemeral message of the tool's kind. Ignores a payload that is none of its own."""
        ...

    def linked(self, link: ObjectLink) -> Linked | None:
        """The present form of an object of this tool, or of the place in it that `link.ref` names; None if it is not
        here. `app.objects.links.linked_object` serves for whole objects."""
        ...

    @property
    def trash(self) -> Bin | None:
        """What is put away; None for a tool in which nothing can be."""
        ...


SERVICE = ("start", "save", "unstored", "close_all", "on_ephemeral", "linked", "trash")

S = TypeVar("S", bound=Service)


@dataclass(frozen=True, slots=True)
class NoBaseline:
    """A kind's rule: new members without the history are given no baseline (present state) of its objects, because of
    `reason`."""

    reason: str


@dataclass(frozen=True, slots=True)
class NoSnapshot:
    """A kind's rule: no snapshots (merged states that replace an object's changes) are made of its objects, because of
    `reason`; so their history is never cleared on the server."""

    reason: str


@dataclass(frozen=True, slots=True)
class NoCopy:
    """A kind's rule: an object of which a change is held back (stored, and not merged on this computer) cannot be
    copied, because of `reason`."""

    reason: str


@dataclass(frozen=True, slots=True)
class Carry(Generic[S]):
    """The rule for a successor room (one that continues a stopped room) of a kind that does not merge, such as the
    chat; a kind that merges has an `Offer`. The founder writes the old objects' contents there as records.
    `state(service, objects)`: `service` is the tool's; `objects` has pairs (an object, its successor), one pair, or one
    for each part of a series (app/store/series.py). It returns pairs (successor, change) in the order in which they are
    to be shown, without those that are there already; each group is written in one transaction."""

    state: Callable[[S, Sequence[tuple[ObjId, ObjId]]], Iterable[Sequence[tuple[ObjId, bytes]]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer(Generic[S]):
    """The rule for a successor room (one that continues a stopped room) of a kind that merges, such as documents; a
    kind that does not has a `Carry`. Each object there begins with the old one's state, and members offer their own
    changes that this state lacks: they write them once more. `copy_into(service, obj, room, into, progress, decided)`
    is for changes that cannot be offered: it copies the content that the old object `obj` has here into the successor
    `room`, as a new object or into `into`, which continues the old one. `decided` is to be called in the transaction
    from which on the copy is completed, however the program ends. `service` is the tool's; the result is not used."""

    copy_into: Callable[[S, ObjId, RoomId, ObjId, Progress, Decided], Coroutine[Any, Any, object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class KindRules:
    """The rules of one kind of objects (`id`), as functions that have the service of one session behind them; None
    where the kind has no such function. `baseline(obj)` gives an object's present state as changes. `carrier(objects)`
    and `copy_into(obj, room, into, progress, decided)` are those of `Carry` and `Offer`; a kind has one of the two.
    `copier(obj, progress)` copies an object within its room and returns the copy's id."""

    id: str
    baseline: Baseline | None
    carrier: Carrier | None
    copy_into: offers.Copier | None
    copier: held.Copier | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolKind(Generic[S]):
    """The declaration of a kind of objects of a tool whose service is S.

    `kind`: what the store needs. `baseline(parts, obj)` gives the object's present state as changes, for newcomers and
    successors (`from_snapshot` for a kind that makes snapshots). `snapshot`: the function that merges an object's
    changes into one state, the same as `kind.compact`, or why there is none. `successor`: `Offer` for a kind that
    merges, `Carry` for records. `notices`: the kinds of notices that its projection returns, the same as
    `kind.notices`; () for none. `copier(service, obj, progress)` is for an object of which a change is held back
    (stored, and not merged on this computer): it makes a new object in the same room with what this computer shows of
    `obj`, and returns its id. `starter`: the object that every new room begins with, or None.
    """

    kind: Kind
    baseline: Callable[[Parts, ObjId], Awaitable[Sequence[bytes]]] | NoBaseline
    snapshot: Compaction | NoSnapshot
    successor: Carry[S] | Offer[S]
    copier: Callable[[S, ObjId, Progress], Coroutine[Any, Any, ObjId]] | NoCopy
    notices: tuple[NoticeKind, ...]
    starter: Starter | None

    def __post_init__(self) -> None:
        """Raises BugError if the parts of this declaration contradict each other."""
        fault = self._fault()
        if fault:
            raise BugError(f"The kind {self.kind.id!r}: {fault}.")

    def _fault(self) -> str:
        merges, offers_changes = self.kind.merging is not None, isinstance(self.successor, Offer)
        if self.kind.compact is not (None if isinstance(self.snapshot, NoSnapshot) else self.snapshot):
            return "`snapshot` differs from its Kind's `compact`"
        if self.kind.notices != self.notices:
            return "`notices` differs from its Kind's `notices`"
        if self.baseline is from_snapshot and self.kind.compact is None:
            return "its baseline is made from a snapshot, and it has no `snapshot`"
        if merges and not offers_changes:
            return "it merges, so its `successor` is an Offer"
        if not merges and offers_changes:
            return "it has no `merging`, so its `successor` is a Carry"
        if offers_changes and isinstance(self.baseline, NoBaseline):
            return "its `successor` is an Offer, which needs a `baseline` to begin from"
        if self.starter is not None and self.starter.kind != self.kind.id:
            return "its `starter` is of another kind"
        return ""

    def join(self, parts: Parts, service: S) -> KindRules:
        """Binds the kind's rules, given for a tool in general, to the parts and the `service` of one session."""
        carry = self.successor if isinstance(self.successor, Carry) else None
        offer = self.successor if isinstance(self.successor, Offer) else None
        return KindRules(
            id=self.kind.id,
            baseline=None if isinstance(self.baseline, NoBaseline) else partial(self.baseline, parts),
            carrier=partial(carry.state, service) if carry is not None else None,
            copy_into=partial(offer.copy_into, service) if offer is not None else None,
            copier=None if isinstance(self.copier, NoCopy) else partial(self.copier, service),
        )


async def from_snapshot(parts: Parts, obj: ObjId) -> Sequence[bytes]:
    """An object's present state, made as its snapshots are, and checked. WorkerUnavailable, WorkerDied."""
    state = await parts.snapshots.state(obj)
    await check_in_parts(state)
    return state


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenTool:
    """A tool that is open in one session: its service, and the rules of its kinds."""

    service: Service
    rules: tuple[KindRules, ...]


class AnyTool(Protocol):
    """A tool, whatever the class of its service, as lists of tools hold it. An `AppTool` is one."""

    @property
    def id(self) -> str: ...

    @property
    def ephemeral(self) -> int | None: ...

    @property
    def store_kinds(self) -> tuple[Kind, ...]: ...

    @property
    def starters(self) -> tuple[Starter, ...]: ...

    def open(self, parts: Parts) -> OpenTool: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AppTool(Generic[S]):
    """The declaration of a tool such as chat or documents. `make(parts)` makes its service for a session, an instance
    of the class `service`. `kinds`: its kinds of objects. `ephemeral`: the kind of ephemeral message that it owns
    (sync/trust/room/ephemeral.py), or None."""

    id: str
    service: type[S]
    make: Callable[[Parts], S]
    kinds: tuple[ToolKind[S], ...]
    ephemeral: int | None

    @property
    def store_kinds(self) -> tuple[Kind, ...]:
        """What the store needs of the tool's kinds."""
        return tuple(each.kind for each in self.kinds)

    @property
    def starters(self) -> tuple[Starter, ...]:
        """The tool's objects in each new room."""
        return tuple(each.starter for each in self.kinds if each.starter is not None)

    def open(self, parts: Parts) -> OpenTool:
        """Makes the tool's service for one session. BugError if it lacks a part of `Service`, or is of another
        class."""
        service = self.make(parts)
        missing = [name for name in SERVICE if not hasattr(service, name)]
        if missing:
            raise BugError(f"The service of the tool {self.id!r} has no `{'`, `'.join(missing)}`.")
        if not isinstance(service, self.service):
            raise BugError(f"The tool {self.id!r} makes another service than its `service` says.")
        return OpenTool(service=service, rules=tuple(each.join(parts, service) for each in self.kinds))
