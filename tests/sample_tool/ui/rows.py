# SPDX-License-Identifier: EUPL-1.2
"""Minutes as rows that open them: in a room, in the rail's section, and on Home."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtWidgets import QWidget

from app.core.ids import ObjId
from tests.sample_tool.app.service import MinuteRow
from ui.kit.buttons import RowButton
from ui.kit.card import Card
from ui.kit.keyed_rows import KeyedRows
from ui.kit.style import ElidedLabel, label, line
from ui.kit.translate import day_or_time, tr, trn


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What a row shows. `where` is the room's title, or "" in the room itself."""

    minutes: MinuteRow
    by: str
    where: str


class Row(RowButton):
    """Title, who wrote last and when, and that something is new."""

    def __init__(self, opened: Callable[[MinuteRow], object]) -> None:
        super().__init__("", self._open)
        self._opened = opened
        self._shown: Shown | None = None
        inside = line(self, margins=(8, 8, 8, 8), spacing=10)
        self._title, self._detail, self._new = ElidedLabel(), label("", "faint"), label(tr("New"), "strong")
        inside.addWidget(self._title, 1)
        inside.addWidget(self._new)
        inside.addWidget(self._detail)
        self.take_clicks()

    def show_row(self, shown: Shown) -> None:
        """Shows the minutes as they are now."""
        if shown == self._shown:
            return
        self._shown, of = shown, shown.minutes
        title = of.title or tr("Untitled")
        detail = " · ".join(part for part in (shown.where, shown.by, day_or_time(of.t)) if part)
        words = trn("{n} word", "{n} words", of.words).format(n=of.words)
        new = (tr("New"),) if of.new else ()
        self.setAccessibleName(", ".join((title, *new, detail, words)))
        self._title.set_text(title)
        self._detail.setText(detail)
        self._new.setVisible(of.new)

    def _open(self) -> None:
        if self._shown is not None:
            self._opened(self._shown.minutes)


class MinutesCard(Card):
    """Minutes below each other."""

    def __init__(self, opened: Callable[[MinuteRow], object], parent: QWidget | None = None) -> None:
        super().__init__(parent, margin=6, spacing=0)
        self._rows: KeyedRows[Shown, Row] = KeyedRows(
            self, lambda shown: shown.minutes.obj, lambda _: Row(opened), lambda row, shown: row.show_row(shown)
        )

    def show_rows(self, rows: Sequence[Shown]) -> None:
        """Shows exactly these."""
        self._rows.show(rows)

    def row(self, obj: ObjId) -> Row | None:
        """The row of some minutes."""
        return self._rows.row(obj)
