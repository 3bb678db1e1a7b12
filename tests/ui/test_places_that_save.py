# SPDX-License-Identifier: EUPL-1.2
"""Every place that saves a file outside Kansli or prints is known, with the policy that it heeds: a new one decides."""

import ast
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow  # reads every source

ROOT = Path(__file__).resolve().parents[2]
MAKERS = {"save_file", "QPrinter", "QPdfWriter", "QPrintDialog", "print_dialog"}
PRINTERS = {"QPrinter", "QPrintDialog"}
KNOWN = {
    "ui/chat/copies.py": "a changed copy of a room's file: allow-export, by Opening",
    "ui/chat/message_actions.py": "a room's file: allow-export, by ChatService.check_export",
    "ui/documents/exporting.py": "a document: allow-export, and allow-print for PDF, by DocumentFiles",
    "ui/documents/pdf.py": "makes in memory what exporting was allowed to save",
    "ui/documents/preview.py": "prints a document: allow-print, by DocumentFiles.check_print",
    "ui/kit/printing.py": "makes the printer and the dialog for the places that call print_dialog",
    "ui/shell/settings/recovery_sheet_dialog.py": "the recovery sheet: allow-print, given by RecoveryCard",
    "ui/shell/settings/recovery_sheet_paper.py": "draws what sheet_dialog was allowed to",
    "ui/shell/room/events_dialog.py": "what happened in a room, as text: allow-export, by EventsDialog",
    "ui/viewer/printing.py": "a shown picture or PDF: allow-print, and allow-export for a file, by Item",
    "ui/shell/window/revoked.py": "unsent work, sealed for the person's other devices: always",
    "ui/shell/settings/diagnosis_dialog.py": "the report for support, without content: always",
}


def test_each_place_that_saves_or_prints_is_known() -> None:
    found = {
        str(path.relative_to(ROOT))
        for part in ("app", "ui")
        for path in (ROOT / part).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in MAKERS
    }
    assert found == set(KNOWN)


def test_every_printer_and_its_dialog_are_made_in_one_place() -> None:
    """There the job gets its name, and Qt's own file dialog is kept from storing folders."""
    found = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "ui").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in ("QPrinter", "QPrintDialog")
    }
    assert found == {"ui/kit/printing.py"}


def test_nothing_prints_by_a_widgets_own_method() -> None:
    """QTextDocument.print_ and QWebEngineView.print would pass by what is looked for above."""
    wrong = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in (ROOT / "ui").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
        and node.attr in ("print_", "printToPdf", "getSaveFileName", "saveFileContent")
    ]
    assert not wrong, ", ".join(wrong)
