# SPDX-License-Identifier: EUPL-1.2
"""What IT gives a person for a new computer is typed where a new colleague types it: real views, a real server, and one
account in the end."""

from pytestqt.qtbot import QtBot

from app.chat.tool import TOOL as CHAT
from app.session import Session
from app.settings import SERVER
from sync.ids import Uid
from sync.server.operator import admin, listing
from tests.journeys.desks import PASSPHRASE, Desk, Offices
from tests.journeys.test_recovery import made_sheet, new_desk
from tests.world import until
from ui.entry_views import EntryViews, GateView
from ui.shell.entry.recovery_pages import ReturnView
from ui.shell.entry.welcome import CodeView


async def states(o: Offices) -> list[str]:
    """Of everybody whom the server knows."""
    return [line.state for line in await listing.users(o.w.data, "")]


async def lose(o: Offices, desk: Desk) -> Uid:
    """The person's only computer is gone and revoked; gives their id."""
    uid, dev = desk.session.people.me.uid, desk.session.engine.devices.newest
    await desk.close()
    o.desks.remove(desk)
    await admin.revoke(o.w.data, uid=uid, dev=dev)
    service = o.w.running.service if o.w.running is not None else None
    await until(lambda: service is not None and service.people.log(uid).agency_revokes != [])
    return uid


async def test_a_return_code_typed_in_the_first_field_ends_with_one_account(qtbot: QtBot, o: Offices) -> None:
    (a,) = await o.hire("Handläggare")
    room = await o.room(a)
    a.session.service(CHAT).send(room, "före förlusten å 🙂")
    await until(lambda: a.texts(room) == ["före förlusten å 🙂"])
    await until(lambda: a.session.status.waiting == 0)
    sheet = await made_sheet(a)
    new = new_desk(o, "ny dator")
    uid = await lose(o, a)
    new.office.settings.set(SERVER, new.server)
    opened: list[Session] = []
    shown: list[GateView] = []
    first = EntryViews(new.office, opened.append, shown.append).welcome()
    qtbot.addWidget(first)
    first.show()
    first.code.setText(await o.w.invite_back(uid))
    first.look_up()
    await until(lambda: first.currentWidget() is first.second_page)
    assert (await states(o), new.office.is_new) == (["no-device"], True)
    first.second_page.recovery_sheet_button.click()
    (view,) = shown
    assert isinstance(view, ReturnView)
    qtbot.addWidget(view)
    view.show()
    view.recovery_sheet.field.setText(sheet)
    view.look_up()
    await until(lambda: view.currentWidget() is view.key_page)
    begin(view)
    await until(lambda: opened != [])
    new.session = opened[0]
    o.desks.append(new)
    await until(lambda: [r.room for r in new.session.rooms.rooms()] == [room])
    await until(lambda: new.texts(room) == ["före förlusten å 🙂"])
    assert await states(o) == ["active"]


def begin(view: CodeView) -> None:
    keys = view.key_page.keys
    keys.by_passphrase.setChecked(True)
    keys.passphrase.setText(PASSPHRASE)
    keys.again.setText(PASSPHRASE)
    view.key_page.begin_button.click()


async def test_one_line_of_two_is_known_too_and_so_are_both(o: Offices) -> None:
    (a,) = await o.hire("Handläggare")
    await made_sheet(a)
    code = await o.w.invite_back(a.session.people.me.uid)
    new = new_desk(o, "ny dator")
    for typed in (code.splitlines()[0], code):
        found = await new.office.look_up(new.server, typed)
        assert (found.name, found.here) == ("Handläggare", True)
    assert (await states(o), new.office.is_new) == (["active"], True)
    new.profile.close()


async def test_after_a_reset_the_code_makes_the_new_account_without_a_question(o: Offices) -> None:
    (a,) = await o.hire("Handläggare")
    uid = a.session.people.me.uid
    await admin.reset(o.w.data, uid=uid)
    new = new_desk(o, "ny dator")
    code = await admin.invite_back(o.w.data, uid=uid)
    assert not (await new.office.look_up(new.server, code)).here
    await new.enrol(code)
    o.desks.append(new)
    assert sorted(await states(o)) == ["active", "ended"]


async def test_a_second_account_is_made_for_who_asks_for_it(o: Offices) -> None:
    (a,) = await o.hire("Handläggare")
    new = new_desk(o, "ny dator")
    await new.enrol(await admin.invite_back(o.w.data, uid=a.session.people.me.uid))
    o.desks.append(new)
    assert await states(o) == ["active", "active"]
