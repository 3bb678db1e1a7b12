# SPDX-License-Identifier: EUPL-1.2
"""A room's files: a list of all that were sent in its conversation, the newest first, to look for one in. Above them,
the copies that were changed in other programs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QComboBox, QLayout, QWidget

from app.chat.attached import AttachedFile
from app.copies.service import ChangedCopy
from app.viewing.kinds import PDF, PICTURES, TEXT, kind_of_name
from ui.chat.file_rows import FileRowDelegate
from ui.kit.buttons import IconButton
from ui.kit.card import EmptyState
from ui.kit.choices import offer
from ui.kit.flow_layout import FlowLayout
from ui.kit.list_model import ListModel
from ui.kit.opening_list import OpeningList
from ui.kit.pages import Pages
from ui.kit.scale import hold
from ui.kit.search_field import SearchField
from ui.kit.sizes import size_text
from ui.kit.style import column, label, set_props
from ui.kit.translate import day_or_time, tr, trn
from ui.kit.wheel import keep_still

ALL, PICTURE, OTHER = "all", "picture", "other"


Listed = AttachedFile | ChangedCopy
"""What a row shows: a file of a message, or a copy of one that was changed in another program."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRow:
    """One file, or one changed copy of a file, as the list shows it, all in texts: its name, its size, and who sent it
    and when (`detail`)."""

    file: Listed
    name: str
    size: str
    detail: str
    icon: str


def kind_shown(name: str) -> str:
    """The kind of a file by its name, as the list's filter knows it: PICTURE, PDF, TEXT or OTHER."""
    kind = kind_of_name(name)
    return PICTURE if kind in PICTURES else kind or OTHER


def name_of(file: Listed) -> str:
    """The name of a file, or of the file that a changed copy is of."""
    return file.name if isinstance(file, AttachedFile) else file.of.name


class FileTable(OpeningList):
    """The list itself: `wanted` and `menu_wanted` are emitted with what the row shows (`Listed`)."""

    def __init__(self, parent: QWidget | None = None) -> None:
        rows: ListModel[FileRow] = ListModel(
            lambda row: row.file.key if isinstance(row.file, AttachedFile) else row.file.id,
            {
                Qt.ItemDataRole.DisplayRole.value: lambda row: row.name,
                Qt.ItemDataRole.AccessibleTextRole.value: lambda row: f"{row.name}, {row.size}, {row.detail}",
            },
        )
        super().__init__(tr("Files"), rows, lambda row: row.file, parent)
        self.rows = rows
        self.setItemDelegate(FileRowDelegate(self))
        self.setUniformItemSizes(True)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            event.ignore()
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: object) -> None:
        super().focusInEvent(event)  # type: ignore[arg-type] # Qt's own event, passed on
        if not self.currentIndex().isValid() and self.rows.rowCount():
            self.setCurrentIndex(self.rows.index(0))


class FileListPage(QWidget):
    """The page with the list of a room's files, a field for a part of the name or sender, and a choice of the kind.
    `closed` is emitted when the person leaves. `name_of` returns a person's name."""

    closed = Signal()

    def __init__(
        self, name_of: Callable[[AttachedFile], str], keep_all: QWidget | None = None, parent: QWidget | None = None
    ) -> None:
        """`keep_all`: a control for all files of the room, which is put beside the heading."""
        super().__init__(parent)
        set_props(self, frame="window")
        self.setAccessibleName(tr("Files of the room"))
        self._name_of = name_of
        self._files: Sequence[Listed] = ()
        self._keep_all = keep_all
        layout = column(self, margins=(20, 14, 20, 0), spacing=10)
        layout.addLayout(self._head())
        self.table = FileTable()
        self._empty = EmptyState(
            "file", tr("No files yet"), tr("Everything that is sent as a file in the room's chat is listed here.")
        )
        self._none = EmptyState("search", tr("No file fits"), tr("Search for less, or choose all kinds."))
        self._stack = Pages()
        for page in (self.table, self._empty, self._none):
            self._stack.addWidget(page)
        layout.addWidget(self._stack, 1)

    def _head(self) -> QLayout:
        row = FlowLayout(gap=8)
        row.addWidget(IconButton("back", tr("Back to the messages"), self.closed.emit, shortcut="Esc", role="text"))
        row.addWidget(label(tr("Files"), "heading"))
        self.count = label("", "small")
        row.addWidget(self.count)
        row.addStretch()
        if self._keep_all is not None:
            row.addWidget(self._keep_all)
        self.field = SearchField(tr("Search for name or sender"))
        hold(self.field, width=230)
        self.field.textChanged.connect(lambda _: self._show())
        row.addWidget(self.field)
        self.kinds = keep_still(QComboBox())
        self.kinds.setAccessibleName(tr("Kind of file"))
        choices = [
            (tr("All kinds"), ALL),
            (tr("Pictures"), PICTURE),
            (tr("PDF"), PDF),
            (tr("Text"), TEXT),
            (tr("Other"), OTHER),
        ]
        offer(self.kinds, choices, ALL)
        self.kinds.currentIndexChanged.connect(lambda _: self._show())
        row.addWidget(self.kinds)
        return row

    def show_files(self, files: Sequence[AttachedFile], changed: Sequence[ChangedCopy] = ()) -> None:
        """Shows these files, in this order, below the changed copies, as far as they fit what was searched for."""
        self._files = [*changed, *files]
        self._show()

    @property
    def shown(self) -> list[AttachedFile]:
        """The files of messages in the list, in its order."""
        return [row.file for row in self.table.rows.rows if isinstance(row.file, AttachedFile)]

    def _show(self) -> None:
        words = self.field.text().casefold().split()
        kind = str(self.kinds.currentData())
        rows = [self._row(file) for file in self._files if kind in (ALL, kind_shown(name_of(file)))]
        fitting = [row for row in rows if all(word in f"{row.name} {row.detail}".casefold() for word in words)]
        self.table.rows.set_rows(fitting)
        self.count.setText(trn("{n} file", "{n} files", len(fitting)).format(n=len(fitting)))
        focused = self.table.hasFocus()
        self._stack.setCurrentWidget(self.table if fitting else self._none if self._files else self._empty)
        if focused and not fitting:
            self.field.setFocus()
        elif focused and not self.table.currentIndex().isValid():
            self.table.setCurrentIndex(self.table.rows.index(0))

    def _row(self, file: Listed) -> FileRow:
        if isinstance(file, ChangedCopy):
            detail = f"{tr('Changed copy')} · {tr('only on this computer')} · {day_or_time(file.t)}"
            return FileRow(file=file, name=file.of.name, size=size_text(file.size), detail=detail, icon="edit")
        detail = f"{self._name_of(file)} · {day_or_time(file.t)}"
        icon = "image" if kind_shown(file.name) == PICTURE else "file"
        return FileRow(file=file, name=file.name, size=size_text(file.size_bytes), detail=detail, icon=icon)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.closed.emit()
        elif event.key() == Qt.Key.Key_Down and self.field.hasFocus():
            self.table.setFocus()
        else:
            super().keyPressEvent(event)

    def take_focus(self) -> None:
        """Gives the focus to the list."""
        self.table.setFocus()
