# SPDX-License-Identifier: EUPL-1.2
"""The question when a person quits while something that they wrote cannot be stored."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QWidget

from app.errors import StoreFault
from app.unstored import Unstored
from ui.errors import format_error
from ui.kit.buttons import PlainButton
from ui.kit.dialogs import Dialog
from ui.kit.style import set_props
from ui.kit.translate import tr

RETRY_MS = 10_000
"""Time between two attempts to store while the question is open. Each failed attempt is a line in the log."""


class QuitDialog(Dialog):
    """A dialog when the person quits and something that they wrote cannot be stored: it names what and why. It is
    accepted when everything is stored, which is tried again every RETRY_MS, or when the person quits without saving.
    Rejected: the person stays in Kansli, and nothing is lost."""

    def __init__(
        self, parent: QWidget, fault: StoreFault, save: Callable[[], object], unstored: Callable[[], Sequence[Unstored]]
    ) -> None:
        """`fault` is why the disk refused. `unstored` returns what cannot be stored; `save` stores it, or raises
        StoreFault."""
        title = tr("Something that you wrote is not saved yet")
        super().__init__(parent, title, accept=tr("Try again"), cancel=tr("Stay in Kansli"), width=520)
        self._save, self._unstored = save, unstored
        self._named: Sequence[Unstored] = ()
        self.error = self.add_error()
        self.list = self.add_text("", "body")
        self.add_text(
            tr(
                "Kansli tries again every few seconds and quits as soon as it is saved. If you quit without saving, "
                "this is lost for good. Everything else is kept."
            )
        )
        self.discard = PlainButton(tr("Quit without saving"))
        set_props(self.discard, kind="danger")
        self.discard.clicked.connect(self._discard)
        self.buttons.addButton(self.discard, QDialogButtonBox.ButtonRole.DestructiveRole)
        self._show_fault(fault)
        self._timer = QTimer(self, interval=RETRY_MS)
        self._timer.timeout.connect(self.accept)
        self._timer.start()

    def accept(self) -> None:
        """Tries again to store everything, when the person asks or the timer does. Then closes the dialog as accepted;
        if the disk refuses again (StoreFault), shows why, and the dialog stays open."""
        try:
            self._save()
        except StoreFault as fault:
            self._show_fault(fault)
        else:
            self.done(QDialog.DialogCode.Accepted)

    def done(self, result: int) -> None:
        """Closes the dialog with this result, and stops trying to store."""
        self._timer.stop()
        super().done(result)

    def _discard(self) -> None:
        """Quits without saving. ▲ Only what the person has read is lost: if more cannot be stored by now, the longer
        list is shown first."""
        if set(self._unstored()) <= set(self._named):
            self.done(QDialog.DialogCode.Accepted)
        else:
            self._show_list()

    def _show_fault(self, fault: StoreFault) -> None:
        self.error.show_text(*format_error(fault))
        self._show_list()

    def _show_list(self) -> None:
        self._named = list(self._unstored())
        self.list.setText("\n".join(f"• {_line(one)}" for one in self._named))


def _line(one: Unstored) -> str:
    if one.draft:
        return tr("The message that you are writing in “{room}”").format(room=one.room)
    if not one.title and not one.room:
        return tr("Your latest changes to what only you see")
    title = one.title or tr("Untitled")
    return tr("Your latest changes to “{title}” in “{room}”").format(title=title, room=one.room)
