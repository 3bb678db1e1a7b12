# SPDX-License-Identifier: EUPL-1.2
"""A colleague who came later is given the whole history: what two administrators and the colleague see."""

from pathlib import Path

import pytest

from app.chat.tool import TOOL as CHAT
from app.core.enums import Role
from app.documents.tool import TOOL as DOCUMENTS
from tests.journeys.desks import offices
from tests.world import until

BEFORE, CHANGED = "Före, åäö 😀", "Ändrat före"

pytestmark = pytest.mark.slow


async def test_the_chat_is_there_in_order_and_the_document_goes_on(tmp_path: Path) -> None:
    async with offices(tmp_path) as o:
        head, deputy, clerk = await o.hire("Enhetschef", "Handläggare", "Registrator")
        room = await o.room(head)
        (found,) = await head.session.people.search("Handläggare")
        await head.session.rooms.add(room, found.uid, Role.ADMIN, True)
        head.session.service(CHAT).send(room, BEFORE)
        head.session.service(CHAT).edit(room, head.session.service(CHAT).send(room, "Skrivet före"), CHANGED)
        obj = head.session.service(DOCUMENTS).create(room, "Utkast till beslut")
        head.session.service(DOCUMENTS).open(obj).splice(0, 0, "Skäl. ")
        await until(lambda: head.session.status.waiting == 0)
        await o.add(head, room, clerk, history=False)
        head.session.service(CHAT).send(room, "Efter")
        await until(lambda: clerk.session.service(CHAT).channel(room) is not None and clerk.texts(room) == ["Efter"])
        await until(lambda: clerk.session.service(DOCUMENTS).open(obj).plain_text().strip() == "Skäl.")
        me = clerk.session.people.me.uid
        assert [m.history for m in head.session.rooms.members(room) if m.person.uid == me] == [False]

        await until(lambda: deputy.session.rooms.history_refusal(room, me) is None)
        await deputy.session.rooms.propose_history(room, me)
        await until(lambda: len(head.session.rooms.history_proposals(room)) == 1)
        (proposal,) = head.session.rooms.history_proposals(room)
        assert (proposal.subject.name, proposal.by.name) == ("Registrator", "Handläggare")
        await head.session.rooms.give_history(room, proposal.ident)
        await until(lambda: clerk.texts(room) == [BEFORE, CHANGED, "Efter"])
        assert [m.history for m in clerk.session.rooms.members(room) if m.person.uid == me] == [True]
        assert clerk.session.service(DOCUMENTS).open(obj).plain_text().strip() == "Skäl."
        clerk.session.service(DOCUMENTS).open(obj).splice(0, 0, "Mina ")
        shown = head.session.service(DOCUMENTS).open(obj)
        await until(lambda: shown.plain_text().strip() == "Mina Skäl.")
