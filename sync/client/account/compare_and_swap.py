# SPDX-License-Identifier: EUPL-1.2
"""Compare-and-swap at the server: an entry that lost against another is drafted again on the newest state, a bounded
number of times.

Nothing that was refused is sent again: each try drafts, and so verifies, from scratch on the newest state.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Collection
from typing import TypeVar

from sync.errors import Refused
from sync.protocol.messages import ErrorCode

TRIES = 8
FIRST_S = 0.02
"""The first pause is half to one and a half times so long, and each later one twice as long: 1.3 to 3.8 s in all. Two
devices that lost against each other so try at different times, and a server that reads its command line only once a
second has caught up."""

T = TypeVar("T")


async def again(
    attempt: Callable[[], Awaitable[T]],
    renew: Callable[[], Awaitable[object]] | None = None,
    *,
    codes: Collection[str] = (ErrorCode.CONFLICT,),
) -> T:
    """Calls `attempt` without arguments, at most TRIES times, until the server accepts the change that it asks for, and
    returns its result. `attempt` drafts the change from scratch each time.

    Only a refusal with one of `codes` leads to another try; any other error is raised at once, and so is the refusal of
    the last try. Between two tries it pauses, then calls `renew` without arguments, if it is given, which fetches the
    newest state; what `renew` raises ends the tries.
    """
    for n in range(TRIES - 1):
        try:
            return await attempt()
        except Refused as e:
            if e.code not in codes:
                raise
        await asyncio.sleep(random.uniform(0.5, 1.5) * FIRST_S * 2**n)  # noqa: S311 - no secret: that not all try at once
        if renew is not None:
            await renew()
    return await attempt()
