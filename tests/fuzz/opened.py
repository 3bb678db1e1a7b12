# SPDX-License-Identifier: EUPL-1.2
"""Documents and boards in a real store, without a network and without a worker: the process that runs this may die."""

import asyncio
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from app.core.ids import ChangeId, DevId, ObjId, RoomId, Uid
from app.documents import KIND as DOCUMENTS
from app.documents.projection import index
from app.objects.kind import ROOM
from app.objects.pieces import Assembler
from app.objects.pieces import encode as document_changes
from app.richtext.model import Document
from app.rooms.projection import KIND as ROOT
from app.rooms.records import ObjectAnnounced, encode
from app.store import statements as sql
from app.store.store import Store
from app.tasks import KIND as BOARDS
from app.tasks.model import Board
from sync.client.placed_changes import Compacted
from sync.client.ports import OpenedChange
from sync.client.received import ReceivedSlice
from tests.fuzz.histories import Positioned
from tests.fuzz.judged import person
from tests.one_change import one_change as board_change

ME, ANNOUNCER = Uid(b"m" * 16), Uid(b"o" * 16)
KEY = b"k" * 32
KINDS = {ROOM: ROOT, DOCUMENTS.id: DOCUMENTS, BOARDS.id: BOARDS}
SLICE = 16
"""Changes in one received slice."""


@dataclass(frozen=True, slots=True)
class Object:
    """A document or a board, alone in its room."""

    board: bool
    room: RoomId
    id: ObjId


class Read(NamedTuple):
    """What a document holds."""

    text: str
    blocks: int


class Opened:
    """A store in a folder of its own, which `close` deletes. Its objects know nothing of each other."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="kansli-fuzz-"))
        self.store = Store.create(self._folder / "s.db", KEY, KINDS, self._folder / "blobs")
        self.store.set_me(ME)

    def reopen(self) -> None:
        """Closes the store with all that is in it, and opens it again."""
        self.store.close()
        self.store = Store.open(self._folder / "s.db", KEY, KINDS, self._folder / "blobs")

    def close(self) -> None:
        """Closes the store, and deletes it even if that fails."""
        try:
            self.store.close()
        finally:
            shutil.rmtree(self._folder)

    async def receive(self, one: Object, history: Sequence[Positioned]) -> None:
        """Receives a new object with its whole history, in slices."""
        changes = []
        for n, positioned in enumerate(history, start=10):
            update, uid = positioned.update, Uid(person(positioned.author))
            datas = [board_change(update)] if one.board else document_changes(update)
            changes += [_change(n, place, uid, one.id, data) for place, data in enumerate(datas)]
        await self._take(one, changes)

    async def begin(self, one: Object, state: Sequence[bytes]) -> None:
        """Receives a new object, and a state of it as a successor's first change."""
        await self._take(one, [_change(10, place, ANNOUNCER, one.id, data) for place, data in enumerate(state)])

    async def _take(self, one: Object, changes: Sequence[OpenedChange]) -> None:
        kind = BOARDS.id if one.board else DOCUMENTS.id
        announced = _change(1, 0, ANNOUNCER, ObjId(one.room), encode(ObjectAnnounced(obj=one.id, kind=kind)))
        self.store.receive(ReceivedSlice(room=one.room, cursor=1, state=b"", changes=[announced]))
        for at in range(0, len(changes), SLICE):
            came = changes[at : at + SLICE]
            await self.store.receive_apart(ReceivedSlice(room=one.room, cursor=came[-1].n, state=b"", changes=came))

    async def snapshot(self, one: Object) -> Compacted | None:
        """The object's snapshot, made of all its changes as the engine makes it. None for an object that has none."""
        compact = self.store.compactor(one.id)
        assert compact is not None
        last = self.store.db.value(sql.LAST_POSITION, (one.id,)) or 0
        changes = await asyncio.to_thread(self.store.positioned, one.id, 0, last)
        found = await asyncio.to_thread(compact, changes, last)
        if found is not None:
            self.store.put_base(one.room, one.id, last, found)
        return found

    async def state(self, one: Object) -> Sequence[bytes]:
        """What a successor begins with, made of the snapshot if there is one; empty if the object has no state."""
        return await self.store.snapshots.state(one.id)

    async def owners(self, one: Object, clients: Sequence[int]) -> list[bytes | None]:
        """Whose the clients are, as the object's judge knows. The judge is loaded if it is not in memory."""
        known = await self.store.judges.known(one.id)
        return [known.owner(client) for client in clients]

    def opened(self, one: Object) -> object:
        """Indexes the object, opens it, and returns what it holds."""
        changes = self.store.changes.of(one.id)
        if one.board:
            board = Board()
            board.merge(Assembler().feed_data([(c.author, c.data) for c in changes]))
            said: object = (
                board.title, board.columns(), sorted(c.id for c in board.all_cards()), len(board.archived()),
            )  # fmt: skip
            board.close()
            return said
        document = Document()
        document.merge(Assembler().feed(changes))
        row = self.store.objects.get(one.id)
        assert row is not None
        with self.store.transaction() as conn:
            index(conn, row, document)
        text, blocks = document.plain_text(), len(document.blocks())
        document.close()
        return Read(text, blocks)

    def kept_out(self, one: Object) -> int:
        """How many changes of the object are not merged."""
        statement = "SELECT count(*) FROM changes WHERE obj = ? AND unprojected IS NOT NULL"
        found: int = self.store.db.value(statement, (one.id,))
        return found


def _change(n: int, place: int, uid: Uid, obj: ObjId, data: bytes) -> OpenedChange:
    made = ChangeId(n.to_bytes(8, "big") + place.to_bytes(8, "big"))
    return OpenedChange(n=n, t=n, uid=uid, dev=DevId(uid), obj=obj, change_id=made, payload=data, place=place)
