# SPDX-License-Identifier: EUPL-1.2
"""When a message passes each station on its way: `python -m tests.bench.stations` prints a table of them, and
`python -m tests.bench.stations keys` one for the letters of a document that both have open; `windows` in place of
`keys`: that both have open in their windows.

The same three processes, and the same messages or letters, as send_to_decrypted, keystroke_remote and keystroke_window,
with their stations noted (traced.py), which adds about a twentieth. No figure of `make bench`: it says where the time
goes, not how much there is.
"""

import json
import sys
from bisect import bisect_left
from collections.abc import Callable
from pathlib import Path

from tests.bench.keystrokes import LONE_GAP_S, LONE_KEYS, keys, window_keys
from tests.bench.office import HANDLER, HEAD, scratch
from tests.bench.registry import median
from tests.bench.sending import GAP_S, WARM_UP, latencies, two_desks

_FEWEST = 0.5
"""A station that fewer of the messages pass is left out."""


def passages(marks: list[tuple[str, int]], sent: list[int], limit_ns: int) -> dict[str, list[list[int]]]:
    """For each station, and each message or letter by the time in `sent` at which it began: how many ns later the
    station was passed. In order, at most four times, and less than `limit_ns` later."""
    by_station: dict[str, list[int]] = {}
    for station, at in marks:
        by_station.setdefault(station, []).append(at)
    found: dict[str, list[list[int]]] = {}
    for station, times in by_station.items():
        times.sort()
        found[station] = []
        for began in sent:
            first = bisect_left(times, began)
            found[station].append([at - began for at in times[first : first + 4] if at - began < limit_ns])
    return found


def rows(folder: Path, first: str, warm_up: int, limit_s: float) -> list[tuple[float, str, str]]:
    """(median µs since the beginning, process, station), in the order of time. A station that is passed several times
    has a row for each. `folder` has the marks of each process. `first` is the station at which a message or letter
    begins. Left out are the first `warm_up` of these, and what is passed `limit_s` seconds after the beginning or
    later."""
    marks = {name: json.loads((folder / f"{name}.json").read_text()) for name in (HANDLER, "server", HEAD)}
    sent = [at for station, at in marks[HANDLER] if station == first][warm_up:]
    out = []
    for name in marks:
        for station, each in passages(marks[name], sent, int(limit_s * 1e9)).items():
            for k in range(4):
                passed = [times[k] / 1e3 for times in each if len(times) > k]
                if len(passed) >= len(sent) * _FEWEST:
                    out.append((median(passed), name, station if not k else f"{station} ({k + 1})"))
    return sorted(out)


def _keys(folder: Path) -> list[float]:
    with two_desks(folder) as (a, b, room):
        return keys(a, b, room, LONE_KEYS, LONE_GAP_S)


def _messages(folder: Path) -> list[float]:
    with two_desks(folder) as (a, b, room):
        return latencies(a, b, room)


_Ways = dict[str, tuple[Callable[[Path], list[float]], str, int, float]]
_WAYS: _Ways = {
    "messages": (_messages, "send", WARM_UP, GAP_S),
    "keys": (_keys, "key", 0, LONE_GAP_S / 2),
    "windows": (window_keys, "pressed", 0, LONE_GAP_S / 2),
}
"""What sends them and gives their times in ms; then what `rows` needs: `first`, `warm_up` and `limit_s`."""


def main() -> None:
    run, first, warm_up, limit_s = _WAYS[sys.argv[1] if sys.argv[1:] else "messages"]
    with scratch() as folder:
        (folder / "marks").mkdir()
        samples = run(folder)
        for at, name, station in rows(folder / "marks", first, warm_up, limit_s):
            print(f"{at:8.0f} µs  {name:12} {station}")
    print(f"p50 {median(samples):.2f} ms")


if __name__ == "__main__":
    main()
