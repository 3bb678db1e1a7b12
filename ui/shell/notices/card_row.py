# SPDX-License-Identifier: EUPL-1.2
"""The frame of a row on Home that opens its place and has small buttons beside it. What it shows is the subclass's."""

from collections.abc import Callable

from PySide6.QtWidgets import QFrame, QWidget

from ui.kit.buttons import IconButton, RowButton
from ui.kit.card import IconLabel
from ui.kit.style import ElidedLabel, column, line, set_props


class CardRow(QFrame):
    """A card with an icon, a title and a line of detail under it. A press on it, or Enter, calls `opened`; `button` is
    that part of the card, and has the focus. `edge`: the space above and below the words, at 100 %."""

    def __init__(self, opened: Callable[[], object], icon: IconLabel, title: ElidedLabel, *, edge: int) -> None:
        super().__init__()
        set_props(self, frame="card")
        self._whole = line(self, margins=(0, 0, 6, 0), spacing=2)
        self.button = RowButton("", opened)
        self._inner = line(self.button, margins=(11, edge, 8, edge), spacing=13)
        self._icon, self._title, self._detail = icon, title, ElidedLabel("", "small")
        self._inner.addWidget(self._icon)
        words = column(spacing=2)
        words.addWidget(self._title)
        words.addWidget(self._detail)
        self._inner.addLayout(words, 1)

    def _finish(self, *buttons: IconButton, beside: QWidget | None = None) -> None:
        """Puts `beside` to the right of the words, and the `buttons` to the right of all. A subclass calls it once."""
        if beside is not None:
            self._inner.addWidget(beside)
        self.button.take_clicks()
        self._whole.addWidget(self.button, 1)
        for each in buttons:
            self._whole.addWidget(each)
        self.setFocusProxy(self.button)
