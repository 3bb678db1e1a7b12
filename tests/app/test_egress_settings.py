# SPDX-License-Identifier: EUPL-1.2
"""The way to the server as settings and policy have it, at the moment of each connection."""

from pathlib import Path

import pytest

from app.arrival.egress import Routes, egress_of
from app.setting import Value
from app.settings import PROXY_ADDRESS, PROXY_MODE, Settings
from sync.client.wire.transport import ServerAddress
from sync.errors import AddressForbidden, NoProxyScript, ProxyUnnamed, WorldError

ROUTES = Routes(
    system=lambda host, port: "http://system.example:1",
    script=lambda address: lambda host, port: f"by.script.example:{len(address)}",
)
SERVER = ServerAddress.parse("kansli.example")


def settings(folder: Path, **policy: Value) -> Settings:
    return Settings(folder / "settings.json", {key.replace("_", "-"): value for key, value in policy.items()})


@pytest.mark.parametrize(
    ("mode", "address", "proxy"),
    [
        ("system", "", "http://system.example:1"),
        ("system", "p.example:3128", "http://system.example:1"),
        ("none", "p.example:3128", None),
        ("manual", "p.example:3128", "http://p.example:3128"),
        ("pac", "http://wpad/x", "http://by.script.example:13"),
    ],
)
def test_the_proxy_is_the_one_in_the_settings(tmp_path: Path, mode: str, address: str, proxy: str | None) -> None:
    found = settings(tmp_path)
    found.set(PROXY_MODE, mode)
    found.set(PROXY_ADDRESS, address)
    assert egress_of(found, ROUTES).proxy(SERVER.host, SERVER.port) == proxy


@pytest.mark.parametrize(
    ("mode", "address", "fault"),
    [
        ("pac", "http://wpad/x", NoProxyScript),
        ("pac", "", ProxyUnnamed),
        ("manual", "", ProxyUnnamed),
        ("manual", " ", ProxyUnnamed),
    ],
)
def test_a_proxy_that_cannot_be_found_out_is_not_gone_around_and_the_fault_is_named(
    tmp_path: Path, mode: str, address: str, fault: type[WorldError]
) -> None:
    found = settings(tmp_path, proxy_mode=mode, **({"proxy_address": address} if address.isspace() else {}))
    if not address.isspace():
        found.set(PROXY_ADDRESS, address)
    with pytest.raises(fault):
        egress_of(found, Routes()).proxy("a.example", 443)


def test_policy_decides_which_hosts_are_allowed(tmp_path: Path) -> None:
    egress = egress_of(
        settings(tmp_path, servers="kansli.example, andra.example:8443", egress="*.turn.example"), ROUTES
    )
    egress.check(SERVER.host, SERVER.port, SERVER)
    egress.check("a.turn.example", 443, SERVER)
    with pytest.raises(AddressForbidden):
        egress.check("b.example", 443, ServerAddress.parse("b.example"))
    with pytest.raises(AddressForbidden):
        egress.check("b.example", 443, SERVER)


def test_the_agencys_certificates_are_named(tmp_path: Path) -> None:
    assert egress_of(settings(tmp_path), ROUTES).ca_file is None
    assert egress_of(settings(tmp_path, ca_file="/etc/ca.pem"), ROUTES).ca_file == Path("/etc/ca.pem")
