# SPDX-License-Identifier: EUPL-1.2
"""A stack of pages that asks for the room of the page it shows, not of the largest that it keeps."""

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QStackedWidget, QWidget


class Pages(QStackedWidget):
    """A stack of pages of which one is shown. It asks for the least size of that page alone; a wide page that is hidden
    (a board) takes no room from the widgets beside the stack."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.currentChanged.connect(self.updateGeometry)

    def hasHeightForWidth(self) -> bool:
        """Returns False: with height-for-width Qt would use a page's preferred height instead of its minimum."""
        return False

    def minimumSizeHint(self) -> QSize:
        page = self.currentWidget()
        return least_size(page, self.width()) if page is not None else super().minimumSizeHint()


def least_size(page: QWidget, width: int) -> QSize:
    """The least size that `page` needs if it is `width` wide. In less width its tools take more lines, so it is
    higher."""
    least = page.minimumSizeHint().expandedTo(page.minimumSize())
    layout = page.layout()
    if layout is not None and layout.hasHeightForWidth():
        least.setHeight(max(least.height(), layout.minimumHeightForWidth(max(width, least.width()))))
    return least
