# SPDX-License-Identifier: EUPL-1.2
"""Wrote tests/vectors/store-3.db with version 3 of the store: a room that continues another, beside what version 2 has.
Kept to show what is in it; not to be run again."""

from pathlib import Path

from app.core.ids import Hash, RoomId, Uid
from app.store.migrations import VERSION
from app.store.origins import Step
from app.store.store import Store
from sync.client.ports import Received, RoomEvent
from sync.trust.succession import Origin
from tests.app.store.conftest import KINDS

OLD, NEW = RoomId(b"R" * 16), RoomId(b"S" * 16)


def write(path: Path) -> None:
    """A successor that this device has followed."""
    assert VERSION == 3
    store = Store.create(path, bytes(range(32)), KINDS)
    store.set_me(Uid(b"M" * 16))
    origin = Origin(room=OLD, n=9, rh=Hash(b"9" * 32))
    event = RoomEvent(n=1, t=1, kind="genesis", by=Uid(b"O" * 16), origin=origin)
    store.receive(Received(room=OLD, cursor=4, state=b"state"))
    store.receive(Received(room=NEW, cursor=1, state=b"state", events=[event]))
    store.origins.set_step(NEW, Step.FOLLOWED)
    store.close()


if __name__ == "__main__":
    write(Path(__file__).parent / "store-3.db")
