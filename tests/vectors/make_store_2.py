# SPDX-License-Identifier: EUPL-1.2
"""Wrote tests/vectors/store-2.db with version 2 of the store: receipts and evidence beside what version 1 has. Kept to
show what is in it; not to be run again."""

from pathlib import Path

from app.core.ids import RoomId, Uid
from app.store.migrations import VERSION
from app.store.store import Store
from sync.client.ports import KeptReceipt, Received
from tests.app.store.conftest import KINDS

ROOM = RoomId(b"R" * 16)


def write(path: Path) -> None:
    """A room whose server was set back once."""
    assert VERSION == 2
    store = Store.create(path, bytes(range(32)), KINDS)
    store.set_me(Uid(b"M" * 16))
    store.receive(Received(room=ROOM, cursor=4, state=b"state"))
    store.put_receipts([KeptReceipt(room=ROOM, n=9, proof=b"proof of 9")])
    store.put_evidence(ROOM, "rollback", b"proof of 9", b"proof of 4", None)
    store.put_evidence(ROOM, "fork", b"proof of 9", b"another proof of 9", b"what a member signed")
    store.close()


if __name__ == "__main__":
    write(Path(__file__).parent / "store-2.db")
