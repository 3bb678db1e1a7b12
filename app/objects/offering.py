# SPDX-License-Identifier: EUPL-1.2
"""Which of a person's own updates may be offered in a successor: those that build only on what has a position there.
Pure: it uses no store and no CRDT.

Each person offers only their own changes, and a change may build on another person's. If it were offered before that
one, it would wait in the successor, where everybody sees it, and a prune that covers it would leave it out for good. A
change is also not offered if a client that it names belongs to another person in the successor than in the old room. In
the successor it would be void, or it would build on words for which it was not written.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from app.objects.grammar import Facts, Id, read
from app.objects.lib0 import BadUpdate

K = TypeVar("K")
Has = Callable[[Id], bool]
IsTaken = Callable[[int, bool], bool]
"""Whether a client belongs to a different person in the successor. The second argument says whether the person's own
updates hold items of this client."""


def offerable(updates: Mapping[K, bytes], has: Has, is_taken: IsTaken = lambda client, own: False) -> list[K]:
    """Which of a person's own `updates` may be sent to the successor room now, by their keys, each after those that it
    builds on. An update that builds on something without a position in the successor is left out, and so is one that
    names a CRDT client number which belongs to another person there.

    `has` is given an id (client, clock): whether it has a position in the successor. `is_taken` is given a client
    number, and whether `updates` have items of it: whether it belongs to a different person there. An update that
    breaks the grammar of updates is always in the result.
    """
    left, ready = {key: _facts(update) for key, update in updates.items()}, list[K]()
    offered: dict[int, list[tuple[int, int]]] = {}
    taken = _taken(left.values(), is_taken)
    left = {key: facts for key, facts in left.items() if facts is None or not any(map(taken, _clients(facts)))}

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


def names_taken(updates: Iterable[bytes], is_taken: IsTaken) -> bool:
    """Whether one of a person's own `updates` names a CRDT client number that belongs to another person in the
    successor room, the one that continues theirs. Such an update can never be offered there. `is_taken` answers that
    for one client number; its second argument says whether `updates` have items of it. An update that breaks the
    grammar of updates names none."""
    known = [facts for update in updates if (facts := _facts(update)) is not None]
    taken = _taken(known, is_taken)
    return any(taken(client) for facts in known for client in _clients(facts))


def _taken(own: Iterable[Facts | None], is_taken: IsTaken) -> Callable[[int], bool]:
    mine = {section.client for facts in own if facts is not None for section in facts.sections}
    return lambda client: is_taken(client, client in mine)


def _clients(facts: Facts) -> set[int]:
    return {section.client for section in facts.sections} | {client for client, _ in facts.needed}


def _note(ranges: list[tuple[int, int]], start: int, end: int) -> None:
    """Adds the clocks from `start` to before `end` to `ranges`. If they follow the last range, that one is extended:
    otherwise thousands of ranges would be searched for each update."""
    if ranges and ranges[-1][1] == start:
        start = ranges.pop()[0]
    ranges.append((start, end))


def _facts(update: bytes) -> Facts | None:
    try:
        return read(update)
    except BadUpdate:
        return None
