# SPDX-License-Identifier: EUPL-1.2
"""Calls a function after a delay, in a form that tests can replace."""

import asyncio
from collections.abc import Callable

Later = Callable[[float, Callable[[], None]], Callable[[], None]]
"""Calls a function after some seconds. The returned function cancels that."""


def on_loop(delay_s: float, act: Callable[[], None]) -> Callable[[], None]:
    """`Later` on the running event loop."""
    return asyncio.get_running_loop().call_later(delay_s, act).cancel
