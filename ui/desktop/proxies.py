# SPDX-License-Identifier: EUPL-1.2
"""The proxies that the system knows: the environment's, Windows' own, and those of a PAC script. It opens no
connection: the system fetches and runs a script."""

import ctypes
import os
import sys
from collections.abc import Callable
from ctypes import wintypes

from PySide6.QtCore import QUrl
from PySide6.QtNetwork import QNetworkProxy, QNetworkProxyFactory, QNetworkProxyQuery

from app.arrival.egress import ProxyLookup, Routes, from_environment

Query = Callable[[QNetworkProxyQuery], list[QNetworkProxy]]
_HTTP = (QNetworkProxy.ProxyType.HttpProxy, QNetworkProxy.ProxyType.HttpCachingProxy)


def routes() -> Routes:
    """How this desktop's proxies are found: from the environment; on other systems than Linux, if the environment names
    none, from the system's settings. Also, on Windows, by a script (PAC) where Kansli's settings ask for one."""
    named = from_environment(os.environ)
    if sys.platform == "linux":  # Qt has only the environment too there, and knows no HTTPS_PROXY
        return Routes(system=named)
    return Routes(system=lambda host, port: named(host, port) or of_qt(host, port), script=by_script)


def of_qt(host: str, port: int, query: Query = QNetworkProxyFactory.systemProxyForQuery) -> str | None:
    """The proxy for connections to `host` and `port` by Windows' settings, also by their PAC script and WPAD (a script
    found on the network): "http://host:port", or "socks5://host:port" for a SOCKS proxy, which the caller must refuse.
    Only the first proxy that the settings give counts. None for no proxy, or one of another kind. May wait for the
    network: call it in a thread. `query` asks Qt for the proxies; it is replaced in tests."""
    for proxy in query(QNetworkProxyQuery(QUrl(url_of(host, port)))):
        if proxy.type() in _HTTP:
            there = f"[{proxy.hostName()}]" if ":" in proxy.hostName() else proxy.hostName()
            return f"http://{there}:{proxy.port()}"
        if proxy.type() is QNetworkProxy.ProxyType.Socks5Proxy:
            return f"socks5://{proxy.hostName()}:{proxy.port()}"  # the route refuses it, by its scheme
        return None
    return None


def url_of(host: str, port: int) -> str:
    """The https address of `host` and `port`, for which a proxy is asked for. `host` may be an IPv6 address, without
    brackets."""
    return f"https://[{host}]:{port}/" if ":" in host else f"https://{host}:{port}/"


def first_of(answer: str) -> str | None:
    """The first proxy that WinHTTP (Windows' HTTP library) names in its `answer` for a script, as "host:port". The
    answer is "host:port;host:port", or separated by spaces. None if it names none."""
    for part in answer.replace(" ", ";").split(";"):
        if part.strip():
            return part.strip().removeprefix("PROXY=")
    return None


def by_script(address: str) -> ProxyLookup | None:
    """A function that gets a host and a port and returns the proxy for them, as "host:port" (None: no proxy), by the
    PAC script at `address`, which WinHTTP (Windows' HTTP library) fetches and runs. The function may wait for the
    network: call it in a thread. It raises OSError if the script cannot be fetched or run. Returns None in place of a
    function on systems other than Windows."""
    if sys.platform == "win32":

        def route(host: str, port: int) -> str | None:
            return first_of(_winhttp(address, url_of(host, port)))

        return route
    return None


_ACCESS_NO_PROXY, _BY_URL = 1, 2


class Wanted(ctypes.Structure):
    """The options for WinHTTP's search for a proxy (WINHTTP_AUTOPROXY_OPTIONS). `logon`: whether the server of the
    script may ask for the person's Windows name and a proof of the password. Always False: an attacker on the network
    path could ask, too."""

    _fields_ = (
        ("flags", wintypes.DWORD),
        ("detect", wintypes.DWORD),
        ("address", wintypes.LPCWSTR),
        ("reserved", ctypes.c_void_p),
        ("reserved2", wintypes.DWORD),
        ("logon", wintypes.BOOL),
    )

    @classmethod
    def script_at(cls, address: str) -> "Wanted":
        """The options for the PAC script at an address, fetched without the person's name."""
        return cls(flags=_BY_URL, address=address, logon=False)


if sys.platform == "win32":

    class _ProxyInfo(ctypes.Structure):
        _fields_ = (("access", wintypes.DWORD), ("proxy", ctypes.c_void_p), ("bypass", ctypes.c_void_p))

    def _winhttp(script: str, url: str) -> str:
        """The proxies for a URL, "" for none. OSError if the script cannot be fetched or run."""
        winhttp = ctypes.WinDLL("winhttp", use_last_error=True)
        winhttp.WinHttpOpen.restype = ctypes.c_void_p
        session = winhttp.WinHttpOpen("Kansli", _ACCESS_NO_PROXY, None, None, 0)
        options, found = Wanted.script_at(script), _ProxyInfo()
        try:
            done = winhttp.WinHttpGetProxyForUrl(
                ctypes.c_void_p(session), url, ctypes.byref(options), ctypes.byref(found)
            )
            if not done:
                raise OSError(ctypes.get_last_error(), "no proxy by the script")
            answer = ctypes.wstring_at(found.proxy) if found.proxy else ""
            for kept in (found.proxy, found.bypass):
                if kept:
                    ctypes.windll.kernel32.GlobalFree(ctypes.c_void_p(kept))
            return answer
        finally:
            winhttp.WinHttpCloseHandle(ctypes.c_void_p(session))
