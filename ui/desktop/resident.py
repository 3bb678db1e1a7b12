# SPDX-License-Identifier: EUPL-1.2
"""The parts that stay on the desktop while windows come and go: the tray's sign, the line for another start, the
computer's events, and whether the desktop starts the program. It notifies the program; it opens and locks nothing
itself."""

import os
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from PySide6.QtCore import QObject, QTimer, Signal

from app.errors import StoreUnwritable
from app.profile import Profile
from app.settings import AUTOSTART, CLOSE_TO_TRAY, LANGUAGE, TRAY_EXPLAINED, Settings
from ui.desktop.autostart import Autostart, here, keep
from ui.desktop.idle import idle_s
from ui.desktop.instance import Instance, line_name
from ui.desktop.taskbar import show_badge
from ui.desktop.tray import Tray, tray
from ui.desktop.waking import Events, watch
from ui.kit.translate import tr

WATCH_AFTER_MS = 1000
"""The system's events are listened to only after the window has been painted: importing the modules for it took 120
ms."""
TRAY_EVERY_MS, TRAY_TRIES = 1000, 30
"""At the beginning of a desktop session the tray may be there later than the programs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Desktop:
    """The parts of a desktop that the program uses. `tray` makes the sign in the tray, or returns None if there is no
    tray; `watch` returns signals for the computer's events; both get the Qt object that owns the result. `badge` shows
    a number in the taskbar. `autostart` is where the desktop keeps what it starts, `command` how it would start this
    program (None: it cannot). `idle_s` is `ui.desktop.idle.idle_s`. Tests put their own in place."""

    tray: Callable[[QObject], Tray | None] = tray
    watch: Callable[[QObject], Events] = watch
    badge: Callable[[int], object] = show_badge
    idle_s: Callable[[], Awaitable[float | None]] = idle_s
    autostart: Autostart = field(default_factory=here)
    command: Sequence[str] | None = None
    """How the desktop would start this program and profile; None: it cannot."""


class Resident(QObject):
    """What the program has on the desktop beside its windows: the tray's sign, the socket for another start, the
    computer's events and the autostart. Made once; call `start` on the event loop, and `close` at the end."""

    called = Signal(str)
    """The person wants to see Kansli. Emitted by another start (with its link and activation token) and by the tray
    ("")."""
    lock_asked = Signal()
    quit_asked = Signal()
    tray_came = Signal()
    """There is a tray now. Emitted at once if there is one already."""
    no_tray = Signal()
    """There was no tray in the first half minute."""

    def __init__(self, profile: Profile, settings: Settings, desktop: Desktop) -> None:
        super().__init__()
        self._profile, self._settings, self._desktop = profile, settings, desktop
        self.tray: Tray | None = None
        self.line: Instance | None = None
        self._tries = 0
        self._ends: list[Callable[[], None]] = []
        self._again = QTimer(self, interval=TRAY_EVERY_MS)
        self._again.timeout.connect(self._look_for_tray)

    def start(self, on_events: Callable[[Events], object]) -> None:
        """Listens for another start of the program, makes the sign in the tray (if there is none, tries for half a
        minute), and sets the desktop's autostart as the settings say. A second later it calls `on_events` with the
        signals for the computer's events."""
        profile = self._profile
        self.line = Instance(line_name(profile.id, profile.folder, os.environ), profile.id, self)
        self.line.called.connect(self.called)
        self._ends.append(self._settings.changed.connect(self._on_setting))
        QTimer.singleShot(WATCH_AFTER_MS, self, lambda: on_events(self._desktop.watch(self)))
        self._look_for_tray()
        if self.tray is None:
            self._again.start()
        self._keep_autostart()

    def close(self) -> None:
        """Stops listening and removes the tray's sign, since the program ends. The autostart stays."""
        for end in self._ends:
            end()
        self._again.stop()
        if self.line is not None:
            self.line.close()
        if self.tray is not None:
            self.tray.close()
            self.tray = None

    async def idle_s(self) -> float | None:
        """Seconds since the last input anywhere on the computer; None if the system does not say."""
        return await self._desktop.idle_s()

    @property
    def stays(self) -> bool:
        """Whether closing the window leaves the program in the tray."""
        return self.tray is not None and self._settings.get(CLOSE_TO_TRAY)

    def notify_of_closed_window(self) -> None:
        """Shows a notification that the closed window is in the tray, and how to end the program: once ever, which the
        settings remember. Does nothing without a tray."""
        if self.tray is not None and not self._settings.get(TRAY_EXPLAINED):
            text = tr(
                "Kansli is still here and tells of new messages. Its sign in the tray opens it, and its menu ends it."
            )
            self.tray.notify(tr("The window is closed"), text)
            with suppress(StoreUnwritable):  # a full disk: it is shown once more the next time
                self._settings.set(TRAY_EXPLAINED, True)

    def show_unread(self, count: int) -> None:
        """Shows how much is unread, `count`, on the tray's sign, if there is one, and on the program's button in the
        taskbar, where the desktop can show it; no number for 0."""
        self._desktop.badge(count)
        if self.tray is not None:
            self.tray.set_unread(count)

    def show_covered(self) -> None:
        """Shows on the tray's sign that Kansli is locked. The number of unread messages stays, here and in the
        taskbar: it is all that is shown of an account under the curtain."""
        if self.tray is not None:
            self.tray.set_locked(True)

    def show_locked(self, locked: bool) -> None:
        """Shows on the tray's sign whether Kansli is `locked`. If it is, the number of unread messages is set to 0,
        since nothing of an account is shown then; in the taskbar, too."""
        if locked:
            self._desktop.badge(0)
        if self.tray is not None:
            self.tray.set_unread(0 if locked else self.tray.unread)
            self.tray.set_locked(locked)

    def _look_for_tray(self) -> None:
        self._tries += 1
        found = self._desktop.tray(self)
        if found is not None:
            self._again.stop()
            self.tray = found
            found.open_asked.connect(lambda: self.called.emit(""))
            found.lock_asked.connect(self.lock_asked)
            found.quit_asked.connect(self.quit_asked)
            self.tray_came.emit()
        elif self._tries == TRAY_TRIES:
            self._again.stop()
            self.no_tray.emit()

    def _on_setting(self, key: str) -> None:
        if key == AUTOSTART.key:
            self._keep_autostart()
        elif key == LANGUAGE.key and self.tray is not None:
            QTimer.singleShot(0, self.tray, self.tray.refresh)  # when the language has changed

    def _keep_autostart(self) -> None:
        if self._desktop.command is not None:
            keep(self._settings.get(AUTOSTART), self._desktop.autostart, self._desktop.command)
