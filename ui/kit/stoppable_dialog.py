# SPDX-License-Identifier: EUPL-1.2
"""The base class of dialogs whose work takes long: they show its progress, and the person can stop it half way."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from PySide6.QtWidgets import QPushButton, QWidget

from ui.errors import format_error
from ui.kit.bind import Soon
from ui.kit.dialogs import Dialog
from ui.kit.progress import ProgressRow
from ui.kit.tasks import note, run
from ui.kit.translate import tr


class StoppableDialog(Dialog):
    """A dialog that shows what can be done, and does it with a progress bar. A subclass passes its work to `begin`.
    While the work is under way, the other button is Stop. If the person presses it, what was done so far stays done,
    and the dialog stays open with the sentence `stopped`. After an error it stays open with the error. In both cases it
    can be accepted again. When the work has ended, the dialog shows the text that the work returned, which says what
    was done. It can then only be closed.

    Work that was stopped may need a while to end. Work that is begun meanwhile waits for that. If stopped work ends
    with an error, the error is logged and not shown.

    A `WorkingDialog` differs: it cannot be closed while it works, and closes itself at the end. `text` is the first
    paragraph, `doing` names the work beside the bar, and `width` is in pixels at 100 %. The accepting button is red."""

    def __init__(
        self, parent: QWidget | None, title: str, *, accept: str, text: str, doing: str, stopped: str, width: int
    ) -> None:
        super().__init__(parent, title, accept=accept, danger=True, width=width)
        self._doing, self._stopped = doing, stopped
        self._task: asyncio.Task[None] | None = None
        self._ending = set[asyncio.Task[None]]()
        """Tasks that were stopped and have not ended yet."""
        self._is_over = False
        self.text = self.add_text(text, "body")
        self.progress = ProgressRow(doing)
        self.progress.hide()
        (self.close_button,) = (
            b for b in self.buttons.buttons() if b is not self.accept_button and isinstance(b, QPushButton)
        )
        self._soon = Soon(self, self._look)

    def add_progress(self) -> None:
        """Adds the progress bar, and below it the line for an error, below the content so far. A subclass calls it
        once, when the dialog is made."""
        self.body.addWidget(self.progress)
        self.error = self.add_error()

    @property
    def is_idle(self) -> bool:
        """Whether the dialog shows what can be done: no work is under way, and none was finished."""
        return self._task is None and not self._is_over

    def due(self, *_moved: object) -> None:
        """Reads again a moment later what can be done. Call it when the room or the connection has changed."""
        self._soon.due()

    def read_again(self) -> None:
        """Called while the dialog is idle, after `due`, an error or a stop. Does nothing here. A subclass overrides it:
        it reads again what can be done, and enables the accepting button if something can."""

    def begin(self, work: Coroutine[Any, Any, str]) -> None:
        """Starts `work` in the background, disables the accepting button, and shows the progress and Stop. `work`
        returns a text that says what was done, for `finish`. Call it only while the dialog is idle."""
        self.error.hide()
        self.accept_button.setEnabled(False)
        self.close_button.setText(tr("Stop"))
        self.progress.set_text(self._doing)
        self.progress.set_progress(0, 0)
        self.progress.show()
        task = self._task = run(self, self._do(work), on_error=lambda error: self._failed(task, error))
        task.add_done_callback(lambda _: work.close())  # if it was stopped before it began

    async def _do(self, work: Coroutine[Any, Any, str]) -> None:
        if self._ending:
            await asyncio.wait(self._ending)
        done = await work
        if self._task is asyncio.current_task():
            self.finish(done)

    def finish(self, text: str) -> None:
        """Called when the work has ended. Shows `text`, which says what was done, in place of the first paragraph. A
        subclass also hides what it has shown for the choice."""
        self._task, self._is_over = None, True
        self.progress.hide()
        self.text.setText(text)
        self.accept_button.hide()
        self.close_button.setText(tr("Close"))
        self.close_button.setFocus()

    def reject(self) -> None:
        """Closes the dialog. While the work is under way, stops that instead, and the dialog stays open."""
        if self._task is None:
            super().reject()
            return
        self._ending.add(self._task)
        self._task.add_done_callback(self._ending.discard)
        self._task.cancel()
        self._reset()
        self.error.show_text(self._stopped)

    def _look(self) -> None:
        if self.is_idle:
            self.read_again()

    def _failed(self, task: asyncio.Task[None], error: Exception) -> None:
        """Shows the error with which `task` ended. If `task` was stopped before, only logs the error. Otherwise work
        that was begun since would be shown as ended, and the error as its own."""
        if task is not self._task:
            note(self, error)
            return
        self._reset()
        self.error.show_text(*format_error(error))

    def _reset(self) -> None:
        """Ends the progress after an error or a stop, and reads again what is left to do."""
        self._task = None
        self.progress.hide()
        self.close_button.setText(tr("Cancel"))
        self.close_button.setFocus()
        self._look()
