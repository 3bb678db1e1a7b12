# SPDX-License-Identifier: EUPL-1.2
"""Recovers an account after every device is lost: a new activation code and the recovery sheet become an account on
this device, with every generation of the person's key (protocol §11). Nothing is believed unless it agrees with the
keys on the recovery sheet."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial

from sync.client.account.account_secrets import Account
from sync.client.account.compare_and_swap import again
from sync.client.account.enrolment import Result, converse
from sync.client.account.known_logs import size_of, within_bounds
from sync.client.wire.connection import Connection
from sync.client.wire.transport import Dialer
from sync.crypto.encoding import dec, enc
from sync.crypto.seal import KemKey
from sync.crypto.signatures import SigningKey
from sync.errors import Refused, Reject, WrongAgency
from sync.ids import DevId, Uid
from sync.protocol import messages as m
from sync.protocol.messages import ErrorCode
from sync.trust.formats import fields
from sync.trust.person import user_drafts
from sync.trust.person.agency import InviteCert, SignInCode, decode_record, record_hash
from sync.trust.person.author import DeviceSecrets, Entry
from sync.trust.person.recovery_sheet import PAIR_BYTES, RecoveryCode, RecoveryPair, ReturnCode
from sync.trust.person.user_drafts import RecoveryPlan
from sync.trust.person.user_entry import device_id
from sync.trust.person.user_log import Device, UserLog

VERSION = 2
MOST_REVOKED = 3
"""Other devices that are revoked in the same step: the server takes no more in a day without the agency's key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attempt to recover an account: `code` is the activation code, `recovery_sheet` both halves of the recovery
    sheet's secret, `secrets` the new device's keys. It is kept in that device's encrypted store until the attempt is
    over: the person's other devices have a day to veto it."""

    code: SignInCode
    recovery_sheet: RecoveryPair
    secrets: DeviceSecrets = field(default_factory=DeviceSecrets.without_root, repr=False)
    revoke: bool = True
    """Whether the other devices are revoked."""

    @classmethod
    def begin(cls, code: str, recovery_sheet: str, *, revoke: bool = True) -> "Attempt":
        """An attempt to recover an account, from what the person typed, with fresh keys for this device; nothing is
        sent. `code` is the activation code with its second line, `recovery_sheet` the code on the recovery sheet.
        `revoke`: whether the person's other devices are revoked in the same step, at most MOST_REVOKED, the oldest.

        Reject `code`, `share-code` or `recovery-sheet-code` if the activation code, its second line or the recovery
        sheet is mistyped; `share-missing` for a code without its second line, `recovery-sheet-format` for a recovery
        sheet of format 1.
        """
        typed = ReturnCode.parse(code)
        return cls(
            code=typed.code,
            recovery_sheet=RecoveryPair(_parse_recovery_sheet(recovery_sheet), typed.share),
            revoke=revoke,
        )

    def encode(self) -> bytes:
        s = self.secrets
        return enc([VERSION, self.code.seed, self.code.agency, self.recovery_sheet.secret, s.sign, s.kem, self.revoke])

    @classmethod
    def decode(cls, data: bytes) -> "Attempt":
        """Reads an attempt from `data`, the bytes that `encode` made. Reject "format" for a newer version, "old-format"
        for an older one, whatever fields it has; "malformed", "encoding" or "oversize" if the bytes are damaged."""
        parts = fields.versioned(dec(data, limit=1024), VERSION, 7, "attempt")
        seed, agency, recovery_sheet, sign, kem, revoke = parts
        if type(revoke) is not bool:
            raise Reject("malformed", "attempt")
        return cls(
            code=SignInCode(fields.raw(seed, 16, "attempt"), fields.raw(agency, 16, "attempt")),
            recovery_sheet=RecoveryPair.of(fields.raw(recovery_sheet, PAIR_BYTES, "attempt")),
            secrets=DeviceSecrets(sign=fields.raw(sign, 32, "attempt"), kem=fields.raw(kem, 32, "attempt"), root=b""),
            revoke=revoke,
        )


def _parse_recovery_sheet(text: str) -> RecoveryCode:
    try:
        return RecoveryCode.parse(text)
    except Reject as e:
        raise Reject("recovery-sheet-code" if e.code == "code" else e.code, e.where) from e


@dataclass(frozen=True, slots=True, kw_only=True)
class Returning:
    """Whose account would be recovered, verified before anything is changed, for the person to confirm: `uid` and
    `record` (the staff record) of the one to whom the recovery sheet belongs, and `others`, their devices that are
    active now, the oldest first, without the one that is recovered. `Attempt.revoke` decides whether the first
    MOST_REVOKED of those are revoked."""

    uid: Uid
    record: dict[str, str]
    agency: bytes
    """The agency's public key."""
    others: list[Device]


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """A recovery that succeeded: the account on this device, and the person's key log and staff record with its salt,
    for the application's store."""

    account: Account
    entries: list[Entry]
    record: dict[str, str]
    salt: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A recovery that must wait: another device of the person may veto it until `ready_ms` (the server's time, ms).
    Call `ask` again then."""

    ready_ms: int


@dataclass(slots=True, kw_only=True)
class _Seen:
    """The key log and directory entry of the person whose account is recovered, as the server shows them and verified
    against the recovery sheet."""

    log: UserLog
    entries: list[Entry]
    person: m.Person


class Recovery:
    """Recovers an account on this device after all devices were lost, with the codes of one `Attempt`. Call `look` to
    see whose account it is, then `ask` until the result is no Waiting. Each opens a connection of its own."""

    def __init__(self, dialer: Dialer, attempt: Attempt, now_ms: Callable[[], int]) -> None:
        self._dialer = dialer
        self._attempt = attempt
        self._now_ms = now_ms

    async def look(self) -> Returning:
        """Asks the server whose recovery sheet it is, and verifies the answer; changes nothing. Refused
        `recovery-sheet-unknown` or `other-person` (the activation code is for somebody else), `reset` (the account has
        ended), or `code-…`; Reject `recovery-sheet`, `share` or `record` if the answer does not fit the recovery sheet,
        or another code if the log that the server shows is not valid; the errors of `Connection.connect`."""
        return await self._talk(self._look)

    async def ask(self) -> Returned | Waiting:
        """Recovers the account at the server and returns it, for the caller to store; or returns the time from which it
        can be recovered: call `ask` again then. A second call does no harm: entries that the server accepted are found
        in the log.

        Refused "vetoed" if another device of the person said no, "busy" for too many revocations in a day, "conflict"
        if the log has grown at each try, "reset" if the account has ended, "recovery-sheet-unknown"; "other-person" if
        the activation code is for somebody else, "code-…" if it cannot be used. Reject `recovery-sheet`, `share` or
        `record` if the server's answer does not fit the recovery sheet, "signature" if the agency did not sign the
        invitation, another code for an invalid log. WrongAgency if the invitation is not that of the code. Also
        Unreachable and the other errors of `Connection.connect`."""
        return await self._talk(self._ask)

    async def _talk(self, talk: Callable[[Connection], Awaitable[Result]]) -> Result:
        return await converse(self._dialer, self._attempt.code.agency, self._now_ms, talk)

    async def _look(self, connection: Connection) -> Returning:
        seen = await self._see(connection)
        others = [d for d in seen.log.devices.values() if seen.log.device_active(d.dev, seen.log.seq)]
        return Returning(
            uid=seen.log.uid,
            record=decode_record(seen.person.record),
            agency=connection.identity.agency_pk,
            others=[d for d in others if d.dev != self._dev(seen.log)],
        )

    async def _see(self, connection: Connection) -> _Seen:
        """Fetches over `connection`, verifies and returns the key log and directory entry of the person whose account
        is to be recovered. ▲ Reject unless the log is valid and of this agency ("agency"), its root and recovery keys
        are those of the recovery sheet ("recovery-sheet") and its share (the half of its secret that is not on the
        paper; "share"), and the record that the server shows is the one that the log names ("record"). Refused "reset"
        if the account has ended. The server refuses with "recovery-sheet-unknown", "other-person" (the activation code
        is for somebody else) or "code-…" (it cannot be used). Unreachable if the connection is lost.

        ▲ Reject "oversize" if the log is longer than a server lets one grow. Otherwise a false server could send
        entries for ever."""
        root_pk, invite_pk = self._attempt.recovery_sheet.code.root.public, self._attempt.code.key.public
        entries, size_bytes = list[Entry](), 0
        while True:
            ask = partial(m.RecoverLookup, invite_pk=invite_pk, root_pk=root_pk, after=len(entries) - 1)
            found = await connection.request(ask, m.RecoverLookupReply)
            answer = [(e.body, e.sig) for e in found.entries]
            entries += answer
            size_bytes += size_of(answer)
            if not within_bounds(len(entries), size_bytes):
                raise Reject("oversize", "own log")
            if not answer or len(entries) > found.person.ulog_seq:
                break
        seen = UserLog.replay(entries, connection.identity.agency_pk)
        user_drafts.check_pair(seen, self._attempt.recovery_sheet)
        if seen.uid != found.person.uid or seen.record_hash != record_hash(found.person.salt, found.person.record):
            raise Reject("record", "own log")
        if seen.ended is not None:
            raise Refused("reset")
        return _Seen(log=seen, entries=entries, person=found.person)

    async def _ask(self, connection: Connection) -> Returned | Waiting:
        """Sends over `connection` the log entries that recover the account, and returns the recovered account, or the
        time from which it can be recovered. If the log has the device already, sends nothing and returns the account.
        If the log has grown meanwhile (Refused "conflict"), drafts the entries again, up to eight tries; the last
        refusal is raised. ▲ Each try fetches and verifies the log from scratch: with a recovery sheet that the person
        has replaced since, the server refuses ("recovery-sheet-unknown"), or, if it does not, this is Reject
        "recovery-sheet". Refused "vetoed" if another device said no, "busy" for too many revocations in a day.
        Another Refused, Reject or WrongAgency if an answer does not fit the codes; Unreachable if the line is lost."""
        return await again(partial(self._try, connection))

    async def _try(self, connection: Connection) -> Returned | Waiting:
        seen = await self._see(connection)
        if seen.log.device_active(self._dev(seen.log), seen.log.seq) is not None:
            return self._returned(seen, {}, seen.person.salt)
        back, salt = await self._back(connection, seen)
        entries, seeds = user_drafts.recovery_entries(seen.log, back, self._now_ms() + connection.identity.offset_ms)
        signed, invite_pk = [m.Signed(body, sig) for body, sig in entries], self._attempt.code.key.public
        ask = partial(m.Recover, invite_pk=invite_pk, uid=seen.log.uid, entries=signed)
        reply = await connection.request(ask, m.Frame)
        if isinstance(reply, m.VetoPeriod):
            return Waiting(ready_ms=reply.ready)
        if not isinstance(reply, m.Ok):
            raise Reject("malformed", f"reply {type(reply).__name__}")
        seen.entries += entries
        return self._returned(seen, seeds, salt)

    async def _back(self, connection: Connection, seen: _Seen) -> tuple[RecoveryPlan, bytes]:
        """Fetches over `connection` the invitation that belongs to the activation code. Returns (what the log entries
        that recover the account are drafted from, the salt of the staff record). `seen` is the person's verified log.
        If `Attempt.revoke`, the plan revokes at most MOST_REVOKED of its active devices, the oldest; otherwise none. ▲
        The invitation that the server shows must be certified by the agency (Reject "signature" otherwise), for this
        code (WrongAgency otherwise), and with the staff record of the person whose recovery sheet it is (Refused
        "other-person" otherwise). Refused "code-…" if the code cannot be used."""
        code = self._attempt.code
        reply = await connection.request(lambda rid: m.Invite(rid=rid, invite_pk=code.key.public), m.InviteReply)
        cert = InviteCert.check(connection.identity.agency_pk, reply.cert.body, reply.cert.sig)
        record = record_hash(reply.salt, reply.record)
        if cert.invite_pk != code.key.public or cert.record_hash != record:
            raise WrongAgency("the invitation does not match the code")
        if reply.record != seen.person.record:
            raise Refused(ErrorCode.OTHER_PERSON)
        active = [d.dev for d in seen.log.devices.values() if seen.log.device_active(d.dev, seen.log.seq)]
        back = RecoveryPlan(
            pair=self._attempt.recovery_sheet,
            code=code,
            cert=(reply.cert.body, reply.cert.sig),
            record=record,
            secrets=self._attempt.secrets,
            revoke=tuple(active[:MOST_REVOKED]) if self._attempt.revoke else (),
        )
        return back, reply.salt

    def _dev(self, log: UserLog) -> DevId:
        return device_id(log.genesis_root_pk, SigningKey(self._attempt.secrets.sign).public)

    def _returned(self, seen: _Seen, seeds: dict[int, bytes], salt: bytes) -> Returned:
        dev = self._dev(seen.log)
        account = Account(
            uid=seen.log.uid,
            dev=dev,
            agency_pk=seen.log.agency_pk,
            secrets=self._attempt.secrets,
            puk_seeds=user_drafts.open_generations(seen.log, dev, KemKey(self._attempt.secrets.kem), seeds),
        )
        record = decode_record(seen.person.record)
        return Returned(account=account, entries=seen.entries, record=record, salt=salt)
