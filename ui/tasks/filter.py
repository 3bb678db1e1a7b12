# SPDX-License-Identifier: EUPL-1.2
"""Which cards are shown: by person, due date and label. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import Enum

from app.core.ids import Uid
from app.tasks.model import Card


class Due(Enum):
    """The choices in the board's filter for when a card is due. ANY: all cards. OVERDUE: before today. WEEK: within
    seven days from today, or overdue. NONE: without a date."""

    ANY = "any"
    OVERDUE = "overdue"
    WEEK = "week"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What the board is filtered by: person, label (its id, "" for any) and due date. By default every card is
    shown."""

    person: Uid | None = None
    label: str = ""
    due: Due = Due.ANY

    @property
    def active(self) -> bool:
        """Whether anything is left out."""
        return self != Filter()

    def shows(self, card: Card, today: date) -> bool:
        """Whether the filter shows this card. `today` is the day by which due dates are judged."""
        if self.person is not None and card.assignee != self.person:
            return False
        if self.label and self.label not in card.labels:
            return False
        match self.due:
            case Due.ANY:
                return True
            case Due.NONE:
                return card.due is None
            case Due.OVERDUE:
                return card.due is not None and card.due < today
            case Due.WEEK:
                return card.due is not None and card.due <= today + timedelta(days=7)

    def shown(self, cards: Iterable[Card], today: date) -> list[Card]:
        """Those of the cards that the filter shows, in the same order."""
        return [card for card in cards if self.shows(card, today)]

    def toggled(self, *, person: Uid | None = None, label: str = "", due: Due | None = None) -> "Filter":
        """A filter that differs in one choice: the given one is chosen, or no longer if it was chosen before. Give one
        argument: of several only the first counts, and without any the filter is the same."""
        if person is not None:
            return replace(self, person=None if self.person == person else person)
        if label:
            return replace(self, label="" if self.label == label else label)
        if due is not None:
            return replace(self, due=Due.ANY if self.due == due else due)
        return self


def urgency(due: date | None, today: date, *, done: bool) -> str:
    """The name of the colour for the date `due`: "danger" if it is before `today`, "warning" today and the two days
    after it, otherwise "muted", also without a date. `done`: the card is finished, which is "muted" too."""
    if due is None or done:
        return "muted"
    if due < today:
        return "danger"
    return "warning" if due <= today + timedelta(days=2) else "muted"
