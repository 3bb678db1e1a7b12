# SPDX-License-Identifier: EUPL-1.2
"""Home: the day, what needs an answer (with no sentence that denies what is above it), and this person's tasks."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QCheckBox
from pytestqt.qtbot import QtBot

from app.core.enums import Role, RoomState, RoomType
from app.core.ids import ObjId
from app.objects.links import ObjectLink
from app.objects.trash import PutAway, WrittenAfter
from app.recovery import RecoverySheetState
from app.session import Session
from app.tasks.tool import TOOL as TASKS
from tests.ui.finding import toast_of
from tests.ui.pointing import click
from tests.ui.shell.in_window import texts
from tests.ui.shell.kept_office import office
from tests.ui.shell.opened_office import (
    chat_of,
    continue_room,
    join,
    open_account,
    read_everything,
    remove,
    say,
    set_role,
    stop,
)
from tests.ui.shell.sample import NOW, at
from tests.ui.shell.tool_views import TOOLS
from tests.ui.soon import caught_up
from ui.shell.home.home_page import greeting
from ui.shell.window.main_window import MainWindow
from ui.tasks.my_tasks import TaskCheck

NOTHING = "Inget kräver ditt svar just nu."


@pytest.fixture
def quiet(session: Session) -> None:
    """Nothing is unread, nobody mentioned the person, and no room is new."""
    read_everything(session)


def rows(window: MainWindow) -> list[str]:
    window.go_section("home")
    window.content.home.refresh()
    QApplication.processEvents()
    names = [button.accessibleName() for button in window.content.home.findChildren(QAbstractButton)]
    return [name for name in names if name.startswith("Meddelande från")]


def row(window: MainWindow, name: str) -> QAbstractButton:
    return next(b for b in window.content.home.findChildren(QAbstractButton) if b.accessibleName().startswith(name))


def test_home_shows_the_day_and_what_needs_an_answer(window: MainWindow) -> None:
    shown = texts(window.content.home)
    assert "tisdag 24 november · vecka 48" in shown
    assert "God eftermiddag" in shown
    assert "Du nämndes i Tillsyn 2026-1184" in shown
    assert "Du har lagts till i Juridiskt stöd" in shown
    assert "Utkast till beslut" in shown
    assert "27 nov" in shown


def test_an_unread_direct_message_shows_its_text_and_who_wrote_it_and_opens(
    window: MainWindow, session: Session, quiet: None
) -> None:
    assert rows(window) == []
    assert NOTHING in texts(window.content.home)
    direct_head, direct_registrar = office().direct_head, office().direct_registrar
    say(session, direct_head, office().head, "Hej å", "Tack, jag läser i kväll", t_ms=at(13, 40))
    say(session, direct_registrar, office().registrar, "Handlingen är diarieförd", t_ms=at(13, 50))
    assert rows(window) == [
        "Meddelande från Registrator, Handlingen är diarieförd, 13:50",
        "Meddelande från Enhetschef, Tack, jag läser i kväll, 13:40",
    ]
    assert NOTHING not in texts(window.content.home)
    click(row(window, "Meddelande från Enhetschef"))
    view = window.current_room()
    assert view is not None
    assert view.room == direct_head
    chat_of(session).mark_all_read(direct_head)
    assert [name.split(",")[0] for name in rows(window)] == ["Meddelande från Registrator"]


async def test_a_new_conversation_is_no_room_that_one_was_added_to(
    window: MainWindow, session: Session, quiet: None
) -> None:
    new = join(session, office().head, "Handläggare", RoomType.DIRECT, t_ms=at(8, 15))
    assert rows(window) == []
    assert row(window, "Ny konversation med Enhetschef")
    say(session, new, office().head, "Tack, jag läser i kväll", t_ms=at(9, 15))
    assert rows(window) == ["Meddelande från Enhetschef, Tack, jag läser i kväll, 09:15"]
    assert not [text for text in texts(window.content.home) if "lagts till i Enhetschef" in text]


async def test_a_new_conversation_opens_by_keyboard(window: MainWindow, session: Session, quiet: None) -> None:
    new = join(session, office().head, "Handläggare", RoomType.DIRECT, t_ms=at(8, 15))
    assert rows(window) == []
    QTest.keyClick(row(window, "Ny konversation med Enhetschef"), Qt.Key.Key_Space)
    view = window.current_room()
    assert view is not None
    assert view.room == new


@pytest.mark.parametrize("state", ["muted", "left", "replaced"])
async def test_a_conversation_that_wants_nothing_is_not_on_home(
    window: MainWindow, session: Session, quiet: None, state: str
) -> None:
    room = office().direct_head
    say(session, room, office().head, "Ett å", "Två 🙂")
    assert len(rows(window)) == 1
    if state == "muted":
        session.rooms.set_muted(room, True)
    elif state == "left":
        remove(session, room, office().me)
    else:
        stop(session, room, RoomState.FORK)
        continue_room(session, room, office().me)
    assert rows(window) == []


def test_a_mention_in_a_conversation_of_two_stands_there_once(
    window: MainWindow, session: Session, quiet: None
) -> None:
    say(session, office().direct_head, office().head, "Hej å", "@Handläggare ser bra ut 👍")
    assert rows(window) == []
    assert "Du nämndes i Enhetschef" in texts(window.content.home)


@pytest.mark.parametrize("state", [RecoverySheetState.STANDS, RecoverySheetState.NONE])
def test_nothing_needs_an_answer_is_not_shown_under_the_reminder_of_the_sheet(
    qtbot: QtBot, tmp_path: Path, state: RecoverySheetState
) -> None:
    window = MainWindow(open_account(tmp_path, state), TOOLS, now=lambda: NOW)
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
    for section in (window.content.home, window.content.of_tools["tasks"]):
        window.content.stack.setCurrentWidget(section)
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
