# SPDX-License-Identifier: EUPL-1.2
"""One column of the board: its title with a menu, how many cards, +, and the cards."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from PySide6.QtCore import QObject, QPoint, Signal
from PySide6.QtWidgets import QWidget

from app.tasks.model import Card, Column
from ui.kit.buttons import IconButton, TextButton
from ui.kit.card import scroll
from ui.kit.faces import Role, Spoken
from ui.kit.keyed_rows import KeyedRows
from ui.kit.scale import hold
from ui.kit.style import column, label, line, set_props
from ui.kit.translate import tr
from ui.tasks.card_widget import Around, CardLook, CardWidget, looks

MIN_WIDTH, MAX_WIDTH = 220, 320


class CardList(Spoken, QWidget):
    """Holds the widgets of a column's cards. For a screen reader it is a list, in the order in which `cards` returns
    the widgets; Qt's children do not have that order."""

    def __init__(self, cards: Callable[[], Sequence[CardWidget]]) -> None:
        super().__init__()
        self._cards = cards

    def spoken_role(self) -> Role:
        return Role.List

    def _inside(self) -> Sequence[QObject]:
        return self._cards()


class ColumnView(QWidget):
    """One column of the board: its title with a menu, a button for a new card, and one CardWidget for each card. A card
    that is still there keeps its widget and so the focus. `menu_asked` is emitted with the column's id and a global
    point."""

    menu_asked = Signal(str, QPoint)
    add_asked = Signal(str)
    card_made = Signal(CardWidget)

    def __init__(self, shown: Column, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.column = shown
        hold(self, least_width=MIN_WIDTH, most_width=MAX_WIDTH)
        self._title = TextButton("", self._ask_menu, kind="quiet")
        self._count = label("", "small")
        self._add = IconButton("add", "", lambda: self.add_asked.emit(self.column.id), size=16)
        head = line(margins=(0, 0, 2, 0), spacing=2)
        head.addWidget(self._title)
        head.addWidget(self._count)
        head.addStretch(1)
        head.addWidget(self._add)
        self._body = CardList(lambda: self.cards)
        column(self._body, margins=(0, 0, 0, 12), spacing=10).addStretch(1)
        self._rows: KeyedRows[CardLook, CardWidget] = KeyedRows(
            self._body, lambda look: look.card.id, self._new_card, lambda widget, look: widget.show_look(look)
        )
        self._around: Around | None = None
        """What all cards are painted with; None if not all are painted with the same."""
        self.area = scroll(self._body, "")
        self.area.verticalScrollBar().valueChanged.connect(self.unlight)
        outer = column(self, spacing=4)
        outer.addLayout(head)
        outer.addWidget(self.area, 1)
        self.show_column(shown)

    @property
    def cards(self) -> list[CardWidget]:
        """The cards as they are shown, from the top."""
        return self._rows.rows

    def show_column(self, shown: Column) -> None:
        """Shows the column's title, and names the widgets for screen readers after it."""
        self.column = shown
        title = shown.title or tr("Without column")
        self._title.setText(title)
        self._title.setAccessibleName(tr("Column {title}").format(title=title))
        set_props(self._title, kind="column")
        self._add.set_name(tr("New task in {title}").format(title=title))
        self._body.setAccessibleName(tr("Cards in {title}").format(title=title))
        self.setAccessibleName(title)

    def set_writable(self, writable: bool) -> None:
        """Sets whether (`writable`) the title opens a menu and the + for a new card is shown."""
        self._title.setEnabled(writable)
        self._add.setVisible(writable)

    def unlight(self) -> None:
        """Removes the mark of the card under the pointer in this column, until the pointer moves."""
        for widget in self.cards:
            widget.light(False)

    def show_cards(self, cards: Sequence[Card], around: Around) -> None:
        """Shows exactly these cards in the column, in this order. If they are shown already, also by `around`, which
        says what is painted with them, no widget is looked at: another name or another place of a column changes no
        card."""
        before, self._around = self._around, around
        if before is None or [widget.card for widget in self.cards] != cards:
            self._rows.show(looks(cards, around))
            self._show_count()
        elif before == replace(around, done=before.done):
            self._show_due(cards if before != around else [], around)
        else:
            self._rows.show(looks(cards, around))

    def add_cards(self, cards: Sequence[Card], around: Around) -> None:
        """Shows these cards, which the column does not show yet, below all others. They are laid out for the widths
        that the column may give them."""
        before = len(self.cards)
        self._rows.add(looks(cards, around))
        inside, bar = self.area.viewport().width(), self.area.verticalScrollBar().sizeHint().width()
        for widget in self.cards[before:]:
            widget.prepare((widget.sizeHint().width(), inside, inside - bar))
        self._around = around if self._around == around or not before else None
        self._show_count()

    def _show_due(self, cards: Sequence[Card], around: Around) -> None:
        """Shows those of the cards again whose look depends on whether they are finished: those that are due on a
        day."""
        due = [card for card in cards if card.due is not None]
        for look in looks(due, around):
            widget = self._rows.row(look.card.id)
            if widget is not None:
                widget.show_look(look)

    def _show_count(self) -> None:
        self._count.setText(str(len(self.cards)))

    def _new_card(self, look: CardLook) -> CardWidget:
        widget = CardWidget(look, self._body)
        widget.place = self._place
        self.card_made.emit(widget)
        return widget

    def _place(self, widget: CardWidget) -> str:
        if widget not in self.cards:
            return ""
        n, count = self.cards.index(widget) + 1, len(self.cards)
        return tr("{column}, {n} of {all}").format(column=self.column.title or tr("Without column"), n=n, all=count)

    def show_card(self, card: Card, around: Around, at: int) -> None:
        """Shows one card, in its widget or a new one, at the index `at` among the cards that the column shows then.
        `around`: what is painted with it."""
        (look,) = looks([card], around)
        self._rows.put(look, at)
        if around != self._around:
            self._around = None
        self._show_count()

    def drop_card(self, card_id: str) -> None:
        """Removes the card with this id from the column; nothing happens if it is not shown."""
        self._rows.drop(card_id)
        self._show_count()

    def _ask_menu(self) -> None:
        self.menu_asked.emit(self.column.id, self._title.mapToGlobal(QPoint(0, self._title.height() + 4)))
