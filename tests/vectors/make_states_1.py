# SPDX-License-Identifier: EUPL-1.2
"""Wrote tests/vectors/sync-1-states.json: a room with a snapshot in two pieces, two attests, a baseline for a
member who was added from now on, and a prune; every seal of its epochs. Kept to show what is in it; not to be run
again.
"""

import json
import os
from pathlib import Path
from typing import Any

from sync.crypto.encoding import enc
from sync.crypto.kdf import H
from sync.crypto.seal import KemKey
from sync.ids import ChangeId, Hash, ObjId
from sync.trust.formats.items import Role
from sync.trust.keys.epochs import in_order, recipients_hash
from sync.trust.room import snapshots
from sync.trust.room.entry_drafts import Draft, new_room
from sync.trust.room.envelope import (
    ATTEST,
    BASELINE,
    OP,
    SNAPSHOT,
    ObjectKeys,
    PlainOp,
    encrypt_batch,
    pack,
    share_commitment,
)
from sync.trust.room.stream import RoomStream
from tests.sync.trust.people import NOW, Office, Room, Someone

HERE = Path(__file__).parent
OBJ, SHARE = ObjId(b"N" * 16), bytes([5]) * 32


class Story:
    """The room as it grows, and what a reader needs to open it."""

    def __init__(self) -> None:
        self.office = Office()
        names = ("Enhetschef", "Handläggare", "Jurist", "Registrator")
        self.head, self.clerk, self.guest, self.registrar = (self.office.hire(n) for n in names)
        self.recovery = KemKey(bytes([77]) * 32)
        self.keys: dict[str, Any] = {}
        self.seals: dict[str, Any] = {}
        self.room = Room(self.office, RoomStream(None))
        policy: dict[str, object] = {"recovery": [[b"R" * 16, self.recovery.public]]}
        self.did(self.head, new_room(self.head.author, self.office.book, NOW, policy))

    def did(self, by: Someone, draft: Draft) -> None:
        self.room.append(by, draft)
        for who in (self.head, self.clerk, self.guest, self.registrar):
            self.room.give_keys(who, draft)
        if draft.secrets is not None:
            e, k, a = draft.secrets
            self.keys[str(e)] = [k.hex(), a.hex() if a else None]
            self.seals[str(e)] = [s.hex() for s in draft.seals]

    def push(self, by: Someone, kind: int, *payloads: bytes, about: bytes = b"", first: bool = False) -> Hash:
        """A batch of the object; `about` is the last one's. Gives the last one's id."""
        s, own = self.room.stream, self.room.id
        ring = self.room.ring(by)
        secret = ring.a(s.epoch) if kind == SNAPSHOT else ring.k(s.epoch)
        assert secret is not None
        key = ObjectKeys(own).key(secret, s.epoch, OBJ, SHARE, kind)
        share_c = share_commitment(own, OBJ, SHARE) if first else b""
        ops = [PlainOp(OBJ, key, share_c, p, kind, about if p is payloads[-1] else b"") for p in payloads]
        head = s.device_heads.get(by.author.dev)
        prev = s.next_prev(by.uid, by.author.dev)
        batch = encrypt_batch(by.author, own, s.epoch, (s.n, s.rh), (head.dev_seq if head else 0) + 1, prev, ops)
        self.room.push(batch)
        return batch.last_id


def change(text: str) -> bytes:
    return pack([(ChangeId(os.urandom(16)), text.encode())])


def main() -> None:
    story = Story()
    room, head, clerk = story.room, story.head, story.clerk
    story.did(head, room.drafter(head).add(clerk.uid, Role.WRITER, history=True))
    story.did(head, room.drafter(head).add(story.registrar.uid, Role.WRITER, history=True))
    story.push(clerk, OP, change("Första raden"), first=True)
    covers = room.stream.n
    whole = enc(["Första raden".encode()])
    digest = H("what the object is")
    token = bytes(range(16))
    cut = len(whole) // 2
    halves = (whole[:cut], whole[cut:])
    parts = [snapshots.Piece(token=token, index=i, count=2, digest=digest, data=d) for i, d in enumerate(halves)]
    snapshot = story.push(head, SNAPSHOT, *(p.encode() for p in parts), about=covers.to_bytes(8, "big"))
    attest = snapshots.Attest(obj=OBJ, n=covers, snapshot=snapshot, digest=digest)
    for who in (clerk, story.registrar):
        story.push(who, ATTEST, attest.encode(), about=snapshot)
    story.did(head, room.drafter(head).add(story.guest.uid, Role.WRITER, history=False))
    story.push(head, BASELINE, change("Första raden, utan det strukna"))
    room.t += snapshots.PRUNE_AFTER_MS
    story.did(head, room.drafter(head).prune(OBJ, covers, snapshot))
    s = room.stream
    recipients = in_order(s.recipients(story.office.book))
    assert recipients_hash(recipients) == s.epochs[s.epoch].recip
    value = {
        "agency_pk": story.office.agency.pk.hex(),
        "people": [
            {"uid": p.uid.hex(), "puk_seed": p.puk_seed.hex(), "entries": [[b.hex(), g.hex()] for b, g in p.entries]}
            for p in (head, clerk, story.guest, story.registrar)
        ],
        "recovery_seed": story.recovery.seed.hex(),
        "room": s.room.hex(),
        "items": [
            {"n": i.n, "t": i.t, "kind": i.kind, "body": i.body.hex(), "sig": i.sig.hex(), "ct": i.ct and i.ct.hex()}
            for i in room.items
        ],
        "rh": s.rh.hex(),
        "epoch_keys": story.keys,
        "seals": story.seals,
        "obj": OBJ.hex(),
        "share": SHARE.hex(),
        "covers": covers,
        "snapshot": snapshot.hex(),
        "hash": digest.hex(),
        "whole": whole.hex(),
        "baseline": "Första raden, utan det strukna",
        "state": s.to_bytes().hex(),
    }
    text = json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True)
    (HERE / "sync-1-states.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
