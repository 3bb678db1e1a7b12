# SPDX-License-Identifier: EUPL-1.2
"""What holds for every test of ui/: it leaves the text size and the density as it found them."""

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication

from ui.kit import scale, theme


@pytest.fixture(autouse=True)
def usual_size() -> Iterator[None]:
    yield
    app = QApplication.instance()
    if isinstance(app, QApplication) and (scale.text_size(), scale.density()) != (100, "normal"):
        app.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)  # what is gone would be laid out again
        theme.resize(app, 100, "normal")
