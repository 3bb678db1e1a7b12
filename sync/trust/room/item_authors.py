# SPDX-License-Identifier: EUPL-1.2
"""The author of an item: the device that must have signed it, and the position of its person's log that the room then
pins."""

from sync.errors import NeedLog, Reject
from sync.ids import DevId, Hash, Uid
from sync.trust.person.log_source import UserBook
from sync.trust.person.user_log import Device
from sync.trust.room import entry_rules
from sync.trust.room.room_state import RoomState


def author_of(
    s: RoomState, uid: Uid, dev: bytes, ulog: tuple[int, bytes], book: UserBook, n: int
) -> tuple[Device | None, str | None]:
    """Finds the author of the item at position `n`, who says to be the device `dev` of `uid`. Returns the device whose
    key must have signed the item, and the reason why the item is void (has no effect) regardless of its content, or
    None: "forbidden" (no member), "stale" (a log position before the one that already counts in the room) or "revoked".
    `ulog` is the (number, hash) of the author's user log that the item states; `book` has the user logs.

    If the device belongs to another person in this room, it returns None and "forbidden"; the signature is then not
    checked. ▲ Items are void only on evidence. NeedLog for a log that is not available up to `ulog`; Reject "ulog" for
    a head that differs from ours, "signature" for a device that the log does not have up to there.
    """
    log = book.log(uid)
    if log is None or log.seq < ulog[0]:
        raise NeedLog(uid, ulog[0])
    if log.head_at(ulog[0]) != ulog[1]:
        raise Reject("ulog", f"position {n}")
    device = log.devices.get(DevId(dev))
    if device is None or device.added > ulog[0]:  # ▲ the named device never existed, so no honest client signed this
        raise Reject("signature", f"position {n}")
    if s.dev_owner.get(dev, uid) != uid:
        return None, "forbidden"
    if s.n and uid not in s.members:
        return device, "forbidden"
    pinned = s.pins.get(uid)
    if pinned is not None and ulog[0] < pinned[0]:
        return device, "stale"
    if log.device_active(dev, ulog[0]) is None:
        return device, "revoked"
    return device, None


def pin_author(
    s: RoomState, uid: Uid, dev: bytes, ulog: tuple[int, bytes], book: UserBook, t: int, *, keep: bool
) -> None:
    """▲ Records the author of an item that is not void: the device `dev` of the person `uid`. Moves the room's pin (the
    head up to which their user log counts here) to `ulog` (number, hash), never back, so that no later item counts
    under an older one. What the log states up to there takes effect: after a revoked device the room owes new keys.
    With `keep`, records that `dev` is this person's, and nobody else's, in the room; without it (the device is beyond
    what the person may have here) the room keeps nothing of the device. `t` is the item's time (ms), `book` has the
    user logs."""
    if ulog[0] > s.pins.get(uid, ulog)[0]:
        entry_rules.pin_heads(s, [(uid, ulog[0], Hash(ulog[1]))], book, t)
    if keep and dev not in s.dev_owner:
        s.dev_owner = {**s.dev_owner, dev: uid}
