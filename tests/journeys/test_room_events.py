# SPDX-License-Identifier: EUPL-1.2
"""What happened in a room, at three desks on a real server: the same lines in the same order at all who may see
them."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from app.chat.tool import TOOL as CHAT
from app.core.enums import Role
from app.core.ids import RoomId
from app.store.room_lines import RoomLine, Wanted
from app.store.statements import MAX_INT
from tests.journeys.desks import Desk, Offices, offices
from tests.world import until

pytestmark = pytest.mark.slow


@pytest_asyncio.fixture
async def o(tmp_path: Path) -> AsyncIterator[Offices]:
    async with offices(tmp_path) as running:
        yield running


def lines(at: Desk, room: RoomId, wanted: Wanted = Wanted()) -> list[RoomLine]:  # noqa: B008 - frozen
    return at.session.rooms.lines.between(room, 0, MAX_INT, 1000, wanted)


def kinds(at: Desk, room: RoomId) -> list[str]:
    return [line.kind for line in lines(at, room) if line.kind not in ("epoch", "pin")]


async def test_three_desks_have_the_same_lines_and_a_newcomer_those_since_they_came(o: Offices) -> None:
    a, b, c = await o.hire("Handläggare", "Registrator", "Enhetschef")
    room = await o.room(a, b)
    await until(lambda: "joined" in kinds(a, room))
    b_uid = b.session.people.me.uid
    await a.session.rooms.set_role(room, b_uid, Role.ADMIN)
    a.session.rooms.rename(room, "Bygglov å 🙂")
    await until(lambda: b.session.rooms.room(room).title == "Bygglov å 🙂")
    await until(lambda: kinds(b, room) == ["genesis", "add", "joined", "role", "title"])
    await o.add(a, room, c, history=False)
    c.session.service(CHAT).send(room, "Hej å")
    await until(lambda: "joined" in kinds(c, room) and kinds(a, room).count("joined") == 2)
    await until(lambda: kinds(b, room).count("joined") == 2)
    assert lines(a, room) == lines(b, room)
    assert kinds(c, room) == ["add", "joined"]
    (role,) = lines(b, room, Wanted(kinds=["role"]))
    assert (role.was, role.role, role.subject) == (Role.WRITER, Role.ADMIN, b_uid)
    (title,) = lines(b, room, Wanted(kinds=["title"]))
    assert (title.old, title.title) == ("Tillsyn 2026-1184 åäö", "Bygglov å 🙂")
    await a.session.rooms.remove(room, c.session.people.me.uid)
    await b.session.rooms.leave(room)
    await until(lambda: kinds(a, room)[-2:] == ["rm", "leave"])
    await until(lambda: any(line.why == "leave" for line in lines(a, room, Wanted(kinds=["epoch"]))))
    before = lines(a, room)
    await a.restart()
    assert lines(a, room) == before


async def test_the_lines_lie_between_the_messages_of_an_open_conversation(o: Offices) -> None:
    a, b = await o.hire("Handläggare", "Registrator")
    room = await o.room(a, b)
    b.session.service(CHAT).send(room, "Ett")
    await until(lambda: a.texts(room) == ["Ett"])
    timeline = a.session.service(CHAT).timeline(room)
    a.session.rooms.rename(room, "Nytt namn")
    await until(lambda: [line.kind for each in timeline.place(0).after for line in each.lines] == ["title"])
    b.session.service(CHAT).send(room, "Två")
    await until(lambda: a.texts(room) == ["Ett", "Två"])
    assert [line.kind for each in timeline.place(1).lines for line in each.lines] == ["title"]
    assert a.session.service(CHAT).unread(room) == (2, 0)
