# SPDX-License-Identifier: EUPL-1.2
"""What `verify` finds and counts, and the user logs it judges with."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from sync.errors import Reject
from sync.ids import Uid
from sync.server.operator.upkeep.reading import Reading
from sync.trust.person.user_log import UserLog

_LOGS = 4096
"""Replayed logs kept in memory, a few kilobytes each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is not as it must be. `what` names its kind, `where` ids in hex and a position, `code` is stable
    and one of sync/PROTOCOL.md §12 where it is a verdict."""

    what: str
    where: str
    code: str


@dataclass(slots=True, kw_only=True)
class Tally:
    """How much was looked at, and how often something was wrong."""

    people: int = 0
    rooms: int = 0
    items: int = 0
    seals: int = 0
    blobs: int = 0
    blob_bytes: int = 0
    problems: int = 0


@dataclass(slots=True)
class Report:
    """Where problems go, one by one, and the tally of all. `step` is told now and then how far it is."""

    on_problem: Callable[[Problem], None]
    step: Callable[[Tally], None]
    tally: Tally = field(default_factory=Tally)

    def add(self, what: str, where: str, code: str) -> None:
        """One more problem."""
        self.tally.problems += 1
        self.on_problem(Problem(what=what, where=where, code=code))


class Logs:
    """The user logs that rooms are judged with, replayed when first asked for; the longest unused leave memory."""

    def __init__(self, reading: Reading, agency_pk: bytes) -> None:
        self._reading = reading
        self._agency_pk = agency_pk
        self._kept: OrderedDict[bytes, UserLog] = OrderedDict()

    def log(self, uid: Uid) -> UserLog | None:
        """The log, None if there is none or it does not verify (which the check of people tells)."""
        found = self._kept.get(uid)
        if found is None:
            try:
                found = UserLog.replay(self.entries(uid), self._agency_pk)
            except Reject:
                return None
            self._kept[uid] = found
            if len(self._kept) > _LOGS:
                self._kept.popitem(last=False)
        else:
            self._kept.move_to_end(uid)
        return found

    def entries(self, uid: bytes) -> list[tuple[bytes, bytes]]:
        """(body, sig) of a person's log in order."""
        query = "SELECT body, sig FROM user_entries WHERE uid = ? ORDER BY seq"
        return [(body, sig) for body, sig in self._reading.rows("user_entries", query, (uid,))]

    def forget(self) -> None:
        """Reads again: a running server may have added to logs."""
        self._kept.clear()
