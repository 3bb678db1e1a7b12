# SPDX-License-Identifier: EUPL-1.2
"""How a part of the engine waits for work: until it is woken, or a time is over."""

import asyncio
import contextlib


async def woken(wake: asyncio.Event, within_s: float | None) -> None:
    """Returns once `wake` is set or after `within_s` seconds (None: no limit). `wake` is cleared then."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(within_s):
            await wake.wait()
    wake.clear()
