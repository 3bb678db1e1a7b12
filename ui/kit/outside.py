# SPDX-License-Identifier: EUPL-1.2
"""Menu entries that take content out of Kansli (save, print, export, open in another program): disabled, with the
reason, where policy forbids them. The services in app/ decide what is allowed; their checks are called here."""

from collections.abc import Callable
from dataclasses import replace

from app.errors import WorldError
from ui.errors import sentence_of
from ui.kit.menu import Entry

Check = Callable[[], object]
"""A service's function that raises if policy forbids an action, such as `DocumentFiles.check_export`."""


def refusal(check: Check) -> str | None:
    """Why policy forbids an action now, as a sentence; None if it allows it. The reason is what `check` raises."""
    try:
        check()
    except WorldError as error:
        return sentence_of(error).title
    return None


def outside_entries(*wanted: tuple[Entry, Check]) -> list[Entry]:
    """Menu entries that take content out of Kansli, each with the check that decides. Those that policy forbids are
    disabled, and lines after the last entry say why, each reason once."""
    found, reasons = list[Entry](), dict[str, None]()
    for entry, check in wanted:
        reason = refusal(check)
        found.append(entry if reason is None else replace(entry, enabled=False))
        if reason is not None:
            reasons[reason] = None
    return [*found, *(Entry(text=reason) for reason in reasons)]
