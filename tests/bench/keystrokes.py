# SPDX-License-Identifier: EUPL-1.2
"""A letter's way to a colleague: both have the document open, each in a client process, with a real server between;
first without windows, from model to model, and then from window to window.

A document that is open at two desks is sent at the first key and then at most every 250 ms
(sync/client/exchange/outbox.py). So a lone key shows what the way costs, and quick typing shows what a colleague sees
of it, that wait included.
"""

from pathlib import Path

from tests.bench.desk import Desk
from tests.bench.office import scratch
from tests.bench.registry import Figure, bench, median, percentile
from tests.bench.sending import two_desks

LONE_KEYS, LONE_GAP_S = 150, 0.3
QUICK_KEYS, QUICK_GAP_S = 400, 0.06
WARM_UP = 0.1
"""The share of the keys that is not counted."""


@bench("keystroke_remote_p50_ms", "keystroke_remote_p95_ms", "keystroke_remote_quick_p50_ms")
def keystroke_remote() -> list[Figure]:
    """One letter after the other, first with pauses and then as a quick writer types."""
    with scratch() as folder, two_desks(folder) as (a, b, room):
        lone = keys(a, b, room, LONE_KEYS, LONE_GAP_S)
        quick = keys(a, b, room, QUICK_KEYS, QUICK_GAP_S)
    note = "Document.splice of a letter to the other desk's Document.changed; three processes, TLS, open at both"
    return [
        Figure(name="keystroke_remote_p50_ms", value=median(lone), unit="ms", n=len(lone), note=note),
        Figure(name="keystroke_remote_p95_ms", value=percentile(lone, 95), unit="ms", n=len(lone)),
        Figure(
            name="keystroke_remote_quick_p50_ms",
            value=median(quick),
            unit="ms",
            n=len(quick),
            note=f"a key every {QUICK_GAP_S * 1000:.0f} ms, sent every 250 ms",
        ),
    ]


@bench("keystroke_window_p50_ms", "keystroke_window_p95_ms")
def keystroke_window() -> list[Figure]:
    """The same lone letters from one window to the other."""
    with scratch() as folder:
        samples = window_keys(folder)
    note = "a key in an editor to the letter painted in the other's; two processes with the window, offscreen, a server"
    return [
        Figure(name="keystroke_window_p50_ms", value=median(samples), unit="ms", n=len(samples), note=note),
        Figure(name="keystroke_window_p95_ms", value=percentile(samples, 95), unit="ms", n=len(samples)),
    ]


def window_keys(folder: Path) -> list[float]:
    """Milliseconds from each of LONE_KEYS lone keys in one window to the letter painted in the other; `folder` is
    empty. The first tenth (WARM_UP) is left out."""
    with two_desks(folder, "tests.bench.window_desk") as (a, b, room):
        obj = a.call("document", room=room)
        a.ask("look", room=room, obj=obj)
        b.call("look", room=room, obj=obj)
        a.answer()
        pressed = a.call("press", count=LONE_KEYS, gap_s=LONE_GAP_S)
        seen = b.call("shown", count=LONE_KEYS)
    return [(there - here) / 1e6 for here, there in zip(pressed, seen, strict=True)][int(LONE_KEYS * WARM_UP) :]


def keys(a: Desk, b: Desk, room: str, count: int, gap_s: float) -> list[float]:
    """Milliseconds from each letter's key at one desk to the other desk's model. `count` letters are typed, `gap_s`
    seconds apart; the first tenth (WARM_UP) of them is left out."""
    obj = a.call("document", room=room)
    a.ask("enter", obj=obj)
    b.call("enter", obj=obj)
    a.answer()
    pressed = a.call("type", obj=obj, count=count, gap_s=gap_s)
    seen = b.call("seen", count=count)
    samples = [(there - here) / 1e6 for here, there in zip(pressed, seen, strict=True)]
    return samples[int(count * WARM_UP) :]
