# SPDX-License-Identifier: EUPL-1.2
"""Wrote tests/vectors/sync-1-successor.json: the genesis payload of a room that continues another, and the ids of the
objects in it. Kept to show what is in it; not to be run again."""

import json
from pathlib import Path

from sync.crypto.encoding import enc
from sync.ids import Hash, ObjId, RoomId
from sync.trust.room.successor_claim import Origin, object_in

OLD, NEW = RoomId(b"gammalt" + bytes(9)), RoomId(b"nytt" + bytes(12))


def write(path: Path) -> None:
    at = Origin(room=OLD, n=41, rh=Hash(b"r" * 32))
    objects = [ObjId(OLD), ObjId(bytes(range(16))), ObjId(b"\xff" * 16)]
    value = {
        "old": OLD.hex(),
        "successor": NEW.hex(),
        "n": 41,
        "rh": at.rh.hex(),
        "payload": enc([b"n" * 32, {}, at.field()]).hex(),
        "objects": [[obj.hex(), object_in(NEW, OLD, obj).hex()] for obj in objects],
    }
    path.write_text(json.dumps(value, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    write(Path(__file__).parent / "sync-1-successor.json")
