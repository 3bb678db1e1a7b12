# SPDX-License-Identifier: EUPL-1.2
"""A server from start to stop: opens the store, listens, and closes everything in order. Used by `serve` and tests."""

import asyncio
import contextlib
import logging
import socket
import ssl
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

from sync.protocol.addresses import address_name
from sync.server.config import Config, ConfigError, split_address
from sync.server.host.folder_hold import held
from sync.server.host.listening import Listening, dialled, listen, listen_on
from sync.server.load.entrance import Entrance
from sync.server.load.meters import Meters
from sync.server.load.origins import Proxies
from sync.server.objects.base import Objects
from sync.server.objects.filesystem import FilesystemObjects
from sync.server.process.accepting import BareServer, GuardedServer, small_tls_buffers, uvicorn_config
from sync.server.process.admin_watch import AdminWatch
from sync.server.process.asgi import Edge, make_monitor
from sync.server.process.condition import Condition
from sync.server.rules.certificates import Certificates, judged_identity
from sync.server.rules.clock_guard import ClockGuard
from sync.server.rules.handshake import now_ms
from sync.server.rules.service import Service
from sync.server.store.base import Store
from sync.server.store.database import LOG_BYTES
from sync.server.store.sql import SqlStore
from sync.trust.person.agency import server_cert_until_ms

log = logging.getLogger("sync.server")

_SWITCH_INTERVAL_S = 0.0005
"""The writer thread must not wait 5 ms (Python's default) for the interpreter: it holds up every answer."""


@dataclass(frozen=True, slots=True)
class Running:
    """A server that listens. `host` and `port`: where (for a unix socket its path, and 0). `url`: where clients connect
    ("unix:…" for a proxy's socket). `monitor`: the URL of its figures, "" for none. `service` and `store`: for tests to
    inspect. `reload` reads the TLS certificate again; ConfigError or OSError if it cannot be used."""

    host: str
    port: int
    url: str
    monitor: str
    service: Service
    store: Store
    reload: Callable[[], None]


@contextlib.asynccontextmanager
async def start_server(
    config: Config, *, store: Store | None = None, objects: Objects | None = None
) -> AsyncIterator[Running]:
    """Runs a server until the block ends. `store` and `objects` replace the store and the file parts' store of the
    configuration, for tests. ConfigError, Reject, StoreError or OSError if it cannot start.

    At the end clients are notified, requests that have begun are answered, rooms' states are stored, and the database
    is closed.
    """
    config.check()
    identity = judged_identity(config.data, now_ms())
    tls = None if config.plain else tls_context(config)
    meters = Meters()
    store = store or SqlStore(config.database, log_bytes=LOG_BYTES, committed=meters.commit)
    objects = objects or FilesystemObjects(config.blobs, config.disk_reserve_bytes)
    sys.setswitchinterval(min(sys.getswitchinterval(), _SWITCH_INTERVAL_S))
    small_tls_buffers()
    async with contextlib.AsyncExitStack() as open_things:
        # two servers would each send heads that the other has passed: to clients the server would have gone backwards.
        # Before it listens: a second start must not take the first one's unix socket
        open_things.enter_context(held(config.data, "another server is at work in it"))
        at = listen(config)
        open_things.callback(at.socket.close)
        await store.open()
        open_things.push_async_callback(store.close)
        service = Service(store, objects, identity, config.limits, meters, ClockGuard(config.data))
        await service.open()
        open_things.push_async_callback(service.close)
        service.addresses = _addresses(config, at)
        service.min_client = config.min_client
        certificates = Certificates(config, server_cert_until_ms(identity.cert.body))
        commands = AdminWatch(store, now_ms)
        condition = Condition(config, store, service, certificates, commands)
        open_things.push_async_callback(condition.close)
        meters.watch(condition.gauges)
        monitor = await open_things.enter_async_context(_monitored(config, make_monitor(service, condition)))
        edge = Edge(service, condition)
        service.entrance.proxies = Proxies(config.trusted_proxies, config.behind_proxy)
        await open_things.enter_async_context(_served(at.socket, edge, service.entrance, tls))
        await open_things.enter_async_context(_going_on(service.watch()))
        await open_things.enter_async_context(_going_on(service.uploads.tidy()))
        await open_things.enter_async_context(_going_on(commands.run()))
        await open_things.enter_async_context(_going_on(certificates.watch()))
        url = at.url("http" if config.plain else "https")
        reload = partial(_reload, config, tls, at, service, certificates)
        yield Running(at.host, at.port, url, monitor, service, store, reload)


def tls_context(config: Config) -> ssl.SSLContext:
    """Makes a TLS context from the certificate and key that `config` names. ConfigError if they cannot be used."""
    if config.cert is None or config.key is None:
        raise ConfigError("a certificate and its key are needed")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3  # every client asks for it; nothing older has to be kept safe
    for path in (config.cert, config.key):
        _check_readable(path)
    try:
        context.load_cert_chain(config.cert, config.key, password=_no_password)
    except (OSError, ValueError) as e:  # SSLError is an OSError
        reason = getattr(e, "reason", None) or getattr(e, "strerror", None) or type(e).__name__
        reason = _REASONS.get(reason, reason)
        raise ConfigError(f"{config.cert} with {config.key} cannot be used: {reason}") from e
    return context


_REASONS = {"KEY_VALUES_MISMATCH": "the key is not that of the certificate (KEY_VALUES_MISMATCH)"}


def _check_readable(path: Path) -> None:
    try:
        path.open("rb").close()
    except OSError as e:
        raise ConfigError(f"{path} cannot be read: {e.strerror}") from e


def _no_password() -> str:
    """Called by OpenSSL for the password of a key: refuses such a key with ValueError. Otherwise OpenSSL would ask for
    the password at a terminal that nobody reads."""
    raise ValueError("the key needs a password")


def _reload(
    config: Config, tls: ssl.SSLContext | None, at: Listening, service: Service, certificates: Certificates
) -> None:
    """Reads the file of the TLS certificate again, so that it can be renewed without a restart. New connections get the
    new certificate (in `tls`, the context in use); existing ones keep the old one. Unless `config` names addresses, the
    addresses at which `service` may be dialled become the certificate's names and the host of `at` (where the server
    listens). `certificates`, which watches the certificates' dates, notes the new one. ConfigError, with nothing
    changed, if the new certificate cannot be used, or has a problem that the old one does not have: the pair is loaded
    into a scratch context first, so that a certificate without its key does not half-replace the one in use. OSError if
    the file is replaced meanwhile. Behind a proxy (`tls` is None) the file's problems are only logged."""
    if tls is None or config.cert is None or config.key is None:
        certificates.adopt_new()  # behind a proxy nothing is loaded: its problems are only logged
        return
    tls_context(config)
    addresses = _addresses(config, at)
    certificates.check_new()
    tls.load_cert_chain(config.cert, config.key)
    service.addresses = addresses
    certificates.adopt_new()


def _addresses(config: Config, at: Listening) -> frozenset[str]:
    """The addresses at which clients reach the server, written as clients write them: those that `config` names, or
    those of the certificate and of the socket `at`. ConfigError and OSError as from `dialled`."""
    named = frozenset(address_name(*split_address(each)) for each in config.addresses)
    return named or dialled(config, at)


@contextlib.asynccontextmanager
async def _monitored(config: Config, app: Starlette) -> AsyncIterator[str]:
    """Serves `app`, the server's figures and health, over plain HTTP on the operator's own listener until the block
    ends. Gives its URL; "", and nothing is served, if the configuration `config` has none. ConfigError if the address
    cannot be used, for example because the port is taken."""
    if not config.metrics:
        yield ""
        return
    listening = listen_on(*split_address(config.metrics))
    host, port = listening.getsockname()[:2]
    async with _listening(BareServer(uvicorn_config(app, None)), listening):
        yield f"http://{address_name(host, port)}"


@contextlib.asynccontextmanager
async def _served(
    listening: socket.socket, edge: Edge, entrance: Entrance, tls: ssl.SSLContext | None
) -> AsyncIterator[None]:
    """Serves clients from the socket `listening` until the block ends, by the application of `edge`; with TLS if `tls`
    is given. `entrance` decides which connections are accepted, by its limits on clients that have not signed in. At
    the end it accepts no new connection, answers and notifies all clients, disconnects them last, and closes the
    socket."""
    server = GuardedServer(uvicorn_config(edge.app, tls), entrance)
    async with _listening(server, listening):
        try:
            yield
        finally:
            for each in server.servers:
                each.close()
            await edge.leave()


@contextlib.asynccontextmanager
async def _listening(server: BareServer, listening: socket.socket) -> AsyncIterator[None]:
    task = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        await _started(server, task)
        yield
    finally:
        server.leave()
        await asyncio.wait([task])
        listening.close()


async def _started(server: uvicorn.Server, task: "asyncio.Task[None]") -> None:
    while not server.started:
        if task.done():
            task.result()
            raise RuntimeError("the listener ended at once")
        await asyncio.sleep(0.001)


@contextlib.asynccontextmanager
async def _going_on(work: Coroutine[None, None, None]) -> AsyncIterator[None]:
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])
