# SPDX-License-Identifier: EUPL-1.2
"""Fetches people's logs that a judgement needs and this device does not have."""

from collections.abc import Callable

from sync.client.link import Link
from sync.errors import NeedLog, Refused, Reject
from sync.trust.room.stream import Accepted

_TRIES = 64


class MissingLogs:
    """Judges items of a room, that is, verifies them by the room's rules, and fetches the people's key logs that this
    needs. NeedLog names the missing log; after it is fetched, the items are judged again."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def judge(self, judge: Callable[[], list[Accepted]], count: int) -> list[Accepted]:
        """Calls `judge` without arguments, which verifies items of a room, and returns its verdicts. While it raises
        NeedLog, because a person's key log is missing or too short here, fetches that log and calls it again. `count`
        is how many items it judges: it is called at most 64 + `count` times. ▲ Reject "withheld" if the server does not
        give the log that is needed, and after that many calls. Other errors of `judge` are raised, and those of
        fetching: Unreachable, and Reject for a log that breaks a rule."""
        for _ in range(_TRIES + count):
            try:
                return judge()
            except NeedLog as need:
                try:
                    found = await self._link.book.fetch(self._link.online, need.uid, need.seq)
                except Refused as e:
                    raise Reject("withheld", "user log") from e
                if found.seq < need.seq:
                    raise Reject("withheld", "user log") from need
        raise Reject("withheld", "user logs")
