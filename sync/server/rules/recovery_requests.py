# SPDX-License-Identifier: EUPL-1.2
"""Requests by recovery sheet: adding a device with the root key alone, or revoking one. The server notifies the
person's devices and delays the entries for as long as one of them may object. sync/trust judges whether the entries are
valid; this module decides when they are accepted.

A veto is a rule of this server alone. A device that objected and sees the entry all the same revokes the new device.
"""

import logging
from collections import Counter
from dataclasses import replace

from sync.ids import DevId
from sync.protocol.messages import (
    ErrorCode,
    Ok,
    Person,
    Recover,
    RecoverLookup,
    RecoverLookupReply,
    RecoveryRequest,
    UserAppend,
    Veto,
    VetoPeriod,
)
from sync.server.config import Limits
from sync.server.rules.clock_guard import ClockGuard
from sync.server.rules.handshake import Who, now_ms
from sync.server.rules.log_growth import LogGrowth
from sync.server.rules.people import Draft, People
from sync.server.rules.refusal import Refusal
from sync.server.store.base import InviteRow, RecoveryRequestRow, Store, StoreError, UserRow
from sync.trust.person.agency import invite_id
from sync.trust.person.user_entry import AGENCY, ROOT
from sync.trust.person.user_log import UserLog

log = logging.getLogger("sync.server")

ADD, REVOKE, REVOKED = "add", "revoke", "revoked"
_DAY_MS = 86_400_000


class RecoveryRules:
    """Decides when the changes of a person's log that the root key signs are accepted: at once, after a time in which
    the person's devices may object, or never. The root key comes from the printed recovery sheet. Keeps the requests
    that wait."""

    def __init__(self, store: Store, people: People, limits: Limits, clock: ClockGuard) -> None:
        self._clock = clock
        self._store = store
        self._people = people
        self._limits = limits
        self._growth = LogGrowth(store, limits)

    # -- before sign-in

    async def look(self, frame: RecoverLookup) -> RecoverLookupReply:
        """Finds the person to whom a recovery sheet belongs, by the root key in force in their log. Returns their staff
        record, and the entries of the log after a number that `frame` names, as many as fit. ▲ Only for a client that
        also shows an invitation with the same staff record, which is open or was used by this person. Refusal
        "recovery-sheet-unknown", "code-…" for an invitation that is not open, or "other-person"."""
        found = await self._found(frame.root_pk)
        await self._invite(frame.invite_pk, found)
        entries = await self._people.entries_after(found.uid, frame.after)
        person = Person(found.uid, found.salt, found.record, found.seq, found.head)
        return RecoverLookupReply(frame.rid, person, entries)

    async def _found(self, root_pk: bytes) -> UserRow:
        found = await self._store.by_root(root_pk) if root_pk else None
        if found is None:
            raise Refusal(ErrorCode.RECOVERY_SHEET_UNKNOWN)
        return found

    async def _invite(self, invite_pk: bytes, person: UserRow) -> InviteRow:
        """▲ The invitation with the public key `invite_pk`, if it is open and names the same staff record as `person`.
        Also one that this person has used, since the answer may have been lost. Refusal "other-person" for another
        record; otherwise the Refusals of `People.open_invite` ("code-unknown", "code-used", "code-withdrawn",
        "code-expired")."""
        row = await self._store.invite(invite_pk)
        if row is None or row.used_by != person.uid:
            row = await self._people.open_invite(invite_pk)
        if row.record != person.record:
            raise Refusal(ErrorCode.OTHER_PERSON)
        return row

    async def recover(self, frame: Recover) -> tuple[UserLog | None, Ok | VetoPeriod]:
        """Adds a device to a person's log by recovery sheet, or notes the request if it must wait. Returns (the longer
        log, Ok) or (None, VetoPeriod with the time until which devices may object); after that time the client must
        send it again. The same entries again, once accepted, are (None, Ok). Refusal "vetoed" after an objection,
        "unknown-user", "code-…" for an invitation that is not open, "other-person" if it is not this person's,
        "invalid" for entries of another form, "oversize", "conflict" if the log has changed, "busy" (too many
        revocations, or a clock that was set); Reject for an entry that breaks the rules of logs.

        ▲ Accepted at once only if no active device of the person could object. Accepting uses up the invitation.
        """
        person = await self._store.user(frame.uid)
        if person is None:
            raise Refusal(ErrorCode.UNKNOWN_USER)
        invite = await self._invite(frame.invite_pk, person)
        if invite.used_by is not None:
            bodies = {row.body for row in await self._store.user_entries(frame.uid, -1)}
            if frame.entries and all(entry.body in bodies for entry in frame.entries):
                return None, Ok(frame.rid)
            raise Refusal(ErrorCode.CODE_USED)
        draft = await self._people.draft(frame.uid, frame.entries)
        _check_shape(draft, invite)
        dev = next(d for d in draft.made.devices if d not in draft.log.devices)
        ready = await self._ready_to_add(draft.log, dev, invite)
        if ready:
            return None, VetoPeriod(frame.rid, ready)
        made = await self._people.take(draft, invite=invite, revoked=await self._count(draft))
        await self._answered(made.uid, ADD, dev)
        return made, Ok(frame.rid)

    async def _ready_to_add(self, log: UserLog, dev: bytes, invite: InviteRow) -> int:
        """0 if the device `dev` may be added to the person's log now: no active device could object, or the time for
        that is over. Otherwise the time from which it may be (ms), and the request, which uses `invite`, is stored; a
        request of the same device keeps its time. It replaces a request of another device with the same invitation: the
        wait then begins again. Refusal "vetoed" if a device of the person has objected to a request with this
        invitation, "busy" while the clock's time is in doubt; a new request is stored then too."""
        rows = [
            r for r in await self._store.recovery_requests(log.uid) if r.what == ADD and r.invite_pk == invite.invite_pk
        ]
        if any(_veto_counts(log, row.vetoed_by) for row in rows):
            raise Refusal(ErrorCode.VETOED)
        if not any(log.device_active(d, log.seq) for d in log.devices):
            return 0
        known = next((r for r in rows if r.dev == dev), None)
        if known is not None:
            return self._until(known)
        row = RecoveryRequestRow(uid=log.uid, what=ADD, dev=dev, since=now_ms(), invite_pk=invite.invite_pk)
        ready = self._until(row)  # ▲ before it is stored: a time in doubt is no beginning of a wait
        for other in rows:  # the same invitation from another computer: the wait begins again
            await self._store.drop_recovery_request(log.uid, ADD, other.dev)
        await self._store.put_recovery_requests([row])
        return ready

    def _until(self, row: RecoveryRequestRow) -> int:
        self._clock.check()  # ▲ a clock that was set ahead ends no veto
        ready = self._ready(row)
        return ready if ready > now_ms() else 0

    def _ready(self, row: RecoveryRequestRow) -> int:
        return row.since + int(self._limits.veto_s * 1000)

    # -- signed in

    async def append(self, who: Who, frame: UserAppend) -> tuple[UserLog | None, Ok | VetoPeriod]:
        """Adds entries by the device `who` to its own person's log, or notes a request that must wait. Returns (the
        longer log, Ok), or (None, VetoPeriod with the time until which devices may object); after that time the client
        must send it again. Refusal "conflict" if the log has changed, "unknown-user", "invalid" for no or too many
        entries, "oversize"; Reject for an entry that breaks the rules of logs.

        ▲ A binding to a staff record is refused ("invalid"): it needs an invitation. A `dev_revoke` by the root key
        waits for a veto if the device that it revokes was connected lately; Refusal "vetoed" after an objection. Only a
        few revocations and entries a day are accepted: Refusal "busy" (also while it is in doubt whether the clock is
        right), and "quota" for a log that would be too long.
        """
        draft = await self._people.draft(who.uid, frame.entries)
        if any(entry.type == "binding" for entry in draft.read):
            raise Refusal(ErrorCode.INVALID, "binding")
        await self._growth.check(draft)
        ready = await self._ready_to_revoke(draft)
        if ready:
            return None, VetoPeriod(frame.rid, ready)
        made = await self._people.take(draft, revoked=await self._count(draft))
        await self._growth.note(draft)
        for dev in _revoked(draft):
            await self._answered(made.uid, REVOKE, dev)
        return made, Ok(frame.rid)

    async def _answered(self, uid: bytes, what: str, dev: bytes) -> None:
        """Drops the request of the person `uid` to add or revoke (`what`: "add" or "revoke") the device `dev`: its
        entry was accepted. Nothing happens if there is none. ▲ A full disk undoes nothing: a StoreError is only logged,
        and a request that stays in the store is judged again when it is read."""
        try:
            await self._store.drop_recovery_request(uid, what, dev)
        except StoreError as e:
            log.warning("what was asked for was not forgotten: %s", e.code)

    async def _ready_to_revoke(self, draft: Draft) -> int:
        """0 if the root's revocations in `draft` may be made now, or if there are none; otherwise the time from which
        they may be (ms), and a request for each device that was connected lately is stored, all or none. Refusal
        "vetoed" if a device has objected to one, "busy" while the clock's time is in doubt."""
        revoked = [d for entry in draft.read if entry.by == ROOT for d in _revokes(draft, entry.seq)]
        if not revoked:
            return 0
        self._clock.check()  # ▲ by a clock that was set ahead nobody was connected lately
        log, now = draft.log, now_ms()
        lately = now - int(self._limits.seen_s * 1000)
        seen = {row.dev for row in await self._store.sightings(log.uid) if row.last > lately}
        known = {row.dev: row for row in await self._store.recovery_requests(log.uid) if row.what == REVOKE}
        rows = [
            known.get(dev) or RecoveryRequestRow(uid=log.uid, what=REVOKE, dev=dev, since=now)
            for dev in revoked
            if dev in seen
        ]
        if any(_veto_counts(log, row.vetoed_by) for row in rows):
            raise Refusal(ErrorCode.VETOED)
        ready = max((self._until(row) for row in rows), default=0)
        if new := [row for row in rows if row.dev not in known]:
            await self._store.put_recovery_requests(new)
        return ready

    async def _count(self, draft: Draft) -> list[RecoveryRequestRow]:
        """Counts the revocations in `draft`, which are about to be accepted. Returns the rows to store with its
        entries, which count them. Refusal "busy" if a device, or the root, makes too many in 24 hours. ▲ Each
        revocation makes all rooms of the person rotate their keys. Each device has a count of its own, and devices that
        a revoked device added are not counted. Otherwise a stolen device could use up the count and keep itself, or the
        devices that it added, unrevoked."""
        uid, now = draft.log.uid, now_ms()
        counted = _counted(draft)
        if not counted:
            return []
        rows = await self._store.recovery_requests(uid)
        earlier = [row for row in rows if row.what == REVOKED and row.since > now - _DAY_MS]
        made = Counter(by for _, by in counted) + Counter(row.by for row in earlier)
        if any(made[by] > self._limits.revocations_a_day for _, by in counted):
            raise Refusal(ErrorCode.BUSY, "revocations")
        return [RecoveryRequestRow(uid=uid, what=REVOKED, dev=dev, since=now, by=by) for dev, by in counted]

    async def veto(self, who: Who, frame: Veto) -> Ok:
        """Notes that the device `who` objects to a request of its person. ▲ Any active device may object. The first
        veto stays, unless the agency revokes the device that gave it. Ok also if there is no such request."""
        log = await self._people.load(who.uid)
        for row in await self._store.recovery_requests(who.uid):
            meant = (row.what, row.dev) == (frame.what, frame.dev) and row.what != REVOKED
            if meant and (log is None or not _veto_counts(log, row.vetoed_by)):
                await self._store.put_recovery_requests([replace(row, vetoed_by=who.dev)])
        return Ok(frame.rid)

    async def waiting(self, uid: bytes) -> list[RecoveryRequest]:
        """The requests of the person `uid` that wait, vetoed ones too, oldest first; [] for an unknown person. Each has
        the time (ms) from which it may be accepted, and the device that vetoed it, b"" if none did."""
        log = await self._people.load(uid)
        if log is None:
            return []
        return [
            RecoveryRequest(
                row.what, row.dev, self._ready(row), row.vetoed_by if _veto_counts(log, row.vetoed_by) else b""
            )
            for row in await self._store.recovery_requests(uid)
            if await self._waits(log, row)
        ]

    async def _waits(self, log: UserLog, row: RecoveryRequestRow) -> bool:
        """Whether the request `row` of the log's person can still be accepted: to add a device, its invitation is open;
        to revoke one, the device is not revoked yet. Only such requests are shown to the person's devices, which may
        object. False for a row that only records a revocation for the daily limit."""
        if row.what != ADD:
            return row.what == REVOKE and log.device_active(row.dev, log.seq) is not None
        invite = await self._store.invite(row.invite_pk)
        return invite is not None and invite.is_open(now_ms())


def _veto_counts(log: UserLog, vetoed_by: bytes) -> bool:
    """▲ Whether a request is vetoed. `vetoed_by`: the device that objected, empty for none. The veto of a device that
    the agency has revoked, by `log`, does not count."""
    device = log.devices.get(DevId(vetoed_by))
    return device is not None and (device.revoked is None or device.revoked not in log.agency_revokes)


def _check_shape(draft: Draft, invite: InviteRow) -> None:
    """▲ Refusal "invalid" unless the entries of `draft` are, in this order, a binding (which ties the log to a staff
    record) that `invite` signed, a device that the root adds, and any number of revocations by the root."""
    types = [entry.type for entry in draft.read]
    if types[:2] != ["binding", "dev_add"] or set(types[2:]) - {"dev_revoke"}:
        raise Refusal(ErrorCode.INVALID, "entries")
    if draft.read[0].by != invite_id(invite.invite_pk) or any(entry.by != ROOT for entry in draft.read[1:]):
        raise Refusal(ErrorCode.INVALID, "binding")


def _revokes(draft: Draft, seq: int) -> list[bytes]:
    return [d.dev for d in draft.made.devices.values() if d.revoked == seq]


def _counted(draft: Draft) -> list[tuple[bytes, bytes]]:
    """The revocations in `draft` that count in the limit of a day, as (revoked device, device that revoked it, or empty
    for the root). Left out are those by the agency, and those of a device that a revoked device had added."""
    out: list[tuple[bytes, bytes]] = []
    for entry in draft.read:
        for dev in _revokes(draft, entry.seq) if entry.by != AGENCY else []:
            adder = draft.made.devices.get(DevId(added)) if isinstance(added := _adder(draft, dev), bytes) else None
            if adder is None or adder.revoked is None:
                out.append((dev, entry.by if isinstance(entry.by, bytes) else b""))
    return out


def _adder(draft: Draft, dev: bytes) -> bytes | str:
    return draft.made.devices[DevId(dev)].by


def _revoked(draft: Draft) -> list[bytes]:
    """The devices that the draft revokes without the agency's key."""
    return [dev for entry in draft.read if entry.by != AGENCY for dev in _revokes(draft, entry.seq)]
