# SPDX-License-Identifier: EUPL-1.2
"""A fault of ours is shown by one dialog with a code that leads to a report; a fault of the world by its sentence."""

import zipfile
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QWidget
from pytestqt.qtbot import QtBot

from app.core.i18n import set_language
from app.errors import BadChange, BugError, DiskFull
from app.session import Session
from tests.ui.finding import toast_of
from tests.world import until
from ui.kit import tasks
from ui.kit.bug_dialog import BugDialog, BugNotifier
from ui.kit.errors import MINUTE_S, Counted
from ui.shell.settings.diagnosis_dialog import DiagnosisDialog
from ui.shell.window.main_window import MainWindow
from ui.stage import Stage


def raised(error: Exception) -> Exception:
    """With the place where it was raised."""
    try:
        raise error
    except Exception as caught:
        return caught


def raised_elsewhere(error: Exception) -> Exception:
    try:
        raise error
    except Exception as caught:
        return caught


def dialogs(window: QWidget) -> list[BugDialog]:
    return [dialog for dialog in window.findChildren(BugDialog) if dialog.isVisible()]


def test_a_fault_of_ours_opens_one_dialog_which_counts_what_follows(window: MainWindow) -> None:
    tasks.report(window, raised(RuntimeError("hemligt å 🙂")))
    (dialog,) = dialogs(window)
    first = dialog.lines()[0]
    assert first.startswith("Kod: bug-test_bug_dialog-")
    tasks.report(window, raised(RuntimeError("hemligt")))
    tasks.report(window, raised_elsewhere(BugError("hemligt")))
    assert dialogs(window) == [dialog]
    assert dialog.lines()[0] == f"{first} · 2 gånger"
    assert len(dialog.lines()) == 2
    shown = " ".join(label.text() for label in dialog.findChildren(QLabel))
    assert dialog.lines()[0] in shown
    assert dialog.lines()[0] in dialog.accessibleDescription()
    assert "hemligt" not in shown


@pytest.mark.parametrize("error", [DiskFull(), BadChange("oversize")])
def test_what_is_no_fault_of_ours_is_shown_by_its_sentence(window: MainWindow, error: Exception) -> None:
    tasks.report(window, raised(error))
    assert dialogs(window) == []
    assert toast_of(window).isVisible()
    if isinstance(error, DiskFull):
        assert toast_of(window).text().startswith("Disken är full.")


@pytest.mark.parametrize(("language", "button"), [("sv", "Rapportera till it"), ("en", "Report to IT")])
async def test_the_report_to_it_holds_the_code(
    window: MainWindow, session: Session, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, language: str, button: str
) -> None:
    session.profile.logs_folder.mkdir(exist_ok=True)
    (session.profile.logs_folder / "kansli.log").write_text("ui opened\n")

    async def where(parent: object, title: str, name: str, filters: str = "") -> Path:
        return tmp_path / "report.zip"

    monkeypatch.setattr("ui.shell.settings.diagnosis_dialog.save_file", where)
    set_language(language)
    tasks.report(window, raised(RuntimeError()))
    (dialog,) = dialogs(window)
    code = dialog.lines()[0]
    assert dialog.accept_button.text() == button
    dialog.accept_button.click()
    await until(lambda: bool(window.findChildren(DiagnosisDialog)))
    report = window.findChildren(DiagnosisDialog)[0]
    assert code in report.text.toPlainText()
    report.accept_button.click()
    await until(lambda: (tmp_path / "report.zip").exists())
    with zipfile.ZipFile(tmp_path / "report.zip") as saved:
        assert saved.read("fault.txt").decode() == f"{code}\n"
        assert "logs/kansli.log" in saved.namelist()


def test_enter_closes_the_dialog_and_the_keyboard_reaches_both_buttons(window: MainWindow) -> None:
    reported: list[object] = []
    notifier = BugNotifier(window, reported.append)
    notifier.show_fault(raised(RuntimeError()))
    (dialog,) = dialogs(window)
    before = dialog.focusWidget()
    assert before is not None
    QTest.keyClick(before, Qt.Key.Key_Tab)
    QTest.keyClick(dialog.focusWidget() or dialog, Qt.Key.Key_Tab)
    assert {before, dialog.accept_button} <= set(dialog.buttons.buttons())
    QTest.keyClick(dialog, Qt.Key.Key_Return)
    assert dialogs(window) == []
    assert reported == []


def test_a_closed_dialog_comes_back_after_a_minute_with_what_came_since(qtbot: QtBot) -> None:
    now = [0.0]
    window = QWidget()
    qtbot.addWidget(window)
    window.show()
    notifier = BugNotifier(window, lambda _lines: None, Counted(lambda: now[0]))
    errors = [raised(RuntimeError()) for _ in range(4)]
    notifier.show_fault(errors[0])
    dialogs(window)[0].reject()
    for error in errors[1:3]:
        notifier.show_fault(error)
    assert dialogs(window) == []
    now[0] = MINUTE_S
    notifier.show_fault(errors[3])
    assert dialogs(window)[0].lines()[0].endswith("3 gånger")


def test_a_hidden_window_shows_nothing(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    notifier = BugNotifier(window, lambda _lines: None)
    notifier.show_fault(raised(RuntimeError()))
    assert notifier.dialog is None


@pytest.mark.parametrize("error", [RuntimeError(), DiskFull()])
def test_at_the_gate_too_what_nobody_caught_is_shown(qtbot: QtBot, session: Session, error: Exception) -> None:
    stage = Stage(session.settings, lambda: True, background=False, report=dict)
    stage.show_gate(QWidget())
    assert stage.gate is not None
    qtbot.addWidget(stage.gate)
    tasks.report(stage.gate, raised(error))
    (dialog,) = dialogs(stage.gate)
    assert bool(isinstance(error, DiskFull)) is dialog.lines()[0].endswith("disk-full")
    dialog.reject()
