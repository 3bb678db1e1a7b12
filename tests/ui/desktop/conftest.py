# SPDX-License-Identifier: EUPL-1.2
"""A light window in Swedish, with sample tools."""

import gc
import sys
import tempfile
from collections.abc import Iterator

import pytest
from PySide6.QtWidgets import QApplication

from app.core.i18n import set_language
from ui.kit import theme


@pytest.fixture
def swedish_desktop(qapp: QApplication, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    set_language("sv")
    theme.apply(qapp, "light")
    monkeypatch.setattr("ui.desktop.resident.WATCH_AFTER_MS", 0)
    monkeypatch.setattr("ui.desktop.resident.TRAY_EVERY_MS", 1)
    with tempfile.TemporaryDirectory() as folder:  # a test's own folder has too long a name for a socket
        monkeypatch.setenv("XDG_RUNTIME_DIR", folder)
        yield


@pytest.fixture
def process_kept() -> Iterator[None]:
    """Puts back what `ui.main.main` sets in its process: how garbage is collected, and how often threads switch. In a
    test's process it would hold for all tests after it, and their garbage would stay for ever."""
    callbacks, thresholds, interval = list(gc.callbacks), gc.get_threshold(), sys.getswitchinterval()
    yield
    gc.callbacks[:] = callbacks
    gc.set_threshold(*thresholds)
    sys.setswitchinterval(interval)
