# SPDX-License-Identifier: EUPL-1.2
"""Collects what items name and judging them needs: old positions, and the people whose logs are read. It is collected
first, so that all of it is fetched at once and the items are judged once."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from sync.trust.formats.items import ENTRY, Item
from sync.trust.room.entries import RoomEntry
from sync.trust.room.envelope import Header, read_body
from sync.trust.room.payloads import Pin
from sync.trust.room.stream import RoomStream


@dataclass(slots=True)
class Named:
    """What a set of items refers to, collected before they are judged (verified), so that the logs and hashes which
    this needs are loaded at once. `seen`: positions that their authors had verified. `people`: their authors and the
    persons that entries are about. `pinned`: the persons whose log heads they state. `rotates`: whether an entry
    carries an epoch (new keys), which is sealed to every member, so that all members' logs are needed."""

    seen: set[int] = field(default_factory=set)
    people: set[bytes] = field(default_factory=set)
    pinned: set[bytes] = field(default_factory=set)
    rotates: bool = False

    def logs(self, stream: RoomStream) -> set[bytes]:
        """The ids of the persons whose logs must be in memory to judge the items, of which this is the summary, against
        the room's `stream`; all members if an entry brings new keys. Left out are persons who are not in the room
        although an entry states the head of their log: the rules refuse such an entry without their log."""
        members = stream.members if self.rotates else {}
        return {*self.people, *members, *(self.pinned & stream.pins.keys())}


def named_by(bodies: Iterable[tuple[int, bytes]]) -> Named:
    """Collects what items refer to. `bodies` has (kind, body) of each. Reject for a body that cannot be read."""
    out = Named()
    for kind, body in bodies:
        if kind == ENTRY:
            _read_entry(out, RoomEntry.decode(body, lenient=True))
        else:
            hdr = Header.decode(read_body(body)[0])
            out.seen.add(hdr.seen[0])
            out.people.add(hdr.uid)
    return out


def named_in(items: Iterable[Item]) -> Named:
    """The same as `named_by`, for items that have positions."""
    return named_by((item.kind, item.body) for item in items)


def _read_entry(out: Named, entry: RoomEntry) -> None:
    out.seen.add(entry.seen[0])
    out.people.add(entry.uid)
    subject = getattr(entry.payload, "uid", None)
    if subject is not None:
        out.people.add(subject)
    out.rotates |= entry.epoch is not None
    pins = entry.payload.pins if isinstance(entry.payload, Pin) else ()
    epoch_pins = entry.epoch.pins if entry.epoch is not None else ()
    out.pinned.update(uid for uid, _, _ in (*pins, *epoch_pins))
