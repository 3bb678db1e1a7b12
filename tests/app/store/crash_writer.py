# SPDX-License-Identifier: EUPL-1.2
"""Run by test_crash.py: appends and receives until it is killed, saying what is durable.

For each line on stdin, `PATH NOTE FIRST`, a writer is forked, since to import the program takes longer than to run it.
It says its process id, then a line for each number, and at its end `end STATUS`.
"""

import os
import sys
from pathlib import Path

from app.core.ids import ObjId, new_change
from app.store.store import Store
from sync.client.ports import OpenedChange
from sync.client.received import ReceivedSlice
from tests.app.store.conftest import DEV, KEY, KINDS, OTHER, ROOM


def say(line: str) -> None:
    """Writes `line` to stdout in one write, so that a kill leaves the whole line or none of it."""
    os.write(sys.stdout.fileno(), f"{line}\n".encode())


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
        say(str(i))


def begin(path: Path, note: ObjId, first: int) -> int:
    """Forks a writer and waits for its end; its exit status."""
    child = os.fork()
    if child == 0:
        say(str(os.getpid()))
        main(path, note, first)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


if __name__ == "__main__":
    for line in sys.stdin:
        folder, name, number = line.rstrip("\n").rsplit(" ", 2)
        say(f"end {begin(Path(folder), ObjId(bytes.fromhex(name)), int(number))}")
