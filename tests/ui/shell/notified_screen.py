# SPDX-License-Identifier: EUPL-1.2
"""A program on a real screen in which a person writes when a notification comes: `python -m
tests.ui.shell.notified_screen`. It reads a command a line, and answers each with a line."""

import sys

from PySide6.QtCore import QObject, QSocketNotifier
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit

from ui.kit import faces, theme
from ui.kit.screens import area_of
from ui.shell.window.desktop_toast import Toast, ToastAction
from ui.shell.window.notification_windows import NotificationWindows

PATIENCE_MS = 20_000


class Screen(QObject):
    """The field in which the person writes, and the notifications over it."""

    def __init__(self) -> None:
        super().__init__()
        self.field = QLineEdit()
        self.windows = NotificationWindows(self.field, lambda key, action: None, lambda: True)
        self._wanted = 0
        """How many characters are waited for."""
        self.field.textChanged.connect(self._answer)
        self._notifier = QSocketNotifier(sys.stdin.fileno(), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._on_line)

    def begin(self) -> None:
        self.field.show()
        self.field.activateWindow()
        QTest.qWaitForWindowActive(self.field, PATIENCE_MS)
        print("ready", flush=True)

    def _on_line(self) -> None:
        word, _, rest = sys.stdin.readline().strip().partition(" ")
        match word:
            case "notify":
                actions = frozenset({ToastAction.REPLY, ToastAction.READ})
                self.windows(Toast(key=rest, title="Kansli", text="Ett å 🙂", sounds=False, actions=actions))
                (window,) = self.windows.shown
                QTest.qWaitForWindowExposed(window, PATIENCE_MS)
                at, area = window.frameGeometry().bottomRight(), area_of(self.field).bottomRight()
                print(f"shown {area.x() - at.x()} {area.y() - at.y()}", flush=True)
            case "written":
                self._wanted = int(rest)
                self._answer()
            case _:
                QApplication.quit()

    def _answer(self) -> None:
        if self._wanted and len(self.field.text()) >= self._wanted:
            self._wanted = 0
            print(self.field.text(), flush=True)


def main() -> None:
    application = QApplication(["kansli"])
    faces.install()
    theme.apply(application, "light")
    screen = Screen()
    screen.begin()
    application.exec()


if __name__ == "__main__":
    main()
