# SPDX-License-Identifier: EUPL-1.2
"""The pages that the viewer shows in place of a file: while it is fetched, and if it cannot be shown."""

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from ui.kit.card import EmptyState
from ui.kit.faces import Role, Spoken
from ui.kit.progress import ProgressRow, Spinner
from ui.kit.scale import hold
from ui.kit.sizes import size_text
from ui.kit.style import column
from ui.kit.translate import tr
from ui.viewer.item import Item


class FetchPage(Spoken, QWidget):
    """Shows that a file is being fetched and opened: how far this is, and a button that calls `on_cancel`."""

    def __init__(self, on_cancel: Callable[[], object]) -> None:
        super().__init__()
        self._on_cancel = on_cancel
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        layout = column(self, margins=(24, 24, 24, 24), spacing=12)
        layout.addStretch(2)
        self.spinner = Spinner(28)
        layout.addWidget(self.spinner, 0, Qt.AlignmentFlag.AlignHCenter)
        self.row = ProgressRow("", on_cancel)
        hold(self.row, most_width=420)
        layout.addWidget(self.row)
        layout.setAlignment(self.row, Qt.AlignmentFlag.AlignVCenter)
        layout.addStretch(3)

    def spoken_role(self) -> Role | None:
        return Role.Grouping

    def begin(self, item: Item) -> None:
        """Shows that this file is being fetched."""
        text = tr("Fetching {name}").format(name=item.name)
        self.setAccessibleName(text)
        self.row.set_text(text)
        self.row.set_progress(0, 0)
        self.spinner.start()

    def clear(self) -> None:
        """Names no file any more."""
        self.setAccessibleName("")
        self.row.set_text("")

    def show_progress(self, done: int, total: int) -> None:
        """Shows that `done` of `total` bytes are fetched."""
        figure = f"{size_text(done)} / {size_text(total)}"
        self.row.set_progress(done * 100 // total if total else 0, 100 if total else 0, figure)

    def show_opening(self) -> None:
        """Shows that the file is fetched and is being opened."""
        self.row.set_text(tr("Opening the file"))
        self.row.set_progress(0, 0)

    def hideEvent(self, event: object) -> None:
        self.spinner.stop()
        super().hideEvent(event)  # type: ignore[arg-type] # Qt's own event, passed on


class FailedPage(Spoken, QWidget):
    """Shows why a file cannot be shown, and a button that calls `on_retry`. (The viewer's bar saves a copy.)"""

    def __init__(self, on_retry: Callable[[], object]) -> None:
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._on_retry = on_retry
        self._host = column(self)
        self._shown: EmptyState | None = None

    def spoken_role(self) -> Role | None:
        return Role.AlertMessage

    def show_fault(self, title: str, text: str) -> None:
        """Shows what is wrong (`title`), and what that means and what to do (`text`)."""
        if self._shown is not None:
            self._host.removeWidget(self._shown)
            self._shown.deleteLater()
        self._shown = EmptyState("warning", title, text, tr("Try again"), self._on_retry)
        self._host.addWidget(self._shown, 1)
        self.setAccessibleName(title)
        self.setAccessibleDescription(text)
