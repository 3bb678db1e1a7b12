# SPDX-License-Identifier: EUPL-1.2
"""What policy says takes effect in the program before any window: servers, ways of unlocking, the log."""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.bootstrap import Office
from app.core import log
from app.errors import BadCaFile, ServerNotAllowed
from app.policy import Policy
from app.profile import Profile
from app.setting import Value
from app.settings import LOG_LEVEL, SERVERS
from sync.errors import BadAddress

Under = Callable[[dict[str, Value]], Office]


@pytest.fixture
def profile(tmp_path: Path) -> Iterator[Profile]:
    made = Profile.open(root=tmp_path)
    yield made
    made.close()


@pytest.fixture
def under(profile: Profile) -> Under:
    """An office on a machine with this policy, which may be changed."""
    return lambda fixed: Office(profile, read_policy=lambda: Policy(fixed=dict(fixed)))


@pytest.mark.parametrize(
    ("servers", "server", "good"),
    [
        ("", "anything.example", True),
        ("kansli.example", "kansli.example", True),
        ("kansli.example", "https://KANSLI.example:443/", True),
        ("https://kansli.example:8443/, other.example", "kansli.example:8443", True),
        ("https://kansli.example:8443/, other.example", "other.example", True),
        ("kansli.example", "kansli.example:8443", False),
        ("kansli.example", "evil.example", False),
        ("kansli.example", "kansli.example.evil.example", False),
        ("[::1]:99", "[::1]:99", True),
        ("a..b", "kansli.example", False),
    ],
)
def test_only_the_servers_that_policy_names_are_used(under: Under, servers: str, server: str, good: bool) -> None:
    office = under({"servers": servers})
    assert office.settings.get(SERVERS) == servers
    if good:
        office.place.dialer(server)
    else:
        with pytest.raises(ServerNotAllowed):
            office.place.dialer(server)


def test_what_is_no_address_is_still_that(under: Under) -> None:
    with pytest.raises(BadAddress):
        under({"servers": "kansli.example"}).place.dialer("http://kansli.example")


def test_only_the_certificates_that_policy_names_are_trusted(under: Under, tmp_path: Path) -> None:
    with pytest.raises(BadCaFile):
        under({"ca-file": str(tmp_path / "none.pem")}).place.dialer("kansli.example")


@pytest.mark.parametrize(
    ("fixed", "kinds"),
    [
        ({}, {"passphrase", "keyring"}),
        ({"allow-keyring": False}, {"passphrase"}),
        ({"allow-passphrase": False}, {"keyring"}),
        ({"allow-keyring": False, "allow-passphrase": False}, {"passphrase"}),
    ],
)
def test_only_the_unlock_methods_that_policy_allows_are_offered(
    under: Under, fixed: dict[str, Value], kinds: set[str]
) -> None:
    office = under(fixed)
    assert {kind for kind in ("passphrase", "keyring") if office.allowed(kind)} == kinds
    if "keyring" not in kinds:
        assert not office.keyring_available()


def test_a_policy_that_came_since_is_in_force_when_it_is_read_again(under: Under) -> None:
    fixed: dict[str, Value] = {}
    office = under(fixed)
    office.place.dialer("any.example")
    fixed |= {"servers": "kansli.example", "allow-keyring": False}
    office.renew_policy()
    with pytest.raises(ServerNotAllowed):
        office.place.dialer("any.example")
    assert not office.allowed("keyring")


def test_the_logs_level_follows_at_once(under: Under, tmp_path: Path) -> None:
    fixed: dict[str, Value] = {"log-level": "warning"}
    office = under(fixed)
    log.start(tmp_path / "logs", office.settings.get(LOG_LEVEL))
    try:
        fixed["log-level"] = "debug"
        office.renew_policy()
        assert logging.getLogger("sync").level == logging.DEBUG
        fixed.clear()
        office.renew_policy()
        office.settings.set(LOG_LEVEL, "warning")
        assert logging.getLogger("sync").level == logging.WARNING
    finally:
        log.stop()
