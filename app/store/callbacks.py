# SPDX-License-Identifier: EUPL-1.2
"""Runs what waits for a commit."""

from collections.abc import Callable, Iterable


def errors_of(acts: Iterable[Callable[[], None]]) -> list[Exception]:
    """Calls each of `acts`, also after one that fails: each notifies somebody else. Returns their errors, in order."""
    errors: list[Exception] = []
    for act in acts:
        try:
            act()
        except Exception as e:
            errors.append(e)
    return errors
