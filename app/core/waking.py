# SPDX-License-Identifier: EUPL-1.2
"""How background tasks wait that look at a room whenever something changes there."""

import asyncio

REST_S = 0.05
"""Seconds after which such a task looks. A message or a letter is at its readers within a tenth of that."""


async def gathered(wake: asyncio.Event, rest_s: float = REST_S) -> None:
    """Waits until `wake` is set, then `rest_s` seconds more, then clears `wake` and returns. So many changes in a row
    wake the task once.

    Several tasks look at a room after each change of it. If they looked immediately, they would need the processor
    while the change is still being sent, and again while the server's copy of it is being received.

    Use it only in a task that writes nothing to be sent. Other code takes an empty outbox as a sign that everything was
    sent, and would miss what a resting task is going to write.
    """
    await wake.wait()
    await asyncio.sleep(rest_s)
    wake.clear()
