# SPDX-License-Identifier: EUPL-1.2
"""Ctrl+K: one line for rooms, objects, people, commands and full-text hits. Arrows choose, Enter opens, Esc closes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from PySide6.QtCore import QEvent, QModelIndex, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QGraphicsDropShadowEffect, QLineEdit, QWidget

from ui.kit.card import IconLabel, Line
from ui.kit.latest import Latest
from ui.kit.scale import px
from ui.kit.style import column, label, line, set_props
from ui.kit.translate import tr
from ui.shell.rows import Row, RowList, Sizes

WIDTH, HEIGHT = 620, 440


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One line that the palette (the list of what a person can open or do) offers: how it is shown (`row`), and what
    choosing it does (`run`)."""

    row: Row
    run: Callable[[], object]


Group = tuple[str, Sequence[Choice]]
"""A heading and the choices under it."""


class Source(Protocol):
    """Supplies the choices that the palette offers for a typed text, in groups; empty groups are left out."""

    def at_once(self, query: str, places: Sequence[Choice], /) -> Sequence[Group]: ...

    async def places(self, query: str, /) -> Sequence[Choice]:
        """Searches, which takes longer. The result is passed to `at_once`."""
        ...


def matches(text: str, query: str) -> bool:
    """Whether each word of `query` is the beginning of some word of `text`, whatever the case; True for an empty query.
    A word with hyphens is found by each of its parts."""
    words = text.casefold().replace("-", " ").split() + text.casefold().split()
    return all(any(w.startswith(q) for w in words) for q in query.casefold().split())


class Palette(QFrame):
    """The palette of Ctrl+K: a field over the middle of the window, with a list of what the person can open or do. It
    takes the focus, and returns it when it is closed."""

    def __init__(self, host: QWidget, source: Source) -> None:
        super().__init__(host)
        self._host, self._source = host, source
        self._choices: dict[object, Choice] = {}
        self._asking: Latest[str, Sequence[Choice]] = Latest(self, source.places, self._on_places)
        self._before: QWidget | None = None
        self._stepped = False
        """Whether the person has chosen a line; until then it is the first."""
        set_props(self, frame="palette")
        self.setAccessibleName(tr("Search and commands"))
        layout = column(self, margins=(8, 6, 8, 8), spacing=4)
        top = line(margins=(8, 0, 8, 0), spacing=6)
        top.addWidget(IconLabel("search", "muted", 18))
        self.field = QLineEdit()
        self.field.setPlaceholderText(tr("Search for rooms, people, content, commands …"))
        self.field.setAccessibleName(tr("Search everything and do"))
        set_props(self.field, kind="palette")
        self.field.textChanged.connect(self._fill)
        top.addWidget(self.field, 1)
        layout.addLayout(top)
        layout.addWidget(Line())
        self.list = RowList(tr("Suggestions"), Sizes(row=42, section=28, inset=0, picture=26))
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.clicked.connect(self._on_index)
        layout.addWidget(self.list, 1)
        self._none = label(tr("Nothing found."), "muted")
        self._none.setAlignment(Qt.AlignmentFlag.AlignCenter)
        layout.addWidget(self._none, 1)
        hint = label(tr("↑ ↓ choose · Enter open · Esc close"), "faint")
        hint.setContentsMargins(10, 0, 10, 2)
        layout.addWidget(hint)
        shadow = QGraphicsDropShadowEffect(self)
        shadow.setBlurRadius(40)
        shadow.setOffset(0, 8)
        self.setGraphicsEffect(shadow)
        self.field.installEventFilter(self)
        host.installEventFilter(self)
        self.hide()

    def open(self, text: str = "") -> None:
        """Shows the palette, with `text` in its field, and remembers where the focus was."""
        if not self.isVisible():
            self._before = self.window().focusWidget()
        self.field.setText(text)
        self._fill(text)
        self._place()
        self.show()
        self.raise_()
        self.field.setFocus()

    def dismiss(self) -> None:
        """Hides the palette and returns the focus to where it was, or to the host (the window's content behind it) if
        that is not shown any more. Does nothing while the palette is hidden."""
        if not self.isVisible():
            return
        self.hide()
        self._asking.forget()
        if self._before is not None and self._before.isVisible():
            self._before.setFocus()
        else:
            self._host.setFocus()
        self._before = None

    @property
    def asking(self) -> bool:
        """Whether more may be found."""
        return self._asking.asking

    def choose(self) -> None:
        """Closes the palette and does what its current line offers. Does nothing if there is no line."""
        row = self.list.current_row()
        choice = self._choices.get(row.key) if row is not None else None
        if choice is not None:
            self.dismiss()
            choice.run()

    def _fill(self, text: str) -> None:
        query = text.strip()
        self._show(query, ())
        self._stepped = False
        self.list.choose_first()
        self._describe()
        if query:
            self._asking.ask(query)
        else:
            self._asking.forget()

    def _on_places(self, query: str, places: Sequence[Choice]) -> None:
        """Adds the places that a search for `query` has found. A line that the person has moved to stays chosen."""
        chosen = self.list.current_row()
        self._show(query, places)
        if self._stepped and chosen is not None:
            self.list.choose(chosen.key)
        else:
            self.list.choose_first()
        self._describe()

    def _show(self, query: str, places: Sequence[Choice]) -> None:
        rows: list[Row] = []
        self._choices = {}
        for heading, choices in self._source.at_once(query, places):
            if choices:
                rows.append(Row(key=("section", heading), title=heading, section=True))
                rows += [c.row for c in choices]
                self._choices |= {c.row.key: c for c in choices}
        self.list.rows.set_rows(rows)
        self.list.setVisible(bool(rows))
        self._none.setVisible(not rows)

    def _describe(self) -> None:
        row = self.list.current_row()
        self.field.setAccessibleDescription(row.spoken if row else "")

    def _on_index(self, _index: QModelIndex) -> None:
        self.choose()

    def _place(self) -> None:
        width = min(px(WIDTH), self._host.width() - 40)
        height = min(px(HEIGHT), self._host.height() - 40)
        top = min(72, (self._host.height() - height) // 2)
        self.setGeometry((self._host.width() - width) // 2, top, width, height)

    def _on_key(self, event: QKeyEvent) -> bool:
        match event.key():
            case Qt.Key.Key_Down | Qt.Key.Key_Tab:
                self._step(1)
            case Qt.Key.Key_Up | Qt.Key.Key_Backtab:
                self._step(-1)
            case Qt.Key.Key_Return | Qt.Key.Key_Enter:
                self.choose()
            case Qt.Key.Key_Escape:
                self.dismiss()
            case _:
                return False
        self._describe()
        return True

    def _step(self, by: int) -> None:
        self._stepped = True
        self.list.step(by)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._host:
            if event.type() == QEvent.Type.Resize and self.isVisible():
                self._place()
            return False
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            return self._on_key(event)
        if (
            event.type() == QEvent.Type.FocusOut
            and self.isVisible()
            and not self.isAncestorOf(self.window().focusWidget() or self)
        ):
            self.dismiss()
        return False
