# SPDX-License-Identifier: EUPL-1.2
"""Every device is lost, and the person comes back by the recovery sheet; while another device is active, it may veto.
Over a real server and TLS."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from app.core import clock
from app.core.ids import new_obj
from app.errors import DiskFull
from sync.client.account.account_recovery import Attempt, Recovery, Returned
from sync.client.devices import own_devices
from sync.client.exchange import member_audit
from sync.client.status import LinkState
from sync.crypto.encoding import dec, enc
from sync.errors import Refused, Reject, Unreachable
from sync.protocol import codec
from sync.protocol import messages as m
from sync.server.config import Limits
from sync.server.rules.recovery_requests import RecoveryRules
from sync.trust.person.agency import SignInCode
from sync.trust.person.author import DeviceSecrets
from sync.trust.person.recovery_sheet import RecoveryCode, RecoveryShare, ReturnCode
from tests.sync.client.quick_audit import w
from tests.sync.client.recovering import (
    DAY_MS,
    ask_before_sign_in,
    asked,
    attempt,
    later,
    recovery,
    refused,
    revoked_by_agency,
)
from tests.world import World, until, world

__all__ = ["later", "w"]  # fixtures


async def test_after_losing_every_device_the_whole_content_comes_back(w: World) -> None:
    a, b = await w.hire("Handläggare", "Registrator")
    room, obj = await w.room(a, b), new_obj()
    a.say(room, obj, "före 🙂".encode())
    await w.settle(room)
    recovery_sheet = await w.make_sheet(a)
    await a.engine.devices.renew()
    await a.engine.operations.rotate(room)
    a.say(room, obj, "efter nyckelbytet å".encode())
    await w.settle(room)
    await a.stop()
    await revoked_by_agency(w, a)
    tried = await attempt(w, a, recovery_sheet)
    found = await recovery(w, tried).look()
    assert (found.uid, found.record["name"], found.others) == (a.uid, "Handläggare", [])
    again = await w.come_back("Handläggare", tried)
    await w.settle(room, again, b)
    assert again.uid == a.uid
    assert again.texts(obj) == ["före 🙂".encode(), "efter nyckelbytet å".encode()]
    again.say(room, obj, b"tillbaka")
    await w.settle(room, again, b)
    assert b.texts(obj)[-1] == b"tillbaka"
    assert again.engine.safety_number(b.uid) == b.engine.safety_number(again.uid)
    w.clients.remove(a)


async def test_attack_an_oldest_device_that_was_stolen_revokes_the_others_and_the_person_comes_back(w: World) -> None:
    """No device of the person can revoke it: the agency and the recovery sheet do."""
    a, b = await w.hire("Handläggare", "Registrator")
    room, obj = await w.room(a, b), new_obj()
    a.say(room, obj, "före 🙂".encode())
    await w.settle(room)
    recovery_sheet, honest = await w.make_sheet(a), await w.second(a)
    with pytest.raises(Reject, match="older"):
        await honest.engine.devices.revoke(a.engine.devices.mine)
    await a.engine.devices.revoke(honest.engine.devices.mine)  # the thief's
    await until(lambda: honest.engine.status.code == "revoked")
    await revoked_by_agency(w, a)
    await until(lambda: a.engine.status.code == "revoked")
    again = await w.come_back("Handläggare", await attempt(w, a, recovery_sheet))
    await w.settle(room, again, b)
    assert again.texts(obj) == ["före 🙂".encode()]
    again.say(room, obj, "tillbaka å".encode())
    await w.settle(room, again, b)
    assert b.texts(obj)[-1] == "tillbaka å".encode()
    assert [d.dev for d in again.engine.devices.all() if not d.revoked] == [again.engine.devices.mine]
    for gone in (a, honest):
        w.clients.remove(gone)


async def test_while_another_device_is_active_a_return_takes_a_day_and_every_device_is_notified(
    w: World, later: Callable[[int], None]
) -> None:
    a, b = await w.hire("Handläggare", "Registrator")
    room, obj = await w.room(a, b), new_obj()
    a.say(room, obj, b"kvar")
    await w.settle(room)
    recovery_sheet, tried_by = await w.make_sheet(a), await w.second(a)
    await tried_by.offline()
    tried = await attempt(w, a, recovery_sheet)
    ready = await asked(w, tried)
    assert abs(ready - clock.now_ms() - DAY_MS) < 60_000
    await until(lambda: len(a.engine.recovery_sheet.asked) == 1)
    row = a.engine.recovery_sheet.asked[0]
    assert (row.what, row.ready, row.vetoed, row.mine) == ("add", ready, False, False)
    tried_by.online()
    await until(lambda: tried_by.engine.recovery_sheet.asked == a.engine.recovery_sheet.asked)
    assert await asked(w, Attempt.decode(tried.encode())) == ready  # the program was closed; it continues
    later(DAY_MS + 1000)
    again = await w.come_back("Handläggare", tried)
    await until(lambda: a.engine.status.code == "revoked" and tried_by.engine.status.code == "revoked")
    await w.settle(room, again, b)
    assert again.texts(obj) == [b"kvar"]
    assert again.engine.revocation_progress[1] == 1
    await until(lambda: b.engine.parts.link.rooms[room].stream.epoch > 1)
    assert [row.revoked for row in again.engine.devices.all()] == [True, True, False]


async def test_an_answer_that_was_lost_is_found_in_the_log(w: World) -> None:
    (a,) = await w.hire("Handläggare")
    recovery_sheet = await w.make_sheet(a)
    await a.stop()
    await revoked_by_agency(w, a)
    tried, wire = await attempt(w, a, recovery_sheet), w.dialer()
    sent: list[bytes] = []

    def lose(data: bytes, out: bool) -> list[bytes]:
        if out and isinstance(codec.decode_client(data), m.Recover):
            sent.append(data)
        return [] if sent and not out else [data]

    wire.spoil = lose
    asking = asyncio.ensure_future(Recovery(wire, tried, clock.now_ms).ask())
    service = w.running.service if w.running is not None else None
    await until(lambda: service is not None and len(service.people.log(a.uid).devices) == 2)
    await wire.hang_up()
    with pytest.raises(Unreachable):
        await asking
    frame = codec.decode_client(sent[0])
    assert isinstance(frame, m.Recover)
    await ask_before_sign_in(
        w, tried, lambda rid: m.Recover(rid, frame.invite_pk, frame.uid, frame.entries)
    )  # the same: Ok again
    again = await w.come_back("Handläggare", tried)
    assert len(again.engine.devices.own_log.devices) == 2
    w.clients.remove(a)


async def test_a_veto_ends_it_and_the_person_there_is_shown_so(w: World, later: Callable[[int], None]) -> None:
    (a,) = await w.hire("Handläggare")
    tried = await attempt(w, a, await w.make_sheet(a))
    await asked(w, tried)
    await until(lambda: len(a.engine.recovery_sheet.asked) == 1)
    await a.engine.recovery_sheet.veto(a.engine.recovery_sheet.asked[0])
    await until(lambda: a.engine.recovery_sheet.asked[0].vetoed)
    later(2 * DAY_MS)
    assert await refused(w, tried) == "vetoed"
    assert await refused(w, replace(tried, secrets=DeviceSecrets.without_root())) == "vetoed"
    assert len(a.engine.devices.own_log.devices) == 1


async def test_attack_a_veto_by_a_device_that_the_agency_revokes_is_void(
    w: World, later: Callable[[int], None]
) -> None:
    """The thief of a laptop vetoes its owner's return."""
    (a,) = await w.hire("Handläggare")
    recovery_sheet, stolen = await w.make_sheet(a), await w.second(a)
    tried = await attempt(w, a, recovery_sheet)
    await asked(w, tried)
    await until(lambda: len(stolen.engine.recovery_sheet.asked) == 1)
    await stolen.engine.recovery_sheet.veto(stolen.engine.recovery_sheet.asked[0])
    assert await refused(w, tried) == "vetoed"
    await revoked_by_agency(w, a, stolen.engine.parts.link.account.dev)
    await asked(w, tried)
    later(DAY_MS + 1000)
    again = await w.come_back("Handläggare", tried)
    assert again.uid == a.uid


async def test_attack_a_server_that_hides_the_veto_is_found_out_and_the_device_goes(
    w: World, later: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = await w.hire("Handläggare", "Registrator")
    room, obj = await w.room(a, b), new_obj()
    tried = await attempt(w, a, await w.make_sheet(a), revoke=False)
    await asked(w, tried)
    await until(lambda: len(a.engine.recovery_sheet.asked) == 1)

    async def hide(self: RecoveryRules, who: object, frame: m.Veto) -> m.Ok:
        return m.Ok(frame.rid)

    monkeypatch.setattr(RecoveryRules, "veto", hide)
    await a.engine.recovery_sheet.veto(a.engine.recovery_sheet.asked[0])
    await a.restart()  # the veto is stored
    await until(lambda: a.engine.status.state is LinkState.ONLINE)
    later(DAY_MS + 1000)
    intruder = await w.come_back("Handläggare", tried, waits=False)
    await until(lambda: intruder.engine.status.code == "revoked")
    await until(lambda: a.engine.parts.link.rooms[room].stream.epoch > 1)
    a.say(room, obj, b"utan den")
    await w.settle(room, a, b)
    assert intruder.texts(obj) == []


async def test_attack_a_vetoed_device_goes_though_the_server_takes_no_new_generation(
    tmp_path: Path, later: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stolen device has used up what the log may grow in a day, and a renewal is due."""
    async with world(tmp_path, Limits(log_entries_a_day=4)) as w:
        (a,) = await w.hire("Handläggare")
        tried = await attempt(w, a, await w.make_sheet(a), revoke=False)
        await asked(w, tried)
        await until(lambda: len(a.engine.recovery_sheet.asked) == 1)

        async def hide(self: RecoveryRules, who: object, frame: m.Veto) -> m.Ok:
            return m.Ok(frame.rid)

        monkeypatch.setattr(RecoveryRules, "veto", hide)
        await a.engine.recovery_sheet.veto(a.engine.recovery_sheet.asked[0])
        with pytest.raises(Refused, match="busy"):  # noqa: PT012 - as many as are taken
            while True:
                await a.engine.devices.renew()
        monkeypatch.setattr(own_devices, "RENEW_MS", -DAY_MS)
        later(DAY_MS + 1000)
        intruder = await w.come_back("Handläggare", tried, waits=False)
        await until(lambda: intruder.engine.status.code == "revoked")

        def active() -> list[bytes]:
            return [d.dev for d in a.engine.devices.own_log.devices.values() if d.revoked is None]

        await until(lambda: active() == [a.engine.devices.mine])  # the server may tell the intruder first


async def test_attack_devices_that_were_seen_before_leave_a_new_one_its_day_for_a_veto(w: World) -> None:
    """The order of the requests is the server's: those that were seen before came first, and took the new one's
    place."""
    (a,) = await w.hire("Handläggare")
    sheet = a.engine.recovery_sheet

    def requests(*names: int) -> list[m.RecoveryRequest]:
        return [m.RecoveryRequest(what="add", dev=bytes([n]) * 16, ready=1, vetoed_by=b"") for n in names]

    sheet.replace_attempts(requests(*range(1, 41)))
    sheet.replace_attempts(requests(*range(1, 41), 200, 200))
    stored = dec(a.store.recovery_first_seen() or b"", limit=4096)
    assert isinstance(stored, list)
    assert [dev[0] for dev, _ in stored] == [*range(1, 41), 200]
    sheet.replace_attempts(requests(*range(1, 100)))
    stored = dec(a.store.recovery_first_seen() or b"", limit=4096)
    assert isinstance(stored, list)
    assert len(stored) == 64


async def test_attack_a_server_whose_clock_jumps_ahead_ends_no_veto_here(
    w: World, later: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    (a,) = await w.hire("Handläggare")
    tried = await attempt(w, a, await w.make_sheet(a), revoke=False)
    await asked(w, tried)
    await until(lambda: len(a.engine.recovery_sheet.asked) == 1)
    dev = a.engine.recovery_sheet.asked[0].dev
    later(DAY_MS + 1000)
    intruder = await w.come_back("Handläggare", tried, waits=False)
    await until(lambda: dev in a.engine.devices.own_log.devices)
    assert [(x.dev, x.came, x.vetoed) for x in a.engine.recovery_sheet.asked] == [(dev, True, False)]
    await a.restart()  # the time at which it was first seen is stored
    await until(lambda: a.engine.status.state is LinkState.ONLINE)
    (shown,) = a.engine.recovery_sheet.asked
    assert shown.came
    with monkeypatch.context() as patched:
        patched.setattr(a.engine.parts.link, "now_ms", lambda: clock.now_ms() + DAY_MS)
        assert a.engine.recovery_sheet.asked == []  # by both clocks it is over
    await a.engine.recovery_sheet.veto(shown)
    await until(lambda: intruder.engine.status.code == "revoked")
    assert a.engine.recovery_sheet.asked == []


async def test_a_veto_is_sent_though_the_disk_is_full(w: World, monkeypatch: pytest.MonkeyPatch) -> None:
    (a,) = await w.hire("Handläggare")
    tried = await attempt(w, a, await w.make_sheet(a))
    await asked(w, tried)
    await until(lambda: len(a.engine.recovery_sheet.asked) == 1)

    def full(account: bytes) -> None:
        raise DiskFull

    with monkeypatch.context() as disk:
        disk.setattr(a.engine.parts.link.ports, "save_account", full)
        with pytest.raises(DiskFull):
            await a.engine.recovery_sheet.veto(a.engine.recovery_sheet.asked[0])
    assert await refused(w, tried) == "vetoed"
    await a.engine.recovery_sheet.veto(a.engine.recovery_sheet.asked[0])  # and it is stored the next time
    await a.restart()
    assert len(a.engine.parts.link.account.vetoed) == 1


async def test_a_veto_that_is_a_moment_too_late_revokes_the_device_that_came_in(
    w: World, later: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    (a,) = await w.hire("Handläggare")
    tried = await attempt(w, a, await w.make_sheet(a), revoke=False)
    await asked(w, tried)
    await until(lambda: len(a.engine.recovery_sheet.asked) == 1)
    (shown,) = a.engine.recovery_sheet.asked
    monkeypatch.setattr(
        a.engine.parts.link.own_log_moved, "set", lambda: None
    )  # the person vetoes before this device has read the log
    later(DAY_MS + 1000)
    assert isinstance(await recovery(w, tried).ask(), Returned)
    await a.engine.recovery_sheet.veto(shown)
    own = a.engine.devices.own_log
    assert shown.dev in own.devices
    assert own.device_active(shown.dev, own.seq) is None


async def test_no_bound_of_a_log_keeps_anybody_from_coming_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log's length and the day's limit are used up; the recovery sheet's binding, device and revocations are
    accepted all the same."""
    monkeypatch.setattr(member_audit, "SPREAD_S", 0.2)
    async with world(tmp_path, Limits(log_entries=5, log_entries_a_day=2)) as w:
        (a,) = await w.hire("Handläggare")
        recovery_sheet = await w.make_sheet(a)
        with pytest.raises(Refused) as e:
            await w.second(a)
        assert e.value.code == "quota"
        await a.offline()
        await revoked_by_agency(w, a)
        back = await recovery(w, await attempt(w, a, recovery_sheet)).ask()
        assert isinstance(back, Returned)


def test_an_attempt_is_kept_and_read_again() -> None:
    typed = ReturnCode(SignInCode.fresh(b"a" * 32), RecoveryShare.fresh()).format()
    tried = Attempt.begin(typed, RecoveryCode.fresh().format(), revoke=False)
    assert Attempt.decode(tried.encode()) == tried
    for spoilt in (tried.encode()[:-1] + b"\x05", b"\x80"):
        with pytest.raises(Reject):
            Attempt.decode(spoilt)
    for version, code in ((3, "format"), (1, "old-format")):  # another version may have other fields
        with pytest.raises(Reject) as e:
            Attempt.decode(enc([version, b"", 1]))
        assert e.value.code == code
