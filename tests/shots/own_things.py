# SPDX-License-Identifier: EUPL-1.2
"""The steps to the pictures of what is the person's own: their board, a card of it, and the list with its tasks."""

from datetime import timedelta
from functools import partial

from PySide6.QtWidgets import QWidget

from app.core.clock import local, now_ms
from app.tasks.own_board import add_card
from app.tasks.tool import TOOL as TASKS
from tests.shots.scene import Scene, Step
from tests.world import until
from ui.shell.window.navigation import Place
from ui.tasks.task_pages import TaskPages
from ui.tasks.view import TasksView
from ui.tool_views import OWN


async def _filled(s: Scene) -> list[str]:
    """Puts three cards on the person's own board, for as long as the picture is taken; returns their ids."""
    tasks = s.story.me.service(TASKS)
    link = await tasks.own.ensure()
    board, today = tasks.board(link.room, link.obj), local(now_ms()).date()
    made = [
        add_card(board, title, tasks.me)
        for title in ("Lämna in tidrapporten", "Läs in dig på nya kapitel 12 📖", "Boka hörseltest hos företagshälsan")
    ]
    board.set_due(made[0], today + timedelta(days=1))
    board.set_due(made[2], today - timedelta(days=2))
    board.move_card(made[1], "doing")
    s.ends += [partial(board.delete_card, card) for card in made]
    return made


def _pages(s: Scene) -> TaskPages:
    page = s.window.content.of_tool("tasks")
    assert isinstance(page, TaskPages)
    return page


async def _board(s: Scene) -> QWidget:
    s.window.go(Place(section="tasks", tab=OWN))
    await until(lambda: _pages(s).own_board.view is not None)
    return s.window


async def own_board(s: Scene) -> QWidget:
    await _filled(s)
    return await _board(s)


async def own_card(s: Scene) -> QWidget:
    first, *_ = await _filled(s)
    shown = await _board(s)
    view = _pages(s).own_board.view
    assert isinstance(view, TasksView)
    view.editor.open_card(first)
    s.ends.append(view.editor.close_card)
    return shown


async def own_tasks(s: Scene) -> QWidget:
    await _filled(s)
    s.window.go_section("tasks")
    _pages(s).mine.new.setFocus()
    return s.window


VIEWS: dict[str, Step] = {"own-board": own_board, "own-card": own_card, "own-tasks": own_tasks}
