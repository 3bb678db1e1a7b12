# SPDX-License-Identifier: EUPL-1.2
"""A client whose store was copied, used further, and put back: nothing is signed twice, shown twice or refused."""

import shutil
from pathlib import Path

import pytest

from app.core.ids import ObjId, RoomId, new_obj
from sync.client.ports import SealedBatch
from sync.client.status import RoomState
from sync.trust.room.envelope import Header, read_body
from tests.sync.client.test_engine import _note_sealed
from tests.world import Client, World, until


class Lives:
    """One client's store over several lives, and everything that it signed in any of them."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.signed: list[SealedBatch] = []
        _note_sealed(client, self.signed)

    async def copy(self) -> Path:
        """The store as it is now, with the program stopped during the copy."""
        await self._client.stop()
        copy = self._client.path.with_suffix(".old")
        shutil.copy(self._client.path, copy)
        self._again()
        return copy

    async def put_back(self, copy: Path) -> None:
        await self._client.stop()
        _overwrite(self._client.path, copy)
        self._again()

    def _again(self) -> None:
        self._client.store = type(self._client.store).open(self._client.path, self._client.key, {})
        _note_sealed(self._client, self.signed)
        self._client.start()

    def signed_once(self, room: RoomId) -> None:
        """Asserts that no dev_seq of this device is in two different envelopes."""
        under: dict[int, bytes] = {}
        for batch in self.signed:
            for body in batch.bodies:
                seq = Header.decode(read_body(body)[0]).dev_seq
                assert batch.room != room or under.setdefault(seq, body) == body


def _overwrite(store: Path, copy: Path) -> None:
    for suffix in ("-wal", "-shm"):
        Path(f"{store}{suffix}").unlink(missing_ok=True)
    shutil.copy(copy, store)


async def two(w: World) -> tuple[Client, Client, RoomId, ObjId, Lives]:
    a, b = await w.hire("Handläggare", "Registrator")
    room, obj = await w.room(a, b), new_obj()
    lives = Lives(a)
    a.say(room, obj, b"ett")
    await w.settle(room)
    return a, b, room, obj, lives


async def test_what_waited_in_the_copy_and_was_sent_since_is_shown_once(w: World) -> None:
    a, b, room, obj, lives = await two(w)
    await a.offline()
    a.say(room, obj, "väntar".encode())
    copy = await lives.copy()
    a.online()
    await w.settle(room)
    a.say(room, obj, b"efter kopian")
    await w.settle(room)
    await lives.put_back(copy)
    a.say(room, obj, b"nytt")
    await w.settle(room)
    whole = [b"ett", "väntar".encode(), b"efter kopian", b"nytt"]
    assert a.texts(obj) == b.texts(obj) == whole
    assert a.engine.blocked(room) is None
    lives.signed_once(room)
    assert sum(len(batch.rows) for batch in lives.signed) == 4  # what is at the server is not sent again


async def test_a_batch_that_lay_sealed_in_the_copy_comes_to_an_end(w: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The batch was refused as stale and encrypted again in the life that is forgotten; from the copy it is
    sent again."""
    a, b, room, obj, lives = await two(w)
    b.say(room, obj, b"av b")
    await w.settle(room)
    monkeypatch.setattr(type(a.engine.parts.outbox), "_push", _not_now)
    a.say(room, obj, "väntar".encode())
    await until(lambda: a.store.sealed(room) is not None)
    copy = await lives.copy()
    await b.engine.operations.leave(room)  # refuses the earlier batch: `rotation-owed`, then `stale`
    monkeypatch.undo()
    _note_sealed(a, lives.signed)
    a.engine.wake()
    await w.settle(room, a)
    assert a.texts(obj) == [b"ett", b"av b", "väntar".encode()]
    await lives.put_back(copy)
    a.say(room, obj, b"nytt")
    await w.settle(room, a)
    assert a.texts(obj) == [b"ett", b"av b", "väntar".encode(), b"nytt"]
    assert a.engine.blocked(room) is None
    assert a.engine.room_state(room) is RoomState.SEALED
    lives.signed_once(room)


async def _not_now(*_: object) -> bool:
    return False


async def test_a_copy_that_is_put_back_again_and_again_never_signs_twice(w: World) -> None:
    a, b, room, obj, lives = await two(w)
    copy = await lives.copy()
    written = [b"ett"]
    for i in range(3):
        for text in (b"%d a" % i, b"%d b" % i):
            a.say(room, obj, text)
            await w.settle(room)
            written.append(text)
        await lives.put_back(copy)
        await w.settle(room)
        assert a.texts(obj) == b.texts(obj) == written
    lives.signed_once(room)
    seqs = [batch.first_seq for batch in lives.signed]
    assert seqs == sorted(set(seqs))
