# SPDX-License-Identifier: EUPL-1.2
"""Sections of the person's own in the list of rooms, what is folded up, and the order: by menu, by key and by dragging;
what another device does appears here at once."""

from collections.abc import Hashable

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QContextMenuEvent, QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QMenu
from pytestqt.qtbot import QtBot

from app.core.ids import RoomId
from app.session import Session
from tests.ui.faces import Name, face
from tests.ui.finding import toast_of
from tests.ui.shell.in_window import press, room, texts
from tests.ui.shell.kept_office import office
from tests.ui.shell.opened_office import chat_of
from tests.ui.soon import caught_up
from tests.world import until
from ui.kit.dialogs import Dialog
from ui.shell.window.main_window import MainWindow
from ui.shell.window.room_rows import RoomRows
from ui.shell.window.section_dialog import SectionDialog


def rows(window: MainWindow) -> list[str]:
    """The titles of the list, headings in brackets."""
    QApplication.processEvents()
    caught_up(window)
    return [f"[{row.title}]" if row.section else row.title for row in window.room_list.list.rows.rows]


def at(window: MainWindow, key: Hashable) -> RoomRows:
    """The list with the focus at a row."""
    caught_up(window)
    made = window.room_list.list
    made.setFocus()
    made.setCurrentIndex(made.rows.index_of(key))
    return made


def menu(window: MainWindow, key: Hashable) -> QMenu:
    """The menu of a row, opened by key."""
    at(window, key)
    event = QContextMenuEvent(QContextMenuEvent.Reason.Keyboard, QPoint(5, 5), window.mapToGlobal(QPoint(60, 300)))
    QApplication.sendEvent(window.room_list, event)
    return opened()


def opened() -> QMenu:
    found = QApplication.activePopupWidget()
    assert isinstance(found, QMenu)
    return found


def choose(shown: QMenu, text: str) -> None:
    action = next(a for a in shown.actions() if a.text() == text)
    shown.close()
    action.trigger()
    QApplication.processEvents()


async def name_it(window: MainWindow, title: str) -> None:
    """Types a name in the dialog that asks for it."""
    await until(lambda: any(d.isVisible() for d in window.findChildren(Dialog)))
    dialog = next(d for d in window.findChildren(Dialog) if d.isVisible())
    dialog.findChildren(QLineEdit)[0].setText(title)
    dialog.accept_button.click()
    await until(lambda: not any(d.isVisible() for d in window.findChildren(Dialog)))


@pytest.fixture
def section(window: MainWindow, session: Session) -> str:
    """A section with a room in it."""
    ident = session.room_order.make("Överklaganden 🙂")
    session.room_order.put(office().case, ident)
    window.go_section("rooms")
    assert rows(window)[0] == "[Överklaganden 🙂]"
    return ident


def title(session: Session, room_id: RoomId) -> str:
    return session.rooms.room(room_id).title


async def test_a_room_gets_a_new_section_by_its_menu_and_goes_back_when_it_is_removed(
    window: MainWindow, session: Session
) -> None:
    before, case = rows(window), title(session, office().case)
    choose(menu(window, office().case), "Flytta till avsnitt …")
    await name_it(window, "Brådskande å")
    await until(lambda: bool(session.room_order.sections()))
    assert rows(window)[:3] == ["[Brådskande å]", case, before[0]]
    assert f"{case} ligger i avsnittet Brådskande å" in texts(toast_of(window))
    (made,) = session.room_order.sections()
    choose(menu(window, made.ident), "Byt namn …")
    await name_it(window, "Viktigt")
    await until(lambda: session.room_order.sections()[0].title == "Viktigt")
    assert rows(window)[0] == "[Viktigt]"
    choose(menu(window, made.ident), "Ta bort avsnittet")
    assert rows(window) == before
    toast_of(window).undo.click()
    assert rows(window)[:2] == ["[Viktigt]", case]
    choose(menu(window, office().case), "Flytta till avsnitt …")
    await until(lambda: any(d.isVisible() for d in window.findChildren(SectionDialog)))
    dialog = next(d for d in window.findChildren(SectionDialog) if d.isVisible())
    shown = [dialog.list.item(n).text() for n in range(dialog.list.count())]
    assert (shown, dialog.list.currentRow()) == (["Ärenderum", "Viktigt"], 1)
    dialog.field.setText("Nytt å")
    assert not dialog.list.isEnabled()
    dialog.field.clear()
    assert dialog.list.isEnabled()
    dialog.list.setCurrentRow(0)
    dialog.accept_button.click()
    await until(lambda: session.room_order.section_of(office().case) is None)
    assert rows(window) == ["[Viktigt]", "Dra hit rum, eller använd deras meny", *before]
    toast_of(window).undo.click()
    assert rows(window)[:2] == ["[Viktigt]", case]


def test_a_section_folds_by_pointer_and_by_key_and_the_open_room_stays(
    window: MainWindow, session: Session, section: str
) -> None:
    made, case = window.room_list.list, title(session, office().case)
    heading = made.rows.index_of(section)
    window.open_room(office().case)
    QTest.mouseClick(made.viewport(), Qt.MouseButton.LeftButton, pos=made.visualRect(heading).center())
    assert rows(window)[:2] == ["[Överklaganden 🙂]", case]  # it is open
    assert made.currentIndex() == made.rows.index_of(office().case)
    window.open_room(office().unit)
    window.room_list.refresh()
    assert case not in rows(window)
    assert session.room_order.is_folded(section)
    for key, folded in ((Qt.Key.Key_Right, False), (Qt.Key.Key_Left, True), (Qt.Key.Key_Space, False),
                        (Qt.Key.Key_Return, True), (Qt.Key.Key_Right, False)):  # fmt: skip
        QTest.keyClick(at(window, section), key)
        assert session.room_order.is_folded(section) is folded
        assert made.rows.row(made.currentIndex()) == made.rows.row(made.rows.index_of(section))
    assert case in rows(window)
    QTest.mouseDClick(made.viewport(), Qt.MouseButton.LeftButton, pos=made.visualRect(heading).center())


def test_a_folded_section_counts_what_is_unread_in_it_and_says_so(
    window: MainWindow, session: Session, section: str
) -> None:
    session.room_order.put(office().unit, section)
    session.room_order.set_folded(section, True)
    rows(window)
    row = window.room_list.list.rows.row(window.room_list.list.rows.index_of(section))
    assert row is not None
    unread = session.rooms.room(office().unit).unread + session.rooms.room(office().case).unread
    assert row.count == unread > 0
    spot = at(window, section).spoken_child(0)
    assert spot is not None
    spoken = face(spot)
    assert spoken.text(Name) == f"Överklaganden 🙂, {unread} nya"
    state = spoken.state()
    assert (state.expandable, state.expanded, state.collapsed) == (True, False, True)
    assert state.focused


def test_rooms_move_by_alt_and_arrow_keys_and_stay_there(window: MainWindow, session: Session) -> None:
    session.room_order.put(office().permit, ident := session.room_order.make("Tre rum"))
    for each in (office().case, office().unit):
        session.room_order.put(each, ident)
    three = rows(window)[1:4]
    made = window.room_list.list
    key = made.rows.rows[1].key
    QTest.keyClick(at(window, key), Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    assert rows(window)[1:4] == [three[1], three[0], three[2]]
    assert made.rows.rows[made.currentIndex().row()].key == key
    for _ in range(3):
        QTest.keyClick(made, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    assert rows(window)[1:4] == [three[1], three[2], three[0]]
    QTest.keyClick(made, Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    assert rows(window)[1:4] == [three[1], three[0], three[2]]
    key = made.rows.rows[3].key
    assert isinstance(key, bytes)
    session.rooms.set_favourite(RoomId(key), True)
    assert rows(window)[1:4] == [three[2], three[1], three[0]]
    choose(menu(window, ident), "Senaste först")
    assert rows(window)[1:4] == [three[2], three[0], three[1]]
    toast_of(window).undo.click()
    assert rows(window)[1:4] == [three[2], three[1], three[0]]


def test_sections_move_by_alt_and_arrow_keys(window: MainWindow, session: Session, section: str) -> None:
    other = session.room_order.make("Sedan å")
    rows(window)
    QTest.keyClick(at(window, other), Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    assert [each for each in rows(window) if each.startswith("[")][:2] == ["[Sedan å]", "[Överklaganden 🙂]"]
    assert [each.ident for each in session.room_order.sections()] == [other, section]


def drag(made: RoomRows, key: Hashable, to: QPoint, *, steps: int = 4, drop: bool = True) -> None:
    begin = made.visualRect(made.rows.index_of(key)).center()
    held = Qt.KeyboardModifier.NoModifier
    view = made.viewport()
    QTest.mousePress(view, Qt.MouseButton.LeftButton, held, begin)
    for step in range(1, steps + 1):
        move = begin + (to - begin) * step / steps
        _move(made, move)
    if drop:
        QTest.mouseRelease(view, Qt.MouseButton.LeftButton, held, to)


def _move(made: RoomRows, to: QPoint) -> None:
    left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
    event = QMouseEvent(
        QEvent.Type.MouseMove,
        QPointF(to),
        QPointF(made.viewport().mapToGlobal(to)),
        none,
        left,
        Qt.KeyboardModifier.NoModifier,
    )
    QApplication.sendEvent(made.viewport(), event)


def test_a_room_is_dragged_into_a_section_to_its_place_and_back(
    window: MainWindow, session: Session, section: str
) -> None:
    made, unit, before = window.room_list.list, office().unit, window.navigator.place
    heading = made.visualRect(made.rows.index_of(section))
    drag(made, unit, heading.center())
    assert rows(window)[:3] == ["[Överklaganden 🙂]", title(session, unit), title(session, office().case)]
    assert window.navigator.place == before  # a drop opens nothing
    drag(made, unit, made.visualRect(made.rows.index_of(office().case)).bottomLeft() + QPoint(20, -1))
    assert rows(window)[:3] == ["[Överklaganden 🙂]", title(session, office().case), title(session, unit)]
    cases = made.visualRect(made.rows.index_of("case")).center()
    drag(made, unit, cases)  # it is no case
    assert session.room_order.section_of(unit) == section
    drag(made, office().case, cases)
    assert session.room_order.section_of(office().case) is None


def test_escape_ends_a_drag_and_nothing_is_moved(window: MainWindow, session: Session, section: str) -> None:
    made = window.room_list.list
    made.setFocus()
    before = rows(window)
    drag(made, office().unit, made.visualRect(made.rows.index_of(section)).center(), drop=False)
    assert made.is_dragging
    QTest.keyClick(made, Qt.Key.Key_Escape)
    assert not made.is_dragging
    QTest.mouseRelease(made.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(20, 20))
    assert rows(window) == before


def test_a_room_is_marked_as_unread_by_its_menu(window: MainWindow, session: Session) -> None:
    unit = office().unit
    chat_of(session).mark_all_read(unit)
    rows(window)
    choose(menu(window, unit), "Markera som oläst")
    assert session.rooms.room(unit).unread == 1
    shown = menu(window, unit)
    assert [a.isEnabled() for a in shown.actions() if a.text() == "Markera som oläst"] == [False]
    shown.close()


def test_the_next_room_by_key_is_the_next_one_in_sight(window: MainWindow, session: Session, section: str) -> None:
    session.room_order.set_folded("case", True)
    window.open_room(office().case)
    shown = [row.key for row in window.room_list.list.rows.rows if isinstance(row.key, bytes)]
    press(window, "Ctrl+PgDown")
    assert room(window).room == shown[shown.index(office().case) + 1]


async def test_what_another_device_does_is_shown_while_a_person_is_in_the_list(
    window: MainWindow, session: Session, section: str, qtbot: QtBot
) -> None:
    made = at(window, office().unit)
    held = made.spoken_child(made.currentIndex().row())
    session.room_order.make("Från mobilen")
    session.room_order.put(office().permit, section)
    assert "[Från mobilen]" in rows(window)
    assert made.hasFocus()
    assert made.rows.rows[made.currentIndex().row()].key == office().unit
    assert made.spoken_child(made.currentIndex().row()) is held
