# SPDX-License-Identifier: EUPL-1.2
"""Which cards are shown: by person, due date and label. Pure."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import Enum

from app.core.ids import Uid
from app.tasks.model import Card


class Due(Enum):
    """Choices of due dates."""

    ANY = "any"
    OVERDUE = "overdue"
    WEEK = "week"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What is chosen; nothing by default."""

    person: Uid | None = None
    label: str = ""
    due: Due = Due.ANY

    @property
    def active(self) -> bool:
        """Whether anything is left out."""
        return self != Filter()

    def shows(self, card: Card, today: date) -> bool:
        """Whether a card is shown."""
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

    def toggled(self, *, person: Uid | None = None, label: str = "", due: Due | None = None) -> "Filter":
        """The same with one thing chosen, or not any more if it was."""
        if person is not None:
            return replace(self, person=None if self.person == person else person)
        if label:
            return replace(self, label="" if self.label == label else label)
        if due is not None:
            return replace(self, due=Due.ANY if self.due == due else due)
        return self


def urgency(due: date | None, today: date, *, done: bool) -> str:
    """The theme role of a due date: danger when it is over, warning within two days, otherwise muted."""
    if due is None or done:
        return "muted"
    if due < today:
        return "danger"
    return "warning" if due <= today + timedelta(days=2) else "muted"
