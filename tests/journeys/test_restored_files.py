# SPDX-License-Identifier: EUPL-1.2
"""A server is restored from an older backup: parts of files that it lost are uploaded again."""

import asyncio
import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from app.core.ids import PartId, new_obj
from sync.client.status import LinkState
from sync.errors import Refused, Unreachable
from sync.server.operator import admin
from tests.journeys.bad_input.checks import HELLO, offline
from tests.journeys.restoring import backed_up, keep_part, restored, whole
from tests.sync.server.test_backup import put_back
from tests.world import World, until, until_asked


async def test_parts_of_files_that_were_lost_are_uploaded_again_once(w: World) -> None:
    a, b = await w.hire("Handläggare", "Registrator")
    room, obj = await w.room(a, b), new_obj()
    backup = await backed_up(w)
    parts = {PartId(os.urandom(16)): os.urandom(5000) for _ in range(3)}
    for part, sealed in parts.items():
        keep_part(a, room, obj, part, sealed)
    a.engine.blobs.wake()
    a.say(room, obj, HELLO)
    await until(lambda: a.store.uploads() == [])
    await w.settle(room)
    await restored(w, backup)
    for client in (a, b):
        client.online()
    await w.settle(room)
    await until(lambda: a.store.parts_checked_for() is not None and a.store.uploads() == [])
    for part, sealed in parts.items():
        assert await b.engine.blobs.fetch(room, obj, part, hashlib.sha256(sealed).digest()) == sealed
    assert (await admin.status(w.data)).blobs == 3
    await whole(w)
    mark = a.store.parts_checked_for()
    await a.restart()
    await until(lambda: a.engine.status.state is LinkState.ONLINE)
    assert a.store.parts_checked_for() == mark


@pytest.mark.parametrize("harm", [Path.unlink, lambda p: p.write_bytes(bytes(5000))], ids=["gone", "rotten"])
async def test_a_part_that_is_damaged_in_the_backup_comes_back_from_who_has_it(
    w: World, harm: Callable[[Path], object]
) -> None:
    a, b = await w.hire("Handläggare", "Registrator")
    room, obj = await w.room(a, b), new_obj()
    part, sealed = PartId(os.urandom(16)), os.urandom(5000)
    digest = keep_part(a, room, obj, part, sealed)
    a.engine.blobs.wake()
    await until(lambda: a.store.uploads() == [])
    await w.settle(room)
    backup = await backed_up(w)
    (copy,) = [p for p in (backup / "blobs").rglob("*") if p.is_file()]
    harm(copy)
    for client in (a, b):
        await offline(client)
    await w.stop_server()
    back = w.folder / "restored"
    assert len(await asyncio.to_thread(put_back, backup, back, damaged=True)) == 1
    w.moved_to = back
    await w.start_server()
    for client in (a, b):
        client.online()
    await w.settle(room)
    await until(lambda: a.store.parts_checked_for() is not None and a.store.uploads() == [])
    assert await b.engine.blobs.fetch(room, obj, part, digest) == sealed
    await whole(w)


async def test_parts_of_a_room_that_does_not_come_back_hold_up_no_others(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sync.client.exchange.blob_transfer.RETRY_S", 0.05)
    a, b = await w.hire("Handläggare", "Registrator")
    room, obj = await w.room(a, b), new_obj()
    backup = await backed_up(w)
    later = await w.room(a, b)
    sealed = os.urandom(5000)
    digest = hashlib.sha256(sealed).digest()
    parts = {PartId(os.urandom(16)): at for at in (later, later, room)}
    for part, at in parts.items():
        keep_part(a, at, obj, part, sealed)
    a.engine.blobs.wake()
    await until(lambda: a.store.uploads() == [])
    await w.settle(room)
    await w.settle(later)
    for client in (a, b):
        client.store.db.conn.execute("DELETE FROM kept_items WHERE room = ?", (later,))  # longer ago than they keep it
    await restored(w, backup)
    for client in (a, b):
        client.online()
    await w.settle(room)
    last = list(parts)[-1]

    async def comes_back() -> bool:
        try:
            return await b.engine.blobs.fetch(room, obj, last, digest) == sealed
        except (Refused, Unreachable):
            return False

    await until_asked(comes_back)
    assert a.store.parts_checked_for() is None


async def test_parts_of_a_room_are_asked_for_once_the_person_may_write_there_again(w: World) -> None:
    """The server asks nobody else for them: this device alone has them."""
    a, b = await w.hire("Handläggare", "Registrator")
    room, other, obj = await w.room(a, b), await w.room(a, b), new_obj()
    backup = await backed_up(w)
    sealed = os.urandom(5000)
    parts = {PartId(os.urandom(16)): at for at in (room, other)}
    for part, at in parts.items():
        keep_part(b, at, obj, part, sealed)
    b.engine.blobs.wake()
    await until(lambda: b.store.uploads() == [])
    await a.engine.operations.set_role(room, b.uid, 1)
    await w.settle(room)
    await restored(w, backup)
    for client in (a, b):
        client.online()
    await w.settle(room)
    await until(lambda: b.store.parts_checked_for() is not None and b.store.uploads() == [])
    mark, digest = b.store.parts_checked_for(), hashlib.sha256(sealed).digest()
    here, there = parts
    assert await a.engine.blobs.fetch(other, obj, there, digest) == sealed
    with pytest.raises(Refused):
        await a.engine.blobs.fetch(room, obj, here, digest)
    await b.restart()
    await until(lambda: b.engine.status.state is LinkState.ONLINE)
    assert b.store.parts_checked_for() == mark
    await a.engine.operations.set_role(room, b.uid, 2)
    await w.settle(room)
    b.engine.blobs.wake()
    await until(lambda: b.store.parts_checked_for() != mark and b.store.uploads() == [])
    assert await a.engine.blobs.fetch(room, obj, here, digest) == sealed
