# SPDX-License-Identifier: EUPL-1.2
"""Which addresses may be connected to, and by which proxy. Only says so: `egress` opens the connections."""

import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sync.client.wire.transport import AddressError, ServerAddress
from sync.errors import AddressForbidden, ProxyFailed

ProxyLookup = Callable[[str, int], str | None]
"""The proxy for a host and port, as "http://host:port", or None for none. May wait for the system: runs in a thread."""


def straight(host: str, port: int) -> str | None:
    """No proxy."""
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """The way out as policy and settings have it. `ca_file` in place of the system's trusted certificates."""

    servers: tuple[str, ...] = ()
    """The only servers that may be used ("host", "host:port"); none: any."""
    allowed: tuple[str, ...] = ()
    """The only addresses that may be connected to beside `servers`: "host", "host:port", "*.domain", "*.domain:port";
    none: the account's server alone."""
    proxy_for: ProxyLookup = straight
    ca_file: Path | None = None

    def check(self, host: str, port: int, server: ServerAddress) -> None:
        """▲ AddressForbidden unless it is in `allowed`, or the account's server: which must be among `servers` if there
        are any, else in `allowed` if that names any."""
        if (host, port) == (server.host, server.port) and (self.servers or not self.allowed):
            fits = not self.servers or any(_is_server(entry, server) for entry in self.servers)
        else:
            fits = any(_fits(pattern, host, port) for pattern in self.allowed)
        if not fits:
            raise AddressForbidden(f"{host}:{port}")

    def proxy(self, host: str, port: int) -> str | None:
        """The proxy to use. ProxyFailed if it is none that can be used, or names a password: there is no place here
        where one could be kept."""
        try:
            proxy = self.proxy_for(host, port)
        except OSError as e:
            raise ProxyFailed("not found out") from e
        if proxy is None:
            return None
        scheme, _, rest = proxy.rpartition("://")
        name, named = _split(rest.rstrip("/"))
        if (
            scheme not in ("", "http")
            or not name
            or not (named or "80").isdecimal()
            or any(c in rest.rstrip("/") for c in "@ /?#")
        ):
            raise ProxyFailed("no proxy that can be used")
        return f"http://{f'[{name}]' if ':' in name else name}:{named or 80}"


def by(address: str) -> ProxyLookup:
    """Always by the proxy at "host:port" or "http://host:port"; "" is none."""
    return (lambda host, port: address) if address else straight


def from_environment(environment: Mapping[str, str]) -> ProxyLookup:
    """As the variables HTTPS_PROXY, ALL_PROXY and NO_PROXY say, in small letters too, which come first."""

    def named(name: str) -> str:
        return environment.get(name, "") or environment.get(name.upper(), "")

    def proxy_for(host: str, port: int) -> str | None:
        without = [entry.strip() for entry in named("no_proxy").split(",") if entry.strip()]
        if any(entry == "*" or _left_out(entry, host, port) for entry in without):
            return None
        return named("https_proxy") or named("all_proxy") or None

    return proxy_for


def _is_server(entry: str, server: ServerAddress) -> bool:
    try:
        meant = ServerAddress.parse(entry)
    except AddressError:
        return False
    return (meant.host, meant.port) == (server.host, server.port)


def _fits(pattern: str, host: str, port: int) -> bool:
    name, wanted = _split(pattern.lower())
    if wanted and wanted != str(port):
        return False
    if name.startswith("*."):
        return host.lower().endswith(name[1:]) and len(host) > len(name) - 1
    return name == host.lower()


def _left_out(entry: str, host: str, port: int) -> bool:
    """An entry of NO_PROXY: a name with everything under it, an address, or a network."""
    name, wanted = _split(entry.lower())
    if wanted and wanted != str(port):
        return False
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(name, strict=False)
    except ValueError:
        name = name.removeprefix("*").removeprefix(".")
        return host.lower() == name or host.lower().endswith(f".{name}")


def _split(text: str) -> tuple[str, str]:
    """Host and port of "host", "host:port", "[::1]:port"; the port is "" if none is named."""
    if text.startswith("["):
        host, _, port = text[1:].partition("]")
        return host, port.removeprefix(":")
    host, _, port = text.partition(":")
    return (text, "") if ":" in port else (host, port)  # several colons: an IPv6 address, or a network of them
