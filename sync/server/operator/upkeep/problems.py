# SPDX-License-Identifier: EUPL-1.2
"""The problems and counts that `verify` reports, and the user logs that it judges with."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from sync.errors import Reject
from sync.ids import Uid
from sync.server.objects.filesystem import part_path
from sync.server.operator.upkeep.reading import Reading
from sync.trust.person.user_log import UserLog

_LOGS = 4096
"""Replayed logs kept in memory, a few kilobytes each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One fault that a check of the data found. `what`: the kind of thing that is wrong. `where`: ids in hex and a
    position. `code`: stable, and one of sync/PROTOCOL.md §12 if it is a verdict."""

    what: str
    where: str
    code: str


def part_name(room: bytes, obj: bytes, part: bytes) -> str:
    """How a problem names a part of a file, by the ids of its room, its object and itself."""
    return f"{room.hex()}/{obj.hex()}/{part.hex()}"


def named_part(blobs: Path, where: str) -> Path:
    """The path in the folder `blobs` of the part of a file that a problem names `where`, as `part_name` does."""
    room, obj, part = map(bytes.fromhex, where.split("/"))
    return part_path(blobs, room, obj, part)


@dataclass(slots=True, kw_only=True)
class Tally:
    """How much a check of the data has checked (`blobs` are parts of files), and how many problems it found."""

    people: int = 0
    rooms: int = 0
    items: int = 0
    seals: int = 0
    blobs: int = 0
    blob_bytes: int = 0
    problems: int = 0


@dataclass(slots=True)
class Report:
    """Collects the results of a check of the data, for the command that shows them. `on_problem` is called with each
    problem that `add` gets. `step` is for the progress: the check calls it with `tally`, the counts so far, after each
    unit of items, each person and each part of a file."""

    on_problem: Callable[[Problem], None]
    step: Callable[[Tally], None]
    tally: Tally = field(default_factory=Tally)

    def add(self, what: str, where: str, code: str) -> None:
        """Counts one more problem and calls `on_problem` with it. `what`: the kind of thing that is wrong. `where`: ids
        in hex and a position. `code`: why it is wrong."""
        self.tally.problems += 1
        self.on_problem(Problem(what=what, where=where, code=code))


class Logs:
    """The user logs in a database, for judging rooms. A log is replayed (verified) when it is first requested; the
    least recently used ones are dropped from memory."""

    def __init__(self, reading: Reading, agency_pk: bytes) -> None:
        self._reading = reading
        self._agency_pk = agency_pk
        self._kept: OrderedDict[bytes, UserLog] = OrderedDict()

    def log(self, uid: Uid) -> UserLog | None:
        """The log of the person `uid`; None if there is none or it does not verify (which the check of people
        reports)."""
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
        """Reads the entries of the log of the person `uid` from the database, each as (body, signature), the oldest
        first. They are not verified. [] if there is no such person. Damaged if the file cannot be read."""
        query = "SELECT body, sig FROM user_entries WHERE uid = ? ORDER BY seq"
        return [(body, sig) for body, sig in self._reading.rows("user_entries", query, (uid,))]

    def forget(self) -> None:
        """Drops all logs from memory, since a running server may have added entries to them."""
        self._kept.clear()
