# SPDX-License-Identifier: EUPL-1.2
"""A room's entries as lines of its timeline."""

from collections.abc import Sequence

from sync.client.ports import RoomEvent
from sync.ids import Uid
from sync.trust.formats.items import Role
from sync.trust.person.log_source import UserBook
from sync.trust.room.payloads import Add, Destroy, Genesis, Prune, Remove, SetRole
from sync.trust.room.removal_notes import EncryptedNote
from sync.trust.room.stream import Accepted, AcceptedEntry
from sync.trust.room.successor_claim import origin

RESET = "reset"
HEIR = "heir"


def resets(gone: Sequence[Uid], book: UserBook, n: int, t: int) -> list[RoomEvent]:
    """Lines of the timeline, of the kind "reset", for those of `gone` (members no more) whose account the agency has
    reset; [] for none. `book` has people's key logs, which show the reset. The lines are all at the position `n`, each
    with a `place` of its own; their time is `t`, the server's in ms.

    No entry of the room records a reset: it takes effect at the first item that refers to the person's log up to the
    entry that ends it.
    """
    ended = []
    for uid in gone:
        known = book.log(uid)
        if known is not None and known.ended is not None:
            ended.append(uid)
    return [RoomEvent(n=n, t=t, kind=RESET, by=uid, subject=uid, place=k) for k, uid in enumerate(ended)]


def events_of(item: Accepted) -> list[RoomEvent]:
    """The lines of the timeline for a room's `item`: that of an entry with an effect, and one of the kind "heir" for a
    member who became owner because the last owner's account has ended (see `heir_of`). [] for an envelope."""
    if not isinstance(item, AcceptedEntry):
        return []
    event = event_of(item)
    made = [event] if event is not None else []
    if item.heir is not None:
        made.append(RoomEvent(n=item.n, t=item.t, kind=HEIR, by=item.heir, subject=item.heir, role=Role.OWNER))
    return made


def event_of(item: AcceptedEntry) -> RoomEvent | None:
    """The room entry `item` as a line of the timeline; None if the room's rules make it void (of no effect)."""
    if item.void is not None:
        return None
    entry, p = item.entry, item.entry.payload
    subject: Uid | None = getattr(p, "uid", None)
    role = p.role if isinstance(p, Add | SetRole) else None
    history = p.history if isinstance(p, Add) else None
    continues = origin(p) if isinstance(p, Genesis) else None
    return RoomEvent(
        n=item.n,
        t=item.t,
        kind=entry.type,
        by=entry.uid,
        subject=subject,
        role=role,
        history=history,
        origin=continues,
        obj=p.obj if isinstance(p, Destroy | Prune) else None,
        until=p.n if isinstance(p, Prune) else None,
        note=_note(entry.uid, p) if isinstance(p, Remove) else None,
    )


def _note(by: Uid, p: Remove) -> bytes | None:
    return EncryptedNote(epoch=p.epoch.e, by=by, subject=p.uid, sealed=p.note).encode() if p.note else None


def void_among(accepted: Sequence[Accepted]) -> list[tuple[int, Uid, str]]:
    """The items among `accepted` that the room's rules make void (of no effect), which the security report counts by
    person: (position, person in whose name the item is, code). Items of a type, kind or extension that this program
    does not know ("format") are left out: a newer server may rightly place them."""
    return [
        (a.n, a.entry.uid if isinstance(a, AcceptedEntry) else a.hdr.uid, a.void)
        for a in accepted
        if a.void is not None and a.void != "format"
    ]
