# SPDX-License-Identifier: EUPL-1.2
"""Wrote tests/vectors/store-4.db with version 4 of the store: kept items and a room whose server was restored, beside
what version 3 has. Kept to show what is in it; not to be run again."""

from pathlib import Path

from app.core.ids import RoomId, Uid
from app.store.migrations import VERSION
from app.store.store import Store
from sync.client.ports import Received
from sync.trust.items import Item
from tests.app.store.conftest import KINDS

ROOM = RoomId(b"R" * 16)
ITEMS = [Item(3, 30, 1, b"entry 3", b"s" * 64, None), Item(4, 40, 2, b"envelope 4", b"s" * 64, b"sealed 4")]


def write(path: Path) -> None:
    """A room with two kept items that a restored server has closed."""
    assert VERSION == 4
    store = Store.create(path, bytes(range(32)), KINDS)
    store.set_me(Uid(b"M" * 16))
    store.receive(Received(room=ROOM, cursor=4, state=b"state", items=ITEMS))
    store.set_problem(ROOM, "restored")
    store.put_evidence(ROOM, "restored", b"proof of 4", b"proof of 2", b"statement")
    store.close()


if __name__ == "__main__":
    write(Path(__file__).parent / "store-4.db")
