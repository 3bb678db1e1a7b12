# SPDX-License-Identifier: EUPL-1.2
"""One notification in a small window of ours, with buttons. `notification_windows.py` decides which are shown, and
where."""

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QEvent, QObject, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QEnterEvent, QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QApplication, QFrame

from ui.kit import theme
from ui.kit.announcing import Announcer, announce
from ui.kit.buttons import IconButton, TextButton
from ui.kit.card import IconLabel
from ui.kit.covering import allow, close_when_covered
from ui.kit.faces import Role, Spoken, State
from ui.kit.flow_layout import FlowLayout
from ui.kit.gathering import Kind
from ui.kit.plain import notice, set_title
from ui.kit.scale import px
from ui.kit.style import ElidedLabel, column, label, line, set_props
from ui.kit.translate import tr
from ui.shell.window.desktop_toast import Toast, ToastAction, offered

SHOWN_MS = 8000
"""How long it stays while neither the pointer nor the focus is in it: long enough to read 160 characters, at 20 a
second."""
_WIDTH_PX = 360


class NotificationWindow(Spoken, QFrame):
    """A small window over all others with one notification, which closes by itself. It does not take the focus when it
    appears. While the pointer or the focus is in it, it stays, and for its whole time after that. A press on it opens
    the place, Esc and the cross close it. It is read out once, if `is_announced` returns True.

    It emits `chosen` with the ToastAction that the person chose, after it has closed. It has no parent: a desktop hides
    the windows of a window that is minimised."""

    chosen = Signal(object)
    closed = Signal()
    main_wanted = Signal()
    """The person pressed F6 in it: the focus goes back to the main window."""

    def __init__(self, toast: Toast, is_announced: Callable[[], bool]) -> None:
        kinds = Qt.WindowType
        super().__init__(None, kinds.Tool | kinds.FramelessWindowHint | kinds.WindowStaysOnTopHint)
        self.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
        self.setAttribute(Qt.WidgetAttribute.WA_QuitOnClose, False)
        self.is_bare = toast.is_bare
        if toast.is_bare:
            allow(self)
        else:
            close_when_covered(self)
        set_props(self, frame="popup")
        set_title(self, "Kansli")
        self.announcer = Announcer(self, is_announced)
        self._room = QSize()
        self._pointed = self._pressed = False
        self._timer = QTimer(self, singleShot=True, interval=SHOWN_MS)
        self._timer.timeout.connect(self.close)
        self._build()
        self.show_toast(toast)
        theme.on_change(self, self._fit)

    def _build(self) -> None:
        whole = column(self, margins=(14, 10, 10, 12), spacing=6)
        top, row = line(spacing=8), FlowLayout(gap=8)
        self.buttons = {action: TextButton("", partial(self._choose, action), parent=self) for action in ToastAction}
        for button in self.buttons.values():  # made first: Tab stops at them before the cross
            row.addWidget(button)
        self._title, self._text = ElidedLabel("", "strong"), label("", wrap=True)
        self.close_button = IconButton("close", tr("Close the message"), self.close, size=16, parent=self)
        top.addWidget(IconLabel("notifications", "accent", 16))
        top.addWidget(self._title, 1)
        top.addWidget(self.close_button)
        whole.addLayout(top)
        whole.addWidget(self._text)
        whole.addLayout(row)

    # -- what it shows ---------------------------------------------------------------------------------------------

    def show_toast(self, toast: Toast) -> None:
        """Shows another notification in its place, for the whole time. Call `present` then."""
        title, text = notice(toast.title), notice(toast.text)
        self._title.set_text(title)
        self._text.setText(text)
        self.setAccessibleName(title)
        self.setAccessibleDescription(text)
        self.close_button.setAccessibleDescription(text)
        wanted = dict(offered(toast))
        for action, button in self.buttons.items():
            button.setText(wanted.get(action, ""))
            button.setVisible(action in wanted)
            button.setAccessibleDescription(text)  # two windows have the same buttons
        self._fit()

    def set_room(self, room: QSize) -> None:
        """Sets how much room the screen has, in points; it takes no more."""
        self._room = room
        self._fit()

    def _fit(self) -> None:
        layout = self.layout()
        if layout is None or self._room.isEmpty():
            return
        width, corner = min(px(_WIDTH_PX), self._room.width()), self.geometry().bottomRight()
        self.setFixedSize(width, min(layout.totalHeightForWidth(width), self._room.height()))
        if self.isVisible():  # the text size has changed
            self.move(corner.x() - self.width() + 1, corner.y() - self.height() + 1)

    def present(self) -> None:
        """Shows it, without giving it the focus, and has it read out. It is to have its place already."""
        self.show()
        if not self.isVisible():  # the curtain is down, and this one is not bare
            self.close()
            return
        self.raise_()
        self._timer.stop()
        self._wait()
        title, text = self.accessibleName(), self.accessibleDescription()
        announce(self, text if title == "Kansli" else f"{title}: {text}", Kind.KEPT)

    # -- how long it stays -----------------------------------------------------------------------------------------

    @property
    def is_held(self) -> bool:
        """Whether the pointer or the focus is in it."""
        return self._pointed or self._is_active

    @property
    def _is_active(self) -> bool:
        return QApplication.activeWindow() is self  # for QWidget.isActiveWindow every such window is active

    def _wait(self) -> None:
        if self.is_held or not self.isVisible():
            self._timer.stop()
        elif not self._timer.isActive():
            self._timer.start()

    def enterEvent(self, event: QEnterEvent) -> None:
        super().enterEvent(event)
        self._pointed = True
        self._wait()

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._pointed = False
        self._wait()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.ActivationChange:
            self._wait()

    def closeEvent(self, event: QCloseEvent) -> None:
        super().closeEvent(event)
        self._timer.stop()
        self.announcer.silence()
        self.closed.emit()

    # -- what the person does --------------------------------------------------------------------------------------

    def _choose(self, action: ToastAction) -> None:
        self.close()
        self.chosen.emit(action)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.close()
        elif event.key() == Qt.Key.Key_F6:
            self.main_wanted.emit()
        else:
            super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._pressed = event.button() == Qt.MouseButton.LeftButton

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        pressed, self._pressed = self._pressed, False
        if pressed and event.button() == Qt.MouseButton.LeftButton and self.rect().contains(event.position().toPoint()):
            self._choose(ToastAction.OPEN)

    # -- for a screen reader ---------------------------------------------------------------------------------------

    def spoken_role(self) -> Role:
        return Role.AlertMessage

    def spoken_state(self) -> State:
        state = super().spoken_state()
        state.active = self._is_active
        return state

    def spoken_parent(self) -> QObject | None:
        return QApplication.instance()
