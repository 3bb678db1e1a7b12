# SPDX-License-Identifier: EUPL-1.2
"""When the other servers of policy are asked, in which order, and what is stored. Over real servers and with real
strangers: tests/journeys/test_moved_address.py."""

from collections.abc import Mapping

import pytest

from app.errors import DiskFull
from sync.client.ports import KeptServer
from sync.client.wire import dialled_address
from sync.client.wire.dialled_address import Nowhere, ServerLine
from sync.client.wire.transport import Answer, ServerAddress, Transport
from sync.errors import (
    AddressForbidden,
    CertificateRefused,
    ClockOff,
    NoAddress,
    ProxyWantsName,
    ServerNotNamed,
    ServerUnproven,
    SyncError,
    Unreachable,
    WrongAgency,
)
from tests.world import World

NOBODY = b"a" * 32


class Failing:
    """A dialer that only fails, and notes the order in which such dialers were asked."""

    def __init__(self, name: str, error: SyncError, asked: list[str]) -> None:
        self.address = ServerAddress.parse(name)
        self._error, self._asked = error, asked

    async def open(self) -> Transport:
        self._asked.append(self.address.host)
        raise self._error

    async def request(self, method: str, path: str, headers: Mapping[str, str], content: bytes | None) -> Answer:
        raise self._error

    async def close(self) -> None: ...


class Kept:
    """What the store keeps of the server."""

    def __init__(self, kept: KeptServer | None = None) -> None:
        self.kept = kept
        self.fault: Exception | None = None

    def kept_server(self) -> KeptServer | None:
        return self.kept

    def keep_server(self, server: KeptServer) -> None:
        if self.fault is not None:
            raise self.fault
        self.kept = server


def now_ms() -> int:
    return 0


def line(first: SyncError, *others: SyncError) -> tuple[ServerLine, list[str]]:
    """A line whose addresses a, b, c … fail in these ways, and the list of those asked."""
    asked: list[str] = []
    dialers = [Failing(f"{chr(ord('a') + at)}.example", error, asked) for at, error in enumerate((first, *others))]
    return ServerLine(Kept(), dialers[0], lambda: dialers, NOBODY), asked


async def test_a_server_that_is_started_again_sends_nobody_elsewhere() -> None:
    tried, asked = line(Unreachable("gone"), Unreachable("gone"))
    for _ in range(4):
        with pytest.raises(Unreachable):
            await tried.connect(now_ms)
    assert asked == ["a.example"] * 4


async def test_others_are_asked_in_policys_order_once_the_kept_one_is_silent_for_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dialled_address, "MOVE_AFTER_S", 0.0)
    tried, asked = line(Unreachable("gone"), Unreachable("gone"), Unreachable("gone"))
    with pytest.raises(Unreachable):
        await tried.connect(now_ms)
    assert asked == ["a.example", "b.example", "c.example"]


@pytest.mark.parametrize(
    ("first", "raised"),
    [
        (CertificateRefused("x"), CertificateRefused),
        (WrongAgency("x"), WrongAgency),
        (ServerUnproven("a.example:443"), ServerUnproven),
        (AddressForbidden("x"), ServerNotNamed),
        (NoAddress("x"), NoAddress),
    ],
)
async def test_others_are_asked_at_once_where_the_kept_one_cannot_be_the_server(
    first: SyncError, raised: type[SyncError]
) -> None:
    tried, asked = line(first, Unreachable("gone"))
    with pytest.raises(raised):
        await tried.connect(now_ms)
    assert asked == ["a.example", "b.example"]


@pytest.mark.parametrize("first", [ClockOff("x"), ProxyWantsName("x")])
async def test_an_error_that_another_address_would_not_cure_asks_no_other(first: SyncError) -> None:
    tried, asked = line(first, Unreachable("gone"))
    with pytest.raises(type(first)):
        await tried.connect(now_ms)
    assert asked == ["a.example"]


async def test_the_first_stranger_is_named() -> None:
    tried, asked = line(AddressForbidden("x"), Unreachable("x"), CertificateRefused("x"), WrongAgency("x"))
    with pytest.raises(ServerUnproven) as e:
        await tried.connect(now_ms)
    assert e.value.address == "c.example:443"
    assert len(asked) == 4


async def test_without_policy_nothing_but_the_kept_address_is_asked() -> None:
    with pytest.raises(AddressForbidden):
        await line(AddressForbidden("x"))[0].connect(now_ms)
    with pytest.raises(NoAddress):
        await ServerLine(Kept(), Nowhere(), tuple, NOBODY).connect(now_ms)
    with pytest.raises(NoAddress):
        await Nowhere().request("GET", "/", {}, None)
    assert Nowhere().address.name == ""


async def test_attack_a_server_whose_key_was_never_seen_is_not_moved_to(w: World) -> None:
    """A store that was never connected to its server has no key to recognise it: even the true server is refused at
    another address."""
    (client,) = await w.hire("Handläggare")
    store, asked = Kept(), list[str]()
    kept = Failing("old.example", CertificateRefused("x"), asked)
    tried = ServerLine(store, kept, lambda: [w.dialer()], client.engine.agency)
    with pytest.raises(ServerUnproven):
        await tried.connect(client.engine.parts.link.now_ms)
    assert store.kept is None
    assert tried.address.host == "old.example"


@pytest.mark.parametrize(("fault", "is_ours"), [(DiskFull(), False), (OSError("no room"), True)])
async def test_a_full_disk_or_a_fault_of_ours_keeps_nobody_from_moving(
    w: World, caplog: pytest.LogCaptureFixture, fault: Exception, is_ours: bool
) -> None:
    """An error without a code is logged with its place."""
    (client,) = await w.hire("Handläggare")
    true = client.store.account.kept_server()
    assert true is not None
    store = Kept(KeptServer(address="old.example:443", key=true.key))
    store.fault = fault
    kept = Failing("old.example", CertificateRefused("x"), [])
    tried = ServerLine(store, kept, lambda: [w.dialer()], client.engine.agency)
    await (await tried.connect(client.engine.parts.link.now_ms)).close()
    assert tried.address == w.dialer().address
    assert store.kept == KeptServer(address="old.example:443", key=true.key)
    (line,) = [r for r in caplog.records if "is not stored" in r.getMessage()]
    assert bool(line.exc_info) is is_ours
    store.fault = None
    await (await tried.connect(client.engine.parts.link.now_ms)).close()
    assert store.kept == true


def test_an_address_parsed_from_a_name_has_that_name() -> None:
    for name in ("kansli.example:443", "127.0.0.1:8443", "[::1]:99"):
        assert ServerAddress.parse(name).name == name
