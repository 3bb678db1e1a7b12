# SPDX-License-Identifier: EUPL-1.2
"""Moves frames between this program and the one configured server, over TLS. Knows no frame but its bytes."""

import ipaddress
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import truststore
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, WebSocketException

from sync.errors import CertificateRefused, Unreachable
from sync.protocol.version import MAX_FRAME_BYTES

OPEN_TIMEOUT_S = 10.0
PING_INTERVAL_S = 20.0
DEFAULT_PORT = 443


class AddressError(ValueError):
    """The server address is not one: "host", "host:port" or "https://host[:port]"."""


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """Where the agency's server is. Plain text is only for loopback and only when asked for by name."""

    host: str
    port: int
    tls: bool = True

    @classmethod
    def parse(cls, text: str, *, insecure_loopback: bool = False) -> "ServerAddress":
        """Reads what a person or a policy wrote; AddressError if it is no address or asks for plain text elsewhere."""
        raw = text.strip()
        try:
            parts = urlsplit(raw if "//" in raw else f"https://{raw}")
        except ValueError as e:
            raise AddressError("host") from e
        try:
            port = parts.port
        except ValueError as e:
            raise AddressError("port") from e
        if not parts.hostname or parts.scheme not in ("https", "http", "kansli"):
            raise AddressError("host")
        tls = parts.scheme != "http"
        if not tls and not (insecure_loopback and _is_loopback(parts.hostname)):
            raise AddressError("plain text is only for loopback")
        return cls(parts.hostname, port or DEFAULT_PORT, tls)

    @property
    def name(self) -> str:
        """ "host:port": what the sign-in signature binds and the status bar shows."""
        return f"{self.host}:{self.port}"

    def url(self, scheme: str, path: str) -> str:
        """An address of this server, `scheme` "ws" or "http" (with the s of TLS added)."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{scheme}{'s' if self.tls else ''}://{host}:{self.port}{path}"


def tls_context(ca_file: Path | None) -> ssl.SSLContext:
    """The operating system's trusted certificates, or only those of `ca_file` when policy names one."""
    if ca_file is not None:
        context = ssl.create_default_context(cafile=ca_file)
    else:
        context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    return context


class Transport(Protocol):
    """One open connection: whole frames in order, or Unreachable."""

    async def send(self, data: bytes) -> None: ...

    async def receive(self) -> bytes: ...

    async def close(self) -> None: ...


class WebSocketTransport:
    """The real one: one WebSocket without compression (sizes are padded; compression would undo that)."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket

    async def send(self, data: bytes) -> None:
        try:
            await self._socket.send(data)
        except ConnectionClosed as e:
            raise Unreachable("connection lost") from e

    async def receive(self) -> bytes:
        try:
            data = await self._socket.recv()
        except ConnectionClosed as e:
            raise Unreachable("connection lost") from e
        if isinstance(data, str):
            raise Unreachable("text frame")
        return data

    async def close(self) -> None:
        await self._socket.close()


class Dialer(Protocol):
    """Opens a Transport to the configured server."""

    @property
    def address(self) -> ServerAddress: ...

    async def open(self) -> Transport: ...


class WebSocketDialer:
    """Dials one address. Raises Unreachable, or CertificateRefused when the certificate is not trusted."""

    def __init__(self, address: ServerAddress, ca_file: Path | None = None) -> None:
        self.address = address
        self.tls = tls_context(ca_file) if address.tls else None

    async def open(self) -> Transport:
        try:
            socket = await connect(
                self.address.url("ws", "/v1/sync"),
                ssl=self.tls,
                compression=None,
                max_size=MAX_FRAME_BYTES,
                max_queue=64,
                open_timeout=OPEN_TIMEOUT_S,
                ping_interval=PING_INTERVAL_S,
                proxy=None,
            )
        except ssl.SSLCertVerificationError as e:
            raise CertificateRefused(self.address.name) from e
        except (OSError, TimeoutError, WebSocketException, InvalidHandshake) as e:
            raise Unreachable(self.address.name) from e
        return WebSocketTransport(socket)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
