# SPDX-License-Identifier: EUPL-1.2
"""Reminders of cards: in a card's menu, as a button of the open card, and as a sign on the board."""

from collections.abc import Callable

from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QWidget

from app.core.ids import ObjId
from app.objects.links import ObjectLink
from ui.kit.buttons import IconButton
from ui.kit.choose_time import when_text
from ui.kit.icons import set_icon
from ui.kit.menu import Entry
from ui.kit.translate import tr
from ui.reminding import Reminders, Reminding


class CardReminding:
    """Sets, changes and shows the person's reminders of the cards of one board. `view` is the parent of menus. `link`
    gets a card's id and returns the link to that card; None if the board is not made yet, so that there is nothing to
    link to."""

    def __init__(self, view: QWidget, reminders: Reminders, link: Callable[[str], ObjectLink | None]) -> None:
        self.reminders = reminders
        self._link, self._reminding = link, Reminding(view, reminders)

    def cards(self, board: ObjId | None) -> frozenset[str]:
        """The ids of the board's cards of which the person is to be reminded."""
        places = self.reminders.places(board) if board is not None else ()
        return frozenset(place.decode("utf-8", "replace") for place in places if place)

    def text(self, card: str) -> str:
        """When the person is reminded of a card, in words; "" for no reminder."""
        link = self._link(card)
        row = self.reminders.at(link) if link is not None else None
        return tr("Reminder {when}").format(when=when_text(row.at)) if row is not None else ""

    def entries(self, card: str, at: QPoint) -> list[Entry]:
        """The entry of a card's menu, which opens the times at the global point `at`. [] if the card has no link."""
        link = self._link(card)
        return [self._reminding.entry(link, at)] if link is not None else []

    def open(self, card: str, at: QPoint | None = None) -> None:
        """Opens the menu in which the person chooses when to be reminded of the card with the id `card`, at the global
        point `at` or in the middle of the view, and returns at once. Does nothing if `link` returns None for it."""
        link = self._link(card)
        if link is not None:
            self._reminding.open(link, at)


class ReminderButton(IconButton):
    """The button of an open card that opens the times, and shows whether there is a reminder."""

    def __init__(self, reminding: CardReminding) -> None:
        super().__init__("clock", tr("Remind me"), self._open, size=16)
        self._reminding = reminding
        self._card = ""

    def show_card(self, card: str) -> None:
        """Shows the reminder of this card from now on; "" for a card that is not on the board yet."""
        self._card = card
        self.refresh()

    def refresh(self) -> None:
        """Reads the card's reminder again."""
        text = self._reminding.text(self._card) if self._card else ""
        self.setVisible(bool(self._card))
        self.set_name(text or tr("Remind me"))
        set_icon(self, "clock", "accent" if text else "muted", 16)

    def _open(self) -> None:
        self._reminding.open(self._card, self.mapToGlobal(self.rect().bottomLeft()))
