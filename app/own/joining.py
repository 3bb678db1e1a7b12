# SPDX-License-Identifier: EUPL-1.2
"""Joins the values that a person's devices wrote under one key into the value that counts. The order of the values
makes no difference, nor does joining one of them twice.

A value is a list, as the CRDT stores it. Fields behind the known ones were written by a newer program, and are kept.
A value that does not have the form of its root is ignored.
"""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from app.store.read_positions import HASH_BYTES, START_HASH

Value = list[Any]
MAX_NUMBER = 2**53
"""A number in a value is below this."""
AHEAD_DAYS = 366
AHEAD_MS = AHEAD_DAYS * 86_400_000
"""How far a stamp, or the day of a notice, may be ahead of this device's clock, since that may be slow."""
_HASH = re.compile(f"[0-9a-f]{{{2 * HASH_BYTES}}}")
MAX_LEFT = 64
"""The most unread positions that a read mark names. Of more, the newest are named, and the others count as read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadMark:
    """How far a person has read a series: everything up to `position` in the room's stream, except what is at the
    positions `left`. A mark of a higher `generation` replaces those of lower ones: the number rises when the person
    marks something as unread. `hash` names what is at `position` (app/own/reached.py). Within one room it follows from
    the position, so it is not compared."""

    generation: int = 0
    position: int = 0
    left: tuple[int, ...] = ()
    hash: str = field(default=START_HASH, compare=False)

    def has(self, position: int) -> bool:
        """Whether what is at `position` has been read."""
        return position <= self.position and position not in self.left

    def value(self) -> Value:
        """The mark as a value: [generation, position, hash], and the newest MAX_LEFT positions of `left` if there are
        any."""
        named = sorted(n for n in self.left if n <= self.position)[-MAX_LEFT:]
        return [self.generation, self.position, self.hash, *([named] if named else [])]


NOTHING_READ = ReadMark()


def mark_from(value: object) -> ReadMark | None:
    """The read mark that a value holds; None if it does not have a mark's form."""
    match value:
        case [int() as generation, int() as position, str() as named, *rest] if _are_numbers((generation, position)):
            left = rest[0] if rest else []
            if _HASH.fullmatch(named) and isinstance(left, list) and len(left) <= MAX_LEFT and _are_numbers(left):
                return ReadMark(generation=generation, position=position, left=tuple(sorted(set(left))), hash=named)
    return None


def join_marks(marks: Iterable[ReadMark]) -> ReadMark:
    """Joins read marks. Only the marks of the highest generation count. What one of them has read is read. Returns
    NOTHING_READ if there are none. ▲ Takes no longer than reading the marks. Otherwise a stolen device could write so
    many that no device of the person starts any more, also once it is revoked."""
    marks = list(marks)
    generation = max((mark.generation for mark in marks), default=0)
    valid = [mark for mark in marks if mark.generation == generation]
    position, named = max(((mark.position, mark.hash) for mark in valid), default=(0, START_HASH))
    reach = sorted(mark.position for mark in valid)
    leaves = Counter(n for mark in valid for n in set(mark.left) if n <= mark.position)
    left = sorted(n for n, count in leaves.items() if count == len(reach) - bisect_left(reach, n))  # all who reach it
    return ReadMark(generation=generation, position=position, left=tuple(left), hash=named)


def join_reads(values: Sequence[Value]) -> Value | None:
    """Joins read marks as values; None if no value is a mark. Pass only those that count here (app/own/reached.py).
    Fields of a newer program are kept from one mark of the highest generation: the greatest by its bytes, so that the
    order of `values` does not matter."""
    found = [(mark, value) for value in values if (mark := mark_from(value)) is not None]
    if not found:
        return None
    joined = join_marks(mark for mark, _ in found)
    further = max((value[4:] for mark, value in found if mark.generation == joined.generation), key=_encode)
    made = joined.value()
    return [*made, [], *further] if further and len(made) < 4 else [*made, *further]


def join_registers(values: Sequence[Value]) -> Value | None:
    """The value with the highest stamp; of several, the one with the greatest bytes after it. None if no value has a
    stamp."""
    return max(
        (v for v in values if len(v) > 1 and _are_numbers(v[:1])), key=lambda v: (v[0], _encode(v[1:])), default=None
    )


def join_notices(values: Sequence[Value]) -> Value | None:
    """The value with the highest generation, state and time, compared in this order; None if no value has all three."""
    valid = [v for v in values if len(v) > 2 and _are_numbers(v[:3])]
    return max(valid, key=lambda v: (*v[:3], _encode(v[3:])), default=None)


def join_reminders(values: Sequence[Value]) -> Value | None:
    """The value with the highest generation, state and time, compared in this order; None if no value has these and a
    day."""
    valid = [v for v in values if len(v) > 3 and _are_numbers(v[:4])]
    return max(valid, key=lambda v: (*v[:3], _encode(v[3:])), default=None)


def later_generation(before: int, now_ms: int) -> int:
    """The generation of what the person chooses now for a notice or a reminder: the time in whole seconds, or one more
    than `before`, the highest generation that this device knows of it, if that is higher. So of two choices on devices
    that were apart the later one counts, as far as their clocks agree."""
    return max(now_ms // 1000, before + 1)


KEEP_DAYS = 90
"""How long what the person did with a notice is kept: by then the notice is deleted (app/store/notice_rows.py)."""


def is_kept(root: str, value: Value, today: int) -> bool:
    """Whether a value is carried over, and set again with its device's map. `today`: days since 1970 UTC. All are but
    those about notices of long ago, reminders that were removed long ago, and those of a day more than AHEAD_DAYS
    ahead: such a value would be kept for ever."""
    ends = root == "notices" or (root == "reminders" and len(value) > 1 and value[1] != 0)
    day = value[3] if ends and len(value) > 3 else None
    return not isinstance(day, int) or today - KEEP_DAYS <= day <= today + AHEAD_DAYS


Join = Callable[[Sequence[Value]], Value | None]
JOINS: dict[str, Join] = {
    "reads": join_reads,
    "rooms": join_registers,
    "sections": join_registers,
    "settings": join_registers,
    "notices": join_notices,
    "reminders": join_reminders,
}
"""By root of the CRDT. Drafts are not joined over devices: two devices' drafts are both kept (drafts.py)."""


def is_possible(root: str, value: Value, now_ms: int) -> bool:
    """Whether the value of a root can have been written by `now_ms`, this device's clock: its stamp is at most AHEAD_MS
    ahead, and its generation at most one for each second since 1970. ▲ Otherwise a stolen device could write a number
    above which there is none, and nobody could ever change the value again, also once the device is revoked."""
    if not value or type(value[0]) is not int:
        return True  # it is no value, and the joins leave it out
    most_ms = now_ms + AHEAD_MS
    return value[0] <= (most_ms // 1000 if root in ("reads", "notices", "reminders") else most_ms)


def _are_numbers(values: Iterable[object]) -> bool:
    return all(type(value) is int and 0 <= value < MAX_NUMBER for value in values)


def _encode(value: object) -> bytes:
    return msgspec.msgpack.encode(value)
