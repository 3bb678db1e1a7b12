# SPDX-License-Identifier: EUPL-1.2
"""What is open now: the session, and the window that the person sees. That window is the gate before unlocking, and the
main window afterwards."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QApplication, QWidget

from app import diagnosis
from app.core.later import Later
from app.errors import is_ours
from app.session import Session
from app.settings import WINDOW_GEOMETRY, Settings
from ui.desktop.closing import Gate
from ui.kit import tasks
from ui.kit.bug_dialog import BugNotifier
from ui.kit.covering import Cover
from ui.shell.window.main_window import MainWindow

if TYPE_CHECKING:
    from ui.shell.settings import diagnosis_dialog
else:
    diagnosis_dialog = Later("ui.shell.settings.diagnosis_dialog", when_idle=True)


class Stage:
    """Holds what is open now: at most one gate (the window before unlocking), one main window and one session. It opens
    and closes no session itself."""

    def __init__(
        self,
        settings: Settings,
        may_close: Callable[[], bool],
        *,
        background: bool,
        report: Callable[[], Mapping[str, str]],
    ) -> None:
        """`may_close` is called before a window is closed and returns whether it may be. `background`: the program
        began without a window. `report` makes the report to IT, its files by name, while no session is open; it is
        called in a thread."""
        self.session: Session | None = None
        self.gate: Gate | None = None
        self.window: MainWindow | None = None
        self._settings, self._may_close, self._background = settings, may_close, background
        self._report = report
        self._bugs: BugNotifier | None = None
        """The dialog for faults at the gate."""
        self._cover: Cover | None = None

    @property
    def shown(self) -> MainWindow | Gate | None:
        """The window that is open, visible or not: the gate if there is one, since it covers the main window. None at
        the very beginning."""
        return self.gate or self.window

    @property
    def is_covered(self) -> bool:
        """Whether the main window is there behind the curtain."""
        return self._cover is not None

    @property
    def quiet(self) -> bool:
        """Whether no window of Kansli is on the screen, so that none is to come up by itself: the open one is hidden
        (not only minimised), or the program began without a window and has made none yet."""
        shown = self.shown
        return shown.isHidden() if shown is not None else self._background

    @property
    def view(self) -> QWidget | None:
        """The view in the gate; None without a gate."""
        return self.gate.centralWidget() if self.gate is not None else None

    def show_gate(self, view: QWidget) -> None:
        """Shows `view` in a new gate, the window before unlocking, in place of the former one. It covers the main
        window if there is one. While no window of Kansli is on the screen, this one stays hidden too."""
        quiet = self.quiet
        self._end_cover()
        self.drop_gate()
        self.gate = Gate(self._may_close, self._settings.get(WINDOW_GEOMETRY))
        if self.window is not None and not self.window.isMaximized() and not self.window.isFullScreen():
            self.gate.setGeometry(self.window.geometry())
        self.gate.setCentralWidget(view)
        gate = self.gate
        self._bugs = BugNotifier(gate, lambda lines: self._save_report(gate, lines))
        tasks.set_error_hook(self._on_error)
        if not quiet:
            self.gate.show()
            self.gate.activateWindow()

    def cover(self, view: QWidget) -> None:
        """Shows `view` in a gate, or in the one that covers already, and takes all other windows off the screen, until
        `uncover` or the next gate. The main window, its dialogs and what is typed in them stay as they are."""
        if self._cover is not None and self.gate is not None:
            self.gate.setCentralWidget(view)
            return
        self.show_gate(view)
        if self.gate is not None:
            self._cover = Cover(self.gate)
            self._cover.fall()

    def uncover(self) -> None:
        """Shows again what `cover` took away, in place of the gate. Does nothing if nothing is covered."""
        cover, self._cover = self._cover, None
        if cover is not None and self.window is not None:
            cover.drop()
            self.window.show()
            cover.lift()
            self.drop_gate()
            self.window.show_errors()

    def _end_cover(self) -> None:
        """Ends covering; what was covered stays hidden."""
        cover, self._cover = self._cover, None
        if cover is not None:
            cover.drop()

    def _on_error(self, owner: QObject, error: Exception, again: tasks.Again) -> None:
        """Shows `error`, of a slot, a task or uncaught code, in the dialog for faults over the gate, the window before
        unlocking; it offers no second try. A hidden gate shows nothing. A main window that is made later takes this
        over. ▲ Under the curtain the main window keeps a fault of the world until it is seen again. Otherwise the
        dialog would show the name of a file that could not be sent."""
        if self._cover is not None and self.window is not None and not is_ours(error):
            self.window.errors.show(owner, error, again)
        elif self._bugs is not None:
            self._bugs.show_fault(error)

    def _save_report(self, gate: Gate, lines: Sequence[str]) -> None:
        tasks.run(gate, diagnosis_dialog.report_fault(gate, self._report, diagnosis.write, lines))

    def drop_window(self) -> None:
        """Hides the main window, if there is one, and stops its announcements. It is deleted with all its views when
        control is back in the event loop."""
        window, self.window = self.window, None
        self._end_cover()
        if window is not None:
            window.announcer.silence()
            window.hide()
            window.deleteLater()
            QApplication.sendPostedEvents(window, QEvent.Type.DeferredDelete.value)

    def drop_gate(self) -> None:
        """Hides the gate, the window before unlocking, if there is one, and deletes it when control is back in the
        event loop."""
        gate, self.gate = self.gate, None
        if gate is not None:
            gate.hide()
            gate.deleteLater()
