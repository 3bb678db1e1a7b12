# SPDX-License-Identifier: EUPL-1.2
"""Connections go where the route allows, through the proxy that it names, and nowhere outside it: over real sockets."""

import asyncio
import dataclasses
import gzip
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import pytest
import pytest_asyncio
import truststore

from app.core.ids import ObjId, PartId, new_obj
from sync.client.status import LinkState
from sync.client.wire.backoff import Backoff
from sync.client.wire.egress import WebSocketDialer, WebSocketTransport, tls_context
from sync.client.wire.progress_timeout import Pace
from sync.client.wire.route import Route, by, from_environment
from sync.client.wire.transport import ServerAddress
from sync.crypto.tls import make_ca
from sync.errors import AddressForbidden, ProxyFailed, ProxyWantsName, Unreachable
from tests.patience import PATIENCE_S
from tests.proxy import Proxy, proxy
from tests.world import Client, World, until

HELLO = "Beslutet är klart åäö 🖋".encode()


@pytest_asyncio.fixture
async def p() -> AsyncIterator[Proxy]:
    async with proxy() as found:
        yield found


@pytest_asyncio.fixture
async def w(p: Proxy, w: World) -> World:
    """A world that is made after the proxy, and so ends before it: its clients connect again until they end."""
    return w


def through(client: Client, p: Proxy) -> None:
    """Uses the proxy from the next connection on."""
    client.wire.route = dataclasses.replace(client.wire.route, proxy_for=by(p.address))


async def again(client: Client, state: LinkState = LinkState.ONLINE) -> None:
    await client.offline()
    client.online()
    await until(lambda: client.engine.status.state is state)


async def test_the_socket_and_the_files_go_through_the_proxy(w: World, p: Proxy) -> None:
    (a,) = await w.hire("Handläggare")
    through(a, p)
    await again(a)
    room = await a.engine.operations.create_room()
    await w.settle(room)
    assert set(p.seen) == {f"localhost:{a.wire.address.port}"}
    count = len(p.seen)
    answer = await a.engine.blobs._request("HEAD", room, ObjId(b"o" * 16), PartId(b"p" * 16), {}, None)
    assert answer.status == 404
    assert len(p.seen) == count + 1


async def test_a_proxy_that_asks_for_a_name_has_an_error_code_of_its_own(w: World, p: Proxy) -> None:
    (a,) = await w.hire("Handläggare")
    p.wants_name = True
    through(a, p)
    await again(a, LinkState.ERROR)
    assert a.engine.status.code == "proxy-auth"
    with pytest.raises(ProxyWantsName):
        await a.wire.request("GET", "/v1/blobs/x", {}, None)
    p.wants_name = False
    a.engine.retry_now()
    await until(lambda: a.engine.status.state is LinkState.ONLINE)


@pytest.mark.parametrize("answer", [b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n", b"SSH-2.0-x\r\n\r\n"])
async def test_a_proxy_that_refuses_has_an_error_code_of_its_own(w: World, p: Proxy, answer: bytes) -> None:
    (a,) = await w.hire("Handläggare")
    p.answer = answer
    through(a, p)
    with pytest.raises(ProxyFailed):
        await a.wire.open()
    with pytest.raises(Unreachable):
        await a.wire.request("GET", "/v1/blobs/x", {}, None)
    await a.offline()
    a.online()
    await until(lambda: a.engine.status.code == "proxy-failed")


async def test_a_proxy_that_is_not_there(w: World) -> None:
    (a,) = await w.hire("Handläggare")
    a.wire.route = dataclasses.replace(a.wire.route, proxy_for=by("127.0.0.1:9"))
    with pytest.raises(ProxyFailed):
        await a.wire.open()


async def test_nothing_is_lost_when_the_proxy_dies_in_the_middle(w: World, p: Proxy) -> None:
    a, b = await w.hire("Handläggare", "Registrator")
    through(a, p)
    await again(a)
    room = await w.room(a, b)
    obj = new_obj()
    for n in range(30):
        a.say(room, obj, HELLO + bytes([n]))
        if n % 10 == 5:
            await asyncio.sleep(0)
            p.hang_up()
    await w.settle(room)
    assert b.texts(obj) == [HELLO + bytes([n]) for n in range(30)]


async def test_another_proxy_counts_from_the_next_connection_on(w: World, p: Proxy) -> None:
    (a,) = await w.hire("Handläggare")
    await a.wire.request("GET", "/v1/blobs/x", {}, None)
    assert not p.seen
    through(a, p)
    await a.wire.request("GET", "/v1/blobs/x", {}, None)
    assert p.seen


async def test_an_address_that_is_not_allowed_is_not_connected_to(w: World) -> None:
    (a,) = await w.hire("Handläggare")
    a.wire.route = dataclasses.replace(a.wire.route, servers=("kansli.myndighet.example",))
    for refused in (a.wire.open(), a.wire.request("GET", "/v1/blobs/x", {}, None)):
        with pytest.raises(AddressForbidden):
            await refused
    await again(a, LinkState.ERROR)
    assert a.engine.status.code == "egress"


async def test_a_redirection_is_not_followed() -> None:
    asked: list[bytes] = []

    async def elsewhere(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.read(1000))
        writer.close()

    there = await asyncio.start_server(elsewhere, "127.0.0.1", 0)
    port = there.sockets[0].getsockname()[1]

    async def redirect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:{port}/\r\nContent-Length: 0\r\n\r\n".encode())
        await writer.drain()
        writer.close()

    here = await asyncio.start_server(redirect, "127.0.0.1", 0)
    address = ServerAddress.parse(f"http://127.0.0.1:{here.sockets[0].getsockname()[1]}", insecure_loopback=True)
    dialer = WebSocketDialer(address)
    async with here, there:
        with pytest.raises(Unreachable):
            await dialer.open()
        assert (await dialer.request("GET", "/", {}, None)).status == 302
        await dialer.close()
    assert not asked


@pytest.mark.parametrize(
    ("head", "piece", "times", "why"),
    [
        (b"Content-Encoding: gzip\r\n", gzip.compress(bytes(2**24)), 1, "compressed"),
        (b"", bytes(2**20), 64, "too long"),
    ],
    ids=["gzip", "long"],
)
async def test_attack_an_answer_is_not_decompressed_nor_read_beyond_a_part(
    head: bytes, piece: bytes, times: int, why: str
) -> None:
    """Audit finding 16: 6 GiB of zeros, gzipped, took all memory."""
    asked, sent = list[bytes](), 0

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        with suppress(asyncio.IncompleteReadError):
            asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n" + head + b"\r\n")
        with suppress(ConnectionError):
            for _ in range(times):
                writer.write(piece)
                await writer.drain()
                sent += len(piece)
        writer.close()

    here = await asyncio.start_server(answer, "127.0.0.1", 0)
    address = ServerAddress.parse(f"http://127.0.0.1:{here.sockets[0].getsockname()[1]}", insecure_loopback=True)
    dialer = WebSocketDialer(address)
    async with here:
        with pytest.raises(Unreachable, match=why):
            await dialer.request("GET", "/", {}, None)
        await dialer.close()
    assert b"accept-encoding: identity" in asked[0].lower()
    assert sent < 64 * 2**20


async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """An honest head and then one byte at a time."""
    with suppress(ConnectionError, asyncio.IncompleteReadError):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4000000\r\n\r\n")
        while not writer.is_closing():
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0)
    writer.close()


async def drip_head(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One interim answer after the other, and never the real one."""
    with suppress(ConnectionError, asyncio.IncompleteReadError):
        await reader.readuntil(b"\r\n\r\n")
        while not writer.is_closing():
            writer.write(b"HTTP/1.1 103 Early Hints\r\n\r\n")
            await writer.drain()
            await asyncio.sleep(0)
    writer.close()


async def take_little(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Reads the body a byte at a time, as long as there is any."""
    with suppress(ConnectionError):
        while await reader.read(1):
            pass
    writer.close()


class Hurried(Pace):
    """A window that is over as soon as any byte has moved in it."""

    def moved(self, size_bytes: int) -> None:
        super().moved(size_bytes)
        self._limit.reschedule(asyncio.get_running_loop().time())


@pytest.mark.parametrize(
    ("server", "method", "code"),
    [(drip, "GET", "too-slow"), (drip_head, "GET", "unreachable"), (take_little, "PUT", "too-slow")],
)
async def test_attack_a_server_that_sends_or_takes_a_byte_at_a_time_holds_no_transfer(
    server: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]], method: str, code: str
) -> None:
    here = await asyncio.start_server(server, "127.0.0.1", 0, limit=1024)
    address = ServerAddress.parse(f"http://127.0.0.1:{here.sockets[0].getsockname()[1]}", insecure_loopback=True)
    dialer = WebSocketDialer(address, pace=lambda: Hurried(0.2 if server is drip_head else 60.0, 1 << 40))
    async with here:
        content = bytes(4 * 2**20) if method == "PUT" else None
        with pytest.raises(Unreachable) as refused:
            await dialer.request(method, "/v1/blobs/x", {}, content)
        assert refused.value.code == code
        await dialer.close()


async def test_a_part_goes_up_whole_with_its_length_however_it_is_cut() -> None:
    heads, bodies = list[bytes](), list[bytes]()

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        bodies.append(await reader.readexactly(300_000))
        writer.write(b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    here = await asyncio.start_server(take, "127.0.0.1", 0)
    address = ServerAddress.parse(f"http://127.0.0.1:{here.sockets[0].getsockname()[1]}", insecure_loopback=True)
    dialer, content = WebSocketDialer(address), random.Random(1).randbytes(300_000)
    async with here:
        assert (await dialer.request("PUT", "/v1/blobs/x", {}, content)).status == 201
        await dialer.close()
    assert b"content-length: 300000" in heads[0].lower()
    assert b"transfer-encoding" not in heads[0].lower()
    assert bodies == [content]


async def test_the_environment_is_read_only_if_the_route_uses_it(
    w: World, p: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(name, f"http://{p.address}")
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere.pem")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    (a,) = await w.hire("Handläggare")
    await a.wire.request("GET", "/v1/blobs/x", {}, None)
    assert not p.seen
    a.wire.route = dataclasses.replace(
        a.wire.route, proxy_for=from_environment({"HTTPS_PROXY": f"http://{p.address}/"})
    )
    await again(a)
    await a.wire.request("GET", "/v1/blobs/x", {}, None)
    assert len(p.seen) == 2


async def test_a_machine_that_wakes_does_not_wait_for_its_dead_line(w: World) -> None:
    a, b = await w.hire("Handläggare", "Registrator")
    before = len(a.wire.open_lines)
    states: list[LinkState] = []
    a.on_status = lambda: states.append(a.engine.status.state)  # type: ignore[method-assign]
    a.engine.hurry()
    await until(lambda: len(a.wire.open_lines) > before and a.engine.status.state is LinkState.ONLINE)
    assert LinkState.OFFLINE not in states
    room = await w.room(a, b)
    await w.settle(room)


async def test_a_machine_that_wakes_does_not_wait_out_its_back_off(w: World) -> None:
    (a,) = await w.hire("Handläggare")
    await a.offline()
    for _ in range(12):
        a.engine._reconnecting.backoff.next_s()
    await asyncio.sleep(0.3)
    a.wire.cut = False
    a.engine.hurry()
    await until(lambda: a.engine.status.state is LinkState.ONLINE, 5.0)


SERVER = ServerAddress.parse("kansli.myndighet.example")


@pytest.mark.parametrize(
    ("allowed", "host", "port"),
    [
        (("turn.myndighet.example",), "turn.myndighet.example", 443),
        (("turn.myndighet.example:443",), "TURN.myndighet.example", 443),
        (("*.myndighet.example",), "a.b.myndighet.example", 1),
        (("[2001:db8::1]:443",), "2001:db8::1", 443),
        (("2001:db8::1",), "2001:db8::1", 443),
        (("kansli.myndighet.example",), "kansli.myndighet.example", 443),
        (("turn.example", "*.myndighet.example:443"), "kansli.myndighet.example", 443),
        ((), "kansli.myndighet.example", 443),
    ],
)
def test_what_the_list_names_is_allowed(allowed: tuple[str, ...], host: str, port: int) -> None:
    Route(allowed=allowed).check(host, port, SERVER)


@pytest.mark.parametrize(
    ("allowed", "host", "port"),
    [
        ((), "annan.example", 443),
        ((), "kansli.myndighet.example", 8443),
        (("myndighet.example",), "turn.myndighet.example", 443),
        (("*.myndighet.example",), "myndighet.example", 443),
        (("*.myndighet.example",), "onmyndighet.example", 443),
        (("turn.myndighet.example:443",), "turn.myndighet.example", 4433),
        (("*.myndighet.example:443",), "a.myndighet.example", 80),
        (("*",), "annan.example", 443),
        (("turn.myndighet.example",), "kansli.myndighet.example", 443),
        (("kansli.myndighet.example:8443",), "kansli.myndighet.example", 443),
    ],
)
def test_what_the_list_does_not_name_is_refused(allowed: tuple[str, ...], host: str, port: int) -> None:
    with pytest.raises(AddressForbidden):
        Route(allowed=allowed).check(host, port, SERVER)


@pytest.mark.parametrize(
    "entry", ["kansli.myndighet.example", "kansli.myndighet.example:443", "https://KANSLI.myndighet.example/"]
)
def test_the_server_may_be_used_that_the_list_of_servers_names(entry: str) -> None:
    Route(servers=("andra.example", entry)).check(SERVER.host, SERVER.port, SERVER)
    with pytest.raises(AddressForbidden):
        Route(servers=(entry,)).check("andra.example", 443, ServerAddress.parse("andra.example"))


@pytest.mark.parametrize(
    ("written", "proxy"),
    [
        ("proxy.example:3128", "http://proxy.example:3128"),
        ("http://proxy.example:3128/", "http://proxy.example:3128"),
        ("proxy.example", "http://proxy.example:80"),
        ("[::1]:3128", "http://[::1]:3128"),
    ],
)
def test_a_proxy_as_it_is_written(written: str, proxy: str) -> None:
    assert Route(proxy_for=by(written)).proxy("a.example", 443) == proxy


@pytest.mark.parametrize(
    "written", ["socks5://p:1", "https://p:1", "http://namn:ord@p:1", "p:ett", "p:1/väg", "://", "p:1?x"]
)
def test_a_proxy_that_cannot_be_used_is_refused_and_not_gone_around(written: str) -> None:
    with pytest.raises(ProxyFailed):
        Route(proxy_for=by(written)).proxy("a.example", 443)


@pytest.mark.parametrize(
    ("without", "host"),
    [("*", "a.example"), ("a.example", "a.example"), (".example", "a.example"), ("x, a.example:443", "a.example"),
     ("10.0.0.0/8", "10.1.2.3"), ("::1", "::1"), ("*.example", "b.a.example")],
)  # fmt: skip
def test_the_environment_names_what_needs_no_proxy(without: str, host: str) -> None:
    environment = {"https_proxy": "http://p:1", "NO_PROXY": without}
    assert from_environment(environment)(host, 443) is None
    assert from_environment(environment)("annan.se", 443) == (None if without == "*" else "http://p:1")


def test_500_desktops_do_not_come_back_in_one_second() -> None:
    waits = sorted(Backoff(random.Random(seed)).after_loss_s() for seed in range(500))
    most = max(sum(w <= x < w + 1.0 for x in waits) for w in waits)
    assert most < 150, most


def test_the_agencys_certificates_count_beside_the_systems(tmp_path: Path) -> None:
    """`ca-file` adds certificates, and removes none of those that the operating system trusts; every world of these
    tests adds its own."""
    (tmp_path / "ca.pem").write_bytes(make_ca("Kansli test").cert)
    assert isinstance(tls_context(tmp_path / "ca.pem"), truststore.SSLContext)


async def test_a_line_whose_closing_is_given_up_is_cut(w: World) -> None:
    """Otherwise the socket stays open until it is collected: locking in a hurry cancels twice."""
    (a,) = await w.hire("Handläggare")
    line = await WebSocketDialer(a.wire.address, lambda: a.wire.route).open()
    assert isinstance(line, WebSocketTransport)
    line._socket.transport.pause_reading()  # the other end's goodbye is never read
    closing = asyncio.ensure_future(line.close())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    closing.cancel()
    with suppress(asyncio.CancelledError):
        await closing
    assert line._socket.transport.is_closing()


@pytest.mark.parametrize("proxied", [False, True])
async def test_a_transfer_given_up_in_the_handshake_leaves_no_socket_open(p: Proxy, proxied: bool) -> None:
    ended: asyncio.Queue[bytes] = asyncio.Queue()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ended.put_nowait(await reader.read(1))  # the first bytes are here: the handshake has begun
        ended.put_nowait((await reader.read())[:0])
        writer.close()

    async with await asyncio.start_server(silent, "localhost", 0) as server:
        address = ServerAddress("localhost", server.sockets[0].getsockname()[1])
        dialer = WebSocketDialer(address, lambda: Route(proxy_for=by(p.address if proxied else "")))
        asking = asyncio.ensure_future(dialer.request("GET", "/v1/blobs/x", {}, None))
        assert await ended.get()
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        async with asyncio.timeout(PATIENCE_S):
            assert await ended.get() == b""
        await dialer.close()
