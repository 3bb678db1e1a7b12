# SPDX-License-Identifier: EUPL-1.2
"""How a part of the engine waits for work: until it is woken, or it is time."""

import asyncio
import contextlib


async def woken(wake: asyncio.Event, within_s: float | None) -> None:
    """Returns once `wake` is set or so many seconds are over (None: however long that takes); it is clear then."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(within_s):
            await wake.wait()
    wake.clear()
