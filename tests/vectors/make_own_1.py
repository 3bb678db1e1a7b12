# SPDX-License-Identifier: EUPL-1.2
"""Wrote tests/vectors/sync-1-own.json: a room of one's own with two devices and a prune, as a false server
shows it, with entries and attests that have no effect. Kept to show what is in it; not to be run again.
"""

import json
from pathlib import Path
from typing import Any

from sync.crypto.encoding import enc
from sync.ids import ObjId
from sync.trust.formats.items import ENTRY, ENVELOPE, Item
from sync.trust.room.entry_drafts import Draft, new_room
from sync.trust.room.envelope import ATTEST, SNAPSHOT, EncryptedBatch, share_commitment
from sync.trust.room.payloads import Prune
from sync.trust.room.snapshots import PRUNE_AFTER_MS
from sync.trust.room.stream import RoomStream
from tests.sync.trust.forging import batch_by, entry_by
from tests.sync.trust.people import NOW, Office, Room, Someone, signed_ops

HERE = Path(__file__).parent
OBJ, SHARE = ObjId(b"N" * 16), bytes([5]) * 32


class Story:
    """The room as a client that believes the server's order takes it: what is void has a position too."""

    def __init__(self) -> None:
        self.office = Office()
        self.head, self.colleague = self.office.hire("Enhetschef"), self.office.hire("Handläggare")
        self.room = Room(self.office, RoomStream(None))
        self.room.append(self.head, new_room(self.head.author, self.office.book, NOW, {"own": True}))
        self.items = [self._shown(item, None) for item in self.room.items]

    def _shown(self, item: Item, void: str | None) -> dict[str, Any]:
        row = {"n": item.n, "t": item.t, "kind": item.kind, "body": item.body.hex(), "sig": item.sig.hex()}
        return {**row, "ct": item.ct and item.ct.hex(), "void": void}

    def _take(self, kind: int, signed: list[tuple[bytes, bytes, bytes | None]]) -> None:
        room = self.room
        room.t += 1000
        items = [Item(len(room.items) + 1 + i, room.t, kind, *parts) for i, parts in enumerate(signed)]
        accepted = room.stream.accept(items, self.office.book, room.rh_at)
        room._keep(items)
        self.items += [self._shown(item, verdict.void) for item, verdict in zip(items, accepted, strict=True)]

    def entry(self, draft: Draft) -> None:
        self._take(ENTRY, [(body, sig, None) for body, sig in draft.entries])

    def push(self, ops: EncryptedBatch) -> None:
        self._take(ENVELOPE, signed_ops(ops))

    def about(self, by: Someone, kind: int, about: bytes) -> None:
        self.push(batch_by(self.room, by, [{"obj": OBJ, "kind": kind, "about": about}]))

    def snapshot(self, by: Someone) -> bytes:
        """Places a snapshot; returns its id."""
        self.about(by, SNAPSHOT, self.room.stream.n.to_bytes(8, "big"))
        return bytes(self.room.stream.state.snapshots[OBJ][-1].ident)

    def prune(self, snapshot: bytes) -> None:
        row = next(row for row in self.room.stream.state.snapshots[OBJ] if row.ident == snapshot)
        p = Prune(obj=OBJ, n=row.covers, snapshot=row.ident)
        self.entry(self.room.drafter(self.head).prune(p.obj, p.n, p.snapshot))


def main() -> None:
    story = Story()
    head, room, colleague = story.head, story.room, story.colleague
    laptop = head.add_device()
    story.push(batch_by(room, head, [{"obj": OBJ, "share_c": share_commitment(room.id, OBJ, SHARE)}]))
    add = [colleague.uid, 2, True, [colleague.log.seq, colleague.log.head], bytes(32), None]
    for by in (head, laptop, colleague):
        story.entry(entry_by(room, by, "add", add))
    story.entry(entry_by(room, laptop, "propose", ["hist", colleague.uid]))
    story.entry(entry_by(room, laptop, "propose", ["recovery", enc([])]))
    story.entry(entry_by(room, head, "policy", [{"own": True}, None]))
    story.entry(entry_by(room, head, "policy", [{"suite": 2}, None]))
    story.entry(entry_by(room, head, "role", [head.uid, 1, None]))
    first = story.snapshot(head)
    story.prune(first)  # not attested
    story.about(head, ATTEST, first)  # by the device that made it
    story.about(head, ATTEST, first)  # once more
    story.about(colleague, ATTEST, first)
    story.prune(first)  # too early
    second = story.snapshot(laptop)
    story.about(head, ATTEST, second)
    story.about(laptop, ATTEST, second)
    room.t += PRUNE_AFTER_MS
    third = story.snapshot(head)
    story.about(head, ATTEST, third)
    story.prune(third)  # too early
    story.prune(second)
    s = room.stream
    value = {
        "agency_pk": story.office.agency.pk.hex(),
        "people": [
            {"uid": p.uid.hex(), "entries": [[b.hex(), g.hex()] for b, g in p.entries]} for p in (head, colleague)
        ],
        "room": s.room.hex(),
        "items": story.items,
        "rh": s.rh.hex(),
        "obj": OBJ.hex(),
        "devices": [head.author.dev.hex(), laptop.author.dev.hex()],
        "attests": [[row.ident.hex(), [by.hex() for by, _ in row.attests]] for row in s.state.snapshots[OBJ]],
        "pruned": s.state.pruned[OBJ],
        "state": s.to_bytes().hex(),
    }
    text = json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True)
    (HERE / "sync-1-own.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
