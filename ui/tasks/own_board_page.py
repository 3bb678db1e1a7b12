# SPDX-License-Identifier: EUPL-1.2
"""The page with the person's own board, which is made when the page is first shown."""

from collections.abc import Sequence

from PySide6.QtGui import QFocusEvent
from PySide6.QtWidgets import QWidget

from app.errors import StoreFault, WorldError
from app.objects.links import ObjectLink
from app.tasks.service import TaskService
from ui.kit.bind import bind
from ui.kit.card import EmptyState
from ui.kit.pages import Pages
from ui.kit.style import set_props
from ui.kit.tasks import report, run
from ui.kit.translate import tr
from ui.tasks.board_page import BoardPage, board_view
from ui.tasks.view import TasksView
from ui.tool import ViewParts
from ui.tool_views import ViewPlace


class OwnBoardPage(Pages):
    """The person's own board, or a sentence while it cannot be made. Nothing of it is about other people."""

    def __init__(self, parts: ViewParts[TaskService], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._parts, self._own = parts, parts.service.own
        set_props(self, frame="window")
        self.setAccessibleName(tr("My own board"))
        self.view: TasksView | BoardPage | None = None
        """The board's view; None before it was made."""
        self._link: ObjectLink | None = None
        self._wanted: tuple[bytes, Sequence[str]] = b"", ()
        """The place to go to once the board is there, and the words to mark in it."""
        self._left: ViewPlace | None = None
        """The place to restore once the board is there."""
        self._is_making = False
        self._waits = EmptyState(
            "offline",
            tr("Your own board is not made yet"),
            tr("It is made as soon as Kansli reaches the server."),
            tr("Try again"),
            self._show,
        )
        self._empty = QWidget()
        self.addWidget(self._empty)
        self.addWidget(self._waits)
        bind(self, self._own.changed, self._show)
        bind(self, self._own.known, self._show)
        bind(self, parts.rooms.changed, self._set_writable)

    def showEvent(self, event: object) -> None:
        self._show()

    def open_ref(self, ref: bytes, words: Sequence[str]) -> None:
        """Opens the card `ref` (b"": none) and marks the words of a search in it, now or once the board is there."""
        self._wanted = ref, words
        self._go()

    def view_place(self) -> ViewPlace:
        """Where the person is on the board, to be restored later. While the board is not there: the place that is still
        to be restored, if any."""
        return self.view.view_place() if self.view is not None else self._left or ViewPlace()

    def restore_place(self, left: ViewPlace) -> None:
        """Shows again what `view_place` returned, now or once the board is there."""
        if self.view is not None:
            self.view.restore_place(left)
        else:
            self._left = left

    def _show(self) -> None:
        """Shows the board that counts; has it made if there is none. Does nothing while the page is hidden."""
        if not self.isVisible():
            return
        found = self._own.find()
        if found is None:
            if not self._is_making:
                self._is_making = True
                run(self, self._make(), on_error=self._on_error)
        elif found != self._link:
            self._show_board(found)

    async def _make(self) -> None:
        try:
            await self._own.ensure()
        finally:
            self._is_making = False
        self._show()

    def _on_error(self, error: Exception) -> None:
        if self.view is None:
            self.setCurrentWidget(self._waits)
        if isinstance(error, StoreFault) or not isinstance(error, WorldError):
            report(self, error, self._show)

    def _show_board(self, link: ObjectLink) -> None:
        """Shows `link`'s board in place of the one before, at the same place in it: boards that were joined have the
        same cards."""
        old, left = self.view, self._left
        self._left = None
        if old is not None:
            left = old.view_place()
            old.keep_draft()
        self._link = link
        parts = self._parts
        self.view = board_view(parts.service, link.room, link.obj, self, reminders=parts.reminders)
        self.addWidget(self.view)
        had_focus = self.hasFocus() or (old is not None and old.isAncestorOf(self.focusWidget() or self))
        self.setCurrentWidget(self.view)
        if left is not None:
            self.view.restore_place(left)
        if old is not None:
            self.removeWidget(old)
            old.deleteLater()
        if had_focus:
            self.view.setFocus()
        self._go()

    def _go(self) -> None:
        if self.view is None or self._link is None:
            return
        (ref, words), self._wanted = self._wanted, (b"", ())
        if ref:
            self.view.open_ref(self._link.obj, ref)
            self.view.mark_words(words)

    def _set_writable(self) -> None:
        if self.view is not None and self._link is not None:
            self.view.set_writable(self._parts.service.may_write(self._link.room))

    def focusInEvent(self, event: QFocusEvent) -> None:
        (self.view or self._waits.step or self).setFocus(event.reason())
