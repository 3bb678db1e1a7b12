# SPDX-License-Identifier: EUPL-1.2
"""A small panel of emoji, for the text and for reactions. Arrow keys move, Enter takes, Esc closes."""

from collections.abc import Callable

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QToolButton, QWidget

from ui.kit.fonts import font
from ui.kit.plain import set_tip
from ui.kit.scale import hold
from ui.kit.screens import area_of
from ui.kit.style import set_props
from ui.kit.translate import tr

COLUMNS = 8


def emoji_names() -> dict[str, str]:
    """The emoji that can be chosen, in the order of the panel, each with its name in the person's language."""
    return {
        "👍": tr("Thumbs up"), "👀": tr("Eyes"), "✅": tr("Done mark"), "❤️": tr("Heart"), "🎉": tr("Party"),
        "🙏": tr("Folded hands"), "👏": tr("Applause"), "😀": tr("Smile"), "😂": tr("Laughing"),
        "🙂": tr("Slight smile"),
        "😉": tr("Wink"), "🤔": tr("Thinking"), "😮": tr("Surprised"), "😢": tr("Sad"), "👎": tr("Thumbs down"),
        "❌": tr("Cross mark"), "❗": tr("Exclamation mark"), "❓": tr("Question mark"), "⏰": tr("Alarm clock"),
        "📎": tr("Paper clip"), "📌": tr("Push pin"), "📅": tr("Calendar page"), "☕": tr("Coffee"), "🚀": tr("Rocket"),
    }  # fmt: skip


class EmojiPanel(QFrame):
    """A small panel from which the person chooses an emoji: `take` is called with it, after the panel has
    closed. Opened by `open_at`."""

    def __init__(self, parent: QWidget, take: Callable[[str], object]) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        set_props(self, frame="palette")
        self.setAccessibleName(tr("Choose an emoji"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        grid = QGridLayout(self)
        grid.setContentsMargins(8, 8, 8, 8)
        grid.setSpacing(2)
        self._buttons: list[QToolButton] = []
        for number, (emoji, name) in enumerate(emoji_names().items()):
            button = QToolButton(self)
            button.setText(emoji)
            button.setFont(font(17))
            hold(button, width=34, height=34)
            button.setAccessibleName(name)
            set_tip(button, name)
            button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            button.clicked.connect(lambda _=False, e=emoji: self._choose(e, take))
            grid.addWidget(button, number // COLUMNS, number % COLUMNS)
            self._buttons.append(button)

    def open_at(self, point: QPoint, *, above: bool = False) -> None:
        """Shows the panel with its top left corner at a global point, or with `above` its bottom left corner, inside
        the screen. The first emoji gets the focus."""
        self.adjustSize()
        area = area_of(self)
        y = point.y() - self.height() if above else point.y()
        x = max(area.left(), min(point.x(), area.right() - self.width()))
        self.move(x, max(area.top(), min(y, area.bottom() - self.height())))
        self.show()
        self._buttons[0].setFocus(Qt.FocusReason.PopupFocusReason)

    def _choose(self, emoji: str, take: Callable[[str], object]) -> None:
        self.close()
        take(emoji)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {
            Qt.Key.Key_Left: -1,
            Qt.Key.Key_Right: 1,
            Qt.Key.Key_Up: -COLUMNS,
            Qt.Key.Key_Down: COLUMNS,
        }
        focused = [i for i, button in enumerate(self._buttons) if button.hasFocus()]
        step = steps.get(Qt.Key(event.key()))
        if event.key() == Qt.Key.Key_Escape:
            self.close()
        elif focused and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._buttons[focused[0]].click()
        elif step is not None and focused:
            to = focused[0] + step
            if 0 <= to < len(self._buttons):
                self._buttons[to].setFocus()
        else:
            super().keyPressEvent(event)
