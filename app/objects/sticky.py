# SPDX-License-Identifier: EUPL-1.2
"""Sticky positions and state vectors, read without the CRDT library.

A sticky position is 0 and an item's id, or 1 and a root's name, or 2 and a type's id; then the side to which it holds.
A state vector is a count and then, for each client, its id and the clock that follows its last item.
"""

from app.objects.lib0 import BadUpdate, Reader

MOST_CLOCKS = 500
"""Matches in a state vector that are not the client, before a search for it ends: about 2 ms."""
_ITEM, _ROOT, _TYPE = range(3)
_MORE = 0x80
_NOT_LAST = bytes(range(_MORE, 0x100))
"""The bytes of a number after which another byte of the number follows."""


def is_sticky(sticky: bytes) -> bool:
    """Whether bytes have the form of a sticky position, that is, a place in a text that moves with the text. ▲ Carets
    are not tried in the worker, so damaged bytes would reach pycrdt in this process."""
    read = Reader(sticky)
    try:
        kind = read.number()
        if kind == _ROOT:
            read.text()
        else:
            read.ident()
        read.byte()
    except BadUpdate:
        return False
    return kind <= _TYPE and read.at == read.end


def item_of(sticky: bytes) -> tuple[int, int] | None:
    """The id (client, clock) of the item to which a sticky position is attached; None if it is attached to no item, or
    damaged."""
    read = Reader(sticky)
    try:
        return None if read.number() != _ITEM else read.ident()
    except BadUpdate:
        return None


def client_in(sticky: bytes) -> int | None:
    """The CRDT client number of the item to which a sticky position is attached; None if it is attached to no item, or
    damaged."""
    item = item_of(sticky)
    return item[0] if item is not None else None


def clock_in(state: bytes, client: int) -> int:
    """The clock of `client` in an encoded state vector, that is, how many operations of that client it includes; 0 if
    the client is not in it, or if the search gives up (see below).

    Searches the bytes `state` and does not read every number: an object may have thousands of clients, and a caret is
    received with every keystroke. A match is a client only if an odd count of whole numbers precedes it: first the
    count of clients, then pairs of a client and its clock.

    ▲ Gives up after MOST_CLOCKS matches that are clocks. Only a small client can match a clock; those that programs
    draw are larger. A colleague could otherwise choose one that matches the clocks of 30,000 clients.
    """
    wanted, at, counted, numbers = _number(client), 0, 0, 0
    for _ in range(MOST_CLOCKS):
        at = state.find(wanted, at)
        if at < 0:
            break
        if at and state[at - 1] < _MORE:  # a number begins here
            numbers += len(state[counted:at].translate(None, _NOT_LAST))
            counted = at
            if numbers % 2:
                read = Reader(state)
                read.at = at + len(wanted)
                return read.number()
        at += 1
    return 0


def _number(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*out, value))
