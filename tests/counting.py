# SPDX-License-Identifier: EUPL-1.2
"""How much work something is, counted and not timed: the same on every machine and under every load."""

import gc
import sys
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

import pycrdt


def lines_run(action: Callable[[], object]) -> int:
    """How many lines of Python run on this thread during the action, each pass of a loop anew. What C does in a call is
    not in it: compare the action at two sizes."""
    count = 0

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        action()
    finally:
        sys.settrace(before)
    return count


def least_s(action: Callable[[], object]) -> float:
    """The least processor time of this thread, in seconds, of three times: for what is done in C, to be compared with
    the same at another size, never with a figure."""
    best = float("inf")
    for _ in range(3):
        began = time.thread_time()
        action()
        best = min(best, time.thread_time() - began)
    return best


def crdt_docs() -> int:
    """How many documents of the CRDT library are in memory after Python has collected what it can, among what was set
    aside too (app/core/garbage.py)."""
    gc.unfreeze()
    gc.collect()
    gc.unfreeze()  # an earlier test may have begun to set aside what each search finds alive
    count = sum(type(found) is pycrdt.Doc for found in gc.get_objects())
    gc.freeze()
    return count
