# SPDX-License-Identifier: EUPL-1.2
"""Fetches people's logs that a judgement needs and this device does not have."""

from collections.abc import Callable

from sync.client.link import Link
from sync.errors import NeedLog, Refused, Reject
from sync.trust.room.stream import Accepted

_TRIES = 64


class MissingLogs:
    """Judges items and fetches the user logs that this needs. Each NeedLog names one log; after it is fetched, the
    items are judged again."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def judge(self, judge: Callable[[], list[Accepted]], count: int) -> list[Accepted]:
        """The verdicts of `judge`, which is called again after each log. `count`: of items that it judges. ▲ Reject
        "withheld" if a log cannot be had."""
        for _ in range(_TRIES + count):
            try:
                return judge()
            except NeedLog as need:
                try:
                    found = await self._link.book.fetch(self._link.online, need.uid)
                except Refused as e:
                    raise Reject("withheld", "user log") from e
                if found.seq < need.seq:
                    raise Reject("withheld", "user log") from need
        raise Reject("withheld", "user logs")
