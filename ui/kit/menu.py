# SPDX-License-Identifier: EUPL-1.2
"""Popover menus, opened with `popup()`, never `exec()`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QKeyCombination, QPoint, Qt
from PySide6.QtGui import QAction, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QApplication, QMenu, QWidget

from app.core.signal import Signal
from ui.kit.bind import Args, bind
from ui.kit.icons import icon
from ui.kit.plain import caption


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A line of a menu. `run` None = a heading; `checked` not None = a choice, whose tick takes the icon's place."""

    text: str
    run: Callable[[], object] | None = None
    icon: str | None = None
    shortcut: str = ""
    checked: bool | None = None
    enabled: bool = True
    danger: bool = False


class _Menu(QMenu):
    """A menu in which the keys that it shows work. It runs left to right also under a button that does not."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setLayoutDirection(QApplication.layoutDirection())
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        pressed = _keys(event)
        found = (a for a in self.actions() if a.isEnabled() and not a.shortcut().isEmpty() and a.shortcut() == pressed)
        action = next(found, None)
        if action is None:
            super().keyPressEvent(event)
            return
        self.close()
        action.trigger()


def _keys(event: QKeyEvent) -> QKeySequence:
    """The keys as a shortcut. A key of the number pad counts as the other key with the same sign."""
    held = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
    return QKeySequence(QKeyCombination(held, Qt.Key(event.key())))


def build(parent: QWidget, name: str, entries: Sequence[Entry | None]) -> QMenu:
    """A menu of these entries; None is a separator. It is deleted when it closes."""
    menu = _Menu(parent)
    menu.setAccessibleName(name)
    for entry in entries:
        if entry is None:
            menu.addSeparator()
        elif entry.run is None:  # no section: Fusion, and so our style sheet, paints those without their text
            menu.addAction(caption(entry.text)).setEnabled(False)
        else:
            menu.addAction(_action(menu, entry, entry.run))
    return menu


def _action(menu: QMenu, entry: Entry, run: Callable[[], object]) -> QAction:
    action = QAction(caption(entry.text), menu)
    if entry.icon is not None and entry.checked is None:
        action.setIcon(icon(entry.icon, "danger" if entry.danger else "muted", 16))
    if entry.shortcut:
        action.setShortcut(QKeySequence(entry.shortcut))
        action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)  # while the menu is closed, bound elsewhere
    if entry.checked is not None:
        action.setCheckable(True)
        action.setChecked(entry.checked)
    action.setEnabled(entry.enabled)
    action.triggered.connect(lambda: run())
    return action


def popup(parent: QWidget, name: str, entries: Sequence[Entry | None], at: QPoint | None = None) -> QMenu:
    """Opens a menu under the parent widget (a button), or at a global point."""
    menu = build(parent, name, entries)
    menu.ensurePolished()  # the style sheet's air counts in its width
    menu.popup(at if at is not None else _under(parent, menu.sizeHint().width()))
    return menu


def close_when(menu: QMenu, signal: Signal[*Args], gone: Callable[[], bool]) -> None:
    """Closes an open menu when its subject is gone: calls `gone` at every emit of the signal."""

    def look(*_args: *Args) -> None:
        if gone():
            menu.close()

    bind(menu, signal, look)


def _under(button: QWidget, width: int) -> QPoint:
    """The point under a button at which the menu does not reach beyond the window's right edge."""
    window = button.window()
    too_far = button.mapTo(window, QPoint(0, 0)).x() + width > window.width()
    return button.mapToGlobal(QPoint(button.width() - width if too_far else 0, button.height() + 4))
