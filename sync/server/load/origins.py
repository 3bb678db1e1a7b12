# SPDX-License-Identifier: EUPL-1.2
"""Determines where a connection comes from: the other end's address, or the address that a trusted proxy names. Kept in
memory while the address is connected or in debt, and never logged."""

import ipaddress
from collections.abc import Iterable, Sequence

UNIX = "unix"
"""What the configuration calls the other end of a unix socket."""
UNKNOWN = ""
"""The origin of connections through a proxy that is not trusted to name it. Limits by address do not apply to it."""
_NETWORK_BITS = 64
"""The bits of an IPv6 address that name a network. A household or an office can use any address within it."""

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def _read(text: str) -> _Address | None:
    """Parses `text`, an IP address as sockets and proxies write it: perhaps with an interface (`%eth0`), in brackets,
    or with a port. Interface and port are dropped. An IPv4 address that is written as IPv6 (`::ffff:192.0.2.1`) becomes
    IPv4. None for other text."""
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
    """The address or network for which the connections from the address `text` are counted: the address itself, or for
    IPv6 its /64 network; UNKNOWN if `text` is no address."""
    found = _read(text)
    if isinstance(found, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((found, _NETWORK_BITS), strict=False))
    return UNKNOWN if found is None else str(found)


def network(text: str) -> _Network | None:
    """Parses `text` as an IP network, such as `10.0.0.0/8`, in which trusted proxies are; a single address is one too.
    None for other text, also for an address within the network (`10.0.0.1/8`)."""
    try:
        return ipaddress.ip_network(text)
    except ValueError:
        return None


class Proxies:
    """Knows which addresses are trusted proxies, and reads from such a proxy's headers where a request comes from."""

    def __init__(self, trusted: Iterable[str], behind_proxy: bool) -> None:
        """`trusted`: the proxies that may name where a request comes from: addresses, networks, and "unix" for the unix
        socket; any other text in it is ignored. `behind_proxy`: every connection is a proxy's, trusted or not."""
        self._unix = UNIX in trusted
        self._networks = [found for found in map(network, trusted) if found is not None]
        self._behind_proxy = behind_proxy

    def trusts(self, peer: str) -> bool:
        """Whether the other end of a connection is a proxy that may name where a request comes from. `peer`: its IP
        address as text, or UNIX for the unix socket. False for other text."""
        if peer == UNIX:
            return self._unix
        found = _read(peer)
        return found is not None and any(found in each for each in self._networks)

    def origin(self, peer: str) -> str:
        """Where a connection comes from whose other end is `peer` (an IP address, or UNIX): the address, or its /64
        network for IPv6, for which the connection is counted. UNKNOWN for a proxy's connection, until `forwarded` reads
        it from the head of the request; for a proxy that is not trusted it stays so."""
        return UNKNOWN if self._behind_proxy or self.trusts(peer) else origin_of(peer)

    def forwarded(self, headers: Sequence[str]) -> str:
        """Where a trusted proxy's request comes from, by its X-Forwarded-For `headers`, in their order: an IPv4
        address, or the /64 network of an IPv6 address. ▲ It is the last entry that is not a trusted proxy's: any client
        can write what is before it. UNKNOWN without such an entry, or if that entry is no address."""
        named = [part for header in headers for part in header.split(",")]
        for part in reversed(named):
            if not self.trusts(part.strip()):
                return origin_of(part)
        return UNKNOWN
