# SPDX-License-Identifier: EUPL-1.2
"""A document in a room of two, and snapshots of it, for the tests of snapshots."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import pytest_asyncio

from app.core.ids import ObjId, RoomId, new_obj
from app.documents import KIND
from app.kinds import KINDS
from app.objects.crdt import CrdtDoc
from app.objects.pieces import Assembler, encode
from app.rooms.records import ObjectAnnounced, RoomNamed
from app.rooms.records import encode as record
from sync.client.exchange import snapshot_maker
from sync.client.exchange.backfill import pack
from sync.client.exchange.extras import Extra
from sync.client.placed_changes import Compacted, PlacedChange, position_of
from sync.client.room import bootstrap_buffer
from sync.client.room.room_sync import RoomSync
from sync.ids import ChangeId
from sync.trust.room import envelope
from sync.trust.room.room_state import Snapshot
from sync.trust.room.snapshots import Attest, pieces
from tests.world import Client, World, until, until_asked, world

WORDS = [f"{i} " for i in range(35)]


@pytest_asyncio.fixture
async def w(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    async with quick_world(tmp_path, monkeypatch) as made:
        yield made


@asynccontextmanager
async def quick_world(folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    """A server whose clients make snapshots of short objects at once."""
    monkeypatch.setattr(bootstrap_buffer, "HEADERS_ONLY_FROM", 20)
    monkeypatch.setattr(snapshot_maker, "EVERY_OPS", 30)
    monkeypatch.setattr(snapshot_maker, "SPREAD_S", 0.05)
    monkeypatch.setattr(snapshot_maker, "AGAIN_S", 0.1)
    async with world(folder, kinds={kind.id: kind for kind in KINDS}) as made:
        yield made


@dataclass
class Paper:
    """A document in a room of two, and a third person who is not in the room yet."""

    room: RoomId
    obj: ObjId
    head: Client
    clerk: Client
    guest: Client

    def doc(self, at: Client) -> CrdtDoc:
        """The document from that desktop's stored changes."""
        doc = CrdtDoc(texts=("text",), maps=("meta",))
        doc.apply(Assembler().feed(at.store.changes.of(self.obj)))
        return doc

    def text(self, at: Client) -> str:
        return str(self.doc(at).text("text"))

    async def write(self, by: Client, *words: str) -> None:
        """Each word is an edit of its own, at its own position."""
        doc, updates = self.doc(by), list[bytes]()
        doc.updated.connect(lambda u: updates.append(u.data))
        for word in words:
            with doc.transact():
                doc.text("text").insert(len(str(doc.text("text")).encode()), word)
            for data in encode(updates.pop()):
                by.say(self.room, self.obj, data)
            await until(lambda: not by.store.waiting_count())

    async def add(self, at: Client, *, history: bool = True) -> None:
        await self.head.engine.directory(at.name)
        await self.head.engine.operations.add(self.room, at.uid, 2, history=history)

    def at(self, client: Client) -> RoomSync:
        return client.engine.parts.link.rooms[self.room]

    def rows(self, at: Client) -> tuple[Snapshot, ...]:
        return self.at(at).stream.state.snapshots.get(self.obj, ())

    async def attested(self) -> None:
        """Waits until a snapshot of the document is attested."""
        await until(lambda: any(row.attests for row in self.rows(self.head)))

    def base(self, at: Client) -> int:
        """The position up to which the state reaches that a desktop computed or opened; 0 for none."""
        found = at.store.base(self.obj)
        return found[0] if found else 0

    def whole(self, at: Client, n: int | None = None) -> Compacted:
        """The object's state from that desktop's positions, up to `n` or to the last."""
        assert KIND.compact is not None
        n = n or at.engine.position(self.room)
        found = KIND.compact(at.store.positioned(self.obj, 0, n), n)
        assert found is not None
        return found

    async def claim(
        self, by: Client, state: Compacted, *, kind: int = envelope.SNAPSHOT, digest: bytes | None = None
    ) -> Snapshot:
        """Places a snapshot with any content."""
        n, before = by.engine.position(self.room), len(self.rows(by))
        made = pieces(b"t" * 16, digest or state.digest, pack(state))
        about = n.to_bytes(8, "big")
        extras = [Extra(obj=self.obj, kind=kind, about=about, payload=piece.encode()) for piece in made]
        by.engine.parts.outbox.send_beside(self.room, extras)
        await until(lambda: len(self.rows(by)) > before)
        return self.rows(by)[-1]

    async def attest(self, by: Client, row: Snapshot, digest: bytes) -> None:
        expected = Attest(obj=self.obj, n=row.covers, snapshot=row.ident, digest=digest)
        extra = Extra(obj=self.obj, kind=envelope.ATTEST, about=row.ident, payload=expected.encode())
        by.engine.parts.outbox.send_beside(self.room, [extra])
        await until(lambda: bool(self.rows(by)[-1].attests))


async def paper(w: World, monkeypatch: pytest.MonkeyPatch | None = None) -> Paper:
    """`monkeypatch`: no device makes or attests a snapshot by itself."""
    if monkeypatch is not None:
        monkeypatch.setattr(snapshot_maker, "EVERY_OPS", 10_000)
        monkeypatch.setattr(snapshot_maker, "SPREAD_S", 0.0)
    return await written(w, *await w.hire("Enhetschef", "Handläggare", "Registrator"))


async def written(w: World, head: Client, clerk: Client, guest: Client) -> Paper:
    room, obj = await w.room(head, clerk), new_obj()
    head.say(room, ObjId(room), record(RoomNamed(title="Ärende", type="case")))
    head.say(room, ObjId(room), record(ObjectAnnounced(obj=obj, kind=KIND.id)))
    made = Paper(room, obj, head, clerk, guest)
    await made.write(head, *WORDS)
    await w.settle(room, head, clerk)
    return made


async def second_paper(p: Paper) -> Paper:
    """Another document in the same room."""
    obj = new_obj()
    p.head.say(p.room, ObjId(p.room), record(ObjectAnnounced(obj=obj, kind=KIND.id)))
    made = replace(p, obj=obj)
    await made.write(p.head, *WORDS[:3])
    return made


async def opened(p: Paper) -> None:
    """Waits until the newcomer has the whole text, and in the end the whole history."""
    await until(lambda: p.guest.engine.position(p.room) == p.head.engine.position(p.room))
    await until(lambda: p.text(p.guest) == p.text(p.head))
    await until(lambda: p.guest.engine.reread_progress(p.room) is None)
    await until(lambda: not p.guest.store.changes.history(p.obj)[0])
    edits = p.guest.store.changes.history(p.obj)[1]
    assert [c.data for c in edits] == [c.data for c in p.head.store.changes.history(p.obj)[1]]
    n = min(at.engine.position(p.room) for at in (p.guest, p.head))  # one may have received a signature meanwhile
    assert p.whole(p.guest, n) == p.whole(p.head, n)


async def nothing(*_: object) -> None: ...


def noted(into: list[RoomSync]) -> Callable[..., Awaitable[None]]:
    async def note(room: RoomSync, *_: object) -> None:
        into.append(room)

    return note


def other_state(text: str, by: Client, room: RoomId) -> Compacted:
    doc = CrdtDoc(texts=("text",), maps=("meta",))
    doc.text("text").insert(0, text)
    assert KIND.compact is not None
    changes = [PlacedChange(position_of(1), ChangeId(bytes(16)), by.uid, 0, data) for data in encode(doc.diff())]
    found = KIND.compact(changes, by.engine.position(room))
    assert found is not None
    return found


async def three_know(p: Paper) -> None:
    """Makes a snapshot that two others attest."""
    await p.add(p.guest)
    await opened(p)
    await p.write(p.head, *WORDS)
    await until(lambda: any(len(row.attests) > 1 for row in p.rows(p.head)))


async def forgotten(w: World, p: Paper, n: int) -> None:
    """Waits until the server has no content of the object up to position n."""
    assert w.running is not None
    store = w.running.store

    async def none_left() -> bool:
        rows = await store.items(p.room, 0, n, 1 << 20)
        heads = [(row, envelope.Header.decode(envelope.read_body(row.body)[0])) for row in rows if row.kind == 2]
        return not any(hdr.obj == p.obj and row.ct is not None and hdr.kind != envelope.ATTEST for row, hdr in heads)

    await until_asked(none_left)
