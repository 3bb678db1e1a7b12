# SPDX-License-Identifier: EUPL-1.2
"""What asks for the person's answer, on Home: the newest first, some at a time."""

from PySide6.QtCore import Signal, SignalInstance
from PySide6.QtWidgets import QWidget

from app.notices import kinds
from app.notices.service import NoticeFilter
from app.session import Session
from ui.kit.buttons import TextButton
from ui.kit.keyed_rows import KeyedRows
from ui.kit.style import column
from ui.kit.translate import trn
from ui.shell.notices import dealing
from ui.shell.notices.lines import NoticeLine, NoticeLines
from ui.shell.notices.notice_card import NoticeCardRow

FIRST, MORE = 8, 20
OPEN = NoticeFilter(open=True, without=frozenset({kinds.KEYS.id}))
"""Notices about keys have cards of their own (ui/shell/room/key_notices.py): a warning asks before it goes."""


class Answers(QWidget):
    """The list of what asks for an answer. It emits `opened` with the NoticeRow whose place is wanted, `answered` with
    that of which an answer is to be begun. Its owner calls `refresh`."""

    opened = Signal(object)
    answered = Signal(object)

    def __init__(self, session: Session, lines: NoticeLines, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session, self._lines = session, lines
        self._limit = FIRST
        layout = column(self, spacing=10)
        host = QWidget()
        column(host, spacing=10)
        self._rows: KeyedRows[NoticeLine, NoticeCardRow] = KeyedRows(
            host, lambda each: each.row.id, self._make, lambda row, each: row.show_line(each)
        )
        self._more = TextButton("", self._show_more, kind="link")
        layout.addWidget(host)
        layout.addWidget(self._more)

    def refresh(self) -> int:
        """Reads the notices again. Returns how many are shown."""
        found = self._session.notices.list(OPEN, limit=self._limit)
        self._rows.show([self._lines.line(row) for row in found])
        left = self._session.notices.count(OPEN) - len(found) if len(found) == self._limit else 0
        self._more.setVisible(left > 0)
        self._more.show_text(trn("Show {n} more", "Show {n} more", min(left, MORE)).format(n=min(left, MORE)))
        return len(found)

    def _make(self, line: NoticeLine) -> NoticeCardRow:
        return NoticeCardRow(
            line,
            opened=lambda each: self._open(each, self.opened),
            answered=lambda each: self._open(each, self.answered),
            done=lambda each: dealing.mark_done(self, self._session.notices, each.row),
            later=self._ask_later,
        )

    def _open(self, line: NoticeLine, signal: SignalInstance) -> None:
        dealing.mark_seen(self, self._session.notices, [line.row])
        signal.emit(line.row)

    def _ask_later(self, line: NoticeLine, under: QWidget) -> None:
        dealing.ask_later(self, self._session.notices, line.row, under=under)

    def _show_more(self) -> None:
        self._limit += MORE
        self.refresh()
