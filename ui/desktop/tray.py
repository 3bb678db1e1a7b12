# SPDX-License-Identifier: EUPL-1.2
"""Kansli's sign in the desktop's tray: what is unread, and a menu that always has a way to open, lock and quit."""

from collections.abc import Callable

from PySide6.QtCore import QObject, QRectF, Qt, Signal, SignalInstance
from PySide6.QtGui import QAction, QFont, QIcon, QPainter, QPen, QPixmap
from PySide6.QtWidgets import QMenu, QSystemTrayIcon

from ui.kit import icons, plain, theme
from ui.kit.covering import allow
from ui.kit.translate import tr, trn

SIZES = (16, 22, 24, 32, 48, 64)
_WITH_NUMBER = 22
"""The smallest sign in pixels in which a number is legible. A smaller sign shows a dot instead."""
MOST = 99


class Tray(QObject):
    """Kansli's sign (icon) in the desktop's tray, with a menu to open, lock and quit. It is made by `tray`, where there
    is a tray. A signal without arguments for each of the three says what the person asks for; the program does it."""

    open_asked = Signal()
    lock_asked = Signal()
    quit_asked = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.unread, self.locked = 0, True
        self._menu = QMenu()  # no widget is its parent: it stays when windows go
        allow(self._menu)
        self._open = self._entry(self.open_asked)
        self._lock = self._entry(self.lock_asked)
        self._menu.addSeparator()
        self._quit = self._entry(self.quit_asked)
        self.item = QSystemTrayIcon(self)
        self.item.setContextMenu(self._menu)
        self.item.activated.connect(self._on_activated)
        self.item.messageClicked.connect(self.open_asked)
        self.refresh()

    def show(self) -> None:
        """Shows the sign."""
        self.item.show()

    def close(self) -> None:
        """Removes the sign from the tray. Otherwise the desktop would keep it until the mouse passes over it."""
        self.item.hide()
        self._menu.deleteLater()

    def set_unread(self, count: int) -> None:
        """Shows on the sign, and in its tool tip, how many messages are unread on this computer; nothing for 0, which
        the caller gives while Kansli is locked and receives nothing."""
        if count != self.unread:
            self.unread = count
            self.refresh()

    def set_locked(self, locked: bool) -> None:
        """Sets whether Kansli is `locked`: the tool tip then says that, and the menu's entry for locking is
        disabled."""
        self.locked = locked
        self.refresh()

    def notify(self, title: str, text: str) -> None:
        """Shows a notification beside the sign."""
        plain.notify(self.item, title, text, icons.app_icon())

    def withdraw(self) -> None:
        """Takes the notification away that was shown last: an empty one takes its place, and is not shown. A system
        that lists older ones may keep those."""
        plain.notify(self.item, "", "", icons.app_icon())

    def refresh(self) -> None:
        """Sets all texts and the picture of the sign again, in the language in force."""
        self._open.setText(tr("Open Kansli"))
        self._lock.setText(tr("Lock Kansli"))
        self._lock.setEnabled(not self.locked)
        self._quit.setText(tr("Quit"))
        self.item.setIcon(sign(self.unread))
        plain.set_tray_tip(self.item, self.tip_text())

    def tip_text(self) -> str:
        """The tool tip of the sign: that Kansli is locked, how many messages are unread, or both; only "Kansli" for
        neither."""
        if self.locked and self.unread:
            return trn("Kansli is locked: {n} unread", "Kansli is locked: {n} unread", self.unread).format(
                n=self.unread
            )
        if self.locked:
            return tr("Kansli is locked")
        if self.unread:
            return f"Kansli: {trn('{n} unread', '{n} unread', self.unread).format(n=self.unread)}"
        return "Kansli"

    def _entry(self, asked: SignalInstance) -> QAction:
        action = QAction(self._menu)
        action.triggered.connect(lambda: asked.emit())
        self._menu.addAction(action)
        return action

    def _on_activated(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        if reason is not QSystemTrayIcon.ActivationReason.Context:
            self.open_asked.emit()


def tray(parent: QObject, available: Callable[[], bool] = QSystemTrayIcon.isSystemTrayAvailable) -> Tray | None:
    """Makes the program's sign and shows it in the desktop's tray. `parent` owns it. None if `available`, which returns
    whether there is a tray, returns False; there may be one later."""
    if not available():
        return None
    found = Tray(parent)
    found.show()
    return found


def sign(unread: int) -> QIcon:
    """The program's icon for the tray, with the number of unread messages in a corner: a dot in the smallest size, 99+
    above 99, nothing for 0. It is the same on every desktop, whose theme is not known."""
    whole, result = icons.app_icon(), QIcon()
    for size in SIZES:
        image = whole.pixmap(size, size)
        if unread:
            _badge(image, size, str(unread) if unread <= MOST else f"{MOST}+")
        result.addPixmap(image)
    return result


def _badge(image: QPixmap, size: int, text: str) -> None:
    light = theme.load("light")
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    edge = max(1.0, size / 24)  # a light one: red alone is hard to tell from the sign's blue
    painter.setPen(QPen(light.colour("on-accent"), edge))
    painter.setBrush(light.colour("danger"))
    if size < _WITH_NUMBER:
        painter.drawEllipse(QRectF(size * 0.45, edge / 2, size * 0.55 - edge, size * 0.55 - edge))
    else:
        height = size * 0.62
        width = min(max(height, size * (0.3 + 0.3 * len(text))), size - edge)
        place = QRectF(size - width - edge / 2, edge / 2, width, height)
        painter.drawRoundedRect(place, height / 2, height / 2)
        font = QFont(painter.font())
        font.setPixelSize(round(height * (0.82 if len(text) < 3 else 0.66)))
        font.setBold(True)
        painter.setFont(font)
        painter.setPen(light.colour("on-accent"))
        painter.drawText(place, Qt.AlignmentFlag.AlignCenter, text)
    painter.end()
