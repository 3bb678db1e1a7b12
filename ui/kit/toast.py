# SPDX-License-Identifier: EUPL-1.2
"""Says what was done, with Undo, and goes away by itself; and a quiet bar for states such as offline."""

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtWidgets import QFrame, QWidget

from ui.kit.buttons import IconButton, TextButton
from ui.kit.card import IconLabel
from ui.kit.style import label, line, set_props
from ui.kit.translate import tr

SHOWN_MS = 7000


class Toast(QFrame):
    """Stands at the bottom of `host`, above everything. Esc or the cross closes it; one at a time."""

    def __init__(self, host: QWidget) -> None:
        super().__init__(host)
        self._host = host
        set_props(self, frame="toast")
        self.setAccessibleName(tr("Message"))
        row = line(self, margins=(16, 8, 8, 8), spacing=12)
        self._text = label("", "on-tip", wrap=False)
        self._undo = TextButton(tr("Undo"), self._take_back, kind="toast")
        self._close = IconButton("close", tr("Close the message"), self.hide, size=16, role="on-tip")
        for part in (self._text, self._undo, self._close):
            row.addWidget(part)
        self._action: Callable[[], object] | None = None
        self._timer = QTimer(self, singleShot=True, interval=SHOWN_MS)
        self._timer.timeout.connect(self.hide)
        host.installEventFilter(self)
        self.hide()

    def say(self, text: str, undo: Callable[[], object] | None = None) -> None:
        """Shows a text for seven seconds; `undo` gives it an Undo button."""
        self._action = undo
        self._text.setText(text)
        self.setAccessibleDescription(text)
        self._undo.setVisible(undo is not None)
        self.show()
        self._place()
        self.raise_()
        self._timer.start()

    def text(self) -> str:
        """What it says or last said."""
        return self._text.text()

    def _take_back(self) -> None:
        self.hide()
        if self._action is not None:
            self._action()

    def _place(self) -> None:
        self.adjustSize()
        host = self._host
        self.move((host.width() - self.width()) // 2, host.height() - self.height() - 44)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and self.isVisible():
            self._place()
        return False


class InfoBar(QFrame):
    """A quiet line above the content: an icon, a sentence, perhaps one action. `kind` is info, warning or danger."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        row = line(self, margins=(20, 6, 12, 6), spacing=8)
        self._icon = IconLabel("info", "muted", 16)
        self._text = label("", "small", wrap=True)
        self._button = TextButton("", self._act, kind="link")
        row.addWidget(self._icon)
        row.addWidget(self._text, 1)
        row.addWidget(self._button)
        self._action: Callable[[], object] | None = None
        self.hide()

    def show_state(
        self, kind: str, icon: str, text: str, action: str = "", on_action: Callable[[], object] | None = None
    ) -> None:
        """Shows a state until `hide()`."""
        set_props(self, frame=f"bar-{kind}")
        self._icon.set_icon(icon, "muted" if kind == "info" else kind)
        self._text.setText(text)
        self.setAccessibleName(text)
        self._button.setText(action)
        self._button.setAccessibleName(action)
        self._button.setVisible(bool(action))
        self._action = on_action
        self.show()

    def text(self) -> str:
        """The sentence shown."""
        return self._text.text()

    def _act(self) -> None:
        if self._action is not None:
            self._action()
