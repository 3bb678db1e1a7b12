# SPDX-License-Identifier: EUPL-1.2
"""Finds "@Namn" in what somebody writes, against the people of the room."""

import re
from collections.abc import Callable, Sequence

from app.chat.records import Mention
from app.core.collation import swedish_key
from app.people.person import Person


def find(text: str, people: Callable[[], Sequence[Person]]) -> tuple[Mention, ...]:
    """Finds "@Namn" of the people that `people` returns in the text, in order, in large or small letters. The longest
    name wins; a name must end where a word ends, and no letter, digit or underscore may be before the "@". `people` is
    called only if the text has an "@": a large room has thousands."""
    if "@" not in text:
        return ()
    named = sorted((p for p in people() if p.name), key=lambda p: -len(p.name))
    found: list[Mention] = []
    at = text.find("@")
    while at >= 0:
        person = _named_at(text, at, named)
        if person is not None:
            found.append(Mention(uid=person.uid, start=at, length=len(person.name) + 1))
        at = text.find("@", at + 1)
    return tuple(found)


def complete(text: str, cursor: int, people: Sequence[Person]) -> tuple[int, list[Person]]:
    """Suggestions for a mention that is being written in `text`, where `cursor` is the caret's offset just behind
    "@nam". Returns (offset of the @, those of `people` with a part of the name that begins so, in Swedish order). (-1,
    []) if none is being written or nobody fits. Large and small letters are alike."""
    match = re.search(r"(?<!\w)@([\w .-]{0,40})$", text[:cursor])
    if match is None:
        return -1, []
    wanted = match[1].casefold()
    fits = [p for p in people if any(part.startswith(wanted) for part in _starts(p.name))]
    return (match.start(), sorted(fits, key=lambda p: swedish_key(p.name))) if fits else (-1, [])


def _starts(name: str) -> list[str]:
    folded = name.casefold()
    return [folded, *(folded[m.end() :] for m in re.finditer(r"[\s-]+", folded))]


def _named_at(text: str, at: int, people: Sequence[Person]) -> Person | None:
    if at and (text[at - 1].isalnum() or text[at - 1] == "_"):
        return None
    rest = text[at + 1 :]
    for person in people:
        size = len(person.name)
        ends = size == len(rest) or not (rest[size : size + 1].isalnum())
        if rest[:size].casefold() == person.name.casefold() and ends:
            return person
    return None
