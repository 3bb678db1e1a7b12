# SPDX-License-Identifier: EUPL-1.2
"""A dialog that lists what was put away: read one thing, or put some back."""

from collections.abc import Sequence
from typing import Generic, TypeVar

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractItemView, QDialogButtonBox, QListWidgetItem, QWidget

from ui.kit.buttons import PlainButton
from ui.kit.dialogs import Dialog
from ui.kit.scale import hold
from ui.kit.spoken_list import ItemList
from ui.kit.style import set_props
from ui.kit.translate import tr

T = TypeVar("T")
_PLACE = Qt.ItemDataRole.UserRole
_LIST_HEIGHT = 280


class PickDialog(Dialog, Generic[T]):
    """A dialog that lists things that were put away (`things`, each with its line of text), to restore some or to look
    at one. If it is accepted, the caller restores those in `chosen`. Enter or a double click on a line, or the button
    Open, rejects the dialog and leaves the thing to be shown in `opened`. `writable` False: nothing can be restored."""

    def __init__(
        self,
        parent: QWidget | None,
        title: str,
        things: Sequence[tuple[T, str]],
        *,
        accept: str,
        text: str = "",
        writable: bool = True,
    ) -> None:
        super().__init__(parent, title, accept=accept, cancel=tr("Close"), width=560)
        self.accept_button.setVisible(writable)
        self.opened: T | None = None
        if text:
            self.add_text(text)
        self._things = [thing for thing, _ in things]
        self.list = ItemList()
        self.list.setAccessibleName(title)
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        hold(self.list, least_height=_LIST_HEIGHT)
        set_props(self.list, frame="card")
        for place, (_, line) in enumerate(things):
            item = QListWidgetItem(line)
            item.setData(_PLACE, place)
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

    def chosen(self) -> list[T]:
        """The things whose lines are selected."""
        return [self._things[item.data(_PLACE)] for item in self.list.selectedItems()]

    def _on_selection(self) -> None:
        count = len(self.list.selectedItems())
        self.accept_button.setEnabled(count > 0)
        self.open_button.setEnabled(count == 1)

    def _open(self, item: QListWidgetItem | None) -> None:
        if item is not None:
            self.opened = self._things[item.data(_PLACE)]
            self.reject()
