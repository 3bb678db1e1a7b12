# SPDX-License-Identifier: EUPL-1.2
"""Restore recovery of people: user logs and staff records that a restored server lacks, as clients upload them again.
Every entry is proven by its signature, a record by its hash in the log's newest binding.

▲ Only entries that continue the stored log are taken; none replaces a stored entry. An invitation makes one person,
also after a restore. Otherwise somebody who still knows a used code could enrol a second person with it.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sync.errors import Reject
from sync.protocol.messages import ErrorCode, ReuploadLog, Signed
from sync.protocol.version import MAX_USER_ENTRY_BYTES
from sync.server.host.identity import Identity
from sync.server.rules.log_growth import LogGrowth
from sync.server.rules.people import BREATHE, Draft, People
from sync.server.rules.refusal import Refusal
from sync.server.rules.store_rows import appended, entry_rows, search_text, user_row
from sync.server.store.base import InviteRow, Moved, StaffRow, Store, Taken
from sync.trust.formats import fields
from sync.trust.person.agency import RECORD_BYTES, InviteCert, decode_record, record_hash
from sync.trust.person.user_entry import ROOT, UserEntry
from sync.trust.person.user_log import UserLog
from sync.trust.room.restore_notice import LAG_MS

SALT_BYTES = 64
"""The longest salt that is taken; the agency makes them of 16 bytes."""
_TRIES = 5
"""Two clients may upload the same log at once: the slower one's upload is judged again behind the faster one's."""


@dataclass(frozen=True, slots=True)
class Returned:
    """A person's log (a signed chain of entries about their devices and keys) to which a client has uploaded lost
    entries. `after`: the number of its last entry before; -1 for a person whom the server did not have."""

    log: UserLog
    after: int


@dataclass(frozen=True, slots=True)
class _Given:
    """What a client uploads of one person: `entries`, signed; `read`, the same entries decoded; `staff`, the staff
    record, None if it sends none."""

    entries: Sequence[Signed]
    read: Sequence[UserEntry]
    staff: StaffRow | None

    def behind(self, skip: int) -> "_Given":
        return _Given(self.entries[skip:], self.read[skip:], self.staff)


@dataclass(frozen=True, slots=True)
class _Allowed:
    """Which lost entries are taken. `backup_ms`: when the backup was made; `late`: the day is over in which entries
    that need an invitation or a veto are taken without."""

    backup_ms: int
    late: bool

    def check(self, new: Sequence[UserEntry]) -> None:
        """Refusal "forbidden" if it is too late for one of the entries `new`."""
        if self.late and any(map(_needs_invitation_or_veto, new)):
            raise Refusal(ErrorCode.FORBIDDEN, "user log")

    def may_have_been_used(self, invite: InviteCert) -> bool:
        """Whether the invitation could still be used when the backup was made, or a minute before: what was stored
        earlier is in the backup."""
        return invite.not_after_ms + LAG_MS > self.backup_ms


class ReturnedLogs:
    """Stores user logs and staff records that clients upload again after a restore, once they are proven: entries by
    their signatures, a record by its hash in the log."""

    def __init__(self, store: Store, people: People, identity: Identity, growth: LogGrowth) -> None:
        self._store = store
        self._people = people
        self._growth = growth
        self._agency_pk = identity.agency_pk

    async def take(self, frame: ReuploadLog, *, backup_ms: int, late: bool = False) -> Returned | None:
        """Stores the entries of a person's log in `frame` that the server lacks, and the staff record if it is lost.
        Returns None if no entry was new. Stores nothing if it raises: Refusal "conflict" if the entries do not continue
        the stored log, "invalid" if there are none, one is too long, the record is not the log's, a new log has no
        binding or two bindings used one invitation, "oversize" for the record or its salt, "quota" for a log that would
        be too long, "code-used", "code-withdrawn" or "code-expired" for the invitation of a binding, and Reject for an
        entry or record that breaks the rules.

        ▲ `late`: Refusal "forbidden" for new entries that normally require an invitation and the one-day veto period,
        and so for every person whom the server does not know. Otherwise a recovery sheet plus an old code would bypass
        both on any restored server, and an old code alone would make a new person.

        ▲ `backup_ms`: when the backup was made. An invitation that had ended by then was not used after it.
        """
        given = await _read(frame)
        uid = given.read[0].uid or given.read[0].ident[:16]
        allowed = _Allowed(backup_ms, late)
        for _ in range(_TRIES):
            known = await self._people.newest(uid)
            try:
                return await (self._whole(given, allowed) if known is None else self._continued(known, given, allowed))
            except Moved:
                continue
            except Taken as e:
                if await self._people.newest(uid) is None:
                    raise Refusal(ErrorCode.CODE_USED) from e
        raise Refusal(ErrorCode.CONFLICT, "seq")

    async def _whole(self, given: _Given, allowed: _Allowed) -> Returned:
        allowed.check(given.read)
        log = await self._grown(UserLog(self._agency_pk), given)
        if not log.bound:
            raise Refusal(ErrorCode.INVALID, "binding")
        _check_record(log, given.staff)
        invites = await self._invites(log, given, allowed)
        staff = given.staff or await self._record_here(log, given.read)
        await self._store.return_user(user_row(log, staff), entry_rows(0, given.entries), invites)
        self._people.keep(log)
        return Returned(log, -1)

    async def _continued(self, known: UserLog, given: _Given, allowed: _Allowed) -> Returned | None:
        skip = known.seq + 1 - given.read[0].seq
        allowed.check(given.read[max(0, skip) :])
        same = all(known.head_at(e.seq) == e.ident for e in given.read[: max(0, skip)])
        if skip < 0 or not same:
            raise Refusal(ErrorCode.CONFLICT, "user log")
        if given.read[skip:]:
            return await self._more(known, given.behind(skip), allowed)
        _check_record(known, given.staff)
        if given.staff is not None:
            await self._store.fill_record(known.uid, known.seq, given.staff, search_text(given.staff.record))
        return None

    async def _more(self, known: UserLog, given: _Given, allowed: _Allowed) -> Returned:
        log = await self._grown(known, given)
        _check_record(log, given.staff)
        invites = await self._invites(log, given, allowed)
        for invite in invites:
            here = await self._store.invite(invite.invite_pk)
            if here is not None and here.used_by is not None:  # another client uploaded that binding meanwhile
                raise Moved("user log")
        staff = given.staff or (await self._record_here(log, given.read) if invites else None)
        rows = entry_rows(known.seq + 1, given.entries)
        await self._store.append_user(log.uid, known.seq, rows, appended(log, staff), returned=invites)
        self._people.keep(log)
        return Returned(log, known.seq)

    async def _grown(self, known: UserLog, given: _Given) -> UserLog:
        """The log `known` with the entries of `given` added and verified; `known` is not changed. Refusal "quota" if it
        would be longer than a log may be, "conflict" if the entries do not follow each other, or not the log's last
        one; Reject for an entry that breaks the rules of logs. ▲ Everybody who knows a log can request this, also
        before sign-in. So the log's length is checked before any signature, and the event loop runs other tasks in
        between."""
        made = replace(known, heads=list(known.heads))  # `apply` makes new objects of the other fields
        self._growth.check_length(Draft(known, made, tuple(given.read), tuple(given.entries)))
        for count, entry in enumerate(given.entries, start=1):
            try:
                made.apply(entry.body, entry.sig)
            except Reject as e:
                if e.code == "chain":
                    raise Refusal(ErrorCode.CONFLICT, e.where) from e
                raise
            if count % BREATHE == 0:
                await asyncio.sleep(0)
        return made

    async def _invites(self, log: UserLog, given: _Given, allowed: _Allowed) -> list[InviteRow]:
        """The invitations that the bindings among the entries of `given`, all verified and in `log`, used: in the order
        of the entries, [] if there is no binding. A binding ties the log to a staff record. ▲ Refusal "invalid" if two
        bindings used the same invitation. "code-used" if another person used one, "code-withdrawn" if one was withdrawn
        unused."""
        bound = [e for e in given.read if e.type == "binding"]
        if len({e.by for e in bound}) < len(bound):
            raise Refusal(ErrorCode.INVALID, "binding")
        return [await self._invite(log, binding, given.staff, allowed) for binding in bound]

    async def _invite(self, log: UserLog, binding: UserEntry, staff: StaffRow | None, allowed: _Allowed) -> InviteRow:
        """The invitation that `binding`, a verified entry of `log`, used: the stored one, or one made from the binding
        if the restore lost it. Raises Refusal "code-used" if another person has used it, "code-withdrawn" if it was
        withdrawn unused, "code-expired" if it ended unused before the backup was made. An invitation that is made here
        contains `staff` if that is the record whose hash the binding's certificate names, otherwise an empty record."""
        named, body, sig = self._cert(binding)
        here = await self._store.invite(named.invite_pk)
        if here is not None and here.used_by not in (None, log.uid):
            raise Refusal(ErrorCode.CODE_USED)
        if here is not None and here.withdrawn and here.used_by is None:
            raise Refusal(ErrorCode.CODE_WITHDRAWN)
        if (here is None or here.used_by is None) and not allowed.may_have_been_used(named):
            raise Refusal(ErrorCode.CODE_EXPIRED)
        if here is not None:
            return here
        own = staff is not None and record_hash(staff.salt, staff.record) == named.record_hash
        return InviteRow(
            invite_pk=named.invite_pk,
            cert_body=body,
            cert_sig=sig,
            salt=staff.salt if staff is not None and own else b"",
            record=staff.record if staff is not None and own else b"",
            not_after=named.not_after_ms,
            used_by=log.uid,
        )

    async def _record_here(self, log: UserLog, entries: Sequence[UserEntry]) -> StaffRow:
        """The staff record to which the newest binding among `entries`, which must have one, ties `log`: read from the
        invitation that the binding used. For a client that uploads a log again without the record. Returns an empty
        record if the invitation, or its record, is lost."""
        newest = next(e for e in reversed(entries) if e.type == "binding")
        here = await self._store.invite(self._cert(newest)[0].invite_pk)
        if here is not None and record_hash(here.salt, here.record) == log.record_hash:
            return StaffRow(salt=here.salt, record=here.record)
        return StaffRow(salt=b"", record=b"")

    def _cert(self, binding: UserEntry) -> tuple[InviteCert, bytes, bytes]:
        _, cert, sig, _ = fields.array(binding.payload, 4, "binding")
        body, signed = fields.blob(cert, 1024, "cert"), fields.raw(sig, 64, "cert")
        return InviteCert.check(self._agency_pk, body, signed), body, signed


async def _read(frame: ReuploadLog) -> _Given:
    if not frame.entries or any(len(e.body) > MAX_USER_ENTRY_BYTES for e in frame.entries):
        raise Refusal(ErrorCode.INVALID, "entries")
    read: list[UserEntry] = []
    for entry in frame.entries:
        read.append(UserEntry.decode(entry.body))
        if len(read) % BREATHE == 0:
            await asyncio.sleep(0)
    if not (frame.salt or frame.record):
        return _Given(frame.entries, read, None)
    if len(frame.salt) > SALT_BYTES or len(frame.record) > RECORD_BYTES:
        raise Refusal(ErrorCode.OVERSIZE, "record")
    decode_record(frame.record)
    return _Given(frame.entries, read, StaffRow(salt=frame.salt, record=frame.record))


def _check_record(log: UserLog, staff: StaffRow | None) -> None:
    """▲ Refusal "invalid" if `staff` is not the record whose hash the agency certified in the newest binding of `log`.
    None passes."""
    if staff is not None and record_hash(staff.salt, staff.record) != log.record_hash:
        raise Refusal(ErrorCode.INVALID, "record")


def _needs_invitation_or_veto(entry: UserEntry) -> bool:
    """Whether recovery_requests.py takes the entry only with an invitation, or makes it wait for a veto."""
    return entry.type == "binding" or (entry.by == ROOT and entry.type in ("dev_add", "dev_revoke"))
