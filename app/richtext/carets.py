# SPDX-License-Identifier: EUPL-1.2
"""Where a colleague's selection is in a text."""

from dataclasses import dataclass

from app.core.ids import DevId
from app.people.person import Person


@dataclass(frozen=True, slots=True, kw_only=True)
class Caret:
    """A colleague's selection in a text, from `anchor` to `caret` in UTF-16 units. This person on another device counts
    as a colleague."""

    person: Person
    dev: DevId
    anchor: int
    caret: int
