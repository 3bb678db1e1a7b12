# SPDX-License-Identifier: EUPL-1.2
"""The base class of dialogs that do the work they ask about, and stay open until it is done."""

from collections.abc import Awaitable, Callable

import shiboken6
from PySide6.QtWidgets import QWidget

from ui.errors import format_error
from ui.kit.dialogs import Dialog
from ui.kit.error_line import ErrorLine
from ui.kit.tasks import run


class WorkingDialog(Dialog):
    """A dialog that does what it asks for when the person accepts it: `work` is called and awaited. Meanwhile the
    dialog stays open with a spinner. It closes as accepted when `work` returns. If `work` raises, the dialog stays open
    with all that was typed, shows the error below its content, and can be accepted again. If `work` returns False,
    because the person answered no to a further question, the dialog stays open too, without an error."""

    def __init__(
        self,
        parent: QWidget | None,
        title: str,
        *,
        accept: str,
        work: Callable[[], Awaitable[object]],
        cancel: str | None = None,
        danger: bool = False,
        width: int = 440,
    ) -> None:
        super().__init__(parent, title, accept=accept, cancel=cancel, danger=danger, width=width)
        self._work, self._is_working = work, False
        self._focused: QWidget | None = None
        self.error = ErrorLine()
        self.spinner = self.add_spinner()

    def may_accept(self) -> bool:
        """Whether the dialog can be accepted with what is typed and chosen now. A subclass adds its conditions."""
        return True

    @property
    def is_working(self) -> bool:
        """Whether `work` is under way."""
        return self._is_working

    def refresh_button(self) -> None:
        """Enables the accepting button if the dialog can be accepted now. Call it when what was typed has changed."""
        self.accept_button.setEnabled(not self._is_working and self.may_accept())

    def accept(self) -> None:
        """Begins `work` in the background. Does nothing while it is under way, or while `may_accept` is False."""
        if not self._is_working and self.may_accept():
            self.error.clear()
            self._focused = self.focusWidget()
            self._show_working(True)
            run(self, self._do(), on_error=self._failed)

    def reject(self) -> None:
        """Closes the dialog. ▲ Not while `work` is under way: otherwise what the person has called off could be done
        all the same."""
        if not self._is_working:
            super().reject()

    async def _do(self) -> None:
        try:
            done = await self._work()
        finally:
            if shiboken6.isValid(self):
                self._show_working(False)
        if done is False:
            self._focus_again()
        else:
            super().accept()

    def _focus_again(self) -> None:
        """Gives the focus back to the control that had it when the dialog was accepted: a disabled button loses it."""
        if self._focused is not None and shiboken6.isValid(self._focused):
            self._focused.setFocus()

    def _failed(self, error: Exception) -> None:
        self._focus_again()
        if self.body.indexOf(self.error) < 0:
            self.body.addWidget(self.error)  # below all that a class has added
        self.error.show_text(*format_error(error))
        self.on_failed()

    def on_failed(self) -> None:
        """Called after an error was shown. Does nothing unless a class has something to do then."""

    def _show_working(self, is_working: bool) -> None:
        self._is_working = is_working
        (self.spinner.start if is_working else self.spinner.stop)()
        for button in self.buttons.buttons():
            button.setEnabled(not is_working)
        self.refresh_button()
