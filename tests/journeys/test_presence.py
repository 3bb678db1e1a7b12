# SPDX-License-Identifier: EUPL-1.2
"""Who is in a document and who writes in the chat, seen from the other desk."""

from pathlib import Path

from app.chat.tool import TOOL as CHAT
from app.documents.tool import TOOL as DOCUMENTS
from tests.journeys.desks import offices
from tests.world import until


async def test_each_sees_the_other_in_a_document_and_writing_in_the_chat(tmp_path: Path) -> None:
    async with offices(tmp_path) as o:
        a, b = await o.hire("Handläggare", "Registrator")
        room = await o.room(a, b)
        obj = a.session.service(DOCUMENTS).create(room, "Utkast")
        await until(lambda: bool(b.session.service(DOCUMENTS).list(room)))
        for desk in (a, b):
            desk.session.service(DOCUMENTS).open(obj)
            desk.session.service(DOCUMENTS).enter(obj, lambda: (0, 0))
        await until(lambda: [c.person.name for c in b.session.service(DOCUMENTS).presence(obj)] == ["Handläggare"])
        await until(lambda: [c.person.name for c in a.session.service(DOCUMENTS).presence(obj)] == ["Registrator"])
        a.session.service(CHAT).typing.send(room)
        await until(lambda: bool(b.session.service(CHAT).typing.now(room)))
        a.session.service(DOCUMENTS).leave(obj)
        await until(lambda: not b.session.service(DOCUMENTS).presence(obj))
