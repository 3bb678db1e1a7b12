# SPDX-License-Identifier: EUPL-1.2
"""What every test of bad input asks: a code with its own Swedish sentence, and a store that lost nothing.

Also what spoils a line on purpose: `lie` rewrites what the server says to one client, `garble` what the client says.
"""

import os
import shutil
from collections.abc import Callable, Sequence

from app.core.i18n import set_language
from app.core.ids import ObjId, RoomId
from app.store.store import Store
from sync.client.status import LinkState, RoomState
from sync.client.wire.transport import ServerAddress
from sync.protocol import messages as m
from sync.protocol.codec import decode_client, decode_server, encode
from tests.world import Client, World, until
from ui.errors import sentence

UNKNOWN = "no-such-code"
HELLO = "Hej på er, åäö 😀".encode()


def explained(code: str | None, *expected: str) -> None:
    """The code is the expected one, and a case handler gets a Swedish sentence of its own for it."""
    assert code in expected
    assert code is not None
    set_language("sv")
    said, general = sentence(code), sentence(UNKNOWN)
    assert said.title != general.title
    swedish = said.text
    set_language("en")
    try:
        assert sentence(code).text != swedish
    finally:
        set_language("sv")


async def two(w: World) -> tuple[Client, Client, RoomId, ObjId]:
    """A handläggare and a registrator in one room, and an object in which both have written."""
    a, b = await w.hire("Handläggare", "Registrator")
    room, obj = await w.room(a, b), ObjId(b"\x07" * 16)
    a.say(room, obj, b"a")
    await w.settle(room)
    b.say(room, obj, b"b")
    await w.settle(room)
    return a, b, room, obj


def on_disk(client: Client, obj: ObjId) -> tuple[list[bytes], int]:
    """The object's changes and how many wait, read from the disk by an own connection; the file is whole."""
    store = Store.open(client.path, client.key, {})
    try:
        assert store.db.check() == []
        return sorted(c.data for c in store.changes.of(obj)), store.waiting_count()
    finally:
        store.close()


async def nothing_lost(client: Client, obj: ObjId, texts: Sequence[bytes], waiting: int) -> None:
    """After a restart from the disk everything written is there, and what waited still waits."""
    await client.stop()
    assert on_disk(client, obj) == (sorted(texts), waiting)
    client.store = Store.open(client.path, client.key, {})
    client.start()


async def offline(client: Client) -> None:
    """No line, and none that comes by itself."""
    client.wire.cut = True
    await client.wire.hang_up()
    await until(lambda: client.engine.status.state in (LinkState.OFFLINE, LinkState.ERROR))


async def reconnect(client: Client) -> None:
    """A new line at once."""
    await client.wire.hang_up()
    await until(lambda: client.engine.parts.link.connection is None)
    client.online()


async def honest(client: Client) -> None:
    """The lies are over."""
    client.wire.spoil = None
    await reconnect(client)


async def lie(client: Client, rewrite: Callable[[m.ServerFrame], Sequence[m.Frame | bytes]]) -> None:
    """From a new connection on, this client hears what `rewrite` makes of what the server says."""

    def spoil(data: bytes, out: bool) -> Sequence[bytes]:
        if out:
            return [data]
        return [f if isinstance(f, bytes) else encode(f) for f in rewrite(decode_server(data))]

    client.wire.spoil = spoil
    await reconnect(client)
    await until(
        lambda: client.engine.parts.link.connection is not None or client.engine.status.state is LinkState.ERROR
    )


async def garble(client: Client, rewrite: Callable[[m.ClientFrame], Sequence[m.Frame | bytes]]) -> None:
    """From a new connection on, the server hears what `rewrite` makes of what this client says."""

    def spoil(data: bytes, out: bool) -> Sequence[bytes]:
        if not out:
            return [data]
        return [f if isinstance(f, bytes) else encode(f) for f in rewrite(decode_client(data))]

    client.wire.spoil = spoil
    await reconnect(client)
    await until(lambda: client.engine.status.state is LinkState.ONLINE)


def items_of(frame: m.ServerFrame, room: RoomId) -> list[m.WireItem]:
    """The room's items in a frame from the server."""
    return list(frame.items) if isinstance(frame, m.Items | m.Fresh) and frame.room == room else []


def with_items(frame: m.ServerFrame, items: list[m.WireItem]) -> m.Frame:
    """The same frame with other items."""
    match frame:
        case m.Items():
            return m.Items(frame.rid, frame.room, items, frame.shares, frame.receipt)
        case m.Fresh():
            return m.Fresh(frame.room, items, frame.shares, frame.receipt)
    return frame


async def stopped(client: Client, room: RoomId, state: RoomState) -> None:
    """The room shows the state, and nothing written there is sent."""
    await until(lambda: client.engine.room_state(room) is state)
    assert client.engine.blocked(room) == state.value


def address_of(port: int) -> ServerAddress:
    """Another server on this machine."""
    return ServerAddress.parse(f"localhost:{port}")


async def set_back(w: World, *clients: Client) -> Callable[[], None]:
    """Copies the server's disk as it is now; what is given back swaps the copy in (server stopped meanwhile)."""
    copy = w.folder / f"copy-{os.urandom(4).hex()}"
    shutil.copytree(w.data, copy)

    def swap() -> None:
        w.moved_to = copy

    return swap


async def with_older_server(w: World, swap: Callable[[], None], *clients: Client) -> None:
    for client in clients:
        await offline(client)
    await w.stop_server()
    swap()
    await w.start_server()
