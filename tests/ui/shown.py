# SPDX-License-Identifier: EUPL-1.2
"""What a dialog shows, and waiting until it does."""

from collections.abc import Callable

from PySide6.QtWidgets import QApplication, QLabel

from tests.ui.soon import caught_up
from tests.world import until
from ui.kit.dialogs import Dialog


def words(of: Dialog) -> str:
    """The texts of all labels in the dialog that are shown, in one line."""
    QApplication.processEvents()  # what was put into a layout is shown then
    return " ".join(x.text() for x in of.findChildren(QLabel) if x.isVisibleTo(of))


async def shows(of: Dialog, look: Callable[[], bool]) -> None:
    """Waits until `look` is true. Lets the dialog refresh meanwhile."""

    def now() -> bool:
        caught_up(of)
        QApplication.processEvents()
        return look()

    await until(now)
