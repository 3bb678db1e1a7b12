# SPDX-License-Identifier: EUPL-1.2
"""What the root key of a recovery sheet revokes, and when: over a real server and TLS."""

from collections.abc import Callable

import pytest

from app.core import clock
from sync.errors import Refused, Reject
from tests.sync.client.quick_audit import w
from tests.sync.client.recovering import DAY_MS, later, revoked_by_agency
from tests.world import World, until

__all__ = ["later", "w"]  # fixtures


async def test_attack_the_root_alone_revokes_no_device_that_was_here_lately_within_a_day(
    w: World, later: Callable[[int], None]
) -> None:
    (a,) = await w.hire("Handläggare")
    recovery_sheet, tablet = await w.make_sheet(a), await w.second(a)
    first = a.engine.parts.link.account.dev
    with pytest.raises(Reject) as e:
        await tablet.engine.devices.revoke(first)  # younger
    assert e.value.code == "older"
    ready = await tablet.engine.recovery_sheet.revoke(first, recovery_sheet)
    assert ready is not None
    assert ready > clock.now_ms() + DAY_MS - 60_000
    await until(lambda: [(r.what, r.mine) for r in a.engine.recovery_sheet.asked] == [("revoke", True)])
    assert await tablet.engine.recovery_sheet.revoke(first, recovery_sheet) == ready
    await a.engine.recovery_sheet.veto(a.engine.recovery_sheet.asked[0])
    later(DAY_MS + 1000)
    with pytest.raises(Refused) as refusal:
        await tablet.engine.recovery_sheet.revoke(first, recovery_sheet)
    assert refusal.value.code == "vetoed"
    await revoked_by_agency(w, a, first)
    await until(lambda: tablet.engine.devices.own_log.devices[first].revoked is not None)


async def test_the_root_revokes_after_a_day_and_at_once_what_was_not_here_for_a_month(
    w: World, later: Callable[[int], None]
) -> None:
    (a,) = await w.hire("Handläggare")
    recovery_sheet = await w.make_sheet(a)
    tablet, phone = await w.second(a), await w.second(a)
    devs = [c.engine.parts.link.account.dev for c in (a, tablet)]
    assert await phone.engine.recovery_sheet.revoke(devs[0], recovery_sheet) is not None
    later(DAY_MS + 1000)
    assert await phone.engine.recovery_sheet.revoke(devs[0], recovery_sheet) is None
    await until(lambda: a.engine.status.code == "revoked")
    later(31 * DAY_MS)
    assert await phone.engine.recovery_sheet.revoke(devs[1], recovery_sheet) is None
    assert phone.engine.recovery_sheet.asked == []


async def test_attack_rotations_by_revocation_are_three_a_day(w: World, later: Callable[[int], None]) -> None:
    (a,) = await w.hire("Handläggare")
    for _ in range(3):
        tablet = await w.second(a)
        await a.engine.devices.revoke(tablet.engine.parts.link.account.dev)
    fourth = (await w.second(a)).engine.parts.link.account.dev
    with pytest.raises(Refused) as e:
        await a.engine.devices.revoke(fourth)
    assert (e.value.code, e.value.detail) == ("busy", "revocations")
    later(DAY_MS + 1000)
    await a.engine.devices.revoke(fourth)
    fifth = (await w.second(a)).engine.parts.link.account.dev
    await revoked_by_agency(w, a, fifth)
