# SPDX-License-Identifier: EUPL-1.2
"""Decides which addresses may be connected to, and through which proxy. `egress` opens the connections."""

import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sync.client.wire.transport import ServerAddress
from sync.errors import AddressForbidden, BadAddress, ProxyFailed

ProxyLookup = Callable[[str, int], str | None]
"""The proxy for a host and port, as "http://host:port", or None for none. It may wait for the system, so it runs in a
thread."""


def straight(host: str, port: int) -> str | None:
    """No proxy."""
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """The network route as policy and settings define it: which addresses may be connected to, through which proxy, and
    which certificates are trusted. `servers`: the only servers that may be used, () for any. `allowed`: patterns of the
    only addresses that may be connected to beside them, () for none but the account's server. `proxy_for` gets a host
    and port and returns the address of the proxy for them, None for none (see `ProxyLookup`); it may raise OSError or a
    SyncError. `ca_file`: a file of certificates that are trusted beside the system's; None for no file."""

    servers: tuple[str, ...] = ()
    """The only servers that may be used ("host", "host:port"); empty: any."""
    allowed: tuple[str, ...] = ()
    """The only addresses that may be connected to beside `servers`: "host", "host:port", "*.domain", "*.domain:port";
    empty: only the account's server."""
    proxy_for: ProxyLookup = straight
    ca_file: Path | None = None

    def check(self, host: str, port: int, server: ServerAddress) -> None:
        """▲ Raises AddressForbidden unless a connection to `host` and `port` is allowed by this route's lists:
        `servers` (the servers that may be used) and `allowed` (patterns of other addresses). `server` is the address of
        the account's server. If that is the one to connect to, it must be in `servers`; if `servers` is empty, in
        `allowed`; if both are empty, it is allowed. Any other address must be in `allowed`; it is forbidden if
        `allowed` is empty. The address of a proxy is not checked. Returns nothing."""
        if (host, port) == (server.host, server.port) and (self.servers or not self.allowed):
            fits = not self.servers or any(_is_server(entry, server) for entry in self.servers)
        else:
            fits = any(_fits(pattern, host, port) for pattern in self.allowed)
        if not fits:
            raise AddressForbidden(f"{host}:{port}")

    def proxy(self, host: str, port: int) -> str | None:
        """Asks `proxy_for` for the proxy for a connection to `host` and `port`. Returns it as "http://host:port" (port
        80 if none is named); None for a connection without a proxy. ProxyFailed if `proxy_for` raises OSError, or if
        its answer cannot be used: it has another scheme than http (as "https://…" or "socks://…"), no host, no number
        as its port, or a user name or password: there is no place to store one. Other errors of `proxy_for`, such as
        ProxyUnnamed, are passed on."""
        try:
            proxy = self.proxy_for(host, port)
        except OSError as e:
            raise ProxyFailed("proxy lookup failed") from e
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
            raise ProxyFailed("unusable proxy")
        return f"http://{f'[{name}]' if ':' in name else name}:{named or 80}"


def by(address: str) -> ProxyLookup:
    """Returns a lookup that answers with the proxy at `address` ("host:port" or "http://host:port") for every host and
    port, or with None (no proxy) if `address` is "". For a proxy that a setting names. `address` is not checked here:
    `Route.proxy`, which calls the lookup, raises ProxyFailed if it cannot be used."""
    return (lambda host, port: address) if address else straight


def from_environment(environment: Mapping[str, str]) -> ProxyLookup:
    """Returns a lookup that chooses the proxy for a host and port by the variables HTTPS_PROXY (else ALL_PROXY) and
    NO_PROXY of `environment`, which are read at each lookup. The lookup returns None, that is, no proxy, if NO_PROXY
    covers the address or neither of the others is set. The lower-case names (https_proxy) take precedence."""

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
    except BadAddress:
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
    """Whether `entry`, one of the list in NO_PROXY, covers `host` and `port`: no proxy is used for them then. It is a
    name, which covers all names under it too ("kommun.se", ".kommun.se" and "*.kommun.se" cover "kommun.se" and
    "a.kommun.se"), an IP address, or a network ("10.0.0.0/8"). With a port it covers that port alone, otherwise every
    port. An invalid entry covers nothing; "*" alone is handled by the caller."""
    name, wanted = _split(entry.lower())
    if wanted and wanted != str(port):
        return False
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(name, strict=False)
    except ValueError:
        name = name.removeprefix("*").removeprefix(".")
        return host.lower() == name or host.lower().endswith(f".{name}")


def _split(text: str) -> tuple[str, str]:
    """Splits `text` into host and port. It is "host", "host:port", "[::1]:port", or an IPv6 address (or network)
    without brackets and port. Returns the host without brackets, and the port as text, "" if none is given. Checks
    neither, and raises nothing."""
    if text.startswith("["):
        host, _, port = text[1:].partition("]")
        return host, port.removeprefix(":")
    host, _, port = text.partition(":")
    return (text, "") if ":" in port else (host, port)  # several colons: an IPv6 address, or a network of them
