# SPDX-License-Identifier: EUPL-1.2
"""What a bench is: a function that gives figures by the names it was registered under."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured figure. `n` is how many samples it is the median (or the named percentile) of."""

    name: str
    value: float
    unit: str
    n: int
    note: str = ""


Run = Callable[[], list[Figure]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """A registered bench; it runs in a process of its own. `names` are the figures it gives, in order. `peers`: it
    needs another server beside ours, and runs only if it is asked for."""

    names: tuple[str, ...]
    run: Run
    peers: bool = False


BENCHES: list[Bench] = []


def bench(*names: str, peers: bool = False) -> Callable[[Run], Run]:
    """Registers a function that measures the named figures."""

    def register(run: Run) -> Run:
        BENCHES.append(Bench(names=names, run=run, peers=peers))
        return run

    return register


def median(samples: Sequence[float]) -> float:
    return statistics.median(samples)


def percentile(samples: Sequence[float], percent: int) -> float:
    """The nearest-rank percentile: a value that was really measured."""
    ordered = sorted(samples)
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]
