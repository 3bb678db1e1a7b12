# SPDX-License-Identifier: EUPL-1.2
"""Where a connection comes from: the other end's address, or what a proxy that the operator trusts says of it. Kept in
memory while it is connected or in debt, and never logged."""

import ipaddress
from collections.abc import Iterable, Sequence

UNIX = "unix"
"""What the configuration calls the other end of a unix socket."""
UNKNOWN = ""
"""The origin of whoever comes through a proxy that is not trusted to say: limits by address do not hold for it."""
_NETWORK_BITS = 64
"""Of an IPv6 address: a household, or an office, has as many addresses as it likes behind them."""

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def _read(text: str) -> _Address | None:
    """An address as sockets and proxies write it: with an interface, in brackets, with a port."""
    host = text.strip().partition("%")[0]
    if host.startswith("["):
        host = host[1:].partition("]")[0]
    elif host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found


def origin_of(text: str) -> str:
    """The party that an address counts for: itself, or the network of an IPv6 address; UNKNOWN for no address."""
    found = _read(text)
    if isinstance(found, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((found, _NETWORK_BITS), strict=False))
    return UNKNOWN if found is None else str(found)


def network(text: str) -> _Network | None:
    """A network of addresses, one address among them; None for text that is none."""
    try:
        return ipaddress.ip_network(text)
    except ValueError:
        return None


class Proxies:
    """Which other ends are proxies, and whom they speak for."""

    def __init__(self, trusted: Iterable[str], behind_proxy: bool) -> None:
        """`trusted`: addresses, networks and "unix". `behind_proxy`: whoever connects is a proxy, trusted or not."""
        self._unix = UNIX in trusted
        self._networks = [found for found in map(network, trusted) if found is not None]
        self._behind_proxy = behind_proxy

    def trusts(self, peer: str) -> bool:
        """Whether this other end may say for whom it speaks."""
        if peer == UNIX:
            return self._unix
        found = _read(peer)
        return found is not None and any(found in each for each in self._networks)

    def origin(self, peer: str) -> str:
        """Where a connection of this other end comes from, as far as it can be known before its request's head."""
        return UNKNOWN if self._behind_proxy or self.trusts(peer) else origin_of(peer)

    def forwarded(self, headers: Sequence[str]) -> str:
        """▲ Where a trusted proxy's request comes from by its X-Forwarded-For: the last address that no trusted proxy
        has. What stands before it was written by whoever wanted to."""
        named = [part for header in headers for part in header.split(",")]
        for part in reversed(named):
            if not self.trusts(part.strip()):
                return origin_of(part)
        return UNKNOWN
