# SPDX-License-Identifier: EUPL-1.2
"""Puts the settings of the whole window in force as soon as they change: theme, text size, language, automatic lock."""

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QApplication, QWidget

from app.settings import AUTO_LOCK_MINUTES, DENSITY, LANGUAGE, TEXT_SIZE, THEME, Settings
from ui.kit import scale, theme
from ui.kit.bind import bind
from ui.kit.tasks import run_guarded
from ui.kit.translate import change_language, tr
from ui.shell.window.auto_lock import AutoLock
from ui.tool_views import toast


class SettingsInForce(QObject):
    """Puts settings of the whole window in force as soon as they change: theme, text size, density, language, automatic
    lock. Its methods change those that have commands. `language_changed` is emitted after the language has changed."""

    language_changed = Signal()
    """Everything that is shown is to be made again, but not before the control that was just used is done."""

    def __init__(self, window: QWidget, settings: Settings, auto_lock: AutoLock) -> None:
        super().__init__(window)
        self._window, self._settings, self._auto_lock = window, settings, auto_lock
        bind(self, settings.changed, self._on_setting)

    def set_theme(self, choice: str) -> None:
        """Changes and keeps the theme."""
        run_guarded(self._window, lambda: self._settings.set(THEME, choice))

    def step_text_size(self, by: int) -> None:
        """Makes all text `by` steps larger (smaller, if negative), stores that, and shows the new size in a message; 0
        is for the usual size."""
        settings = self._settings
        size = scale.step(settings.get(TEXT_SIZE), by) if by else TEXT_SIZE.default
        if run_guarded(self._window, lambda: settings.set(TEXT_SIZE, size)):
            toast(self._window, tr("Text size: {size} %").format(size=size))

    def _on_setting(self, key: str) -> None:
        settings, app = self._settings, QApplication.instance()
        if key == THEME.key and isinstance(app, QApplication):
            theme.apply(app, settings.get(THEME))
        elif key in (TEXT_SIZE.key, DENSITY.key) and isinstance(app, QApplication):
            theme.resize(app, settings.get(TEXT_SIZE), settings.get(DENSITY))
        elif key == AUTO_LOCK_MINUTES.key:
            self._auto_lock.set_minutes(settings.get(AUTO_LOCK_MINUTES))
        elif key == LANGUAGE.key:
            change_language(settings.get(LANGUAGE))
            self.language_changed.emit()
