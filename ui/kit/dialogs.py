# SPDX-License-Identifier: EUPL-1.2
"""Questions as coroutines: always `open()` and a future, never `exec()`, which would stop every other task."""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path

import shiboken6
from PySide6.QtCore import QDir, QEvent, QObject, QSettings, QSize, QStandardPaths, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QAbstractSlider,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from ui.kit import plain, theme
from ui.kit.announcing import settle
from ui.kit.card import scroll
from ui.kit.error_line import ErrorLine
from ui.kit.laying_out import lay_out_first
from ui.kit.plain import Label, set_title
from ui.kit.progress import Spinner
from ui.kit.scale import px, spread
from ui.kit.screens import area_of
from ui.kit.style import column, label, line, set_props
from ui.kit.translate import tr

_AIR_PX = 16
"""Between a high dialog and the upper and lower edge of its window."""
_LEAST_PX = 120
"""That much of the content is shown in the lowest window."""
_AS_NEEDED, _NEVER = Qt.ScrollBarPolicy.ScrollBarAsNeeded, Qt.ScrollBarPolicy.ScrollBarAlwaysOff
_SCROLLS = {
    Qt.Key.Key_PageUp: QAbstractSlider.SliderAction.SliderPageStepSub,
    Qt.Key.Key_PageDown: QAbstractSlider.SliderAction.SliderPageStepAdd,
    Qt.Key.Key_Home: QAbstractSlider.SliderAction.SliderToMinimum,
    Qt.Key.Key_End: QAbstractSlider.SliderAction.SliderToMaximum,
}

_used: list[Path] = []
"""The folder that was used last, if any. Only in memory: locking replaces the process (ui/desktop/again.py)."""


class Dialog(QDialog):
    """The base class of every dialog: title, content, buttons in the platform's order. `body` is the layout for the
    content. `accept` and `cancel` are the texts of the buttons.

    It is as high as what it shows at the moment. Where the window is lower, the content scrolls between title and
    buttons, by wheel and by Page Up, Page Down, Home and End.

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
        set_title(self, title)
        lay_out_first(self)
        self.setAccessibleName(title)
        self._width = width
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
        self._outer = outer = QVBoxLayout(self)
        spread(outer, (24, 20, 24, 20), 16, upright=True)
        outer.addWidget(label(title, "heading", wrap=True))
        self._content = QWidget()
        self.body = column(self._content, spacing=10)
        self._area = scroll(self._content, title)
        self._area.setMinimumHeight(1)
        outer.addWidget(self._area, 1)
        self._content.installEventFilter(self)
        theme.on_change(self, self._on_look)
        self._needs = QSize()
        self._add_buttons(accept, cancel or tr("Cancel"), danger=danger)

    def _add_buttons(self, accept: str, cancel: str, *, danger: bool) -> None:
        self.buttons = QDialogButtonBox()
        self.accept_button = QPushButton(accept)
        set_props(self.accept_button, kind="danger" if danger else "primary")
        reject = QPushButton(cancel)
        self.buttons.addButton(self.accept_button, QDialogButtonBox.ButtonRole.AcceptRole)
        self.buttons.addButton(reject, QDialogButtonBox.ButtonRole.RejectRole)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        self._foot = line(spacing=8)
        self._foot.addWidget(self.buttons, 1)
        self._outer.addLayout(self._foot)
        first = reject if danger else self.accept_button  # a bare Enter never does what cannot be undone
        first.setDefault(True)
        if danger:
            reject.setFocus()

    def add_text(self, text: str, kind: str = "muted") -> Label:
        """Adds a paragraph of wrapped text to the dialog and returns it. `kind` is its look."""
        paragraph = label(text, kind, wrap=True)
        self.body.addWidget(paragraph)
        return paragraph

    def add_error(self) -> ErrorLine:
        """Adds a line that shows what went wrong and returns it; it is hidden until it has a text."""
        error = ErrorLine()
        self.body.addWidget(error)
        return error

    def add_spinner(self) -> Spinner:
        """Adds a spinner beside the dialog's buttons, to be started while the person waits for something."""
        spinner = Spinner()
        self._foot.insertWidget(0, spinner)
        return spinner

    def add_field(self, name: str, value: str = "", *, secret: bool = False) -> QLineEdit:
        """Adds a field for one line of text, with `value` in it, under the label `name`. `secret`: what is typed is not
        shown."""
        caption = label(name, "label")
        field = QLineEdit(value)
        field.setAccessibleName(name)
        field.setEchoMode(QLineEdit.EchoMode.Password if secret else QLineEdit.EchoMode.Normal)
        caption.setBuddy(field)
        self.body.addWidget(caption)
        self.body.addWidget(field)
        return field

    def _on_look(self) -> None:
        if self.isVisible():
            self._fit()

    def showEvent(self, event: object) -> None:
        self._fit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.LayoutRequest and self.isVisible():
            self._fit()
        return False

    def keyPressEvent(self, event: QKeyEvent) -> None:
        scrolled = _SCROLLS.get(Qt.Key(event.key()))
        if scrolled is None:
            super().keyPressEvent(event)
        else:
            self._area.verticalScrollBar().triggerAction(scrolled)

    def _fit(self) -> None:
        """Gives the dialog the height that its content needs now, at most that of the window below it; the content then
        scrolls. A height that the person has given it stays only until the content needs another size."""
        outer, content = self._outer, self.body
        content.activate()
        edges = outer.contentsMargins()
        least = content.minimumSize().width()
        window = _room(self)
        around = edges.left() + edges.right()
        wanted = max(px(self._width), least + around, self._foot.minimumSize().width() + around)
        self.setMinimumWidth(min(wanted, window.width() - 2 * _AIR_PX))
        width = max(self.width(), self.minimumWidth()) - around
        sideways = least > width  # then it scrolls to the side too
        width = max(width, least)
        # wrapped texts ask for the height that they would have if they were narrower
        height = content.totalHeightForWidth(width) if content.hasHeightForWidth() else content.totalSizeHint().height()
        if self._needs == QSize(width, height):
            return
        self._needs = QSize(width, height)
        across = max(self.width(), self.minimumWidth())  # a long heading has several lines
        around = outer.totalMinimumHeightForWidth(across) - self._area.minimumHeight()
        shown = min(height, max(_LEAST_PX, window.height() - 2 * _AIR_PX - around))
        scrolls = shown < height
        bar = self._area.verticalScrollBar().sizeHint().width() if scrolls else 0
        self._area.setMinimumSize(0 if sideways else least + bar, shown)
        self._area.setHorizontalScrollBarPolicy(_AS_NEEDED if sideways else _NEVER)
        # a bar of before, which is still there, would make the texts narrower and higher
        self._area.setVerticalScrollBarPolicy(_AS_NEEDED if scrolls else _NEVER)
        outer.activate()
        self.resize(max(self.width(), self.minimumWidth()), shown + around)


def _room(dialog: QDialog) -> QSize:
    """The size of the window over which a dialog is shown: of the first window below it that is no dialog itself.
    Without one, the size of the screen's free area."""
    parent = dialog.parentWidget()
    if parent is None:
        return area_of(dialog).size()
    window = parent.window()
    return _room(window) if isinstance(window, QDialog) else window.size()


async def show(dialog: QDialog) -> bool:
    """Opens a dialog and waits until the person has closed it. True if they accepted it. The dialog is deleted
    afterwards, also if the waiting task is cancelled. CancelledError if the dialog is destroyed meanwhile."""
    answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def finish(result: int) -> None:
        if not answer.done():
            answer.set_result(result)

    dialog.finished.connect(finish)
    dialog.destroyed.connect(lambda: answer.cancel())
    QDialog.open(dialog)  # PySide6's QPrintDialog has another method of this name, which needs a receiver
    try:
        return await answer == QDialog.DialogCode.Accepted.value
    finally:
        _dispose(dialog)


def _dispose(dialog: QDialog) -> None:
    if shiboken6.isValid(dialog):
        settle(dialog)
        dialog.close()
        dialog.deleteLater()


async def ask(parent: QWidget, title: str, name: str, *, value: str = "", accept: str | None = None) -> str | None:
    """Asks for one line of text in a dialog and returns it without spaces around it; None if cancelled or empty. `name`
    labels the field, `value` is in it at first, and `accept` is the verb on the button (None: OK)."""
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


async def confirm(
    parent: QWidget, title: str, text: str, *, accept: str, danger: bool = False, about: str = ""
) -> bool:
    """Asks in a dialog, with `title` and `text`, before something that cannot be undone; True if the person agrees.
    `accept` is the verb on the button, `about` names the thing in question. `danger`: the button is red, and Enter
    alone does not press it."""
    dialog = Dialog(parent, title, accept=accept, danger=danger)
    if about:
        dialog.add_text(about, "strong")
    dialog.add_text(text, "body")
    return await show(dialog)


async def open_files(parent: QWidget, title: str, filters: str = "") -> list[Path]:
    """Lets the person choose several files to read; empty if they cancel. `filters` are the kinds of files offered, in
    Qt's form."""
    dialog = _file_dialog(parent, title, filters)
    dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
    chosen: list[str] = []
    dialog.filesSelected.connect(chosen.extend)
    return _chosen(chosen) if await show(dialog) else []


async def open_file(parent: QWidget, title: str, filters: str = "") -> Path | None:
    """Lets the person choose one file to read; None if they cancel. `filters` are the kinds of files offered, in Qt's
    form."""
    dialog = _file_dialog(parent, title, filters)
    dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
    return await _path(dialog)


async def save_file(parent: QWidget, title: str, name: str, filters: str = "", suffix: str = "") -> Path | None:
    """Lets the person choose where to write a file, at first called `name`; None if they cancel. Asks before replacing
    a file. `suffix` is added to a name without one; `filters` are the kinds of files offered, in Qt's form."""
    dialog = _file_dialog(parent, title, filters)
    dialog.setDefaultSuffix(suffix)
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.selectFile(name)
    return await _path(dialog)


def _file_dialog(parent: QWidget, title: str, filters: str) -> QFileDialog:
    """Makes a file dialog that offers the kinds of files in `filters` (Qt's form). It begins in the folder that was
    used last since the program was started, if that still exists; otherwise among the person's documents, or in their
    home folder. The folder is not stored."""
    keep_no_places()
    dialog = QFileDialog(parent, plain.title(title), "", filters)
    documents = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)
    folders = [*map(str, _used), documents, QDir.homePath()]
    dialog.setDirectory(next(folder for folder in folders if QDir(folder).exists()))
    return dialog


def keep_no_places() -> None:
    """▲ Stops Qt's own file dialog from storing the names of visited folders in ~/.config/QtProject.conf, which is in
    plain and outside the profile. A second call changes nothing. Call it before any dialog of Qt's that leads to a file
    dialog, such as the one for printing."""
    QSettings.setPath(QSettings.Format.NativeFormat, QSettings.Scope.UserScope, os.devnull)


async def _path(dialog: QFileDialog) -> Path | None:
    chosen: list[str] = []
    dialog.filesSelected.connect(chosen.extend)
    return _chosen(chosen)[0] if await show(dialog) and chosen else None


def _chosen(files: Sequence[str]) -> list[Path]:
    """Returns the chosen files as paths, and makes the next file dialog begin in the folder of the first one; without
    any, the folder stays."""
    paths = [Path(file) for file in files]
    _used[:] = [path.parent for path in paths[:1]] or _used
    return paths
