# SPDX-License-Identifier: EUPL-1.2
"""What the changes of others have replaced on an open board."""

from dataclasses import replace

from app.core.ids import Uid
from app.tasks.cards import Card
from app.tasks.descriptions import Description
from app.tasks.seen_descriptions import SeenDescriptions


class Replaced:
    """Notes what merged changes have replaced on an open board: descriptions, titles, and cards in the trash. Compares
    each card before and after a change. By these notes descriptions are merged again, an editor says who replaced a
    title, and a person is notified of what others wrote in the trash."""

    def __init__(self, descriptions: SeenDescriptions) -> None:
        self.overwritten: list[tuple[str, Description]] = []
        """(card, description) of descriptions that the last merge replaced by others that do not name them, without
        those that were undone."""
        self.retitled: dict[str, Uid | None] = {}
        """Cards whose title another program wrote last, as far as was seen here, with that program's person, if
        known."""
        self.written_in_trash: set[str] = set()
        """Cards that were in the trash before the last merge and that it changed."""
        self._descriptions = descriptions
        self._author: Uid | None = None

    def begin(self, author: Uid | None) -> None:
        """Begins a merge of changes that `author` wrote; None if several people did. Clears the notes of the last
        merge."""
        self.overwritten, self.written_in_trash = [], set()
        self._author = author

    def end(self) -> None:
        """Ends the merge."""
        self._author = None

    def note(self, card_id: str, before: Card | None, card: Card | None, *, merged: bool) -> None:
        """Compares a card as it was (`before`) and as it is now (`card`), and notes whether its title or description
        was replaced, and whether it was changed in the trash. `merged`: the change came from another program; otherwise
        it was made here. If either is None (the card does not exist), nothing is noted."""
        if before is None or card is None:
            return
        if before.title != card.title:
            if merged:
                self.retitled[card_id] = self._author
            else:
                self.retitled.pop(card_id, None)
        if before.deleted and card.deleted and _as_written(before) != _as_written(card):
            self.written_in_trash.add(card_id)
        if before.described == card.described:
            return
        self._descriptions.note(card_id, before.described, card.described)
        if merged and before.described.id not in card.described.made_from:
            self.overwritten.append((card_id, before.described))


def _as_written(card: Card) -> Card:
    """A card in the trash without who put it there, and when."""
    return replace(card, deleted_by=None, deleted_t=0)
