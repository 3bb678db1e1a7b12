# SPDX-License-Identifier: EUPL-1.2
"""Presence on screen: the marks and words of colleagues, the own status by keyboard, and quiet while not disturbed."""

from datetime import timedelta

import pytest
from PySide6.QtCore import QEvent, QObject, QRectF, Qt
from PySide6.QtGui import QImage, QKeyEvent, QPainter
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QLineEdit, QMenu

from app.core.enums import Presence, RoomType
from app.core.ids import DevId, RoomId, Uid
from app.errors import DiskFull
from app.notices.turns import Used
from app.notification_settings import NOTIFICATIONS
from app.objects.object import Payload
from app.people.person import Person
from app.presence.records import Gone, Here, encode
from app.session import Session
from app.settings import SHOW_PRESENCE
from tests.ui.finding import only, timer_of
from tests.ui.refusing import full
from tests.ui.shell.kept_office import office
from tests.ui.shell.opened_office import say
from tests.ui.shell.sample import NOW
from tests.ui.shell.toasts import watch
from tests.ui.soon import caught_up
from tests.world import until
from ui.kit import theme
from ui.kit.presence import paint_dot, presence_name
from ui.kit.translate import short_day
from ui.shell.room.member_row import MemberRow
from ui.shell.window.auto_lock import AutoLock
from ui.shell.window.in_use import AWAY_MINUTES
from ui.shell.window.main_window import MainWindow
from ui.shell.window.own_status import StatusDialog

_MESSAGE: Payload[Used] = Payload(Used)
OTHER_IS_USED = _MESSAGE.encode(Used())
BACK = NOW.date() + timedelta(days=10)


def other_in_direct_room(session: Session) -> tuple[RoomId, Person]:
    """A conversation of two, and the other person."""
    for room in session.rooms.rooms():
        others = [person for person in session.rooms.people_in(room.room) if not person.is_me]
        if room.type is RoomType.DIRECT and len(others) == 1:
            return room.room, others[0]
    raise AssertionError


def says(session: Session, uid: Uid, state: str, text: str = "", back_on: str = "") -> None:
    """A colleague's device sends this."""
    session.presence._online = True
    record = Here(state=state, text=text, back_on=back_on, chosen_ms=1)
    session.presence.receive(office().case, uid, DevId(uid), encode(record), addressed=False)


@pytest.mark.parametrize("name", ["light", "dark", "contrast", "contrast-dark"])
def test_each_state_has_a_shape_of_its_own(qapp: QApplication, name: str) -> None:
    theme.apply(qapp, name)
    ground = theme.current().colour("surface")
    shapes: set[tuple[bool, ...]] = set()
    for state in Presence:
        image = QImage(24, 24, QImage.Format.Format_RGB32)
        image.fill(ground)
        painter = QPainter(image)
        paint_dot(painter, QRectF(4, 4, 16, 16), state, ground)
        painter.end()
        pixels = [image.pixelColor(x, y) for x in range(24) for y in range(24)]
        shapes.add(tuple(abs(pixel.lightness() - ground.lightness()) > 40 for pixel in pixels))
    assert len(shapes) == len(Presence)
    assert not any(not any(shape) for shape in shapes)


def test_a_colleagues_status_is_shown_in_the_list_the_members_and_the_conversation(
    window: MainWindow, session: Session
) -> None:
    room, other = other_in_direct_room(session)
    row = window.room_list.list.rows
    index = row.index_of(room)
    assert presence_name(Presence.BUSY) not in str(index.data(Qt.ItemDataRole.AccessibleTextRole))
    says(session, other.uid, "busy", "På förhandling 🙂", BACK.isoformat())
    caught_up(window)
    words = f"Upptagen · tillbaka fre {short_day(BACK)} · På förhandling 🙂"
    assert "Upptagen" in str(row.index_of(room).data(Qt.ItemDataRole.AccessibleTextRole))
    window.open_room(room)
    view = window.current_room()
    assert view is not None
    assert view.presence.text() == words
    if not view.panel.isVisible():
        view.toggle_panel()
    member = next(row for row in view.panel.findChildren(MemberRow) if row.uid == other.uid)
    assert words in member.accessibleName()
    assert words in member.toolTip()
    session.presence.receive(office().case, other.uid, DevId(other.uid), encode(Gone()), addressed=False)
    caught_up(window)
    assert view.presence.isHidden()  # unknown, and never away
    assert not any(presence_name(state) in member.accessibleName() for state in Presence)


def test_a_change_keeps_the_rows_and_the_focus(window: MainWindow, session: Session) -> None:
    window.open_room(office().case)
    view = window.current_room()
    assert view is not None
    if not view.panel.isVisible():
        view.toggle_panel()
    before = view.panel.findChildren(MemberRow)
    other = next(row for row in before if row.uid != session.people.me.uid)
    other.setFocus()
    says(session, other.uid, "away")
    caught_up(window)
    assert "Borta" in other.accessibleName()
    assert view.panel.findChildren(MemberRow) == before
    assert other.hasFocus()


def menu_of(window: MainWindow) -> QMenu:
    """The account menu, opened by keyboard."""
    button = window.rail.items["account"]
    button.setFocus()
    QTest.keyClick(button, Qt.Key.Key_Space)
    shown = QApplication.activePopupWidget()
    assert isinstance(shown, QMenu)
    return shown


def test_the_own_status_is_chosen_in_the_account_menu_by_keyboard(window: MainWindow, session: Session) -> None:
    menu = menu_of(window)
    texts = [action.text() for action in menu.actions()]
    assert [t for t in texts if t in ("Tillgänglig", "Upptagen", "Stör ej", "Borta")][-4:] == [
        "Tillgänglig", "Upptagen", "Stör ej", "Borta",
    ]  # fmt: skip
    menu.setActiveAction(next(a for a in menu.actions() if a.text() == "Stör ej"))
    QTest.keyClick(menu, Qt.Key.Key_Return)
    assert session.presence.quiet
    assert window.rail.items["account"].accessibleDescription() == "Stör ej"
    menu = menu_of(window)
    assert [a.text() for a in menu.actions() if a.isChecked()] == ["Stör ej"]
    menu.close()


def test_a_status_that_is_not_shown_has_no_mark(window: MainWindow, session: Session) -> None:
    session.settings.set(SHOW_PRESENCE, False)
    assert window.rail.items["account"].accessibleDescription() == ""
    menu = menu_of(window)
    assert "Din status visas inte" in [a.text() for a in menu.actions()]
    menu.close()
    session.settings.set(SHOW_PRESENCE, True)
    assert window.rail.items["account"].accessibleDescription() == "Tillgänglig"


async def test_words_and_a_day_are_written_in_the_dialog_by_keyboard(window: MainWindow, session: Session) -> None:
    window.commands["status"].run()
    await until(lambda: bool(window.findChildren(StatusDialog)))
    [dialog] = window.findChildren(StatusDialog)
    assert dialog.accessibleName() == "Din status"
    states, (words, day) = only(dialog, QComboBox), dialog.findChildren(QLineEdit)
    assert [field.accessibleName() for field in (states, words, day)] == [
        "Status", "Egna ord (kan vara tomt)", "Tillbaka (kan vara tomt)",
    ]  # fmt: skip
    states.setFocus()
    QTest.keyClick(states, Qt.Key.Key_Down)
    QTest.keyClicks(words, "Kurs i Malmo")
    QTest.keyClicks(day, "igar")
    QTest.keyClick(day, Qt.Key.Key_Return)
    assert dialog.isVisible()  # the day is not understood, and nothing is lost
    day.clear()
    QTest.keyClicks(day, BACK.isoformat())
    QTest.keyClick(day, Qt.Key.Key_Return)
    await until(lambda: session.presence.choice.text == "Kurs i Malmo")
    assert (session.presence.choice.state, session.presence.choice.back_on) == (Presence.BUSY, BACK)
    window.own_status.choose(Presence.AWAY)
    assert session.presence.choice.text == "Kurs i Malmo"
    window.own_status.choose(Presence.AVAILABLE)
    assert session.presence.choice.text == ""


async def test_a_status_that_the_disk_refuses_stays_in_its_dialog(window: MainWindow, session: Session) -> None:
    before = session.presence.choice
    window.own_status.edit()
    await until(lambda: bool(window.findChildren(StatusDialog)))
    dialog = only(window, StatusDialog)
    only(dialog, QComboBox).setCurrentIndex(1)
    words, day = dialog.findChildren(QLineEdit)
    words.setText("Förhandling å 🙂")
    day.setText(BACK.isoformat())
    with full(session):
        dialog.accept_button.click()
    assert dialog.isVisible()
    assert DiskFull.code in dialog.error.text()
    assert (words.text(), day.text(), session.presence.choice) == ("Förhandling å 🙂", BACK.isoformat(), before)
    dialog.accept_button.click()
    assert not dialog.isVisible()
    chosen = session.presence.choice
    assert (chosen.state, chosen.text, chosen.back_on) == (Presence.BUSY, "Förhandling å 🙂", BACK)


@pytest.mark.parametrize("quiet", [False, True])
def test_do_not_disturb_silences_the_desktop_and_messages_still_count(
    window: MainWindow, session: Session, monkeypatch: pytest.MonkeyPatch, quiet: bool
) -> None:
    session.settings.set(NOTIFICATIONS, "all")
    monkeypatch.setattr(window, "isActiveWindow", lambda: False)
    watching, desktop = watch(window, session, window.tools)
    if quiet:
        session.presence.choose(Presence.DO_NOT_DISTURB)
    before = session.rooms.room(office().case).unread
    other = next(p for p in session.rooms.people_in(office().case) if not p.is_me)
    say(session, office().case, other, "Kan du titta?")
    assert session.rooms.room(office().case).unread == before + 1
    caught_up(window)
    assert bool(desktop.shown) is not quiet
    watching.invited(None)
    assert len(desktop.shown) == (0 if quiet else 2)


def test_after_ten_minutes_without_input_the_person_is_away_until_the_next_one(qapp: QApplication) -> None:
    owner = QObject()
    lock = AutoLock(0, owner)
    used: list[bool] = []
    lock.presence.changed.connect(used.append)
    away = timer_of(lock.presence)
    assert away.interval() == AWAY_MINUTES * 60_000
    away.timeout.emit()
    away.timeout.emit()
    press = QKeyEvent(QEvent.Type.KeyPress, 0x41, Qt.KeyboardModifier.NoModifier, "a")
    field = QLineEdit()
    qapp.sendEvent(field, press)
    qapp.sendEvent(field, press)
    assert used == [False, True]
    qapp.removeEventFilter(lock)


async def test_a_person_who_does_nothing_in_the_window_is_away_and_back_at_the_next_key(
    window: MainWindow, session: Session
) -> None:
    def mine() -> Presence | None:
        found = session.presence.of_me()
        return found.state if found is not None else None

    QTest.keyClick(window, Qt.Key.Key_Shift)
    assert mine() is Presence.AVAILABLE
    timer_of(window.auto_lock.presence).timeout.emit()
    assert mine() is Presence.AWAY
    QTest.keyClick(window, Qt.Key.Key_Shift)
    assert mine() is Presence.AVAILABLE


async def test_the_device_on_which_another_program_is_used_rings_from_then_on(
    window: MainWindow, session: Session
) -> None:
    async def just_now() -> float | None:
        return 0.0

    session.turns.receive(DevId(b"x" * 16), OTHER_IS_USED)
    moved: list[None] = []
    session.turns.changed.connect(lambda: moved.append(None))
    window.auto_lock.presence.ask_system(just_now)
    timer_of(window.auto_lock.presence).timeout.emit()
    await until(lambda: len(moved) == 1)


async def test_the_device_that_is_used_rings_from_then_on(window: MainWindow, session: Session) -> None:
    session.turns.receive(DevId(b"x" * 16), OTHER_IS_USED)
    moved: list[None] = []
    session.turns.changed.connect(lambda: moved.append(None))
    QTest.keyClick(window, Qt.Key.Key_Shift)
    assert len(moved) == 1
