# SPDX-License-Identifier: EUPL-1.2
"""Begins a judge that has not read an object's first changes: with a state (a baseline, a snapshot, a successor's
beginning) and the structure beside it. Checks that the two agree wherever the update has the same fact."""

from collections.abc import Generator, Iterator

from app.objects.grammar import DELETED, GC, TYPE, Facts, Id, Item, Section, reading
from app.objects.lib0 import BadUpdate
from app.objects.structure import BREATH, KEY_MASK, NOWHERE, Broken, Client, Structure
from app.objects.structure_codec import decoding
from sync.pieces import finished


def structure_at(update: bytes, known: bytes) -> Generator[None, None, Structure]:
    """A generator that checks an object's merged state, the update `update`, against the encoded structure `known` that
    came beside it, and returns the decoded structure, as `beginning` does. BadUpdate also if `update` cannot be read,
    or is no state."""
    return (yield from beginning((yield from reading(update, state=True)), known))


def begin(facts: Facts, data: bytes) -> Structure:
    """Checks a merged state of an object against `data`, the encoded structure that came beside it, and returns the
    decoded structure. A structure says which ids exist, who owns each CRDT client number, and to which sequence each id
    belongs. `facts`: what was read of the state's update, with `state=True`. BadUpdate if the two disagree, or if the
    update's items cannot be put in any order."""
    return finished(beginning(facts, data))


def beginning(facts: Facts, data: bytes) -> Generator[None, None, Structure]:
    """A generator that checks an object's merged state against the encoded structure `data` that came beside it: other
    tasks can run between its steps. `facts`: what was read of the state's update. Returns the decoded structure.
    BadUpdate if the two disagree, or if the update's items cannot be put in any order. `begin` does it at once."""
    structure = yield from decoding(data)
    sections = {section.client: section for section in facts.sections}
    for number, client in structure.clients.items():
        section = sections.get(number)
        if (section.end if section is not None else 0) != client.clock:
            raise BadUpdate("state")
    for number in sections:
        if number not in structure.clients:
            raise BadUpdate("state")
    if any(not structure.has(ident) for ident in facts.needed):
        raise BadUpdate("state")
    yield from _check_order(facts)
    try:
        yield from _check_items(facts, structure)
    except Broken as broken:
        raise BadUpdate(broken.code) from broken
    structure.settle()
    return structure


def _check_items(facts: Facts, structure: Structure) -> Iterator[None]:
    known = structure.mark()
    count = 0
    for section in facts.sections:
        client = structure.clients[section.client]
        for item in section.items:
            _check_item(section, item, client, structure)
            count += 1
            if count % BREATH == 0:
                yield
        _check_lows(section, client)
    for number, ranges in facts.deleted:
        for start, end in ranges:
            structure.check_deleted(number, start, end)
    if structure.mark() != known:  # the update has a root or key that the structure does not name
        raise BadUpdate("state")


def _check_item(section: Section, item: Item, client: Client, structure: Structure) -> None:
    """Checks that the structure has the whole item in one run of ids, in the sequence that the item itself names, and
    as the same type (such as a nested map) or as none. BadUpdate "state" otherwise. An item without content passes."""
    if item.kind == GC:
        return
    run, number = client.sequence(item.clock), client.parent(item.clock)
    if not client.one_run(item.clock, item.length):
        raise BadUpdate("state")
    if run == NOWHERE or structure.sequence_of(item) != run or item.keyed != (run & KEY_MASK != 0):
        raise BadUpdate("state")
    if item.kind == TYPE:
        if number is None or structure.parents[number].type != item.type:
            raise BadUpdate("state")
    elif item.kind != DELETED and client.has_types(item.clock, item.length):
        raise BadUpdate("state")


def _check_lows(section: Section, client: Client) -> None:
    """Checks that the structure (`client`) and the update (`section`) name the same surrogate pairs (characters of two
    UTF-16 units) in one client's text that is not deleted. BadUpdate "state" otherwise. Pairs of deleted text are in
    the structure alone."""
    gone = [(item.clock, item.clock + item.length) for item in section.items if item.kind in (DELETED, GC)]
    at, lows = 0, list[int]()
    for low in client.lows:
        while at < len(gone) and gone[at][1] <= low:
            at += 1
        if at == len(gone) or low < gone[at][0]:
            lows.append(low)
    if lows != section.lows:
        raise BadUpdate("state")


def _check_order(facts: Facts) -> Iterator[None]:
    """▲ Checks that the items can be put in an order in which each comes after all that it names, so that parents and
    neighbours form no cycle. BadUpdate "cycle" otherwise. A generator: other tasks can run between its steps."""
    left = {section.client: iter(section.items) for section in facts.sections}
    ends = {section.client: section.end for section in facts.sections}
    heads: dict[int, Item | None] = {client: next(items) for client, items in left.items()}
    count = 0
    for first, end in ends.items():
        stack: list[Id] = [(first, end - 1)]  # each must be put before the one below it can continue
        inside = {first}
        while stack:
            client = stack[-1][0]
            if _is_put(stack[-1], heads, ends):
                inside.discard(stack.pop()[0])
                continue
            missing = _missing(heads[client], heads, ends)
            if missing is None:
                heads[client] = next(left[client], None)
            elif missing[0] in inside:
                raise BadUpdate("cycle")
            else:
                stack.append(missing)
                inside.add(missing[0])
            count += 1
            if count % BREATH == 0:
                yield


def _missing(item: Item | None, heads: dict[int, Item | None], ends: dict[int, int]) -> Id | None:
    """The first of the ids that the item names (its neighbours and parent) that is not in the order yet; None if all
    are, or if there is no item. `heads`: each client's next item that is not in the order; `ends`: the clock behind its
    last one."""
    for ident in (item.origin, item.right, item.parent) if item is not None else ():
        if isinstance(ident, tuple) and not _is_put(ident, heads, ends):
            return ident
    return None


def _is_put(ident: Id, heads: dict[int, Item | None], ends: dict[int, int]) -> bool:
    head = heads[ident[0]]
    return ident[1] < (head.clock if head is not None else ends[ident[0]])
