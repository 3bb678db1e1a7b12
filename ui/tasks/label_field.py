# SPDX-License-Identifier: EUPL-1.2
"""A card's labels in its panel: a chip for each, and a button with the board's labels and new ones."""

from functools import partial

from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QWidget

from app.tasks.cards import LABEL_COLOURS
from app.tasks.model import Board, Card, Label
from ui.kit.buttons import TextButton
from ui.kit.chip import Chip
from ui.kit.dialogs import ask
from ui.kit.flow_layout import FlowLayout
from ui.kit.keyed_rows import KeyedRows
from ui.kit.menu import Entry, popup
from ui.kit.tasks import run, run_guarded
from ui.kit.translate import tr
from ui.tasks.card_widget import LABEL_KINDS


class LabelField:
    """The field for a card's labels: `chips` shows them, `button` opens a menu with the board's labels and new ones. A
    choice is stored at once."""

    def __init__(self, owner: QWidget, board: Board) -> None:
        """`owner` is the panel of the card: it is the parent of dialogs and shows errors."""
        self._owner = owner
        self._card_id = ""
        self.button = TextButton(tr("Choose labels …"), self._ask, icon="label")
        self.chips = QWidget()
        FlowLayout(self.chips)
        self._board = board
        self._rows: KeyedRows[Label, Chip] = KeyedRows(
            self.chips,
            lambda found: found.id,
            lambda found: Chip(found.name, LABEL_KINDS[found.colour]),
            lambda chip, found: chip.set_chip(found.name, LABEL_KINDS[found.colour]),
        )

    def show_card(self, card: Card) -> None:
        """Shows the labels of `card`."""
        self._card_id = card.id
        chosen = [found for found in self._board.labels() if found.id in card.labels]
        self._rows.show(chosen)
        self.chips.setVisible(bool(chosen))

    def _ask(self) -> None:
        card = self._board.any_card(self._card_id)
        if card is None:
            return
        entries: list[Entry | None] = [
            Entry(
                text=found.name,
                checked=found.id in card.labels,
                run=partial(self.set_label, card.id, found.id, found.id not in card.labels),
            )
            for found in self._board.labels()
        ]
        if entries:
            entries.append(None)
        entries += [
            Entry(text=text, icon="add", run=partial(self._ask_new_label, card.id, colour))
            for colour, text in zip(LABEL_COLOURS, _new_label_texts(), strict=True)
        ]
        popup(self.button, tr("Labels"), entries, self.button.mapToGlobal(QPoint(0, self.button.height() + 4)))

    def set_label(self, card: str, label_id: str, on: bool) -> None:
        """Puts a label on a card, or takes it off."""
        run_guarded(self._owner, lambda: self._board.set_label(card, label_id, on))

    def _ask_new_label(self, card: str, colour: str) -> None:
        async def choose() -> None:
            name = await ask(self._owner, tr("New label"), tr("Name"), accept=tr("Add"))
            if name:
                self._board.set_label(card, self._board.add_label(name, colour), True)

        run(self._owner, choose())


def _new_label_texts() -> tuple[str, ...]:
    """The texts of the menu for a new label of each colour, in the order of LABEL_COLOURS."""
    return (
        tr("New blue label …"),
        tr("New green label …"),
        tr("New yellow label …"),
        tr("New red label …"),
        tr("New grey label …"),
    )
