# SPDX-License-Identifier: EUPL-1.2
"""Which of one's own updates may be offered in a room that continues another: those of which all that they build on is
there. No store and no CRDT.

Each person offers only their own changes, and what these build on may be another's. Offered earlier, such a change
would wait in everybody's sight until the other person comes, and a prune that covered it would leave it out for good.
"""

from collections.abc import Callable, Mapping
from typing import TypeVar

from app.objects.grammar import Facts, Id, read
from app.objects.lib0 import BadUpdate

K = TypeVar("K")
Has = Callable[[Id], bool]


def offerable(updates: Mapping[K, bytes], has: Has) -> list[K]:
    """The keys of the updates that may be offered, in an order in which each comes behind what it builds on. `has`: the
    ids that have a position there. An update that breaks the grammar holds nothing back, and is offered as it is."""
    left, ready = {key: _facts(update) for key, update in updates.items()}, list[K]()
    offered: dict[int, list[tuple[int, int]]] = {}

    def is_there(ident: Id) -> bool:
        return has(ident) or any(start <= ident[1] < end for start, end in offered.get(ident[0], ()))

    found = True
    while found:
        found = False
        for key, facts in list(left.items()):
            if facts is not None and not all(map(is_there, facts.needed)):
                continue
            for section in facts.sections if facts is not None else ():
                _note(offered.setdefault(section.client, []), section.start, section.end)
            ready.append(key)
            del left[key]
            found = True
    return ready


def _note(ranges: list[tuple[int, int]], start: int, end: int) -> None:
    """What one person wrote in a row is one range: thousands would be walked through for each change."""
    if ranges and ranges[-1][1] == start:
        start = ranges.pop()[0]
    ranges.append((start, end))


def _facts(update: bytes) -> Facts | None:
    try:
        return read(update)
    except BadUpdate:
        return None
