# SPDX-License-Identifier: EUPL-1.2
"""Two devices write to one log at the same moment, in both orders: the one that loses drafts again by itself, and a
person never reads "conflict". Real clients, and a real server with its real store, over TLS."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from app.core import clock
from app.core.ids import DevId
from sync.client.account import compare_and_swap
from sync.client.account.account_recovery import Attempt, Recovery, Returned
from sync.client.account.enrolment import Enrolled, Enrolment, register
from sync.client.devices.device_pairing import Guest, Host, Joined
from sync.client.exchange import member_audit
from sync.client.status import LinkState
from sync.errors import Refused
from sync.server.operator import admin
from sync.server.rules import recovery_requests, service
from sync.server.rules.handshake import now_ms
from sync.server.rules.people import People
from sync.server.rules.placing import Placing
from sync.server.store.base import EntryRow
from sync.server.store.sql_people import SqlPeople
from sync.trust.person.agency import encode_record
from sync.trust.person.recovery_sheet import RecoveryCode
from sync.trust.person.user_entry import UserEntry
from tests.world import Client, World, until, world

DAY_MS = 86_400_000
PATIENCE_S = 20.0
OURS, THEIRS = "ours", "theirs"
ORDERS = pytest.mark.parametrize("first", [OURS, THEIRS])


@pytest_asyncio.fixture
async def w(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    monkeypatch.setattr(member_audit, "SPREAD_S", 0.2)
    async with world(tmp_path) as running:
        yield running


@pytest_asyncio.fixture
async def behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    """A server that does not read what the agency's command line adds to its store."""
    monkeypatch.setattr(service, "WATCH_S", 3600.0)
    async with world(tmp_path) as running:
        yield running


class Race:
    """Holds the first two calls of a method until both have begun, and lets them continue one after the other."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, owner: type, name: str, ours: Callable[..., bool], first: str):
        """`ours`: whether a call with these arguments is the one that the test is about."""
        self._real, self._ours, self._first = getattr(owner, name), ours, first
        self.calls: list[str] = []
        self._both, self._done = asyncio.Event(), asyncio.Event()
        monkeypatch.setattr(owner, name, lambda *a, **k: self._call(*a, **k))

    async def _call(self, *args: Any, **named: Any) -> Any:
        if len(self.calls) >= 2:
            return await self._real(*args, **named)
        who = OURS if self._ours(*args) else THEIRS
        self.calls.append(who)
        if len(self.calls) == 2:
            self._both.set()
        async with asyncio.timeout(PATIENCE_S):
            await self._both.wait()
            if who != self._first:
                await self._done.wait()
        try:
            return await self._real(*args, **named)
        finally:
            self._done.set()

    @property
    def was_run(self) -> bool:
        return sorted(self.calls) == [OURS, THEIRS]


def at_the_disk(monkeypatch: pytest.MonkeyPatch, kind: str, first: str) -> Race:
    """Two calls that append to one user log have both been judged, and reach the compare-and-swap. Ours begins with an
    entry of this type."""

    def ours(store: object, uid: bytes, seq: int, entries: list[EntryRow], *rest: object) -> bool:
        return UserEntry.decode(entries[0].body).type == kind

    return Race(monkeypatch, SqlPeople, "append_user", ours, first)


async def both(*operations: Awaitable[object]) -> list[object]:
    return await asyncio.gather(*operations, return_exceptions=True)


def dev(client: Client) -> DevId:
    return client.engine.parts.link.account.dev


async def same_log(*clients: Client) -> None:
    await until(lambda: len({c.engine.devices.own_log.head for c in clients}) == 1)


async def three(w: World) -> tuple[Client, Client, Client]:
    """Three devices of one person that know of each other."""
    (a,) = await w.hire("Handläggare")
    tablet = await w.second(a)
    phone = await w.second(a)
    await same_log(a, tablet, phone)
    return a, tablet, phone


async def code_of(operation: Awaitable[object]) -> str:
    with pytest.raises(Refused) as e:
        await operation
    return e.value.code


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


# -- pairing --------------------------------------------------------------------------------------------------------


async def waiting_guest(w: World, a: Client, *, by_code: bool) -> tuple[Host, Guest]:
    """A new device that has proved its keys to the old one, which has not said yes."""
    host = a.engine.invite_device(encode_record({"name": "Handläggare"}))
    offer = await host.open(by_code=by_code)
    guest = Guest(dialer=w.dialer(), name="Surfplatta", system="Debian 13", now_ms=clock.now_ms)
    arriving = asyncio.ensure_future(host.wait_for_guest())
    await guest.join(code=offer.code, number=offer.number)
    await arriving
    return host, guest


async def is_in(a: Client, guest: Guest, added: object) -> None:
    kept: list[Joined] = []
    joined = await guest.finish(kept.append)
    assert joined.account.dev == added
    assert set(joined.account.puk_seeds) == set(a.engine.parts.link.account.puk_seeds)


@ORDERS
@pytest.mark.parametrize("by_code", [True, False])
async def test_a_pairing_and_a_new_key_of_another_device_both_come_in(
    w: World, monkeypatch: pytest.MonkeyPatch, first: str, by_code: bool
) -> None:
    (a,) = await w.hire("Handläggare")
    tablet = await w.second(a)
    await same_log(a, tablet)
    host, guest = await waiting_guest(w, a, by_code=by_code)
    race = at_the_disk(monkeypatch, "dev_add", first)
    added, none = await both(host.admit(), tablet.engine.devices.renew())
    assert race.was_run
    assert none is None
    assert not isinstance(added, Exception), added
    await same_log(a, tablet)
    assert len(a.engine.devices.own_log.puks) == 2
    await is_in(a, guest, added)


@pytest.mark.parametrize("by_code", [True, False])
async def test_a_pairing_continues_though_the_log_has_grown_before_the_persons_yes(w: World, by_code: bool) -> None:
    (a,) = await w.hire("Handläggare")
    host, guest = await waiting_guest(w, a, by_code=by_code)
    for _ in range(2):
        await a.engine.devices.renew()
    await is_in(a, guest, await host.admit())


async def test_a_pairing_right_after_the_agencys_revocation_of_another_device_is_taken_at_once(behind: World) -> None:
    a, tablet, _ = await three(behind)
    await admin.revoke(behind.data, uid=a.uid, dev=dev(tablet))
    host, guest = await waiting_guest(behind, a, by_code=True)
    await is_in(a, guest, await host.admit())


async def test_a_pairing_ends_as_soon_as_the_old_device_is_revoked_itself(behind: World) -> None:
    a, tablet, _ = await three(behind)
    host, guest = await waiting_guest(behind, tablet, by_code=True)
    await admin.revoke(behind.data, uid=a.uid, dev=dev(tablet))
    assert await code_of(host.admit()) == "revoked"
    await guest.close()
    await a.engine.devices.follow_now()
    assert len(a.engine.devices.own_log.devices) == 3


async def test_a_pairing_ends_when_the_log_grows_at_each_try(w: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compare_and_swap, "FIRST_S", 0.001)
    (a,) = await w.hire("Handläggare")
    tablet = await w.second(a)
    await same_log(a, tablet)
    host, guest = await waiting_guest(w, a, by_code=True)
    await tablet.engine.devices.renew()
    await a.engine.devices.follow_now()  # so the first try too asks for a proof of a newer head
    real, tries = SqlPeople.append_user, []

    async def moves(self: SqlPeople, uid: bytes, seq: int, entries: list[EntryRow], *rest: Any, **named: Any) -> None:
        if UserEntry.decode(entries[0].body).type == "dev_add":
            tries.append(seq)
            await tablet.engine.devices.renew()
        await real(self, uid, seq, entries, *rest, **named)

    monkeypatch.setattr(SqlPeople, "append_user", moves)
    assert await code_of(host.admit()) == "conflict"
    assert len(tries) == compare_and_swap.TRIES
    monkeypatch.setattr(SqlPeople, "append_user", real)
    await is_in(a, guest, await host.admit())  # the two still share a box, and it has messages left


# -- revocation -----------------------------------------------------------------------------------------------------


@ORDERS
async def test_a_revocation_and_a_new_key_of_another_device_both_come_in(
    w: World, monkeypatch: pytest.MonkeyPatch, first: str
) -> None:
    a, tablet, phone = await three(w)
    race = at_the_disk(monkeypatch, "dev_revoke", first)
    assert await both(a.engine.devices.revoke(dev(phone)), tablet.engine.devices.renew()) == [None, None]
    assert race.was_run
    await same_log(a, tablet)
    own = a.engine.devices.own_log
    assert own.device_active(dev(phone), own.seq) is None
    assert len(own.puks) == 3
    await until(lambda: phone.engine.status.code == "revoked")


@pytest.mark.parametrize("first", ["older", "younger"])
async def test_two_devices_that_revoke_a_third_at_once_both_succeed(
    w: World, monkeypatch: pytest.MonkeyPatch, first: str
) -> None:
    a, tablet, phone = await three(w)

    def older(store: object, uid: bytes, seq: int, entries: list[EntryRow], *rest: object) -> bool:
        return UserEntry.decode(entries[0].body).by == dev(a)

    race = Race(monkeypatch, SqlPeople, "append_user", older, OURS if first == "older" else THEIRS)
    assert await both(*(c.engine.devices.revoke(dev(phone)) for c in (a, tablet))) == [None, None]
    assert race.was_run
    await same_log(a, tablet)
    assert len(a.engine.devices.own_log.puks) == 2


@ORDERS
async def test_a_revocation_and_the_agencys_own_both_come_in(
    w: World, monkeypatch: pytest.MonkeyPatch, first: str
) -> None:
    """And so does the new key that the agency's revocation makes necessary."""
    a, tablet, phone = await three(w)

    def ours(store: object, uid: bytes, seq: int, entries: list[EntryRow], *rest: object) -> bool:
        return UserEntry.decode(entries[0].body).by == dev(a)

    race = Race(monkeypatch, SqlPeople, "append_user", ours, first)
    agency = admin.revoke(w.data, uid=a.uid, dev=dev(tablet))
    assert await both(a.engine.devices.revoke(dev(phone)), agency) == [None, None]
    assert race.was_run
    await until(lambda: a.engine.devices.own_log.agency_revokes != [])
    await until(lambda: a.engine.devices.own_log.puk_at(a.engine.devices.own_log.seq) is not None)
    own = a.engine.devices.own_log
    assert [own.device_active(dev(c), own.seq) is None for c in (a, tablet, phone)] == [False, True, True]
    await until(lambda: a.engine.status.state is LinkState.ONLINE)


async def test_a_revocation_right_after_the_agencys_is_taken_at_once(behind: World) -> None:
    a, tablet, phone = await three(behind)
    await admin.revoke(behind.data, uid=a.uid, dev=dev(tablet))
    await a.engine.devices.follow_now()  # a colleague's program may have stated it
    await a.engine.devices.revoke(dev(phone))
    assert len(a.engine.devices.own_log.puks) == 2


async def test_a_revocation_by_a_device_that_is_revoked_meanwhile_ends_in_its_own_error(behind: World) -> None:
    a, tablet, phone = await three(behind)
    await admin.revoke(behind.data, uid=a.uid, dev=dev(tablet))
    assert await code_of(tablet.engine.devices.revoke(dev(phone))) == "revoked"
    assert await code_of(tablet.engine.devices.renew()) == "revoked"
    await a.engine.devices.follow_now()
    assert len(a.engine.devices.own_log.puks) == 1


async def test_two_devices_make_one_new_key_after_the_agencys_revocation(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, tablet, phone = await three(w)

    def ours(store: object, uid: bytes, seq: int, entries: list[EntryRow], *rest: object) -> bool:
        return UserEntry.decode(entries[0].body).by == dev(a)

    race = Race(monkeypatch, SqlPeople, "append_user", ours, OURS)
    race.calls += ["agency", "agency"]  # the command line's own entry is not held
    await admin.revoke(w.data, uid=a.uid, dev=dev(phone))
    race.calls.clear()
    await until(lambda: race.was_run and len(a.engine.devices.own_log.puks) > 1)
    await same_log(a, tablet)
    await until(lambda: all(c.engine.status.state is LinkState.ONLINE for c in (a, tablet)))
    assert len(a.engine.devices.own_log.puks) == 2


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
