# SPDX-License-Identifier: EUPL-1.2
"""Who is in a document and who writes in the chat, seen from the other desk."""

from pathlib import Path

from tests.journeys.desks import offices
from tests.world import until


async def test_each_sees_the_other_in_a_document_and_writing_in_the_chat(tmp_path: Path) -> None:
    async with offices(tmp_path) as o:
        a, b = await o.hire("Handläggare", "Registrator")
        room = await o.room(a, b)
        obj = a.session.documents.create(room, "Utkast")
        await until(lambda: bool(b.session.documents.list(room)))
        for desk in (a, b):
            desk.session.documents.open(obj)
            desk.session.documents.enter(obj, lambda: (0, 0))
        await until(lambda: [c.person.name for c in b.session.documents.presence(obj)] == ["Handläggare"])
        await until(lambda: [c.person.name for c in a.session.documents.presence(obj)] == ["Registrator"])
        a.session.chat.typing.send(room)
        await until(lambda: bool(b.session.chat.typing.now(room)))
        a.session.documents.leave(obj)
        await until(lambda: not b.session.documents.presence(obj))
