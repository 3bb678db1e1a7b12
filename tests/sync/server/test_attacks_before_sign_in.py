# SPDX-License-Identifier: EUPL-1.2
"""Attacks by a client that only reaches the port: to take memory, to block the event loop, to keep others out. By
silence, by numbers, and by a false origin."""

import asyncio
import socket
from pathlib import Path

import pytest

from sync.protocol import messages as m
from sync.protocol.codec import decode_server
from sync.server.config import Config, Limits
from sync.server.load.entrance import KEEP_ALIVE_S
from sync.server.load.origins import UNKNOWN, Proxies, origin_of
from sync.server.process.running import start_server
from tests.patience import PATIENCE_S
from tests.sync.server.before_sign_in import BINARY, forwarded, hello, message, opened, served, turned_away
from tests.sync.server.hostile import line, ws_frame
from tests.sync.server.house import House
from tests.sync.server.wire import Person, open_wire
from tests.world import until

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
        assert await asyncio.wait_for(reader.read(), PATIENCE_S) == b""
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
        await asyncio.wait_for(slow.reader.readuntil(b"}"), PATIENCE_S)
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
            async with asyncio.timeout(PATIENCE_S):
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


# -- where somebody comes from


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
