# SPDX-License-Identifier: EUPL-1.2
"""A document in the sample's case room, in a store that tries what arrives in a real worker."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from app.core import clock
from app.core.ids import DevId, ObjId, Uid, new_change, new_id
from app.documents import KIND as DOCUMENTS
from app.objects import pieces
from app.rooms.records import ObjectAnnounced, Record, encode
from app.session import Session
from app.worker.client import Worker
from sync.client.ports import OpenedChange
from sync.client.received import ReceivedSlice
from tests.app.poison import Writer
from tests.ui.shell.kept_office import office
from tests.ui.shell.opened_office import open_session

TITLE = "Utkast till beslut"


def tried_session(folder: Path, code: str) -> Session:
    """A session whose worker runs `code`; without any it cannot be started."""
    return open_session(folder, tester=Worker([sys.executable, "-c", code] if code else [str(folder / "nothing")]))


class Case:
    """The case room as the person's computer has it. `registrar` types in `document`."""

    def __init__(self, session: Session) -> None:
        self.store = session.store
        self.document = ObjId(new_id())
        self.registrar = Writer(TITLE)
        self._n = 1000

    async def set_up(self) -> None:
        """Announces the document and writes its title."""
        await self.record(office().head.uid, ObjectAnnounced(obj=self.document, kind=DOCUMENTS.id))
        (first,) = self.registrar.take()
        record = pieces.decode(first)
        assert isinstance(record, pieces.Whole)
        await self.arrive(office().registrar.uid, *pieces.encode(record.update, TITLE))

    async def record(self, uid: Uid, record: Record) -> None:
        """A record about the room arrives."""
        await self.arrive(uid, encode(record), obj=ObjId(office().case))

    async def arrive(self, uid: Uid, *payloads: bytes, obj: ObjId | None = None) -> None:
        """Changes of somebody's arrive, whatever they are; without `obj` in the document."""
        changes = []
        for payload in payloads:
            self._n += 1
            changes.append(
                OpenedChange(n=self._n, t=clock.now_ms(), uid=uid, dev=DevId(uid), obj=obj or self.document,
                             change_id=new_change(), payload=payload)
            )  # fmt: skip
        await self.store.receive_apart(ReceivedSlice(room=office().case, changes=changes))


@asynccontextmanager
async def case(session: Session) -> AsyncIterator[Case]:
    """The room with its document, while the store's worker tries what arrives."""
    running = asyncio.ensure_future(session.store.trials.run())
    made = Case(session)
    try:
        await made.set_up()
        yield made
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
