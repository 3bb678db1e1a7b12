# SPDX-License-Identifier: EUPL-1.2
"""Every command of the window, once: shortcuts, menus and the palette are drawn from this list."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QWidget

from ui.kit.menu import Entry
from ui.kit.translate import key_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One command of the window: what it does (`run`), and its text, icon and shortcuts. A `hidden` one works by its
    shortcut and is not offered in the palette. `enabled` is called each time to know whether it can be used now."""

    id: str
    text: str
    run: Callable[[], object]
    icon: str = "command"
    shortcuts: tuple[str, ...] = ()
    hidden: bool = False
    enabled: Callable[[], bool] = lambda: True

    @property
    def shortcut(self) -> str:
        """The first shortcut as it is written on keys, or an empty string."""
        return shortcut_text(self.shortcuts[0]) if self.shortcuts else ""


def shortcut_text(shortcut: str) -> str:
    """A shortcut as people read it: "Ctrl K"."""
    return key_text(shortcut).replace("+", " ")


class Commands:
    """All commands of a window, by their ids, from which shortcuts, menus and the palette are made."""

    def __init__(self, commands: Sequence[Command]) -> None:
        self.all = tuple(commands)
        self._by_id = {c.id: c for c in commands}

    def __getitem__(self, command_id: str) -> Command:
        return self._by_id[command_id]

    def bind(self, window: QWidget) -> list[QAction]:
        """Makes the keyboard shortcuts work in `window`, for all commands that have any. Returns the actions that do
        it, which belong to the window. A command that is not enabled when its keys are pressed does nothing."""
        actions = []
        for command in self.all:
            if not command.shortcuts:
                continue
            action = QAction(command.text, window)
            action.setShortcuts([QKeySequence(s) for s in command.shortcuts])
            action.setShortcutContext(Qt.ShortcutContext.WindowShortcut)
            action.triggered.connect(lambda _=False, c=command: c.run() if c.enabled() else None)
            window.addAction(action)
            actions.append(action)
        return actions

    def shown(self) -> list[Command]:
        """What the palette offers now."""
        return [c for c in self.all if not c.hidden and c.enabled()]

    def entries(self, *ids: str) -> list[Entry | None]:
        """The entries of a menu for the commands with these ids, in order; an empty id gives None, a separator. A
        command that is not enabled now gets a disabled entry. KeyError for an unknown id."""
        result: list[Entry | None] = []
        for command_id in ids:
            if not command_id:
                result.append(None)
                continue
            c = self._by_id[command_id]
            shortcut = c.shortcuts[0] if c.shortcuts else ""
            result.append(Entry(text=c.text, run=c.run, icon=c.icon, shortcut=shortcut, enabled=c.enabled()))
        return result
