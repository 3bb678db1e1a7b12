# SPDX-License-Identifier: EUPL-1.2
"""Restores a server from an older backup under its clients, and waits until its rooms are open again."""

import asyncio
import hashlib
from pathlib import Path

from app.core.ids import ObjId, PartId, RoomId
from app.store.rows import BlobPart
from sync.client.status import LinkState
from sync.server.operator import admin
from sync.server.operator.upkeep.problems import Problem
from sync.server.operator.upkeep.verify import verify
from tests.journeys.bad_input.checks import offline
from tests.sync.server.test_backup import back_up, put_back
from tests.world import Client, World, until, until_asked


async def backed_up(w: World) -> Path:
    """A backup of the running server."""
    target = w.folder / "backup"
    await asyncio.to_thread(back_up, w.data, target)
    return target


async def restored(w: World, backup: Path, *clients: Client) -> None:
    """The server is gone with all its data, and stands again as it was in the backup. The clients stay away."""
    for client in clients or w.clients:
        await offline(client)
    await w.stop_server()
    back = w.folder / "restored"
    assert await asyncio.to_thread(put_back, backup, back) == []
    w.moved_to = back
    await w.start_server()


async def is_online(client: Client) -> None:
    await until(lambda: client.engine.status.state is LinkState.ONLINE)


def history(client: Client, room: RoomId) -> list[tuple[int, bytes]]:
    """The room's positions with their running hashes, as the client has them."""
    return [(n, rh) for n, rh in client.store.db.rows("SELECT n, rh FROM positions WHERE room = ? ORDER BY n", (room,))]


async def whole(w: World) -> None:
    """Nothing is wrong with the server's data."""
    found: list[Problem] = []
    await asyncio.to_thread(verify, w.data, found.append, lambda _: None)
    assert found == []


def keep_part(client: Client, room: RoomId, obj: ObjId, part: PartId, sealed: bytes) -> bytes:
    """A part of a file that is to be uploaded; its hash."""
    digest = hashlib.sha256(sealed).digest()
    client.store.blobs.write(part, sealed)
    client.store.blobs.add(
        BlobPart(
            part=part, room=room, obj=obj, key=bytes(32), hash=digest, size=5000, plain_size=4000,
            uploaded=False, present=True,
        )
    )  # fmt: skip
    return digest


async def open_again(w: World) -> None:
    async def are_open() -> bool:
        return (await admin.status(w.data)).rooms_closed == 0

    await until_asked(are_open)
