# SPDX-License-Identifier: EUPL-1.2
"""The list of notices under Activity: painted rows, read some at a time as one scrolls."""

from collections.abc import Callable

from PySide6.QtCore import QModelIndex, QPoint, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QKeyEvent
from PySide6.QtWidgets import QWidget

from app.notices.service import NoticeFilter, NoticeRow, Notices, NoticeState
from ui.kit.choose_time import when_text
from ui.kit.style import set_props
from ui.kit.translate import day_or_time, tr
from ui.shell.notices.lines import NoticeLine, NoticeLines
from ui.shell.rows import Row, RowList, Sizes

PAGE = 50
_NEAR_PX = 600
"""How near its end the list is scrolled when the next page is read."""


class NoticeList(RowList):
    """Notices that pass a filter, the newest first. It emits `opened` with the NoticeRow that is clicked or entered,
    `key_pressed` with it and a letter (E, R, S or U), and `menu_asked` with it and a global point."""

    opened = Signal(object)
    key_pressed = Signal(object, str)
    menu_asked = Signal(object, object)

    def __init__(self, notices: Notices, lines: NoticeLines, parent: QWidget | None = None) -> None:
        super().__init__(tr("All notices"), Sizes(row=56, inset=6), parent)
        set_props(self, frame="card")
        self._notices, self._lines = notices, lines
        self._wanted = NoticeFilter()
        self._shown: list[NoticeLine] = []
        self._has_more = True
        self.clicked.connect(self._on_index)
        self.activated.connect(self._on_index)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.DefaultContextMenu)
        self.verticalScrollBar().valueChanged.connect(lambda _value: self._read_on())

    def show_only(self, wanted: NoticeFilter) -> None:
        """Shows the notices that pass `wanted`, from the newest on."""
        self._wanted, self._shown = wanted, []
        self.rows.set_rows([])
        self.refresh()
        self.scrollToTop()

    def refresh(self) -> None:
        """Reads the notices again: those down to a page below what is in sight, others when they are scrolled to."""
        bottom = self.indexAt(self.viewport().rect().bottomLeft()).row()
        count = max(PAGE, bottom + PAGE if bottom >= 0 else len(self._shown))
        found = self._notices.list(self._wanted, limit=count)
        before = {line.row: line for line in self._shown[:-PAGE]}
        near = self.indexAt(self.viewport().rect().topLeft()).row() - PAGE
        self._shown = [
            self._lines.line(row) if at >= near or row not in before else before[row] for at, row in enumerate(found)
        ]
        self._has_more = len(found) == count
        self.rows.set_rows([_row(line) for line in self._shown])

    def current(self) -> NoticeRow | None:
        """The notice of the current row."""
        return self._at(self.currentIndex())

    def _read_on(self) -> None:
        bar = self.verticalScrollBar()
        if not self._has_more or not self._shown or bar.maximum() - bar.value() > _NEAR_PX:
            return
        last = self._shown[-1].row
        found = self._notices.list(self._wanted, before=(last.t, last.id), limit=PAGE)
        known = {line.row.id for line in self._shown}
        new = [self._lines.line(row) for row in found if row.id not in known]
        self._has_more = len(found) == PAGE
        self._shown += new
        self.rows.insert_rows(len(self.rows.rows), [_row(line) for line in new])

    def _at(self, index: QModelIndex) -> NoticeRow | None:
        row = self.rows.row(index)
        return next((line.row for line in self._shown if row is not None and line.row.id == row.key), None)

    def _on_index(self, index: QModelIndex) -> None:
        row = self._at(index)
        if row is not None:
            self.opened.emit(row)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        letter, row = event.text().upper(), self.current()
        if row is not None and letter in ("E", "R", "S", "U") and not event.modifiers():
            self.key_pressed.emit(row, letter)
            return
        super().keyPressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        by_mouse = event.reason() == QContextMenuEvent.Reason.Mouse
        index = self.indexAt(event.pos()) if by_mouse else self.currentIndex()
        row = self._at(index)
        if row is not None:
            self.setCurrentIndex(index)
            self.menu_asked.emit(row, event.globalPos() if by_mouse else self.place_of(index))

    def place_of(self, index: QModelIndex) -> QPoint:
        """The global point below the text of a row, for a menu that a key opens."""
        return self.viewport().mapToGlobal(self.visualRect(index).center())


def _row(line: NoticeLine) -> Row:
    state = _state(line.row)
    return Row(
        key=line.row.id,
        title=line.title,
        detail=" · ".join(part for part in (line.detail, state) if part),
        icon=line.icon,
        right=day_or_time(line.row.t),
        unread=line.is_unread,
    )


def _state(row: NoticeRow) -> str:
    """What the person did with a notice that asks for an answer, in words."""
    words: dict[NoticeState, Callable[[], str]] = {
        NoticeState.DONE: lambda: tr("Marked as done"),
        NoticeState.SNOOZED: lambda: tr("Comes back {when}").format(when=when_text(row.until or 0)),
    }
    if row.asks and row.answered:
        return tr("Answered")
    return words[row.state]() if row.state in words else ""
