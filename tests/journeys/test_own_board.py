# SPDX-License-Identifier: EUPL-1.2
"""A person's own board on two devices at a real server: the same on both, one of two that were made apart, and nothing
of it in clear outside the devices or known to anybody else."""

from functools import partial
from pathlib import Path

import pytest

from app.core.enums import LinkState
from app.tasks.model import Board
from app.tasks.own_board import COLUMNS, add_card
from app.tasks.tool import TOOL as TASKS
from tests.demo.canary import search
from tests.journeys.desks import Desk, Offices
from tests.world import until

pytestmark = pytest.mark.slow

MILK = "Köp mjölk och smör före helgen å 🙂"
CALL = "Ring fastighetsskötaren om dörren ä ö"


async def board(at: Desk) -> Board:
    tasks = at.session.service(TASKS)
    link = await tasks.own.ensure()
    return tasks.board(link.room, link.obj)


async def add(at: Desk, title: str) -> str:
    return add_card(await board(at), title, at.session.people.me.uid)


def titles(at: Desk) -> list[str]:
    return sorted(task.title for task in at.session.service(TASKS).my_tasks())


def sent(at: Desk) -> bool:
    return at.session.store.waiting_count() == 0


async def test_both_devices_have_the_board_and_nobody_else_has_a_word_of_it(o: Offices, tmp_path: Path) -> None:
    home, colleague = await o.hire("Handläggare", "Registrator")
    room = await o.room(home, colleague)
    card = await add(home, MILK)
    await until(partial(sent, home))
    away = await o.second(home)
    await until(lambda: titles(away) == [MILK])
    (await board(away)).move_card(card, COLUMNS[1])
    await add(away, CALL)
    await until(lambda: titles(home) == sorted([MILK, CALL]))
    moved = (await board(home)).card(card)
    assert moved is not None
    assert moved.column == COLUMNS[1]
    assert [each.room for each in home.session.rooms.rooms()] == [room]
    assert titles(colleague) == []
    assert await colleague.session.search.find("mjölk") == []
    found = home.session.service(TASKS).own.find()
    assert found is not None
    assert colleague.session.store.objects.get(found.obj) is None
    assert search([MILK, CALL, *(column.title for column in (await board(home)).columns())], [o.w.data]) == []
    assert search([MILK, CALL], [tmp_path]) == [], "on the devices it lies encrypted, too"


async def test_two_boards_that_were_made_apart_are_one_afterwards(o: Offices) -> None:
    (home,) = await o.hire("Handläggare")
    await home.session.own_room.ensure()
    away = await o.second(home)
    await until(lambda: away.session.own_room.find() is not None and sent(home) and sent(away))
    await o.w.stop_server()
    await until(lambda: all(each.session.status.state is not LinkState.ONLINE for each in (home, away)))
    first, second = await add(home, MILK), await add(away, CALL)
    own = [each.session.service(TASKS).own for each in (home, away)]
    assert own[0].find() != own[1].find()
    await o.w.start_server()
    for each in (home, away):
        each.session.hurry()
    await until(lambda: titles(home) == titles(away) == sorted([MILK, CALL]))
    await until(lambda: sent(home) and sent(away))
    assert own[0].find() == own[1].find()
    for each in (home, away):
        model = await board(each)
        assert {card.id for card in model.all_cards()} == {first, second}
        assert [column.id for column in model.columns()] == list(COLUMNS)
    await away.restart()
    await until(lambda: titles(away) == sorted([MILK, CALL]))
