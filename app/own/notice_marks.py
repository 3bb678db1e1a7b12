# SPDX-License-Identifier: EUPL-1.2
"""Shares among a person's devices which notices the person is done with or has snoozed, and which notices have rung, of
those that ring at one device only. What was only seen is not shared: messages have their read marks (reads.py)."""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress

from app.core import clock
from app.core.signal import Signal
from app.errors import StoreFault
from app.own.joining import later_generation
from app.own.key_queue import KeyQueue
from app.own.model import Key, id_in
from app.own.service import DAY_MS, Own
from app.store.notice_rows import NoticeId, NoticeState

_ROOT = "notices"
_STATES = (NoticeState.NEW, NoticeState.SEEN, NoticeState.SNOOZED, NoticeState.NEW, NoticeState.DONE)
"""By the number that the shared value has."""
_NUMBERS = {NoticeState.NEW: 0, NoticeState.SEEN: 1, NoticeState.SNOOZED: 2, NoticeState.DONE: 4}
_SNOOZED, _RETURNED = 2, 3
"""Numbers of states that both mean a notice was snoozed. _RETURNED: its time has come, and it has rung."""
LOOK_BACK_DAYS = 2
"""What was marked that long ago is taken in again at each start: the program may have ended before it was stored."""

Mark = tuple[NoticeState, int | None]


class NoticeMarks:
    """Brings what the person does with notices on this device to their other devices, and back. `marked` names what was
    done here; `apply` stores what was done elsewhere, and emits no `marked`. `rung` names what has rung here, and
    `silence` stores what has rung elsewhere."""

    def __init__(
        self,
        own: Own,
        marked: Signal[Mapping[NoticeId, Mark]],
        apply: Callable[[Mapping[NoticeId, Mark]], object],
        rung: Signal[Mapping[NoticeId, int]],
        silence: Callable[[Collection[NoticeId]], object],
        now_ms: Callable[[], int] = clock.now_ms,
        *,
        has_others: Callable[[], bool] = lambda: True,
    ) -> None:
        """`has_others`: whether the person has other devices; if not, it is not shared what has rung."""
        self._own, self._apply, self._silence, self._now_ms = own, apply, silence, now_ms
        self._has_others = has_others
        self._at_start: set[str] = set()
        """Keys that are in the queue only because this device has started: of these, old marks are left out."""
        self._queue = KeyQueue(self._apply_some)
        self.run = self._queue.run
        """Keep it running until it is cancelled: it stores the marks of other devices beyond the first 100 of a
        change."""
        self._ends = [
            own.changed.connect(self._take),
            marked.connect(self._on_marked),
            rung.connect(self._on_rung),
        ]

    def close(self) -> None:
        """Stops following the notices and the devices."""
        for end in self._ends:
            end()

    def start(self) -> None:
        """Stores what other devices marked in the last LOOK_BACK_DAYS; with more than 100 marks `run` does the rest.
        Call it once a session. A refusal of the disk is not raised: `run` tries again."""
        self._at_start = self._own.keys(_ROOT)
        with suppress(StoreFault):  # taken in again by `run`, or at the next start
            self._queue.add(list(self._at_start))

    def _on_marked(self, marks: Mapping[NoticeId, Mark]) -> None:
        values = dict[str, list[int]]()
        for ident, (state, until) in marks.items():
            key = ident.hex()
            before = self._own.value(_ROOT, key)
            if state is NoticeState.SEEN or (state is NoticeState.NEW and before is None):
                continue
            generation = later_generation(before[0] if before is not None else 0, self._now_ms())
            values[key] = [generation, _NUMBERS[state], until or 0, self._now_ms() // DAY_MS]
        if values:
            self._own.put_all(_ROOT, values)  # one transaction: one for each would flush the disk as often

    def _on_rung(self, since: Mapping[NoticeId, int]) -> None:
        """Shares that notices have rung: devices that are not connected now do not ring them later. `since`: since when
        (ms) each was to ring. A snooze to a later time stays: another device's snooze can be received while the notice
        begins to ring here."""
        if not self._has_others():
            return
        day, new = self._now_ms() // DAY_MS, dict[str, list[int]]()
        for ident, at in since.items():
            before = self._own.value(_ROOT, ident.hex())
            if before is None:
                new[ident.hex()] = [0, 0, 0, day]
            elif before[1] == _SNOOZED and before[2] <= at:
                new[ident.hex()] = [before[0], _RETURNED, before[2], day]
        if new:
            self._own.put_all(_ROOT, new)

    def _take(self, keys: frozenset[Key]) -> None:
        found = [key for root, key in keys if root == _ROOT]
        self._at_start.difference_update(found)
        with suppress(StoreFault):  # taken in again by `run`, or at the next start
            self._queue.add(found)

    def _apply_some(self, keys: Sequence[str]) -> int:
        found, rung = dict[NoticeId, Mark](), list[NoticeId]()
        oldest = self._now_ms() // DAY_MS - LOOK_BACK_DAYS
        for key in keys:
            value = self._own.value(_ROOT, key)
            ident = id_in(key)
            if value is None or ident is None or value[1] >= len(_STATES):  # ▲ a newer program's state changes nothing
                continue
            day = value[3] if len(value) > 3 and isinstance(value[3], int) else 0
            if key in self._at_start and day < oldest:
                continue
            state = _STATES[value[1]]
            if value[1] == _RETURNED or value[:2] == [0, 0]:
                rung.append(NoticeId(ident))
            else:
                found[NoticeId(ident)] = (state, value[2] if state is NoticeState.SNOOZED else None)
        if found:
            self._apply(found)
        if rung:
            self._silence(rung)
        self._at_start.difference_update(keys)
        return len(keys)


def last_choice(own: Own, ident: NoticeId) -> NoticeState | None:
    """What the person chose last for a notice, on any of their devices: DONE, SNOOZED (also after it came back) or NEW.
    None if they chose nothing, or something that only a newer program knows."""
    value = own.value(_ROOT, ident.hex())
    if value is None or value[1] >= len(_STATES) or value[:2] == [0, 0]:
        return None
    return NoticeState.SNOOZED if value[1] == _RETURNED else _STATES[value[1]]
