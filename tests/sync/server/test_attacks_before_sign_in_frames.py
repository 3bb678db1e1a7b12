# SPDX-License-Identifier: EUPL-1.2
"""Attacks by a client that only reaches the port, by requests, by frames, and on memory and descriptors."""

import asyncio
import gc
import os
import resource
from asyncio import sslproto
from pathlib import Path

import pytest

from sync.protocol import messages as m
from sync.protocol.codec import decode_server, encode
from sync.server.config import Limits
from sync.server.process import uvicorn_protocols
from sync.server.process.accepting import _TLS_BUFFER
from tests.patience import PATIENCE_S
from tests.sync.server.before_sign_in import BINARY, CONT, PING, PONG, hello, message, opened, served, turned_away
from tests.sync.server.hostile import Line, line, ws_frame
from tests.sync.server.house import House
from tests.sync.server.wire import open_wire
from tests.world import until

# -- requests


async def test_attack_look_ups_without_an_account_wait_behind_who_has_signed_in(data: Path) -> None:
    async with served(data, Limits(waiting_share=1e-6)) as house:
        anna = await house.person()
        entrance = house.server.service.entrance
        lines = [await open_wire(house.server.url, house.data) for _ in range(8)]
        for each in lines:
            await each.greet()
        entrance._origins["127.0.0.1"].budget.charge(5.0)
        await anna.wire.ask(m.Devices(anna.wire.rid()), m.DevicesReply)
        answers = [asyncio.ensure_future(each.ask(m.Invite(each.rid(), bytes(32)), m.InviteReply)) for each in lines]
        await until(lambda: house.server.service.hub.queue.behind == 1)
        for _ in range(20):
            await anna.wire.ask(m.Devices(anna.wire.rid()), m.DevicesReply)
        assert sum(answer.done() for answer in answers) <= 1
        for each in lines:
            await each.close()
        await asyncio.gather(*answers, return_exceptions=True)


async def test_attack_a_connection_asks_one_thing_at_a_time_before_sign_in(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, go = [0], asyncio.Event()

    async def slow(frame: m.Invite) -> m.Ok:
        asked[0] += 1
        await go.wait()
        return m.Ok(frame.rid)

    monkeypatch.setattr(house.server.service.people, "invite", slow)
    wire = await open_wire(house.server.url, house.data)
    await wire.greet()
    for _ in range(5):
        await wire.socket.send(encode(m.Invite(wire.rid(), bytes(32))))
    await until(lambda: asked[0] == 1)
    async with opened(house, 1):
        assert asked[0] == 1
    go.set()
    await until(lambda: asked[0] == 5)
    await wire.close()


async def test_attack_requests_before_sign_in_are_few_for_an_address(data: Path) -> None:
    """HTTP requests without a bearer count too."""
    limits = Limits(address_requests_burst=12, address_requests_per_s=0.001)
    async with served(data, limits) as house:
        anna = await house.person()  # three of them
        async with opened(house, 1) as (asking,):
            for _ in range(2):
                asking.writer.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
                await asyncio.wait_for(asking.reader.readuntil(b"}"), PATIENCE_S)
        wire = await open_wire(house.server.url, house.data)
        await wire.greet()
        answered = []
        for _ in range(10):
            frame = m.Invite(wire.rid(), bytes(32))
            wire.send(frame).add_done_callback(lambda _: answered.append(1))
            await wire.socket.send(encode(frame))
        await until(lambda: len(answered) == 7)
        for _ in range(20):
            await anna.wire.ask(m.Devices(anna.wire.rid()), m.DevicesReply)
        assert len(answered) == 7
        await wire.close()


# -- frames


async def test_attack_the_seventeenth_fragment_closes_the_connection(house: House) -> None:
    async with opened(house, 2) as (whole, many):
        for each in (whole, many):
            await each.websocket()
        sent = hello()
        pieces = [sent[k : k + 4] for k in range(0, len(sent), 4)][: uvicorn_protocols.MAX_FRAGMENTS - 1]
        rest = sent[len(b"".join(pieces)) :]
        whole.writer.write(ws_frame(BINARY, pieces[0], fin=False))
        for piece in pieces[1:]:
            whole.writer.write(ws_frame(CONT, piece, fin=False))
        whole.writer.write(ws_frame(CONT, rest))
        assert decode_server(await message(whole)).__class__ is m.ServerHello
        many.writer.write(ws_frame(BINARY, fin=False) + ws_frame(CONT, fin=False) * 10_000)
        closing = await many.ended()
        assert closing[:4] == b"\x88\x0b\x03\xf0"  # 1008
        assert closing[4:] == b"fragments"


async def test_attack_nothing_of_a_message_in_too_many_fragments_is_kept(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[int] = []
    real = uvicorn_protocols.SocketProtocol.handle_cont

    def looked_at(self: uvicorn_protocols.SocketProtocol, event: object) -> None:
        real(self, event)  # type: ignore[arg-type]
        kept.append(len(self.frames))

    monkeypatch.setattr(uvicorn_protocols.SocketProtocol, "handle_cont", looked_at)
    async with opened(house, 1) as (many,):
        await many.websocket()
        many.writer.write(ws_frame(BINARY, b"x", fin=False) + ws_frame(CONT, b"x", fin=False) * 100_000)
        await many.ended()
    assert max(kept) == uvicorn_protocols.MAX_FRAGMENTS
    assert kept[-1] == 0
    assert len(kept) <= uvicorn_protocols._SLICE  # what was sent after it was not even read


@pytest.mark.parametrize("opcode", [PING, PONG])
async def test_attack_control_frames_are_few(house: House, opcode: int) -> None:
    async with opened(house, 1) as (many,):
        await many.websocket()
        many.writer.write(ws_frame(opcode) * 10_000)
        assert b"\x03\xf0p" in await many.ended()
    async with opened(house, 1) as (few,):
        await few.websocket()
        few.writer.write(ws_frame(opcode, b"1") * 8 + ws_frame(BINARY, hello()))
        pongs = [await few.reader.readexactly(3) for _ in range(8 if opcode == PING else 0)]
        assert pongs == [b"\x8a\x011"] * len(pongs)
        assert decode_server(await message(few)).__class__ is m.ServerHello


async def test_attack_those_who_have_not_signed_in_hold_little_memory_together(data: Path) -> None:
    """Each of them can announce a frame of 2 MiB and send all of it but the last byte."""
    async with served(data, Limits(unsigned_bytes=3_000_000)) as house:
        anna = await house.person()
        async with opened(house, 3) as lines:
            for each in lines:
                await each.websocket()
            announced = bytes([0x82, 0xFF]) + (2_000_000).to_bytes(8, "big") + bytes(4)
            for each in lines[:2]:
                each.writer.write(announced + bytes(1_400_000))
            entrance = house.server.service.entrance
            await until(lambda: entrance.held_bytes > 2_800_000)
            lines[2].writer.write(announced + bytes(500_000))
            await lines[0].ended()
            assert turned_away(house) == {"bytes": 1}
            await until(lambda: 1_900_000 < entrance.held_bytes < 2_000_000)
            await anna.wire.ask(m.Devices(anna.wire.rid()), m.DevicesReply)
        await until(lambda: entrance.held_bytes == 0)


async def test_what_has_been_answered_is_held_no_more(house: House) -> None:
    wire = await open_wire(house.server.url, house.data)
    await wire.greet()
    for _ in range(3):
        with pytest.raises(Exception, match="code-unknown"):
            await wire.ask(m.Invite(wire.rid(), bytes(32)), m.InviteReply)
    await until(lambda: house.server.service.entrance.held_bytes == 0)
    await wire.close()


# -- memory


def tls_ends() -> list[sslproto.SSLProtocol]:
    """How many TLS objects this process has, those of other tests included."""
    return [found for found in gc.get_objects() if type(found) is sslproto.SSLProtocol]


async def test_attack_a_silent_tls_connection_holds_no_large_buffer(house: House) -> None:
    others = tls_ends()
    async with opened(house, 3):
        await until(lambda: house.server.service.entrance.unsigned == 3)
        held = [vars(protocol) for protocol in tls_ends() if protocol not in others]
        assert [len(p["_ssl_buffer"]) for p in held if p["_server_side"]] == [_TLS_BUFFER] * 3
    assert _TLS_BUFFER <= 64 * 1024


def first_free() -> int:
    """The number that the next file descriptor of this process gets."""
    descriptor = os.open(os.devnull, os.O_RDONLY)
    os.close(descriptor)
    return descriptor


async def test_attack_a_server_that_has_no_descriptors_left_serves_those_that_it_has(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("sync.server.process.accepting._AGAIN_S", 0.05)
    anna = await house.person()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    coming: asyncio.Task[Line] | None = None
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (first_free() + 1, hard))  # the client's own socket is the last
        coming = asyncio.ensure_future(line(house.server.url, house.data))
        await until(lambda: "EMFILE" in caplog.text)
        await anna.wire.ask(m.Devices(anna.wire.rid()), m.DevicesReply)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert coming is not None
    await (await asyncio.wait_for(coming, PATIENCE_S)).close()
