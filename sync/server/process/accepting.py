# SPDX-License-Identifier: EUPL-1.2
"""Accepts connections for uvicorn, and asks the entrance before TLS begins. uvicorn by itself begins TLS with every
client."""

import asyncio
import contextlib
import errno
import logging
import socket
import ssl
from asyncio import sslproto
from collections.abc import Callable, Iterator
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from sync.protocol.version import MAX_FRAME_BYTES
from sync.server.load.entrance import KEEP_ALIVE_S, Caller, Entrance
from sync.server.load.origins import UNIX
from sync.server.process.uvicorn_protocols import HeadProtocol

log = logging.getLogger("sync.server")

_AT_ONCE = 16
"""Connections that are accepted in one step of the event loop: 0.1 ms each."""
_AGAIN_S = 1.0
_GOODBYE_S = 2.0
"""How long the other end may take to end TLS; asyncio's own is 30 s."""
_TICK_S, _TICKS_OF_UVICORN = 1.0, 10
"""uvicorn writes the time of the headers again in each tenth of its ticks, once a second."""
_NO_MORE = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
_BACKLOG = 1024
_TLS_BUFFER = 16 * 1024


def small_tls_buffers() -> None:
    """Makes asyncio use a buffer of 16 KiB for each TLS connection of this process. ▲ By itself it fills one of 256 KiB
    with zeros before the handshake: 5,000 silent connections held 1.45 GB. With 16 KiB, a TLS record, a connection
    costs a third, and one step of the event loop parses a sixteenth.

    WORKAROUND https://github.com/python/cpython/issues/109534: the size is a class attribute, so it holds for all
    connections of the process, and it is not documented. Remove when asyncio takes a size, or allocates as data comes.
    """
    sslproto.SSLProtocol.max_size = _TLS_BUFFER


class BareServer(uvicorn.Server):
    """A uvicorn server that does not handle signals; the program around it does, and ends it by `leave`."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._leaving = asyncio.Event()

    def leave(self) -> None:
        """Ends the server: it accepts nothing more, and `serve` returns when its connections have ended. A second call
        does nothing."""
        self.should_exit = True
        self._leaving.set()

    async def main_loop(self) -> None:
        """Runs until `leave`. uvicorn calls it in place of its own method, which looks ten times a second whether it
        is to end: an idle server would never rest, and each stop would take longer."""
        count = 0
        while not await self.on_tick(count):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_TICK_S):
                    await self._leaving.wait()
            count += _TICKS_OF_UVICORN

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class GuardedServer(BareServer):
    """A uvicorn server that takes only the connections that `entrance` admits, by its limits on clients that have not
    signed in. It does not handle signals. TLS is that of uvicorn's configuration, if any."""

    def __init__(self, config: uvicorn.Config, entrance: Entrance) -> None:
        super().__init__(config)
        self._entrance = entrance

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Starts to accept connections on `sockets`, which are bound already. uvicorn calls it at its start, in place
        of its own method. None or [] accepts nothing."""
        await self.lifespan.startup()
        taking = [Accepting(each, self._entrance, self._protocol, self.config.ssl) for each in sockets or []]
        for each in taking:
            each.start()
        self.servers = taking  # type: ignore[assignment]  # it only closes them, and waits
        self.started = True

    def _protocol(self, caller: Caller) -> HeadProtocol:
        return HeadProtocol(caller, config=self.config, server_state=self.server_state)


class Accepting:
    """Accepts connections from one listening socket, if `entrance` admits them, and does TLS, if any. `protocol` gets
    the Caller of an admitted connection (its counts at the entrance) and returns the protocol that reads it. uvicorn
    uses it as an asyncio.Server."""

    def __init__(
        self,
        listening: socket.socket,
        entrance: Entrance,
        protocol: Callable[[Caller], asyncio.Protocol],
        tls: ssl.SSLContext | None,
    ) -> None:
        self._listening = listening
        self._entrance = entrance
        self._protocol = protocol
        self._tls = tls
        self._loop = asyncio.get_running_loop()
        self._beginning: set[asyncio.Task[None]] = set()
        self._again: asyncio.TimerHandle | None = None
        self._closed = False

    def start(self) -> None:
        self._listening.setblocking(False)
        self._listening.listen(_BACKLOG)
        self._listen()

    def close(self) -> None:
        """Accepts no more connections, and ends those whose TLS handshake is not complete. All others stay open. A
        second call does nothing."""
        if self._closed:
            return
        self._closed = True
        self._loop.remove_reader(self._listening.fileno())
        if self._again is not None:
            self._again.cancel()
        for task in self._beginning:
            task.cancel()

    async def wait_closed(self) -> None:
        if self._beginning:
            await asyncio.wait(self._beginning)

    def _listen(self) -> None:
        self._loop.add_reader(self._listening.fileno(), self._accept)

    def _accept(self) -> None:
        for _ in range(_AT_ONCE):
            try:
                arrived, peer = self._listening.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as e:
                if e.errno not in _NO_MORE:
                    raise
                log.error("no connection can be taken: %s", errno.errorcode[e.errno])
                self._loop.remove_reader(self._listening.fileno())
                self._again = self._loop.call_later(_AGAIN_S, self._listen)
                return
            self._take(arrived, peer)

    def _take(self, arrived: socket.socket, peer: Any) -> None:
        host = str(peer[0]) if isinstance(peer, tuple) and peer else UNIX
        caller = self._entrance.admit(host)
        if caller is None:
            arrived.close()
            return
        task = self._loop.create_task(self._begin(arrived, caller))
        caller.connected(task.cancel)
        self._beginning.add(task)

        def begun(done: "asyncio.Task[None]") -> None:
            self._beginning.discard(done)
            if done.cancelled() and not caller.gone:  # before its first step: `_begin` has done nothing of this
                caller.left()
                arrived.close()

        task.add_done_callback(begun)

    async def _begin(self, arrived: socket.socket, caller: Caller) -> None:
        """Does the TLS handshake on `arrived`, an accepted socket, if the server uses TLS, and then gives the
        connection to the protocol that reads it. If that fails, removes the connection (`caller`) from the entrance's
        counts. An OSError is not raised: the other end spoke no TLS, left, or took too long. Every other error is."""
        within_s = None if self._tls is None else _GOODBYE_S
        try:
            await self._loop.connect_accepted_socket(
                lambda: self._protocol(caller), arrived, ssl=self._tls, ssl_shutdown_timeout=within_s
            )
        except OSError:  # also of TLS: the other end speaks none, or left
            caller.left()
        except BaseException:
            caller.left()
            raise


def uvicorn_config(app: ASGIApp, tls: ssl.SSLContext | None) -> uvicorn.Config:
    """uvicorn's configuration for serving `app`; without `tls` over plain HTTP. Where to listen is not in it. Its
    reading of forwarded headers is off: only the `Entrance`, which limits connections, reads them, from trusted
    proxies."""
    return uvicorn.Config(
        app,
        ssl_context_factory=None if tls is None else lambda config, default: tls,
        proxy_headers=False,
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
        timeout_keep_alive=int(KEEP_ALIVE_S),
        backlog=_BACKLOG,
    )
