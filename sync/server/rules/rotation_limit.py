# SPDX-License-Identifier: EUPL-1.2
"""Limits on who may change a room when: how often a writer may rotate its key, and the slot that is reserved for a
removal that lost a race."""

from collections.abc import Sequence

from sync.protocol.messages import ErrorCode
from sync.server.rules.entry_limits import ReservedSlot
from sync.server.rules.handshake import Who, now_ms
from sync.server.rules.live_rooms import LiveRoom
from sync.server.rules.refusal import Refusal
from sync.trust.formats.items import Role
from sync.trust.room.entries import RoomEntry
from sync.trust.room.payloads import CannotOpen

_ROTATION_MS = 3_600_000
_SLOT_MS = 60_000
_PAUSE_MS = 60_000
_HEAL_MS = 60_000


def check_rotation(live: LiveRoom, entry: RoomEntry) -> None:
    """Refusal "busy" if `entry` does nothing but rotate the room's key and its author, a writer, sends it less than an
    hour after the last such entry by anybody, as far as this process has seen. Other entries before it in the same
    request change nothing. ▲ Each rotation is work for every member.

    The limit does not apply while the room owes a rotation (it must get a new key, since a member left or lost a
    device). It does not apply either if a member has reported a minute ago or earlier that they cannot open the present
    key (CannotOpen). By such a report a writer passes the limit at most once an hour. Otherwise a writer could rotate
    without end by asking for a key that they have.
    """
    if entry.type != "epoch" or live.stream.rotation_owed or live.stream.role_of(entry.uid) is not Role.WRITER:
        return
    asked_ms = live.limits.cannot_open.get(live.stream.epoch)
    forced_ms = live.limits.forced.get(entry.uid, -_ROTATION_MS)
    if asked_ms is not None and now_ms() - asked_ms >= _HEAL_MS and now_ms() - forced_ms >= _ROTATION_MS:
        return
    if now_ms() - live.limits.rotated_ms < _ROTATION_MS:
        raise Refusal(ErrorCode.BUSY, "rotation")


def check_reserved_slot(live: LiveRoom, who: Who) -> None:
    """▲ Refusal "busy" if the device `who` may not append to the room now: the next entry is reserved for another
    device, whose removal of a member lost a race. The reservation does not hold in a room that must get a new key first
    (it owes a rotation), nor against a person whose role is higher than the role of the removing person."""
    slot = live.limits.reserved_slot
    if slot is None or slot.dev == who.dev or now_ms() >= slot.until_ms or live.stream.rotation_owed:
        return
    if (live.stream.role_of(who.uid) or 0) <= slot.role:
        raise Refusal(ErrorCode.BUSY, "slot")


def reserve_slot(live: LiveRoom, who: Who, entry: RoomEntry, why: Refusal) -> None:
    """Reserves the room's next entry for 60 s for the device `who`, if its `entry` removes a member, was refused as a
    conflict (`why`), and its person is an owner or administrator. Does nothing for any other entry or refusal, and
    while a person of the same or a higher role has a reservation.

    ▲ The removal's seals (new keys, encrypted to each member) take time to upload. Otherwise the member who is being
    removed could delay it again and again with small entries. Reservations cannot be abused either: an owner preempts
    an administrator, and a person whose slot passed unused gets none in the next 60 s. After two slots in a row that
    passed unused nobody gets one in the next 60 s. Otherwise two administrators in turn could keep everybody but the
    owners from appending.
    """
    role, now, slot = live.stream.role_of(who.uid), now_ms(), live.limits.reserved_slot
    if entry.type != "rm" or why.code != ErrorCode.CONFLICT or role is None or role < Role.ADMIN:
        return
    pauses = slot is not None and slot.until_ms <= now < slot.until_ms + _PAUSE_MS
    if (
        slot is not None
        and role <= slot.role
        and (now < slot.until_ms or (pauses and (slot.second or slot.uid == who.uid)))
    ):
        return
    until_ms = now + _SLOT_MS
    live.limits.reserved_slot = ReservedSlot(uid=who.uid, dev=who.dev, role=role, until_ms=until_ms, second=pauses)


def note_entries(live: LiveRoom, who: Who, entries: Sequence[RoomEntry]) -> None:
    """Notes in `live`, the room in memory, what `check_rotation` and `check_reserved_slot` need of entries by the
    device `who` that were accepted together. These are: when a rotation (new keys) was appended, and whether its author
    passed the hourly limit by a report; a reserved slot that was used; when a member first reported that they cannot
    open a key.

    ▲ A rotation counts whatever entries are before it, but for the one that founds the room. ▲ A slot is used by a
    removal alone. Otherwise an administrator could append something else and reserve the next slot at once.
    """
    limits = live.limits
    if entries[-1].type == "epoch" and entries[0].type != "genesis":
        if live.stream.epoch - 1 in limits.cannot_open and now_ms() - limits.rotated_ms < _ROTATION_MS:
            limits.forced[entries[-1].uid] = now_ms()
        limits.rotated_ms = now_ms()
    slot = limits.reserved_slot
    if slot is not None and slot.dev == who.dev and any(e.type == "rm" for e in entries):
        limits.reserved_slot = None
    for question in (e.payload for e in entries if isinstance(e.payload, CannotOpen)):
        limits.cannot_open.setdefault(question.e, now_ms())
