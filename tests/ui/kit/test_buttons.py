# SPDX-License-Identifier: EUPL-1.2
"""Buttons by keyboard: Enter presses the one that has the focus, as space does."""

import ast
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QLabel, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from ui.kit.buttons import IconButton, PlainButton, RowButton, TextButton
from ui.kit.dialogs import Dialog

ROOT = Path(__file__).parents[3]
QTS = {"QPushButton", "QToolButton", "QAbstractButton"}
BY_ITSELF = {
    "ui/kit/dialogs.py": "Qt presses the focused button of a dialog's own",
    "ui/chat/emoji.py": "the panel does it",
    "ui/tasks/card_widget.py": "Enter opens the card",
}

Make = Callable[[], QAbstractButton]
MAKERS: list[Make] = [
    lambda: TextButton("Spara"),
    lambda: IconButton("add", "Nytt"),
    lambda: RowButton("Rad"),
    lambda: PlainButton("Öppna"),
]


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space])
def test_enter_and_space_press_the_focused_button(qtbot: QtBot, make: Make, key: Qt.Key) -> None:
    window, presses = QWidget(), list[bool]()
    button, layout = make(), QVBoxLayout(window)
    layout.addWidget(QLabel("å"))
    layout.addWidget(button)
    button.clicked.connect(lambda: presses.append(True))
    qtbot.addWidget(window)
    window.show()
    button.setFocus()
    QTest.keyClick(button, key)
    assert len(presses) == 1
    button.setEnabled(False)
    QTest.keyClick(button, key)
    assert len(presses) == 1


@pytest.mark.parametrize("make", MAKERS)
def test_enter_in_a_dialog_presses_the_focused_button_and_not_the_default_one(qtbot: QtBot, make: Make) -> None:
    parent, presses = QWidget(), list[bool]()
    qtbot.addWidget(parent)
    parent.show()
    dialog = Dialog(parent, "Avsluta?", accept="Försök igen")
    button = make()
    dialog.body.addWidget(button)
    button.clicked.connect(lambda: presses.append(True))
    dialog.show()
    button.setFocus()
    QTest.keyClick(button, Qt.Key.Key_Return)
    assert len(presses) == 1
    assert dialog.isVisible()
    dialog.close()


def deaf(name: str, tree: ast.AST) -> list[str]:
    """The buttons of Qt's own that a file makes, and the kinds that it derives from them alone."""
    found: list[str] = []
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id=cls) | ast.Attribute(attr=cls)) if cls in QTS:
                found.append(f"{name}:{node.lineno} {cls}()")
            case ast.ClassDef(bases=bases) if {ast.unparse(b) for b in bases} & QTS:
                if ast.unparse(bases[0]) != "Entered":
                    found.append(f"{name}:{node.lineno} class {node.name}")
    return found


def test_every_button_is_of_a_kind_that_enter_presses() -> None:
    wrong: list[str] = []
    for path in sorted((ROOT / "ui").rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        if name not in BY_ITSELF:
            wrong += deaf(name, ast.parse(path.read_text(encoding="utf-8")))
    assert wrong == []


@pytest.mark.parametrize("source", ["a = QPushButton('a')", "a = Q.QToolButton()", "class A(QPushButton): pass"])
def test_a_button_that_enter_does_not_press_is_seen(source: str) -> None:
    assert deaf("x", ast.parse(source))


def test_a_click_on_a_part_of_a_row_presses_the_row(qtbot: QtBot) -> None:
    row = RowButton("Rad å")
    layout, part = QVBoxLayout(row), QLabel("Tillsyn 🖍")
    layout.addWidget(part)
    qtbot.addWidget(row)
    row.show()
    assert row.childAt(part.geometry().center()) is part
    row.take_clicks()
    assert row.childAt(part.geometry().center()) is None


def test_a_button_that_shows_the_same_again_sets_no_name(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    button, named = TextButton("Byt namn"), list[str]()
    qtbot.addWidget(button)
    button.show_text("Byt namn", "Byt namn: Dator å 🖍")
    assert (button.text(), button.accessibleName()) == ("Byt namn", "Byt namn: Dator å 🖍")
    monkeypatch.setattr(button, "setAccessibleName", named.append)
    button.show_text("Byt namn", "Byt namn: Dator å 🖍")
    assert named == []
    button.show_text("Avsluta")
    assert named[-1] == "Avsluta"
