# SPDX-License-Identifier: EUPL-1.2
"""A room's entries as lines of its timeline."""

from sync.client.ports import RoomEvent
from sync.ids import Uid
from sync.trust.payloads import Add, Genesis, SetRole
from sync.trust.stream import AcceptedEntry
from sync.trust.succession import origin


def event_of(item: AcceptedEntry) -> RoomEvent | None:
    """The entry as a line of the timeline, or None if it is void or says nothing to people."""
    if item.void is not None:
        return None
    entry, p = item.entry, item.entry.payload
    subject: Uid | None = getattr(p, "uid", None)
    role = int(p.role) if isinstance(p, Add | SetRole) else None
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
    )
