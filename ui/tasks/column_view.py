# SPDX-License-Identifier: EUPL-1.2
"""One column of the board: its title with a menu, how many cards, +, and the cards."""

from collections.abc import Callable, Sequence
from itertools import pairwise

from PySide6.QtCore import QObject, QPoint, Signal
from PySide6.QtWidgets import QWidget

from app.tasks.model import Column
from ui.kit.buttons import IconButton, TextButton
from ui.kit.card import scroll
from ui.kit.faces import Role, Spoken
from ui.kit.scale import hold
from ui.kit.style import column, label, line, set_props
from ui.kit.translate import tr
from ui.tasks.card_widget import CardLook, CardWidget

MIN_WIDTH, MAX_WIDTH = 220, 320


class CardList(Spoken, QWidget):
    """Holds a column's cards. For a screen reader a list of them in their order, which Qt's children do not have."""

    def __init__(self, cards: Callable[[], Sequence[CardWidget]]) -> None:
        super().__init__()
        self._cards = cards

    def spoken_role(self) -> Role:
        return Role.List

    def _inside(self) -> Sequence[QObject]:
        return self._cards()


class ColumnView(QWidget):
    """Keeps a CardWidget per card; a card that stays keeps its widget and so the focus."""

    menu_asked = Signal(str, QPoint)
    add_asked = Signal(str)
    card_made = Signal(CardWidget)

    def __init__(self, shown: Column, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.column = shown
        self.cards: list[CardWidget] = []
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
        self._list = column(self._body, margins=(0, 0, 0, 12), spacing=10)
        self._list.addStretch(1)
        self.area = scroll(self._body, "")
        self.area.verticalScrollBar().valueChanged.connect(self.unlight)
        outer = column(self, spacing=4)
        outer.addLayout(head)
        outer.addWidget(self.area, 1)
        self.show_column(shown)

    def show_column(self, shown: Column) -> None:
        """Title and names."""
        self.column = shown
        title = shown.title or tr("Without column")
        self._title.setText(title)
        self._title.setAccessibleName(tr("Column {title}").format(title=title))
        set_props(self._title, kind="column")
        self._add.set_name(tr("New task in {title}").format(title=title))
        self._body.setAccessibleName(tr("Cards in {title}").format(title=title))
        self.setAccessibleName(title)

    def set_writable(self, writable: bool) -> None:
        """Whether the title opens a menu and the + stands there."""
        self._title.setEnabled(writable)
        self._add.setVisible(writable)

    def unlight(self) -> None:
        """No card is marked as the one under the pointer until the pointer moves."""
        for widget in self.cards:
            widget.light(False)

    def show_cards(self, looks: Sequence[CardLook]) -> None:
        """Exactly these cards, in this order."""
        kept = {widget.card.id: widget for widget in self.cards}
        now: list[CardWidget] = []
        for look in looks:
            widget = kept.pop(look.card.id, None)
            if widget is None:
                widget = self._new_card(look)
                self.card_made.emit(widget)
            else:
                widget.show_look(look)
            now.append(widget)
        for widget in kept.values():
            self._list.removeWidget(widget)
            widget.hide()
            widget.deleteLater()
        for i, widget in enumerate(now):
            if self._list.indexOf(widget) != i:
                self._list.removeWidget(widget)
                self._list.insertWidget(i, widget)
                widget.show()
        for before, after in pairwise(now):
            QWidget.setTabOrder(before, after)
        self.cards = now
        self._count.setText(str(len(now)))

    def _new_card(self, look: CardLook) -> CardWidget:
        widget = CardWidget(look, self._body)
        widget.place = self._place
        return widget

    def _place(self, widget: CardWidget) -> str:
        if widget not in self.cards:
            return ""
        n, count = self.cards.index(widget) + 1, len(self.cards)
        return tr("{column}, {n} of {all}").format(column=self.column.title or tr("Without column"), n=n, all=count)

    def show_card(self, look: CardLook, at: int) -> None:
        """One card as it is now, at its place among those that are shown."""
        widget = next((w for w in self.cards if w.card.id == look.card.id), None)
        if widget is None:
            widget = self._new_card(look)
            self.card_made.emit(widget)
        else:
            widget.show_look(look)
            if self.cards.index(widget) == at:
                return
            self.cards.remove(widget)
            self._list.removeWidget(widget)
        self.cards.insert(at, widget)
        self._list.insertWidget(at, widget)
        widget.show()
        for before, after in pairwise(self.cards[max(0, at - 1) : at + 2]):
            QWidget.setTabOrder(before, after)
        self._count.setText(str(len(self.cards)))

    def drop_card(self, card_id: str) -> None:
        """The card is not here any more; nothing happens if it was not."""
        widget = next((w for w in self.cards if w.card.id == card_id), None)
        if widget is not None:
            self.cards.remove(widget)
            self._list.removeWidget(widget)
            widget.hide()
            widget.deleteLater()
            self._count.setText(str(len(self.cards)))

    def _ask_menu(self) -> None:
        self.menu_asked.emit(self.column.id, self._title.mapToGlobal(QPoint(0, self._title.height() + 4)))
