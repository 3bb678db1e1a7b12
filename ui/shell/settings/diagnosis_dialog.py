# SPDX-License-Identifier: EUPL-1.2
"""The report to the IT department: everything that would be in it, then a file chosen for it. Nothing is sent."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from ui.kit.dialogs import Dialog, save_file, show
from ui.kit.faces import leave_focus
from ui.kit.scale import hold
from ui.kit.translate import local_now, tr

Make = Callable[[], Mapping[str, str]]
"""Reads the report's files by name; called in a thread."""
Write = Callable[[Mapping[str, str], Path], None]


async def show_diagnosis(parent: QWidget, make: Make, write: Write, target: Path | None = None) -> Path | None:
    """Makes the report to IT, shows it, and if the person agrees, writes it: to `target`, or if that is None, to a file
    that the person chooses. `make` returns the report's files by name, `write` writes them to a path; both are called
    in a thread. Returns the file, or None if the person did not agree or chose no file. FileUnreadable if it cannot be
    written."""
    parts = await asyncio.to_thread(make)
    if not await show(DiagnosisDialog(parent, parts)):
        return None
    if target is None:
        name = f"kansli-{local_now().date().isoformat()}.zip"
        target = await save_file(parent, tr("Save the report"), name, tr("Zip file (*.zip)"))
    if target is not None:
        await asyncio.to_thread(write, parts, target)
    return target


async def report_fault(parent: QWidget, make: Make, write: Write, lines: Sequence[str]) -> Path | None:
    """Makes the report to IT (`make`) with one file more, of the `lines` (the codes of a fault that the person has just
    seen), shows it, and if the person agrees, writes it (`write`) where they choose. Returns the file, or None if the
    person did not want it. FileUnreadable if it cannot be written."""
    return await show_diagnosis(parent, lambda: {"fault.txt": "".join(f"{line}\n" for line in lines), **make()}, write)


class DiagnosisDialog(Dialog):
    """A dialog that shows the whole report to IT as text, to be read before it is saved. `parts` are its files by name.
    Accepted: the person wants to save it, which the caller does."""

    def __init__(self, parent: QWidget | None, parts: Mapping[str, str]) -> None:
        super().__init__(parent, tr("Report to the IT department"), accept=tr("Save…"), width=720)
        self.add_text(
            tr(
                "This is all that the report holds: versions, settings and the program's own log. Nothing that anybody"
                " has written, no names and no addresses. It is saved as a file and sent to nobody."
            )
        )
        self.text = QPlainTextEdit("\n".join(f"— {name} —\n{text}" for name, text in parts.items()))
        leave_focus(self.text)
        self.text.setReadOnly(True)
        self.text.setTabChangesFocus(True)
        self.text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.text.setAccessibleName(tr("Content of the report"))
        self.text.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByKeyboard | Qt.TextInteractionFlag.TextSelectableByMouse
        )
        hold(self.text, least_height=380)
        self.body.addWidget(self.text)
