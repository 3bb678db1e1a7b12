# SPDX-License-Identifier: EUPL-1.2
"""Facts about a room's keys and about another person's keys. They are read from the verified stream and logs alone, so
that none of them rests on the server's word or on a list that somebody could have filled in."""

from dataclasses import dataclass
from enum import StrEnum

from sync.client.account.known_logs import Book
from sync.client.room.room_sync import RoomSync
from sync.client.status import RoomState
from sync.ids import DevId, RoomId, Uid
from sync.trust.formats.items import Role
from sync.trust.keys.epochs import Epoch
from sync.trust.person.user_entry import ROOT
from sync.trust.person.user_log import UserLog
from sync.trust.room.room_policy import read_recovery
from sync.trust.room.room_state import RoomState as StreamState


class Change(StrEnum):
    """What may happen to a person's keys after their log's first entry, which the safety number covers: a device is
    added, recovered with the recovery sheet, or revoked, or the agency resets the account."""

    DEVICE_ADDED = "device-added"
    DEVICE_RECOVERED = "device-recovered"
    """Added by the recovery sheet, not by another device."""
    DEVICE_REVOKED = "device-revoked"
    RESET = "reset"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyChange:
    """One event that changed which keys a person has, so that the application can notify the user of it. `what` says
    what happened; `seq` is the number of the entry in the person's key log. A device that only renews its sealing key,
    a new generation of the person's key and a new recovery sheet are not listed: the same person still holds the
    keys."""

    seq: int
    what: Change


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """A member of a room, as a holder of the room's key in force. They were added at position `since_n`, `since_ms` by
    the server's time, with or without the `history`.

    `keyless`: the key in force could not be encrypted to them, as the room's log states where the key begins. A member
    to whom the key is not encrypted yet, because their own key must first be renewed after the agency revoked a device
    of theirs, is not `keyless`: the room's log states nothing of them, and they are shown as a holder too.
    """

    uid: Uid
    role: Role
    since_n: int
    since_ms: int
    history: bool
    keyless: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomFacts:
    """The people who can read a room, for the display of its security: the key in force, which is of generation `epoch`
    and was made by `by` at position `epoch_n`, and the room's members as `holders`.

    `recovery`: ids of the agency's recovery recipients, who hold the key too, without the history. `archive`: whether
    the generation has an archive key, which opens the earlier ones. `owes_rotation`: a new key is due before the next
    write. `state`: the room's security status.
    """

    state: RoomState
    epoch: int
    epoch_n: int
    by: Uid
    archive: bool
    owes_rotation: bool
    holders: tuple[Holder, ...]
    recovery: tuple[bytes, ...]


class Facts:
    """Computes the `RoomFacts` of rooms, and caches them while their sources stay the same: a large room asks with each
    message."""

    def __init__(self) -> None:
        self._kept: dict[RoomId, tuple[tuple[object, ...], RoomFacts]] = {}

    def of(self, room: RoomSync) -> RoomFacts | None:
        """The facts of `room`, from the cache if nothing has changed; None before the room's first key (epoch) is
        verified."""
        s = room.stream.state
        epoch = s.epochs.get(s.epoch)
        if epoch is None:
            return None
        status = room.security_status()
        source = s.members, s.policy, epoch, s.rotation_owed, status  # each is replaced, never changed in place
        kept = self._kept.get(room.room)
        if kept is None or any(a is not b for a, b in zip(kept[0], source, strict=True)):
            kept = self._kept[room.room] = (source, _read(s, epoch, status))
        return kept[1]


def _read(s: StreamState, epoch: Epoch, state: RoomState) -> RoomFacts:
    unsealed = frozenset(epoch.unsealed)
    return RoomFacts(
        state=state,
        epoch=epoch.e,
        epoch_n=epoch.n,
        by=epoch.by,
        archive=epoch.has_archive,
        owes_rotation=s.rotation_owed,
        holders=tuple(
            Holder(
                uid=m.uid,
                role=m.role,
                since_n=m.since_n,
                since_ms=m.since_t,
                history=m.history,
                keyless=m.uid in unsealed,
            )
            for m in s.members.values()
        ),
        recovery=tuple(bytes(ident) for ident, _ in read_recovery(s.policy.get("recovery", []))),
    )


def writing_devices(state: StreamState, log: UserLog, uid: Uid) -> list[tuple[DevId, int]]:
    """The active devices of the person `uid` that may write in the room, as `active_devices` gives them. [] for a
    reader and for a person who is no member. `state`: the room's; `log`: the person's key log. With it the security
    report finds devices that have written nothing for long."""
    member = state.members.get(uid)
    return active_devices(log) if member is not None and member.role >= Role.WRITER else []


def active_devices(log: UserLog) -> list[tuple[DevId, int]]:
    """The active devices of the person whose key log is `log`, as (device, when it was added, in ms, as the entry that
    added it claims), in the order in which they were added."""
    return [(d.dev, d.time) for d in log.devices.values() if log.device_active(d.dev, log.seq) is not None]


def key_changes(book: Book, uid: Uid, after: int) -> list[KeyChange]:
    """What happened to the keys of the person `uid` in the entries of their key log with a number above `after`, in
    order: devices added, recovered with the recovery sheet, or revoked, the account reset. The application notifies the
    user of these; `after` is the entry up to which it has looked before. `book` has people's key logs. [] for no
    change, and while this device does not have the log. Reject if the stored log breaks a rule."""
    log = book.log(uid)
    if log is None:
        return []
    found = []
    for device in log.devices.values():
        if device.added > after:
            by_recovery_sheet = device.by == ROOT and device.added > 0
            found.append((device.added, Change.DEVICE_RECOVERED if by_recovery_sheet else Change.DEVICE_ADDED))
        if device.revoked is not None and device.revoked > after:
            found.append((device.revoked, Change.DEVICE_REVOKED))
    if log.ended is not None and log.ended > after:
        found.append((log.ended, Change.RESET))
    return [KeyChange(seq=seq, what=what) for seq, what in sorted(found)]
