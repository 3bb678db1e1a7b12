# SPDX-License-Identifier: EUPL-1.2
"""Attacks by a client that only reaches the port: to take memory, to block the event loop, to keep others out."""

import asyncio
import gc
import os
import resource
import socket
from asyncio import sslproto
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from sync.protocol import messages as m
from sync.protocol.codec import decode_server, encode
from sync.protocol.version import WIRE_MAX, WIRE_MIN
from sync.server.config import Config, Limits
from sync.server.load.entrance import KEEP_ALIVE_S
from sync.server.load.origins import UNKNOWN, Proxies, origin_of
from sync.server.process import uvicorn_protocols
from sync.server.process.accepting import _TLS_BUFFER
from sync.server.process.running import start_server
from tests.sync.server.hostile import Line, line, ws_frame
from tests.sync.server.house import House
from tests.sync.server.wire import Person, config, now, open_wire
from tests.world import until

TEXT, BINARY, CONT, PING, PONG = 1, 2, 0, 9, 10


def hello() -> bytes:
    """What a client says first, with the time of now."""
    return encode(m.Hello((WIRE_MIN, WIRE_MAX), bytes(32), now(), "test"))


@asynccontextmanager
async def served(data: Path, limits: Limits, **more: object) -> AsyncIterator[House]:
    async with start_server(replace(config(data, limits), **more)) as server:  # type: ignore[arg-type]
        made = House(server, data)
        yield made
        await made.close()


@asynccontextmanager
async def opened(house: House, count: int) -> AsyncIterator[list[Line]]:
    """So many connections that have finished TLS, in this order."""
    lines: list[Line] = []
    try:
        while len(lines) < count:
            lines.append(await line(house.server.url, house.data))
        yield lines
    finally:
        for each in lines:
            await each.close()


def turned_away(house: House) -> dict[str, float]:
    """How many connections were ended before sign-in, by the reason."""
    family = next(iter(house.server.service.meters._turned_away.collect()))
    return {s.labels["why"]: s.value for s in family.samples if s.name.endswith("_total")}


# -- silence


async def test_attack_silent_tls_connections_are_ended(data: Path) -> None:
    async with served(data, Limits(head_s=0.2)) as house, opened(house, 5) as silent:
        anna = await house.person()
        for each in silent:
            assert await each.ended() == b""
        assert turned_away(house) == {"late": 5}
        assert house.server.service.entrance.unsigned == 0
        await anna.wire.ask(m.Devices(anna.wire.rid()), m.DevicesReply)


async def test_attack_who_does_not_even_begin_tls_is_ended(data: Path) -> None:
    async with served(data, Limits(head_s=0.2)) as house:
        reader, writer = await asyncio.open_connection("127.0.0.1", house.server.port)
        assert await asyncio.wait_for(reader.read(), 10) == b""
        assert turned_away(house) == {"late": 1}
        assert house.server.service.entrance.unsigned == 0
        writer.close()


async def test_attack_half_a_head_is_no_head(data: Path) -> None:
    """However slowly the bytes are sent."""
    async with served(data, Limits(head_s=0.3)) as house, opened(house, 1) as (dripping,):
        dripping.writer.write(b"GET /v1/sync HTTP/1.1\r\nHost: localhost\r\n")

        async def drip() -> None:
            while True:
                dripping.writer.write(b"X: 1\r\n")
                await asyncio.sleep(0.01)

        task = asyncio.ensure_future(drip())
        await dripping.ended()
        task.cancel()
        assert turned_away(house) == {"late": 1}


async def test_attack_a_second_head_has_a_deadline_too(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """uvicorn's own deadline ends with the first byte."""
    assert KEEP_ALIVE_S == 30
    monkeypatch.setattr("sync.server.load.entrance.KEEP_ALIVE_S", 0.3)
    async with served(data, Limits()) as house, opened(house, 1) as (slow,):
        slow.writer.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await asyncio.wait_for(slow.reader.readuntil(b"}"), 10)
        slow.writer.write(b"GET /heal")
        await slow.ended()
        assert turned_away(house) == {"late": 1}


async def test_attack_an_answer_that_nobody_takes_does_not_stay(
    data: Path, monkeypatch: pytest.MonkeyPatch, small_buffers: None
) -> None:
    """The client sends requests without a bearer one after the other and reads no answer."""
    monkeypatch.setattr("sync.server.load.entrance.KEEP_ALIVE_S", 0.3)
    limits = Limits(address_requests_burst=10**6, address_processor_burst_s=1e6)
    async with served(data, limits) as house, opened(house, 1) as (greedy,):
        greedy.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        transport = greedy.writer.transport
        transport.pause_reading()  # type: ignore[attr-defined]
        request = b"GET /v1/blobs/" + b"0" * 32 + b"/" + b"0" * 32 + b"/" + b"0" * 32 + b" HTTP/1.1\r\nHost: a\r\n\r\n"
        entrance = house.server.service.entrance
        with pytest.raises((ConnectionError, TimeoutError)):  # noqa: PT012 - the server ends it at some request
            async with asyncio.timeout(10):
                while True:
                    greedy.writer.write(request * 1000)
                    await greedy.writer.drain()
                    if entrance.unsigned == 0:
                        raise ConnectionError
        await until(lambda: turned_away(house) == {"late": 1})


async def test_attack_a_silent_websocket_is_ended(data: Path) -> None:
    async with served(data, Limits(handshake_s=0.2)) as house, opened(house, 1) as (silent,):
        await silent.websocket()
        assert "auth" in (await silent.ended()).decode(errors="replace")


# -- numbers


async def test_attack_of_those_who_have_not_signed_in_the_oldest_goes(data: Path) -> None:
    async with served(data, Limits(unsigned_connections=10)) as house:
        anna = await house.person()
        async with opened(house, 15) as silent:
            for gone in silent[:5]:
                assert await gone.ended() == b""
            assert house.server.service.entrance.unsigned == 10
            assert turned_away(house) == {"oldest": 5}
            bert = await house.person("Registrator")  # and the client that signs in is the newest
            for who in (anna, bert):
                await who.wire.ask(m.Devices(who.wire.rid()), m.DevicesReply)


async def test_attack_one_address_keeps_no_other_out(data: Path) -> None:
    limits = Limits(unsigned_connections=100, address_unsigned_connections=3)
    proxied = {"port": 0, "behind_proxy": True, "trusted_proxies": ("127.0.0.1",), "addresses": ("a.example:443",)}
    async with served(data, limits, cert=None, key=None, **proxied) as house:
        ours = await forwarded(house, "198.51.100.7")
        theirs = [await forwarded(house, "203.0.113.9") for _ in range(5)]
        for gone in theirs[:2]:
            await gone.ended()
        assert turned_away(house) == {"address": 2}
        for kept in (ours, *theirs[2:]):
            kept.writer.write(ws_frame(BINARY, hello()))
            assert decode_server(await message(kept)).__class__ is m.ServerHello
            await kept.close()


async def test_attack_one_address_has_no_more_connections_than_it_may(data: Path) -> None:
    async with served(data, Limits(address_connections=3)) as house:
        people = [await house.person(name) for name in ("Handläggare", "Registrator", "Enhetschef")]
        with pytest.raises((ConnectionError, OSError)):
            await line(house.server.url, house.data)
        assert turned_away(house) == {"address": 1}
        for who in people:
            await who.wire.ask(m.Devices(who.wire.rid()), m.DevicesReply)
        await people.pop().wire.close()
        house.people.pop()
        await until(lambda: house.server.service.hub.connections == 2)
        async with opened(house, 1):
            pass


async def test_attack_an_address_that_has_used_far_too_much_costs_no_tls(house: House) -> None:
    anna = await house.person()
    entrance = house.server.service.entrance
    entrance._origins["127.0.0.1"].budget.charge(1000.0)
    with pytest.raises((ConnectionError, OSError)):
        await line(house.server.url, house.data)
    assert turned_away(house) == {"address": 1}
    await anna.wire.ask(m.Devices(anna.wire.rid()), m.DevicesReply)


async def test_who_has_signed_in_is_not_counted_among_those_who_have_not(data: Path) -> None:
    async with served(data, Limits(unsigned_connections=1)) as house:
        for name in ("Handläggare", "Registrator", "Enhetschef"):
            await house.person(name)
        assert house.server.service.entrance.unsigned == 0
        assert turned_away(house) == {}
        for who in house.people:
            await who.wire.close()
        await until(lambda: not house.server.service.entrance._origins)


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
                await asyncio.wait_for(asking.reader.readuntil(b"}"), 10)
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
    await (await asyncio.wait_for(coming, 10)).close()


# -- where somebody comes from


async def forwarded(house: House, *headers: str) -> Line:
    """A WebSocket through a proxy that names the origin in these headers."""
    made = await line(house.server.url, house.data)
    sent = "".join(f"X-Forwarded-For: {h}\r\n" for h in headers).encode()
    made.writer.write(
        b"GET /v1/sync HTTP/1.1\r\nHost: a.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" + sent
        + b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )  # fmt: skip
    await asyncio.wait_for(made.reader.readuntil(b"\r\n\r\n"), 10)
    return made


async def message(of: Line) -> bytes:
    """The next message from the server, of any length up to 64 KiB."""
    head = await asyncio.wait_for(of.reader.readexactly(2), 10)
    size = head[1] if head[1] < 126 else int.from_bytes(await of.reader.readexactly(2), "big")
    return await of.reader.readexactly(size)


@pytest.mark.parametrize(
    ("trusted", "peer", "headers", "origin"),
    [
        ((), "203.0.113.9", ["198.51.100.7"], "203.0.113.9"),
        (("127.0.0.1",), "203.0.113.9", ["198.51.100.7"], "203.0.113.9"),
        (("127.0.0.1",), "127.0.0.1", ["198.51.100.7"], "198.51.100.7"),
        (("127.0.0.1",), "127.0.0.1", ["10.9.9.9, 198.51.100.7"], "198.51.100.7"),
        (("127.0.0.1",), "127.0.0.1", ["10.9.9.9", "198.51.100.7"], "198.51.100.7"),
        (("10.0.0.0/8",), "10.1.1.1", ["198.51.100.7, 10.2.2.2"], "198.51.100.7"),
        (("unix",), "unix", ["2001:db8::17"], "2001:db8::/64"),
        (("unix",), "unix", ["[2001:db8::17]:443"], "2001:db8::/64"),
        (("unix",), "unix", ["198.51.100.7:5000"], "198.51.100.7"),
        (("unix",), "unix", ["::ffff:198.51.100.7"], "198.51.100.7"),
        (("unix",), "unix", ["unknown"], UNKNOWN),
        (("unix",), "unix", [], UNKNOWN),
        ((), "unix", ["198.51.100.7"], UNKNOWN),
    ],
)
def test_attack_only_a_trusted_proxy_names_the_origin_of_a_connection(
    trusted: tuple[str, ...], peer: str, headers: list[str], origin: str
) -> None:
    proxies = Proxies(trusted, behind_proxy=False)
    assert (proxies.forwarded(headers) if proxies.trusts(peer) else proxies.origin(peer)) == origin


def test_an_address_counts_for_its_network_and_behind_a_proxy_for_nobody() -> None:
    assert origin_of("2001:db8::1") == origin_of("2001:db8::ffff:2%eth0") != origin_of("2001:db8:0:1::1")
    assert Proxies((), behind_proxy=True).origin("127.0.0.1") == UNKNOWN


async def test_behind_a_proxy_that_is_not_trusted_nobody_is_limited_by_address(data: Path) -> None:
    limits = Limits(address_unsigned_connections=2, address_connections=2)
    plain = Config(data=data, port=0, behind_proxy=True, addresses=("a.example:443",), limits=limits)
    async with start_server(plain) as server:
        house = House(server, data)
        lines = [await forwarded(house, "198.51.100.7") for _ in range(5)]
        assert turned_away(house) == {}
        for each in lines:
            each.writer.write(ws_frame(BINARY, hello()))
            assert decode_server(await message(each)).__class__ is m.ServerHello
            await each.close()


async def test_a_connection_that_is_pairing_is_not_evicted_as_the_oldest(data: Path) -> None:
    async with served(data, Limits(unsigned_connections=3)) as house:
        anna = await house.person()
        box = (await anna.wire.ask(m.PairOpen(anna.wire.rid(), b""), m.PairOpened)).box
        new = await open_wire(house.server.url, house.data)
        await new.greet()
        await new.ask(m.PairJoin(new.rid(), box), m.Ok)
        async with opened(house, 10):
            await new.ask(m.PairPost(new.rid(), b"kvar"), m.Ok)
        await new.close()


async def test_a_sign_in_that_the_server_is_slow_to_answer_is_not_cut_off(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with served(data, Limits()) as house:
        anna = await Person("Handläggare").enrol(house.server.url, data)
        await anna.wire.close()
    async with served(data, Limits(handshake_s=0.2)) as house:
        rooms = house.server.service.rooms
        real = rooms.heads

        async def slow(who: object) -> list[m.RoomHead]:
            await asyncio.sleep(0.7)  # three deadlines long
            return await real(who)  # type: ignore[arg-type]

        monkeypatch.setattr(rooms, "heads", slow)
        await anna.connect(house.server.url, data)
        await anna.wire.close()
