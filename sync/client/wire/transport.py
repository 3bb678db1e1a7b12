# SPDX-License-Identifier: EUPL-1.2
"""What moves bytes between this program and the one configured server, as Protocols, and where that server is. Knows no
frame but its bytes. `egress` is what opens connections.
"""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

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

    @classmethod
    def named(cls, name: str) -> "ServerAddress":
        """The address of which `name` is this, with TLS. AddressError if it is none's."""
        host, _, port = name.rpartition(":")
        return cls.parse(f"[{host}]:{port}" if ":" in host else name)

    @property
    def name(self) -> str:
        """ "host:port": what the sign-in signature binds and the status bar shows; "" without a host."""
        return f"{self.host}:{self.port}" if self.host else ""

    def url(self, scheme: str, path: str) -> str:
        """An address of this server, `scheme` "ws" or "http" (with the s of TLS added)."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{scheme}{'s' if self.tls else ''}://{host}:{self.port}{path}"


class Transport(Protocol):
    """One open connection: whole frames in order, or Unreachable."""

    async def send(self, data: bytes) -> None: ...

    async def receive(self) -> bytes: ...

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server said to a request beside the socket: the HTTP status, and the body."""

    status: int
    content: bytes


class Dialer(Protocol):
    """The way to the configured server."""

    @property
    def address(self) -> ServerAddress: ...

    async def open(self) -> Transport:
        """A new Transport. Unreachable, ProxyFailed, ProxyWantsName, CertificateRefused, AddressForbidden."""
        ...

    async def request(self, method: str, path: str, headers: Mapping[str, str], content: bytes | None) -> Answer:
        """One HTTP request, on a connection that is kept for the next one. The errors of `open`."""
        ...

    async def close(self) -> None:
        """Ends the connection kept for requests; another is made if there is one more."""
        ...


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
