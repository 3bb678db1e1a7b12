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
    """A line of a menu. `run` is called when it is chosen; None: the line is a heading. `checked` True or False: the
    line is a choice that is made or not, with a tick in place of the icon. `danger`: its icon is red. `shortcut` works
    while the menu is open."""

    text: str
    run: Callable[[], object] | None = None
    icon: str | None = None
    shortcut: str = ""
    checked: bool | None = None
    enabled: bool = True
    danger: bool = False


class _Menu(QMenu):
    """A menu whose shortcuts work while it is open. It is laid out in the application's direction (left to right), also
    under a button with the other one. It is deleted when it closes."""

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
    """The pressed keys of an event as a shortcut. A key of the number pad counts as the other key with the same
    sign."""
    held = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
    return QKeySequence(QKeyCombination(held, Qt.Key(event.key())))


def build(parent: QWidget, name: str, entries: Sequence[Entry | None]) -> QMenu:
    """Makes a menu of these entries, as a child of `parent` and not shown yet; None is a separator. `name` is for
    screen readers. It is deleted when it closes."""
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
    """Opens a menu of these entries under the widget `parent`, a button, or at the global point `at`. `name` is for
    screen readers; None among the entries is a separator. The menu is deleted when it closes."""
    menu = build(parent, name, entries)
    menu.ensurePolished()  # the style sheet's air counts in its width
    menu.popup(at if at is not None else _under(parent, menu.sizeHint().width()))
    return menu


def close_when(menu: QMenu, signal: Signal[*Args], gone: Callable[[], bool]) -> None:
    """Closes an open menu when the thing that it is about is gone: at each emit of `signal`, if `gone` returns True."""

    def look(*_args: *Args) -> None:
        if gone():
            menu.close()

    bind(menu, signal, look)


def _under(button: QWidget, width: int) -> QPoint:
    """The global point at which a menu of this width opens: under the button, and not beyond the window's right
    edge."""
    window = button.window()
    too_far = button.mapTo(window, QPoint(0, 0)).x() + width > window.width()
    return button.mapToGlobal(QPoint(button.width() - width if too_far else 0, button.height() + 4))
