# SPDX-License-Identifier: EUPL-1.2
"""Questions as coroutines: always `open()` and a future, never `exec()`, which would stop every other task."""

import asyncio
import os
from pathlib import Path

import shiboken6
from PySide6.QtCore import QDir, QSettings, QStandardPaths, Qt
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from ui.kit.error_line import ErrorLine
from ui.kit.style import label, set_props
from ui.kit.translate import tr


class Dialog(QDialog):
    """The frame of every dialog: title, content, buttons in the platform's order. `body` takes the content.

    `danger`: the accepting button is red and never the one that Enter presses by itself.
    """

    def __init__(
        self,
        parent: QWidget | None,
        title: str,
        *,
        accept: str,
        cancel: str | None = None,
        danger: bool = False,
        width: int = 440,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setAccessibleName(title)
        self.setMinimumWidth(width)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(24, 20, 24, 20)
        outer.setSpacing(16)
        outer.addWidget(label(title, "heading"))
        self.body = QVBoxLayout()
        self.body.setSpacing(10)
        outer.addLayout(self.body)
        self.buttons = QDialogButtonBox()
        self.accept_button = QPushButton(accept)
        set_props(self.accept_button, kind="danger" if danger else "primary")
        reject = QPushButton(cancel or tr("Cancel"))
        self.buttons.addButton(self.accept_button, QDialogButtonBox.ButtonRole.AcceptRole)
        self.buttons.addButton(reject, QDialogButtonBox.ButtonRole.RejectRole)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        outer.addWidget(self.buttons)
        first = reject if danger else self.accept_button  # a bare Enter never does what cannot be undone
        first.setDefault(True)
        if danger:
            reject.setFocus()

    def add_text(self, text: str, kind: str = "muted") -> QLabel:
        """A wrapped paragraph in the body."""
        paragraph = label(text, kind, wrap=True)
        self.body.addWidget(paragraph)
        return paragraph

    def add_error(self) -> ErrorLine:
        """The line in the body that says what went wrong."""
        line = ErrorLine()
        self.body.addWidget(line)
        return line

    def add_field(self, name: str, value: str = "", *, secret: bool = False) -> QLineEdit:
        """A labelled line in the body."""
        caption = label(name, "label")
        field = QLineEdit(value)
        field.setAccessibleName(name)
        field.setEchoMode(QLineEdit.EchoMode.Password if secret else QLineEdit.EchoMode.Normal)
        caption.setBuddy(field)
        self.body.addWidget(caption)
        self.body.addWidget(field)
        return field

    def showEvent(self, event: object) -> None:
        if self.hasHeightForWidth():  # wrapped texts ask for the height that they would have if they were narrower
            self.resize(self.width(), self.heightForWidth(self.width()))


async def show(dialog: QDialog) -> bool:
    """Opens a dialog and waits until it is answered; True if accepted. The dialog is deleted afterwards."""
    answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def finish(result: int) -> None:
        if not answer.done():
            answer.set_result(result)

    dialog.finished.connect(finish)
    dialog.destroyed.connect(lambda: answer.cancel())
    dialog.open()
    try:
        return await answer == QDialog.DialogCode.Accepted.value
    finally:
        _dispose(dialog)


def _dispose(dialog: QDialog) -> None:
    if shiboken6.isValid(dialog):
        dialog.close()
        dialog.deleteLater()


async def ask(parent: QWidget, title: str, name: str, *, value: str = "", accept: str | None = None) -> str | None:
    """Asks for one line of text; None if cancelled or empty."""
    dialog = Dialog(parent, title, accept=accept or tr("OK"))
    field = dialog.add_field(name, value)
    field.selectAll()
    field.setFocus()
    text = ""

    def remember(now: str) -> None:
        nonlocal text
        text = now.strip()
        dialog.accept_button.setEnabled(bool(text))

    field.textChanged.connect(remember)
    remember(value)
    return text if await show(dialog) and text else None


async def confirm(parent: QWidget, title: str, text: str, *, accept: str, danger: bool = False) -> bool:
    """Asks before what cannot be undone. `accept` is the verb on the button."""
    dialog = Dialog(parent, title, accept=accept, danger=danger)
    dialog.add_text(text, "body")
    return await show(dialog)


async def open_files(parent: QWidget, title: str, filters: str = "") -> list[Path]:
    """Lets the person choose several files to read."""
    dialog = _file_dialog(parent, title, filters)
    dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
    chosen: list[str] = []
    dialog.filesSelected.connect(chosen.extend)
    return [Path(p) for p in chosen] if await show(dialog) else []


async def open_file(parent: QWidget, title: str, filters: str = "") -> Path | None:
    """Lets the person choose one file to read."""
    dialog = _file_dialog(parent, title, filters)
    dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
    return await _path(dialog)


async def save_file(parent: QWidget, title: str, name: str, filters: str = "") -> Path | None:
    """Lets the person choose where to write; asks before replacing a file."""
    dialog = _file_dialog(parent, title, filters)
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.selectFile(name)
    return await _path(dialog)


def _file_dialog(parent: QWidget, title: str, filters: str) -> QFileDialog:
    """Nothing is kept beyond this run: where Qt shows a dialog of its own, it would write the visited folders' names to
    ~/.config/QtProject.conf, in plain and outside the profile. It begins among the person's documents, not where the
    program was started, and goes on where one was.
    """
    QSettings.setPath(QSettings.Format.NativeFormat, QSettings.Scope.UserScope, os.devnull)
    dialog = QFileDialog(parent, title, "", filters)
    if dialog.directory() == QDir.current():
        documents = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)
        dialog.setDirectory(documents if QDir(documents).exists() else QDir.homePath())
    return dialog


async def _path(dialog: QFileDialog) -> Path | None:
    chosen: list[str] = []
    dialog.filesSelected.connect(chosen.extend)
    return Path(chosen[0]) if await show(dialog) and chosen else None
