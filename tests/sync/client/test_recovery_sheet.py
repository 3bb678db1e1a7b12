# SPDX-License-Identifier: EUPL-1.2
"""A recovery sheet is made, interrupted and replaced: over a real server and TLS."""

import asyncio

import pytest

from sync.client.devices.own_devices import Devices
from sync.client.devices.own_recovery_sheet import RecoverySheet
from sync.client.status import LinkState
from sync.errors import Reject, Unreachable
from sync.protocol import messages as m
from sync.trust.person.author import Entry
from sync.trust.person.recovery_sheet import RecoveryCode
from tests.sync.client.quick_audit import w
from tests.sync.client.recovering import asked, attempt, later, refused
from tests.world import World, until

__all__ = ["later", "w"]  # fixtures


async def test_once_a_recovery_sheet_is_in_force_the_root_key_is_on_it_alone(w: World) -> None:
    (a,) = await w.hire("Handläggare")
    assert not a.engine.recovery_sheet.in_force
    assert a.engine.recovery_sheet.may_make
    recovery_sheet = RecoveryCode.parse(await w.make_sheet(a))
    own = a.engine.devices.own_log
    assert own.root_pk == recovery_sheet.root.public
    assert own.recovery_sheet_in_force
    assert a.engine.recovery_sheet.in_force
    account = a.engine.parts.link.account
    assert (account.secrets.root, account.recovery_sheet) == (b"", b"")
    await a.restart()
    await until(lambda: a.engine.status.state is LinkState.ONLINE)
    assert a.engine.parts.link.account.secrets.root == b""
    assert recovery_sheet.secret not in (a.store.load_account() or b"")


async def test_another_recovery_sheet_needs_the_one_before(w: World) -> None:
    (a,) = await w.hire("Handläggare")
    old, new = await w.make_sheet(a), RecoveryCode.fresh()
    assert a.engine.recovery_sheet.needs_old
    with pytest.raises(Reject) as e:
        await a.engine.recovery_sheet.publish(new.format(), RecoveryCode.fresh().format())
    assert e.value.code == "recovery-sheet"
    await a.engine.recovery_sheet.publish(new.format(), old)
    assert a.engine.devices.own_log.root_pk == new.root.public
    assert await refused(w, await attempt(w, a, old)) == "recovery-sheet-unknown"


async def test_a_second_device_has_no_root_and_makes_no_first_recovery_sheet(w: World) -> None:
    (a,) = await w.hire("Handläggare")
    tablet = await w.second(a)
    assert not tablet.engine.recovery_sheet.may_make
    with pytest.raises(Reject) as e:
        await tablet.engine.recovery_sheet.publish(RecoveryCode.fresh().format(), RecoveryCode.fresh().format())
    assert e.value.code == "recovery-sheet"
    recovery_sheet = await w.make_sheet(a)
    await until(lambda: tablet.engine.recovery_sheet.in_force)
    await tablet.engine.recovery_sheet.publish(RecoveryCode.fresh().format(), recovery_sheet)


async def test_a_recovery_sheet_is_not_begun_offline(w: World) -> None:
    (a,) = await w.hire("Handläggare")
    await a.offline()
    with pytest.raises(Unreachable):
        await a.engine.recovery_sheet.publish(RecoveryCode.fresh().format())
    assert a.engine.parts.link.account.recovery_sheet == b""


@pytest.mark.parametrize("placed", [0, 1, 2])
async def test_an_interrupted_recovery_sheet_is_finished_at_the_next_start(
    w: World, placed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    (a,) = await w.hire("Handläggare")
    code, real = RecoveryCode.fresh(), Devices.append

    async def cut(self: Devices, entries: list[Entry]) -> int | None:
        if placed:
            await real(self, entries[:placed])
        raise Unreachable("cut")

    monkeypatch.setattr(Devices, "append", cut)
    with pytest.raises(Unreachable):
        await a.engine.recovery_sheet.publish(code.format())
    assert a.engine.parts.link.account.secrets.root
    monkeypatch.setattr(Devices, "append", real)
    await a.restart()
    await until(lambda: a.engine.recovery_sheet.in_force)
    assert a.engine.devices.own_log.root_pk == code.root.public
    assert a.engine.devices.own_log.recovery_sheet_in_force
    account = a.engine.parts.link.account
    assert (account.secrets.root, account.recovery_sheet) == (b"", b"")


async def test_two_devices_that_make_a_recovery_sheet_at_once_leave_one_that_works(w: World) -> None:
    (a,) = await w.hire("Handläggare")
    old, tablet = await w.make_sheet(a), await w.second(a)
    codes = [RecoveryCode.fresh(), RecoveryCode.fresh()]
    ends = await asyncio.gather(
        a.engine.recovery_sheet.publish(codes[0].format(), old),
        tablet.engine.recovery_sheet.publish(codes[1].format(), old),
        return_exceptions=True,
    )
    assert [getattr(e, "code", e) for e in ends].count("recovery-sheet") == 1
    await until(lambda: a.engine.devices.own_log.head == tablet.engine.devices.own_log.head)
    own = a.engine.devices.own_log
    assert own.root_pk in [code.root.public for code in codes]
    assert own.recovery_sheet_in_force
    assert a.engine.parts.link.account.secrets.root == tablet.engine.parts.link.account.secrets.root == b""


async def test_a_recovery_sheet_whose_answer_was_lost_may_be_followed_by_another(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first is in force although nobody here knows it, and its paper may be gone."""
    (a,) = await w.hire("Handläggare")
    first, second, real = RecoveryCode.fresh(), RecoveryCode.fresh(), Devices.append

    async def later(self: RecoverySheet) -> None:
        """The engine has not run it yet."""

    monkeypatch.setattr(RecoverySheet, "finish", later)

    async def lost(self: Devices, entries: list[Entry]) -> int | None:
        signed = [m.Signed(body, sig) for body, sig in entries]
        await self._link.online.request(lambda rid: m.UserAppend(rid=rid, entries=signed), m.Ok)
        raise Unreachable("lost")

    monkeypatch.setattr(Devices, "append", lost)
    with pytest.raises(Unreachable):
        await a.engine.recovery_sheet.publish(first.format())
    assert a.engine.recovery_sheet.waits(first.format())
    monkeypatch.setattr(Devices, "append", real)
    for _ in range(2):  # and pressing the button again does no harm
        await a.engine.recovery_sheet.publish(second.format())
        own, account = a.engine.devices.own_log, a.engine.parts.link.account
        assert (own.root_pk, own.recovery_sheet_in_force) == (second.root.public, True)
        assert (account.secrets.root, account.recovery_sheet) == (b"", b"")
    await asked(w, await attempt(w, a, second.format()))
