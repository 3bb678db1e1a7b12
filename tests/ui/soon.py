# SPDX-License-Identifier: EUPL-1.2
"""What a view shows `Soon`, now: a test does not wait for the pause between two refreshes."""

from PySide6.QtCore import QObject, QTimer

from ui.kit.bind import Soon


def caught_up(root: QObject) -> None:
    """Lets every `Soon` below that is due call its method."""
    for soon in root.findChildren(Soon):
        caught_up_one(soon)


def caught_up_one(soon: Soon) -> None:
    """Lets this `Soon` call its method, if it is due."""
    timer = soon.findChild(QTimer)
    assert isinstance(timer, QTimer)
    if timer.isActive():
        timer.stop()
        timer.timeout.emit()
