# SPDX-License-Identifier: EUPL-1.2
"""One document or board in a real store, without a network and without a worker: the process that runs this may die."""

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from app.core.ids import ChangeId, DevId, ObjId, RoomId, Uid
from app.documents import KIND as DOCUMENTS
from app.documents.model import Document
from app.documents.projection import index
from app.documents.records import Assembler
from app.documents.records import encode as document_changes
from app.objects.kind import ROOM
from app.rooms.projection import KIND as ROOT
from app.rooms.records import ObjectAnnounced, encode
from app.store.store import Store
from app.tasks import KIND as BOARDS
from app.tasks.model import Board
from app.tasks.records import Updates
from app.tasks.records import encode as board_change
from sync.client.ports import OpenedChange, Received
from tests.fuzz.histories import Positioned
from tests.fuzz.judged import person

ME, ANNOUNCER = Uid(b"m" * 16), Uid(b"o" * 16)
ROOM_ID, OBJ = RoomId(b"r" * 16), ObjId(b"d" * 16)
SLICE = 16
"""Changes in one received slice."""


class Opened:
    """A store in a folder of its own, which is deleted at the end."""

    def __init__(self, board: bool) -> None:
        self._board = board
        self._folder = Path(tempfile.mkdtemp(prefix="kansli-fuzz-"))

    def __enter__(self) -> "Opened":
        kinds = {ROOM: ROOT, DOCUMENTS.id: DOCUMENTS, BOARDS.id: BOARDS}
        self.store = Store.create(self._folder / "s.db", b"k" * 32, kinds, self._folder / "blobs")
        self.store.set_me(ME)
        kind = BOARDS.id if self._board else DOCUMENTS.id
        announced = encode(ObjectAnnounced(obj=OBJ, kind=kind))
        self.store.receive(
            Received(room=ROOM_ID, cursor=1, state=b"", changes=[_change(1, 0, ANNOUNCER, ObjId(ROOM_ID), announced)])
        )
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.store.close()
        shutil.rmtree(self._folder)

    async def receive(self, history: Sequence[Positioned]) -> None:
        """Receives the whole history, in slices."""
        changes = []
        for n, positioned in enumerate(history, start=10):
            update, uid = positioned.update, Uid(person(positioned.author))
            datas = [board_change(update)] if self._board else document_changes(update)
            changes += [_change(n, place, uid, OBJ, data) for place, data in enumerate(datas)]
        await self._take(changes)

    async def begin(self, state: Sequence[bytes], upto: int) -> None:
        """Receives the state as a successor's first change."""
        await self._take([_change(10, place, ANNOUNCER, OBJ, data) for place, data in enumerate(state)])

    async def _take(self, changes: Sequence[OpenedChange]) -> None:
        for at in range(0, len(changes), SLICE):
            came = changes[at : at + SLICE]
            await self.store.receive_apart(Received(room=ROOM_ID, cursor=came[-1].n, state=b"", changes=came))

    async def state(self) -> Sequence[bytes]:
        return await self.store.snapshots.state(OBJ)

    def opened(self) -> object:
        """Indexes the object, opens it, and returns what it holds."""
        changes = self.store.changes.of(OBJ)
        if self._board:
            board = Board()
            board.merge(Updates().feed_data([(c.author, c.data) for c in changes]))
            said: object = (
                board.title, board.columns(), sorted(c.id for c in board.all_cards()), len(board.archived()),
            )  # fmt: skip
            board.close()
            return said
        document = Document()
        document.merge(Assembler().feed(changes))
        row = self.store.objects.get(OBJ)
        assert row is not None
        with self.store.transaction() as conn:
            index(conn, row, document)
        text, blocks = document.plain_text(), len(document.blocks())
        document.close()
        return text, blocks

    def kept_out(self) -> int:
        """How many changes are not merged."""
        found: int = self.store.db.value("SELECT count(*) FROM changes WHERE unprojected IS NOT NULL")
        return found


def _change(n: int, place: int, uid: Uid, obj: ObjId, data: bytes) -> OpenedChange:
    made = ChangeId(n.to_bytes(8, "big") + place.to_bytes(8, "big"))
    return OpenedChange(n=n, t=n, uid=uid, dev=DevId(uid), obj=obj, change_id=made, payload=data, place=place)
