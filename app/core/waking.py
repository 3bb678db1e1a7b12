# SPDX-License-Identifier: EUPL-1.2
"""How a background task waits that looks at a room whenever something changes there."""

import asyncio

REST_S = 0.05
"""Seconds after which such a task looks. A message or a letter is at its readers within a tenth of that."""


async def gathered(wake: asyncio.Event, rest_s: float = REST_S) -> None:
    """Returns `rest_s` seconds after `wake` is set, and clears it. Whatever sets it meanwhile counts once.

    Several tasks look at a room after each change of it. If they did so at once, they would take the processor from the
    change that is on its way to the server and from the one that comes back. Only for tasks that write nothing which
    is sent: what they write must not come after somebody has seen that nothing waits to be sent.
    """
    await wake.wait()
    await asyncio.sleep(rest_s)
    wake.clear()
