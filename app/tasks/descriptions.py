# SPDX-License-Identifier: EUPL-1.2
"""A card's description: one value of the board's CRDT, which names the values that it was made from.

Of two values that were written at once the CRDT keeps one. The program whose value is gone sees that the new one was
not made from it, merges both, and writes the result. So nothing that two people wrote is lost, and what one of them
deleted stays deleted. Pure: it uses no board and no store.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.core import three_way
from app.core.ids import Uid
from app.core.visible import paragraphs

MAX_DESCRIPTION = 40_000
"""Code points of a text: it must fit into one change (160 kB of 192)."""
MAX_PARENTS = 2
_ID_CHARS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """One value of a card's description: a `text` that `by` wrote. `made_from`: the ids of the values that it was made
    from: one, or two if it merges them.

    Everybody who may write can write any ids here. A writer who names a value as a parent without building on it has
    deleted that value, which they may.
    """

    text: str = ""
    by: Uid | None = None
    made_from: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """A hash of the text, its writer and the ids that it was made from (app/objects/FORMAT.md). So a text that is
        put back later has a different id than the first time."""
        canonical = json.dumps(self.value(), ensure_ascii=True, separators=(",", ":")).encode()
        return hashlib.sha256(canonical).hexdigest()[:_ID_CHARS]

    def value(self) -> list[Any]:
        """The value as the CRDT has it."""
        return [self.text, self.by.hex() if self.by else "", list(self.made_from)]


def written(text: str, by: Uid | None, *made_from: Description) -> Description:
    """Makes a description of a card out of `text`, by the person `by`, as it may be stored: cut at MAX_DESCRIPTION,
    without control characters. `made_from`: the earlier descriptions on which it builds."""
    return Description(text=cleaned(text), by=by, made_from=tuple(parent.id for parent in made_from))


def cleaned(text: str) -> str:
    """The text as it is stored and shown. Applying it twice gives the same."""
    return paragraphs(text[:MAX_DESCRIPTION])


def description_from(value: Any) -> Description:
    """Reads a description from its value in the CRDT. Parts of another form count as absent; a plain text is a
    description that was made from nothing."""
    parts = value if isinstance(value, list) and len(value) == 3 else [value, None, None]
    text, by, parents = parts
    return Description(
        text=cleaned(text) if isinstance(text, str) else "",
        by=_uid(by),
        made_from=tuple(p for p in parents if _is_id(p))[:MAX_PARENTS] if isinstance(parents, list) else (),
    )


def merge(mine: Description, now: Description, known: Mapping[str, Description], by: Uid) -> Description | None:
    """Merges two descriptions of one card. `mine` was replaced by `now`, which may not build on it. Returns the value
    to write in place of `now`, by the person `by`; None if `now` may stay, because it was made from `mine`, or has the
    same text as that or as the merged one.

    `known`: former values of this description, by id. The nearest value that both were made from shows what was added
    and what removed; if none is known, nothing counts as removed.

    ▲ `now` may be a value that `mine` was made from: a colleague undid a step of their own while `mine` was written,
    and the CRDT kept the undo. Then all of `mine` is restored. Do not call this for a value that its own writer undid
    (`goes_back`).
    """
    if is_settled(mine, now, known):
        return None
    base = common(mine, now, known)
    text = cleaned(three_way.merge(base.text if base else None, mine.text, now.text))
    return None if text == now.text else written(text, by, now, mine)


def is_related(mine: Description, now: Description, known: Mapping[str, Description]) -> bool:
    """Whether the values in `known` are enough to decide how to merge `mine` with `now`."""
    return is_settled(mine, now, known) or common(mine, now, known) is not None


def is_settled(mine: Description, now: Description, known: Mapping[str, Description]) -> bool:
    """Whether `now` was made from `mine`, or both have the same text."""
    return mine.text == now.text or mine.id in ancestry(now, known)


def goes_back(mine: Description, now: Description, known: Mapping[str, Description]) -> bool:
    """Whether `mine` was made from `now`: where the same person wrote both, `mine` was undone."""
    return now.id in ancestry(mine, known)


def common(mine: Description, now: Description, known: Mapping[str, Description]) -> Description | None:
    """The value in `known` nearest to `mine` from which both `mine` and `now` were made; it may be one of the two. None
    if there is none."""
    theirs = ancestry(now, known)
    return next((known[i] for i in ancestry(mine, known) if i in theirs and i in known), None)


def ancestry(of: Description, known: Mapping[str, Description]) -> dict[str, None]:
    """The id of the value `of`, and the ids of all values that it was made from, directly or not, the nearest first. An
    id that is not in `known` is among them, but nothing that the value with this id was made from. The values of the
    dict mean nothing."""
    found, level = dict[str, None].fromkeys([of.id]), [of]
    while level:
        parents = dict.fromkeys(p for each in level for p in each.made_from if p not in found)
        found |= parents
        level = [known[parent] for parent in parents if parent in known]
    return found


def _is_id(value: Any) -> bool:
    return isinstance(value, str) and len(value) == _ID_CHARS


def _uid(value: Any) -> Uid | None:
    try:
        raw = bytes.fromhex(value) if isinstance(value, str) else b""
    except ValueError:
        return None
    return Uid(raw) if len(raw) == 16 else None
