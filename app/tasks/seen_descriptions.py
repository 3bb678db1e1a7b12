# SPDX-License-Identifier: EUPL-1.2
"""The values that the descriptions of an open board's cards have had, which show how two of them are related."""

from collections.abc import Callable, Mapping

from app.tasks.descriptions import Description, is_related, is_settled

MAX_SEEN, MAX_SEEN_CHARS = 2000, 4_000_000
"""How many values of one card's description are kept in memory. A person who types makes one a second, and all that
they make before they leave the field is undone in one step. ▲ A colleague can make them long."""


class SeenDescriptions:
    """The values that the descriptions of an open board's cards have had since it was opened, by card."""

    def __init__(self, history: Callable[[str], Mapping[str, Description] | None] | None) -> None:
        """`history` gets a card's id and returns all stored values of its description, by their ids, or None while they
        are being read. It is called if the values seen here are not enough. None in its place: nothing is stored."""
        self._history = history
        self._seen: dict[str, dict[str, Description]] = {}

    def of(self, card_id: str) -> Mapping[str, Description]:
        """The values of a card's description by id; none if it has not changed."""
        return self._seen.get(card_id, {})

    def related(self, card_id: str, mine: Description, now: Description) -> Mapping[str, Description] | None:
        """The former values of a card's description, by id, for comparing this person's `mine` with the present one,
        `now`. Reads them from the store too if those seen here do not show how the two are related. None while they are
        being read (`history`)."""
        known = self.of(card_id)
        if self._history is None or is_related(mine, now, known):
            return known
        stored = self._history(card_id)
        return None if stored is None else {**stored, **known}

    def is_settled(self, card_id: str, mine: Description, now: Description) -> bool:
        """Whether `now` has the same text as `mine` or was made from it, as far as was seen here."""
        return is_settled(mine, now, self.of(card_id))

    def note(self, card_id: str, before: Description, now: Description) -> None:
        """Notes that a card's description was `before` and is `now`. Drops the card's oldest values if it has too many
        or they are too long."""
        seen = self._seen.setdefault(card_id, {})
        for each in (before, now):
            seen.pop(each.id, None)
            seen[each.id] = each
        size = sum(len(each.text) for each in seen.values())
        for old in list(seen)[:-2]:
            if len(seen) <= MAX_SEEN and size <= MAX_SEEN_CHARS:
                break
            size -= len(seen.pop(old).text)
