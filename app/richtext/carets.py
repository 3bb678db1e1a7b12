# SPDX-License-Identifier: EUPL-1.2
"""Where a colleague's selection is in a text."""

from dataclasses import dataclass

from app.core.ids import DevId
from app.people.person import Person


@dataclass(frozen=True, slots=True, kw_only=True)
class Caret:
    """A colleague's selection in UTF-16 positions. `me` on another device of mine counts as a colleague."""

    person: Person
    dev: DevId
    anchor: int
    caret: int
