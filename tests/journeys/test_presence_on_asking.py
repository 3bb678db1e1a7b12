# SPDX-License-Identifier: EUPL-1.2
"""A room of more than 100 members on a real server: whom one may mention is asked, and answers."""

from pathlib import Path

from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.chat.tool import TOOL as CHAT
from app.core import clock
from app.core.enums import Presence, Role
from app.core.ids import RoomId, Uid
from app.presence.audience import MOST
from sync.client.account.enrolment import Enrolled, Enrolment
from tests.journeys.desks import Desk, Offices, offices
from tests.ui.soon import rested
from tests.world import until
from ui.chat.view import ChatView


async def _add_absent(o: Offices, owner: Desk, room: RoomId) -> None:
    """Adds MOST people who are never online."""
    accounts: list[Uid] = []

    def keep(enrolled: Enrolled) -> None:
        accounts.append(enrolled.account.uid)

    for n in range(MOST):
        name = f"Utredare å{n:03} 🙂"
        await Enrolment(o.w.dialer(), await o.w.invite(name), clock.now_ms).accept(keep)
        await owner.session.engine.directory(name)
        await owner.session.engine.operations.add(room, accounts[-1], Role.WRITER, history=False)


async def test_in_a_large_room_the_list_of_people_to_mention_shows_who_can_be_reached(
    qapp: QApplication, tmp_path: Path
) -> None:
    async with offices(tmp_path) as o:
        me, other = await o.hire("Handläggare", "Registrator")
        room = await o.room(me)
        await _add_absent(o, me, room)
        await o.add(me, room, other, history=False)
        other.session.service(CHAT).send(room, "Här är jag å 🙂")
        other.session.presence.choose(Presence.BUSY)
        uid = other.session.people.me.uid
        await until(lambda: me.session.presence.audience().has_to_ask(uid))
        assert me.session.presence.of(uid) is None
        view = ChatView(me.session.service(CHAT), room, presence=me.session.presence)
        view.show()
        view.activateWindow()
        view.composer.field.setFocus()
        qapp.processEvents()
        QTest.keyClicks(view.composer.field, "@reg")
        names = view.composer.field.names
        assert names is not None
        assert names.list.item(0).text() == "Registrator"
        rested(view)
        await until(lambda: names.list.item(0).text() == "Registrator · Upptagen")
        view.close()
