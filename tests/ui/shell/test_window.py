# SPDX-License-Identifier: EUPL-1.2
"""Going about in the window: rail, rooms, tabs, back and forward, F6, Esc, commands."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QPlainTextEdit, QWidget
from pytestqt.qtbot import QtBot

from app.core.enums import RoomState, RoomType
from app.core.ids import ObjId, new_id
from app.notices.kinds import ADDED
from app.notices.service import NoticeFilter
from app.objects.links import ObjectLink
from app.rooms.records import ObjectAnnounced, encode
from app.session import Session
from tests.ui.finding import toast_of
from tests.ui.pointing import click
from tests.ui.shell.in_window import press, room, texts
from tests.ui.shell.kept_office import office
from tests.ui.shell.opened_office import continue_room, join, receive, stop
from tests.ui.shell.sample import at
from tests.ui.shell.tool_views import FakeView
from tests.ui.soon import caught_up
from tests.world import until
from ui.shell.settings.settings_view import SettingsView
from ui.shell.window.main_window import MainWindow
from ui.tool_views import Shell, follow, toast


def test_no_two_commands_share_a_shortcut(window: MainWindow) -> None:
    shortcuts = [s.toString() for a in window.actions() for s in a.shortcuts()]
    assert len(shortcuts) == len(set(shortcuts))


async def test_nobody_is_added_to_a_room_that_is_only_read(window: MainWindow, session: Session) -> None:
    window.open_room(office().case)
    add = next(b for b in window.findChildren(QAbstractButton) if b.accessibleName() == "Lägg till deltagare")
    assert add.isVisible()
    stop(session, office().case, RoomState.FORK)
    continue_room(session, office().case, office().me)
    caught_up(window)
    assert not add.isVisible()


def test_the_rail_goes_by_keys_and_marks_where_one_is(window: MainWindow) -> None:
    for keys, section in (("Ctrl+2", "rooms"), ("Ctrl+3", "tasks"), ("Ctrl+4", "search"), ("Ctrl+1", "home")):
        press(window, keys)
        assert [k for k, b in window.rail.items.items() if b.isChecked()] == [section]
    assert not window.room_list.isVisible()


@pytest.mark.parametrize("by_key", [False, True])
def test_who_opens_a_room_in_the_list_can_write_at_once(window: MainWindow, *, by_key: bool) -> None:
    window.go_section("rooms")
    rooms = window.room_list.list
    index = rooms.rows.index_of(office().case)
    if by_key:
        rooms.setFocus()
        rooms.setCurrentIndex(index)
        QTest.keyClick(rooms, Qt.Key.Key_Return)
    else:
        click(rooms.viewport(), rooms.visualRect(index).center())
    assert room(window).room == office().case
    view = room(window).current_view()
    assert isinstance(view, FakeView)
    focused = window.focusWidget()
    assert focused is not None
    QTest.keyClicks(focused, "hej å")
    assert view.field.text() == "hej å"


def test_back_and_forward_follow_rooms_and_tabs(window: MainWindow) -> None:
    window.open_room(office().case)
    press(window, "Alt+3")
    window.open_room(office().permit)
    press(window, "Alt+Left")
    assert (room(window).room, room(window).tabs.current()) == (office().case, "tasks")
    press(window, "Alt+Left")
    assert room(window).tabs.current() == "chat"
    press(window, "Alt+Right")
    assert room(window).tabs.current() == "tasks"


def test_a_room_shows_its_seal_people_and_tools(window: MainWindow, session: Session) -> None:
    window.open_room(office().case)
    view = room(window)
    assert view.tabs.ids() == ["chat", "documents", "tasks"]
    shown = texts(view)
    assert {"I rummet", "Senast ändrat", "Tillsyn 2026-1184", "2 av 7 klara"} <= set(shown)
    assert view.faces.accessibleName() == "Deltagare: 3 personer"
    stop(session, office().case, RoomState.FORK)
    caught_up(window)
    chips = [
        c.accessibleName() for c in view.findChildren(QWidget) if c.accessibleName() == "Försegling: Olika historik"
    ]
    assert len(chips) == 1


def test_wide_tools_have_no_people_panel_until_it_is_asked_for(window: MainWindow) -> None:
    window.open_room(office().case)
    assert room(window).panel.isVisible()
    press(window, "Alt+3")
    assert not room(window).panel.isVisible()
    room(window).faces.click()
    assert room(window).panel.isVisible()
    window.resize(window.width() + 40, window.height())
    QApplication.processEvents()
    assert room(window).panel.isVisible()
    press(window, "Alt+2")  # documents, where nobody asked for it
    assert not room(window).panel.isVisible()
    press(window, "Alt+3")
    assert room(window).panel.isVisible()


def test_back_and_forward_open_the_object_of_a_link(window: MainWindow) -> None:
    link = ObjectLink(room=office().case, obj=office().document, kind="document")
    follow(window.content.home, link)
    tool = room(window).view("documents")
    assert isinstance(tool, FakeView)
    tool.refs.clear()
    window.open_room(office().permit)
    press(window, "Alt+Left")
    assert (room(window).room, room(window).tabs.current()) == (office().case, "documents")
    assert tool.refs == [(office().document, b"")]
    press(window, "Alt+Left")
    tool.refs.clear()
    press(window, "Alt+Right")
    assert tool.refs == [(office().document, b"")]


def test_a_link_opens_the_room_the_tool_and_the_place(window: MainWindow, session: Session) -> None:
    follow(window.content.home, ObjectLink(room=office().case, obj=office().board, kind="board", ref=b"card"))
    view = room(window)
    assert (view.room, view.tabs.current()) == (office().case, "tasks")
    tool = view.view("tasks")
    assert isinstance(tool, FakeView)
    assert tool.refs == [(office().board, b"card")]
    assert session.rooms.recent(1)[0].obj == office().board


async def test_a_link_to_a_rooms_first_board_ends_at_its_card_right_after_the_board_arrived(
    window: MainWindow, session: Session
) -> None:
    case = join(session, office().head, "Ärende å 🙂", RoomType.CASE, t_ms=at(14, 1))
    window.open_room(case)
    view = room(window)
    assert view.tabs.ids() == ["chat", "documents"]
    board = ObjId(new_id())
    announced = encode(ObjectAnnounced(obj=board, kind="board"))
    receive(session, case, office().head, announced, obj=ObjId(case), t_ms=at(14, 2))
    follow(window.content.home, ObjectLink(room=case, obj=board, kind="board", ref=b"card"))
    assert view.tabs.current() == "tasks"
    tool = view.view("tasks")
    assert isinstance(tool, FakeView)
    assert view.current_view() is tool
    assert tool.refs == [(board, b"card")]
    caught_up(window)
    assert (view.tabs.ids(), view.current_view()) == (["chat", "documents", "tasks"], tool)


def test_opening_a_room_reads_the_notice_that_one_was_added(window: MainWindow, session: Session) -> None:
    wanted = NoticeFilter(kinds=frozenset({ADDED.id}), unseen=True)
    assert [row.room for row in session.notices.list(wanted)] == [office().legal]
    window.open_room(office().legal)
    assert session.notices.list(wanted) == ()


def test_another_tab_gets_the_focus_as_a_whole_and_not_its_first_button(window: MainWindow) -> None:
    window.open_room(office().case)
    chat = room(window).current_view()
    assert isinstance(chat, FakeView)
    chat.field.setFocus()
    press(window, "Alt+3")
    board = room(window).current_view()
    assert isinstance(board, FakeView)
    assert window.focusWidget() is board.field  # what the view does with it


def test_a_person_who_opens_a_room_by_key_can_write_at_once(window: MainWindow) -> None:
    press(window, "Ctrl+2")
    view = room(window).current_view()
    assert isinstance(view, FakeView)
    QTest.keyClicks(window.focusWidget(), "hej")
    assert view.field.text() == "hej"


def test_f6_goes_through_every_region_and_comes_back(window: MainWindow) -> None:
    window.open_room(office().case)
    seen = []
    for _ in range(5):
        press(window, "F6")
        focused = window.focusWidget()
        assert focused is not None
        parts = {"rail": window.rail, "list": window.room_list, "tabs": room(window).tabs, "panel": room(window).panel}
        seen.append(next((k for k, p in parts.items() if p is focused or p.isAncestorOf(focused)), "content"))
    assert sorted(seen) == ["content", "list", "panel", "rail", "tabs"]
    press(window, "Shift+F6")
    assert window.focusWidget() is not None


def test_the_settings_are_made_at_their_first_use(window: MainWindow) -> None:
    """They are half of the window's widgets, and few starts show them."""
    assert not window.content.stack.findChildren(SettingsView)
    press(window, "Ctrl+5")
    press(window, "Ctrl+1")
    press(window, "Ctrl+5")
    assert window.content.stack.findChildren(SettingsView) == [window.settings_view]
    assert window.settings_view.isVisible()


def test_esc_closes_the_toast_then_the_settings(window: MainWindow) -> None:
    undone: list[bool] = []
    press(window, "Ctrl+5")
    toast(window.settings_view, "Kortet har tagits bort 👍", lambda: undone.append(True))
    assert toast_of(window).isVisible()
    QTest.keyClick(window, Qt.Key.Key_Escape)
    assert not toast_of(window).isVisible()
    assert window.content.stack.currentWidget() is window.settings_view
    QTest.keyClick(window, Qt.Key.Key_Escape)
    assert window.content.stack.currentWidget() is window.content.home_pages
    assert isinstance(window, Shell)


def test_the_next_unread_room_is_a_key_away(window: MainWindow) -> None:
    window.open_room(office().case)
    press(window, "Alt+Shift+Down")
    assert room(window).room == office().unit


def test_the_next_room_is_a_key_away_also_from_a_field(window: MainWindow, qtbot: QtBot) -> None:
    window.open_room(office().case)
    field = QPlainTextEdit(room(window).current_view())
    field.show()
    field.setFocus()
    qtbot.waitUntil(field.hasFocus)
    QTest.keyClick(field, Qt.Key.Key_PageDown, Qt.KeyboardModifier.ControlModifier)
    assert room(window).room != office().case
    QTest.keyClick(window, Qt.Key.Key_PageUp, Qt.KeyboardModifier.ControlModifier)
    assert room(window).room == office().case


def test_a_choice_still_opens_by_its_own_key(window: MainWindow, qtbot: QtBot) -> None:
    press(window, "Ctrl+5")
    box = next(b for b in window.settings_view.findChildren(QComboBox) if b.isVisible())
    box.setFocus()
    qtbot.waitUntil(box.hasFocus)
    QTest.keyClick(box, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    qtbot.waitUntil(box.view().isVisible)
    box.hidePopup()


async def test_writing_to_a_person_opens_the_room_that_is_there(window: MainWindow, session: Session) -> None:
    count = len(session.rooms.rooms())
    window.room_requests.write_to(office().registrar)
    await until(lambda: window.current_room() is not None)
    summary = room(window).summary()
    assert summary is not None
    assert (summary.title, len(session.rooms.rooms())) == ("Registrator", count)


def test_what_the_open_view_can_do_is_among_the_commands_and_only_then(
    window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    offered = {"print": lambda: done.append("print"), "import": lambda: done.append("import")}
    names = {"print", "export-docx", "export-pdf", "export-markdown", "import"}
    press(window, "Ctrl+P")
    window.open_room(office().case)
    press(window, "Ctrl+P")
    assert done == []
    assert not names & {command.id for command in window.commands.shown()}
    monkeypatch.setattr(FakeView, "doable", lambda _self: offered, raising=False)
    assert names & {command.id for command in window.commands.shown()} == {"print", "import"}
    press(window, "Ctrl+P")
    window.commands["import"].run()
    window.commands["export-pdf"].run()
    assert done == ["print", "import"]
