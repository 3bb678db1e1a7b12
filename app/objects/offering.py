# SPDX-License-Identifier: EUPL-1.2
"""Which of a person's own updates may be offered in a successor: those that build only on what has a position there.
Pure: it uses no store and no CRDT.

Each person offers only their own changes, and a change may build on another person's. If it were offered before that
one, it would wait in the successor, where everybody sees it, and a prune that covers it would leave it out for good.
"""

from collections.abc import Callable, Mapping
from typing import TypeVar

from app.objects.grammar import Facts, Id, read
from app.objects.lib0 import BadUpdate

K = TypeVar("K")
Has = Callable[[Id], bool]


def offerable(updates: Mapping[K, bytes], has: Has) -> list[K]:
    """The keys of the updates that this person may send to the successor room now. Each update comes after those that
    it builds on. An update that builds on something that has no position in the successor is left out.

    `has` tells whether an id has a position in the successor. An update that breaks the
    grammar of updates is always among them.
    """
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
    """Adds a range of clocks, joined to the last one if it follows it. Otherwise thousands of ranges would be searched
    for each change."""
    if ranges and ranges[-1][1] == start:
        start = ranges.pop()[0]
    ranges.append((start, end))


def _facts(update: bytes) -> Facts | None:
    try:
        return read(update)
    except BadUpdate:
        return None
