# SPDX-License-Identifier: EUPL-1.2
"""The sample's case room with its document in a real store: what colleagues write arrives as from a server, and is
tried in a real worker."""

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from app.core import clock
from app.core.enums import Role
from app.core.ids import DevId, ObjId, Uid, new_change
from app.documents import KIND as DOCUMENTS
from app.documents.service import DocumentService
from app.kinds import KINDS
from app.objects import pieces
from app.rooms.held import HeldBack
from app.rooms.records import ObjectAnnounced, Record, encode
from app.store.store import Store
from app.worker.client import Worker
from sync.client.ports import MemberRow, OpenedChange, RoomEvent
from sync.client.received import ReceivedSlice
from tests.app.poison import Writer
from tests.office import KEY
from tests.ui.shell.fake_session import FakeSession
from tests.ui.shell.sample import CASE, DOCUMENT, HEAD, ME, REGISTRAR

TITLE = "Utkast till beslut"
ROLES: Mapping[Uid, Role] = {ME.uid: Role.OWNER, HEAD.uid: Role.ADMIN, REGISTRAR.uid: Role.WRITER}


class Case:
    """The room as the person's computer has it. `registrar` types in the document."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.registrar = Writer(TITLE)
        self._n = len(ROLES)
        store.set_me(ME.uid)
        events = [
            RoomEvent(n=n, t=n, kind="add" if n > 1 else "genesis", by=ME.uid, subject=uid, role=role, history=True)
            for n, (uid, role) in enumerate(ROLES.items(), start=1)
        ]
        members = [MemberRow(uid=uid, role=role, since_n=0, history=True) for uid, role in ROLES.items()]
        store.receive(ReceivedSlice(room=CASE, cursor=self._n, state=b"", events=events, members=members))

    async def set_up(self) -> None:
        """Announces the document and writes its title."""
        await self.record(HEAD.uid, ObjectAnnounced(obj=DOCUMENT, kind=DOCUMENTS.id))
        (first,) = self.registrar.take()
        record = pieces.decode(first)
        assert isinstance(record, pieces.Whole)
        await self.arrive(REGISTRAR.uid, *pieces.encode(record.update, TITLE))

    async def record(self, uid: Uid, record: Record) -> None:
        """A record about the room arrives."""
        await self.arrive(uid, encode(record), obj=ObjId(CASE))

    async def arrive(self, uid: Uid, *payloads: bytes, obj: ObjId = DOCUMENT) -> None:
        """Changes of somebody's arrive, whatever they are."""
        changes = []
        for payload in payloads:
            self._n += 1
            changes.append(
                OpenedChange(n=self._n, t=clock.now_ms(), uid=uid, dev=DevId(uid), obj=obj, change_id=new_change(),
                             payload=payload)
            )  # fmt: skip
        await self.store.receive_apart(ReceivedSlice(room=CASE, cursor=self._n, state=b"", changes=changes))


@asynccontextmanager
async def case(folder: Path, session: FakeSession, code: str) -> AsyncIterator[Case]:
    """The room in a new store, which the session's held changes and documents are then of. `code`: what the worker
    runs; without any it cannot be started."""
    worker = Worker([sys.executable, "-c", code] if code else [str(folder / "nothing")])
    store = Store.create(folder / "case.db", KEY, {kind.id: kind for kind in KINDS}, tester=worker)
    running = asyncio.ensure_future(store.trials.run())
    made = Case(store)
    try:
        await made.set_up()
        session.rooms.use(store)
        session.held = HeldBack(store, session.people, session.rooms)
        documents = DocumentService(store.db, store.changes, store.objects, session.people, session.rooms)
        session.held.copiers[DOCUMENTS.id] = documents.copy
        yield made
        documents.close_all()
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        store.close()
