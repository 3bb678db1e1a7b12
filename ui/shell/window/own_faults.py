# SPDX-License-Identifier: EUPL-1.2
"""What the window shows where things of the person's own (app/own/) could not be stored, or could not be read."""

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QWidget

from app.errors import StoreFault
from app.own.service import Own, Unreadable
from ui.errors import code_of, sentence_of
from ui.kit.bind import bind
from ui.kit.tasks import run_guarded
from ui.kit.toast import Toast
from ui.kit.translate import tr


class OwnFaults(QObject):
    """Shows in the window's message what the disk has refused of the things that follow the person, with Try again, and
    that some of what another device wrote cannot be read here. Each is shown once until it is over."""

    def __init__(self, window: QWidget, own: Own, message: Callable[[], Toast]) -> None:
        """`message` returns the widget that shows messages in the window; it is called for each."""
        super().__init__(window)
        self._own, self._message = own, message
        bind(self, own.fault, self._on_fault)
        bind(self, own.unreadable, self._on_unreadable)
        if own.is_unreadable is not None:  # found when the store was opened
            QTimer.singleShot(0, self, self._show_unreadable)

    def _on_fault(self, fault: StoreFault) -> None:
        text = tr("What follows you to your other devices could not be saved. It is kept while the program runs.")
        text = f"{sentence_of(fault).title} {text}"
        self._message().show_text(text, self._try_again, tr("Try again"), code=code_of(fault), kept=True)

    def _try_again(self) -> None:
        if run_guarded(self, self._own.flush, again=self._try_again):
            self._message().show_text(tr("Everything is saved now"), kept=True)

    def _show_unreadable(self) -> None:
        if self._own.is_unreadable is not None:
            self._on_unreadable(self._own.is_unreadable)

    def _on_unreadable(self, why: Unreadable) -> None:
        if why is Unreadable.NEWER:
            text = tr(
                "One of your other devices has a newer version of Kansli. Some of what follows you is read here once "
                "this one is updated; until then it is kept."
            )
        else:
            text = tr("Some of what follows you between your devices cannot be read. It is kept, and all else counts.")
        self._message().show_text(text, code=why.value, kept=True)
