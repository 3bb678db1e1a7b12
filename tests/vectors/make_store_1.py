# SPDX-License-Identifier: EUPL-1.2
"""Wrote tests/vectors/store-1.db with version 1 of the store. Kept to show what is in it; not to be run again."""

from pathlib import Path

from app.core.ids import ChangeId, ObjId, RoomId, Uid
from app.store.migrations import VERSION
from app.store.store import Store
from sync.client.ports import MemberRow, OpenedChange, Received, RoomEvent
from tests.app.store.conftest import DEV, KINDS

ME, OTHER = Uid(b"M" * 16), Uid(b"O" * 16)
ROOM, NOTE = RoomId(b"R" * 16), ObjId(b"N" * 16)


def write(path: Path) -> None:
    """A room of two with one received note, one that waits, and a little of everything else."""
    assert VERSION == 1
    store = Store.create(path, bytes(range(32)), KINDS)
    store.set_me(ME)
    store.save_account(b"account")
    store.append_user_log(OTHER, 0, [(b"genesis", b"sig")])
    store.put_person(OTHER, {"name": "Registrator", "title": "Registrator", "unit": "Kansliet"})
    texts = [(ObjId(ROOM), b"announce" + NOTE + b"note"), (NOTE, "Hej från version 1, åäö 🙂".encode())]
    changes = [
        OpenedChange(n=n, t=n, uid=OTHER, dev=DEV, obj=obj, change_id=ChangeId(bytes([n]) * 16), payload=data)
        for n, (obj, data) in enumerate(texts, start=3)
    ]
    store.receive(
        Received(
            room=ROOM,
            cursor=4,
            state=b"state",
            positions=[(n, b"%d" % n * 32) for n in range(1, 5)],
            events=[RoomEvent(n=1, t=1, kind="genesis", by=OTHER)],
            members=[MemberRow(uid=u, role=r, since_n=1, history=True) for u, r in ((OTHER, 4), (ME, 2))],
            changes=changes,
            keys=[(1, b"K" * 32, b"A" * 32)],
            shares=[(NOTE, b"S" * 32)],
        )
    )
    store.changes.append(ROOM, NOTE, "Eget, väntar".encode())
    store.objects.set_draft(ROOM, NOTE, b"utkast")
    store.close()


if __name__ == "__main__":
    write(Path(__file__).parent / "store-1.db")
