# SPDX-License-Identifier: EUPL-1.2
"""The server as a service: behind a proxy, with a socket from systemd, reading its certificate again, restarted under
people at work, and what it sends to systemd."""

import asyncio
import os
import resource
import signal
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import unix_connect

from sync.crypto.tls import Pem, make_server_cert
from sync.protocol import messages as m
from sync.protocol.codec import encode
from sync.protocol.version import WIRE_MAX, WIRE_MIN
from sync.server.config import Config, ConfigError
from sync.server.host import systemd_notify
from sync.server.objects.filesystem import FilesystemObjects
from sync.server.process.running import start_server
from sync.server.process.serving import check
from sync.server.store.memory import MemoryStore
from tests.patience import PATIENCE_S
from tests.sync.server.house import House
from tests.sync.server.parts import files_of
from tests.sync.server.process import Served, serve
from tests.sync.server.wire import Person, config, decoded, now
from tests.world import until


class Systemd:
    """Receives the states that a service sends to systemd."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._socket.setblocking(False)
        self.env = {"NOTIFY_SOCKET": str(path)}

    async def receive(self) -> str:
        data = await asyncio.wait_for(asyncio.get_running_loop().sock_recv(self._socket, 4096), PATIENCE_S)
        return data.decode()

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[Systemd]:
    made = Systemd(tmp_path / "notify")
    yield made
    made.close()


async def logged(served: Served, what: str) -> None:
    """Waits until the server has logged this text."""
    await until(lambda: what in served.log())


# -- systemd


async def test_systemd_is_notified_of_each_step(data: Path, systemd: Systemd) -> None:
    served = await serve(data, env=systemd.env)
    assert await systemd.receive() == "READY=1"
    served.process.send_signal(signal.SIGHUP)
    assert (await systemd.receive()).startswith("RELOADING=1\nMONOTONIC_USEC=")
    assert await systemd.receive() == "READY=1"
    assert await served.stop() == 0
    assert await systemd.receive() == "STOPPING=1"


async def test_the_watchdog_is_fed_while_the_loop_turns(data: Path, systemd: Systemd) -> None:
    served = await serve(data, env={**systemd.env, "WATCHDOG_USEC": "100000"})
    states = [await systemd.receive() for _ in range(4)]
    assert sorted(states) == ["READY=1", "WATCHDOG=1", "WATCHDOG=1", "WATCHDOG=1"]
    served.process.send_signal(signal.SIGSTOP)
    await asyncio.sleep(0.3)
    while True:
        try:
            async with asyncio.timeout(0.3):
                await systemd.receive()
        except TimeoutError:
            break
    served.process.send_signal(signal.SIGCONT)
    assert await systemd.receive() == "WATCHDOG=1"
    assert await served.stop() == 0


async def test_a_state_that_cannot_be_sent_is_logged_and_ends_nothing(
    systemd: Systemd, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Otherwise the watchdog's task would end with its error, and systemd would kill a server that works."""
    monkeypatch.setenv("NOTIFY_SOCKET", systemd.env["NOTIFY_SOCKET"])
    monkeypatch.setenv("WATCHDOG_USEC", "20000")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))  # no descriptor is left to this process
    try:
        feeding = asyncio.create_task(systemd_notify.watchdog())
        await until(lambda: "systemd was not notified" in caplog.text)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert await systemd.receive() == "WATCHDOG=1"
    feeding.cancel()
    await asyncio.wait([feeding])


async def test_a_unit_whose_watchdog_is_off_is_sent_nothing(systemd: Systemd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", systemd.env["NOTIFY_SOCKET"])
    monkeypatch.setenv("WATCHDOG_USEC", "0")
    async with asyncio.timeout(PATIENCE_S):
        await systemd_notify.watchdog()


async def test_it_serves_on_the_socket_that_systemd_hands_over(data: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as kept:
        port = kept.getsockname()[1]
        served = await serve(data, socket=kept.fileno())
        assert served.ready["port"] == port
        anna = await Person("Handläggare").enrol(served.url, data)
        room = await anna.create()
        assert await served.stop() == 0
        # no process listens, but systemd has the socket: a client that connects now waits and is served
        coming = asyncio.create_task(anna.connect(served.url, data))
        await asyncio.sleep(0.05)
        assert not coming.done()
        served = await serve(data, socket=kept.fileno())
        authed = await asyncio.wait_for(coming, PATIENCE_S)
        assert [h.receipt.room for h in authed.rooms] == [room]
        await anna.wire.close()
        assert await served.stop() == 0


async def test_plain_http_on_a_socket_that_others_reach_is_refused(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LISTEN_FDS", "1")
    monkeypatch.setenv("LISTEN_PID", str(os.getpid()))
    with socket.create_server(("0.0.0.0", 0)) as kept:  # noqa: S104 - that is the point
        monkeypatch.setattr("sync.server.host.listening._FIRST_FD", os.dup(kept.fileno()))
        with pytest.raises(ConfigError, match="plain HTTP on"):
            async with start_server(Config(data=data, behind_proxy=True, addresses=("a.example:443",))):
                pass


# -- a proxy


async def test_behind_a_proxy_people_sign_for_what_they_dialled(data: Path, tmp_path: Path) -> None:
    """A unix socket, and what a proxy adds to it."""
    path = tmp_path / "run" / "server.sock"
    path.parent.mkdir()
    proxied = Config(data=data, unix=path, behind_proxy=True, addresses=("kansli.example:443",))
    for _ in range(2):  # a socket that a killed server left is replaced
        async with start_server(proxied) as server:
            assert server.url == f"unix:{path}"
            assert path.stat().st_mode & 0o777 == 0o660
            async with httpx.AsyncClient(timeout=PATIENCE_S, transport=httpx.AsyncHTTPTransport(uds=str(path))) as http:
                answer = await http.get("http://kansli.example/healthz", headers={"x-forwarded-for": "203.0.113.7"})
                assert answer.json() == {"ok": True}
            async with unix_connect(str(path), "ws://kansli.example/v1/sync") as line:
                await line.send(encode(m.Hello((WIRE_MIN, WIRE_MAX), bytes(32), now(), "test")))
                hello = decoded(await line.recv())
                assert isinstance(hello, m.ServerHello)
        path.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX) as left:
            left.bind(str(path))


@pytest.mark.parametrize(
    ("at", "sentence"),
    [
        ({"host": "ö.."}, "cannot listen on ö..:0: encoding of hostname failed"),
        (
            {"unix": Path("/nowhere") / ("s" * 200), "behind_proxy": True, "addresses": ("a.example:443",)},
            "path too long",
        ),
    ],
)
async def test_a_place_where_nobody_can_listen_is_refused_in_words(
    data: Path, at: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ConfigError, match=sentence):
        async with start_server(replace(config(data), **at)):
            pass


async def test_no_forwarded_header_is_believed(data: Path) -> None:
    proxied = Config(data=data, port=0, behind_proxy=True, addresses=("kansli.example:443",))
    async with start_server(proxied) as server:
        anna = Person("Handläggare")
        with pytest.raises(ConnectionError):
            await anna.enrol(server.url, data)
        ended = await anna.wire.end()
        assert ended is not None
        assert ended.code == "auth"  # it signed for the address that it dialled, which is not declared
        forwarded = {"x-forwarded-host": "evil.example", "x-forwarded-proto": "https", "forwarded": "host=evil.example"}
        async with httpx.AsyncClient(timeout=PATIENCE_S, headers=forwarded) as http:
            assert (await http.get(f"{server.url}/readyz")).json()["ok"] is True
        await anna.wire.close()


# -- the certificate


def renewed(data: Path, host: str) -> bytes:
    """Puts a new certificate by the same authority in place. Returns it."""
    ca = Pem(cert=(data / "ca.pem").read_bytes(), key=(data / "ca.key").read_bytes())
    leaf = make_server_cert(ca, [host, "127.0.0.1"])
    (data / "tls.pem").write_bytes(leaf.cert)
    (data / "tls.key").write_bytes(leaf.key)
    return ssl.PEM_cert_to_DER_cert(leaf.cert.decode())


async def shown(port: int) -> bytes:
    """The certificate that a new connection gets."""
    context = ssl._create_unverified_context()  # noqa: S323 - it is looked at, nothing is sent
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    der: bytes = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    return der


async def check_old_tls_is_refused(host: str, port: int) -> None:
    """Checks that no client connects there with less than TLS 1.3."""
    old = ssl._create_unverified_context()  # noqa: S323 - it is looked at, nothing is sent
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises((ssl.SSLError, ConnectionError)):
        await asyncio.open_connection(host, port, ssl=old)


async def test_nobody_connects_with_less_than_tls_1_3(data: Path) -> None:
    async with start_server(config(data)) as server:
        assert await shown(server.port)
        await check_old_tls_is_refused("127.0.0.1", server.port)


async def test_a_new_certificate_is_read_on_sighup_and_nobody_is_cut_off(data: Path) -> None:
    served = await serve(data, log="INFO")
    anna = await Person("Handläggare").enrol(served.url, data)
    room = await anna.create()
    new = renewed(data, "localhost")
    assert await shown(served.ready["port"]) != new
    served.process.send_signal(signal.SIGHUP)
    await logged(served, "certificate read again")
    assert await shown(served.ready["port"]) == new
    await anna.push(room, "Hej å ä ö 🙂")
    await anna.sync(room)
    (data / "tls.key").write_bytes((data / "ca.key").read_bytes())
    served.process.send_signal(signal.SIGHUP)
    await logged(served, "was not read again")
    assert await shown(served.ready["port"]) == new
    await anna.push(room, "Hej å ä ö 🙂")
    await anna.wire.close()
    assert await served.stop() == 0


async def test_what_a_new_certificate_names_may_be_dialled(data: Path) -> None:
    async with start_server(config(data)) as server:
        before = set(server.service.addresses)
        renewed(data, "kansli.example")
        server.reload()
        assert f"kansli.example:{server.port}" in set(server.service.addresses) - before
        now_in_force = server.service.addresses
        renewed(data, "*.example")
        with pytest.raises(ConfigError, match="say what clients dial"):
            server.reload()
        assert server.service.addresses == now_in_force


async def test_a_certificate_for_any_host_of_a_domain_needs_the_dialled_addresses(data: Path) -> None:
    renewed(data, "*.myndighet.example")
    with pytest.raises(ConfigError, match=r'addresses = \["kansli\.myndighet\.example:443"\]'):
        check(config(data))
    with pytest.raises(ConfigError, match="say what clients dial"):
        async with start_server(config(data)):
            pass
    logged = replace(config(data), addresses=("kansli.myndighet.example:443",))
    assert "sound" in check(logged)
    async with start_server(logged):
        pass


def test_a_certificate_that_only_openssl_reads_is_refused_in_words(data: Path) -> None:
    path = data / "tls.pem"
    path.write_bytes(path.read_bytes().replace(b" CERTIFICATE", b" TRUSTED CERTIFICATE"))
    with pytest.raises(ConfigError, match="BEGIN CERTIFICATE is needed"):
        check(config(data))


# -- stopping


class Slow(MemoryStore):
    """A disk that takes its time."""

    def __init__(self) -> None:
        super().__init__()
        self.go = asyncio.Event()
        self.held = asyncio.Event()

    def place(self, placement: object, ahead: Callable[[], None] | None = None) -> "asyncio.Future[None]":
        written = super().place(placement, ahead)  # type: ignore[arg-type]

        async def later() -> None:
            self.held.set()
            await self.go.wait()
            await written

        return asyncio.ensure_future(later())


async def test_what_was_asked_is_answered_before_the_server_stops_and_everybody_is_notified(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Slow()
    store.go.set()
    await_invites(monkeypatch, store)
    stopping = asyncio.Event()

    async def run() -> None:
        async with start_server(config(data), store=store) as server:
            urls.set_result(server.url)
            await stopping.wait()

    urls: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    running = asyncio.create_task(run())
    anna = await Person("Handläggare").enrol(await urls, data)
    room = await anna.create()
    store.go.clear()
    store.held.clear()
    asked = asyncio.create_task(anna.push(room, "Hej å ä ö 🙂"))
    await store.held.wait()
    stopping.set()
    await asyncio.sleep(0.3)  # it is stopping, and waits
    assert not asked.done()
    assert not running.done()
    store.go.set()
    assert (await asked).first == 3
    await running
    assert await anna.wire.end() is None
    assert anna.wire.socket.close_code == 1012


class SlowFiles(FilesystemObjects):
    """A disk that takes its time with files."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.go = asyncio.Event()
        self.held_up = asyncio.Event()

    async def append(self, room: bytes, obj: bytes, part: bytes, offset: int, piece: bytes) -> int:
        self.held_up.set()
        await self.go.wait()
        return await super().append(room, obj, part, offset, piece)


async def test_two_servers_do_not_work_in_one_folder(data: Path) -> None:
    """Each would send clients heads that the other has passed."""
    async with start_server(config(data)) as first:
        await Person("Handläggare").enrol(first.url, data)
        with pytest.raises(ConfigError, match="another server is at work"):
            async with start_server(config(data)):
                pass
    async with start_server(config(data)):
        pass


async def test_an_upload_that_has_begun_is_completed_before_the_server_stops(data: Path) -> None:
    objects = SlowFiles(Config(data=data).blobs)
    async with AsyncExitStack() as running:
        server = await running.enter_async_context(start_server(config(data), objects=objects))
        anna = await Person("Handläggare").enrol(server.url, data)
        room = await anna.create()
        async with files_of(anna, server.url, data) as files:
            sending = asyncio.create_task(files.put(room, b"1" * 16, bytes(100_000)))
            await objects.held_up.wait()
            stopping = asyncio.create_task(running.aclose())
            await anna.wire.end()
            assert not sending.done()
            objects.go.set()
            assert (await sending).status_code == 201
            await stopping


def await_invites(monkeypatch: pytest.MonkeyPatch, store: MemoryStore) -> None:
    """Invitations go to the store in memory."""

    class Same:
        def __init__(self, path: Path) -> None: ...

        async def open(self) -> None: ...

        async def close(self) -> None: ...

        add_invite = store.add_invite
        record_with_next_write = store.record_with_next_write

    monkeypatch.setattr("sync.server.operator.admin.SqlStore", Same)


async def test_a_reader_that_takes_nothing_does_not_hold_up_the_end(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sync.server.process.websocket.LEAVE_S", 0.2)
    async with asyncio.timeout(PATIENCE_S):
        async with start_server(config(data)) as server:
            anna, bert, room = await House(server, data).two_in_a_room()
            bert.wire.socket.transport.pause_reading()
            (listener,) = [one for one in server.service.hub.listeners(room) if one.uid == bert.uid]
            while not listener.outbox.size_bytes:
                await anna.push(room, "å" * 20_000)
                await anna.sync(room)
        assert await anna.wire.end() is None
        bert.wire.socket.transport.abort()
