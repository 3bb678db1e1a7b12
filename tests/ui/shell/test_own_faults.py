# SPDX-License-Identifier: EUPL-1.2
"""What the window says where things of the person's own could not be stored, or not be read."""

from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.own.service import Unreadable
from app.session import Session
from app.settings import THEME
from tests.ui.finding import toast_of
from tests.ui.refusing import full
from tests.ui.shell.in_window import texts
from ui.kit.toast import Toast
from ui.shell.window.main_window import MainWindow


def shown(window: MainWindow) -> str:
    QApplication.processEvents()
    return " ".join(text for toast in window.findChildren(Toast) if toast.isVisible() for text in texts(toast))


async def test_a_full_disk_is_said_once_and_try_again_stores_what_was_refused(
    window: MainWindow, session: Session
) -> None:
    with full(session):
        session.settings.set(THEME, "dark")
        assert "Disken är full." in shown(window)
        assert "Det finns kvar så länge programmet är igång." in shown(window)
        toast_of(window).undo.click()
        assert "Disken är full." in shown(window)
        toast_of(window).hide()
        session.settings.set(THEME, "light")
        assert shown(window) == ""
        toast_of(window).show()
    toast_of(window).undo.click()
    assert "Allt är sparat nu" in shown(window)
    assert session.own.value("settings", "theme") is not None


def test_what_cannot_be_read_is_said_and_nothing_else_changes(window: MainWindow, session: Session) -> None:
    session.own.unreadable.emit(Unreadable.DAMAGED)
    assert "Det finns kvar, och allt annat gäller." in shown(window)
    session.own.unreadable.emit(Unreadable.NEWER)
    assert "nyare version av Kansli" in shown(window)


def test_what_could_not_be_read_at_the_start_is_said_when_the_window_is_there(
    window: MainWindow, session: Session, qtbot: QtBot
) -> None:
    session.own.is_unreadable = Unreadable.NEWER
    again = MainWindow(session, ())
    qtbot.addWidget(again)
    again.show()
    qtbot.waitUntil(lambda: "nyare version av Kansli" in shown(again))
