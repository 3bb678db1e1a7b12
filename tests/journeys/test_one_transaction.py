# SPDX-License-Identifier: EUPL-1.2
"""A chat message with everything that is stored with it (lists, search, its batch) is one transaction."""

from pathlib import Path

import pytest

from app.chat.tool import TOOL as CHAT
from app.core.ids import RoomId
from app.errors import StoreUnwritable
from tests.app.store.failing import Statements, fails_at
from tests.journeys.desks import Desk, offices
from tests.world import until


async def _ready(a: Desk, room: RoomId) -> None:
    """Until nothing keeps a message from being encrypted in its own transaction."""
    at = a.session.engine.parts.link.rooms[room]
    await until(lambda: at.is_settled and not a.session.store.waiting_count())


async def test_each_statement_of_a_message_that_fails_gives_number_and_chain_back(tmp_path: Path) -> None:
    async with offices(tmp_path) as o:
        a, b = await o.hire("Handläggare", "Registrator")
        room = await o.room(a, b)
        store, chat = a.session.store, a.session.service(CHAT)
        said = ["Den första har mer att göra", "Räknas åäö 🙂"]
        for text in said:
            await _ready(a, room)
            seen = Statements(store)
            with seen.watched():
                chat.send(room, text)
            assert seen.texts.count("COMMIT") == 1
        count = seen.texts.index("COMMIT") + 1
        for number in range(count):
            await _ready(a, room)
            burned, texts = store.burned(room), a.texts(room)
            seen = Statements(store)
            seen.before = fails_at(number)
            with seen.watched(), pytest.raises(StoreUnwritable):
                chat.send(room, f"Aldrig {number}")
            assert (store.burned(room), a.texts(room)) == (burned, texts)
            assert (store.sealed(room), store.waiting_count()) == (None, 0)
            said.append(f"Skickat {number} 🙂")
            chat.send(room, said[-1])
            batch = store.sealed(room)
            assert batch is not None
            assert batch.first_seq == burned + 1
        await until(lambda: b.texts(room) == said)
        assert a.texts(room) == said
