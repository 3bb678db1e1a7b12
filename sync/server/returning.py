# SPDX-License-Identifier: EUPL-1.2
"""User logs that a restored server lacks, as clients hand them in: every entry proves itself by its signature.

▲ Only what continues the log that is here: never another entry in the place of one. An invitation makes one person,
also here: whoever still knows a used code makes no second one.
"""

from collections.abc import Sequence

from sync.errors import Reject
from sync.protocol.messages import ErrorCode, HandLog, Signed
from sync.protocol.version import MAX_USER_ENTRY_BYTES
from sync.server.identity import Identity
from sync.server.people import People
from sync.server.refusal import Refusal
from sync.server.rows import appended, entry_rows, user_row
from sync.server.store.base import InviteRow, Moved, Store, Taken
from sync.trust import fields
from sync.trust.agency import InviteCert, record_hash
from sync.trust.userlog import ROOT, UserEntry, UserLog


class ReturnedLogs:
    """What comes back of people."""

    def __init__(self, store: Store, people: People, identity: Identity) -> None:
        self._store = store
        self._people = people
        self._agency_pk = identity.agency_pk

    async def take(self, frame: HandLog, *, late: bool = False) -> UserLog | None:
        """The log with what these entries add to it, None if they are here already. Refusal "conflict" if they do not
        continue it, Reject as the log judges.

        ▲ `late`: "forbidden" for what else takes an invitation, a day and nobody's veto. Whoever has a sheet and an old
        code would need neither at a server that was restored once.
        """
        if not frame.entries or any(len(e.body) > MAX_USER_ENTRY_BYTES for e in frame.entries):
            raise Refusal(ErrorCode.INVALID, "entries")
        read = [UserEntry.decode(e.body) for e in frame.entries]
        uid = read[0].uid or read[0].ident[:16]
        known = await self._people.load(uid)
        if known is None:
            return await self._whole(frame.entries, read)
        skip = known.seq + 1 - read[0].seq
        if late and any(map(_by_sheet, read[max(0, skip) :])):
            raise Refusal(ErrorCode.FORBIDDEN, "user log")
        same = all(known.head_at(e.seq) == e.ident for e in read[: max(0, skip)])
        if skip < 0 or not same:
            raise Refusal(ErrorCode.CONFLICT, "user log")
        return await self._more(known, frame.entries[skip:], read[skip:]) if read[skip:] else None

    async def _whole(self, entries: Sequence[Signed], read: Sequence[UserEntry]) -> UserLog:
        log = UserLog.replay([(e.body, e.sig) for e in entries], self._agency_pk)
        if not log.bound:
            raise Refusal(ErrorCode.INVALID, "binding")
        invite = await self._invite(log, read[1])
        try:
            await self._store.return_user(user_row(log, invite), entry_rows(0, entries), invite)
        except Taken as e:
            raise Refusal(ErrorCode.CODE_USED) from e
        self._people.keep(log)
        return log

    async def _more(self, known: UserLog, entries: Sequence[Signed], read: Sequence[UserEntry]) -> UserLog:
        log = UserLog.replay([(r.body, r.sig) for r in await self._store.user_entries(known.uid, -1)], self._agency_pk)
        try:
            for entry in entries:
                log.apply(entry.body, entry.sig)
        except Reject as e:
            if e.code == "chain":
                raise Refusal(ErrorCode.CONFLICT, e.where) from e
            raise
        invite: InviteRow | None = None
        for binding in read:
            if binding.type == "binding":
                invite = await self._invite(log, binding)
        try:
            await self._store.append_user(log.uid, known.seq, entry_rows(known.seq + 1, entries), appended(log, invite))
        except Moved as e:
            raise Refusal(ErrorCode.CONFLICT, "seq") from e
        self._people.keep(log)
        return log

    async def _invite(self, log: UserLog, binding: UserEntry) -> InviteRow:
        """The invitation behind a binding (verified), as it is here or as the binding has it: then without a record."""
        _, cert, sig, _ = fields.array(binding.payload, 4, "binding")
        body, signed = fields.blob(cert, 1024, "cert"), fields.raw(sig, 64, "cert")
        named = InviteCert.check(self._agency_pk, body, signed)
        here = await self._store.invite(named.invite_pk)
        if here is not None and here.used_by not in (None, log.uid):
            raise Refusal(ErrorCode.CODE_USED)
        if here is not None and here.withdrawn and here.used_by is None:
            raise Refusal(ErrorCode.CODE_WITHDRAWN)
        if here is not None and record_hash(here.salt, here.record) == log.record_hash:
            return here
        return InviteRow(
            invite_pk=named.invite_pk,
            cert_body=body,
            cert_sig=signed,
            salt=b"",
            record=b"",
            not_after=named.not_after_ms,
            used_by=log.uid,
        )


def _by_sheet(entry: UserEntry) -> bool:
    """Whether sheets.py would have it wait, or come by an invitation alone."""
    return entry.type == "binding" or (entry.by == ROOT and entry.type in ("dev_add", "dev_revoke"))
