# SPDX-License-Identifier: EUPL-1.2
"""The bar on a card that is archived or in the trash, from which it can be restored."""

from collections.abc import Callable

from PySide6.QtWidgets import QFrame

from app.tasks.model import Card
from ui.kit.announcing import announce
from ui.kit.buttons import TextButton
from ui.kit.style import label, line, set_props
from ui.kit.translate import tr
from ui.trash import Who, away_sentence


class AwayBar(QFrame):
    """A bar on an open card that is archived or in the trash: it says where the card is, and its button calls
    `put_back`, without arguments. `who` returns the person for an id."""

    def __init__(self, put_back: Callable[[], object], who: Who) -> None:
        super().__init__()
        self._who = who
        self.sentence = label("", "small", wrap=True)
        self.back = TextButton(tr("Put back on the board"), put_back, kind="link")
        set_props(self, frame="bar-info")
        bar = line(self, margins=(18, 6, 10, 6), spacing=8)
        bar.addWidget(self.sentence, 1)
        bar.addWidget(self.back)
        self.hide()

    def show_card(self, card: Card) -> None:
        """Shows the bar for a card that is archived or in the trash, with who put it into the trash and when; hides it
        for any other."""
        shown = bool(self.sentence.text()) and self.isVisible()
        self.setVisible(card.archived or card.deleted)
        if not card.deleted:
            self.sentence.setText(tr("The task is archived."))
            self.back.setText(tr("Put back on the board"))
            return
        text = away_sentence(card.deleted_by, card.deleted_t, self._who)
        if text != self.sentence.text() or not shown:
            self.sentence.setText(text)
            announce(self, text)
        self.back.setText(tr("Restore"))
