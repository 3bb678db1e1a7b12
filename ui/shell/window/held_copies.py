# SPDX-License-Identifier: EUPL-1.2
"""What the window says of working copies: which are still open in other programs when the person quits, and what became
of changed ones."""

import asyncio
from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QWidget

from app.copies.service import HeldCopy, WorkingCopies
from app.errors import StoreFault
from ui.errors import code_of, sentence_of
from ui.kit.bind import bind
from ui.kit.buttons import PlainButton
from ui.kit.dialogs import Dialog
from ui.kit.tasks import run
from ui.kit.toast import Toast
from ui.kit.translate import tr, trn

RETRY_MS = 2_000
"""Time between two looks at what is open, while the question is."""


class HeldCopiesDialog(Dialog):
    """A dialog when the person quits while other programs have copies of files open: it names the files and the
    programs. It is accepted when none is open any more, which is looked at again every RETRY_MS, or when the person
    quits all the same. Rejected: the person stays in Kansli."""

    def __init__(self, parent: QWidget, copies: WorkingCopies) -> None:
        super().__init__(
            parent,
            tr("Files from Kansli are open in other programs"),
            accept=tr("Try again"),
            cancel=tr("Stay in Kansli"),
            width=520,
        )
        self._copies = copies
        self.list = self.add_text("", "body")
        self.add_text(
            tr(
                "Close them there, and save what you have changed. Kansli quits as soon as they are closed. What is"
                " saved is kept sealed as a changed copy."
            )
        )
        self.add_text(
            tr("If you quit now, these copies stay readable on this computer until Kansli is unlocked the next time.")
        )
        self.quit = PlainButton(tr("Quit all the same"))
        self.quit.clicked.connect(lambda: self.done(QDialog.DialogCode.Accepted))
        self.buttons.addButton(self.quit, QDialogButtonBox.ButtonRole.DestructiveRole)
        self._looking: asyncio.Task[None] | None = None
        self._show()
        self._timer = QTimer(self, interval=RETRY_MS)
        self._timer.timeout.connect(self.accept)
        self._timer.start()

    def accept(self) -> None:
        """Looks again at what is open, when the person asks or the timer does; closes the dialog as accepted if
        nothing is."""
        if self._looking is None or self._looking.done():
            self._looking = run(self, self._look())

    def done(self, result: int) -> None:
        """Closes the dialog with this result, and stops looking."""
        self._timer.stop()
        super().done(result)

    async def _look(self) -> None:
        await self._copies.look()
        if self._copies.held:
            self._show()
        elif self.isVisible():
            self.done(QDialog.DialogCode.Accepted)

    def _show(self) -> None:
        self.list.setText("\n".join(f"• {_line(held)}" for held in self._copies.held))


def _line(held: HeldCopy) -> str:
    if not held.program:
        return held.name
    return tr("“{name}” in {program}").format(name=held.name, program=held.program)


class CopyMessages(QObject):
    """Shows in the window's message what a person must know of working copies: that one from before is still open, that
    a changed one is kept or cannot be kept, and which changed ones are gone with their room."""

    def __init__(self, window: QWidget, copies: WorkingCopies, message: Callable[[], Toast]) -> None:
        """`message` returns the widget that shows messages in the window; it is called for each."""
        super().__init__(window)
        self._copies, self._message = copies, message
        self._named: set[HeldCopy] = set()
        self._is_failing = False
        bind(self, copies.held_changed, self._on_held)
        bind(self, copies.lost, self._on_lost)
        bind(self, copies.fault, self._on_fault)
        bind(self, copies.kept, self._on_kept)
        if copies.held:
            QTimer.singleShot(0, self, self._on_held)

    def _on_held(self) -> None:
        left = {held for held in self._copies.held if held.is_left}
        for held in left - self._named:
            text = tr("{file} is still open from before. Its read-only copy is removed when it is closed there.")
            self._message().show_text(text.format(file=_line(held)), kept=True)
        self._named = left

    def _on_kept(self, names: Sequence[str]) -> None:
        self._is_failing = False
        text = trn(
            "{names} was changed in another program. The changed copy is kept, and listed under Files.",
            "{names} were changed in other programs. The changed copies are kept, and listed under Files.",
            len(names),
        )
        self._message().show_text(text.format(names=", ".join(names)))

    def _on_lost(self, names: Sequence[str]) -> None:
        text = trn(
            "The changed copy of {names} is removed, since the content it belongs to is gone.",
            "The changed copies of {names} are removed, since the content they belong to is gone.",
            len(names),
        )
        self._message().show_text(text.format(names=", ".join(names)), kept=True)

    def _on_fault(self, fault: StoreFault) -> None:
        if not self._is_failing:
            self._is_failing = True
            text = tr("A copy that you changed in another program could not be kept. Kansli tries again.")
            self._message().show_text(f"{sentence_of(fault).title} {text}", code=code_of(fault), kept=True)
