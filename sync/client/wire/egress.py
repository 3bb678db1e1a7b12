# SPDX-License-Identifier: EUPL-1.2
"""The only place that opens connections: the WebSocket and the requests beside it, to addresses that the route allows.

This module reads no environment variable and follows no redirection: `Route` alone decides where a connection goes.
"""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import truststore

from sync.client.wire.progress_timeout import Pace
from sync.client.wire.route import Route
from sync.client.wire.transport import Answer, ServerAddress, Transport
from sync.errors import CertificateRefused, ProxyFailed, ProxyWantsName, SyncError, Unreachable
from sync.protocol.version import MAX_FRAME_BYTES, PART_BYTES

if TYPE_CHECKING:
    import httpx  # 55 ms to import: only when the first file travels, not at every start
    from websockets.asyncio.client import ClientConnection, connect  # 15 ms: in a thread, at the first connection
    from websockets.exceptions import ConnectionClosed

log = logging.getLogger("sync")

MAX_ANSWER_BYTES = PART_BYTES + 64 * 1024
"""The longest honest answer over HTTP is an encrypted part of a file."""
OPEN_TIMEOUT_S = 10.0
PING_INTERVAL_S = 20.0
REQUEST_TIMEOUT_S = 60.0
_PIECE_BYTES = 64 * 1024
"""A body is sent in pieces of this size, so that its progress can be measured."""
CLOSE_TIMEOUT_S = 2.0
"""The longest wait for a dead line to close (the computer slept)."""


def tls_context(ca_file: Path | None) -> ssl.SSLContext:
    """The TLS settings for connections to the server: TLS 1.3 at least, and the server must have a certificate of an
    authority that the operating system trusts or that is in `ca_file` (None: no such file). OSError (also ssl.SSLError)
    if the file cannot be used."""
    context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if ca_file is not None:
        context.load_verify_locations(cafile=ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    return context


class WebSocketTransport:
    """A Transport over one open WebSocket: sends and receives whole frames (bytes), without compression (sizes are
    padded; compression would undo that). `send` and `receive` raise Unreachable once the connection is lost, `receive`
    also for a text message. If `close` is cancelled, it cuts the line and does not wait for the other end."""

    def __init__(self, socket: "ClientConnection") -> None:
        self._socket = socket

    async def send(self, data: bytes) -> None:
        try:
            await self._socket.send(data)
        except _closed() as e:
            raise Unreachable("connection lost") from e

    def send_at_once(self, data: bytes) -> bool:
        from websockets.protocol import State

        socket = self._socket
        if socket.state is not State.OPEN or socket.paused or socket.send_in_progress is not None:
            return False
        if socket.protocol.close_expected():
            return False
        socket.protocol.send_binary(data)
        try:
            socket.send_data()
        except Exception as e:
            # ▲ Any error counts as a lost line: what the frame says is on this computer's disk and is sent on the next
            # line. Otherwise the error would reach the code that wrote it, and the person would see it as refused.
            log.info("the line failed under a frame: %s", type(e).__name__, exc_info=not isinstance(e, OSError))
            socket.transport.abort()
            return False
        return True

    async def receive(self) -> bytes:
        try:
            data = await self._socket.recv()
        except _closed() as e:
            raise Unreachable("connection lost") from e
        if isinstance(data, str):
            raise Unreachable("text frame")
        return data

    async def close(self) -> None:
        try:
            await self._socket.close()
        except asyncio.CancelledError:  # the caller no longer waits for the other end: cut the line
            self._socket.transport.abort()
            raise


class _Closable(Protocol):
    """A TCP connection that the HTTP library opened, of which only `aclose` (closes it) is needed. A cancelled request
    closes its connection so, since the library leaves it open if it was cancelled during the TLS handshake."""

    async def aclose(self) -> None: ...


class WebSocketDialer:
    """A Dialer: opens WebSockets to one server, and sends it HTTP requests. `route` returns the allowed addresses, the
    proxy and the trusted certificates. It is called before each WebSocket and each request, so a changed setting
    applies from the next one on."""

    def __init__(
        self, address: ServerAddress, route: Callable[[], Route] = Route, pace: Callable[[], Pace] = Pace
    ) -> None:
        """`address` is the server's. `route`, called without arguments, returns the allowed addresses, the proxy and
        the certificates as they are set now; it is called here too, to read the file of certificates. OSError (also
        ssl.SSLError) if that file cannot be used; it is not read for plain text. `pace`, called for each HTTP request,
        returns a new limit, which ends the request if too few bytes move within a minute."""
        self.address = address
        self._route, self._pace = route, pace
        self._tls: tuple[Path | None, ssl.SSLContext] | None = None
        self._http: tuple[object, httpx.AsyncClient] | None = None
        self._trust(route().ca_file)

    async def open(self) -> Transport:
        """Opens a WebSocket to the server, and returns it as a Transport. Unreachable if that fails; ProxyFailed or
        ProxyWantsName if the proxy is the cause; ProxyUnnamed or NoProxyScript if the settings ask for a proxy and it
        cannot be known; CertificateRefused if the server's certificate is not trusted, or the file of certificates
        cannot be used; AddressForbidden if the route does not allow the address."""
        proxy, tls = await self._prepare()
        connecting = await asyncio.to_thread(_without_redirects)
        from websockets.exceptions import InvalidProxyStatus, ProxyError, WebSocketException

        try:
            socket = await connecting(
                self.address.url("ws", "/v1/sync"),
                ssl=tls,
                compression=None,
                max_size=MAX_FRAME_BYTES,
                max_queue=64,
                open_timeout=OPEN_TIMEOUT_S,
                ping_interval=PING_INTERVAL_S,
                close_timeout=CLOSE_TIMEOUT_S,
                proxy=proxy,
            )
        except ssl.SSLCertVerificationError as e:
            raise CertificateRefused(self.address.name) from e
        except InvalidProxyStatus as e:
            raise _refused_by_proxy(e.response.status_code) from e
        except ProxyError as e:
            raise ProxyFailed("no answer of a proxy") from e
        except (OSError, TimeoutError, WebSocketException) as e:
            raise _lost(proxy, e) from e
        return WebSocketTransport(socket)

    async def request(self, method: str, path: str, headers: Mapping[str, str], content: bytes | None) -> Answer:
        """Sends an HTTP request (`method`, `headers`) with the body `content` (None for none) to `path` at the server,
        and returns the answer, whatever its status. The errors of `open`; Unreachable also for an answer that is
        compressed or longer than MAX_ANSWER_BYTES; TooSlow if too few bytes move."""
        async with self._pace() as pace:
            return await self._request(method, path, headers, content, pace)

    async def _request(
        self, method: str, path: str, headers: Mapping[str, str], content: bytes | None, pace: Pace
    ) -> Answer:
        import httpx

        client = await self._client()
        opened: list[_Closable] = []

        async def note(event: str, found: Mapping[str, _Closable]) -> None:
            if event == "connection.connect_tcp.complete":
                opened.append(found["return_value"])

        length = {} if content is None else {"Content-Length": str(len(content))}
        try:
            async with client.stream(
                method,
                self.address.url("http", path),
                headers={**headers, **length, "Accept-Encoding": "identity"},
                content=None if content is None else _pieces(content, pace),
                extensions={"trace": note},
            ) as answer:
                pace.turn()
                return Answer(answer.status_code, await _bounded(answer, pace))
        except asyncio.CancelledError:  # httpcore leaves a connection open if its TLS handshake is cancelled
            for connection in opened:
                await connection.aclose()
            raise
        except httpx.HTTPError as e:
            raise _of_http(e) from e

    async def close(self) -> None:
        """Closes the HTTP client that is kept for all requests, if there is one; a request that is under way fails. The
        dialer stays usable: a later request opens another client. Open WebSockets stay open."""
        kept, self._http = self._http, None
        if kept is not None:
            await kept[1].aclose()

    async def _client(self) -> "httpx.AsyncClient":
        """The HTTP client that is kept for all requests; the first call makes it. If the proxy or the TLS settings have
        changed since, it is closed and a new one is made. Raises AddressForbidden, CertificateRefused, and what the
        lookup of the proxy raises (ProxyFailed, ProxyUnnamed, NoProxyScript)."""
        import httpx

        now = await self._prepare()
        if self._http is not None and self._http[0] != now:
            await self.close()
        if self._http is None:
            proxy, tls = now
            verify = tls if tls is not None else True
            client = httpx.AsyncClient(verify=verify, timeout=REQUEST_TIMEOUT_S, trust_env=False, proxy=proxy)
            self._http = (now, client)
        return self._http[1]

    async def _prepare(self) -> tuple[str | None, ssl.SSLContext | None]:
        """Asks for the route as it is set now, before each WebSocket and each request. Returns the proxy to use, as
        "http://host:port" (None for none), and the TLS settings (None for plain text). AddressForbidden if the route
        does not allow the server's address; CertificateRefused if the file of certificates cannot be used; ProxyFailed
        if the lookup of the proxy fails or its answer cannot be used; ProxyUnnamed or NoProxyScript if the settings ask
        for a proxy and it cannot be known."""
        route = self._route()
        route.check(self.address.host, self.address.port, self.address)
        proxy = await asyncio.to_thread(route.proxy, self.address.host, self.address.port)
        try:
            return proxy, self._trust(route.ca_file)
        except OSError as e:
            raise CertificateRefused(self.address.name) from e

    def _trust(self, ca_file: Path | None) -> ssl.SSLContext | None:
        if not self.address.tls:
            return None
        if self._tls is None or self._tls[0] != ca_file:
            self._tls = (ca_file, tls_context(ca_file))
        return self._tls[1]


async def _pieces(content: bytes, pace: Pace) -> AsyncIterator[bytes]:
    """Yields `content`, the body of an HTTP request, in pieces of _PIECE_BYTES (none if it is empty), and reports each
    to `pace`, which measures the progress. A piece counts as sent when the connection takes the next one. After the
    last, `pace` begins a new time window, for the server's answer."""
    for at in range(0, len(content), _PIECE_BYTES):
        piece = content[at : at + _PIECE_BYTES]
        yield piece
        pace.moved(len(piece))
    pace.turn()


async def _bounded(answer: "httpx.Response", pace: Pace) -> bytes:
    """▲ The body of `answer` as it came over the wire, at most MAX_ANSWER_BYTES long and not decompressed; its progress
    is reported to `pace`. Unreachable if it is longer or compressed. Otherwise a false server could fill the memory
    with a few kilobytes."""
    if answer.headers.get("Content-Encoding", "identity") != "identity":
        raise Unreachable("compressed answer")
    body = bytearray()
    async for piece in answer.aiter_raw():
        body += piece
        pace.moved(len(piece))
        if len(body) > MAX_ANSWER_BYTES:
            raise Unreachable("answer too long")
    return bytes(body)


def _closed() -> "type[ConnectionClosed]":
    """The error of a connection that has ended."""
    from websockets.exceptions import ConnectionClosed

    return ConnectionClosed


@cache
def _without_redirects() -> "type[connect]":
    """The class that opens a WebSocket and follows no redirection. The first call imports the library: 15 ms."""
    from websockets.asyncio.client import connect

    class WithoutRedirects(connect):
        def process_redirect(self, exc: Exception) -> Exception | str:
            """▲ Follows no redirection. Otherwise a server could send the client to another one."""
            return exc

    return WithoutRedirects


def _refused_by_proxy(status: int) -> SyncError:
    if status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
        return ProxyWantsName("407")
    return ProxyFailed(str(status))


def _lost(proxy: str | None, cause: Exception) -> Unreachable:
    """The error for a connection that failed with `cause`. If a `proxy` was used (None: none was), it is ProxyFailed,
    since only the proxy is connected to directly; but Unreachable if TLS behind it failed, the time was over, or the
    server refused the WebSocket."""
    if proxy is not None and isinstance(cause, OSError) and not isinstance(cause, ssl.SSLError | TimeoutError):
        return ProxyFailed("not reached")
    return Unreachable(type(cause).__name__)


def _of_http(error: "httpx.HTTPError") -> SyncError:
    import httpx

    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return CertificateRefused("blob transfer")
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, httpx.ProxyError):
        status = str(error)[:3]
        return _refused_by_proxy(int(status) if status.isdigit() else 0)
    return Unreachable("blob transfer")
