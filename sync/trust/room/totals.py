# SPDX-License-Identifier: EUPL-1.2
"""What a room may hold altogether, and which part of it one person may use (protocol §5, "Totals").

Each rule here is a function of the room's positions, so that every client reaches the same verdict for ever. Everything
that a room holds is in every member's memory, and in the state that each member stores and reads at every start, so all
of it has a bound. ▲ No total stops an entry that ends a membership, a role or a device: see `ends_something`.
"""

from dataclasses import replace

from sync.ids import Uid
from sync.trust.formats.items import Role
from sync.trust.person.log_source import UserBook
from sync.trust.room import envelope, snapshots
from sync.trust.room.entries import RoomEntry
from sync.trust.room.envelope import Header
from sync.trust.room.payloads import Add, Leave, Pin, Propose, Remove, Rotate, SetRole
from sync.trust.room.room_state import RoomState, Snapshot
from sync.trust.room.used_totals import EVERYBODY, NOTHING, Total, Used

PEOPLE = Total(most=32_768, part=2)
"""Persons who ever were members: 180 B each. One administrator can add 10,922; 10,000 members are tested."""
OBJECTS = Total(most=131_072, part=4, least=2)
"""Objects: 112 B each with everything that is kept of one. Alone a person can begin 26,214; after ten persons who took
all that they could, the eleventh can still begin 2,815."""
DEVICES = Total(most=49_152, part=4, least=1)
"""Devices that ever wrote: 104 B each."""
EPOCHS = Total(most=32_768, part=2, least=16)
"""Epochs made while the room owed no rotation. An administrator can add 10,922 persons without history, one epoch
each."""
EPOCHS_KEPT = 32_768
"""Epochs that the room remembers, for whatever reason they were made; of more the oldest is dropped. 300 B each, and 40
B more for each epoch that its link reaches back over. Ten thousand members who lose a device every third year make
3,300 a year."""
LINKS = Total(most=16_384, part=4)
"""Epochs that links reach back over beyond the newest epoch with an archive: 40 B each. After a link that does not open
a longer one is needed; a person who has no share left makes an epoch without an archive."""
ENTRIES_OF_ADMINS = Total(most=1_048_576, part=4, least=1024)
ENTRIES = Total(most=1_048_576, part=64, least=1024)
"""A member who is no administrator posts pins, questions for keys, notes and epochs: alone 16,131."""
SNAPSHOTS = Total(most=65_536, part=4)
"""Snapshots that the room remembers at the same time: 180 B each."""
PROPOSALS = Total(most=256, part=4)
"""Open proposals: up to 10 KiB each. They end with their proposer's administration."""
HEARTBEATS_A_DAY = 16
PURGED_A_DAY = 256
"""Envelopes of kinds 5 and 6 by one person in a day of the server's time. They are never pruned."""
MARK_BYTES = 1024
"""The longest ciphertext of kinds 4 to 6. An attest has 328 B, and so has a heartbeat of up to 252 B."""
MAX_HEARTBEAT_BYTES = 508
"""The longest payload of a heartbeat: with its length it fits into a padded size of 512 B. The next one, 1,024 B, would
make a ciphertext of more than MARK_BYTES."""
_MARKS = (envelope.ATTEST, envelope.HEARTBEAT, envelope.PURGED)
_DAY_MS = 86_400_000


def day_of(t: int) -> int:
    """The day of the server's time `t` (ms)."""
    return t // _DAY_MS


def _of(s: RoomState, uid: bytes) -> Used:
    return s.used.get(Uid(uid), NOTHING)


# -- devices ----------------------------------------------------------------------------------------------------------


def knows_or_takes_device(s: RoomState, uid: bytes, dev: bytes) -> bool:
    """▲ Whether the device `dev` has written in the room before, or the person `uid` has room for one more in their
    share of the devices that a room may hold."""
    return dev in s.device_heads or DEVICES.has_room(_of(s, uid).devices, len(s.device_heads))


# -- envelopes --------------------------------------------------------------------------------------------------------


def judge_envelope(s: RoomState, hdr: Header, length: int, t: int) -> str | None:
    """▲ Why an envelope has no effect because of the room's totals, the bounds on what a room may hold: "oversize" (an
    attest, heartbeat or purge mark of more than MARK_BYTES), "snapshot" (an attest, that is, a statement that a
    snapshot is right, that adds nothing) or "total" (its author's share, or number for a day, is used up); None if it
    counts. `length`: the bytes of its ciphertext. `t`: the server's time (ms) of its position."""
    if hdr.kind == envelope.OP and not hdr.share_c:  # the usual case
        return None
    used = _of(s, hdr.uid)
    if hdr.kind in _MARKS and length > MARK_BYTES:
        return "oversize"
    if hdr.kind == envelope.ATTEST and not snapshots.is_new_attest(s, hdr):
        return "snapshot"
    if hdr.kind in (envelope.HEARTBEAT, envelope.PURGED) and used.day == day_of(t):
        today = used.heartbeats if hdr.kind == envelope.HEARTBEAT else used.purged
        return "total" if today >= (HEARTBEATS_A_DAY if hdr.kind == envelope.HEARTBEAT else PURGED_A_DAY) else None
    if hdr.kind == envelope.SNAPSHOT and hdr.about:
        enough = SNAPSHOTS.has_room(used.snapshots, _of(s, EVERYBODY).snapshots)
        return None if enough else "total"
    if hdr.share_c and not OBJECTS.has_room(used.objects, len(s.shares)):
        return "total"
    return None


# -- entries ----------------------------------------------------------------------------------------------------------


def ends_something(before: RoomState, after: RoomState, entry: RoomEntry, book: UserBook) -> bool:
    """▲ Whether no total (bound on what a room may hold) may stop the entry, except the share of links to older epochs,
    since it can be made without a link. True for a removal, a leave, a lowered role, a pin (newer heads of user logs)
    that states a revocation or the end of a member's user log, or the epoch that a room owes. `before` and `after` are
    the room without the entry and with it; `book` has the user logs."""
    match entry.payload:
        case Remove() | Leave():
            return True
        case SetRole(uid=uid, role=role):
            return role < before.members[uid].role
        case Pin(pins=pins):
            return any(_states_an_end(before, after, uid, book) for uid, _, _ in pins)
        case Rotate():
            return before.rotation_owed
    return False


def _states_an_end(before: RoomState, after: RoomState, uid: Uid, book: UserBook) -> bool:
    old, new, log = before.pins[uid][0], after.pins[uid][0], book.log(uid)
    if log is None or new == old or uid not in before.members:
        return False
    return log.revoked_between(old, new) or (log.ended_at(new) and not log.ended_at(old))


def judge_entry(before: RoomState, after: RoomState, entry: RoomEntry, book: UserBook, *, known: bool) -> str | None:
    """▲ Why an entry that the rules allow has no effect because of the room's totals, the bounds on what a room may
    hold: "stale" (a pin that moves nothing) or "total" (its author's share is used up, or of its device nothing can be
    kept); None if it counts. An entry that ends something (`ends_something`) is stopped only by the share of links: it
    can be made without one. `before` and `after` are the room without the entry and with it; `known`: the result of
    `knows_or_takes_device` for its device."""
    if isinstance(entry.payload, Pin) and after.pins is before.pins:
        return "stale"
    used, everybody = _of(before, entry.uid), _of(before, EVERYBODY)
    links = links_of(before, entry)
    if links and not LINKS.has_room(used.links, everybody.links, links):
        return "total"
    if entry.type == "genesis" or ends_something(before, after, entry, book):
        return None
    entries = ENTRIES_OF_ADMINS if before.members[entry.uid].role >= Role.ADMIN else ENTRIES
    within = (
        known
        and entries.has_room(used.entries, everybody.entries)
        and (entry.epoch is None or EPOCHS.has_room(used.epochs, everybody.epochs))
        and (not _brings(before, entry) or PEOPLE.has_room(used.people, len(before.pins)))
        and (not isinstance(entry.payload, Propose) or _may_propose(before, entry.uid))
    )
    return None if within else "total"


def _brings(before: RoomState, entry: RoomEntry) -> bool:
    """Whether an entry adds a person who was never a member before."""
    return isinstance(entry.payload, Add) and entry.payload.uid not in before.pins


def _may_propose(s: RoomState, uid: Uid) -> bool:
    own = sum(p.by == uid for p in s.proposals.values())
    return PROPOSALS.has_room(own, len(s.proposals))


def links_of(before: RoomState, entry: RoomEntry) -> int:
    """How many epochs farther back than it must the new epoch of an entry links (holds old keys): those between the
    epoch that it links to and the newest one with an archive. 0 if the entry has no epoch, or its epoch no link."""
    epoch = entry.epoch
    return 0 if epoch is None or epoch.base is None else links_beyond(before, epoch.base)


def links_beyond(s: RoomState, base: int) -> int:
    """The number of epochs from `base` to the newest epoch with an archive; 0 if that is `base`. A link (the old keys
    in a new epoch) back to `base` counts with this number against its author's share of `LINKS`."""
    newest = next((e for e in range(s.epoch, base, -1) if (epoch := s.epochs.get(e)) and epoch.has_archive), base)
    return newest - base


def may_link(s: RoomState, uid: Uid, base: int) -> bool:
    """Whether the next epoch (key generation) that `uid` makes may link back to epoch number `base`, that is, hold the
    keys since then. If not, their share of longer links is used up, and the epoch is made without an archive (the key
    with which readers of the history open older keys). A link to the newest epoch with an archive is always allowed."""
    beyond = links_beyond(s, base)
    return not beyond or LINKS.has_room(_of(s, uid).links, _of(s, EVERYBODY).links, beyond)


# -- counting ---------------------------------------------------------------------------------------------------------


def counted_entry(before: RoomState, after: RoomState, entry: RoomEntry, book: UserBook) -> dict[str, int]:
    """What an entry that counts adds to its author's use of the room's totals (beyond whose bounds later entries have
    no effect), by the fields of `Used`; fields that get nothing are left out. `links`: how many epochs (key
    generations) farther back than it must the entry's new epoch links. An entry that ends something (a membership, a
    role, a device, an owed rotation) adds only these. `before` and `after` are the room without the entry and with it;
    `book` has the user logs."""
    more = {"links": links_of(before, entry)}
    if not ends_something(before, after, entry, book):
        more |= {"entries": 1, "epochs": int(entry.epoch is not None), "people": int(_brings(before, entry))}
    return {name: n for name, n in more.items() if n}


def counted_envelope(used: Used, hdr: Header, t: int) -> Used:
    """Returns `used`, an author's use of the room's totals, with one more envelope of theirs that is not void: a begun
    object, or a heartbeat or purge mark of the day. On a new day these marks are counted from 0. For any other envelope
    it returns `used` itself. `t` is the server's time (ms). Snapshots are counted by `snapshots_between` instead."""
    if hdr.kind not in (envelope.HEARTBEAT, envelope.PURGED):
        return add(used, {"objects": 1}) if hdr.share_c else used
    today = day_of(t)
    heartbeats, purged = (used.heartbeats, used.purged) if used.day == today else (0, 0)
    if hdr.kind == envelope.HEARTBEAT:
        heartbeats += 1
    else:
        purged += 1
    return add(used, {}, day=today, heartbeats=heartbeats, purged=purged)


def snapshots_between(before: tuple[Snapshot, ...], after: tuple[Snapshot, ...]) -> dict[Uid, int]:
    """By how much the number of an object's remembered snapshots has grown or shrunk for each author, from `before` to
    `after`. Authors without a change are left out."""
    grown: dict[Uid, int] = {}
    for rows, by in ((after, 1), (before, -1)):
        for row in rows:
            grown[row.uid] = grown.get(row.uid, 0) + by
    return {uid: n for uid, n in grown.items() if n}


def add(used: Used, more: dict[str, int], **put: int) -> Used:
    """The use with `more` added and the values of `put` set."""
    return replace(used, **{name: getattr(used, name) + n for name, n in more.items()}, **put)
