# SPDX-License-Identifier: EUPL-1.2
"""The faults of docs/upstream/qt.md are still there. One that is mended needs nothing of ours any more."""

import subprocess
import sys
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QStringListModel
from PySide6.QtWidgets import QLineEdit, QListView, QPlainTextEdit, QTabBar, QTextEdit, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from tests.ui.faces import Role, child, face, listening, walk
from ui.kit import faces


@pytest.fixture(autouse=True)
def _as_qt_is(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(faces, "FOREIGN", {})
    yield from listening()


def shown(qtbot: QtBot, made: QWidget) -> QWidget:
    """Its window, in which another field has the focus."""
    window, field = QWidget(), QLineEdit()
    qtbot.addWidget(window)
    layout = QVBoxLayout(window)
    layout.addWidget(made)
    layout.addWidget(field)
    window.show()
    qtbot.waitUntil(window.isActiveWindow)
    field.setFocus()
    assert field.hasFocus()
    return window


def test_1_a_text_shows_neither_headings_nor_lists(qtbot: QtBot) -> None:
    made = QTextEdit()
    made.setHtml("<h1>Rubrik å</h1><ul><li>ett</li></ul>")
    window = shown(qtbot, made)
    assert window.isVisible()
    roles = {found.role() for found in walk(face(made))}
    assert not roles & {Role.Heading, Role.List, Role.ListItem, Role.Paragraph}


def test_2_a_row_has_the_focus_while_its_list_has_not(qtbot: QtBot) -> None:
    made = QListView()
    made.setModel(QStringListModel(["å", "ä"], made))
    made.setCurrentIndex(made.model().index(1, 0))
    window = shown(qtbot, made)
    assert window.isVisible()
    assert child(face(made), 1).state().focused


def test_3_a_tab_has_the_focus_while_its_bar_has_not(qtbot: QtBot) -> None:
    made = QTabBar()
    made.addTab("å")
    window = shown(qtbot, made)
    assert window.isVisible()
    assert child(face(made), 0).state().focused


def test_4_the_inside_of_a_text_field_has_the_focus_too(qtbot: QtBot) -> None:
    made = QPlainTextEdit()
    window = shown(qtbot, made)
    assert window.isVisible()
    made.setFocus()
    assert face(made).state().focused
    assert child(face(made), 0).state().focused


CAST = """
from PySide6.QtGui import QAccessible, QAccessibleInterface
from PySide6.QtWidgets import QApplication, QLabel
import shiboken6
app = QApplication([])
class Told(QAccessibleInterface):
    def interface_cast(self, t): return {answer}
    def isValid(self): return True
    def object(self): return label
    def role(self): return QAccessible.Role.Heading
kept = []
def make(name, thing):
    kept.append(Told())
    return kept[-1]
label = QLabel("x")
QAccessible.installFactory(make)
QAccessible.setActive(True)
found = QAccessible.queryAccessibleInterface(label)
print("asked", found.actionInterface(), flush=True)
"""


@pytest.mark.parametrize(("answer", "ends_well"), [("None", False), ("shiboken6.VoidPtr(0)", True)])
def test_6_a_cast_to_nothing_ends_the_process(answer: str, ends_well: bool) -> None:
    run = subprocess.run(
        [sys.executable, "-c", CAST.replace("{answer}", answer)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ("asked None" in run.stdout) is ends_well, run.stderr
