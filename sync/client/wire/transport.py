# SPDX-License-Identifier: EUPL-1.2
"""Protocols for moving bytes between this program and the one configured server, and that server's address. Knows no
frame but its bytes. `egress` opens the connections."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

from sync.errors import BadAddress
from sync.protocol.addresses import address_name

DEFAULT_PORT = 443


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """The address of the agency's server: `host`, `port`, and whether TLS is used (`tls`). Plain text is only for a
    server on this same computer, and only when asked for explicitly: `parse`, which makes the address from text,
    ensures that, and the class itself checks nothing."""

    host: str
    port: int
    tls: bool = True

    @classmethod
    def parse(cls, text: str, *, insecure_loopback: bool = False) -> "ServerAddress":
        """Reads `text`, which a person or a policy wrote: "host", "host:port" or a URL (of which only host and port
        count); the port is 443 if none is given. The address is for plain text if the URL begins with "http://",
        otherwise for TLS. BadAddress if `text` is no address; also if it asks for plain text, unless
        `insecure_loopback` is True and the host is this computer itself."""
        raw = text.strip()
        try:
            parts = urlsplit(raw if "//" in raw else f"https://{raw}")
        except ValueError as e:
            raise BadAddress("host") from e
        try:
            port = parts.port
        except ValueError as e:
            raise BadAddress("port") from e
        if not parts.hostname or parts.scheme not in ("https", "http", "kansli"):
            raise BadAddress("host")
        tls = parts.scheme != "http"
        if not tls and not (insecure_loopback and _is_loopback(parts.hostname)):
            raise BadAddress("plain text is only for loopback")
        return cls(parts.hostname, port or DEFAULT_PORT, tls)

    @property
    def name(self) -> str:
        """ "host:port", an IPv6 address in brackets: what the sign-in signature binds and the status bar shows; ""
        without a host."""
        return address_name(self.host, self.port) if self.host else ""

    def url(self, scheme: str, path: str) -> str:
        """The URL of `path` (which begins with "/") at this server, with `scheme` "ws" or "http" (an s is added if it
        has TLS)."""
        return f"{scheme}{'s' if self.tls else ''}://{address_name(self.host, self.port)}{path}"


class Transport(Protocol):
    """One open connection to the server, whatever carries it. `send` and `receive` move whole frames, as bytes and in
    order, and raise Unreachable once the connection is lost; `receive` waits for the next frame. `close` ends the
    connection."""

    async def send(self, data: bytes) -> None: ...

    def send_at_once(self, data: bytes) -> bool:
        """Sends a frame now, if that needs no waiting. False if it does, or if the connection is lost, also now: the
        frame may then be sent again, and `send` says why. Raises nothing."""
        ...

    async def receive(self) -> bytes: ...

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Answer:
    """The server's answer to an HTTP request: the status code (`status`), also one of an error, and the body
    (`content`)."""

    status: int
    content: bytes


class Dialer(Protocol):
    """Opens connections to one server, the one at `address`: connections for frames (`open`), and HTTP requests beside
    them."""

    @property
    def address(self) -> ServerAddress: ...

    async def open(self) -> Transport:
        """A new connection for frames, a Transport. Unreachable if none can be made; ProxyFailed if the proxy cannot be
        used or reached, or refuses; ProxyWantsName if it asks for a password; CertificateRefused if the server's TLS
        certificate is not trusted, or the file of trusted certificates cannot be used; AddressForbidden if the
        organisation's rules do not allow the address; NoAddress if there is none; ProxyUnnamed if the settings ask for
        a proxy and name none; NoProxyScript if a script (PAC) should name it and none can be run here."""
        ...

    async def request(self, method: str, path: str, headers: Mapping[str, str], content: bytes | None) -> Answer:
        """Sends an HTTP request (`method`, as "GET", and `headers`) to `path` at the server, with the body `content`
        (None for none), on a connection that is kept for the next one. Returns the answer, whatever its status. Raises
        the errors of `open`; Unreachable also for no answer, or one that is compressed or too long; TooSlow if too few
        bytes move."""
        ...

    async def close(self) -> None:
        """Closes the connection kept for requests; a later request opens another."""
        ...


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
