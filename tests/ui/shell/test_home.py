# SPDX-License-Identifier: EUPL-1.2
"""Home: the day, what needs an answer (with no sentence that denies what is above it), and this person's tasks."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QCheckBox, QMenu
from pytestqt.qtbot import QtBot

from app.core.enums import Level, Role, RoomState
from app.core.ids import ObjId
from app.notices.service import NoticeState
from app.objects.links import ObjectLink
from app.objects.trash import PutAway, WrittenAfter
from app.recovery import RecoverySheetState
from app.session import Session
from app.tasks.tool import TOOL as TASKS
from sync.client.ports import RoomEvent
from sync.client.received import ReceivedSlice
from tests.ui.finding import toast_of
from tests.ui.pointing import click
from tests.ui.shell.in_window import texts
from tests.ui.shell.kept_office import office
from tests.ui.shell.moment import moment
from tests.ui.shell.opened_office import (
    chat_of,
    continue_room,
    open_account,
    read_everything,
    remove,
    say,
    set_role,
    stop,
)
from tests.ui.shell.sample import at
from tests.ui.shell.tool_views import TOOLS, FakeView
from tests.ui.soon import caught_up
from ui.kit.choose_time import TimeDialog
from ui.shell.home.home_page import greeting
from ui.shell.notices.notice_card import NoticeCardRow
from ui.shell.window.main_window import MainWindow
from ui.tasks.my_tasks import TaskCheck

NOTHING = "Inget kräver ditt svar just nu."


@pytest.fixture
def quiet(session: Session) -> None:
    """Nothing is unread, and nothing asks for an answer."""
    read_everything(session)
    session.notices.mark_done([row.id for row in session.notices.list()])


def cards(window: MainWindow) -> list[NoticeCardRow]:
    """The rows under "Needs an answer", from the top."""
    window.go_section("home")
    window.content.home.refresh()
    QApplication.processEvents()
    found = window.content.home.answers.findChildren(NoticeCardRow)
    return sorted((each for each in found if each.isVisible()), key=lambda each: each.y())


def rows(window: MainWindow) -> list[str]:
    return [each.button.accessibleName() for each in cards(window)]


def test_the_header_of_home_goes_by_the_programs_clock(window: MainWindow) -> None:
    with moment(at(8, 30, 30)):
        window.content.home.refresh()
        shown = texts(window.content.home)
    assert "måndag 30 november · vecka 49" in shown
    assert "God morgon" in shown


def test_home_shows_the_day_and_what_needs_an_answer(window: MainWindow) -> None:
    shown = texts(window.content.home)
    assert "tisdag 24 november · vecka 48" in shown
    assert "God eftermiddag" in shown
    assert rows(window)[0].startswith("Du nämndes i Tillsyn 2026-1184, Enhetschef: @Handläggare Ser bra ut.")
    assert not any("lagts till" in row for row in rows(window)), "that asks nothing"
    assert "Utkast till beslut" in shown
    assert "27 nov" in shown


def test_what_was_seen_still_asks_and_what_was_answered_does_not(
    window: MainWindow, session: Session, quiet: None
) -> None:
    assert rows(window) == []
    assert NOTHING in texts(window.content.home)
    direct_head, direct_registrar = office().direct_head, office().direct_registrar
    say(session, direct_head, office().head, "Hej å", t_ms=at(13, 39))
    say(session, direct_head, office().head, "Tack, jag läser i kväll", t_ms=at(13, 40))
    say(session, direct_registrar, office().registrar, "Handlingen är diarieförd", t_ms=at(13, 50))
    assert rows(window) == [
        "Meddelande från Registrator, Handlingen är diarieförd, 13:50",
        "Meddelande från Enhetschef, Tack, jag läser i kväll, 13:40",
        "Meddelande från Enhetschef, Hej å, 13:39",
    ]
    assert NOTHING not in texts(window.content.home)
    click(cards(window)[1].button)
    view = window.current_room()
    assert view is not None
    assert view.room == direct_head
    chat_of(session).mark_all_read(direct_head)
    assert len(rows(window)) == 3, "it was seen, and not answered"
    chat_of(session).send(direct_head, "Tack själv å 🙂")
    assert rows(window) == ["Meddelande från Registrator, Handlingen är diarieförd, 13:50"]


def test_by_keyboard_a_notice_is_opened_answered_done_and_put_off(
    window: MainWindow, session: Session, quiet: None
) -> None:
    room = office().direct_head
    say(session, room, office().head, "Ett å", "Två 🙂", "Tre", t_ms=at(13, 40))
    first = cards(window)[0].button
    first.setFocus()
    QTest.keyClick(first, Qt.Key.Key_E)
    assert len(rows(window)) == 2
    assert toast_of(window).text().startswith("Markerat som klart")
    click(toast_of(window).undo)
    assert len(rows(window)) == 3, "it was taken back"
    QTest.keyClick(cards(window)[0].button, Qt.Key.Key_S)
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    assert [action.text() for action in menu.actions()] == [
        "Om en timme (15:05)",
        "I morgon (ons 25 nov 2026 08:00)",
        "På måndag (mån 30 nov 2026 08:00)",
        "Vid en tid …",
    ]
    QTest.keyClick(menu, Qt.Key.Key_3)
    assert len(rows(window)) == 2
    (put_off,) = [row for row in session.notices.list() if row.state is NoticeState.SNOOZED]
    assert put_off.until == at(8, 0, 30)
    QTest.keyClick(cards(window)[0].button, Qt.Key.Key_Return)
    view = window.current_room()
    assert view is not None
    assert view.room == room
    answered: list[bytes] = []
    chat = view.view("chat")
    assert isinstance(chat, FakeView)
    chat.answer = lambda obj, ref: answered.append(ref)  # type: ignore[attr-defined] # what a chat's view offers
    QTest.keyClick(cards(window)[0].button, Qt.Key.Key_R)
    assert len(answered) == 1
    assert window.current_room() is view


def test_a_time_that_is_past_or_not_understood_keeps_what_was_typed(window: MainWindow, quiet: None) -> None:
    dialog = TimeDialog(window, "Påminn senare", lambda until: None)
    dialog.day.field.setText("2026-11-24")
    dialog.time.setCurrentIndex(dialog.time.findText("14:00"))
    dialog.show()
    dialog.accept()
    assert dialog.isVisible()
    dialog.day.field.setText("blåbär")
    dialog.accept()
    assert dialog.isVisible()
    dialog.day.field.setText("2026-11-24")
    dialog.time.setCurrentIndex(dialog.time.findText("14:45"))
    dialog.accept()
    assert not dialog.isVisible()
    assert dialog.until() == at(14, 45)


def test_many_are_shown_some_at_a_time(window: MainWindow, session: Session, quiet: None) -> None:
    say(session, office().direct_head, office().head, *(f"Rad {n} å" for n in range(40)), t_ms=at(13, 40))
    assert len(rows(window)) == 8
    more = next(b for b in window.content.home.findChildren(QAbstractButton) if b.accessibleName() == "Visa 20 till")
    more.click()
    assert len(rows(window)) == 28
    assert more.accessibleName() == "Visa 12 till"
    more.click()
    assert len(rows(window)) == 40
    assert not more.isVisible()


@pytest.mark.parametrize("state", ["muted", "left", "destroyed"])
async def test_what_asks_goes_with_its_room_and_not_when_the_room_is_muted(
    window: MainWindow, session: Session, quiet: None, state: str
) -> None:
    room = office().direct_head
    say(session, room, office().head, "Ett å", "Två 🙂")
    assert len(rows(window)) == 2
    if state == "muted":
        session.rooms.set_level(room, Level.NOTHING)
    elif state == "left":
        remove(session, room, office().me)
    else:
        (chat,) = [each for each in session.rooms.objects(room) if each.kind == "chat"]
        event = RoomEvent(n=99_000, t=at(14, 0), kind="destroy", by=office().head.uid, obj=chat.obj)
        session.store.receive(ReceivedSlice(room=room, events=[event]))
    assert len(rows(window)) == (2 if state == "muted" else 0)


def test_a_mention_in_a_conversation_of_two_stands_there_once(
    window: MainWindow, session: Session, quiet: None
) -> None:
    say(session, office().direct_head, office().head, "@Handläggare ser bra ut 👍")
    assert [row.split(",")[0] for row in rows(window)] == ["Du nämndes i Enhetschef"]


@pytest.mark.parametrize("state", [RecoverySheetState.STANDS, RecoverySheetState.NONE])
def test_nothing_needs_an_answer_is_not_shown_under_the_reminder_of_the_sheet(
    qtbot: QtBot, tmp_path: Path, state: RecoverySheetState
) -> None:
    window = MainWindow(open_account(tmp_path, state), TOOLS)
    qtbot.addWidget(window)
    window.show()
    shown = texts(window.content.home)
    reminds = state is RecoverySheetState.NONE
    assert ("Du har inget återställningsblad" in shown) is reminds
    assert (NOTHING in shown) is not reminds


def test_home_says_that_somebody_wrote_in_what_i_put_in_the_trash(
    window: MainWindow, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[ObjectLink] = []
    window.content.home.link_chosen.connect(opened.append)
    item = PutAway(
        room=office().case, obj=ObjId(b"u" * 16), kind="document", title="Utkast å 🙂", by=office().me.uid, t=1
    )
    notified = [WrittenAfter(item=item, by=(office().head.uid,), t=2)]
    monkeypatch.setattr(session.trash, "written_after", lambda: list(notified))  # a tool's bin
    session.rooms.changed.emit()
    caught_up(window)
    row = next(b for b in window.content.home.findChildren(QAbstractButton) if "Utkast å 🙂" in b.accessibleName())
    assert row.accessibleName().startswith(
        f"{office().head.name} skrev i ”Utkast å 🙂”, Du hade lagt det i papperskorgen."
    )
    row.click()
    assert opened == [item.link]
    notified.clear()
    session.rooms.changed.emit()
    caught_up(window)
    shown = [b.accessibleName() for b in window.content.home.findChildren(QAbstractButton) if b.isVisible()]
    assert not any("Utkast å 🙂" in name for name in shown)


async def test_a_tick_on_home_moves_the_card_to_the_finished_column(window: MainWindow, session: Session) -> None:
    box = next(
        b for b in window.content.home.findChildren(QAbstractButton) if b.accessibleName().startswith("Klar: Skriv")
    )
    box.click()
    assert "Skriv skälen för beslutet" in [t.title for t in session.service(TASKS).my_tasks(done=True)]


async def test_a_reader_cannot_tick_a_task_and_an_ended_rooms_tasks_are_not_shown(
    window: MainWindow, session: Session
) -> None:
    set_role(session, office().case, (office().me, Role.READER))
    stop(session, office().unit, RoomState.FORK)
    continue_room(session, office().unit, office().me, "Enheten")
    for section in (window.content.home, window.content.of_tool("tasks")):
        window.content.stack.setCurrentWidget(section)
        caught_up(window)
        QApplication.processEvents()
        boxes = {b.accessibleName(): b.isEnabled() for b in section.findChildren(QCheckBox)}
        assert boxes["Klar: Skriv skälen för beslutet"] is False
        assert "Klar: Svara på remiss om e-arkiv" not in boxes


@pytest.mark.parametrize("hour", [3, 7, 11, 15, 21])
def test_every_hour_has_a_greeting(hour: int) -> None:
    assert greeting(hour).startswith("God ")


def test_my_tasks_are_eight_at_most_with_the_finished_ones_that_there_is_room_for(
    window: MainWindow, session: Session
) -> None:
    board, me = session.service(TASKS).board(office().case), office().me.uid
    done = next(column for column in board.columns() if column.done)
    for name in ("Klart ett å", "Klart två 🙂"):
        board.add_card(done.id, name, assignee=me)
    open_tasks = len(session.service(TASKS).my_tasks())
    assert open_tasks < 6
    home = window.content.home
    for shown in range(open_tasks + 1, 10):
        board.add_card(board.columns()[0].id, f"Öppet {shown}", assignee=me)
        window.go_section("home")
        home.refresh()
        lines = [line for line in home.findChildren(TaskCheck) if line.isVisible()]
        checks = [check for line in lines for check in line.findChildren(QCheckBox)]
        assert len(checks) == min(shown + 2, 8)
        assert sum(not check.isChecked() for check in checks) == min(shown, 8)


@pytest.mark.parametrize("done", [False, True])
def test_a_tick_for_which_the_board_has_no_column_is_taken_back_with_a_message(
    window: MainWindow, session: Session, done: bool
) -> None:
    board, me = session.service(TASKS).board(office().case), office().me.uid
    column = next(column for column in board.columns() if column.done == done)
    board.add_card(column.id, "Översänd beslutet å 🙂", assignee=me)
    for column in board.columns():
        board.set_column_done(column.id, done)
    window.go_section("home")
    window.content.home.refresh()
    box = next(b for b in window.content.home.findChildren(QCheckBox) if b.accessibleName().endswith("beslutet å 🙂"))
    box.click()
    assert box.isChecked() == done
    assert toast_of(window).text().startswith("Alla kolumner på tavlan" if done else "Tavlan har ingen kolumn")
