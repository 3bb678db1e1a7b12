# SPDX-License-Identifier: EUPL-1.2
"""Two devices write to one log at the same moment, in both orders: pairings and revocations. A person never reads
"conflict". Real clients, and a real server with its real store, over TLS."""

import asyncio
from typing import Any

import pytest

from app.core import clock
from sync.client.account import compare_and_swap
from sync.client.devices.device_pairing import Guest, Host, Joined
from sync.client.status import LinkState
from sync.server.operator import admin
from sync.server.store.base import EntryRow
from sync.server.store.sql_people import SqlPeople
from sync.trust.person.agency import encode_record
from sync.trust.person.user_entry import UserEntry
from tests.sync.client.quick_audit import w
from tests.sync.client.races import ORDERS, OURS, THEIRS, Race, at_the_disk, behind, both, code_of, dev, same_log, three
from tests.world import Client, World, until

__all__ = ["behind", "w"]  # fixtures


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
