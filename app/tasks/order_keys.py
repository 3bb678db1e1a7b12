# SPDX-License-Identifier: EUPL-1.2
"""Order keys between two things of a board, also beside keys that a colleague's program wrote."""

from collections.abc import Sequence

from app.core.fractional import between


def neighbours(others: Sequence[tuple[str, str]], before: str | None) -> tuple[str | None, str | None]:
    """The sort keys (low, high) between which a new thing belongs that is to be before the thing `before` (None or
    unknown: at the end). `others`: (id, sort key) of the present things in order. None where there is no neighbour.
    Things that share a key with `before` count as one with it."""
    at = next((i for i, (key, _) in enumerate(others) if key == before), None)
    if at is None:
        return (others[-1][1] if others else None), None
    high = others[at][1]
    # two people may by chance have made the same key: go before all cards that share it
    lower = [order for _, order in others[:at] if order < high]
    return (lower[-1] if lower else None), high


def key_between(low: str | None, high: str | None) -> str:
    """A sort key between `low` and `high` (None: no bound). If a colleague's program wrote one that is no valid key, or
    they are not in order: a key behind `low`, which may be behind `high` too."""
    try:
        return between(low or None, high or None)
    except (ValueError, AssertionError, IndexError):
        return (low or "a0") + "V"
