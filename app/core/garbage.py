# SPDX-License-Identifier: EUPL-1.2
"""Incremental garbage collection: no search for garbage takes long enough to be felt.

A full search reads every live object: 25 ms of the loop with 200 rooms, again and again while they are read. This
module sets objects that a full search has found alive aside, and the next search reads only newer ones. So garbage made
of old objects stays until `sweep`, which searches all of it: call that when nobody waits for the window.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

_YOUNG, _MIDDLE, _OLD = 700, 10, 4
"""Python's own thresholds, except the last (10): 28,000 new objects are searched in 2 ms."""
_OLDEST = 2


def hold() -> None:
    """Turns Python's garbage collection off until `begin`. Call it before a program's first imports: they create no
    garbage, and collecting would take a tenth of their time."""
    gc.disable()


@contextmanager
def paused() -> Iterator[None]:
    """A context in which Python's garbage collection is off, for imports: they create no garbage. Afterwards it is on
    or off as before."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def begin() -> None:
    """Turns garbage collection on, without the objects that exist now: they are not searched again, and nor are those
    that a later full search finds alive. Call it once in a process."""
    gc.enable()
    gc.freeze()
    gc.set_threshold(_YOUNG, _MIDDLE, _OLD)
    if _set_aside not in gc.callbacks:
        gc.callbacks.append(_set_aside)


def set_aside() -> None:
    """Keeps all objects that exist now out of later searches for garbage. Searches nothing itself, so garbage is kept
    too. Does nothing before `begin`. Call it when nearly all new objects stay, as after an account was loaded."""
    if _set_aside in gc.callbacks:
        gc.freeze()


def sweep() -> None:
    """Searches all objects for garbage and frees it, also those that were kept out of searches; those that are alive
    are kept out again. Does nothing before `begin`. Takes up to 0.1 s: call it when nobody waits."""
    if _set_aside in gc.callbacks:
        gc.unfreeze()
        gc.collect()


def _set_aside(phase: Literal["start", "stop"], info: dict[str, int]) -> None:
    if phase == "stop" and info["generation"] == _OLDEST:
        gc.freeze()
