# SPDX-License-Identifier: EUPL-1.2
"""A place that never squeezes its content: where there is less room than the content needs at least, it scrolls."""

from PySide6.QtCore import QEvent, QObject, QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QApplication, QFrame, QScrollArea, QSizePolicy, QStackedWidget, QWidget

from ui.kit.pages import least_size
from ui.kit.style import set_props

_MOVES = (QEvent.Type.LayoutRequest, QEvent.Type.Show)


class Roomy(QScrollArea):
    """A scroll area around `content` that scrolls only if the content has less room than it needs at least, and then to
    what gets the focus. `upright`: it scrolls only up and down, shows no scroll bar, and is as wide as the content.

    Does not use Qt's own resizing of the content: with height-for-width Qt would use the content's preferred height
    instead of its minimum, and scroll where the content could fold.
    """

    def __init__(self, content: QWidget, *, upright: bool = False) -> None:
        super().__init__()
        self._upright = upright
        if upright:
            self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
            self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
            self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Expanding)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setWidget(content)
        self.setFrameShape(QFrame.Shape.NoFrame)
        set_props(self, frame="roomy")
        app = QApplication.instance()
        if isinstance(app, QApplication):
            app.focusChanged.connect(self._on_focus)

    def _fit(self) -> None:
        """Gives the content the size of this area, or more if the content needs more at least."""
        content = self.widget()
        page = content.currentWidget() if isinstance(content, QStackedWidget) else content
        if content is None or page is None:
            return
        room = self.viewport().size() if self._upright else self.maximumViewportSize()
        least = least_size(page, room.width())
        bar = self.verticalScrollBar().sizeHint().width()
        if least.height() > room.height() and not self._upright:
            least = least_size(page, room.width() - bar)
            room.setWidth(room.width() - bar)
        if least.width() > room.width() and not self._upright:
            room.setHeight(room.height() - bar)
        content.resize(room.expandedTo(least))

    def _on_focus(self, _old: QWidget | None, now: QWidget | None) -> None:
        if now is not None and self.isAncestorOf(now) and self.scrolls:
            self.ensureWidgetVisible(now, 8, 8)

    @property
    def scrolls(self) -> bool:
        """Whether the content needs more room than there is."""
        return self.verticalScrollBar().maximum() > 0 or self.horizontalScrollBar().maximum() > 0

    def minimumSizeHint(self) -> QSize:
        return QSize(self.sizeHint().width() if self._upright else 0, 0)

    def sizeHint(self) -> QSize:
        content = self.widget()
        return content.sizeHint().expandedTo(content.minimumSize()) if content is not None else super().sizeHint()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.widget() and event.type() in _MOVES:
            self._fit()
            self.updateGeometry()
        return super().eventFilter(watched, event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()
