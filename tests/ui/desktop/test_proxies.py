# SPDX-License-Identifier: EUPL-1.2
"""Answers of Qt and WinHTTP about proxies, as the lookup reads them."""

import pytest
from PySide6.QtNetwork import QNetworkProxy, QNetworkProxyQuery

from ui.desktop.proxies import Wanted, by_script, first_of, of_qt, routes, url_of

Type = QNetworkProxy.ProxyType


@pytest.mark.parametrize(
    ("proxies", "expected"),
    [
        ([QNetworkProxy(Type.NoProxy)], None),
        ([], None),
        ([QNetworkProxy(Type.HttpProxy, "p.example", 3128)], "http://p.example:3128"),
        ([QNetworkProxy(Type.HttpCachingProxy, "::1", 3128)], "http://[::1]:3128"),
        ([QNetworkProxy(Type.Socks5Proxy, "p.example", 1080)], "socks5://p.example:1080"),
        ([QNetworkProxy(Type.HttpProxy, "a", 1), QNetworkProxy(Type.NoProxy)], "http://a:1"),
    ],
)
def test_what_qt_says(proxies: list[QNetworkProxy], expected: str | None) -> None:
    asked: list[str] = []

    def query(query: QNetworkProxyQuery) -> list[QNetworkProxy]:
        asked.append(query.url().toString())
        return proxies

    assert of_qt("kansli.example", 8443, query) == expected
    assert asked == ["https://kansli.example:8443/"]


def test_an_ipv6_host_is_in_brackets() -> None:
    assert url_of("kansli.example", 8443) == "https://kansli.example:8443/"
    assert url_of("2001:db8::1", 443) == "https://[2001:db8::1]:443/"


@pytest.mark.parametrize(
    ("answer", "proxy"), [("", None), ("p:1", "p:1"), ("p:1;q:2", "p:1"), ("p:1 q:2", "p:1"), (" ; p:1", "p:1")]
)
def test_what_winhttp_says(answer: str, proxy: str | None) -> None:
    assert first_of(answer) == proxy


def test_linux_has_the_environment_and_runs_no_scripts(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    found = routes()
    assert found.system("kansli.example", 443) is None
    monkeypatch.setenv("HTTPS_PROXY", "http://p.example:3128")
    assert found.system("kansli.example", 443) == "http://p.example:3128"
    assert found.script("http://wpad/wpad.dat") is None
    assert by_script("http://wpad/wpad.dat") is None


def test_a_script_is_fetched_without_the_persons_name() -> None:
    wanted = Wanted.script_at("http://wpad.example/wpad.dat")
    assert (wanted.flags, wanted.address) == (2, "http://wpad.example/wpad.dat")
    assert not wanted.logon
