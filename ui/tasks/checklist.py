# SPDX-License-Identifier: EUPL-1.2
"""A card's checklist: tick, rename, take away, add with Enter.

A line that is being typed in keeps its text and the caret while colleagues change the list. What is typed is stored
when its field is left, and by `keep`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from PySide6.QtWidgets import QCheckBox, QLineEdit, QWidget

from app.tasks.model import Board, Card, CheckItem
from ui.kit.buttons import IconButton
from ui.kit.keyed_rows import KeyedRows
from ui.kit.style import column, line
from ui.kit.tasks import run_guarded
from ui.kit.translate import tr


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """One line of a card's checklist. `gone`: a colleague removed it while the person types in it here."""

    card: str
    item: CheckItem
    gone: bool = False


class Checklist(QWidget):
    """A card's checklist, in which lines can be ticked, renamed, removed and added. Ticks and removals are stored at
    once, typed text by Enter, when its field is left, or by `keep`."""

    def __init__(self, board: Board, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._board = board
        self._card: Card | None = None
        self._writable = True
        layout = column(self, spacing=4)
        host = QWidget()
        column(host, spacing=4)
        self._rows: KeyedRows[_Line, CheckRow] = KeyedRows(
            host, key=lambda line: (line.card, line.item.id), make=self._make, update=self._update
        )
        layout.addWidget(host)
        self.new = QLineEdit()
        self.new.setAccessibleName(tr("New line in the checklist"))
        self.new.setPlaceholderText(tr("Add a line and press Enter"))
        self.new.returnPressed.connect(self._add)
        layout.addWidget(self.new)

    def set_writable(self, writable: bool) -> None:
        """Sets whether the lines of the checklist can be changed and new ones added (`writable`), or only read."""
        self._writable = writable
        self.new.setVisible(writable)
        for row in self._rows.rows:
            row.set_writable(writable)

    def show_card(self, card: Card) -> None:
        """Shows the checklist of `card`. A line that is being typed in stays also if a colleague removed it."""
        self._card = card
        lines = [_Line(card=card.id, item=item) for item in card.checklist]
        there = {item.id for item in card.checklist}
        for at, row in enumerate(self._rows.rows):
            if row.line.card == card.id and row.line.item.id not in there and row.is_typed:
                lines.insert(min(at, len(lines)), _Line(card=card.id, item=row.line.item, gone=True))
        self._rows.show(lines)

    def keep(self) -> None:
        """Stores what is being typed, in a line and in the field for a new one. Called before another card is shown."""
        for row in self._rows.rows:
            self._rename(row)
        self._add()

    def _make(self, line_: _Line) -> "CheckRow":
        row = CheckRow(line_, self._toggle, self._rename, self._remove)
        row.set_writable(self._writable)
        return row

    @staticmethod
    def _update(row: "CheckRow", line_: _Line) -> None:
        row.show_line(line_)

    def _toggle(self, row: "CheckRow", done: bool) -> None:
        run_guarded(self, lambda: self._board.toggle_check_item(row.line.card, row.line.item.id, done))

    def _rename(self, row: "CheckRow") -> None:
        text = row.take_typed() if self._writable else ""
        if not text:
            return
        card, item, gone = row.line.card, row.line.item.id, row.line.gone
        if gone:
            run_guarded(self, lambda: self._board.add_check_item(card, text))
        else:
            run_guarded(self, lambda: self._board.edit_check_item(card, item, text))

    def _remove(self, row: "CheckRow") -> None:
        row.take_typed()
        self.new.setFocus()
        if row.line.gone and self._card is not None:
            self.show_card(self._card)
        else:
            run_guarded(self, lambda: self._board.delete_check_item(row.line.card, row.line.item.id))

    def _add(self) -> None:
        text, card = self.new.text().strip(), self._card
        if text and card is not None and self._writable:
            self.new.clear()
            run_guarded(self, lambda: self._board.add_check_item(card.id, text))


class CheckRow(QWidget):
    """A row for one line of a checklist: its tick, its text and the cross that removes it. `toggle` is called with the
    row and whether it is ticked now, `rename` with the row when the person leaves the text or presses Enter in it,
    `remove` with the row when the cross is pressed. The row itself stores nothing."""

    def __init__(
        self,
        line_: _Line,
        toggle: Callable[["CheckRow", bool], object],
        rename: Callable[["CheckRow"], object],
        remove: Callable[["CheckRow"], object],
    ) -> None:
        super().__init__()
        self.line = line_
        self._shown = line_.item.text
        """What the field showed when nothing was typed in it."""
        self._box, self._field = QCheckBox(), QLineEdit(self._shown)
        self._cross = IconButton("close", "", partial(remove, self), size=13)
        cells = line(self, spacing=6)
        cells.addWidget(self._box)
        cells.addWidget(self._field, 1)
        cells.addWidget(self._cross)
        self._box.toggled.connect(partial(toggle, self))
        self._field.editingFinished.connect(partial(rename, self))

    @property
    def is_typed(self) -> bool:
        """Whether something is typed that is not stored. An emptied line is not: it gets its text back."""
        return bool(self._field.text().strip()) and self._field.text() != self._shown

    def set_writable(self, writable: bool) -> None:
        """Sets whether the line can be ticked, renamed and removed (`writable`), or only read."""
        self._box.setEnabled(writable)
        self._field.setReadOnly(not writable)
        self._cross.setVisible(writable)

    def show_line(self, line_: _Line) -> None:
        """Shows the line as it is now. A text that is being typed stays."""
        self.line, item = line_, line_.item
        self._box.blockSignals(True)
        self._box.setChecked(item.done)
        self._box.blockSignals(False)
        self._box.setAccessibleName(tr("Done: {text}").format(text=item.text))
        self._field.setAccessibleName(tr("Line: {text}").format(text=item.text))
        self._cross.set_name(tr("Remove {text}").format(text=item.text))
        if self._field.text() == self._shown or not (self._field.hasFocus() or self.is_typed):
            self._show_text(item.text)

    def take_typed(self) -> str:
        """Returns the text that was typed and is not stored, which from now on counts as stored. "" if nothing was
        typed, or if the line was emptied: no line becomes empty, so it gets its text back."""
        if not self.is_typed:
            if not self._field.text().strip():
                self._show_text(self.line.item.text)
            return ""
        self._shown = self._field.text()
        return self._shown

    def _show_text(self, text: str) -> None:
        self._shown = text
        if self._field.text() != text:
            caret = self._field.cursorPosition()
            self._field.setText(text)
            self._field.setCursorPosition(min(caret, len(text)))
