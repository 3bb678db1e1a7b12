# SPDX-License-Identifier: EUPL-1.2
"""Rules about people: invitations, enrolment, user logs, the directory. Every verdict is sync/trust's."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from sync.errors import NeedLog, Reject
from sync.ids import DevId, Uid
from sync.protocol.messages import (
    Auth,
    Devices,
    DeviceSeen,
    DevicesReply,
    Directory,
    DirectoryReply,
    Enrol,
    ErrorCode,
    Invite,
    InviteReply,
    LogHead,
    LogHeads,
    LogHeadsReply,
    MovedLogs,
    MovedLogsReply,
    Ok,
    Person,
    Revoked,
    Signed,
    UserLogReply,
)
from sync.protocol.messages import UserLog as UserLogRequest
from sync.protocol.version import MAX_KNOWN_LOGS, MAX_PULL_BYTES, MAX_USER_ENTRY_BYTES
from sync.server.host.identity import Identity
from sync.server.rules.handshake import Who, now_ms
from sync.server.rules.refusal import Refusal
from sync.server.rules.store_rows import appended, entry_rows, user_row
from sync.server.store.base import InviteRow, Moved, RecoveryRequestRow, SightingRow, Store, StoreError, Taken
from sync.trust.person.agency import invite_id, record_hash
from sync.trust.person.user_entry import UserEntry
from sync.trust.person.user_log import UserLog

log = logging.getLogger("sync.server")

DIRECTORY_LIMIT = 50
DIRECTORY_EXACT_LIMIT = 2000
QUERY_CHARS = 200
_ROWS = 32
"""Entries that are read from the disk at a time. Otherwise a request for 1 MiB could read a whole long log."""
ENROL_ENTRIES = 3
BREATHE = 32
"""Entries of a log that are judged in one step of the event loop: 0.2 ms each."""
APPEND_ENTRIES = 6
"""Most entries in one request: two for a new recovery sheet; two, and as many revocations as a day allows, for a return
by recovery sheet."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A verified extension of a person's log (a signed chain of entries about their devices and keys) that is not
    stored yet. `log`: the log now. `made`: the log with the new entries. `read`: these entries, decoded. `entries`: the
    same entries as they were signed."""

    log: UserLog
    made: UserLog
    read: tuple[UserEntry, ...]
    entries: tuple[Signed, ...]


class People:
    """The logs of persons in memory (at most `kept`), and the requests that read or change them. A log is a person's
    signed chain of entries: devices, keys and the binding to a staff record.

    sync/trust looks logs up here: `log(uid)` is synchronous and raises NeedLog; `load` then brings the log into memory.
    """

    def __init__(self, store: Store, identity: Identity, kept: int) -> None:
        self._store = store
        self._identity = identity
        self._kept = kept
        self._logs: OrderedDict[bytes, UserLog] = OrderedDict()

    # -- the book

    def log(self, uid: Uid) -> UserLog:
        """The log of the person `uid` as it is in memory. NeedLog if it is not in memory."""
        found = self._logs.get(uid)
        if found is None:
            raise NeedLog(uid, 0)
        self._logs.move_to_end(uid)
        return found

    async def load_many(self, uids: Iterable[bytes]) -> None:
        """Loads the logs of the persons `uids` into memory, where rules that cannot wait for the disk look them up.
        Unknown persons are skipped. Reject if a stored log breaks the rules of logs: it is damaged."""
        for uid in uids:
            if uid in self._logs:
                self._logs.move_to_end(uid)
            else:
                await self.load(uid)

    async def load(self, uid: bytes) -> UserLog | None:
        """The log of the person `uid`, read from the store if it is not in memory; None for an unknown person. In
        memory it may lack what the agency's command line has just added; `newest` has that."""
        found = self._logs.get(uid)
        if found is None:
            return await self._read(uid)
        self._logs.move_to_end(uid)
        return found

    async def newest(self, uid: bytes) -> UserLog | None:
        """The log of the person `uid` as the store has it now, None for an unknown person.

        The agency's command line adds entries beside this server, and the log in memory lacks them until
        `read_external_appends` is called. Otherwise a client that builds on what the store shows would be refused again
        and again in between.
        """
        known = await self.load(uid)
        row = await self._store.user(uid) if known is not None else None
        behind = known is not None and row is not None and row.seq > known.seq
        return await self._read(uid) if behind else known

    async def _read(self, uid: bytes) -> UserLog | None:
        rows = await self._store.user_entries(uid, -1)
        if not rows:
            return None
        found = UserLog(self._identity.agency_pk)
        for count, row in enumerate(rows, start=1):
            found.apply(row.body, row.sig)
            if count % BREATHE == 0:
                await asyncio.sleep(0)
        self.keep(found)
        return self._logs.get(uid, found)

    def keep(self, log: UserLog) -> None:
        """Keeps `log`, which is stored, in memory; the least recently used logs beyond the limit are dropped. ▲ Not if
        it is shorter than the one in memory: it was read while entries were added."""
        known = self._logs.get(log.uid)
        if known is None or known.seq <= log.seq:
            self._logs[log.uid] = log
            self._logs.move_to_end(log.uid)
        while len(self._logs) > self._kept:
            self._logs.popitem(last=False)

    # -- enrolment

    async def invite(self, frame: Invite) -> InviteReply:
        """The certificate of the invitation that an activation code opens, with the staff record, and whether the
        invited person has an account already. Does not use the invitation up. Refusal "code-unknown", "code-used",
        "code-withdrawn" or "code-expired" if it cannot be used any more."""
        row = await self.open_invite(frame.invite_pk)
        cert = Signed(row.cert_body, row.cert_sig)
        return InviteReply(frame.rid, cert, row.salt, row.record, await self._is_here(row))

    async def _is_here(self, row: InviteRow) -> bool:
        """Whether the invitation `row` is for a person who has an account that has not ended. False for a new person,
        and after a reset: the code then makes a new account, as it should."""
        log = await self.newest(row.person) if row.person is not None else None
        return log is not None and log.ended is None

    async def open_invite(self, invite_pk: bytes) -> InviteRow:
        """The invitation with the public key `invite_pk`, if it can still be used. Refusal "code-unknown", "code-used",
        "code-withdrawn" or "code-expired" otherwise."""
        row = await self._store.invite(invite_pk)
        if row is None:
            raise Refusal(ErrorCode.CODE_UNKNOWN)
        if row.used_by is not None:
            raise Refusal(ErrorCode.CODE_USED)
        if row.withdrawn:
            raise Refusal(ErrorCode.CODE_WITHDRAWN)
        if row.not_after <= now_ms():
            raise Refusal(ErrorCode.CODE_EXPIRED)
        return row

    async def enrol(self, frame: Enrol) -> Ok:
        """Stores the first entries of a new person's log, and uses up their invitation. The same entries again (after a
        lost answer) are Ok again. Refusal "code-unknown", "code-used", "code-withdrawn" or "code-expired" if the
        invitation cannot be used. Refusal "invalid" if the entries do not belong to it, are not three, or one is above
        128 KiB. Reject for an entry that breaks the rules of logs."""
        if len(frame.entries) != ENROL_ENTRIES or any(len(e.body) > MAX_USER_ENTRY_BYTES for e in frame.entries):
            raise Refusal(ErrorCode.INVALID, "entries")
        log = UserLog.replay([(e.body, e.sig) for e in frame.entries], self._identity.agency_pk)
        if not await self._has_enrolled(frame.invite_pk, log):
            try:
                await self._enrol(frame, log)
            except Refusal as e:  # the same entries may have been on their way to the disk
                if e.code != ErrorCode.CODE_USED or not await self._has_enrolled(frame.invite_pk, log):
                    raise
        return Ok(frame.rid)

    async def _enrol(self, frame: Enrol, log: UserLog) -> None:
        row = await self.open_invite(frame.invite_pk)
        if not log.ready or log.record_hash != record_hash(row.salt, row.record) or not _bound_by(frame, row):
            raise Refusal(ErrorCode.INVALID, "binding")
        try:
            await self._store.enrol(frame.invite_pk, user_row(log, row), entry_rows(0, frame.entries))
        except Taken as e:
            await self.open_invite(frame.invite_pk)  # it was withdrawn, or has ended, in between
            raise Refusal(ErrorCode.CODE_USED) from e
        self.keep(log)

    async def _has_enrolled(self, invite_pk: bytes, log: UserLog) -> bool:
        """Whether the invitation `invite_pk` was used for a stored log that begins with exactly the entries of `log`:
        then the same enrolment was sent again. False if the invitation is unknown, was not used, or was used by another
        person."""
        row = await self._store.invite(invite_pk)
        if row is None or row.used_by != log.uid:
            return False
        known = await self.load(log.uid)
        return known is not None and known.head_at(log.seq) == log.head

    # -- logs and look-ups

    async def draft(self, uid: bytes, entries: Sequence[Signed]) -> Draft:
        """Verifies `entries` as the next ones in the log of the person `uid`, and returns the log before and after
        them; stores nothing. Refusal "unknown-user"; "invalid" unless there are 1 to 6 entries; "oversize" if one is
        above 128 KiB; "conflict" if they do not follow the newest entry. Reject for an entry that breaks the rules of
        logs."""
        log = await self.newest(uid)
        if log is None:
            raise Refusal(ErrorCode.UNKNOWN_USER)
        if not 0 < len(entries) <= APPEND_ENTRIES:
            raise Refusal(ErrorCode.INVALID, "entries")
        if any(len(e.body) > MAX_USER_ENTRY_BYTES for e in entries):
            raise Refusal(ErrorCode.OVERSIZE, "entry")
        made = replace(log, heads=list(log.heads), devices=dict(log.devices), puks=list(log.puks))
        try:
            read = tuple([made.apply(entry.body, entry.sig) for entry in entries])
        except Reject as e:
            if e.code == "chain":
                raise Refusal(ErrorCode.CONFLICT, e.where) from e
            raise
        return Draft(log, made, read, tuple(entries))

    async def take(
        self, draft: Draft, *, invite: InviteRow | None = None, revoked: Sequence[RecoveryRequestRow] = ()
    ) -> UserLog:
        """Stores the entries of `draft`, all or none, if the log has not changed since they were verified; in the same
        step stores the rows `revoked`, which count their revocations, and uses up `invite` if it is given. Returns the
        new log. Refusal "conflict" if the log has changed, "code-used" if the invitation was used or withdrawn.
        StoreError if the write fails. Nothing is stored if it raises."""
        made, seq = draft.made, draft.log.seq
        rows, invite_pk = entry_rows(seq + 1, draft.entries), invite.invite_pk if invite is not None else None
        try:
            await self._store.append_user(
                made.uid, seq, rows, appended(made, invite), invite_pk=invite_pk, revoked=revoked
            )
        except Moved as e:
            self._logs.pop(made.uid, None)  # the agency's command line was first
            raise Refusal(ErrorCode.CONFLICT, "seq") from e
        except Taken as e:
            raise Refusal(ErrorCode.CODE_USED) from e
        self.keep(made)
        return made

    async def note_sign_in(self, who: Who, agent: str) -> None:
        """Stores that the device `who` signed in now, with the program that calls itself `agent`. A failure is only
        logged: a full disk must keep nobody out."""
        try:
            await self._store.put_sighting(SightingRow(dev=who.dev, uid=who.uid, last=now_ms(), agent=agent))
        except StoreError as e:
            log.warning("a sign-in was not noted: %s", e.code)

    async def note_present(self, present: Collection[tuple[bytes, bytes]]) -> None:
        """Stores that the devices in `present`, each (person, device), are connected, as if they signed in now. A
        device of which the store has no sign-in is left out. A StoreError is only logged. ▲ So a restored server awaits
        them, and the root (the key on a person's printed recovery sheet) alone cannot revoke them at once as devices
        that were not seen lately."""
        try:
            await self._store.see_again(present, now_ms())
        except StoreError as e:
            log.warning("who is here was not noted: %s", e.code)

    async def devices(self, who: Who, frame: Devices) -> DevicesReply:
        """When the devices of the person of `who` last signed in, or were last noted as connected (ms since 1970), and
        with which program. Revoked devices too, in no order. A device of which no sign-in is stored is left out."""
        rows = await self._store.sightings(who.uid)
        return DevicesReply(frame.rid, [DeviceSeen(r.dev, r.last, r.agent) for r in rows])

    async def ended(self, ended: UserLog, frame: Auth) -> Revoked:
        """▲ The answer to a sign-in, `frame`, by a device that is revoked or whose account was reset: the entries of
        the person's log `ended` that prove so, up to the one that ended the device. The device believes nothing less,
        and gets no other data. If the log is longer than an answer, only the newest of these are sent; the device has
        the earlier ones."""
        device = ended.devices[DevId(frame.dev)]
        last = min(seq for seq in (device.revoked, ended.ended) if seq is not None)
        rows = [r for r in await self._store.user_entries(ended.uid, -1) if r.seq <= last]
        left, first = MAX_PULL_BYTES, len(rows)
        while first and (left := left - len(rows[first - 1].body) - len(rows[first - 1].sig)) >= 0:
            first -= 1
        return Revoked(frame.rid, [Signed(r.body, r.sig) for r in rows[first:]])

    async def read_external_appends(self, after: int) -> tuple[int, list[UserLog]]:
        """Reads again the logs to which the agency's command line has added entries beside this server, also those that
        are not in memory, and keeps them in memory. `after`: the last row of the store's list of such additions that
        was read before; 0 for all. Returns (the last row now, these logs), or (`after`, []) if there are no new rows. A
        log that is damaged on the disk is logged and left out."""
        rows = await self._store.external_appends(after)
        logs: list[UserLog] = []
        for uid in dict.fromkeys(uid for _, uid in rows):
            try:
                found = await self._read(uid)
            except Reject as e:  # damaged on the disk: the other logs are read all the same
                log.warning("a log is not what it was, %s: %s", uid.hex(), e.code)
                continue
            logs += [found] if found is not None else []
        return rows[-1][0] if rows else after, logs

    async def entries(self, frame: UserLogRequest) -> UserLogReply:
        """The entries in a person's log after the sequence number that `frame` names (all for a negative one), in
        order, as many as fit in an answer (1 MiB). The client requests the rest again. An answer without entries if
        there are none after that number. Refusal "unknown-user", or "invalid" for a number that does not fit in 64
        bits."""
        if frame.after >> 63 not in (0, -1):  # more than a column of the database holds
            raise Refusal(ErrorCode.INVALID, "after")
        out = await self.entries_after(frame.uid, frame.after)
        if not out and await self._store.user(frame.uid) is None:
            raise Refusal(ErrorCode.UNKNOWN_USER)
        return UserLogReply(frame.rid, frame.uid, frame.after, out)

    async def entries_after(self, uid: bytes, after: int) -> list[Signed]:
        """The entries in the log of the person `uid` whose sequence number is above `after`, in order, as many as fit
        in an answer (1 MiB); at least one if there is one. [] if there is none, also for an unknown person."""
        out: list[Signed] = []
        left = MAX_PULL_BYTES
        while rows := await self._store.user_entries(uid, after, _ROWS):
            for row in rows:
                left -= len(row.body) + len(row.sig)
                if left < 0 and out:
                    return out
                out.append(Signed(row.body, row.sig))
            after = rows[-1].seq
        return out

    async def directory(self, frame: Directory) -> DirectoryReply:
        """The persons whose ids `frame` names (of the first 2,000), in no order. If it names none: those whose name,
        title and unit together contain each of the first eight words of its query (also as a part of a longer word, in
        any case), at most DIRECTORY_LIMIT (50), by name. A query without words finds everybody. Leaves out persons
        without a staff record, and unknown ones. Persons whose account has ended are in it."""
        if frame.uids:
            rows = await self._store.people(frame.uids[:DIRECTORY_EXACT_LIMIT])
        else:
            words = frame.query[:QUERY_CHARS].casefold().split()[:8]
            rows = await self._store.search_people(words, DIRECTORY_LIMIT, recorded=True)
        known = [r for r in rows if r.record]  # after a restore a person may have no record
        return DirectoryReply(frame.rid, [Person(r.uid, r.salt, r.record, r.seq, r.head) for r in known])

    async def moved_logs(self, frame: MovedLogs) -> MovedLogsReply:
        """The people in `frame` whose user logs (signed chains of entries about devices and keys) have newer entries
        than it names for them, each with the number and hash of the newest; [] if there are none, in no order. Clients
        name the entries that their rooms have stated (their pins), and then state newer ones there, since a member may
        have lost a device. Unknown persons are left out. Refusal "invalid" for more than 2,000 people."""
        if len(frame.known) > MAX_KNOWN_LOGS:
            raise Refusal(ErrorCode.INVALID, "known")
        rows = await self._store.moved_logs({each.uid: each.seq for each in frame.known})
        return MovedLogsReply(frame.rid, [LogHead(r.uid, r.seq, r.head) for r in rows])

    async def heads(self, frame: LogHeads) -> LogHeadsReply:
        """Shows a client what a restore lost: the newest entry's number and hash in the logs of the persons that
        `frame` names (of the first 2,000), in no order, and which of them have lost their staff record. Unknown persons
        are left out. The client then uploads what is missing."""
        rows = await self._store.people(frame.uids[:DIRECTORY_EXACT_LIMIT])
        lacking = [r.uid for r in rows if not r.record]
        return LogHeadsReply(frame.rid, [LogHead(r.uid, r.seq, r.head) for r in rows], lacking)


def _bound_by(frame: Enrol, row: InviteRow) -> bool:
    """Whether the binding (entry 1, already verified) was signed by this invitation's key."""
    return UserEntry.decode(frame.entries[1].body).by == invite_id(row.invite_pk)
