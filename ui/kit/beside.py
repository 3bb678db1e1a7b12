# SPDX-License-Identifier: EUPL-1.2
"""A page with a panel beside it. Where both have no room, the panel takes the page's place while it is shown."""

from PySide6.QtCore import QEvent, QObject
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QWidget

from ui.kit import theme
from ui.kit.scale import px
from ui.kit.style import line

_ANY_WIDTH = (1 << 24) - 1


class PageWithPanel(QWidget):
    """A widget with a page, and a panel at its side that its owner shows and hides. Where both have no room beside each
    other, the page is hidden while the panel is shown. `panel_px` is the panel's width, `page_px` the least width of
    the page beside it, both at 100 %."""

    def __init__(self, page: QWidget, panel: QWidget, *, panel_px: int, page_px: int) -> None:
        super().__init__()
        self._page, self._panel = page, panel
        self._panel_px, self._page_px = panel_px, page_px
        row = line(self)
        row.addWidget(page, 1)
        row.addWidget(panel)
        panel.installEventFilter(self)
        theme.on_change(self, self._arrange)
        self._arrange()

    @property
    def alone(self) -> bool:
        """Whether the panel has taken the page's place."""
        return not self._panel.isHidden() and self.width() < px(self._panel_px) + px(self._page_px)

    def hasHeightForWidth(self) -> bool:
        """No: both take the height that there is."""
        return False

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.ShowToParent, QEvent.Type.HideToParent):
            self._arrange()
        return False

    def _arrange(self) -> None:
        alone = self.alone
        self._panel.setMinimumWidth(0 if alone else px(self._panel_px))
        self._panel.setMaximumWidth(_ANY_WIDTH if alone else px(self._panel_px))
        if self._page.isHidden() != alone:
            self._page.setVisible(not alone)
