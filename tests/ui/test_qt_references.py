# SPDX-License-Identifier: EUPL-1.2
"""Qt's binding keeps the reference counts of None and True: PySide6 6.12.0 does not (docs/decisions/0001)."""

import sys

from PySide6.QtCore import QObject, Signal

CALLS = 2000
# Other code may keep or drop a few references meanwhile; the fault drops one at each call.
SLACK = 100


class _Emitter(QObject):
    done = Signal(bool)


def test_calls_that_return_nothing_keep_the_count_of_none() -> None:
    subject = QObject()
    before = sys.getrefcount(None)
    for _ in range(CALLS):
        subject.setObjectName("å")
    assert abs(sys.getrefcount(None) - before) < SLACK


def test_signals_keep_the_count_of_true() -> None:
    subject = _Emitter()
    before = sys.getrefcount(True)
    for _ in range(CALLS):
        subject.done.emit(True)
    assert abs(sys.getrefcount(True) - before) < SLACK
