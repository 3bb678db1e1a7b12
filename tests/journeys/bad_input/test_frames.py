# SPDX-License-Identifier: EUPL-1.2
"""Malformed, oversized and truncated frames, both ways: the connection ends with a code, nobody else notices."""

import os
from collections.abc import Sequence

import pytest

from sync.client.status import LinkState
from sync.client.wire.transport import Transport
from sync.errors import Unreachable
from sync.protocol import messages as m
from sync.protocol.codec import decode_server, encode
from sync.protocol.version import MAX_FRAME_BYTES, WIRE_MAX, WIRE_MIN
from sync.server.rules.handshake import now_ms
from tests.journeys.bad_input.checks import HELLO, explained, honest, lie, nothing_lost, two
from tests.world import World, until

HELLO_FRAME = encode(m.Hello((WIRE_MIN, WIRE_MAX), bytes(32), now_ms(), "test"))
TO_SERVER = {
    "malformed": b"\xc1",
    "empty": b"",
    "noise": os.urandom(500),
    "truncated": HELLO_FRAME[:-3],
    "of the other side": encode(m.Behind(bytes(16), 1)),
    "with too much": HELLO_FRAME + b"\x00",
    "before hello": encode(m.Pull(1, bytes(16), 0, 1000)),
    "a short nonce": encode(m.Hello((WIRE_MIN, WIRE_MAX), b"kort", now_ms(), "test")),
}
TO_CLIENT = {
    "malformed": b"\xc1",
    "truncated": encode(m.Behind(bytes(16), 1))[:-3],
    "oversized": bytes(MAX_FRAME_BYTES + 1),
    "empty": b"",
    "of the other side": HELLO_FRAME,
    "a reply of another kind": encode(m.Ok(1)),
}


@pytest.mark.parametrize("what", TO_SERVER)
async def test_the_server_ends_a_connection_with_a_bad_frame_and_serves_the_others(w: World, what: str) -> None:
    a, b, room, obj = await two(w)
    line = await w.dialer().open()
    await line.send(TO_SERVER[what])
    last = decode_server(await line.receive())
    assert isinstance(last, m.Error)
    assert last.rid == 0
    explained(last.code, "malformed")
    with pytest.raises(Unreachable):
        await line.receive()
    await line.close()
    a.say(room, obj, HELLO)
    await w.settle(room)
    await nothing_lost(b, obj, [b"a", b"b", HELLO], waiting=0)


async def test_the_server_ends_a_connection_with_an_oversized_frame(w: World) -> None:
    a, b, room, obj = await two(w)
    line = await w.dialer().open()
    with pytest.raises(Unreachable) as e:
        await _talk(line, bytes(MAX_FRAME_BYTES + 1))
    explained(e.value.code, "unreachable")
    await line.close()
    a.say(room, obj, HELLO)
    await w.settle(room)
    await nothing_lost(b, obj, [b"a", b"b", HELLO], waiting=0)


async def _talk(line: Transport, data: bytes) -> None:
    """Sends, and reads until the other end has gone."""
    await line.send(data)
    while True:
        await line.receive()


@pytest.mark.parametrize("what", TO_CLIENT)
async def test_the_client_tells_of_a_bad_frame_and_goes_on_with_an_honest_server(w: World, what: str) -> None:
    a, b, room, obj = await two(w)

    def spoil(frame: m.ServerFrame) -> Sequence[m.Frame | bytes]:
        return [TO_CLIENT[what]] if isinstance(frame, m.Authed) else [frame]

    await lie(b, spoil)
    await until(lambda: b.engine.status.state is LinkState.ERROR)
    explained(b.engine.status.code, "malformed", "oversize")
    b.say(room, obj, HELLO)
    await nothing_lost(b, obj, [b"a", b"b", HELLO], waiting=1)
    await honest(b)
    await w.settle(room)
    assert a.texts(obj)[-1] == HELLO


async def test_a_bad_frame_in_the_handshake_is_told_too(w: World) -> None:
    a, b, room, obj = await two(w)
    await lie(b, lambda f: [b"\xc1"] if isinstance(f, m.ServerHello) else [f])
    await until(lambda: b.engine.status.state is LinkState.ERROR)
    explained(b.engine.status.code, "malformed")
    b.say(room, obj, HELLO)
    await nothing_lost(b, obj, [b"a", b"b", HELLO], waiting=1)
    await honest(b)
    await w.settle(room)
    assert a.texts(obj)[-1] == HELLO
