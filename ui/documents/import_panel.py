# SPDX-License-Identifier: EUPL-1.2
"""The panel over the list of documents: which file is being imported, with Cancel, and afterwards what could not be
imported."""

from collections.abc import Callable, Sequence

from PySide6.QtWidgets import QWidget

from app.core.visible import one_line
from app.documents.conversion.wire import KINDS
from ui.kit.announcing import announce
from ui.kit.progress import ProgressRow
from ui.kit.style import column
from ui.kit.toast import InfoBar
from ui.kit.translate import tr


def file_filter() -> str:
    """The kinds of files that can be imported, in Qt's form for a file dialog."""
    patterns = " ".join(f"*.{kind}" for kind in KINDS)
    return f"{tr('Documents')} ({patterns})"


class ImportPanel(QWidget):
    """A panel over the list of documents: it shows which file is being imported, and then what could not be imported.
    It takes no room while it has nothing to show."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._layout = column(self, spacing=6)
        self.row: ProgressRow | None = None
        self.bar = InfoBar()
        self._layout.addWidget(self.bar)
        self.hide()

    def wait_for(self, name: str, at: int, count: int, cancel: Callable[[], object]) -> None:
        """Shows that the file `name` is being imported, with a button that calls `cancel`, without arguments. `at` of
        `count` files are done. Until `stop_waiting`, later calls change the rest, but not `cancel`."""
        text = tr("Importing {name} …").format(name=one_line(name, 60))
        if self.row is None:
            self.row = ProgressRow(text, cancel)
            self._layout.insertWidget(0, self.row)
        self.row.set_text(text)
        figure = tr("{n} of {count}").format(n=at + 1, count=count) if count > 1 else ""
        self.row.set_progress(at, count if count > 1 else 0, figure)
        self.show()

    def stop_waiting(self) -> None:
        """Removes the row with the file, since none is being imported any more. A text about failed imports stays
        shown."""
        row, self.row = self.row, None
        if row is not None:
            row.hide()
            row.deleteLater()
        self.setVisible(self.bar.isVisibleTo(self))

    def show_text(self, text: str, codes: Sequence[str] = ()) -> None:
        """Shows and announces what could not be imported, with the errors' codes small behind it, until the person
        closes it; "" hides it."""
        if not text:
            self.bar.hide()
            self.setVisible(self.row is not None)
            return
        code = ", ".join(dict.fromkeys(codes))
        self.bar.show_state("warning", "warning", text, tr("Close the message"), lambda: self.show_text(""), code=code)
        self.show()
        announce(self.bar, text)
