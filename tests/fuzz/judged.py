# SPDX-License-Identifier: EUPL-1.2
"""What the grammar and the judge let through of a history, in the order in which it would be merged."""

from collections import Counter
from collections.abc import Generator, Iterator, Sequence

from app.objects.grammar import Facts, read
from app.objects.judging import Judge, Kind, Verdict
from app.objects.lib0 import BadUpdate
from app.objects.waiting import Change, Late
from sync.client.placed_changes import PlacedChange
from tests.fuzz.histories import Positioned


class MemoryRows:
    """The store's rows of what waits, without a store."""

    def __init__(self) -> None:
        self.lates: dict[int, Late] = {}
        self.offered: dict[int, Facts] = {}

    def waiting(self, client: int, below: int) -> Sequence[Late]:
        return [late for late in self.lates.values() if late.missing[0] == client and late.missing[1] < below]

    def facts(self, change: Change) -> Generator[None, None, Facts]:
        yield
        return self.offered[change.position]


class Judging:
    """A judge with its rows, for histories. `verdicts` are all, in their order."""

    def __init__(self, judge: Judge | None = None, rows: MemoryRows | None = None) -> None:
        self.rows = rows if rows is not None else MemoryRows()
        self.judge = judge if judge is not None else Judge(self.rows)
        self.verdicts: list[Verdict] = []

    def offer(self, position: int, author: bytes, facts: Facts, t: int = 0) -> Iterator[Verdict]:
        """The verdict of an update and of all that had waited for it."""
        change = Change(position, position.to_bytes(16, "big"), author, t)
        self.rows.offered[position] = facts
        yield self._noted(self.judge.offer(change, facts))
        while self.judge.ready:
            yield self._noted(self.judge.step())

    def _noted(self, verdict: Verdict) -> Verdict:
        self.verdicts.append(verdict)
        position = verdict.change.position
        self.rows.lates.pop(position, None)
        if verdict.kind is Kind.LATE:
            assert verdict.missing is not None
            self.rows.lates[position] = Late(verdict.change, verdict.missing)
        return verdict


class NothingKept:
    """A store that keeps nothing, for a replay that is never settled."""

    def waiting(self, client: int, below: int) -> Sequence[tuple[PlacedChange, int, tuple[int, ...]]]:
        return ()

    def changes(self, positions: Sequence[int]) -> Sequence[PlacedChange]:
        return ()


def person(number: int) -> bytes:
    """An author's id."""
    return bytes((number,)) * 16


def passed(history: Sequence[Positioned], counts: Counter[str] | None = None) -> list[bytes]:
    """The updates that are merged, in their order. `counts` gets how many of each verdict there were."""
    judging, out = Judging(), list[bytes]()
    for position, positioned in enumerate(history):
        try:
            facts = read(positioned.update)
        except BadUpdate as bad:
            if counts is not None:
                counts[f"bad {bad.where}"] += 1
            continue
        for verdict in judging.offer(position, person(positioned.author), facts):
            if counts is not None:
                counts[f"{verdict.kind.value} {verdict.code}".strip()] += 1
            if verdict.kind is Kind.MERGED:
                out.append(history[verdict.change.position].update)
    return out
