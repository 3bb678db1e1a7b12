# SPDX-License-Identifier: EUPL-1.2
"""Notifications in small windows of ours: where they are, how long they stay, and what a person can do in them by
pointer, keyboard and screen reader."""

from collections.abc import Hashable, Iterator

import pytest
import shiboken6
from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, Qt
from PySide6.QtGui import QAccessible, QEnterEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from app.notification_settings import NOTIFICATION_CONTENT
from app.session import Session
from tests.ui.faces import announced, face
from tests.ui.finding import timer_of
from tests.ui.pointing import click
from tests.ui.reaching import wrong
from tests.ui.shell.kept_office import office
from tests.ui.shell.opened_office import chat_of, read_everything, say
from tests.ui.shell.toasts import ring, watch
from tests.ui.soon import caught_up
from tests.ui.walking import check
from ui.kit import theme
from ui.kit.plain import Label
from ui.kit.screens import area_of
from ui.shell.window import regions
from ui.shell.window.desktop_toast import Toast, ToastAction
from ui.shell.window.notification_window import SHOWN_MS, NotificationWindow
from ui.shell.window.notification_windows import MOST, NotificationWindows

BOTH = frozenset({ToastAction.REPLY, ToastAction.READ})


class Owner(QWidget):
    """A main window with a field."""

    def __init__(self) -> None:
        super().__init__()
        self.field = QLineEdit()
        QVBoxLayout(self).addWidget(self.field)
        self.chosen: list[tuple[Hashable, ToastAction]] = []
        self.announces = True
        self.windows = NotificationWindows(self, self._on_action, lambda: self.announces)

    def _on_action(self, key: Hashable, action: ToastAction) -> None:
        self.chosen.append((key, action))

    def notify(self, key: str, text: str = "Ett å 🙂", actions: frozenset[ToastAction] = BOTH) -> NotificationWindow:
        """Shows a notification, and leaves the main window active."""
        self.windows(Toast(key=key, title="Enhetschef · Tillsyn 2026-1184", text=text, sounds=False, actions=actions))
        self.activateWindow()
        QApplication.processEvents()
        return self.windows.shown[0]


@pytest.fixture
def owner(qtbot: QtBot) -> Iterator[Owner]:
    made = Owner()
    qtbot.addWidget(made)
    made.show()
    qtbot.waitUntil(made.isActiveWindow)
    made.field.setFocus()
    yield made
    for window in made.windows.shown:
        window.close()


def pass_time(window: NotificationWindow) -> None:
    """As if the time for which it is shown had passed."""
    if timer_of(window).isActive():
        assert timer_of(window).interval() == SHOWN_MS
        timer_of(window).timeout.emit()


def is_open(window: NotificationWindow) -> bool:
    return shiboken6.isValid(window) and window.isVisible()


def point_at(window: NotificationWindow) -> None:
    at = QPointF(5, 5)
    QApplication.sendEvent(window, QEnterEvent(at, at, QPointF(window.mapToGlobal(QPoint(5, 5)))))


def test_it_is_over_all_others_in_the_corner_and_asks_for_no_focus(owner: Owner) -> None:
    window = owner.notify("ett")
    area = area_of(owner)
    assert area.contains(window.geometry())
    assert (area.right() - window.geometry().right(), area.bottom() - window.geometry().bottom()) == (12, 12)
    assert window.testAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
    assert window.windowType() == Qt.WindowType.Tool
    for flag in (Qt.WindowType.FramelessWindowHint, Qt.WindowType.WindowStaysOnTopHint):
        assert window.windowFlags() & flag
    assert window.parentWidget() is None, "it is there while the main window is minimised"
    assert window.windowTitle() == "Kansli"


@pytest.mark.parametrize(("actions", "words"), [
    (BOTH, ["Öppna", "Svara", "Markera som läst"]),
    (frozenset({ToastAction.SNOOZE}), ["Öppna", "Påminn om en timme"]),
    (frozenset(), ["Öppna"]),
])  # fmt: skip
def test_it_has_the_buttons_of_what_it_is_about_and_closes_when_one_is_pressed(
    owner: Owner, actions: frozenset[ToastAction], words: list[str]
) -> None:
    window = owner.notify("ett", actions=actions)
    shown = {action: button for action, button in window.buttons.items() if button.isVisible()}
    assert [button.text() for button in shown.values()] == words
    for action in shown:
        again = owner.notify("ett", actions=actions)
        click(again.buttons[action])
        assert owner.chosen[-1] == ("ett", action)
        assert owner.windows.shown == ()
        assert not is_open(again)


def test_a_press_on_it_opens_the_place(owner: Owner) -> None:
    window = owner.notify("ett")
    QTest.mousePress(window, Qt.MouseButton.LeftButton, pos=QPoint(20, 20))
    QTest.mouseRelease(window, Qt.MouseButton.LeftButton, pos=QPoint(-20, 20))
    QTest.mouseClick(window, Qt.MouseButton.RightButton, pos=QPoint(20, 20))
    assert owner.chosen == [], "nothing was pressed"
    QTest.mouseClick(window, Qt.MouseButton.LeftButton, pos=QPoint(20, 20))
    assert owner.chosen == [("ett", ToastAction.OPEN)]
    assert not is_open(window)


def test_a_conversation_has_one_window_and_the_fourth_takes_the_place_of_the_oldest(owner: Owner) -> None:
    first = owner.notify("ett")
    second = owner.notify("två")
    third = owner.notify("tre")
    places = [window.pos() for window in (first, second, third)]
    assert len(owner.windows.shown) == MOST
    for window in owner.windows.shown:
        others = [other.geometry() for other in owner.windows.shown if other is not window]
        assert not any(window.geometry().intersects(other) for other in others)
        assert area_of(owner).contains(window.geometry())
    assert owner.notify("två", "Två ö 👍") is second
    assert second.accessibleDescription() == "Två ö 👍"
    assert [window.pos() for window in (first, second, third)] == places, "none moves"
    fourth = owner.notify("fyra")
    assert not is_open(first)
    assert fourth.pos() == places[0]
    assert {window.pos().y() for window in owner.windows.shown} == {place.y() for place in places}


def test_one_in_which_somebody_is_stays_when_a_fourth_comes(owner: Owner) -> None:
    windows = [owner.notify(key) for key in ("ett", "två", "tre")]
    point_at(windows[0])
    owner.notify("fyra")
    assert [is_open(window) for window in windows] == [True, False, True]


def test_it_closes_by_itself_unless_the_pointer_or_the_focus_is_in_it(owner: Owner, qtbot: QtBot) -> None:
    window = owner.notify("ett")
    QApplication.sendEvent(window, QEvent(QEvent.Type.Leave))  # wherever this machine's pointer is
    point_at(window)
    pass_time(window)
    assert is_open(window)
    QApplication.sendEvent(window, QEvent(QEvent.Type.Leave))
    window.activateWindow()
    qtbot.waitUntil(lambda: QApplication.activeWindow() is window)
    pass_time(window)
    assert is_open(window)
    owner.activateWindow()
    qtbot.waitUntil(lambda: QApplication.activeWindow() is owner)
    pass_time(window)
    assert not is_open(window)


def test_it_is_reached_and_left_by_keyboard(owner: Owner, qtbot: QtBot) -> None:
    window = owner.notify("ett")
    regions.step([owner, *owner.windows.shown], owner.field, 1)
    qtbot.waitUntil(lambda: QApplication.activeWindow() is window)
    stops = []
    for _ in range(4):
        focused = window.focusWidget()
        assert focused is not None
        stops.append(focused.accessibleName())
        QTest.keyClick(focused, Qt.Key.Key_Tab)
    assert stops == ["Öppna", "Svara", "Markera som läst", "Stäng meddelandet"]
    QTest.keyClick(window, Qt.Key.Key_F6)
    qtbot.waitUntil(lambda: QApplication.activeWindow() is owner)
    assert is_open(window)
    window.buttons[ToastAction.REPLY].setFocus()
    QTest.keyClick(window.buttons[ToastAction.REPLY], Qt.Key.Key_Return)
    assert owner.chosen == [("ett", ToastAction.REPLY)]
    again = owner.notify("ett")
    QTest.keyClick(again.buttons[ToastAction.OPEN], Qt.Key.Key_Escape)
    assert not is_open(again)
    last = owner.notify("ett")
    click(last.close_button)
    assert not is_open(last)
    assert len(owner.chosen) == 1


def test_a_screen_reader_finds_a_message_and_reads_it_out_once(owner: Owner, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = announced(monkeypatch)
    window = owner.notify("ett")
    assert texts == ["Enhetschef · Tillsyn 2026-1184: Ett å 🙂"]
    found = face(window)
    assert found.role() == QAccessible.Role.AlertMessage
    assert found.text(QAccessible.Text.Name) == "Enhetschef · Tillsyn 2026-1184"
    assert found.text(QAccessible.Text.Description) == "Ett å 🙂"
    check(window)
    assert face(window.buttons[ToastAction.REPLY]).text(QAccessible.Text.Description) == "Ett å 🙂"
    above = found.parent()
    assert above is not None
    assert above.role() == QAccessible.Role.Application


def test_nothing_is_read_out_where_the_person_wants_no_announcements(
    owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = announced(monkeypatch)
    owner.announces = False
    owner.notify("ett")
    assert texts == []


def test_markup_is_shown_as_text(owner: Owner) -> None:
    window = owner.notify("ett", "<b>å</b> &amp; <img src='file:///x'>")
    shown = [each for each in window.findChildren(Label) if each.text().startswith("<b>")]
    assert [each.text() for each in shown] == ["<b>å</b> &amp; <img src='file:///x'>"]
    assert shown[0].textFormat() == Qt.TextFormat.PlainText


@pytest.mark.parametrize("size", [80, 100, 200])
@pytest.mark.parametrize("look", ["light", "dark", "contrast", "contrast-dark"])
def test_all_of_it_is_read_and_reached_in_every_look_and_size(
    owner: Owner, qapp: QApplication, look: str, size: int
) -> None:
    theme.apply(qapp, look)
    theme.resize(qapp, size, "normal")
    window = owner.notify("ett", "Å ä ö 🙂 " * 18)
    assert wrong(window) == []
    layout = window.layout()
    assert layout is not None
    assert window.height() >= layout.totalHeightForWidth(window.width())
    assert area_of(owner).contains(window.geometry())


def test_one_on_the_screen_follows_the_text_size_and_stays_in_its_corner(owner: Owner, qapp: QApplication) -> None:
    window = owner.notify("ett")
    corner, height = window.geometry().bottomRight(), window.height()
    theme.resize(qapp, 200, "normal")
    assert window.height() > height
    assert window.geometry().bottomRight() == corner
    assert wrong(window) == []


def test_it_closes_when_it_is_withdrawn_and_when_the_main_window_goes(owner: Owner, qapp: QApplication) -> None:
    read, left = owner.notify("ett"), owner.notify("två")
    owner.windows.withdraw("ett")
    owner.windows.withdraw("okänd")
    assert (is_open(read), is_open(left)) == (False, True)
    gone = QObject()
    owner.windows.setParent(gone)
    gone.deleteLater()
    qapp.sendPostedEvents(gone, QEvent.Type.DeferredDelete.value)
    assert not is_open(left)
    qapp.sendPostedEvents(left, QEvent.Type.DeferredDelete.value)
    assert not shiboken6.isValid(left)
    owner.windows = NotificationWindows(owner, lambda key, action: None, lambda: True)


async def test_it_shows_the_same_rows_and_goes_when_the_room_is_read(hidden: QWidget, session: Session) -> None:
    read_everything(session)
    await ring(session)
    notifications, _ = watch(hidden, session)
    windows = notifications.desktop = NotificationWindows(hidden, notifications.on_action, lambda: True)
    say(session, office().case, office().head, "Ett å")
    caught_up(hidden)
    (window,) = windows.shown
    assert (window.accessibleName(), window.accessibleDescription()) == ("Kansli", "1 nytt meddelande")
    session.settings.set(NOTIFICATION_CONTENT, "shown")
    say(session, office().case, office().head, "Två 🙂")
    caught_up(hidden)
    assert list(windows.shown) == [window]
    assert window.accessibleName() == "Enhetschef · Tillsyn 2026-1184"
    assert window.accessibleDescription() == "Två 🙂"
    chat_of(session).mark_all_read(office().case)
    caught_up(hidden)
    assert not windows.shown
    say(session, office().case, office().head, "Tre å")
    caught_up(hidden)
    window = windows.shown[0]
    click(window.buttons[ToastAction.READ])
    assert session.rooms.room(office().case).unread == 0
