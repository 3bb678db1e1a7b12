# SPDX-License-Identifier: EUPL-1.2
"""The socket that clients reach, and the addresses that they may dial: IPv6, unix sockets that are in use, and
certificates that name nobody."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from sync.client.wire.connection import Connection
from sync.client.wire.egress import WebSocketDialer
from sync.client.wire.route import Route
from sync.client.wire.transport import ServerAddress
from sync.server.config import Config, ConfigError
from sync.server.host import listening
from sync.server.host.listening import Listening, dialled, listen
from sync.server.process.running import start_server
from sync.server.process.serving import check
from sync.server.rules.handshake import now_ms
from tests.certs import make_cert
from tests.sync.server.test_certificates import authority, put
from tests.sync.server.wire import config, new_data

PROXIED = ("kansli.example:443",)


def proxied(data: Path, path: Path) -> Config:
    """A server behind a proxy, on the unix socket at `path`."""
    return Config(data=data, unix=path, behind_proxy=True, addresses=PROXIED)


@contextlib.contextmanager
def bound(path: Path, kind: socket.SocketKind = socket.SOCK_STREAM) -> Iterator[socket.socket]:
    """A unix socket at `path` that another process might have."""
    with socket.socket(socket.AF_UNIX, kind) as made:
        made.bind(str(path))
        yield made


# -- IPv6


@pytest.mark.parametrize("named", [(), ("[0:0::1]:{port}",)])
async def test_a_client_reaches_the_server_by_an_ipv6_literal(data: Path, named: tuple[str, ...]) -> None:
    """Both sides write the address alike, though the person and the operator wrote it in other ways."""
    with socket.socket(socket.AF_INET6) as free:
        free.bind(("::1", 0))
        port = free.getsockname()[1]
    addresses = tuple(each.format(port=port) for each in named)
    async with start_server(replace(config(data), host="::1", port=port, addresses=addresses)) as server:
        assert server.url == f"https://[::1]:{port}"
        address = ServerAddress.parse(f"[0:0:0::1]:{port}")
        route = Route(ca_file=data / "ca.pem")
        dialer = WebSocketDialer(address, lambda: route)
        connection = await Connection.connect(dialer, now_ms=now_ms, agency_pin=None)
        assert connection.address == f"[::1]:{port}"
        await connection.close()
        await dialer.close()


def test_on_port_443_an_ipv6_address_may_be_dialled_without_a_port(data: Path) -> None:
    with socket.socket(socket.AF_INET6) as made:
        found = dialled(replace(config(data), insecure_loopback=True), Listening(made, "::1", 443))
    assert {"[::1]", "[::1]:443", "127.0.0.1:443"} <= found
    assert "::1" not in found


# -- unix sockets


async def test_a_second_start_leaves_the_first_ones_socket_alone(data: Path, tmp_path: Path) -> None:
    """It finds the folder locked before it touches the socket, which may not listen yet."""
    path = tmp_path / "server.sock"
    async with start_server(proxied(data, path)):
        path.unlink()
        with bound(path):
            before = path.stat().st_ino
            with pytest.raises(ConfigError, match="another server is at work in it"):
                async with start_server(proxied(data, path)):
                    pass
            assert path.stat().st_ino == before


def test_a_socket_listens_as_soon_as_it_is_there(tmp_path: Path) -> None:
    """Another server, of another folder, would take it for one that a killed server left."""
    path, data = tmp_path / "server.sock", tmp_path
    at = listen(proxied(data, path))
    with contextlib.closing(at.socket), pytest.raises(ConfigError, match="cannot listen on"):
        listen(proxied(data, path))
    assert path.exists()


def test_a_socket_of_a_busy_process_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "_PROBE_S", 0.05)
    path = tmp_path / "server.sock"
    with bound(path) as busy, contextlib.ExitStack() as waiting:
        busy.listen(0)
        with contextlib.suppress(BlockingIOError):
            while True:
                client = waiting.enter_context(socket.socket(socket.AF_UNIX))
                client.setblocking(False)
                client.connect(str(path))
        with pytest.raises(ConfigError, match="cannot listen on"):
            listen(proxied(tmp_path, path))
        assert path.exists()


def test_a_socket_of_another_kind_is_not_taken(tmp_path: Path) -> None:
    path = tmp_path / "server.sock"
    with bound(path, socket.SOCK_DGRAM):
        with pytest.raises(ConfigError, match="cannot listen on"):
            listen(proxied(tmp_path, path))
        assert path.exists()


# -- certificates


async def test_a_certificate_that_names_no_host_is_refused_in_words(data: Path) -> None:
    put(data, make_cert("kansli.example", by=authority(data), hosts=()))
    with pytest.raises(ConfigError, match="names no host"):
        check(config(data))
    with pytest.raises(ConfigError, match="names no host"):
        async with start_server(config(data)):
            pass


async def test_two_folders_cannot_have_one_unix_socket(data: Path, tmp_path: Path) -> None:
    path = tmp_path / "server.sock"
    async with start_server(proxied(data, path)):
        with pytest.raises(ConfigError, match="cannot listen on"):
            async with start_server(proxied(new_data(tmp_path / "other"), path)):
                pass
        assert path.exists()


async def test_a_server_that_is_asked_to_end_does_not_wait_for_its_next_tick(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sync.server.process.accepting._TICK_S", 3600.0)
    async with asyncio.timeout(60.0):
        async with start_server(config(data)):
            pass
