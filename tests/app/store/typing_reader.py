# SPDX-License-Identifier: EUPL-1.2
"""Run by test_crash_trials.py: a process takes in what colleagues type in a document and on a board, with trials, and
merges it as the program does, until it is killed.

`PATH CHANGES`: the file of changes has one JSON array [object, change id, data] of hex texts a line; those that are
stored already are left out. For each line on stdin a child is forked, since to import the program takes longer than to
run it; it says its process id, then a line for each slice: how many changes are stored and tried.
"""

import asyncio
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from app.core.ids import ChangeId, DevId, ObjId
from app.documents import KIND as DOCUMENTS
from app.objects.pieces import Assembler
from app.richtext.model import Document
from app.store.rows import StoredChange
from app.store.store import Store
from app.tasks import KIND as BOARDS
from app.worker.client import Worker
from sync.client.ports import OpenedChange
from sync.client.received import ReceivedSlice
from tests.office import EK, KEY, ROOM

BATCH = 3


def say(line: str) -> None:
    """Writes `line` to stdout in one write, so that a kill leaves the whole line or none of it. `print` writes the line
    and its end apart where PYTHONUNBUFFERED is set: a kill between them joined the last line with that of the parent
    process."""
    os.write(sys.stdout.fileno(), f"{line}\n".encode())


async def main(path: Path, changes: Sequence[tuple[ObjId, ChangeId, bytes]]) -> None:
    store = Store.open(path, KEY, {k.id: k for k in (DOCUMENTS, BOARDS)}, None, Worker())
    known = {row[0] for row in store.db.rows("SELECT change_id FROM changes")}
    documents: dict[ObjId, tuple[Document, Assembler]] = {}

    def merge(received: Sequence[StoredChange]) -> None:
        for change in received:
            document, assembler = documents.setdefault(change.obj, (Document(), Assembler()))
            with store.changes.merging(ROOM, change.obj, [change]):
                document.merge(assembler.feed([change]))

    for obj in {obj for obj, _, _ in changes}:
        merge(store.changes.of(obj))
    store.changes.received.connect(merge)
    running = asyncio.ensure_future(store.trials.run())
    left = [c for c in changes if c[1] not in known]
    for at in range(0, len(left), BATCH):
        n = len(known) + at + 1
        opened = [
            OpenedChange(n=n + i, t=n, uid=EK, dev=DevId(EK), obj=obj, change_id=change_id, payload=data)
            for i, (obj, change_id, data) in enumerate(left[at : at + BATCH])
        ]
        await store.receive_apart(ReceivedSlice(room=ROOM, cursor=n, state=b"%d" % n, changes=opened))
        say(str(n + len(opened) - 1))
    running.cancel()
    store.close()


def read(path: Path) -> list[tuple[ObjId, ChangeId, bytes]]:
    """The changes of a file."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [(ObjId(bytes.fromhex(o)), ChangeId(bytes.fromhex(c)), bytes.fromhex(d)) for o, c, d in rows]


def begin(path: Path, changes: Sequence[tuple[ObjId, ChangeId, bytes]]) -> int:
    """Forks a reader and waits for its end; its exit status."""
    child = os.fork()
    if child == 0:
        say(str(os.getpid()))
        asyncio.run(main(path, changes))
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    given = read(Path(sys.argv[2]))
    for _ in sys.stdin:
        say(f"end {begin(Path(sys.argv[1]), given)}")
