# SPDX-License-Identifier: EUPL-1.2
"""Run by test_trials.py as a process of its own: takes in a colleague's changes of a document (hex lines on stdin) and
merges them as the program does, until that ends it.

`untried PATH OBJ`: without trials, as a program of before. `tried PATH OBJ`: with them. It ends itself at FATAL, as a
program would that dies of native code, its worker or not. It ends with 0 when nothing waits for a trial.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from app.core.ids import DevId, ObjId, new_change
from app.documents import KIND as DOCUMENTS
from app.objects.pieces import Assembler
from app.richtext.model import Document
from app.store.rows import StoredChange
from app.store.store import Store
from app.tasks import KIND as BOARDS
from app.worker.client import Worker
from sync.client.ports import OpenedChange
from sync.client.received import ReceivedSlice
from tests.app.poison import FATAL
from tests.office import EK, KEY, ROOM
from tests.world import until


async def main(tried: bool, path: Path, obj: ObjId, payloads: Sequence[bytes]) -> None:
    store = Store.open(path, KEY, {k.id: k for k in (DOCUMENTS, BOARDS)}, None, Worker() if tried else None)
    document, assembler = Document(), Assembler()

    def merge(changes: Sequence[StoredChange]) -> None:
        with store.changes.merging(ROOM, obj, changes):
            if any(FATAL.encode() in change.data for change in changes):
                os.kill(os.getpid(), signal.SIGKILL)
            document.merge(assembler.feed(changes))

    merge(store.changes.of(obj))
    store.changes.received.connect(merge)
    running = asyncio.ensure_future(store.trials.run())
    n = 1000 + len(payloads)
    changes = [
        OpenedChange(n=n, t=n, uid=EK, dev=DevId(EK), obj=obj, change_id=new_change(), payload=data)
        for n, data in enumerate(payloads, start=n)
    ]
    await store.receive_apart(ReceivedSlice(room=ROOM, cursor=n, state=b"", changes=changes))
    await until(lambda: store.trials.waiting(obj) == 0)
    running.cancel()
    store.close()


if __name__ == "__main__":
    given = [bytes.fromhex(line) for line in sys.stdin.read().split()]
    asyncio.run(main(sys.argv[1] == "tried", Path(sys.argv[2]), ObjId(bytes.fromhex(sys.argv[3])), given))
