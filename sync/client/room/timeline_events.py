# SPDX-License-Identifier: EUPL-1.2
"""A room's entries as lines of its timeline."""

from collections.abc import Sequence

from sync.client.ports import RoomEvent
from sync.ids import Uid
from sync.trust.person.log_source import UserBook
from sync.trust.room.payloads import Add, Destroy, Genesis, Prune, Remove, SetRole
from sync.trust.room.removal_notes import EncryptedNote
from sync.trust.room.stream import AcceptedEntry
from sync.trust.room.successor_claim import origin

RESET = "reset"


def resets(gone: Sequence[Uid], book: UserBook, n: int, t: int) -> list[RoomEvent]:
    """A line for each of `gone` whose account the agency has reset, at the last positions up to `n`.

    No entry records a reset: it takes effect where any item's pin first shows the end of the person's log.
    """
    ended = []
    for uid in gone:
        known = book.log(uid)
        if known is not None and known.ended is not None:
            ended.append(uid)
    return [RoomEvent(n=n - k, t=t, kind=RESET, by=uid, subject=uid) for k, uid in enumerate(ended)]


def event_of(item: AcceptedEntry) -> RoomEvent | None:
    """The entry as a line of the timeline; None if it is void or has no meaning for people."""
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
