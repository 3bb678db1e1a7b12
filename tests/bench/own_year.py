# SPDX-License-Identifier: EUPL-1.2
"""A year of two devices in a person's own object: 100,000 read marks in 60 rooms, written once a minute at most."""

import random
import time

from app.objects.compaction import state_of
from app.objects.grammar import reading
from app.own.model import ROOT_MAPS, OwnObject
from app.store.read_positions import HASH_BYTES
from sync.pieces import finished
from tests.bench.registry import Figure, bench, median

READS, ROOMS, WEEKS, STARTS_A_WEEK = 100_000, 60, 52, 5
DEVICES = ("01" * 16, "02" * 16)
OPENED, HOSTILE = 7, 20_000


def year(reads: int = READS) -> list[bytes]:
    """The changes of a year, in their order. One minute in three has two rooms; each device starts once a day. A device
    writes in its own maps alone and merges nothing of the other's here: that changes no byte of what it writes, and
    75,000 merges would take half a minute."""
    chance, made = random.Random(20_261_129), list[bytes]()
    series = [chance.randbytes(16).hex() for _ in range(ROOMS)]
    position = dict.fromkeys(series, 0)
    models = [OwnObject(made.append) for _ in DEVICES]
    models[0].begin(2026)
    done, started = 0, [0, 0]
    while done < reads:
        at = chance.randrange(2)
        week = done * WEEKS // reads
        start = done * WEEKS * STARTS_A_WEEK // reads
        if start != started[at]:
            whole = models[at].snapshot()
            models[at].close()
            models[at], started[at] = OwnObject(made.append), start
            models[at].load([whole])
        marks = {}
        for _ in range(1 + (chance.random() < 1 / 3)):
            read = series[min(int(chance.expovariate(1 / 12)), ROOMS - 1)]
            position[read] += chance.randrange(1, 4)
            marks[read] = [0, position[read], chance.randbytes(HASH_BYTES).hex()]
            done += 1
        models[at].write(DEVICES[at], week, {"reads": dict(marks)})
    for model in models:
        model.close()
    return made


def state_of_year(changes: list[bytes]) -> bytes:
    """What a snapshot of the object holds: its state after compaction."""
    found = state_of(changes, maps=ROOT_MAPS)
    assert found is not None
    return found[0]


def open_ms(state: bytes) -> float:
    """How long the object takes from its bytes to its values."""
    began = time.perf_counter()
    model = OwnObject()
    assert model.load([state]) == []
    assert len(model.keys("reads")) == ROOMS
    took = (time.perf_counter() - began) * 1000
    model.close()
    return took


def hostile() -> bytes:
    """The state of an object into which a stolen device has written HOSTILE values."""
    model = OwnObject()
    marks = {f"{n:032x}": [0, 9, "ab" * HASH_BYTES] for n in range(HOSTILE)}
    model.write(DEVICES[0], 1, {"reads": marks})
    state = model.snapshot()
    model.close()
    return state


def open_hostile_ms(state: bytes) -> float:
    """Milliseconds from the bytes of such an object until any value of it can be read."""
    finished(reading(state, state=True))  # done in pieces before (app/own/opening.py)
    began = time.perf_counter()
    model = OwnObject()
    assert model.load([state]) == []
    assert model.values("reads", f"{7:032x}")
    took = (time.perf_counter() - began) * 1000
    model.close()
    return took


@bench("own_year_open_ms", "own_year_mb", "own_hostile_open_ms")
def own_year() -> list[Figure]:
    changes = year()
    state = state_of_year(changes)
    raw = sum(map(len, changes)) / 1e6
    note = f"after compaction; {len(changes)} changes of {raw:.1f} MB without"
    filled = hostile()
    opened = median([open_hostile_ms(filled) for _ in range(OPENED)])
    return [
        Figure(name="own_hostile_open_ms", value=opened, unit="ms", n=OPENED, note=f"{HOSTILE} values"),
        Figure(name="own_year_open_ms", value=median([open_ms(state) for _ in range(OPENED)]), unit="ms", n=OPENED),
        Figure(name="own_year_mb", value=len(state) / 1e6, unit="MB", n=1, note=note),
    ]
