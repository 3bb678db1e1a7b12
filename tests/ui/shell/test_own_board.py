# SPDX-License-Identifier: EUPL-1.2
"""The person's own board in the window: how one gets to it, and that the room in which it lies is shown nowhere."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from app.core.ids import ObjId, RoomId
from app.notices.service import NoticeFilter
from app.objects.links import ObjectLink
from app.session import Session
from app.store.notice_rows import Notice
from app.tasks.noticing import OVERDUE
from app.tasks.own_board import add_card
from app.tasks.service import TaskService
from app.tasks.tool import TOOL as TASKS
from app.tool import Unsaved
from app.unstored import named
from tests.ui.shell.in_window import press
from tests.ui.soon import caught_up
from tests.world import until
from ui.shell.notices.lines import NoticeLines
from ui.shell.window import window_place
from ui.shell.window.main_window import MainWindow
from ui.shell.window.outside_links import judge
from ui.shell.window.quitting import _line
from ui.tasks.task_pages import TaskPages
from ui.tasks.view import TasksView
from ui.tool_views import OWN

MILK = "Köp mjölk å 🙂"


def tasks_of(session: Session) -> TaskService:
    return session.service(TASKS)


async def written(session: Session, title: str = MILK) -> ObjectLink:
    """A card on the own board, by its link."""
    tasks = tasks_of(session)
    link = await tasks.own.ensure()
    board = tasks.board(link.room, link.obj)
    card = add_card(board, title, tasks.me)
    return ObjectLink(room=link.room, obj=link.obj, kind=link.kind, ref=card.encode())


def pages(window: MainWindow) -> TaskPages:
    page = window.content.of_tool("tasks")
    assert isinstance(page, TaskPages)
    return page


def view(window: MainWindow) -> TasksView:
    assert window.content.stack.currentWidget() is pages(window)
    found = pages(window).own_board.view
    assert isinstance(found, TasksView)
    return found


def rows(window: MainWindow) -> list[tuple[str, str, str]]:
    return [(row.title, row.detail, row.right) for row in window.palette_view.list.rows.rows if not row.section]


async def test_the_palette_goes_to_it_by_keys_and_makes_it(window: MainWindow, session: Session) -> None:
    press(window, "Ctrl+K")
    window.palette_view.field.insert("egen tavla")
    QTest.keyClick(window.palette_view.field, Qt.Key.Key_Return)
    await until(lambda: pages(window).own_board.view is not None)
    assert window.navigator.place.tab == OWN
    assert window.rail.items["tasks"].isChecked()
    assert tasks_of(session).own.find() is not None
    press(window, "Ctrl+Shift+T")
    assert pages(window).mine.new.field.hasFocus()
    press(window, "Alt+Left")
    assert window.content.stack.currentWidget() is pages(window)
    assert pages(window).tab == OWN


async def test_a_link_to_its_card_opens_it_in_the_section_and_no_room(window: MainWindow, session: Session) -> None:
    link = await written(session)
    window.open_link(link)
    assert view(window).editor.card_id == link.ref.decode()
    assert window.current_room() is None
    assert window.navigator.current_view() is pages(window)
    assert window.commands["remind"].enabled()
    window.go_section("home")
    press(window, "Alt+Left")
    assert pages(window).tab == OWN
    assert judge(link.to_text(), session) == (link, "")
    window.follow(link.to_text())
    assert view(window).editor.card_id == link.ref.decode()
    assert session.rooms.recent(1)[0].obj == link.obj
    window.go_section("home")
    caught_up(window)
    recent = [widget.accessibleName() for widget in window.content.home.findChildren(QWidget)]
    assert any("Min egen tavla" in name for name in recent)


async def test_a_search_finds_its_cards_and_opens_the_board(window: MainWindow, session: Session) -> None:
    link = await written(session)
    window.search_for("mjölk")
    search = window.content.search_view
    await until(lambda: bool(search.list.rows.rows))
    (row,) = search.list.rows.rows
    assert (row.title, row.detail.split(" · ")[0]) == (MILK, "Min egen tavla")
    search.list.setFocus()
    search.list.choose_first()
    QTest.keyClick(search.list, Qt.Key.Key_Return)
    assert view(window).editor.card_id == link.ref.decode()
    window.palette_view.open("mjölk")
    await until(lambda: any(title == MILK for title, _, _ in rows(window)))
    assert [detail.split(" · ")[0] for title, detail, _ in rows(window) if title == MILK] == ["Min egen tavla"]


async def test_the_room_of_ones_own_is_in_no_list(window: MainWindow, session: Session) -> None:
    link = await written(session)
    window.open_link(link)
    caught_up(window)
    assert link.room not in {room.room for room in session.rooms.rooms()}
    assert link.room not in [row.key for row in window.room_list.list.rows.rows]
    window.open_palette()
    offered = [row for row in window.palette_view.list.rows.rows if not row.section]
    assert all(row.title for row in offered), "what was opened last has a name"
    assert ("room", link.room) not in [row.key for row in offered]
    window.open_room(link.room)
    assert window.navigator.place.section == "home"
    assert link.room.hex() not in "".join(session.report().values())


async def test_what_is_no_board_there_opens_nothing(window: MainWindow, session: Session) -> None:
    """A link to another object in the room of one's own, which any program can make from its id."""
    link = await written(session)
    other = next(o for o in session.rooms.objects(link.room) if o.kind != link.kind)
    window.open_link(ObjectLink(room=link.room, obj=other.obj, kind=other.kind))
    assert window.navigator.place.section == "home"
    window.open_link(ObjectLink(room=RoomId(b"?" * 16), obj=ObjId(b"?" * 16), kind=link.kind))
    assert window.current_room() is None


async def test_a_card_that_is_due_is_named_after_the_board(window: MainWindow, session: Session) -> None:
    link = await written(session)
    due = Notice(
        kind=OVERDUE, room=link.room, obj=link.obj, key=link.ref, t=1, ref=link.ref, thread=ObjId(link.room)
    )  # as app/tasks/due.py makes it
    await session.notices.keep((OVERDUE,), [due])
    (row,) = session.notices.list(NoticeFilter(room=link.room))
    line = NoticeLines(session, window.tools).line(row)
    assert (line.title, line.text, line.room) == ("En uppgift är försenad i Min egen tavla", MILK, "Min egen tavla")
    window.navigator.open_notice(row)
    assert view(window).editor.card_id == link.ref.decode()


async def test_what_is_being_written_there_is_stored_and_its_place_kept(window: MainWindow, session: Session) -> None:
    link = await written(session)
    window.open_link(link)
    own = view(window)
    own.editor.put_caret("title", 0, 0)
    own.editor.title.insert("X")
    window.keep_draft()
    assert own.board.card(link.ref.decode()) is not None
    assert own.board.card(link.ref.decode()).title == f"X{MILK}"  # type: ignore[union-attr] # it is there
    window_place.keep(window, session)
    window.go_section("home")
    window_place.go_back(window, session)
    assert pages(window).tab == OWN


async def test_what_the_disk_refused_there_is_named_without_a_room(session: Session) -> None:
    await written(session)
    link = tasks_of(session).own.find()
    assert link is not None
    (one,) = named(session.store.objects, session.rooms, [Unsaved(obj=link.obj, draft=False)])
    assert _line(one) == "Dina senaste ändringar i det som bara du ser"


@pytest.fixture
def session(session: Session) -> Session:
    """It has a room of the person's own, which the kept office made."""
    assert session.own_room.find() is not None
    return session
