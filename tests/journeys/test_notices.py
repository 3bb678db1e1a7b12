# SPDX-License-Identifier: EUPL-1.2
"""A mention reaches who was away, once, over a real server."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from app.chat.tool import TOOL as CHAT
from app.core import clock
from app.core.enums import Level, LinkState
from app.core.ids import RoomId
from app.kinds import TOOLS
from app.notices.service import FreshNotices, NoticeFilter
from app.objects.links import ObjectLink
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


async def two_devices(o: Offices) -> tuple[Desk, Desk, Desk, RoomId]:
    """A person's first and second device, a colleague, and a room that both people are in."""
    old, colleague = await o.hire("Handläggare", "Registrator")
    room = await o.room(old, colleague)
    await until(lambda: old.session.status.waiting == 0 and bool(old.session.personal.rooms))
    return old, await o.second(old, by_code=False), colleague, room


@pytest.mark.usefixtures("own_at_once")
async def test_what_is_done_and_put_off_on_one_device_is_so_on_the_other(o: Offices) -> None:
    old, new, colleague, room = await two_devices(o)
    colleague.session.service(CHAT).send(room, "@Handläggare ett å")
    colleague.session.service(CHAT).send(room, "@Handläggare två 🙂")
    mine, other = old.session.notices, new.session.notices
    await until(lambda: mine.count(OPEN) == other.count(OPEN) == 2)
    newest, oldest = mine.list(OPEN)
    mine.mark_done([newest.id])
    mine.snooze([oldest.id], oldest.t + 10**10)
    await until(lambda: other.count(OPEN) == 0)
    other.mark_new([newest.id])
    await until(lambda: [row.id for row in mine.list(OPEN)] == [newest.id])
    old.session.rooms.set_level(room, Level.NOTHING)
    await until(lambda: new.session.notices.level(room) is Level.NOTHING)
    rung = heard(new)
    colleague.session.service(CHAT).send(room, "@Handläggare tre")
    await until(lambda: other.count(OPEN) == 2)
    assert rung == [], "it is listed, and rings nothing"


@pytest.mark.usefixtures("own_at_once")
async def test_a_reminder_rings_on_the_connected_device_that_was_used_last_and_is_listed_on_both(o: Offices) -> None:
    old, new, _, room = await two_devices(o)
    await until(lambda: new.session.status.state is LinkState.ONLINE and bool(new.session.own_room.rooms()))
    await use(old, new)
    await use(new, old)
    at_old, at_new = rung(old), rung(new)
    obj = old.session.service(CHAT).channel(room)
    assert obj is not None
    link = ObjectLink(room=room, obj=obj, kind="chat")
    row = old.session.reminders.remind(link, clock.now_ms() + 60_000)
    await until(lambda: new.session.reminders.count() == 1)
    old.session.reminders.move(row.id, clock.now_ms())
    await until(lambda: at_new == ["reminder"])
    await until(lambda: not old.session.store.db.value("SELECT count(*) FROM notices WHERE ring"))
    assert at_old == []
    assert [each.kind for each in old.session.notices.list(OPEN)] == ["reminder"]


async def use(desk: Desk, other: Desk) -> None:
    """The person uses one of their devices, and the other one receives that."""
    received = list[bool]()
    end = other.session.turns.changed.connect(lambda: received.append(True))
    desk.session.turns.use()
    await until(lambda: bool(received))
    end()


def rung(desk: Desk) -> list[str]:
    """The kinds of the notices that ring at a desk from now on."""
    found = list[str]()
    desk.session.notices.fresh.connect(lambda fresh: found.extend(row.kind for row in fresh.notices))
    return found
