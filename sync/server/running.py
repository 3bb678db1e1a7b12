# SPDX-License-Identifier: EUPL-1.2
"""A server from start to stop: opens the store, listens, and closes everything in order. Used by `serve` and tests."""

import asyncio
import contextlib
import logging
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import uvicorn

from sync.crypto.tls import hosts_of
from sync.protocol.version import MAX_FRAME_BYTES
from sync.server.asgi import make_app
from sync.server.auth import now_ms
from sync.server.config import Config, ConfigError
from sync.server.identity import read_identity
from sync.server.objects.base import Objects
from sync.server.objects.filesystem import FilesystemObjects
from sync.server.service import Service
from sync.server.store.base import Store
from sync.server.store.sql import SqlStore

log = logging.getLogger("sync.server")

_SWITCH_INTERVAL_S = 0.0005
"""The writer thread must not wait 5 ms (Python's default) for the interpreter: it holds up every answer."""


@dataclass(frozen=True, slots=True)
class Running:
    """A server that listens. `url` is where clients connect, `service` for tests to look into."""

    host: str
    port: int
    url: str
    service: Service


class _Uvicorn(uvicorn.Server):
    """Leaves signals to whoever runs us."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.asynccontextmanager
async def start_server(
    config: Config, *, store: Store | None = None, objects: Objects | None = None
) -> AsyncIterator[Running]:
    """Runs a server until the block ends. ConfigError or OSError if it cannot start.

    Clients are told to leave, answered requests stay answered, states are kept, the database is closed.
    """
    config.check()
    identity = read_identity(config.data, now_ms())
    store = store or SqlStore(config.database)
    sys.setswitchinterval(min(sys.getswitchinterval(), _SWITCH_INTERVAL_S))
    listening = _listen(config)
    try:
        await store.open()
    except BaseException:
        listening.close()
        raise
    service = Service(store, objects or FilesystemObjects(config.blobs), identity, config.limits)
    try:
        await service.open()
    except BaseException:
        listening.close()
        await store.close()
        raise
    port = listening.getsockname()[1]
    service.addresses = config.addresses or _addresses(config, port)
    server = _Uvicorn(_uvicorn_config(config, service))
    task = asyncio.create_task(server.serve(sockets=[listening]))
    watching = asyncio.create_task(service.watch())
    try:
        await _started(server, task)
        scheme = "http" if config.insecure_loopback else "https"
        yield Running(config.host, port, f"{scheme}://{_bracketed(config.host)}:{port}", service)
    finally:
        server.should_exit = True
        watching.cancel()
        await asyncio.wait([task, watching])
        listening.close()
        await service.close()
        await store.close()


async def _started(server: uvicorn.Server, task: "asyncio.Task[None]") -> None:
    while not server.started:
        if task.done():
            task.result()
            raise RuntimeError("the listener ended at once")
        await asyncio.sleep(0.001)


def _listen(config: Config) -> socket.socket:
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    # asyncio sets TCP_NODELAY only where the socket says it is TCP: without it a reply may wait 40 ms for an ACK
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((config.host, config.port))
    except OSError as e:
        listening.close()
        raise ConfigError(f"cannot listen on {_bracketed(config.host)}:{config.port}: {e.strerror}") from e
    return listening


def _addresses(config: Config, port: int) -> frozenset[str]:
    """What a client may have dialled: the certificate's names, or loopback's."""
    hosts = {config.host.lower()}
    if config.cert is not None and not config.insecure_loopback:
        hosts |= {h.lower() for h in hosts_of(config.cert.read_bytes())}
    else:
        hosts |= {"127.0.0.1", "::1", "localhost"}
    default = frozenset(hosts) if port == 443 else frozenset()
    return default | {f"{_bracketed(h)}:{port}" for h in hosts}


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _uvicorn_config(config: Config, service: Service) -> uvicorn.Config:
    secure = not config.insecure_loopback
    return uvicorn.Config(
        make_app(service),
        ssl_certfile=str(config.cert) if secure else None,
        ssl_keyfile=str(config.key) if secure else None,
        loop="asyncio",
        http="h11",
        ws="websockets-sansio",
        ws_max_size=MAX_FRAME_BYTES,
        ws_per_message_deflate=False,
        lifespan="off",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=5,
        timeout_keep_alive=30,
        backlog=1024,
    )
