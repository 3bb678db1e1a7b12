# SPDX-License-Identifier: EUPL-1.2
"""Activity: all notices, with filters, by keyboard, and what is unread is so not only by its colour."""

from collections.abc import Sequence

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot

from app.core.ids import ObjId
from app.notices.kinds import KEYS, ROLE
from app.notices.service import NoticeFilter, NoticeId, NoticeState
from app.session import Session
from app.store.notice_rows import Notice
from app.tasks.noticing import CHANGED, GIVEN
from app.tasks.tool import TOOL as TASKS
from tests.ui.finding import toast_of
from tests.ui.pointing import click
from tests.ui.shell.in_window import press
from tests.ui.shell.kept_office import office
from tests.ui.shell.opened_office import say
from tests.ui.shell.sample import at
from tests.ui.shell.tool_views import FakeView
from tests.ui.soon import caught_up
from tests.world import until
from ui.shell.notices.activity_page import Activity
from ui.shell.notices.notice_list import PAGE
from ui.shell.window.main_window import MainWindow


@pytest.fixture
def page(window: MainWindow) -> Activity:
    press(window, "Ctrl+Shift+N")
    QApplication.processEvents()
    found = window.content.home_pages.activity
    assert found.isVisible()
    return found


def titles(page: Activity) -> list[str]:
    return [row.title for row in page.list.rows.rows]


def put(session: Session, count: int) -> Sequence[NoticeId]:
    """Notices about the case room, the newest last."""
    case, head = office().case, office().head.uid
    made = [
        Notice(kind=ROLE, room=case, obj=ObjId(case), key=b"%d" % n, by=head, t=at(14, 4) + n, detail="admin")
        for n in range(count)
    ]
    for start in range(0, count, 100):
        session.store.notices.put(made[start : start + 100])
    return [notice.id for notice in made]


def test_everything_is_listed_and_what_is_unread_is_bold_dotted_and_said(page: Activity) -> None:
    assert titles(page) == [
        "Du nämndes i Tillsyn 2026-1184",
        "Meddelande från Enhetschef",
        "Meddelande från Registrator",
        "Du har lagts till i Juridiskt stöd",
    ]
    rows = page.list.rows.rows
    assert [row.unread for row in rows] == [True, False, False, True]
    assert rows[0].spoken.startswith("oläst, Du nämndes i Tillsyn 2026-1184, Enhetschef: @Handläggare")
    assert "oläst" not in rows[1].spoken
    assert rows[3].detail == "av Enhetschef"


def test_filters_narrow_the_list_and_say_when_nothing_matches(page: Activity, session: Session) -> None:
    page.unread.click()
    assert titles(page) == ["Du nämndes i Tillsyn 2026-1184", "Du har lagts till i Juridiskt stöd"]
    page.unread.click()
    page.who.setCurrentIndex(page.who.findText("Registrator"))
    page.who.activated.emit(page.who.currentIndex())
    assert titles(page) == ["Meddelande från Registrator"]
    page.room.setCurrentIndex(page.room.findText("Juridiskt stöd"))
    page.room.activated.emit(page.room.currentIndex())
    assert titles(page) == []
    assert page._no_match.isVisible()
    assert page._no_match.step is not None
    page._no_match.step.click()
    assert len(titles(page)) == 4
    page.kind.setCurrentIndex(page.kind.findText("Omnämnanden"))
    page.kind.activated.emit(page.kind.currentIndex())
    assert titles(page) == ["Du nämndes i Tillsyn 2026-1184"]


def test_a_list_without_anything_says_what_belongs_there(page: Activity, session: Session) -> None:
    with session.store.db.transaction() as conn:
        conn.execute("DELETE FROM notices")
    page.refresh()
    assert page._none.isVisible()


def test_a_long_list_is_read_on_as_one_scrolls(page: Activity, session: Session) -> None:
    put(session, 230)
    caught_up(page)
    assert len(titles(page)) <= 2 * PAGE
    bar = page.list.verticalScrollBar()
    for _ in range(12):
        bar.setValue(bar.maximum())
        QApplication.processEvents()
    assert len(titles(page)) == 234
    assert titles(page)[-1] == "Du har lagts till i Juridiskt stöd"
    say(session, office().direct_head, office().head, "Ett å 🙂")
    caught_up(page)
    assert page.list.verticalScrollBar().value() > 0, "what one reads stays in its place"


async def test_all_is_marked_as_read_and_that_is_taken_back(
    page: Activity, window: MainWindow, session: Session
) -> None:
    put(session, 130)
    caught_up(window)
    unseen = NoticeFilter(unseen=True)
    before = session.notices.count(unseen)
    assert before == 132
    tab = window.content.home_pages.tabs.buttons["activity"]
    assert tab.accessibleName() == "Aktivitet, 99+ olästa"
    page.all_read.click()
    await until(lambda: session.notices.count(unseen) == 0)
    await until(lambda: toast_of(window).isVisible())
    caught_up(window)
    assert toast_of(window).text().startswith("132 markerade som lästa")
    assert tab.accessibleName() == "Aktivitet"
    assert not page.all_read.isEnabled()
    click(toast_of(window).undo)
    await until(lambda: session.notices.count(unseen) == before)


def test_by_keyboard_a_notice_is_read_done_put_off_and_opened(
    page: Activity, window: MainWindow, session: Session
) -> None:
    def state() -> NoticeState:
        return session.notices.list()[0].state

    page.list.setFocus()
    page.list.choose_first()
    QTest.keyClick(page.list, Qt.Key.Key_U)
    assert state() is NoticeState.SEEN
    caught_up(page)
    QTest.keyClick(page.list, Qt.Key.Key_U)
    assert state() is NoticeState.NEW
    caught_up(page)
    QTest.keyClick(page.list, Qt.Key.Key_E)
    assert state() is NoticeState.DONE
    caught_up(page)
    assert page.list.rows.rows[0].detail.endswith("· Markerat som klart")
    QTest.keyClick(page.list, Qt.Key.Key_E)
    assert state() is NoticeState.DONE, "it is done already"
    click(toast_of(window).undo)
    caught_up(page)
    QTest.keyClick(page.list, Qt.Key.Key_S)
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    QTest.keyClick(menu, Qt.Key.Key_1)
    assert state() is NoticeState.SNOOZED
    caught_up(page)
    assert page.list.rows.rows[0].detail.endswith("· Återkommer 15:05")
    QTest.keyClick(page.list, Qt.Key.Key_Return)
    view = window.current_room()
    assert view is not None
    assert view.room == office().case
    chat = view.view("chat")
    assert isinstance(chat, FakeView)
    assert chat.refs[-1][1] == session.notices.list()[0].ref
    window.navigator.back()
    assert page.isVisible(), "back leads to Activity again"


def test_the_menu_offers_what_the_notice_is_for(page: Activity, window: MainWindow, session: Session) -> None:
    def offered(number: int) -> list[str]:
        page.list.setCurrentIndex(page.list.rows.index(number))
        row = page.list.current()
        assert row is not None
        page.list.menu_asked.emit(row, page.list.place_of(page.list.currentIndex()))
        menu = QApplication.activePopupWidget()
        assert isinstance(menu, QMenu)
        found = [action.text() for action in menu.actions() if action.text()]
        menu.close()
        return found

    assert offered(0) == ["Öppna", "Svara", "Markera som klart", "Påminn senare …", "Markera som läst"]
    assert offered(3) == ["Öppna", "Markera som läst"]


def test_attack_a_warning_about_keys_is_not_marked_as_done_without_being_read(page: Activity, session: Session) -> None:
    """Home asks before it takes the warning away. A key pressed in a list must not."""
    case, head = office().case, office().head.uid
    warning = Notice(kind=KEYS, room=case, obj=ObjId(case), key=b"k", by=head, t=at(14, 4) + 1, detail="å")
    session.store.notices.put([warning])
    page.list.refresh()
    page.list.setFocus()
    page.list.choose_first()
    row = page.list.current()
    assert row is not None
    assert (row.kind, row.asks, row.answered) == (KEYS.id, True, False)
    QTest.keyClick(page.list, Qt.Key.Key_E)
    QTest.keyClick(page.list, Qt.Key.Key_S)
    assert QApplication.activePopupWidget() is None
    assert session.notices.list()[0].state is NoticeState.NEW
    page.list.menu_asked.emit(row, page.list.place_of(page.list.currentIndex()))
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    offered = [action.text() for action in menu.actions() if action.text()]
    menu.close()
    assert offered == ["Öppna", "Markera som läst"]


def test_tasks_are_named_as_they_are_called_now(page: Activity, window: MainWindow, session: Session) -> None:
    board = session.service(TASKS).board(office().case)
    card = next(each for each in board.all_cards() if each.title == "Skriv skälen för beslutet")
    case, obj = office().case, office().board
    for kind, detail in ((GIVEN, ""), (CHANGED, "due,column")):
        session.store.notices.put([
            Notice(kind=kind, room=case, obj=obj, key=kind.id.encode(), by=office().head.uid, t=at(14, 5),
                   ref=card.id.encode(), detail=detail)
        ])  # fmt: skip
    board.edit_card(card.id, title="Skriv om skälen å 🙂")
    caught_up(page)
    page.refresh()
    shown = {row.title: row.detail for row in page.list.rows.rows}
    assert shown["Du har fått en uppgift i Tillsyn 2026-1184"].startswith("Skriv om skälen å 🙂 · Enhetschef")
    assert shown["Din uppgift i Tillsyn 2026-1184 har ändrats"].startswith(
        "Skriv om skälen å 🙂 · förfallodag, kolumn · Enhetschef"
    )


def test_the_badges_count_what_asks(window: MainWindow, session: Session, qtbot: QtBot) -> None:
    assert window.rail.items["home"].count() == 3
    session.notices.mark_done([row.id for row in session.notices.list(NoticeFilter(open=True))])
    caught_up(window)
    assert window.rail.items["home"].count() == 0
    before = window.unread
    card = Notice(kind=GIVEN, room=office().case, obj=office().board, key=b"1", by=office().head.uid, t=at(14, 5))
    session.store.notices.put([card])
    caught_up(window)
    assert window.rail.items["home"].count() == 1
    assert window.unread == before + 1, "the tray and the window's title count it, too"
    assert window.windowTitle().startswith(f"({before + 1})")
    session.notices.mark_seen([card.id])
    caught_up(window)
    assert window.unread == before
