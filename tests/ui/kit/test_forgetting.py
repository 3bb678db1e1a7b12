# SPDX-License-Identifier: EUPL-1.2
"""What assistive technology noted of a window, when it ends before the window is covered, and begins again."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QApplication, QLabel, QWidget
from pytestqt.qtbot import QtBot

from tests.ui.faces import face
from ui.kit import forgetting
from ui.kit.covering import Cover

TEXT = "Sekretess: ärendet å 🙂"


class Office:
    """A window with a text, and a gate that covers it."""

    def __init__(self, qtbot: QtBot) -> None:
        self.window, self.gate = QWidget(), QWidget()
        self.label = QLabel(TEXT, self.window)
        for each in (self.window, self.gate):
            qtbot.addWidget(each)
            each.show()
        self.cover = Cover(self.gate)


@pytest.fixture
def office(qtbot: QtBot, qapp: QApplication) -> Iterator[Office]:
    yield Office(qtbot)
    QAccessible.setActive(False)


def test_attack_what_a_reader_that_ended_before_noted_cannot_be_asked_for_by_the_next(
    qtbot: QtBot, office: Office
) -> None:
    QAccessible.setActive(True)
    noted = QAccessible.uniqueId(face(office.label))
    QAccessible.setActive(False)
    office.cover.fall()
    QAccessible.setActive(True)
    qtbot.waitUntil(lambda: QAccessible.accessibleInterface(noted) is None)  # after those of all tests before
    assert face(office.label).text(QAccessible.Text.Name) == ""
    office.cover.lift()


def test_a_reader_that_begins_after_the_cover_was_lifted_reads_what_another_asked_for_under_it(office: Office) -> None:
    QAccessible.setActive(True)
    office.cover.fall()
    assert face(office.label).text(QAccessible.Text.Name) == ""
    QAccessible.setActive(False)
    office.cover.lift()
    QAccessible.setActive(True)
    assert face(office.label).text(QAccessible.Text.Name) == TEXT


def test_interfaces_are_deleted_in_the_order_in_which_they_were_made(
    office: Office, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that is still there could otherwise be asked for a child that is deleted already."""
    QAccessible.setActive(True)
    numbers = [QAccessible.uniqueId(face(each)) for each in (office.window, office.label)]
    deleted: list[int] = []
    delete = QAccessible.deleteAccessibleInterface

    def noted(number: int) -> None:
        deleted.append(number)
        delete(number)

    monkeypatch.setattr(QAccessible, "deleteAccessibleInterface", noted)
    monkeypatch.setattr(forgetting, "_AT_ONCE", 2**31)
    office.cover.fall()
    assert set(numbers) <= set(deleted)
    assert deleted == sorted(deleted)
    office.cover.lift()


MADE_UNDER_IT = """
import gc
from PySide6.QtCore import QEvent
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QApplication, QListWidget, QWidget
from ui.kit import faces
from ui.kit.covering import Cover

application = QApplication([])
faces.install()
QAccessible.setActive(True)
window, gate = QWidget(), QWidget()
for each in (window, gate):
    each.show()
Cover(gate).fall()
for _ in range(50):
    made = QListWidget(window)
    made.addItem("Ärende å 🙂")
    found = QAccessible.queryAccessibleInterface(made)
    assert (found.text(QAccessible.Text.Name), found.childCount()) == ("", 0)
    del found
    made.deleteLater()
    del made
    application.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    gc.collect()
print("all are gone")
"""


def test_a_list_that_is_made_and_deleted_under_the_cover_does_not_end_the_process() -> None:
    """▲ Qt asks in the constructor of a list, for which Python has no object of its own by then."""
    done = subprocess.run(
        [sys.executable, "-c", MADE_UNDER_IT],
        capture_output=True,
        cwd=Path(__file__).parents[3],
        timeout=60,
        env=os.environ | {"QT_QPA_PLATFORM": "offscreen", "LC_ALL": "C.UTF-8"},
        check=False,
    )
    assert done.stdout.decode().split("\n")[0] == "all are gone", done.stderr.decode()
