# SPDX-License-Identifier: EUPL-1.2
"""A server's undamaged data folder with one of everything."""

import hashlib
import os
from pathlib import Path

from sync.protocol.messages import Placed
from sync.server.config import Config
from sync.server.objects.filesystem import FilesystemObjects
from sync.server.operator import admin
from sync.server.process.running import start_server
from sync.server.store.base import BlobRow
from sync.server.store.sql import SqlStore
from tests.sync.server.house import TEXT, House
from tests.sync.server.wire import config

OBJ, PART = b"o" * 16, b"p" * 16


async def fill(data: Path) -> bytes:
    """A room with three people (one has left), two epochs, objects, a part of a file, and an open invitation."""
    async with start_server(config(data)) as server:
        house = House(server, data)
        anna, bert, room = await house.two_in_a_room()
        carl = await house.person("Enhetschef")
        await anna.push(room, TEXT, "två")
        await anna.sync(room)
        sealed = anna.sealed(room, "nytt objekt", obj=OBJ)
        await anna.wire.ask(sealed, Placed)
        await anna.sync(room)
        await anna.add(room, carl, history=False)
        await anna.submit(anna.drafter(room).remove(bert.uid))
        await anna.sync(room)
        await anna.push(room, "efteråt")
        await house.close()
    content = os.urandom(3000)
    digest = hashlib.sha256(content).digest()
    objects, store = FilesystemObjects(Config(data=data).blobs), SqlStore(Config(data=data).database)
    await objects.append(room, OBJ, PART, 0, content)
    await objects.finish(room, OBJ, PART, digest)
    await store.open()
    await store.add_blob(BlobRow(room=room, obj=OBJ, part=PART, size_bytes=3000, sha256=digest), (), 1, 3000)
    await store.close()
    await admin.invite(data, name="Registrator", title="", unit="")
    return room
