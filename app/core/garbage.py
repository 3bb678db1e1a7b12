# SPDX-License-Identifier: EUPL-1.2
"""Python's search for garbage in steps that nobody feels.

A full search looks at everything that is alive: 25 ms of the loop with 200 rooms, again and again while they are read.
Here what a full search has found alive is set aside, and the next one looks only at what is new since. So garbage made
of old things stays until `sweep`, which looks at all of it: call it when nobody waits for the window.
"""

import gc
from typing import Literal

_YOUNG, _MIDDLE, _OLD = 700, 10, 4
"""Python's own thresholds, but for the last (10): 28,000 new things are looked through in 2 ms."""
_OLDEST = 2


def hold() -> None:
    """Turns Python's garbage collection off until `begin`. Call it before the imports of a start: they create no
    garbage, and collecting would take a tenth of their time."""
    gc.disable()


def begin() -> None:
    """Sets everything aside that was made so far, and from now on what each full search finds alive. Once a process."""
    gc.enable()
    gc.freeze()
    gc.set_threshold(_YOUNG, _MIDDLE, _OLD)
    if _set_aside not in gc.callbacks:
        gc.callbacks.append(_set_aside)


def set_aside() -> None:
    """Sets everything aside that was made since the last time, garbage too, without looking for garbage. Call it when
    nearly all of that stays, as after an account was loaded."""
    if _set_aside in gc.callbacks:
        gc.freeze()


def sweep() -> None:
    """Looks for garbage everywhere, if `begin` was called: up to 0.1 s."""
    if _set_aside in gc.callbacks:
        gc.unfreeze()
        gc.collect()


def _set_aside(phase: Literal["start", "stop"], info: dict[str, int]) -> None:
    if phase == "stop" and info["generation"] == _OLDEST:
        gc.freeze()
