# SPDX-License-Identifier: EUPL-1.2
"""What the window shows of an error: the world's in a message, ours in the one dialog from which it can be reported."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from app import diagnosis
from app.core.later import Later
from app.errors import is_ours
from app.session import Session
from ui.errors import code_of, sentence_of
from ui.kit import tasks
from ui.kit.bug_dialog import BugNotifier
from ui.kit.tasks import run
from ui.kit.toast import Toast
from ui.kit.translate import tr

if TYPE_CHECKING:
    from ui.shell.settings import diagnosis_dialog
else:
    diagnosis_dialog = Later("ui.shell.settings.diagnosis_dialog", when_idle=True)


class ErrorMessages:
    """Shows the errors of all widgets and tasks, as long as its window is the one that is open: a fault of the world in
    the window's message, a fault of ours in a dialog from which it can be reported."""

    def __init__(self, window: QWidget, session: Session, message: Callable[[], Toast]) -> None:
        """`message` returns the widget that shows messages in the window; it is called for each error."""
        self._window, self._session, self._message = window, session, message
        self._bugs = BugNotifier(window, self._report)
        self.listen()

    def listen(self) -> None:
        """Shows errors in this window from now on; the window that showed them until now shows no more."""
        tasks.set_error_hook(self.show)

    def show(self, _owner: QObject, error: Exception, again: tasks.Again) -> None:
        """Shows `error`, of a slot, a task or uncaught code. A message waits while the window is hidden, as under the
        curtain; it has a button that calls `again`, unless that is None."""
        if is_ours(error):
            self._bugs.show_fault(error)
        else:
            text = sentence_of(error).text
            self._message().show_text(text, again, tr("Try again"), code=code_of(error), kept=True)

    def _report(self, lines: Sequence[str]) -> None:
        run(self._window, self._save_report(lines))

    async def _save_report(self, lines: Sequence[str]) -> None:
        if await diagnosis_dialog.report_fault(self._window, self._session.report, diagnosis.write, lines) is not None:
            self._message().show_text(tr("The report is saved"))
