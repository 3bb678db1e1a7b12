# SPDX-License-Identifier: EUPL-1.2
"""Run by test_crash.py as a process of its own: appends and receives until it is killed, saying what is durable."""

import sys
from pathlib import Path

from app.core.ids import ObjId, new_change
from app.store.store import Store
from sync.client.ports import OpenedChange
from sync.client.received import ReceivedSlice
from tests.app.store.conftest import DEV, KEY, KINDS, OTHER, ROOM


def main(path: Path, note: ObjId, first: int) -> None:
    """Each line on stdout is a number whose append and whose received double have been acknowledged."""
    store = Store.open(path, KEY, KINDS)
    for i in range(first, first + 1_000_000):
        store.changes.append(ROOM, note, f"mitt {i}".encode())
        theirs = [
            OpenedChange(
                n=i * 10 + k,
                t=i,
                uid=OTHER,
                dev=DEV,
                obj=note,
                change_id=new_change(),
                payload=f"ditt {i} {k}".encode(),
            )
            for k in range(5)
        ]
        store.receive(ReceivedSlice(room=ROOM, cursor=i, state=b"%d" % i, changes=theirs))
        sys.stdout.write(f"{i}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]), ObjId(bytes.fromhex(sys.argv[2])), int(sys.argv[3]))
