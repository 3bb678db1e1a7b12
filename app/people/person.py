# SPDX-License-Identifier: EUPL-1.2
"""A person as the interface shows them."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from app.core.ids import Uid
from app.core.visible import one_line

MAX_SHOWN = 120
"""Characters of a name, a title or a unit that are shown."""
HUES = 8
"""How many colours people have (avatars, carets); ui/kit/theme.py holds them."""


class Verified(StrEnum):
    """How sure it is that the keys belong to the person: not at all, certified by the agency, or compared in person."""

    NONE = "none"
    AGENCY = "agency"
    IN_PERSON = "in-person"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A person as the interface shows them. `verified` is NONE also for a person whose keys the agency has reset.
    `colour` is an index below HUES, chosen by uid; `initials` are one or two letters or digits, "?" without a name,
    and "" while the name is being fetched."""

    uid: Uid
    name: str
    title: str
    unit: str
    initials: str
    colour: int
    verified: Verified
    is_me: bool
    is_sought: bool = False
    """The agency's record of the person is being fetched: nothing can be said about them yet, and nothing is wrong."""
    warning: str = ""
    """`"reset"` or `"duplicate"` while there is a warning about the person's keys (app/people/notices.py)."""


def shown(record: Mapping[str, str], field: str) -> str:
    """A field of a staff record as it may be shown; "" if the record has none."""
    return one_line(record.get(field, ""), MAX_SHOWN)


def initials(name: str) -> str:
    """The first letters of the first and last word of a name, or the first two letters of a single word: "Handläggare"
    gives "HA", "Enhetschef Tillsyn" gives "ET". A hyphen separates words; a word begins with a letter or digit. "?" for
    a name without such a word."""
    words = [w for w in name.replace("-", " ").split() if w[0].isalnum()]
    if not words:
        return "?"
    letters = words[0][0] + words[-1][0] if len(words) > 1 else words[0][:2]
    return letters.upper()


def colour_of(uid: Uid) -> int:
    """The same hue for a person everywhere."""
    return uid[0] % HUES
