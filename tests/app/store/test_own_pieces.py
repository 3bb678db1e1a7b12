# SPDX-License-Identifier: EUPL-1.2
"""A large update of this device's own gets its positions piece by piece. It is merged here all the while."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest_asyncio

from app.core.ids import ObjId, Uid
from app.store.store import Store
from sync.client.ports import OpenedChange, RoomEvent
from sync.client.received import ReceivedSlice
from tests.app.poison import Writer
from tests.app.store.test_judged import Stream, marks, take
from tests.app.store.test_trials import NOTE, Desk, opened
from tests.office import EK, HL, ROOM

PASTED = "å🙂" * 100_000


@pytest_asyncio.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with opened(tmp_path / "store.db") as made:
        yield made


def pasted(writer: Writer) -> list[bytes]:
    """The pieces of a large paste of this writer's."""
    writer.take()
    writer.document.splice(0, 0, PASTED)
    parts = writer.take()
    assert len(parts) > 3
    return parts


def written(store: Store, stream: Stream, parts: Sequence[bytes]) -> list[OpenedChange]:
    """Writes changes on this device; gives them as they come back from the server."""
    ids = [store.changes.append(ROOM, NOTE, data, live=True) for data in parts]
    return [replace(c, change_id=i) for c, i in zip(stream.add(HL, *parts), ids, strict=True)]


class Listener:
    """The signals that the tools received about the document."""

    def __init__(self, store: Store) -> None:
        self.back: list[ObjId] = []
        self.received: list[Uid] = []
        store.changes.taken_back.connect(self.back.append)
        store.changes.received.connect(lambda changes: self.received.extend(c.author for c in changes))


async def test_an_own_piece_waits_for_no_other_and_a_colleagues_piece_does(desk: Desk, tmp_path: Path) -> None:
    stream, writer = Stream(), Writer()
    begun = stream.add(HL, *writer.take())
    async with opened(tmp_path / "other.db") as other:
        for each in (desk, other):
            await take(each, *begun)
        listener = Listener(desk.store)
        mine = written(desk.store, stream, pasted(writer))
        for change in mine[:-1]:
            await take(desk, change)
            await take(other, change)
            assert (marks(desk.store), {code for _, code in marks(other.store)}) == ([], {"late"})
            assert desk.text().count(PASTED) == 1
            assert PASTED not in other.text()
        await take(desk, mine[-1])
        await take(other, mine[-1])
        assert (listener.back, listener.received) == ([], [])
        assert marks(desk.store) == marks(other.store) == []
        assert desk.text() == other.text()


async def test_a_restart_between_the_pieces_changes_nothing(tmp_path: Path) -> None:
    stream, writer = Stream(), Writer()
    async with opened(tmp_path / "store.db") as desk:
        await take(desk, *stream.add(HL, *writer.take()))
        mine = written(desk.store, stream, pasted(writer))
        await take(desk, *mine[:2])
        desk.store.judges.close()
    async with opened(tmp_path / "store.db") as desk:
        listener = Listener(desk.store)
        await take(desk, *mine[2:])
        assert (marks(desk.store), listener.back) == ([], [])
        assert desk.text().count(PASTED) == 1


async def test_an_object_that_is_judged_again_between_the_pieces_keeps_them(desk: Desk) -> None:
    stream, writer = Stream(), Writer()
    await take(desk, *stream.add(HL, *writer.take()))
    mine, listener = written(desk.store, stream, pasted(writer)), Listener(desk.store)
    await take(desk, *mine[:2])
    desk.store.judges.forget([NOTE])
    kind = desk.store.trials._merging(NOTE)
    assert kind is not None
    await desk.store.judges.again(NOTE, kind)
    assert (marks(desk.store), listener.back) == ([], [])
    await take(desk, *mine[2:])
    assert (marks(desk.store), listener.back) == ([], [])
    assert desk.text().count(PASTED) == 1


async def test_attack_pieces_that_are_void_together_are_taken_out_together(desk: Desk, tmp_path: Path) -> None:
    """A verdict on the whole is the same for the device that wrote it: here the client belongs to a different
    person."""
    stream, writer = Stream(), Writer()
    begun = stream.add(EK, *writer.take())
    async with opened(tmp_path / "other.db") as other:
        for each in (desk, other):
            await take(each, *begun)
        listener, mine = Listener(desk.store), written(desk.store, stream, pasted(writer))
        for change in mine[:-1]:
            await take(desk, change)
        assert (marks(desk.store), listener.back) == ([], [])
        await take(desk, mine[-1])
        await take(other, *mine)
        assert marks(desk.store) == marks(other.store) == [(change.n, "foreign") for change in mine]
        assert listener.back == [NOTE]
        assert PASTED not in desk.text()


async def test_pieces_that_a_prune_covers_are_offered_again_and_stay(desk: Desk) -> None:
    stream, writer = Stream(), Writer()
    await take(desk, *stream.add(HL, *writer.take()))
    mine, listener = written(desk.store, stream, pasted(writer)), Listener(desk.store)
    await take(desk, *mine[:2])
    unsent = len(desk.store.pending(99))
    prune = RoomEvent(n=150, t=150, kind="prune", by=HL, obj=NOTE, until=mine[1].n)
    await desk.store.receive_apart(ReceivedSlice(room=ROOM, cursor=150, state=b"", events=[prune]))
    assert [code for _, code in marks(desk.store)] == ["covered"] * 2
    offered = desk.store.pending(99)[unsent:]
    assert [pending.payload for pending in offered] == [change.payload for change in mine[:2]]
    assert (listener.back, desk.text().count(PASTED)) == ([], 1)
    rest = [replace(c, n=160 + at) for at, c in enumerate(mine[2:])]
    again = [
        replace(c, n=170 + at, change_id=p.change_id) for at, (c, p) in enumerate(zip(mine, offered, strict=False))
    ]
    await take(desk, *rest)
    await take(desk, *again)
    assert [code for _, code in marks(desk.store)] == ["covered"] * 2
    assert (listener.back, desk.text().count(PASTED)) == ([], 1)
