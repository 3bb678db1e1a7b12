# SPDX-License-Identifier: EUPL-1.2
"""What Kansli is made of: a list with search, and the chosen part's version, licence and its text in full."""

import asyncio
import sys
from collections.abc import Callable

from PySide6.QtCore import QEvent, QLibraryInfo, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from app.licences import Component, matching
from resources import path
from ui.errors import sentence_of
from ui.kit.dialogs import Dialog
from ui.kit.faces import leave_focus
from ui.kit.scale import hold
from ui.kit.search_field import SearchField
from ui.kit.style import column, label, line, set_props
from ui.kit.tasks import run
from ui.kit.translate import tr, trn
from ui.shell.rows import Row, RowList, Sizes

_QT_SOURCE = "https://download.qt.io/official_releases/QtForPython/"
_HEIGHT_PX = 400
_STEPS = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}
_BREAK = "\n\n" + "—" * 24 + "\n\n"


class LicencesDialog(Dialog):
    """A dialog with the parts that Kansli is made of: a list with search, and the licence of the chosen part. `load`
    returns the parts; it is called in a thread while the dialog is already shown."""

    def __init__(self, parent: QWidget | None, load: Callable[[], tuple[Component, ...]]) -> None:
        super().__init__(parent, tr("Parts and licences"), accept="", cancel=tr("Close"), width=880)
        self.accept_button.hide()
        self._parts: tuple[Component, ...] = ()
        self.field = SearchField(tr("Search for a part or a licence"), self)
        self.list = RowList(tr("Parts"), Sizes(row=46, inset=4), self)
        set_props(self.list, frame="card")
        hold(self.list, width=270)
        self.list.selectionModel().currentChanged.connect(lambda: self._show_current())
        self.note = label(tr("Reading …"), "small", wrap=True)
        self.title = label("", "section", wrap=True)
        self.licence = label("", "muted", wrap=True)
        self.notice = label("", "body", wrap=True)
        self.notice.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.text = QPlainTextEdit()
        leave_focus(self.text)
        self.text.setReadOnly(True)
        self.text.setTabChangesFocus(True)
        self.text.setAccessibleName(tr("Text of the licence"))
        self.text.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByKeyboard | Qt.TextInteractionFlag.TextSelectableByMouse
        )
        self._lay()
        self.field.textChanged.connect(lambda: self._fill())
        self.field.installEventFilter(self)
        self.field.setFocus()
        run(self, self._read(load), on_error=self._failed)

    def _lay(self) -> None:
        left, right = column(spacing=8), column(spacing=6)
        for widget in (self.field, self.list, self.note):
            left.addWidget(widget)
        for widget in (self.title, self.licence, self.notice):
            right.addWidget(widget)
        right.addWidget(self.text, 1)
        hold(self.list, height=_HEIGHT_PX)
        hold(self.text, least_height=160)
        both = line(spacing=16)
        both.addLayout(left)
        both.addLayout(right, 1)
        self.body.addLayout(both)

    async def _read(self, load: Callable[[], tuple[Component, ...]]) -> None:
        self._parts = await asyncio.to_thread(load)
        self._fill()

    def _failed(self, error: Exception) -> None:
        self.note.setText(" ".join(sentence_of(error)[:2]))

    def _fill(self) -> None:
        found = matching(self._parts, self.field.text())
        self.list.rows.set_rows([_row(part) for part in found])
        self.list.choose_first()
        self.note.setText(trn("{n} part", "{n} parts", len(found)).format(n=len(found)))
        self._show_current()

    def _show_current(self) -> None:
        row = self.list.current_row()
        part = next((p for p in self._parts if row is not None and _key(p) == row.key), None)
        self.title.setText(f"{part.name} {part.version}".strip() if part else "")
        self.licence.setText(" · ".join(_about(part)) if part else "")
        notice = _qt_notice() if part is not None and "LGPL-3.0" in part.licence else ""
        self.notice.setText(notice)
        self.notice.setVisible(bool(notice))
        without = tr("Its makers publish no text of their own; the licence has the name above.")
        self.text.setPlainText(_BREAK.join(part.texts) or without if part else "")

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Makes the keys Up and Down choose in the list while the focus is in the search line, and a screen reader read
        out the chosen row. Returns True for these keys. Otherwise the scroll area around it would take them."""
        steps = _STEPS.get(Qt.Key(event.key())) if isinstance(event, QKeyEvent) else None
        if steps is not None and watched is self.field and event.type() == QEvent.Type.KeyPress:
            self.list.step(steps)
            row = self.list.current_row()
            self.field.setAccessibleDescription(row.spoken if row else "")
            return True
        return super().eventFilter(watched, event)


def _key(part: Component) -> tuple[str, str, str]:
    return part.within, part.name, part.version


def _about(part: Component) -> list[str]:
    within = [tr("within {name}").format(name=part.within)] if part.within else []
    return [part.licence, *within]


def _row(part: Component) -> Row:
    return Row(key=_key(part), title=part.name, detail=" · ".join(_about(part)), right=part.version)


def _qt_notice() -> str:
    """Text that the LGPL requires: that Qt is used, where its files are, and that a person may exchange them."""
    frozen = getattr(sys, "frozen", False)
    folder = path("..").resolve() if frozen else QLibraryInfo.path(QLibraryInfo.LibraryPath.LibrariesPath)
    return tr(
        "Used under the GNU LGPL, version 3. Its libraries are files of their own below {folder}: you may put a changed"
        " version that fits in their place, Kansli then uses it, and you may take Kansli apart as far as that needs."
        " Source code: {source}"
    ).format(folder=folder, source=_QT_SOURCE)
