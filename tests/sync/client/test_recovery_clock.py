# SPDX-License-Identifier: EUPL-1.2
"""What a recovery sheet asks for while the server's clock is wrong: over a real server and TLS."""

from collections.abc import Callable

import pytest

from sync.errors import Refused
from sync.server.rules import recovery_requests
from sync.server.rules.handshake import now_ms
from tests.sync.client.quick_audit import w
from tests.sync.client.recovering import DAY_MS, asked, attempt, refused
from tests.world import Client, World, until

__all__ = ["w"]  # a fixture

SetClock = Callable[[int], None]


@pytest.fixture
def set_clock(w: World, monkeypatch: pytest.MonkeyPatch) -> SetClock:
    """Sets the server's clock, by which it waits for vetoes, ahead of the true time or behind it (ms)."""

    def set_by(ms: int) -> None:
        assert w.running is not None
        monkeypatch.setattr(w.running.service.clock, "_clock", lambda: now_ms() + ms)
        monkeypatch.setattr(recovery_requests, "now_ms", lambda: now_ms() + ms)

    return set_by


async def test_attack_a_return_that_was_asked_for_by_a_clock_a_day_behind_waits_its_whole_day(
    w: World, set_clock: SetClock
) -> None:
    (a,) = await w.hire("Handläggare")
    tried = await attempt(w, a, await w.make_sheet(a))
    set_clock(-DAY_MS - 60_000)
    assert await refused(w, tried) == "busy"
    set_clock(0)
    assert await asked(w, tried) > now_ms() + DAY_MS - 60_000
    await until(lambda: [row.what for row in a.engine.recovery_sheet.asked] == ["add"])
    assert len(a.engine.devices.own_log.devices) == 1


async def test_a_return_that_waits_is_not_replaced_while_the_clock_is_wrong(w: World, set_clock: SetClock) -> None:
    (a,) = await w.hire("Handläggare")
    tried = await attempt(w, a, await w.make_sheet(a))
    ready = await asked(w, tried)
    set_clock(-DAY_MS)
    assert await refused(w, tried) == "busy"
    set_clock(0)
    assert await asked(w, tried) == ready


@pytest.mark.parametrize("wrong", [-DAY_MS - 60_000, 40 * DAY_MS], ids=["behind", "so far ahead that nobody was seen"])
async def test_attack_a_revocation_that_was_asked_for_by_a_wrong_clock_waits_its_whole_day(
    w: World, set_clock: SetClock, wrong: int
) -> None:
    (a,) = await w.hire("Handläggare")
    recovery_sheet, tablet = await w.make_sheet(a), await w.second(a)
    set_clock(wrong)
    with pytest.raises(Refused) as e:
        await revoked_by(tablet, a, recovery_sheet)
    assert (e.value.code, e.value.detail) == ("busy", "clock")
    set_clock(0)
    ready = await revoked_by(tablet, a, recovery_sheet)
    assert ready is not None
    assert ready > now_ms() + DAY_MS - 60_000
    await until(lambda: [row.what for row in a.engine.recovery_sheet.asked] == ["revoke"])


async def revoked_by(tablet: Client, a: Client, recovery_sheet: str) -> int | None:
    """When the sheet's revocation of `a` may be made; None if it was made."""
    return await tablet.engine.recovery_sheet.revoke(a.engine.parts.link.account.dev, recovery_sheet)
