# SPDX-License-Identifier: EUPL-1.2
"""The board's filter as one sees and changes it: two buttons, Mine and Filter, and a line that shows what is chosen."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QWidget

from app.core.ids import Uid
from app.people.person import Person
from app.tasks.model import Board
from ui.kit.buttons import TextButton
from ui.kit.flow_layout import FlowLayout
from ui.kit.icons import set_icon
from ui.kit.keyed_rows import KeyedRows
from ui.kit.menu import Entry, popup
from ui.kit.plain import set_tip
from ui.kit.scale import px
from ui.kit.style import label, line, set_props
from ui.kit.translate import tr
from ui.tasks.filter import Due, Filter

_MOST_PX = 220
"""A longer name ends in …; the whole one is the button's name and tool tip."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """One choice of the board's filter, in words, and the filter without it."""

    key: str
    text: str
    without: Filter


class PartButton(TextButton):
    """A button that shows one choice of the board's filter. A press calls `choose` with the filter without that
    choice."""

    def __init__(self, choose: Callable[[Filter], object]) -> None:
        super().__init__("", lambda: choose(self._without), kind="part")
        self._without = Filter()
        set_icon(self, "close", "accent", 12)
        self.setLayoutDirection(Qt.LayoutDirection.RightToLeft)  # the cross behind the word

    def show_part(self, part: _Part) -> None:
        """Shows this choice of the board's filter from now on; a press removes it from the filter."""
        self._without = part.without
        name = tr("Do not filter by {text}").format(text=part.text)
        if self.accessibleName() == name:
            return
        shown = self.fontMetrics().elidedText(part.text, Qt.TextElideMode.ElideRight, px(_MOST_PX))
        self.setText(f"{shown}\N{NO-BREAK SPACE}")
        self.setAccessibleName(name)
        set_tip(self, name)


class FilterLine(QFrame):
    """The line below the head of the board while a filter is chosen: each choice is a button that removes it. `mine`
    and `button` are buttons for the head itself. `chosen` is emitted with the filter that the person wants. `me` is the
    person at the screen; `people` returns by whom the board can be filtered, the room's members."""

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
        parts = QWidget()
        FlowLayout(parts)
        self._parts: KeyedRows[_Part, PartButton] = KeyedRows(
            parts,
            lambda part: part.key,
            lambda _: PartButton(self.chosen.emit),
            lambda button, part: button.show_part(part),
        )
        row.addWidget(parts, 1)
        self._all = TextButton(tr("Remove the filter"), lambda: self.chosen.emit(Filter()), kind="link")
        row.addWidget(self._all)
        self.hide()

    def show_filter(self, shown: Filter) -> None:
        """Shows the choices of this filter, and hides the line if it has none."""
        self._filter = shown
        self.mine.setChecked(shown.person == self._me)
        focus, parts = self.window().focusWidget(), self._chosen_parts()
        goes = focus is not None and self.isAncestorOf(focus) and not self._stays(focus, parts)
        if goes:  # the other parts are not what one was about to press
            (self._all if shown.active else self.button).setFocus(Qt.FocusReason.OtherFocusReason)
        self._parts.show(parts)
        self.setVisible(shown.active)

    def _stays(self, focus: QWidget, parts: Sequence[_Part]) -> bool:
        return bool(parts) and (focus is self._all or any(self._parts.row(part.key) is focus for part in parts))

    def _chosen_parts(self) -> list[_Part]:
        """The choices of the filter in words, each with the filter without it: person, due date, label, as far as they
        are chosen."""
        now = self._filter
        found: list[_Part] = []
        if now.person is not None:
            name = next((person.name for person in self._people() if person.uid == now.person), tr("Assigned to"))
            name = tr("Mine") if now.person == self._me else name
            found.append(_Part(key="person", text=name, without=now.toggled(person=now.person)))
        if now.due is not Due.ANY:
            found.append(_Part(key="due", text=dict(_dues())[now.due], without=now.toggled(due=now.due)))
        if now.label:
            shown = self._board.label(now.label)
            text = shown.name if shown else tr("Labels")
            found.append(_Part(key="label", text=text, without=now.toggled(label=now.label)))
        return found

    def _toggle_mine(self) -> None:
        self.chosen.emit(self._filter.toggled(person=self._me))

    def _open(self) -> None:
        now = self._filter
        entries: list[Entry | None] = [
            self._entry(person.name, now.person == person.uid, now.toggled(person=person.uid))
            for person in self._people()
        ]
        if entries:
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
