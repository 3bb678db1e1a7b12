# SPDX-License-Identifier: EUPL-1.2
"""A mention reaches who was away, once, over a real server."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from app.chat.tool import TOOL as CHAT
from app.kinds import TOOLS
from app.notices.service import FreshNotices, NoticeFilter
from tests.journeys.desks import Desk, Offices, offices
from tests.world import until

OPEN = NoticeFilter(open=True)


@pytest_asyncio.fixture
async def o(tmp_path: Path) -> AsyncIterator[Offices]:
    async with offices(tmp_path, TOOLS) as running:
        yield running


def heard(desk: Desk) -> list[FreshNotices]:
    """What rings at a desk from now on."""
    found = list[FreshNotices]()
    desk.session.notices.fresh.connect(found.append)
    return found


async def test_who_was_away_is_told_of_a_mention_once_and_never_again_when_rows_are_made_again(o: Offices) -> None:
    a, b = await o.hire("Handläggare", "Registrator")
    told = heard(b)
    room = await o.room(a, b)
    await until(lambda: [row.kind for each in told for row in each.notices] == ["added"])
    await b.close()
    chat = a.session.service(CHAT)
    chat.send(room, "@Registrator kan du se på detta å 🙂")
    chat.send(room, "Det är bråttom")
    await until(lambda: a.session.store.waiting_count() == 0)

    await b.begin_offline()
    told = heard(b)
    await until(lambda: bool(told))
    (fresh,) = told
    assert [row.kind for row in fresh.notices] == ["mention"]
    assert fresh.caught_up
    (row,) = b.session.notices.list(OPEN)
    assert row.by == a.session.people.me.uid
    assert a.session.notices.list() == (), "what I did myself is no notice"

    with b.session.store.db.transaction() as conn:
        conn.execute("UPDATE kinds SET version = 0")
    await b.close()
    await b.begin_offline()
    told = heard(b)
    chat.send(room, "@Registrator en gång till")
    await until(lambda: bool(told))
    assert [each.count for each in told] == [1], "only the new one rings"
    assert b.session.notices.count(OPEN) == 2
    b.session.service(CHAT).send(room, "Jag ser på det")
    assert b.session.notices.count(OPEN) == 0
