# SPDX-License-Identifier: EUPL-1.2
"""The one dialog that shows that something in Kansli went wrong, with the code that support asks for."""

from collections.abc import Callable, Sequence

import shiboken6
from PySide6.QtWidgets import QWidget

from ui.errors import code_of, sentence_of
from ui.kit.dialogs import Dialog
from ui.kit.errors import Counted
from ui.kit.plain import code_line
from ui.kit.style import label
from ui.kit.translate import tr, trn


class BugDialog(Dialog):
    """A dialog that shows that an error of Kansli's own code happened, with its code, and counts those that happen
    while it is open. It is accepted if the person wants to report it to IT. Enter closes it, since it may come up while
    one writes."""

    def __init__(self, parent: QWidget, error: Exception, code: str, times: int = 1) -> None:
        shown = sentence_of(error)
        super().__init__(parent, shown.title, accept=tr("Report to IT"), cancel=tr("Close"))
        self._sentence = self.add_text(f"{shown.meaning} {shown.action}", "body")
        self._codes = label("", "code", wrap=True)
        self.body.addWidget(self._codes)
        self._counts: dict[str, int] = {}
        self.accept_button.setAutoDefault(False)
        self.accept_button.setDefault(False)
        close = next(button for button in self.buttons.buttons() if button is not self.accept_button)
        close.setFocus()
        self.count(code, times)

    def count(self, code: str, times: int = 1) -> None:
        """Adds `times` faults with this code to those that the dialog shows."""
        self._counts[code] = self._counts.get(code, 0) + times
        self._codes.setText("\n".join(self.lines()))
        self.setAccessibleDescription("\n".join([self._sentence.text(), *self.lines()]))

    def lines(self) -> Sequence[str]:
        """Each fault's code as a line of text, with how often it happened if that is more than once."""
        return [
            code_line(code) + (" · " + trn("{n} time", "{n} times", n).format(n=n) if n > 1 else "")
            for code, n in self._counts.items()
        ]


class BugNotifier:
    """Shows faults of Kansli's own code in a dialog over one window: at most one dialog at a time, and for the same
    code at most one a minute."""

    def __init__(
        self, window: QWidget, report: Callable[[Sequence[str]], object], counted: Counted | None = None
    ) -> None:
        """`report` is called with the lines of the dialog, which have the codes, when the person wants to report them.
        `counted` counts the faults; None for a counter of its own."""
        self._window, self._report = window, report
        self._counted = counted or Counted()
        self.dialog: BugDialog | None = None
        """The one that is open."""

    def show_fault(self, error: Exception) -> None:
        """Shows a dialog about this fault; if one is open, counts the fault there. A fault of the same code as one that
        was shown less than a minute ago opens no dialog: the next dialog about that code counts it. A hidden window
        shows nothing, and the fault counts as shown: the log has it."""
        code = code_of(error)
        missed = self._counted.add(code)
        if self.dialog is not None and shiboken6.isValid(self.dialog):
            self.dialog.count(code)
        elif missed is not None and self._window.isVisible():
            dialog = self.dialog = BugDialog(self._window, error, code, missed + 1)
            dialog.accepted.connect(lambda: self._report(dialog.lines()))
            dialog.finished.connect(self._on_finished)
            dialog.open()

    def _on_finished(self) -> None:
        dialog, self.dialog = self.dialog, None
        if dialog is not None:
            dialog.deleteLater()
