# SPDX-License-Identifier: EUPL-1.2
"""Shows that something is waited for: a spinner after 0.3 s, and a figure with Cancel for what takes longer."""

from collections.abc import Callable

from PySide6.QtCore import QRectF, QSize, Qt, QTimer
from PySide6.QtGui import QPainter, QPen
from PySide6.QtWidgets import QProgressBar, QSizePolicy, QWidget

from ui.kit import theme
from ui.kit.buttons import IconButton
from ui.kit.scale import hold, px
from ui.kit.style import ElidedLabel, column, label, line
from ui.kit.translate import tr

DELAY_MS = 300
_STEP_MS = 40


class Spinner(QWidget):
    """A turning arc that shows that something is waited for. `start()` shows it after 0.3 s, so that quick things do
    not flicker."""

    def __init__(self, size: int = 18, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._size, self._angle, self._shown = size, 0, False
        hold(self, width=size, height=size)
        self.setAccessibleName(tr("Working"))
        self._delay = QTimer(self, singleShot=True, interval=DELAY_MS)
        self._delay.timeout.connect(self._appear)
        self._turn = QTimer(self, interval=_STEP_MS)
        self._turn.timeout.connect(self._advance)

    def start(self) -> None:
        """Shows the turning arc after 0.3 s. A second call changes nothing."""
        if not self.is_turning:
            self._delay.start()

    def stop(self) -> None:
        """Hides the arc. The widget keeps its place in the layout."""
        self._delay.stop()
        self._turn.stop()
        self._shown = False
        self.update()

    @property
    def is_turning(self) -> bool:
        """Whether it was started, though it may not be seen yet."""
        return self._shown or self._delay.isActive()

    def _appear(self) -> None:
        self._shown = True
        self._turn.start()
        self.update()

    def _advance(self) -> None:
        self._angle = (self._angle - 20) % 360
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(px(self._size), px(self._size))

    def paintEvent(self, event: object) -> None:
        if not self._shown:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        pen = QPen(theme.current().colour("accent"), 2)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        painter.setPen(pen)
        painter.drawArc(QRectF(self.rect()).adjusted(2, 2, -2, -2), self._angle * 16, 270 * 16)
        painter.end()


class ProgressRow(QWidget):
    """A row that shows how far something has come: a text, a bar, a figure, and Cancel if `on_cancel` is given."""

    def __init__(self, text: str, on_cancel: Callable[[], object] | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        row = line(self, spacing=8)
        words = column(spacing=4)
        self._text = ElidedLabel(text, "small")
        self._bar = QProgressBar(textVisible=False)
        self._bar.setAccessibleName(text)
        self._bar.setFixedHeight(4)
        words.addWidget(self._text)
        words.addWidget(self._bar)
        row.addLayout(words, 1)
        self._figure = label("", "small")
        row.addWidget(self._figure)
        if on_cancel is not None:
            row.addWidget(IconButton("close", tr("Cancel {what}").format(what=text), on_cancel, size=16))

    def set_text(self, text: str) -> None:
        """Replaces the row's text."""
        self._text.set_text(text)
        self._bar.setAccessibleName(text)

    def set_progress(self, done: int, total: int, figure: str = "") -> None:
        """Shows that `done` of `total` is done; total 0: it is not known how much. The figure is per cent, unless
        `figure` is given ("1,2 av 3,4 MB")."""
        self._bar.setRange(0, total)
        self._bar.setValue(done)
        self._figure.setText(figure or (f"{100 * done // total} %" if total else ""))
