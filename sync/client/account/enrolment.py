# SPDX-License-Identifier: EUPL-1.2
"""The first device: an activation code becomes an account that the agency has bound to a person (protocol §3, §10)."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from sync.client.account.account_secrets import Account
from sync.client.wire.connection import Connection
from sync.client.wire.transport import Dialer
from sync.errors import Reject, WrongAgency
from sync.protocol import messages as m
from sync.protocol.version import MAX_ENTRY_BYTES
from sync.trust.formats import fields
from sync.trust.person.agency import InviteCert, SignInCode, agency_fingerprint, decode_record, record_hash
from sync.trust.person.author import DeviceSecrets, new_user
from sync.trust.person.recovery_sheet import ReturnCode
from sync.trust.person.user_entry import UserEntry

Result = TypeVar("Result")
FIRST_ENTRIES = 3
"""Genesis, binding and first PUK: the log of an account that has just been made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """The person for whom the agency made an activation code: their staff record, verified. It is shown to the person
    before an account is made."""

    record: dict[str, str]
    agency: bytes
    """The agency key's fingerprint, 32 B."""
    here: bool
    """Whether the person has an account already: by the server's word, or because the code is a return code. Accepting
    makes a second account."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolled:
    """An account that was just made, its key log's first entries, and the person's verified staff record with its salt,
    for the application's store."""

    account: Account
    entries: list[tuple[bytes, bytes]]
    record: dict[str, str]
    salt: bytes


class Enrolment:
    """Makes a new account on this device from one activation code. `look` shows whose account it would be, `accept`
    makes it; each opens a connection of its own."""

    def __init__(self, dialer: Dialer, code: str, now_ms: Callable[[], int]) -> None:
        """`dialer` connects to the agency's server. `code` is the activation code that the person typed; of a code with
        two lines the first enrols. `now_ms` returns this device's clock (ms). Reject "code" if the code is mistyped,
        "share-code" if its second line is."""
        self._dialer = dialer
        self._code, self._comes_back = _read(code)
        self._now_ms = now_ms
        self._keep: Callable[[Enrolled], None] = lambda enrolled: None

    async def look(self) -> Invitation:
        """Asks the server for the invitation of this object's code and verifies it: the person whom the code names.
        Refused "code-unknown", "code-used", "code-expired" or "code-withdrawn"; WrongAgency if the server belongs to
        another agency than the code, or shows an invitation that does not match the code; Reject "signature" if the
        agency did not sign the invitation; the errors of `Connection.connect`."""
        return (await self._with_connection(self._look))[0]

    async def accept(self, keep: Callable[[Enrolled], None]) -> Enrolled:
        """Makes the account with new keys, calls `keep` with it once, so that the caller stores it durably, only then
        registers it with the server, and returns it. What `keep` raises is raised, and then nothing is registered.

        Refused "code-unknown", "code-used", "code-expired" or "code-withdrawn"; WrongAgency if the server belongs to
        another agency than the code, or shows an invitation that does not match the code; Reject "signature" if the
        agency did not sign it; Unreachable and the other errors of `Connection.connect`. If this fails after `keep`,
        the server may or may not have the account: call `register` with the same entries.
        """
        self._keep = keep
        return await self._with_connection(self._accept)

    async def _with_connection(self, talk: Callable[[Connection], Awaitable[Result]]) -> Result:
        return await converse(self._dialer, self._code.agency, self._now_ms, talk)

    async def _look(self, connection: Connection) -> tuple[Invitation, m.InviteReply]:
        invite_pk = self._code.key.public
        reply = await connection.request(lambda rid: m.Invite(rid=rid, invite_pk=invite_pk), m.InviteReply)
        agency_pk = connection.identity.agency_pk
        cert = InviteCert.check(agency_pk, reply.cert.body, reply.cert.sig)
        if cert.invite_pk != invite_pk or cert.record_hash != record_hash(reply.salt, reply.record):
            raise WrongAgency("the invitation does not match the code")
        here = reply.here or self._comes_back
        return Invitation(record=decode_record(reply.record), agency=agency_fingerprint(agency_pk), here=here), reply

    async def _accept(self, connection: Connection) -> Enrolled:
        invitation, reply = await self._look(connection)
        agency_pk = connection.identity.agency_pk
        secrets, puk_seed = DeviceSecrets.fresh(), os.urandom(32)
        entries, log = new_user(
            secrets,
            self._code,
            agency_pk,
            (reply.cert.body, reply.cert.sig),
            record_hash(reply.salt, reply.record),
            puk_seed,
            self._now_ms(),
        )
        dev = next(iter(log.devices))
        if not log.ready:
            raise Reject("not-ready", "own log")
        account = Account(uid=log.uid, dev=dev, agency_pk=agency_pk, secrets=secrets, puk_seeds={1: puk_seed})
        enrolled = Enrolled(account=account, entries=entries, record=invitation.record, salt=reply.salt)
        self._keep(enrolled)
        await _enrol(connection, self._code.key.public, entries)
        return enrolled


def _read(text: str) -> tuple[SignInCode, bool]:
    """The code in `text`, which a person typed, and whether it is a return code. A return code has a second line; only
    a person with a recovery sheet gets one. Reject "code" if the first line is mistyped, "share-code" if the second
    is."""
    try:
        return SignInCode.parse(text), False
    except Reject:
        return ReturnCode.parse(text).code, True


async def register(
    dialer: Dialer, agency_pk: bytes, entries: list[tuple[bytes, bytes]], now_ms: Callable[[], int]
) -> None:
    """Registers an account that was made and stored here, perhaps a second time: the server answers Ok to the same
    entries whether or not the activation code is still valid. `dialer` connects to the server, `entries` are the first
    entries (body, signature) of the account's key log, `agency_pk` is the agency's public key, and `now_ms` returns
    this device's clock (ms).

    Refused with a "code-…" if the account was never registered and no longer can be. Also raises the errors of
    `Connection.connect`.
    """
    binding = fields.array(UserEntry.decode(entries[1][0]).payload, 4, "binding")
    cert, sig = fields.blob(binding[1], MAX_ENTRY_BYTES, "binding"), fields.raw(binding[2], 64, "binding")
    invite_pk = InviteCert.check(agency_pk, cert, sig).invite_pk
    await converse(dialer, agency_fingerprint(agency_pk), now_ms, lambda c: _enrol(c, invite_pk, entries))


async def _enrol(connection: Connection, invite_pk: bytes, entries: list[tuple[bytes, bytes]]) -> None:
    signed = [m.Signed(body, sig) for body, sig in entries]
    await connection.request(lambda rid: m.Enrol(rid=rid, invite_pk=invite_pk, entries=signed), m.Ok)


async def converse(
    dialer: Dialer, agency: bytes, now_ms: Callable[[], int], talk: Callable[[Connection], Awaitable[Result]]
) -> Result:
    """Opens a new connection by `dialer`, calls `talk` with the connection and awaits it, closes it in any case, and
    returns what `talk` returned. Nobody is signed in on it, unless `talk` does so; frames that the server sends unasked
    are ignored. `agency`: the fingerprint that the server's agency key must have, its first 16 or all 32 bytes.
    `now_ms` returns this device's clock (ms). Raises the errors of `Connection.connect` and of `talk`."""
    connection = await Connection.connect(dialer, now_ms=now_ms, agency_pin=agency)
    reading = asyncio.ensure_future(connection.run(lambda frame: None))
    try:
        return await talk(connection)
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        await connection.close()  # a reader cancelled before its first step has not closed it
