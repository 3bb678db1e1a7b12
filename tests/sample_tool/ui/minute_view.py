# SPDX-License-Identifier: EUPL-1.2
"""Minutes that are open: title, toolbar, find bar, text."""

from collections.abc import Sequence
from contextlib import suppress

from PySide6.QtCore import QEvent, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QFrame, QLineEdit, QWidget

from app.core.ids import ObjId
from app.errors import StoreFault
from app.richtext.finding import find_words
from app.richtext.model import MAX_TITLE
from tests.sample_tool.app.service import MinutesService
from ui.kit.bind import Soon, bind
from ui.kit.buttons import IconButton
from ui.kit.style import column, line, set_props
from ui.kit.tasks import run_guarded
from ui.kit.toast import InfoBar
from ui.kit.translate import tr
from ui.kit.unsaved_bar import UnsavedBar
from ui.richtext.editor import Editor
from ui.richtext.find_bar import FindBar
from ui.richtext.left_out_bar import LeftOutBar
from ui.richtext.link_actions import LinkActions
from ui.richtext.spoken import Outline
from ui.richtext.toolbar import Toolbar


class _Hold:
    """Minutes held open, released exactly once: also when the widget is gone."""

    def __init__(self, service: MinutesService, obj: ObjId) -> None:
        self._service: MinutesService | None = service
        self._obj = obj

    def release(self) -> None:
        service, self._service = self._service, None
        if service is not None:
            with suppress(StoreFault):  # it stays in memory, and the list's bar shows it
                service.close(self._obj)


class MinuteView(QWidget):
    """Opens the minutes in the service, and closes them with `shut` or when it is destroyed."""

    closed = Signal()

    def __init__(self, service: MinutesService, obj: ObjId, *, writable: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.obj = obj
        self._service = service
        self._document = document = service.open(obj)
        self._hold = _Hold(service, obj)
        self.editor = Editor(document, read_only=not writable)
        self.editor.setAccessibleName(tr("Text of the minutes"))
        self.outline = Outline(self.editor, document)
        self.toolbar = Toolbar(self.editor, document)
        self.find_bar = FindBar(self.editor, document)
        self.unsaved_bar = UnsavedBar(service, lambda: (obj,))
        self.bar = InfoBar()
        self.left_out_bar = LeftOutBar(self.editor)
        self._lay_out()
        self._connect()
        self.set_writable(writable)

    def shut(self) -> None:
        """Stores a title that is being typed, and releases the minutes. A second call changes nothing."""
        self.keep_draft()
        self._hold.release()

    def keep_draft(self) -> None:
        """Stores a title that is being typed. The text is stored at every key."""
        if self.title.isModified():
            self._rename()

    def set_writable(self, writable: bool) -> None:
        """Whether the minutes can be changed, or only read."""
        self.editor.set_writable(writable)
        self.title.setReadOnly(not writable)
        self.toolbar.refresh()
        self.find_bar.refresh()
        if writable:
            self.bar.hide()
        else:
            self.bar.show_state("info", "lock", tr("You can read these minutes but not write in them."))

    def mark_words(self, words: Sequence[str]) -> None:
        """Marks the words of a search and goes to the paragraph that has most of them."""
        places, best = find_words(self._document.blocks(), words)
        self.editor.found.show(places)
        if best is not None:
            self.editor.select(best)

    def _lay_out(self) -> None:
        head = QFrame()
        set_props(head, frame="header")
        row = line(head, margins=(12, 4, 12, 2), spacing=6)
        row.addWidget(IconButton("back", tr("Back to the minutes"), self.closed.emit))
        self.title = QLineEdit(self._document.title)
        self.title.setAccessibleName(tr("Title"))
        self.title.setPlaceholderText(tr("Untitled"))
        self.title.setMaxLength(MAX_TITLE)
        set_props(self.title, kind="title")
        self.title.editingFinished.connect(self._rename)
        self.title.returnPressed.connect(self.editor.setFocus)
        row.addWidget(self.title, 1)
        outer = column(self)
        for part in (head, self.toolbar, self.find_bar, self.unsaved_bar, self.bar, self.left_out_bar):
            outer.addWidget(part)
        self.unsaved_bar.refresh()
        outer.addWidget(self.editor, 1)
        self.setFocusProxy(self.editor)

    def _connect(self) -> None:
        editor = self.editor
        self._links = LinkActions(self, editor)
        self.unsaved_bar.settled.connect(editor.setFocus)
        bind(self, self._document.title_changed, self._on_title)
        soon = Soon(self, self._see)
        bind(self, self._service.changed, soon.due)
        self.destroyed.connect(self._hold.release)

    def _rename(self) -> None:
        if self.title.isReadOnly():
            return
        run_guarded(self, lambda: self._document.set_title(self.title.text()))
        self.title.setText(self._document.title)

    def _on_title(self, title: str) -> None:
        if not self.title.isModified():
            self.title.setText(title)

    def _see(self) -> None:
        """What is on screen in the window in which the person works counts as seen."""
        if self.isVisible() and self.window().isActiveWindow():
            run_guarded(self, lambda: self._service.see(self.obj))

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._see()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.WindowActivate:
            self._see()
        return super().event(event)
