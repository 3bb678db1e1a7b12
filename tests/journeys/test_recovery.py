# SPDX-License-Identifier: EUPL-1.2
"""A person makes a recovery sheet, loses the computer, and comes back on another: the whole application, no windows."""

from collections.abc import Callable

import pytest

from app.chat.tool import TOOL as CHAT
from app.errors import ReturnWaits, WeakPassphrase, WrongPassphrase
from app.recovery import RecoverySheetState
from app.settings import CA_FILE
from sync.errors import Refused, Reject, Unreachable
from sync.server.operator import admin
from sync.server.rules import recovery_requests
from sync.server.rules.handshake import now_ms
from tests.journeys.desks import PASSPHRASE, Desk, Offices
from tests.world import until

DAY_MS = 86_400_000


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    return lambda ms: monkeypatch.setattr(recovery_requests, "now_ms", lambda: now_ms() + ms)


def quiet(text: str, done: int, total: int) -> None: ...


def new_desk(o: Offices, name: str) -> Desk:
    """A computer on which nobody has enrolled."""
    return Desk(o.w.folder / name, o.w.data / "ca.pem", o.desks[0].server)


async def come_back(desk: Desk, code: str, sheet: str, *, revoke: bool = True) -> None:
    found = await desk.office.look_up_account(desk.server, code, sheet)
    desk.session = await desk.office.recover(found, PASSPHRASE, quiet, revoke=revoke)


async def made_sheet(desk: Desk) -> str:
    paper = desk.session.recovery.draw()
    await desk.session.recovery.publish(paper)
    return paper.code


async def test_a_sheet_is_made_once_it_is_confirmed_and_the_reminder_ends(o: Offices) -> None:
    (a,) = await o.hire("Handläggare")
    recovery = a.session.recovery
    assert (recovery.state, recovery.reminds) == (RecoverySheetState.NONE, True)
    paper = recovery.draw()
    assert [len(group) for group in paper.groups] == [4] * 7
    assert (paper.name, paper.server) == ("Handläggare", a.server)
    assert recovery.state is RecoverySheetState.NONE  # drawing one changes nothing
    await recovery.publish(paper)
    assert (recovery.state, recovery.reminds, recovery.needs_old) == (RecoverySheetState.STANDS, False, True)
    with pytest.raises(Reject) as e:
        recovery.check_old(recovery.draw().code)
    assert e.value.code == "recovery-sheet"
    await recovery.publish(recovery.draw(), paper.code)


async def test_the_reminder_is_dismissed_for_good(o: Offices) -> None:
    (a,) = await o.hire("Handläggare")
    a.session.recovery.dismiss()
    assert not a.session.recovery.reminds
    await a.restart()
    assert not a.session.recovery.reminds


async def test_who_has_lost_the_computer_reads_and_writes_on_another(o: Offices) -> None:
    a, b = await o.hire("Handläggare", "Registrator")
    room = await o.room(a, b)
    a.session.service(CHAT).send(room, "före förlusten å 🙂")
    await until(lambda: b.texts(room) == ["före förlusten å 🙂"])
    sheet, uid = await made_sheet(a), a.session.people.me.uid
    dev = a.session.engine.devices.newest
    await a.close()
    o.desks.remove(a)
    await admin.revoke(o.w.data, uid=uid, dev=dev)
    service = o.w.running.service if o.w.running is not None else None
    await until(lambda: service is not None and service.people.log(uid).agency_revokes != [])
    new = new_desk(o, "ny dator")
    found = await new.office.look_up_account(new.server, await o.w.invite_back(uid), sheet)
    assert (found.name, found.others) == ("Handläggare", 0)
    new.session = await new.office.recover(found, PASSPHRASE, quiet, revoke=True)
    o.desks.append(new)
    await until(lambda: [r.room for r in new.session.rooms.rooms()] == [room])
    await until(lambda: new.texts(room) == ["före förlusten å 🙂"])
    new.session.service(CHAT).send(room, "jag är tillbaka")
    await until(lambda: b.texts(room)[-1] == "jag är tillbaka")
    assert new.session.people.me.uid == uid
    await new.restart()
    assert new.session.recovery.state is RecoverySheetState.STANDS


async def test_a_return_waits_over_a_restart_of_the_program(o: Offices, later: Callable[[int], None]) -> None:
    (a,) = await o.hire("Handläggare")
    sheet, new = await made_sheet(a), new_desk(o, "ny dator")
    with pytest.raises(ReturnWaits) as e:
        await come_back(new, await o.w.invite_back(a.session.people.me.uid), sheet)
    assert abs(e.value.ready_ms - now_ms() - DAY_MS) < 60_000
    with pytest.raises(ReturnWaits):
        await new.office.ask_again()
    new.profile.close()
    new.reopen()
    assert new.office.is_unfinished
    with pytest.raises(ReturnWaits) as again:
        await new.office.resume(PASSPHRASE)
    assert again.value.ready_ms == e.value.ready_ms
    later(DAY_MS + 1000)
    new.session = await new.office.resume(PASSPHRASE)
    o.desks.append(new)
    await new.online()
    await until(lambda: a.session.status.code == "revoked")
    assert not new.office.is_unfinished


async def test_a_veto_is_told_and_a_final_no_leaves_nothing_behind(o: Offices) -> None:
    a, _ = await o.hire("Handläggare", "Registrator")
    sheet, new = await made_sheet(a), new_desk(o, "ny dator")
    with pytest.raises(ReturnWaits):
        await come_back(new, await o.w.invite_back(a.session.people.me.uid), sheet)
    await until(lambda: len(a.session.recovery.asked()) == 1)
    await a.session.recovery.veto(a.session.recovery.asked()[0])
    with pytest.raises(Refused) as e:
        await new.office.ask_again()
    assert e.value.code == "vetoed"
    assert new.office.is_unfinished
    new.office.start_over()
    assert new.office.is_new
    code = await o.w.invite_back(a.session.people.me.uid, await o.w.invite("Registrator"))
    with pytest.raises(Refused) as e:
        await new.office.look_up_account(new.server, code, sheet)
    assert e.value.code == "other-person"
    assert new.office.is_new
    new.profile.close()


async def test_a_return_that_was_given_up_is_begun_with_a_new_store(o: Offices, later: Callable[[int], None]) -> None:
    (a,) = await o.hire("Handläggare")
    sheet, new = await made_sheet(a), new_desk(o, "ny dator")
    found = await new.office.look_up_account(new.server, await o.w.invite_back(a.session.people.me.uid), sheet)
    with pytest.raises(ReturnWaits):
        await new.office.recover(found, PASSPHRASE, quiet, revoke=True)
    new.office.start_over()
    with pytest.raises(ReturnWaits):
        await new.office.recover(found, PASSPHRASE, quiet, revoke=True)
    later(DAY_MS + 1000)
    new.session = await new.office.ask_again()
    o.desks.append(new)
    await new.online()


async def test_the_passphrase_and_the_choice_of_the_last_attempt_are_those_that_count(
    o: Offices, later: Callable[[int], None]
) -> None:
    (a,) = await o.hire("Handläggare")
    sheet, new, code = await made_sheet(a), new_desk(o, "ny dator"), await o.w.invite_back(a.session.people.me.uid)
    for passphrase, revoke in (("en annan, först vald", True), (PASSPHRASE, False)):
        found = await new.office.look_up_account(new.server, code, sheet)
        with pytest.raises(ReturnWaits):
            await new.office.recover(found, passphrase, quiet, revoke=revoke)
    found = await new.office.look_up_account(new.server, code, sheet)
    with pytest.raises(WeakPassphrase):
        await new.office.recover(found, "kort", quiet, revoke=False)
    new.profile.close()
    new.reopen()
    with pytest.raises(WrongPassphrase):
        await new.office.resume("en annan, först vald")
    later(DAY_MS + 1000)
    new.session = await new.office.resume(PASSPHRASE)
    o.desks.append(new)
    await new.online()
    assert [row.revoked for row in new.session.engine.devices.all()] == [False, False]


async def test_a_line_that_is_cut_keeps_what_was_begun(o: Offices, later: Callable[[int], None]) -> None:
    (a,) = await o.hire("Handläggare")
    sheet, new = await made_sheet(a), new_desk(o, "ny dator")
    found = await new.office.look_up_account(new.server, await o.w.invite_back(a.session.people.me.uid), sheet)
    await o.w.stop_server()
    with pytest.raises(Unreachable):
        await new.office.recover(found, PASSPHRASE, quiet, revoke=False)
    assert new.office.is_unfinished
    await o.w.start_server()
    with pytest.raises(ReturnWaits):
        await new.office.recover(found, PASSPHRASE, quiet, revoke=False)
    later(DAY_MS + 1000)
    new.session = await new.office.ask_again()
    o.desks.append(new)
    await new.online()
    await a.online()
    assert [row.revoked for row in new.session.engine.devices.all()] == [False, False]
    assert new.office.settings.get(CA_FILE)
