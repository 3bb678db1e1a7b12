# SPDX-License-Identifier: EUPL-1.2
"""The board's filter as one sees and changes it: two buttons, Mine and Filter, and a line that shows what is chosen."""

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QWidget

from app.core.ids import Uid
from app.people.person import Person
from app.tasks.model import Board
from ui.kit.buttons import TextButton
from ui.kit.flow_layout import FlowLayout
from ui.kit.icons import set_icon
from ui.kit.menu import Entry, popup
from ui.kit.plain import set_tip
from ui.kit.scale import px
from ui.kit.style import clear, label, line, set_props
from ui.kit.translate import tr
from ui.tasks.filter import Due, Filter

_MOST_PX = 220
"""A longer name ends in …; the whole one is the button's name and tool tip."""


class FilterLine(QFrame):
    """Stands below the head of the board while a filter is chosen: each part of it is a button that takes it away.
    `mine` and `button` are for the head itself. `chosen` gives the filter that is wanted."""

    chosen = Signal(object)

    def __init__(
        self, board: Board, people: Callable[[], Sequence[Person]], me: Uid, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._board, self._people, self._me = board, people, me
        self._filter = Filter()
        self.mine = TextButton(tr("Mine"), self._toggle_mine, icon="person", checkable=True)
        set_tip(self.mine, tr("Only what is assigned to you"))
        self.button = TextButton(tr("Filter"), self._open, icon="filter")
        set_props(self, frame="bar-info")
        self.setAccessibleName(tr("Filter"))
        row = line(self, margins=(20, 6, 12, 6), spacing=8)
        row.addWidget(label(tr("Shown:"), "small"))
        self._parts = QWidget()
        FlowLayout(self._parts)
        row.addWidget(self._parts, 1)
        self._all = TextButton(tr("Remove the filter"), lambda: self.chosen.emit(Filter()), kind="link")
        row.addWidget(self._all)
        self.hide()

    def show_filter(self, shown: Filter) -> None:
        """Shows what is chosen."""
        had_focus = self._has_focus()
        self._filter = shown
        self.mine.setChecked(shown.person == self._me)
        flow = self._parts.layout()
        if flow is not None:
            clear(flow)
            for text, without in self._chosen():
                part = self._part(text, without)
                flow.addWidget(part)
                part.show()  # at once, and not when the layout comes to it
        self.setVisible(shown.active)
        if had_focus:
            (self._all if shown.active else self.button).setFocus(Qt.FocusReason.OtherFocusReason)

    def _has_focus(self) -> bool:
        focus = self.window().focusWidget()
        return focus is not None and self.isAncestorOf(focus)

    def _part(self, text: str, without: Filter) -> TextButton:
        name = tr("Do not filter by {text}").format(text=text)
        button = TextButton("", lambda: self.chosen.emit(without), kind="part")
        set_icon(button, "close", "accent", 12)
        button.setLayoutDirection(Qt.LayoutDirection.RightToLeft)  # the cross behind the word
        shown = button.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, px(_MOST_PX))
        button.setText(f"{shown}\N{NO-BREAK SPACE}")
        button.setAccessibleName(name)
        set_tip(button, name)
        return button

    def _chosen(self) -> list[tuple[str, Filter]]:
        """What is chosen, in words, each with the filter without it."""
        now = self._filter
        found: list[tuple[str, Filter]] = []
        if now.person is not None:
            name = next((person.name for person in self._people() if person.uid == now.person), tr("Assigned to"))
            name = tr("Mine") if now.person == self._me else name
            found.append((name, now.toggled(person=now.person)))
        if now.due is not Due.ANY:
            found.append((dict(_dues())[now.due], now.toggled(due=now.due)))
        if now.label:
            shown = self._board.label(now.label)
            found.append((shown.name if shown else tr("Labels"), now.toggled(label=now.label)))
        return found

    def _toggle_mine(self) -> None:
        self.chosen.emit(self._filter.toggled(person=self._me))

    def _open(self) -> None:
        now = self._filter
        entries: list[Entry | None] = [
            self._entry(person.name, now.person == person.uid, now.toggled(person=person.uid))
            for person in self._people()
        ]
        entries.append(None)
        entries += [self._entry(text, now.due == due, now.toggled(due=due)) for due, text in _dues()]
        labels = self._board.labels()
        if labels:
            entries.append(None)
        entries += [self._entry(each.name, now.label == each.id, now.toggled(label=each.id)) for each in labels]
        if now.active:
            entries += [None, Entry(text=tr("Show all"), icon="close", run=partial(self.chosen.emit, Filter()))]
        popup(self.button, tr("Filter"), entries)

    def _entry(self, text: str, chosen: bool, to: Filter) -> Entry:
        return Entry(text=text, checked=chosen, run=partial(self.chosen.emit, to))


def _dues() -> tuple[tuple[Due, str], ...]:
    return (
        (Due.OVERDUE, tr("Overdue")),
        (Due.WEEK, tr("Due within a week")),
        (Due.NONE, tr("No due date")),
    )
