# SPDX-License-Identifier: EUPL-1.2
"""How the values that a person's devices wrote for one thing are joined: the same result in any order, for each of any
number of devices and objects.

A value is a list, as the CRDT keeps it. Fields behind those that are known here come from a newer program, and are
kept. A value that is none is left out: it counts nowhere.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

Value = list[Any]
MAX_NUMBER = 2**53
"""Numbers of a CRDT are below it."""
MAX_LEFT = 64
"""Most unread messages below a read mark that a device names. Of more, the newest are named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadMark:
    """How far a person has read a series: everything up to `position` in the room's stream, but not what is at the
    positions `left`. The next `generation` begins when the person marks something as unread."""

    generation: int = 0
    position: int = 0
    left: tuple[int, ...] = ()

    def has(self, position: int) -> bool:
        """Whether what is at `position` has been read."""
        return position <= self.position and position not in self.left

    def value(self) -> Value:
        """As the CRDT keeps it."""
        named = sorted(n for n in self.left if n <= self.position)[-MAX_LEFT:]
        return [self.generation, self.position, named] if named else [self.generation, self.position]


NOTHING_READ = ReadMark()


def mark_from(value: object) -> ReadMark | None:
    """The read mark in a value; None if it is none."""
    match value:
        case [int() as generation, int() as position, *rest] if _are_numbers((generation, position)):
            left = rest[0] if rest else []
            if isinstance(left, list) and len(left) <= MAX_LEFT and _are_numbers(left):
                return ReadMark(generation=generation, position=position, left=tuple(sorted(set(left))))
    return None


def join_marks(marks: Iterable[ReadMark]) -> ReadMark:
    """What is read if each of the marks is true. The highest generation counts; of that, whatever is read by one of the
    marks is read. NOTHING_READ for none."""
    marks = list(marks)
    generation = max((mark.generation for mark in marks), default=0)
    valid = [mark for mark in marks if mark.generation == generation]
    position = max((mark.position for mark in valid), default=0)
    named = {n for mark in valid for n in mark.left if n <= position}
    left = sorted(n for n in named if not any(mark.has(n) for mark in valid))
    return ReadMark(generation=generation, position=position, left=tuple(left))


def join_reads(values: Sequence[Value]) -> Value | None:
    """The joined read mark as a value, with the further fields of the farthest one; None if no value is a mark."""
    found = [(mark, value) for value in values if (mark := mark_from(value)) is not None]
    if not found:
        return None
    joined = join_marks(mark for mark, _ in found)
    further = max((value[3:] for mark, value in found if mark.generation == joined.generation), key=_encode)
    made = joined.value()
    return [*made, [], *further] if further and len(made) < 3 else [*made, *further]


def join_registers(values: Sequence[Value]) -> Value | None:
    """The value with the latest stamp; of two with the same stamp always the same one. None if none has a stamp."""
    return max(
        (v for v in values if len(v) > 1 and _are_numbers(v[:1])), key=lambda v: (v[0], _encode(v[1:])), default=None
    )


def join_notices(values: Sequence[Value]) -> Value | None:
    """The value with the highest generation, state and time, in this order; None if there is none."""
    valid = [v for v in values if len(v) > 2 and _are_numbers(v[:3])]
    return max(valid, key=lambda v: (*v[:3], _encode(v[3:])), default=None)


KEEP_DAYS = 90
"""How long what the person did with a notice is kept: by then the notice is deleted (app/store/notice_rows.py)."""


def is_kept(root: str, value: Value, today: int) -> bool:
    """Whether a value is carried over, and set again with its device's map. `today`: days since 1970 UTC. All are but
    those about notices of long ago."""
    day = value[3] if root == "notices" and len(value) > 3 else None
    return not isinstance(day, int) or day + KEEP_DAYS >= today


Join = Callable[[Sequence[Value]], Value | None]
JOINS: dict[str, Join] = {
    "reads": join_reads,
    "rooms": join_registers,
    "sections": join_registers,
    "settings": join_registers,
    "notices": join_notices,
}
"""By root of the CRDT. A draft is not joined: two that were written apart are both kept (drafts.py)."""


def _are_numbers(values: Iterable[object]) -> bool:
    return all(type(value) is int and 0 <= value < MAX_NUMBER for value in values)


def _encode(value: object) -> bytes:
    return msgspec.msgpack.encode(value)
