# SPDX-License-Identifier: EUPL-1.2
"""A reminder in the window: it rings with Open and "In an hour", is on Home, and a full disk loses no chosen time."""

import asyncio

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from app.core import clock
from app.errors import DiskFull
from app.notices.service import MOST_NAMED, NoticeState
from app.notification_settings import NOTIFICATION_CONTENT
from app.objects.links import ObjectLink
from app.session import Session
from sync.client.ports import RoomEvent
from sync.client.received import ReceivedSlice
from tests.app.reminders.devices import OPEN
from tests.ui.finding import open_menu, toast_of
from tests.ui.pointing import click
from tests.ui.shell.in_window import press, texts
from tests.ui.shell.kept_office import office
from tests.ui.shell.opened_office import chat_of, remove, say
from tests.ui.shell.sample import at
from tests.ui.shell.test_home import rows
from tests.ui.shell.toasts import Toasts, ring, watch
from tests.ui.shell.tool_views import FakeView
from tests.ui.soon import caught_up, caught_up_one
from tests.world import until
from ui.kit.bind import Soon
from ui.kit.choose_time import TimeDialog
from ui.reminding import Reminding
from ui.shell.notices.planned import PlannedRow
from ui.shell.window.desktop_toast import ToastAction
from ui.shell.window.main_window import MainWindow
from ui.shell.window.notifications import Notifications


def message(session: Session, text: str) -> ObjectLink:
    """A message of the head in the case room."""
    case = office().case
    say(session, case, office().head, text, t_ms=at(13, 0))
    timeline = chat_of(session).timeline(case)
    said = timeline.message(len(timeline) - 1)
    return ObjectLink(room=case, obj=said.obj, kind="chat", ref=said.change_id)


async def due(session: Session) -> None:
    """What is due has become a notice, and has rung."""
    task = asyncio.ensure_future(session.reminders.run())
    await until(lambda: not session.store.reminders.due(clock.now_ms(), 1))
    await asyncio.sleep(0)
    task.cancel()
    await ring(session)


@pytest.fixture
def seen(session: Session) -> None:
    session.notices.mark_done([row.id for row in session.notices.list()])


async def test_it_rings_in_the_window_that_is_in_front_and_is_on_home(
    window: MainWindow, session: Session, seen: None
) -> None:
    await ring(session)
    link = message(session, "Kan du ringa å 🙂?")
    session.reminders.remind(link, clock.now_ms())
    await due(session)
    caught_up(window)
    shown = toast_of(window)
    assert shown.text() == "Påminnelse: Kan du ringa å 🙂?"
    assert (shown.undo.text(), shown.other.text()) == ("Öppna", "Om en timme")
    assert rows(window) == ["Påminnelse: Kan du ringa å 🙂?, Tillsyn 2026-1184, nyss"]
    click(shown.other)
    await until(lambda: rows(window) == [])
    (row,) = session.notices.list(limit=1)
    assert row.state is NoticeState.SNOOZED
    session.notices.mark_new([row.id])
    assert len(rows(window)) == 1


async def test_only_what_comes_at_its_time_is_counted_and_not_what_else_is_new_in_the_room(
    window: MainWindow, session: Session, seen: None
) -> None:
    await ring(session)
    link = message(session, "@Handläggare kan du ringa å 🙂?")
    await ring(session)
    caught_up(window)
    session.reminders.remind(link, clock.now_ms())
    say(session, office().case, office().head, *(f"@Handläggare rad {n}" for n in range(MOST_NAMED + 1)))
    await due(session)
    caught_up(window)
    shown = toast_of(window)
    assert shown.text() == "Påminnelse: @Handläggare kan du ringa å 🙂?"
    click(shown.undo)
    room = window.current_room()
    assert room is not None
    chat = room.view("chat")
    assert isinstance(chat, FakeView)
    assert chat.refs == [(link.obj, link.ref)]


def states(session: Session) -> set[NoticeState]:
    """The states of the reminders that have rung."""
    return {each.state for each in session.notices.list() if each.kind == "reminder"}


@pytest.mark.parametrize("is_in_front", [True, False])
async def test_in_an_hour_puts_off_all_that_rang_together(
    window: MainWindow, session: Session, seen: None, monkeypatch: pytest.MonkeyPatch, is_in_front: bool
) -> None:
    await ring(session)
    desktop = window.notifications.desktop = Toasts()
    monkeypatch.setattr(window, "isActiveWindow", lambda: is_in_front)
    for n in range(MOST_NAMED + 5):
        session.reminders.remind(message(session, f"Rad {n} å 🙂"), clock.now_ms())
    await due(session)
    caught_up(window)
    if is_in_front:
        assert toast_of(window).text() == "25 påminnelser"
        click(toast_of(window).other)
    else:
        window.notifications.on_action(desktop.shown[-1].key, ToastAction.SNOOZE)
    await until(lambda: states(session) == {NoticeState.SNOOZED})
    assert len(session.notices.snoozed()) == MOST_NAMED + 5


async def reminded(window: QWidget, session: Session) -> tuple[Notifications, Toasts]:
    """The notifications of a window, and what the desktop has, when a reminder of a message has rung."""
    await ring(session)
    watching, desktop = watch(window, session)
    session.reminders.remind(message(session, "Hemligt å"), clock.now_ms())
    await due(session)
    return watching, desktop


async def test_a_hidden_notification_calls_nothing_a_reminder_that_is_a_message(
    hidden: QWidget, session: Session, seen: None
) -> None:
    watching, desktop = await reminded(hidden, session)
    say(session, office().case, office().head, "Ett", "Två 🙂", t_ms=at(14, 5))
    for soon in reversed(watching.findChildren(Soon)):  # the messages are counted before the reminder is shown
        caught_up_one(soon)
    assert desktop.texts == ["3 nya händelser"]


async def test_its_desktop_notification_shows_no_content_and_snoozes(
    hidden: QWidget, session: Session, seen: None
) -> None:
    watching, desktop = await reminded(hidden, session)
    caught_up(hidden)
    assert desktop.texts == ["Du har en påminnelse."]
    assert desktop.shown[0].actions == {ToastAction.SNOOZE}
    watching.on_action(desktop.shown[0].key, ToastAction.SNOOZE)
    await until(lambda: states(session) == {NoticeState.SNOOZED})
    (row,) = [each for each in session.notices.list() if each.kind == "reminder"]
    assert row.until is not None
    assert 0 <= row.until - at(15, 5) < 60_000
    session.settings.set(NOTIFICATION_CONTENT, "shown")
    session.reminders.remind(message(session, "Inte hemligt 🙂"), clock.now_ms())
    await due(session)
    caught_up(hidden)
    assert desktop.texts[1:] == ["Påminnelse: Inte hemligt 🙂"]


def test_a_full_disk_keeps_the_dialog_and_what_was_chosen(window: MainWindow) -> None:
    refused = [DiskFull()]
    kept: list[int] = []

    def act(until: int) -> None:
        if refused:
            raise refused.pop()
        kept.append(until)

    dialog = TimeDialog(window, "Påminn mig", act)
    dialog.show()
    dialog.time.setCurrentIndex(dialog.time.findText("15:00"))
    dialog.day.field.setText("2026-11-27")
    dialog.accept()
    assert dialog.isVisible()
    assert "disk" in dialog.error.text()
    assert dialog.day.field.text() == "2026-11-27"
    dialog.accept()
    assert not dialog.isVisible()
    assert kept == [at(15, 0, 27)]


def planned(window: MainWindow) -> list[PlannedRow]:
    """The rows under "Reminders" on Home, from the top."""
    window.go_section("home")
    window.content.home.refresh()
    QApplication.processEvents()
    found = [each for each in window.content.home.planned.findChildren(PlannedRow) if each.isVisible()]
    return sorted(found, key=lambda each: each.y())


def names(window: MainWindow) -> list[str]:
    return [each.button.accessibleName() for each in planned(window)]


def test_home_lists_what_will_ring_and_one_changes_and_removes_it_by_keyboard(
    window: MainWindow, session: Session, seen: None
) -> None:
    assert names(window) == []
    assert "Påminnelser" not in texts(window.content.home)
    link = message(session, "Ring sökanden å 🙂")
    session.reminders.remind(link, at(16, 0))
    (notice,) = session.notices.list(limit=1)
    session.notices.mark_new([notice.id])
    session.notices.snooze([notice.id], at(15, 30))
    assert names(window)[1] == "Ring sökanden å 🙂, 16:00, Tillsyn 2026-1184"
    assert names(window)[0].count(", 15:30") == 1
    assert "Påminnelser" in texts(window.content.home)
    row = planned(window)[1]
    row.button.setFocus()
    QTest.keyClick(row.button, Qt.Key.Key_S)
    QTest.keyClick(open_menu(), Qt.Key.Key_2)
    assert names(window)[1] == "Ring sökanden å 🙂, ons 25 nov 2026 08:00, Tillsyn 2026-1184"
    click(toast_of(window).undo)
    assert names(window)[1] == "Ring sökanden å 🙂, 16:00, Tillsyn 2026-1184"
    QTest.keyClick(planned(window)[1].button, Qt.Key.Key_Delete)
    assert len(names(window)) == 1
    click(toast_of(window).undo)
    assert len(names(window)) == 2
    QTest.keyClick(planned(window)[0].button, Qt.Key.Key_E)
    assert [row.id for row in session.notices.list(OPEN)] == [notice.id]
    assert len(names(window)) == 1
    QTest.keyClick(planned(window)[0].button, Qt.Key.Key_Return)
    room = window.current_room()
    assert room is not None
    chat = room.view("chat")
    assert isinstance(chat, FakeView)
    assert chat.refs == [(link.obj, link.ref)]


def test_the_palette_reminds_of_what_is_current_in_the_view(window: MainWindow, session: Session) -> None:
    link = message(session, "Beslut å")
    window.open_room(office().case)
    room = window.current_room()
    assert room is not None
    chat = room.view("chat")
    assert isinstance(chat, FakeView)
    assert not window.commands["remind"].enabled()
    reminding = Reminding(window, session.reminders)
    chat.doable = lambda: {"remind": lambda: reminding.open(link)}  # type: ignore[attr-defined] # what a chat's view offers
    press(window, "Ctrl+Shift+R")
    QTest.keyClick(open_menu(), Qt.Key.Key_1)
    assert session.reminders.at(link) is not None
    assert toast_of(window).text().startswith("Du påminns 15:0")
    press(window, "Ctrl+Shift+R")
    menu = open_menu()
    assert menu.actions()[0].text().startswith("Påminnelse 15:0")
    QTest.keyClick(menu, Qt.Key.Key_Delete)
    assert session.reminders.at(link) is None


def end(session: Session, link: ObjectLink, state: str) -> None:
    """The month that the link leads to is disposed of, or the person has left the room."""
    if state == "destroyed":
        event = RoomEvent(n=99_000, t=at(14, 0), kind="destroy", by=office().head.uid, obj=link.obj)
        session.store.receive(ReceivedSlice(room=link.room, events=[event]))
    else:
        remove(session, link.room, office().me)


@pytest.mark.parametrize("state", ["destroyed", "left"])
@pytest.mark.parametrize("is_snoozed", [True, False])
async def test_a_reminder_that_has_rung_is_not_lost_with_what_it_is_about(
    window: MainWindow, session: Session, seen: None, state: str, is_snoozed: bool
) -> None:
    """It is listed until the person is done with it, and a snoozed one rings again."""
    await ring(session)
    link = message(session, "Ring sökanden å 🙂")
    session.reminders.remind(link, at(13, 0))
    await due(session)
    caught_up(window)
    (rung,) = session.notices.list(OPEN)
    if is_snoozed:
        session.notices.snooze([rung.id], at(16, 0))
        assert session.notices.list(OPEN) == ()
    end(session, link, state)
    while session.store.notices.sweep():
        pass
    toast_of(window).hide()
    restore = clock.set_clock(lambda: at(16, 0))
    try:
        await due(session)
    finally:
        restore()
    caught_up(window)
    text = "något som inte finns kvar här" if state == "destroyed" else "Ring sökanden å 🙂"
    assert [each.split(",")[0] for each in rows(window)] == [f"Påminnelse: {text}"]
    if is_snoozed:
        assert toast_of(window).text() == f"Påminnelse: {text}"
    session.notices.mark_done([rung.id])
    assert session.notices.list(OPEN) == ()


@pytest.mark.parametrize("state", ["destroyed", "left"])
async def test_a_reminder_of_what_is_gone_rings_and_says_so(
    window: MainWindow, session: Session, seen: None, state: str
) -> None:
    await ring(session)
    link = message(session, "Ring sökanden å 🙂")
    session.reminders.remind(link, at(16, 0))
    end(session, link, state)
    (row,) = session.reminders.list()
    session.reminders.move(row.id, at(13, 0))
    await due(session)
    caught_up(window)
    text = "något som inte finns kvar här" if state == "destroyed" else "Ring sökanden å 🙂"
    assert toast_of(window).text() == f"Påminnelse: {text}"
    assert [each.split(",")[0] for each in rows(window)] == [f"Påminnelse: {text}"]
