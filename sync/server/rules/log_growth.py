# SPDX-License-Identifier: EUPL-1.2
"""Limits how fast and how far a person's log may grow: every colleague fetches and replays it, 0.2 ms an entry.

A rule of this server alone: it refuses entries, but makes none void. Entries that end a device or an account, and those
that follow from that, are never refused. A return by recovery sheet, which uses an invitation, is not limited here.
"""

import logging
from collections.abc import Iterator

from sync.protocol.messages import ErrorCode
from sync.server.config import Limits
from sync.server.rules.people import Draft
from sync.server.rules.quotas import today
from sync.server.rules.refusal import Refusal
from sync.server.store.base import Store, StoreError, Tally
from sync.trust.person.user_entry import AGENCY, ROOT, UserEntry

log = logging.getLogger("sync.server")

LOG_BYTES = 8 * 1024 * 1024
LOG_BYTES_A_DAY = 1024 * 1024
"""Largest log, and most bytes of counted entries a day. A thousand entries of a person with five devices take 8 MiB,
fifty of them 400 KiB."""
_ENDINGS = ("dev_revoke", "reset")


class LogGrowth:
    """Limits how long a person's log (a signed chain of entries about their devices and keys) may be, and how much may
    be added to it in a day (UTC). The day's counts are in the store. ▲ In memory alone each restart would begin the day
    again."""

    def __init__(self, store: Store, limits: Limits) -> None:
        self._store = store
        self._limits = limits

    async def check(self, draft: Draft) -> None:
        """▲ Checks the new entries in `draft`, which are for one person's log: Refusal "quota" if they make it longer
        than it may be, "busy" if it has grown enough today (UTC). Never refuses entries that end a device or an
        account, nor the new per-user key that an agency's revocation makes necessary. The store's errors are raised."""
        counted, size = _use(draft)
        if not counted:
            return
        self._check_length(draft, counted, size)
        day = today()
        entries, of_bytes = [await self._store.counted(tally, day) for tally in _tallies(draft.log.uid)]
        if entries + counted > self._limits.log_entries_a_day or of_bytes + size > LOG_BYTES_A_DAY:
            raise Refusal(ErrorCode.BUSY, "user log")

    def check_length(self, draft: Draft) -> None:
        """▲ Refusal "quota" if the entries in `draft`, which a client uploads again after a restore, make the log
        longer than it may be. No log that this server accepted before was that long. The rate is not limited. Reads
        only the entries' own fields, so they need not be verified yet."""
        self._check_length(draft, *_use(draft, returned=True))

    def _check_length(self, draft: Draft, counted: int, size: int) -> None:
        if not counted:
            return
        if draft.log.seq + 1 + counted > self._limits.log_entries or draft.log.size_bytes + size > LOG_BYTES:
            raise Refusal(ErrorCode.QUOTA, "user log")

    async def note(self, draft: Draft) -> None:
        """Adds the entries in `draft`, which are in the log now, to the day's counts in the store, by which `check`
        refuses. Those that end a device or an account do not count. If the store fails, that is only logged: the
        entries stay in the log and are not counted."""
        amounts = dict(zip(_tallies(draft.log.uid), _use(draft), strict=True))
        try:
            if any(amounts.values()):
                await self._store.count(amounts, today())
        except StoreError as e:
            log.warning("the growth of a log was not counted: %s", e.code)


def _tallies(uid: bytes) -> tuple[Tally, Tally]:
    """The counts of a person's log: entries, and their bytes."""
    return Tally("log-entries", uid), Tally("log-bytes", uid)


def _use(draft: Draft, *, returned: bool = False) -> tuple[int, int]:
    """(how many entries of the draft count in the limits, their bytes with signatures). `returned`: the draft is
    uploaded again after a restore; the entries that an invitation once brought are among its entries and do not
    count."""
    counted = {entry.seq for entry in _counted(draft) if not (returned and _invited(entry))}
    sizes = [len(e.body) + len(e.sig) for read, e in zip(draft.read, draft.entries, strict=True) if read.seq in counted]
    return len(sizes), sum(sizes)


def _counted(draft: Draft) -> Iterator[UserEntry]:
    """The entries of `draft`, in order, that count in the limits of a log: not those that end a device or an account,
    and not the one `puk_rotate` (a new key) that an agency's revocation makes necessary."""
    owes_key = bool(draft.log.puks) and draft.log.puk_at(draft.log.seq) is None
    for entry in draft.read:
        if entry.type == "puk_rotate" and owes_key:
            owes_key = False
        elif entry.type in _ENDINGS:
            owes_key = entry.type == "dev_revoke" and entry.by == AGENCY
        else:
            yield entry


def _invited(entry: UserEntry) -> bool:
    """Whether it is a binding, or the device that a recovery sheet brings behind one."""
    return entry.type == "binding" or (entry.type == "dev_add" and entry.by == ROOT)
