# SPDX-License-Identifier: EUPL-1.2
"""The values of new things on a board, as the CRDT has them. cards.py reads them."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from app.core.ids import Uid, new_id
from app.core.visible import one_line
from app.tasks.cards import MAX_NAME, MAX_TITLE
from app.tasks.descriptions import Description

ID_BYTES = 8
"""Of the id of a thing on a board."""


def new_card_id() -> str:
    """The id of a card that is not on the board yet."""
    return short_id()


def short_id() -> str:
    """A random id for a thing on a board."""
    return new_id()[:ID_BYTES].hex()


def title_line(text: str) -> str:
    """A card's title or a checklist's line, cut and in one line."""
    return one_line(text, MAX_TITLE)


def name_line(text: str) -> str:
    """A board's, column's or label's name, cut and in one line."""
    return one_line(text, MAX_NAME)


def column_value(title: str, order: str, *, done: bool) -> dict[str, Any]:
    """A column that nobody has renamed yet."""
    return {"title": name_line(title), "order": order, "done": done}


def card_value(
    title: str,
    description: Description,
    place: tuple[str, str],
    *,
    by: Uid | None,
    t: int,
    assignee: Uid | None,
    due: date | None,
    labels: Iterable[str],
) -> dict[str, Any]:
    """The CRDT's value of a new card without a checklist. `place`: (id of its column, its sort key there); `by` and `t`
    (ms): who made it and when; `labels`: their ids."""
    return {
        "title": title_line(title),
        "description": description.value(),
        "place": list(place),
        "assignee": assignee.hex() if assignee else "",
        "due": due.isoformat() if due else "",
        "labels": dict.fromkeys(labels, True),
        "checklist": {},
        "by": by.hex() if by else "",
        "t": t,
    }
