# SPDX-License-Identifier: EUPL-1.2
"""A received file on a computer: opened without the server, kept, and gone with its message and its room."""

import asyncio
import os
from functools import partial
from pathlib import Path

from app.chat.model import Message
from app.chat.tool import TOOL as CHAT
from app.core.ids import RoomId
from app.settings import RECEIVED_FILES_MB
from sync.client.status import LinkState
from tests.journeys.desks import Desk, Offices
from tests.world import until

CONTENT = os.urandom(5_000_000)
"""Two parts."""


async def sent(o: Offices, a: Desk, b: Desk, *names: str) -> RoomId:
    """A room in which `a` has sent a message with each of these files."""
    room = await o.room(a, b)
    for name in names:
        source = o.w.folder / name
        await asyncio.to_thread(source.write_bytes, CONTENT + name.encode())
        await a.session.service(CHAT).send_file(room, [source], name)
    await until(lambda: b.session.service(CHAT).channel(room) is not None and len(b.texts(room)) == len(names))
    await until(lambda: a.session.store.waiting_count() == 0)
    return room


def message(desk: Desk, room: RoomId, at: int = 0) -> Message:
    return desk.session.service(CHAT).timeline(room).message(at)


def manifest(desk: Desk, room: RoomId, at: int = 0) -> bytes:
    return message(desk, room, at).attachments[0].manifest


async def fetch(desk: Desk, room: RoomId, target: Path, at: int = 0) -> bytes:
    found = await desk.session.service(CHAT).fetch_file(room, message(desk, room, at), 0, target)
    return await asyncio.to_thread(found.read_bytes)


def is_shown_and_here(desk: Desk, room: RoomId, text: str) -> bool:
    """Whether the message with this text is shown, and its file is on the computer."""
    texts = desk.texts(room)
    return text in texts and desk.session.files.is_here(manifest(desk, room, texts.index(text)))


def received(desk: Desk) -> list[Path]:
    folder = desk.profile.folder / "received"
    return [*folder.iterdir()] if folder.exists() else []


async def test_a_file_that_was_fetched_opens_without_the_server_after_a_restart(o: Offices, tmp_path: Path) -> None:
    a, b = await o.hire("Handläggare", "Registrator")
    room = await sent(o, a, b, "bygglov å.pdf")
    assert await fetch(b, room, tmp_path / "1") == CONTENT + "bygglov å.pdf".encode()
    assert len(received(b)) == 2
    assert all(b"bygglov" not in path.read_bytes() for path in received(b))
    await o.w.stop_server()
    await until(lambda: b.session.status.state is not LinkState.ONLINE)
    await b.close()
    await b.begin_offline()
    assert b.session.files.is_here(manifest(b, room))
    assert await fetch(b, room, tmp_path / "2") == CONTENT + "bygglov å.pdf".encode()
    await o.w.start_server()


async def test_a_file_leaves_with_its_message_and_with_the_room(o: Offices, tmp_path: Path) -> None:
    a, b = await o.hire("Handläggare", "Registrator")
    room = await sent(o, a, b, "ett.pdf", "två.pdf")
    for at in range(2):
        await fetch(b, room, tmp_path / f"{at}", at)
    b.session.files.pin_room(room, [])
    assert len(received(b)) == 4
    a.session.service(CHAT).delete(room, message(a, room).change_id)
    await until(lambda: len(received(b)) == 2)
    assert not message(b, room).attachments
    assert b.session.files.is_here(manifest(b, room, 1))
    await a.session.rooms.remove(room, b.session.people.me.uid)
    await until(lambda: received(b) == [])
    assert b.session.store.db.value("SELECT count(*) FROM cached_parts") == 0


async def test_leaving_a_room_removes_its_files(o: Offices, tmp_path: Path) -> None:
    a, b = await o.hire("Handläggare", "Registrator")
    room = await sent(o, a, b, "ett.pdf")
    await fetch(b, room, tmp_path / "1")
    await b.session.rooms.leave(room)
    await until(lambda: received(b) == [])


async def test_a_pinned_file_comes_when_the_server_is_back_and_stays_when_the_cache_is_emptied(
    o: Offices, tmp_path: Path
) -> None:
    a, b = await o.hire("Handläggare", "Registrator")
    room = await sent(o, a, b, "ett.pdf", "två.pdf")
    await o.w.stop_server()
    await until(lambda: b.session.status.state is not LinkState.ONLINE)
    b.session.files.pin(room, message(b, room).obj, manifest(b, room))
    assert received(b) == []
    await o.w.start_server()
    await until(lambda: b.session.files.is_here(manifest(b, room)))
    await fetch(b, room, tmp_path / "2", 1)
    await b.session.files.empty()
    assert len(received(b)) == 2
    assert b.session.files.is_here(manifest(b, room))


async def test_later_files_of_a_room_that_is_kept_come_by_themselves_also_after_a_restart(
    o: Offices, tmp_path: Path
) -> None:
    a, b = await o.hire("Handläggare", "Registrator")
    room = await sent(o, a, b, "ett.pdf")
    keeping = b.session.service(CHAT).keeping
    assert keeping is not None
    await keeping.keep_room(room, True)
    await until(lambda: b.session.files.is_here(manifest(b, room)))
    for name in ("två åäö 🙂.pdf", "tre.pdf"):
        source = tmp_path / name
        await asyncio.to_thread(source.write_bytes, CONTENT + name.encode())
        if name == "tre.pdf":
            await b.close()
        await a.session.service(CHAT).send_file(room, [source], name)
        await until(lambda: a.session.store.waiting_count() == 0)
        if name == "tre.pdf":
            await b.begin()
        await until(partial(is_shown_and_here, b, room, name))
    assert len(received(b)) == 6
    keeping = b.session.service(CHAT).keeping
    assert keeping is not None
    await keeping.keep_room(room, False)
    await a.session.service(CHAT).send_file(room, [source], "fyra")
    await until(lambda: "fyra" in b.texts(room))
    assert not b.session.files.is_pinned(manifest(b, room, 3))


async def test_policy_can_have_nothing_of_received_files_stay(o: Offices, tmp_path: Path) -> None:
    a, b = await o.hire("Handläggare", "Registrator")
    room = await sent(o, a, b, "ett.pdf")
    await fetch(b, room, tmp_path / "1")
    b.session.settings.renew({RECEIVED_FILES_MB.key: 0}, {})
    await until(lambda: received(b) == [])
    assert await fetch(b, room, tmp_path / "2") == CONTENT + b"ett.pdf"
    assert received(b) == []
