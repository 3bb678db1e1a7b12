# SPDX-License-Identifier: EUPL-1.2
"""Two devices write to one log at the same moment, in both orders: the one that loses drafts again by itself, and a
person never reads "conflict". Enrolments, returns, and members who are added. Real clients, and a real server with
its real store, over TLS."""

import asyncio
from typing import Any

import pytest

from app.core import clock
from sync.client.account.account_recovery import Attempt, Recovery, Returned
from sync.client.account.enrolment import Enrolled, Enrolment, register
from sync.server.operator import admin
from sync.server.rules import recovery_requests
from sync.server.rules.handshake import now_ms
from sync.server.rules.people import People
from sync.server.rules.placing import Placing
from sync.server.store.sql_people import SqlPeople
from sync.trust.person.recovery_sheet import RecoveryCode
from tests.sync.client.quick_audit import w
from tests.sync.client.races import DAY_MS, ORDERS, OURS, THEIRS, Race, at_the_disk, behind, both, dev
from tests.world import Client, World, until

__all__ = ["behind", "w"]  # fixtures


# -- enrolment ------------------------------------------------------------------------------------------------------


@ORDERS
async def test_one_enrolment_that_is_registered_twice_at_once_is_accepted_once(
    w: World, monkeypatch: pytest.MonkeyPatch, first: str
) -> None:
    """The line was cut and the program dialled again, while the server still had the first request at its disk."""
    code, made = await w.invite("Handläggare"), asyncio.get_running_loop().create_future()
    calls: list[bool] = []

    def ours(*args: object) -> bool:
        calls.append(not calls)
        return calls[-1]

    race = Race(monkeypatch, SqlPeople, "enrol", ours, first)
    arriving = asyncio.ensure_future(Enrolment(w.dialer(), code, clock.now_ms).accept(made.set_result))
    kept: Enrolled = await made
    await until(lambda: race.calls == [OURS])
    again_ = register(w.dialer(), kept.account.agency_pk, kept.entries, clock.now_ms)
    assert [e for e in await both(arriving, again_) if isinstance(e, Exception)] == []
    assert race.was_run


@ORDERS
async def test_of_two_computers_that_use_one_code_one_enrols_and_the_other_is_shown_why_not(
    w: World, monkeypatch: pytest.MonkeyPatch, first: str
) -> None:
    code = await w.invite("Handläggare")
    kept: list[Enrolled] = []

    def ours(store: object, invite_pk: bytes, user: Any, entries: object) -> bool:
        return bool(user.uid == kept[0].account.uid)

    race = Race(monkeypatch, SqlPeople, "enrol", ours, first)
    arriving = [Enrolment(w.dialer(), code, clock.now_ms).accept(kept.append) for _ in range(2)]
    ends = await both(*arriving)
    assert race.was_run
    codes = {e.account.uid if isinstance(e, Enrolled) else "": getattr(e, "code", "") for e in ends}
    at = 0 if first == OURS else 1
    assert codes == {kept[at].account.uid: "", "": "code-used"}


# -- return ---------------------------------------------------------------------------------------------------------


async def may_come_back(
    w: World, monkeypatch: pytest.MonkeyPatch, who: Client, recovery_sheet: str, *, revoke: bool
) -> Recovery:
    """A person who asked with the recovery sheet, a day later: the server waits for vetoes by this clock."""
    tried = Attempt.begin(await w.invite_back(who.uid), recovery_sheet, revoke=revoke)
    found = Recovery(w.dialer(), tried, clock.now_ms)
    assert not isinstance(await found.ask(), Returned)
    monkeypatch.setattr(recovery_requests, "now_ms", lambda: now_ms() + DAY_MS + 1000)
    return found


@ORDERS
async def test_a_return_and_a_new_key_of_another_device_both_come_in(
    w: World, monkeypatch: pytest.MonkeyPatch, first: str
) -> None:
    (a,) = await w.hire("Handläggare")
    found = await may_come_back(w, monkeypatch, a, await w.make_sheet(a), revoke=False)
    race = at_the_disk(monkeypatch, "binding", first)
    back, none = await both(found.ask(), a.engine.devices.renew())
    assert race.was_run
    assert isinstance(back, Returned), back
    assert none is None
    await until(lambda: len(a.engine.devices.own_log.devices) == 2)
    assert len(a.engine.devices.own_log.puks) == 3
    assert back.account.dev in a.engine.devices.own_log.devices


@ORDERS
async def test_a_return_that_revokes_and_a_new_key_of_the_revoked_device_do_not_hang(
    w: World, monkeypatch: pytest.MonkeyPatch, first: str
) -> None:
    """A device that the winner revokes learns of its revocation, and does not try again."""
    (a,) = await w.hire("Handläggare")
    found = await may_come_back(w, monkeypatch, a, await w.make_sheet(a), revoke=True)
    race = at_the_disk(monkeypatch, "binding", first)
    back, none = await both(found.ask(), a.engine.devices.renew())
    assert race.was_run
    assert isinstance(back, Returned), back
    assert none is None if first == THEIRS else getattr(none, "code", "") in ("revoked", "unreachable"), none
    await until(lambda: a.engine.status.code == "revoked")


async def test_a_return_by_a_recovery_sheet_that_is_replaced_during_it_has_an_error_of_its_own(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    (a,) = await w.hire("Handläggare")
    old = await w.make_sheet(a)
    found = await may_come_back(w, monkeypatch, a, old, revoke=False)
    race = at_the_disk(monkeypatch, "binding", THEIRS)
    back, none = await both(found.ask(), a.engine.recovery_sheet.publish(RecoveryCode.fresh().format(), old))
    assert race.was_run
    assert getattr(back, "code", back) == "recovery-sheet-unknown"
    assert none is None
    assert len(a.engine.devices.own_log.devices) == 1


async def lost_and_revoked(w: World) -> Recovery:
    """A person who has lost the computer, which the agency's command line has just revoked."""
    (a,) = await w.hire("Handläggare")
    recovery_sheet, code = await w.make_sheet(a), await w.invite_back(a.uid)
    await a.stop()
    w.clients.remove(a)
    await admin.revoke(w.data, uid=a.uid, dev=dev(a))
    return Recovery(w.dialer(), Attempt.begin(code, recovery_sheet), clock.now_ms)


async def test_a_return_right_after_the_agencys_revocation_is_taken_at_once(behind: World) -> None:
    found = await lost_and_revoked(behind)
    assert isinstance(await found.ask(), Returned)


async def test_a_return_waits_no_day_for_a_device_that_was_revoked_a_moment_ago(
    behind: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The revocation came between reading the log and the request."""
    (a,) = await behind.hire("Handläggare")
    recovery_sheet, code = await behind.make_sheet(a), await behind.invite_back(a.uid)
    await a.stop()
    behind.clients.remove(a)
    found, real = Recovery(behind.dialer(), Attempt.begin(code, recovery_sheet), clock.now_ms), Recovery._back
    looked: list[int] = []

    async def revoked(self: Recovery, *args: Any) -> Any:
        if not looked:
            looked.append(1)
            await admin.revoke(behind.data, uid=a.uid, dev=dev(a))
        return await real(self, *args)

    monkeypatch.setattr(Recovery, "_back", revoked)
    assert isinstance(await found.ask(), Returned)


async def test_a_return_waits_for_a_server_that_looks_at_its_command_line_once_a_second(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(People, "newest", People.load)
    found = await lost_and_revoked(w)
    assert isinstance(await found.ask(), Returned)


# -- rooms ----------------------------------------------------------------------------------------------------------


@ORDERS
async def test_two_administrators_who_add_somebody_at_once_both_do(
    w: World, monkeypatch: pytest.MonkeyPatch, first: str
) -> None:
    a, b, c, d = await w.hire("Handläggare", "Enhetschef", "Registrator", "Verksjurist")
    room = await w.room(a, b)
    await a.engine.operations.set_role(room, b.uid, 3)
    await w.settle(room, a, b)
    for client, other in ((a, c), (b, d)):
        await client.engine.directory(other.name)

    def ours(placing: object, who: Any, frame: object) -> bool:
        return bool(who.uid == a.uid)

    race = Race(monkeypatch, Placing, "append", ours, first)
    added = [client.engine.operations.add(room, other.uid, 2, history=True) for client, other in ((a, c), (b, d))]
    assert await both(*added) == [None, None]
    assert race.was_run
    await w.settle(room)
    assert {c.uid, d.uid} <= set(a.engine.parts.link.rooms[room].stream.members)
