# SPDX-License-Identifier: EUPL-1.2
"""Which route to the server is taken, from policy, settings and the proxies that the desktop knows."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from app.setting import entries
from app.settings import CA_FILE, EGRESS, PROXY_ADDRESS, PROXY_MODE, SERVERS, Settings
from sync.client.wire.route import ProxyLookup, Route, by, from_environment, straight
from sync.errors import NoProxyScript, ProxyUnnamed

__all__ = ["ProxyLookup", "Routes", "egress_of", "from_environment"]


def _no_script(address: str) -> ProxyLookup | None:
    return None


@dataclass(frozen=True, slots=True)
class Routes:
    """How the desktop finds the proxy for a connection: `system(host, port)` returns the one that the operating system
    names, as "http://host:port", or None for none. `script(address)` returns such a function for the PAC script at that
    address, None where no script can be run. What they ask may wait for the system; call them in a thread."""

    system: ProxyLookup = field(default_factory=lambda: from_environment(os.environ))
    """The proxy that the system names."""
    script: Callable[[str], ProxyLookup | None] = _no_script
    """The proxy that the PAC script at an address names; None where the system cannot run scripts."""


def egress_of(settings: Settings, routes: Routes) -> Route:
    """Which connections out of this computer are allowed, by which proxy, and which certificates are trusted beside
    those of the system, as the settings are now. `routes`: how the desktop finds proxies. Where the settings require a
    proxy that cannot be found, this raises nothing: the Route does (ProxyUnnamed, NoProxyScript) at each connection."""
    ca = settings.get(CA_FILE)
    return Route(
        servers=entries(settings.get(SERVERS)),
        allowed=entries(settings.get(EGRESS)),
        proxy_for=_route(settings, routes),
        ca_file=Path(ca) if ca else None,
    )


def _route(settings: Settings, routes: Routes) -> ProxyLookup:
    address = settings.get(PROXY_ADDRESS).strip()
    match settings.get(PROXY_MODE):
        case "system":
            return routes.system
        case "manual" | "pac" if not address:
            return _unnamed
        case "manual":
            return by(address)
        case "pac":
            return routes.script(address) or _script_unrunnable
        case _:
            return straight


def _unnamed(host: str, port: int) -> str | None:
    """The function that would name the proxy for `host` and `port`, where the settings require a proxy and give no
    address. Always raises ProxyUnnamed, so that the proxy is never bypassed."""
    raise ProxyUnnamed("proxy-address is empty")


def _script_unrunnable(host: str, port: int) -> str | None:
    """The function that would name the proxy for `host` and `port`, where only a script (PAC) could name it and none
    can be run here. Always raises NoProxyScript, so that the proxy is never bypassed."""
    raise NoProxyScript("no PAC script can be run here")
