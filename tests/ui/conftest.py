# SPDX-License-Identifier: EUPL-1.2
"""What the program does once it has an application: screen readers are told what the widgets say of themselves."""

import pytest
from PySide6.QtWidgets import QApplication

from ui.kit import faces


@pytest.fixture(autouse=True)
def spoken(qapp: QApplication) -> None:
    """As in ui/main.py."""
    faces.install()
