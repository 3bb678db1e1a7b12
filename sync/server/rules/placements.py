# SPDX-License-Identifier: EUPL-1.2
"""Builds what the store writes for accepted items: their rows, the changed members, and sometimes the room's state."""

from collections.abc import Sequence
from dataclasses import dataclass

from sync.server.rules.handshake import Who
from sync.server.rules.live_rooms import LiveRoom
from sync.server.rules.quotas import senders, today
from sync.server.rules.store_rows import authors, item_rows, member_changes
from sync.server.store.base import DeviceHead, ItemRow, Placement, SealRow, ShareRow
from sync.trust.formats.items import Item
from sync.trust.room.payloads import Add, Destroy, Prune
from sync.trust.room.stream import Accepted, AcceptedEntry, AcceptedEnvelope

STATE_EVERY = 512
"""Positions between stored states: after a restart at most so many items of a room are judged again."""


def next_rows(live: LiveRoom, items: Sequence[Item], ids: list[bytes]) -> list[ItemRow]:
    """The rows of `items`, which are stored next in the room; `ids` are their ids. Keeps their running hashes in
    `live`."""
    rows = item_rows(live.pending_rh, items, ids)
    live.pending_rh = rows[-1].rh
    for row in rows:
        live.old_rhs.held[row.n] = row.rh
    live.old_rhs.trim()
    return rows


def placement_of(
    live: LiveRoom,
    who: Who,
    rows: list[ItemRow],
    accepted: list[Accepted],
    size: int,
    shares: Sequence[ShareRow],
    seals: Sequence[SealRow],
    *,
    returned: bool,
) -> Placement:
    """What the store is to write for accepted items (`rows`, of `size` bytes) that the device `who` sent. The stream of
    `live` must have them already. `accepted`: the verdicts on them. `shares` and `seals` are stored with them.
    `returned`: a client uploads them again after a restore. Call it once for each: it notes in `live` what it
    includes."""
    changes = member_changes(live.pending_members, live.stream.members, accepted)
    live.pending_members = live.stream.members
    stored = live.stream.n - live.state_n >= STATE_EVERY or live.state_n == 0
    if stored:
        live.state_n = live.stream.n
    last = accepted[-1]
    spoke = authors(accepted) - live.spoke
    live.spoke |= spoke
    return Placement(
        room=live.head.room,
        expected_n=rows[0].n - 1,
        items=rows,
        size_bytes=size,
        by=() if returned else senders(who),
        day=today(),
        shares=shares,
        seals=seals,
        members=changes,
        spoke=sorted(spoke),
        device_head=(
            DeviceHead(dev=last.hdr.dev, dev_seq=last.hdr.dev_seq, id=last.ident)
            if isinstance(last, AcceptedEnvelope)
            else None
        ),
        state=live.stream.to_bytes() if stored else None,
        prunes=bool(deletions_in(accepted)),
        reuploaded=_naming_seals(accepted) if returned else None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Deletions:
    """What the valid entries of a placement allow the server to delete. `pruned`: (object, position): the object's
    content up to and including that position. `destroyed`: (object, position of the entry): all of the object, its
    content, its share and the parts of its files. As a bool, False if both are empty."""

    pruned: Sequence[tuple[bytes, int]] = ()
    destroyed: Sequence[tuple[bytes, int]] = ()

    def __bool__(self) -> bool:
        return bool(self.pruned or self.destroyed)


def deletions_in(accepted: Sequence[Accepted]) -> Deletions:
    """What the valid prunes and destroys (administrators' entries) among the items `accepted` allow to be deleted, in
    their order."""
    entries = [(a.n, a.entry.payload) for a in accepted if isinstance(a, AcceptedEntry) and a.void is None]
    return Deletions(
        pruned=[(p.obj, p.n) for _, p in entries if isinstance(p, Prune)],
        destroyed=[(p.obj, n) for n, p in entries if isinstance(p, Destroy)],
    )


def _naming_seals(accepted: Sequence[Accepted]) -> list[int]:
    """The positions, in order, of the valid entries that name seals (encrypted keys): those that bring new keys, and
    those that add a member. Used for items that clients upload again after a restore: they come without their seals,
    and the store notes at which positions, so that a check does not report these as missing."""
    entries = [(a.n, a.entry) for a in accepted if isinstance(a, AcceptedEntry) and a.void is None]
    return [n for n, entry in entries if entry.epoch is not None or isinstance(entry.payload, Add)]
