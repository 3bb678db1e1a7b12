# SPDX-License-Identifier: EUPL-1.2
"""Limits on who may change a room when: how often a writer may rotate its key, and the slot that is reserved for a
removal that lost a race."""

from collections.abc import Sequence

from sync.protocol.messages import ErrorCode
from sync.server.rules.handshake import Who, now_ms
from sync.server.rules.live_rooms import LiveRoom, ReservedSlot
from sync.server.rules.refusal import Refusal
from sync.trust.formats.items import Role
from sync.trust.room.entries import RoomEntry
from sync.trust.room.payloads import CannotOpen

_ROTATION_MS = 3_600_000
_SLOT_MS = 60_000
_HEAL_MS = 60_000


def check_rotation(live: LiveRoom, entry: RoomEntry) -> None:
    """Refusal "busy" if a writer rotates the room's key more than once an hour. ▲ Each rotation is work for every
    member.

    The limit does not apply while the room owes a rotation. It does not apply either if a member's CannotOpen for the
    epoch in force is a minute old. A writer passes the limit by such a question at most once an hour. Otherwise a
    writer could rotate without end by asking for a key that they have.
    """
    if entry.type != "epoch" or live.stream.rotation_owed or live.stream.role_of(entry.uid) is not Role.WRITER:
        return
    asked_ms = live.cannot_open.get(live.stream.epoch)
    forced_ms = live.forced.get(entry.uid, -_ROTATION_MS)
    if asked_ms is not None and now_ms() - asked_ms >= _HEAL_MS and now_ms() - forced_ms >= _ROTATION_MS:
        return
    if now_ms() - live.rotated_ms < _ROTATION_MS:
        raise Refusal(ErrorCode.BUSY, "rotation")


def check_reserved_slot(live: LiveRoom, who: Who) -> None:
    """▲ Refusal "busy" while the room's slot is reserved for another device. A room that owes a rotation ignores the
    reservation, and so does an owner when an administrator has it."""
    slot = live.reserved_slot
    if slot is None or slot.dev == who.dev or now_ms() >= slot.until_ms or live.stream.rotation_owed:
        return
    if (live.stream.role_of(who.uid) or 0) <= slot.role:
        raise Refusal(ErrorCode.BUSY, "slot")


def reserve_slot(live: LiveRoom, who: Who, entry: RoomEntry, why: Refusal) -> None:
    """Reserves the room for 60 s for a removal by an owner or administrator that was refused as a conflict (`why`).
    Does nothing for any other entry or refusal.

    ▲ The removal's seals take time to upload. Otherwise the member who is being removed could delay it again and again
    with small entries. Reservations cannot be abused either: an owner preempts an administrator, and a person whose
    slot passed unused gets none in the next 60 s.
    """
    role, now, slot = live.stream.role_of(who.uid), now_ms(), live.reserved_slot
    if entry.type != "rm" or why.code != ErrorCode.CONFLICT or role is None or role < Role.ADMIN:
        return
    if slot is not None and role <= slot.role and now < slot.until_ms + (_SLOT_MS if slot.uid == who.uid else 0):
        return
    live.reserved_slot = ReservedSlot(uid=who.uid, dev=who.dev, role=role, until_ms=now + _SLOT_MS)


def note_entries(live: LiveRoom, who: Who, entries: Sequence[RoomEntry]) -> None:
    """Notes accepted entries for the checks above: a rotation, a reserved slot that was used, a question for a key."""
    if [e.type for e in entries] == ["epoch"]:
        if live.stream.epoch - 1 in live.cannot_open and now_ms() - live.rotated_ms < _ROTATION_MS:
            live.forced[entries[0].uid] = now_ms()
        live.rotated_ms = now_ms()
    if live.reserved_slot is not None and live.reserved_slot.dev == who.dev:
        live.reserved_slot = None
    for question in (e.payload for e in entries if isinstance(e.payload, CannotOpen)):
        live.cannot_open.setdefault(question.e, now_ms())
