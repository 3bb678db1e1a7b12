# SPDX-License-Identifier: EUPL-1.2
"""Wrote tests/vectors/store-5.db with version 5 of the store: an object's state that a newcomer began with, and one
that this device computed. Kept to show what is in it; not to be run again."""

from pathlib import Path

from app.core.ids import ObjId, RoomId, Uid
from app.store.migrations import VERSION
from app.store.store import Store
from sync.client.ports import Compacted, OpenedSnapshot, Received
from tests.app.store.conftest import KINDS

ROOM = RoomId(b"R" * 16)


def write(path: Path) -> None:
    """Two objects with a state each."""
    assert VERSION == 5
    store = Store.create(path, bytes(range(32)), KINDS)
    store.set_me(Uid(b"M" * 16))
    state = Compacted(changes=(b"first piece", b"second piece"), digest=b"d" * 32)
    begun = OpenedSnapshot(n=12, t=1000, uid=Uid(b"O" * 16), obj=ObjId(b"N" * 16), covers=9, state=state)
    store.receive(Received(room=ROOM, cursor=14, state=b"state", snapshots=[begun], reread=14))
    store.put_base(ROOM, ObjId(b"P" * 16), 7, Compacted(changes=(b"whole",), digest=b"e" * 32))
    store.close()


if __name__ == "__main__":
    write(Path(__file__).parent / "store-5.db")
