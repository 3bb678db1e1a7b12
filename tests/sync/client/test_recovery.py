# SPDX-License-Identifier: EUPL-1.2
"""A recovery sheet is made, every device is lost, and the person comes back: over a real server and TLS."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from app.core import clock
from app.core.ids import new_obj
from app.errors import DiskFull
from sync.client.account.account_recovery import Attempt, Recovery, Returned, Waiting
from sync.client.account.enrolment import converse
from sync.client.devices.own_devices import Devices
from sync.client.devices.own_recovery_sheet import RecoverySheet
from sync.client.exchange import member_audit
from sync.client.status import LinkState
from sync.client.wire.connection import Connection
from sync.crypto.seal import KemKey
from sync.crypto.signatures import SigningKey
from sync.errors import Refused, Reject, Unreachable, WrongAgency
from sync.protocol import codec
from sync.protocol import messages as m
from sync.server.config import Limits
from sync.server.operator import admin
from sync.server.rules import recovery_requests
from sync.server.rules.handshake import now_ms
from sync.server.rules.recovery_requests import RecoveryRules
from sync.trust.person import user_drafts
from sync.trust.person.agency import SignInCode, record_hash
from sync.trust.person.author import DeviceSecrets, Entry
from sync.trust.person.recovery_sheet import RecoveryCode, RecoveryShare, ReturnCode
from sync.trust.person.user_drafts import Hand, RecoveryPlan
from sync.trust.person.user_entry import ROOT, UserEntry
from sync.trust.person.user_log import UserLog
from tests.world import Client, World, until, world

DAY_MS = 86_400_000


@pytest_asyncio.fixture
async def w(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    monkeypatch.setattr(member_audit, "SPREAD_S", 0.2)
    async with world(tmp_path) as running:
        yield running


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Moves the clock by which the server waits for vetoes."""
    return lambda ms: monkeypatch.setattr(recovery_requests, "now_ms", lambda: now_ms() + ms)


async def attempt(w: World, who: Client, recovery_sheet: str, *, code: str = "", revoke: bool = True) -> Attempt:
    return Attempt.begin(await w.invite_back(who.uid, code), recovery_sheet, revoke=revoke)


def recovery(w: World, tried: Attempt) -> Recovery:
    return Recovery(w.dialer(), tried, clock.now_ms)


async def asked(w: World, tried: Attempt) -> int:
    """Asserts that the return waits, and gives until when."""
    answer = await recovery(w, tried).ask()
    assert isinstance(answer, Waiting)
    return answer.ready_ms


async def refused(w: World, tried: Attempt) -> str:
    with pytest.raises((Refused, Reject)) as e:
        await recovery(w, tried).ask()
    code: str = e.value.code
    return code


async def revoked_by_agency(w: World, client: Client, dev: bytes | None = None) -> None:
    await admin.revoke(w.data, uid=client.uid, dev=dev or client.engine.parts.link.account.dev)
    service = w.running.service if w.running is not None else None
    before = len(client.engine.devices.own_log.agency_revokes)
    await until(lambda: service is not None and len(service.people.log(client.uid).agency_revokes) > before)


# -- the recovery sheet -------------------------------------------------------------------------------------------


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


# -- coming back --------------------------------------------------------------------------------------------------


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


# -- attacks on the way back --------------------------------------------------------------------------------------


async def ask_before_sign_in(w: World, tried: Attempt, build: Callable[[int], m.Frame]) -> m.Frame:
    """The answer to one frame before sign-in."""

    async def talk(connection: Connection) -> m.Frame:
        return await connection.request(build, m.Frame)

    return await converse(w.dialer(), tried.code.agency, clock.now_ms, talk)


async def built(w: World, tried: Attempt, who: Client) -> tuple[UserLog, list[Entry], RecoveryPlan]:
    """What an honest client would send now."""
    reply = await ask_before_sign_in(w, tried, lambda rid: m.Invite(rid, tried.code.key.public))
    assert isinstance(reply, m.InviteReply)
    back = RecoveryPlan(
        pair=tried.recovery_sheet,
        code=tried.code,
        cert=(reply.cert.body, reply.cert.sig),
        record=record_hash(reply.salt, reply.record),
        secrets=tried.secrets,
    )
    log = UserLog.replay(who.store.user_log(who.uid), who.engine.parts.link.account.agency_pk)
    entries, _ = user_drafts.recovery_entries(log, back, clock.now_ms())
    return log, entries, back


async def no(w: World, tried: Attempt, who: Client, entries: list[Entry]) -> str:
    signed = [m.Signed(*e) for e in entries]
    with pytest.raises(Refused) as e:
        await ask_before_sign_in(w, tried, lambda rid: m.Recover(rid, tried.code.key.public, who.uid, signed))
    return str(e.value)


async def test_attack_a_wrong_recovery_sheet_finds_nobody(w: World) -> None:
    (a,) = await w.hire("Handläggare")
    await w.make_sheet(a)
    assert await refused(w, await attempt(w, a, RecoveryCode.fresh().format())) == "recovery-sheet-unknown"
    with pytest.raises(Reject) as e:
        Attempt.begin(await w.invite_back(a.uid), "AAAA-BBBB")
    assert e.value.code == "recovery-sheet-code"


async def test_attack_a_recovery_sheet_with_anothers_invitation_is_refused(w: World) -> None:
    a, _ = await w.hire("Handläggare", "Registrator")
    recovery_sheet = await w.make_sheet(a)
    tried = await attempt(w, a, recovery_sheet, code=await w.invite("Registrator"))
    assert await refused(w, tried) == "other-person"
    _, entries, _ = await built(w, tried, a)
    assert "other-person" in await no(w, tried, a, entries)


async def test_attack_a_server_that_shows_another_persons_log_or_record_is_found_out(w: World) -> None:
    a, b = await w.hire("Handläggare", "Registrator")
    recovery_sheet = await w.make_sheet(a)
    tried = await attempt(w, a, recovery_sheet)
    theirs = [m.Signed(*e) for e in b.store.user_log(b.uid)]

    def lie(data: bytes, out: bool, *, log: bool) -> list[bytes]:
        frame = None if out else codec.decode_server(data)
        if not isinstance(frame, m.RecoverLookupReply):
            return [data]
        salted = m.Person(frame.person.uid, b"salt", frame.person.record, frame.person.ulog_seq, b"")
        shorter = m.Person(frame.person.uid, frame.person.salt, frame.person.record, len(theirs) - 1, b"")
        person, entries = (shorter, theirs) if log else (salted, frame.entries)
        return [codec.encode(m.RecoverLookupReply(frame.rid, person, entries))]

    for log, code in ((True, "recovery-sheet"), (False, "record")):
        wire = w.dialer()
        wire.spoil = lambda data, out, log=log: lie(data, out, log=log)
        with pytest.raises(Reject) as e:
            await Recovery(wire, tried, clock.now_ms).look()
        assert e.value.code == code


async def test_attack_a_server_that_gives_another_persons_invitation_is_found_out(w: World) -> None:
    a, _ = await w.hire("Handläggare", "Registrator")
    recovery_sheet = await w.make_sheet(a)
    tried, other = (
        await attempt(w, a, recovery_sheet),
        await attempt(w, a, recovery_sheet, code=await w.invite("Registrator")),
    )

    def lie(data: bytes, out: bool, *, asks: bool) -> list[bytes]:
        frame = codec.decode_client(data) if out else None
        if asks and isinstance(frame, m.RecoverLookup):  # the server looks away
            return [codec.encode(m.RecoverLookup(frame.rid, tried.code.key.public, frame.root_pk, frame.after))]
        if not asks and isinstance(frame, m.Invite):
            return [codec.encode(m.Invite(frame.rid, other.code.key.public))]
        return [data]

    for asks, who, code in ((True, other, "other-person"), (False, tried, "wrong-agency")):
        wire = w.dialer()
        wire.spoil = lambda data, out, asks=asks: lie(data, out, asks=asks)
        with pytest.raises((Refused, WrongAgency)) as e:
            await Recovery(wire, who, clock.now_ms).ask()
        assert e.value.code == code
    assert len(a.engine.devices.own_log.devices) == 1


async def test_attack_entries_that_were_sent_once_are_not_taken_again(w: World, later: Callable[[int], None]) -> None:
    (a,) = await w.hire("Handläggare")
    recovery_sheet = await w.make_sheet(a)
    tried, other = await attempt(w, a, recovery_sheet), await attempt(w, a, recovery_sheet)
    _, entries, _ = await built(w, tried, a)
    await asked(w, tried)
    await a.engine.devices.renew()  # the log moves on
    later(DAY_MS + 1000)
    assert "conflict" in await no(w, tried, a, entries)
    assert "conflict" in await no(w, other, a, entries)
    _, entries, _ = await built(w, tried, a)
    assert "invalid" in await no(w, other, a, entries)  # bound by another invitation


async def test_attack_an_invitation_brings_back_once(w: World) -> None:
    (a,) = await w.hire("Handläggare")
    recovery_sheet = await w.make_sheet(a)
    await a.stop()
    await revoked_by_agency(w, a)
    tried = await attempt(w, a, recovery_sheet)
    again = await w.come_back("Handläggare", tried)
    w.clients.remove(a)
    thief = replace(tried, secrets=DeviceSecrets.without_root())
    assert await refused(w, thief) == "code-used"
    _, entries, _ = await built_without_invite(thief, again)
    assert "code-used" in await no(w, thief, again, entries)


async def built_without_invite(tried: Attempt, who: Client) -> tuple[UserLog, list[Entry], RecoveryPlan]:
    """As `built`, with the certificate from the log: the server no longer gives it."""
    rows = who.store.user_log(who.uid)
    payload = next(e.payload for e in map(UserEntry.decode, [b for b, _ in reversed(rows)]) if e.type == "binding")
    assert isinstance(payload, list)
    back = RecoveryPlan(
        pair=tried.recovery_sheet,
        code=tried.code,
        cert=(payload[1], payload[2]),
        record=payload[3],
        secrets=tried.secrets,
    )
    log = UserLog.replay(rows, who.engine.parts.link.account.agency_pk)
    entries, _ = user_drafts.recovery_entries(log, back, clock.now_ms())
    return log, entries, back


async def test_attack_a_root_without_a_binding_adds_nothing(w: World) -> None:
    (a,) = await w.hire("Handläggare")
    tried = await attempt(w, a, await w.make_sheet(a))
    _, entries, back = await built(w, tried, a)
    log = a.engine.devices.own_log
    seeds = a.engine.parts.link.account.puk_seeds
    hand = Hand(ROOT, back.pair.code.root, seeds)
    device, kem = SigningKey(tried.secrets.sign), KemKey(tried.secrets.kem)
    proof = device.sign("dev-proof", [log.uid, log.head, [device.public, kem.public], ROOT])
    bare = user_drafts.admit(log, hand, device.public, kem.public, proof, 1)
    assert "binding" in await no(w, tried, a, [bare])
    assert "invalid" in await no(w, tried, a, entries[:1])
    rotated = user_drafts.rotate_puk(log, hand, 1)[0]
    assert "invalid" in await no(w, tried, a, [rotated])
    # nor does an active device bind its person again by itself
    with pytest.raises(Refused) as e:
        await a.engine.devices.append(entries[:1])
    assert "binding" in e.value.detail


async def test_attack_an_unknown_invitation_sees_no_log(w: World) -> None:
    (a,) = await w.hire("Handläggare")
    recovery_sheet, unknown = await w.make_sheet(a), SignInCode.fresh(a.engine.parts.link.account.agency_pk)
    tried = await attempt(w, a, recovery_sheet, code=unknown.format())
    assert await refused(w, tried) == "code-unknown"


# -- revoking by the recovery sheet -------------------------------------------------------------------------------


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
