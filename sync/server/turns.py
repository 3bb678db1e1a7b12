# SPDX-License-Identifier: EUPL-1.2
"""Whose turn it is to change a room: how often one may rotate, and the slot kept for a removal that lost a race."""

from collections.abc import Sequence

from sync.protocol.messages import ErrorCode
from sync.server.auth import Who, now_ms
from sync.server.live import LiveRoom
from sync.server.refusal import Refusal
from sync.trust.items import Role
from sync.trust.payloads import CannotOpen
from sync.trust.roomlog import RoomEntry

_ROTATION_MS = 3_600_000
_SLOT_MS = 60_000
_HEAL_MS = 60_000


def check_rotation(live: LiveRoom, entry: RoomEntry) -> None:
    """▲ A writer may rotate a clean room once an hour; the limit never holds for a dirty room, nor when somebody's
    question for the key in force has stood for a minute."""
    if entry.type != "epoch" or live.stream.dirty or live.stream.role_of(entry.uid) is not Role.WRITER:
        return
    asked_ms = live.cannot_open.get(live.stream.epoch)
    if asked_ms is not None and now_ms() - asked_ms >= _HEAL_MS:
        return
    if now_ms() - live.rotated_ms < _ROTATION_MS:
        raise Refusal(ErrorCode.BUSY, "rotation")


def check_slot(live: LiveRoom, who: Who) -> None:
    """Busy while another device has the next slot. No limit holds for a dirty room."""
    dev, until_ms = live.slot
    if dev != who.dev and now_ms() < until_ms and not live.stream.dirty:
        raise Refusal(ErrorCode.BUSY, "slot")


def hold_slot(live: LiveRoom, who: Who, entry: RoomEntry, why: Refusal) -> None:
    """▲ A removal by an owner or administrator that lost a race has the next slot for 60 s: its seals take time to
    upload, and whoever is to go must not keep it out with small entries."""
    role = live.stream.role_of(who.uid)
    if entry.type != "rm" or why.code != ErrorCode.CONFLICT or role is None or role < Role.ADMIN:
        return
    if now_ms() >= live.slot[1]:
        live.slot = (who.dev, now_ms() + _SLOT_MS)


def note_turn(live: LiveRoom, who: Who, entries: Sequence[RoomEntry]) -> None:
    """Remembers what the checks above ask of: a rotation, a slot that was used, a question for a key."""
    if [e.type for e in entries] == ["epoch"]:
        live.rotated_ms = now_ms()
    if live.slot[0] == who.dev:
        live.slot = (b"", 0)
    for question in (e.payload for e in entries if isinstance(e.payload, CannotOpen)):
        live.cannot_open.setdefault(question.e, now_ms())
