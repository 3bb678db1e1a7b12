# SPDX-License-Identifier: EUPL-1.2
"""The board's archived tasks: read one, or put some back."""

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractItemView, QDialogButtonBox, QListWidgetItem, QWidget

from app.core.collation import swedish_key
from app.tasks.model import Board, Card
from ui.kit.buttons import PlainButton
from ui.kit.dialogs import Dialog
from ui.kit.spoken_list import ItemList
from ui.kit.style import set_props
from ui.kit.translate import tr

_CARD = Qt.ItemDataRole.UserRole


class ArchiveDialog(Dialog):
    """A list; accepted to put back what is `chosen`. Enter or a double click on a line opens it: then `opened`."""

    def __init__(self, parent: QWidget | None, board: Board, *, writable: bool = True) -> None:
        super().__init__(
            parent, tr("Archived tasks"), accept=tr("Put back on the board"), cancel=tr("Close"), width=520
        )
        self.accept_button.setVisible(writable)
        self.opened = ""
        """The id of a card that was asked to be opened."""
        self.list = ItemList()
        self.list.setAccessibleName(tr("Archived tasks"))
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.list.setMinimumHeight(280)
        set_props(self.list, frame="card")
        for card in sorted(board.archived(), key=lambda card: swedish_key(card.title)):
            item = QListWidgetItem(_line(card, board))
            item.setData(_CARD, card.id)
            self.list.addItem(item)
        self.list.itemActivated.connect(self._open)
        self.list.itemSelectionChanged.connect(self._on_selection)
        self.body.addWidget(self.list)
        self.open_button = PlainButton(tr("Open"))
        self.buttons.addButton(self.open_button, QDialogButtonBox.ButtonRole.ActionRole)
        self.open_button.clicked.connect(lambda: self._open(self.list.currentItem()))
        self.list.setCurrentRow(0)
        self.list.setFocus()
        self._on_selection()

    def chosen(self) -> Sequence[str]:
        """The ids of the cards that are selected."""
        return [item.data(_CARD) for item in self.list.selectedItems()]

    def _on_selection(self) -> None:
        count = len(self.list.selectedItems())
        self.accept_button.setEnabled(count > 0)
        self.open_button.setEnabled(count == 1)

    def _open(self, item: QListWidgetItem | None) -> None:
        if item is not None:
            self.opened = item.data(_CARD)
            self.reject()


def _line(card: Card, board: Board) -> str:
    column = board.column_of(card.id)
    due = tr("due {day}").format(day=card.due.isoformat()) if card.due is not None else ""
    return " · ".join(part for part in (card.title, column.title if column else "", due) if part)
