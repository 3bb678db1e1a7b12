# SPDX-License-Identifier: EUPL-1.2
"""Tables of foreign HTML as text: a paragraph for each row, with tabs between the cells. Documents hold no tables yet.

A row of one cell, or with a table in a cell, is only layout: its paragraphs stay as they are.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from app.richtext.flow import BODY, Block, Run, joined

MAX_DEPTH = 16
"""The deepest tables inside tables that are collected. Deeper ones are read as plain text: each level copies the
paragraphs of all inner ones."""
_MAX_SPAN = 32
"""How many columns or rows one cell can take. Otherwise a few bytes could ask for millions of tabs."""
_MAX_COLUMNS = 64
"""In how many columns a cell still reaches into the rows below it."""
_BREAKS = re.compile(r"[\t\u2028]+")


@dataclass(slots=True)
class _Cell:
    column: int
    blocks: list[Block] = field(default_factory=list)
    nested: bool = False


class Table:
    """Collects the content of one table in HTML from another program and turns it into paragraphs: one for each row,
    with tabs between the cells. The paragraphs of a row that is only layout (`end_row`) stay as they are."""

    def __init__(self) -> None:
        self.out: list[Block] = []
        """The finished rows."""
        self.apart = False
        """Whether a row's cells were separated by tabs."""
        self._row: list[_Cell] = []
        self._open = False
        self._column = 0
        self._below: dict[int, int] = {}
        """Columns that a cell from above still takes, with the number of rows."""

    @property
    def into(self) -> list[Block]:
        """The list to which the next paragraph belongs."""
        return self._row[-1].blocks if self._open else self.out

    def begin_cell(self, columns: str | None, rows: str | None) -> None:
        """Begins a cell. `columns` and `rows`: its colspan and rowspan as they are written, or None; each counts as 1
        if it is no number, and at most as _MAX_SPAN."""
        while self._below.get(self._column):
            self._column += 1
        self._row.append(_Cell(self._column))
        self._open = True
        height = _span(rows)
        for _ in range(_span(columns)):
            if height > 1 and self._column < _MAX_COLUMNS:
                self._below[self._column] = height
            self._column += 1

    def end_cell(self) -> None:
        """Ends a cell: following text is outside it."""
        self._open = False

    def end_row(self) -> None:
        """Ends a row, if one is open: its cells become one paragraph with tabs between them. They stay separate
        paragraphs if the row is only layout: it has one cell, in the first column, or a table in a cell."""
        row, self._row, self._open, self._column = self._row, [], False, 0
        if not row:
            return
        if any(cell.nested for cell in row) or (len(row) == 1 and not row[0].column):
            self.out += [block for cell in row for block in cell.blocks]
        else:
            self.apart = True
            self.out.append(_joined(row))
        self._below = {column: left - 1 for column, left in self._below.items() if left > 1}

    def take(self, inner: "Table") -> None:
        """Adds the content of the table `inner`, which was inside this one. If it was in a cell, the row counts as
        layout: its paragraphs are not joined."""
        self.into.extend(inner.out)
        if self._open:
            self._row[-1].nested = True


def _span(text: str | None) -> int:
    return max(1, min(int(text), _MAX_SPAN)) if text and text.isascii() and text.isdigit() and len(text) < 5 else 1


def _joined(row: Iterable[_Cell]) -> Block:
    runs: list[Run] = []
    column, quote = 0, True
    for cell in row:
        if not cell.blocks:
            continue
        runs.append(Run("\t" * (cell.column - column)))
        column = cell.column
        for index, block in enumerate(cell.blocks):
            quote = quote and block.style.quote
            runs.append(Run(" " if index else ""))
            runs += [Run(_BREAKS.sub(" ", run.text), run.marks) for run in block.runs]
    return Block(joined(runs), BODY._replace(quote=quote and bool(runs)))
