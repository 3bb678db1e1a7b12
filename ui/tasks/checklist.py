# SPDX-License-Identifier: EUPL-1.2
"""A card's checklist: tick, rename, take away, add with Enter."""

from collections.abc import Sequence
from functools import partial

from PySide6.QtWidgets import QCheckBox, QLineEdit, QWidget

from app.tasks.model import Board, Card, CheckItem
from ui.kit.buttons import IconButton
from ui.kit.style import column, line
from ui.kit.translate import tr


class Checklist(QWidget):
    """Edits the board at once."""

    def __init__(self, board: Board, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._board = board
        self._card = ""
        self._writable = True
        self._rows: dict[str, tuple[QWidget, QCheckBox, QLineEdit]] = {}
        layout = column(self, spacing=4)
        self._list = column(spacing=4)
        layout.addLayout(self._list)
        self.new = QLineEdit()
        self.new.setAccessibleName(tr("New line in the checklist"))
        self.new.setPlaceholderText(tr("Add a line and press Enter"))
        self.new.returnPressed.connect(self._add)
        layout.addWidget(self.new)

    def set_writable(self, writable: bool) -> None:
        """Whether lines can be ticked, renamed, taken away and added."""
        self._writable = writable
        self._card = ""
        self.new.setVisible(writable)

    def show_card(self, card: Card) -> None:
        """The card's lines as they are."""
        if card.id != self._card or [*self._rows] != [item.id for item in card.checklist]:
            self._card = card.id
            self._build(card.checklist)
        for item in card.checklist:
            _, box, field = self._rows[item.id]
            box.blockSignals(True)
            box.setChecked(item.done)
            box.blockSignals(False)
            box.setAccessibleName(tr("Done: {text}").format(text=item.text))
            if not field.hasFocus():
                field.setText(item.text)

    def _build(self, items: Sequence[CheckItem]) -> None:
        for row, _, _ in self._rows.values():
            row.hide()
            row.deleteLater()
        self._rows = {}
        for item in items:
            row = QWidget()
            cells = line(row, spacing=6)
            box, field = QCheckBox(), QLineEdit(item.text)
            box.toggled.connect(partial(self._toggle, item.id))
            field.setAccessibleName(tr("Line: {text}").format(text=item.text))
            field.editingFinished.connect(partial(self._rename, item.id, field))
            box.setEnabled(self._writable)
            field.setReadOnly(not self._writable)
            cells.addWidget(box)
            cells.addWidget(field, 1)
            if self._writable:
                remove = tr("Remove {text}").format(text=item.text)
                cells.addWidget(IconButton("close", remove, partial(self._remove, item.id), size=13))
            self._list.addWidget(row)
            self._rows[item.id] = (row, box, field)

    def _toggle(self, item: str, done: bool) -> None:
        self._board.toggle_check_item(self._card, item, done)

    def _rename(self, item: str, field: QLineEdit) -> None:
        if field.text().strip():
            self._board.edit_check_item(self._card, item, field.text())

    def _remove(self, item: str) -> None:
        self.new.setFocus()
        self._board.delete_check_item(self._card, item)

    def _add(self) -> None:
        text = self.new.text().strip()
        if text:
            self.new.clear()
            self._board.add_check_item(self._card, text)
