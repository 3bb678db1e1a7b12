# SPDX-License-Identifier: EUPL-1.2
"""Qt's binding keeps the reference counts of None and True: PySide6 6.12.0 does not (docs/decisions/0001). And nobody
asks a widget for its screen, which would go with the widget (ui/kit/screens.py)."""

import ast
import sys
from pathlib import Path

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


def test_no_widget_is_asked_for_its_screen() -> None:
    """▲ The garbage collector would delete the screen with it, and the next change of style would end the program."""
    calls = [
        f"{path.name}:{node.lineno}"
        for path in sorted((Path(__file__).parents[2] / "ui").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "screen"
    ]
    assert calls == []
