# SPDX-License-Identifier: EUPL-1.2
"""The row of buttons above a page with several tabs, of which one is shown."""

from collections.abc import Mapping

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QWidget

from ui.kit.buttons import SegmentButton, Segments


class PageTabs(Segments):
    """A row of buttons, one for each tab of `titles` (id and text); the first is the tab that is shown for an unknown
    id. It emits `chosen` with the id of the tab that a person presses: the owner goes there, and calls `show_tab`."""

    chosen = Signal(str)

    def __init__(self, name: str, titles: Mapping[str, str], parent: QWidget | None = None) -> None:
        super().__init__(name, parent=parent)
        self.buttons = {tab: SegmentButton(title) for tab, title in titles.items()}
        self._group = QButtonGroup(self)
        for tab, button in self.buttons.items():
            self.add(button)
            self._group.addButton(button)
            button.clicked.connect(lambda _on, tab=tab: self.chosen.emit(tab))

    def show_tab(self, tab: str) -> str:
        """Presses the button of a tab, which then is the one that Tab stops at. Returns the id of the tab to show."""
        shown = tab if tab in self.buttons else next(iter(self.buttons))
        self.buttons[shown].setChecked(True)
        for each, button in self.buttons.items():  # Qt does it only when one of them gets the focus
            button.setFocusPolicy(Qt.FocusPolicy.StrongFocus if each == shown else Qt.FocusPolicy.ClickFocus)
        return shown
