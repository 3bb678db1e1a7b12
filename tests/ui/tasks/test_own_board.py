# SPDX-License-Identifier: EUPL-1.2
"""The pages of the section Tasks: the list with the line for a task of one's own, and the person's own board."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QMainWindow, QMenu, QWidget
from pytestqt.qtbot import QtBot

from app.core.enums import Role
from app.errors import NotFound
from app.objects.links import ObjectLink
from app.tasks.own_board import first_change
from sync.client.ports import MemberRow
from sync.client.received import ReceivedSlice
from sync.errors import Unreachable
from tests.office import HL, OWN_ROOM, Desk
from tests.ui.refusing import full
from tests.ui.tasks.boards import named
from tests.ui.view_parts import view_parts
from tests.world import until
from ui.kit.card import EmptyState, SectionHeader
from ui.tasks.my_tasks import TaskCheck
from ui.tasks.task_pages import MINE, NEW, TaskPages
from ui.tasks.view import TasksView
from ui.tool_views import OWN, ViewPlace

MILK = "Köp mjölk å 🙂"


@dataclass
class Said:
    texts: list[str] = field(default_factory=list)
    undo: Callable[[], object] | None = None


class Window(QMainWindow):
    """A shell with the section alone."""

    def __init__(self, pages: TaskPages) -> None:
        super().__init__()
        self.pages, self.said, self.followed = pages, Said(), list[ObjectLink]()
        self.setCentralWidget(pages)

    def open_link(self, link: ObjectLink) -> None:
        self.followed.append(link)

    def toast(self, text: str, undo: Callable[[], object] | None = None, action: str = "") -> None:
        self.said.texts.append(text)
        self.said.undo = undo

    def go_section(self, section: str, tab: str = "") -> None:
        assert section == "tasks"
        self.pages.show_tab(tab)


@pytest.fixture
def window(hl: Desk, qtbot: QtBot) -> Window:
    made = Window(TaskPages(view_parts(hl.tasks, hl.folk)))
    qtbot.addWidget(made)
    made.resize(1100, 700)
    made.show()
    qtbot.waitUntil(made.isActiveWindow)
    return made


@pytest.fixture
def pages(hl: Desk, window: Window) -> TaskPages:
    """With a room of the person's own."""
    give_room(hl)
    return window.pages


def give_room(hl: Desk) -> None:
    member = MemberRow(uid=HL, role=Role.OWNER, since_n=0, history=True)
    hl.store.receive(ReceivedSlice(room=OWN_ROOM, cursor=0, state=b"", members=[member]))
    hl.own.give(OWN_ROOM)


async def own_view(pages: TaskPages) -> TasksView:
    """The own board, shown."""
    pages.show_tab(OWN)
    await until(lambda: pages.own_board.view is not None)
    view = pages.own_board.view
    assert isinstance(view, TasksView)
    return view


def lines(pages: TaskPages) -> list[str]:
    return [line._title.accessibleName() for line in pages.mine.findChildren(TaskCheck) if line.isVisible()]


def texts(view: QWidget) -> list[str]:
    return [each.text() for each in view.findChildren(QLabel) if each.isVisible()]


async def write(pages: TaskPages, title: str) -> None:
    new = pages.mine.new
    new.setFocus()
    new.field.insert(title)
    QTest.keyClick(new.field, Qt.Key.Key_Return)
    await until(lambda: not new.field.text())


async def test_a_task_of_ones_own_is_written_by_keys_and_is_in_the_list(pages: TaskPages, window: Window) -> None:
    await write(pages, MILK)
    await write(pages, "Ring å ä ö")
    pages.mine.refresh()
    assert lines(pages) == [MILK, "Ring å ä ö"]
    assert [each.text() for each in pages.mine.findChildren(SectionHeader) if each.isVisible()] == ["Min egen tavla"]
    assert window.said.texts == [f"”{MILK}” ligger på din egen tavla", "”Ring å ä ö” ligger på din egen tavla"]
    assert window.said.undo is not None
    window.said.undo()
    pages.mine.refresh()
    assert lines(pages) == [MILK]


async def test_nothing_is_written_without_a_title(pages: TaskPages, hl: Desk) -> None:
    new = pages.mine.new
    new.setFocus()
    QTest.keyClicks(new.field, "  ")
    QTest.keyClick(new.field, Qt.Key.Key_Return)
    new.button.click()
    await asyncio.sleep(0)
    assert hl.tasks.own.find() is None
    assert new.field.hasFocus()


async def test_until_the_server_is_reached_the_title_stays_and_a_sentence_says_why(window: Window, hl: Desk) -> None:
    pages = window.pages
    hl.own.refusal = Unreachable()
    new = pages.mine.new
    new.field.insert(MILK)
    new.button.click()
    await until(new.bar.isVisible)
    assert new.field.text() == MILK
    assert "när Kansli är anslutet" in new.bar.text()
    give_room(hl)
    assert not new.bar.isVisible()
    new.button.click()
    await until(lambda: not new.field.text())
    assert [task.title for task in hl.tasks.my_tasks()] == [MILK]


async def test_the_board_waits_for_the_server_and_is_then_made_by_itself(window: Window, hl: Desk) -> None:
    pages = window.pages
    hl.own.refusal = NotFound()
    pages.show_tab(OWN)
    waits = pages.own_board.findChild(EmptyState)
    assert waits is not None
    await until(waits.isVisible)
    assert "Din egen tavla är inte skapad än" in texts(pages)
    hl.own.refusal = Unreachable()
    assert waits.step is not None
    waits.step.click()
    await asyncio.sleep(0)
    assert waits.isVisible()
    give_room(hl)
    await until(lambda: pages.own_board.view is not None)
    assert not waits.isVisible()


async def test_on_the_own_board_nothing_is_about_other_people(pages: TaskPages, hl: Desk) -> None:
    view = await own_view(pages)
    assert view.accessibleName() == "Min egen tavla"
    assert "Här står det som bara du ska göra. Ingen annan ser det, och det finns på alla dina enheter." in texts(view)
    assert not view.filter_line.mine.isVisible()
    assert view.table.isColumnHidden(2)
    view.new_button.click()
    view.editor.title.insert(MILK)
    QTest.keyClick(view.editor.title, Qt.Key.Key_Tab)
    assert not view.editor.assignee.isVisible()
    assert view.editor.due.isVisible()
    assert not [text for text in texts(view) if "Tilldela" in text]
    (task,) = hl.tasks.my_tasks()
    view.kanban.card_menu_asked.emit(task.card, view.mapToGlobal(view.rect().center()))
    menu = next(each for each in view.findChildren(QMenu) if each.isVisible())
    names = [action.text() for action in menu.actions()]
    assert not [name for name in names if name.startswith("Tilldela")]
    assert ["", ""] not in [names[i : i + 2] for i in range(len(names))], "two lines beside each other"
    menu.close()


async def test_undo_archive_and_trash_work_there(pages: TaskPages) -> None:
    view = await own_view(pages)
    view.new_button.click()
    view.editor.title.insert(MILK)
    view.editor.close_card()
    (card,) = view.board.all_cards()
    view.kanban.delete_asked.emit(card.id)
    assert view.board.all_cards() == []
    view.undo()
    assert [each.title for each in view.board.all_cards()] == [MILK]
    view.board.archive_card(card.id)
    assert len(view.board.archived()) == 1
    view.undo()
    assert view.board.archived() == []


async def test_a_place_on_it_is_opened_and_restored(pages: TaskPages, hl: Desk, qtbot: QtBot) -> None:
    await write(pages, MILK)
    (task,) = hl.tasks.my_tasks()
    pages.open_own(task.ref, ("mjölk",))
    assert pages.tab == OWN
    view = await own_view(pages)
    assert view.editor.card_id == task.card
    left = pages.view_place()
    assert left.opened == task.ref
    view.editor.close_card()
    pages.restore_place(left)
    assert view.editor.card_id == task.card
    pages.keep_draft()
    pages.show_tab(MINE)
    assert pages.view_place().opened == b""
    assert list(pages.doable()) == [NEW]
    pages.doable()[NEW]()
    assert pages.mine.new.field.hasFocus()


async def test_a_place_on_it_is_kept_until_the_board_is_there(window: Window, hl: Desk) -> None:
    pages, left = window.pages, ViewPlace(page=1)
    hl.own.refusal = Unreachable()
    pages.show_tab(OWN)
    pages.restore_place(left)
    assert pages.view_place() == left, "quitting now loses it neither"
    give_room(hl)
    view = await own_view(pages)
    await until(lambda: view.view_place().page == 1)
    assert pages.view_place().page == 1
    view.restore_place(ViewPlace())
    pages.show_tab(MINE)
    pages.show_tab(OWN)
    assert pages.view_place().page == 0, "it is restored once"


async def test_a_full_disk_keeps_the_task_in_memory_and_adds_it_once(pages: TaskPages, hl: Desk) -> None:
    await write(pages, "Först å")
    with full(hl):
        pages.mine.new.field.insert(MILK)
        QTest.keyClick(pages.mine.new.field, Qt.Key.Key_Return)
        assert pages.mine.new.field.text() == ""
        (unsaved,) = hl.tasks.unstored()
    assert unsaved.obj == _own(hl).obj
    hl.tasks.save()
    assert sorted(task.title for task in hl.tasks.my_tasks()) == sorted(["Först å", MILK])


async def test_the_board_that_counts_now_takes_the_place_of_the_one_before(pages: TaskPages, hl: Desk) -> None:
    await write(pages, MILK)
    (task,) = hl.tasks.my_tasks()
    pages.open_own(task.ref, ())
    view = await own_view(pages)
    before = _own(hl)
    lower = next(obj for obj in (hl.store.objects.new(OWN_ROOM) for _ in range(10_000)) if obj < before.obj)
    with hl.store.transaction():
        hl.tasks._rooms.announce(OWN_ROOM, lower, "board")
        hl.store.changes.append(OWN_ROOM, lower, first_change())
    hl.tasks.own.look()
    assert pages.own_board.view is not None
    assert pages.own_board.view is not view
    assert named(pages.own_board.view, "Ny uppgift").isVisible()


def _own(hl: Desk) -> ObjectLink:
    found = hl.tasks.own.find()
    assert found is not None
    return found


async def test_both_tabs_have_names_for_a_screen_reader(pages: TaskPages) -> None:
    assert [button.accessibleName() or button.text() for button in pages.tabs.buttons.values()] == [
        "Mina uppgifter",
        "Min egen tavla",
    ]
    assert pages.mine.new.field.accessibleName() == "Ny egen uppgift"
    QTest.mouseClick(pages.tabs.buttons[OWN], Qt.MouseButton.LeftButton)
    assert pages.tab == OWN
    await until(lambda: pages.own_board.view is not None)
