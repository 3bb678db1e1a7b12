# SPDX-License-Identifier: EUPL-1.2
"""Whose turn it is to change a room: how often one may rotate, and the slot kept for a removal that lost a race."""

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
    """▲ A writer may rotate a clean room once an hour; the limit never holds for a dirty room, nor when somebody's
    question for the key in force has stood for a minute. But nobody gets past it by questions more than once an hour:
    a writer can ask for a key that they have, and each rotation is work for every member."""
    if entry.type != "epoch" or live.stream.dirty or live.stream.role_of(entry.uid) is not Role.WRITER:
        return
    asked_ms = live.cannot_open.get(live.stream.epoch)
    forced_ms = live.forced.get(entry.uid, -_ROTATION_MS)
    if asked_ms is not None and now_ms() - asked_ms >= _HEAL_MS and now_ms() - forced_ms >= _ROTATION_MS:
        return
    if now_ms() - live.rotated_ms < _ROTATION_MS:
        raise Refusal(ErrorCode.BUSY, "rotation")


def check_reserved_slot(live: LiveRoom, who: Who) -> None:
    """▲ Busy while another device has the next slot. No limit holds for a dirty room, nor an administrator's for an
    owner."""
    slot = live.reserved_slot
    if slot is None or slot.dev == who.dev or now_ms() >= slot.until_ms or live.stream.dirty:
        return
    if (live.stream.role_of(who.uid) or 0) <= slot.role:
        raise Refusal(ErrorCode.BUSY, "slot")


def reserve_slot(live: LiveRoom, who: Who, entry: RoomEntry, why: Refusal) -> None:
    """▲ A removal by an owner or administrator that lost a race has the next slot for 60 s: its seals take time to
    upload, and whoever is to go must not keep it out with small entries. Nor with slots: an owner takes an
    administrator's, and who let one pass gets none in the next 60 s."""
    role, now, slot = live.stream.role_of(who.uid), now_ms(), live.reserved_slot
    if entry.type != "rm" or why.code != ErrorCode.CONFLICT or role is None or role < Role.ADMIN:
        return
    if slot is not None and role <= slot.role and now < slot.until_ms + (_SLOT_MS if slot.uid == who.uid else 0):
        return
    live.reserved_slot = ReservedSlot(uid=who.uid, dev=who.dev, role=role, until_ms=now + _SLOT_MS)


def note_entries(live: LiveRoom, who: Who, entries: Sequence[RoomEntry]) -> None:
    """Remembers what the checks above ask of: a rotation, a slot that was used, a question for a key."""
    if [e.type for e in entries] == ["epoch"]:
        if live.stream.epoch - 1 in live.cannot_open and now_ms() - live.rotated_ms < _ROTATION_MS:
            live.forced[entries[0].uid] = now_ms()
        live.rotated_ms = now_ms()
    if live.reserved_slot is not None and live.reserved_slot.dev == who.dev:
        live.reserved_slot = None
    for question in (e.payload for e in entries if isinstance(e.payload, CannotOpen)):
        live.cannot_open.setdefault(question.e, now_ms())
