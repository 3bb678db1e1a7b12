# SPDX-License-Identifier: EUPL-1.2
"""Reminders of cards: in a card's menu, as a button of the open card, and as a sign on the board."""

from collections.abc import Callable

from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QWidget

from app.core.ids import ObjId
from app.objects.links import ObjectLink
from ui.kit.menu import Entry
from ui.reminding import ReminderButton, Reminders, Reminding


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

    def button(self) -> ReminderButton:
        """Makes a reminder button for the panel of the open card. Call its `show_link` with the card's link."""
        return ReminderButton(self._reminding, size=16)
