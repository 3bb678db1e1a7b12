# SPDX-License-Identifier: EUPL-1.2
"""What shows a notification: the desktop's service where it answers, a window of ours, or the tray's sign."""

from collections.abc import Iterator

import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QSystemTrayIcon, QWidget
from pytestqt.qtbot import QtBot

from app.notification_settings import NOTIFICATION_WINDOW
from app.session import Session
from tests.bus import needs_bus, own_bus
from tests.ui.shell.test_freedesktop import desktop as service
from tests.world import until
from ui.desktop.presenting import (
    QUNS_ACCEPTS_NOTIFICATIONS,
    QUNS_BUSY,
    QUNS_PRESENTATION_MODE,
    QUNS_RUNNING_D3D_FULL_SCREEN,
    fills_screen,
    is_presenting,
)
from ui.desktop.tray import Tray
from ui.shell.settings.settings_view import SettingsView
from ui.shell.window import desktops
from ui.shell.window.desktop_toast import Toast, ToastAction
from ui.shell.window.desktops import Desktops, desktop, shows_windows, windows_of, with_tray
from ui.shell.window.tray_toasts import TrayToasts

TOAST = Toast(key="ett", title="Kansli", text="Två å 🙂", sounds=False, actions=frozenset({ToastAction.READ}))


@pytest.fixture
def owner(qtbot: QtBot) -> QWidget:
    made = QWidget()
    qtbot.addWidget(made)
    return made


@pytest.fixture
def in_tray(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that the system was given to show beside the tray's sign."""
    shown: list[str] = []
    monkeypatch.setattr(QSystemTrayIcon, "showMessage", lambda item, title, text, icon: shown.append(text))
    return shown


@pytest.fixture
def tray() -> Iterator[Tray]:
    made = Tray()
    yield made
    made.close()


def made(owner: QWidget, session: Session, *, service: bool = False, windows: bool = True) -> Desktops:
    return Desktops(owner, session.settings, lambda *_: None, has_service=service, has_windows=windows)


def texts(found: Desktops) -> list[str]:
    return [window.accessibleDescription() for window in windows_of(found)]


def test_without_a_service_a_window_of_ours_shows_it(
    owner: QWidget, session: Session, tray: Tray, in_tray: list[str]
) -> None:
    found = made(owner, session)
    assert with_tray(found, tray, lambda *_: None) is found
    found(TOAST)
    assert (texts(found), in_tray) == (["Två å 🙂"], [])
    found.withdraw("ett")
    assert texts(found) == []


def test_the_trays_sign_shows_it_if_the_settings_want_that_or_something_fills_the_screen(
    owner: QWidget, session: Session, tray: Tray, in_tray: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = made(owner, session)
    session.settings.set(NOTIFICATION_WINDOW, False)
    found(TOAST)
    assert texts(found) == in_tray == [], "there is no tray yet"
    with_tray(found, tray, lambda *_: None)
    found(TOAST)
    session.settings.set(NOTIFICATION_WINDOW, True)
    monkeypatch.setattr(desktops, "is_presenting", lambda: True)
    found(TOAST)
    assert (texts(found), in_tray) == ([], ["Två å 🙂"] * 2)
    found.withdraw("ett")
    found.withdraw("ett")
    assert in_tray[2:] == [""], "an empty one takes its place, as when the curtain falls"


def test_on_a_screen_without_windows_of_ours_only_the_trays_sign_is_left(
    owner: QWidget, session: Session, tray: Tray, in_tray: list[str]
) -> None:
    assert desktop(owner, session.settings, lambda *_: None) is None, "these tests have no screen"
    found = with_tray(None, tray, lambda *_: None)
    assert isinstance(found, TrayToasts)
    assert with_tray(found, tray, lambda *_: None) is found
    found(TOAST)
    without = made(owner, session, windows=False)
    with_tray(without, tray, lambda *_: None)
    without(TOAST)
    assert (texts(without), in_tray) == ([], ["Två å 🙂"] * 2)


@needs_bus
async def test_a_service_that_answers_shows_it_and_without_one_a_window_of_ours_does(
    owner: QWidget, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    with own_bus() as address:
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
        found = made(owner, session, service=True)
        found(TOAST)
        await until(lambda: texts(found) == ["Två å 🙂"])
        found.withdraw("ett")
        assert texts(found) == []
        async with service() as shown:
            found(TOAST)
            await until(lambda: len(shown.notified) == 1)
            assert texts(found) == []
        owner.deleteLater()


@needs_bus
async def test_the_setting_of_windows_is_shown_only_where_there_can_be_such_windows_and_no_service(
    qtbot: QtBot, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asking whether there is a service starts none."""
    with own_bus() as address:
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
        for screen in ("offscreen", "wayland", "xcb"):
            monkeypatch.setattr(QGuiApplication, "platformName", lambda screen=screen: screen)
            asked = shows_windows()
            assert (await asked() if callable(asked) else asked) is (screen == "xcb"), screen
        view = SettingsView(session, shows_windows=shows_windows())
        qtbot.addWidget(view)
        shown = view.rows.rows[NOTIFICATION_WINDOW.key]
        assert not shown.isVisibleTo(view)
        view.show()
        await until(lambda: shown.isVisible())
        async with service():
            view.hide()
            view.show()
            await until(lambda: not shown.isVisible())
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/proc/none")
        view.hide()
        view.show()
        await until(lambda: shown.isVisible())
        monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS")
        assert shows_windows() is True, "nobody has to be asked"


def test_windows_says_what_fills_the_screen() -> None:
    filled = (QUNS_BUSY, QUNS_RUNNING_D3D_FULL_SCREEN, QUNS_PRESENTATION_MODE)
    assert all(fills_screen(state) for state in filled)
    assert not fills_screen(QUNS_ACCEPTS_NOTIFICATIONS)
    assert not is_presenting()
