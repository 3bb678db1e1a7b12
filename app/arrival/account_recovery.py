# SPDX-License-Identifier: EUPL-1.2
"""Recovers an account with the recovery sheet: looks up whose recovery sheet it is, then makes the account on this
device, perhaps after a day of waiting."""

import asyncio
from dataclasses import dataclass, field, replace

from app.arrival.place import Place, Progress
from app.arrival.resuming import resume
from app.core import clock
from app.core.i18n import tr
from app.errors import BugError
from app.people.person import shown
from app.session import Session
from app.settings import SERVER
from app.store.keyslots import StoreKeys
from app.store.store import Store
from sync.client.account.account_recovery import Attempt, Recovery
from sync.client.account.account_recovery import Returning as FoundAccount
from sync.errors import Refused, Reject
from sync.protocol.messages import ErrorCode
from sync.trust.person.agency import agency_fingerprint

_FINAL = {
    "reset",
    "recovery-sheet",
    "share",
    ErrorCode.RECOVERY_SHEET_UNKNOWN,
    ErrorCode.OTHER_PERSON,
    ErrorCode.CODE_UNKNOWN,
    ErrorCode.CODE_USED,
    ErrorCode.CODE_EXPIRED,
    ErrorCode.CODE_WITHDRAWN,
}
"""Refusals of the server that are final: what was made here is removed. A veto is not among them, since it may turn out
to be void."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryLookup:
    """The person to whom a recovery sheet belongs, as their log and the agency name them. `agency`: the agency's key as
    a text to compare. `others`: how many of the person's devices are still active."""

    name: str
    title: str
    unit: str
    agency: str
    server: str
    others: int


@dataclass(frozen=True, slots=True)
class _RecoveryAttempt:
    """A recovery in progress. `attempt`: the two codes, and what was made for it. `key`: the new store's key, once the
    attempt is kept in that store; None before."""

    attempt: Attempt
    key: bytes | None = field(default=None, repr=False)

    def is_of(self, attempt: Attempt) -> bool:
        """Whether `attempt` was typed with the same two codes."""
        return (self.attempt.code, self.attempt.recovery_sheet) == (attempt.code, attempt.recovery_sheet)


class AccountRecovery:
    """Recovers an account with the recovery sheet. Call `look_up_account`, then `recover`, then `ask_again` while the
    person must wait."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._current: _RecoveryAttempt | None = None
        place.cleared.connect(self._forget_key)

    async def look_up_account(self, server: str, code: str, recovery_sheet: str) -> RecoveryLookup:
        """Asks the server at the address `server` whose recovery sheet it is. `code`: the activation code with its
        second line; `recovery_sheet`: the code on the paper. Raises Reject `"code"`, `"share-code"` or
        `"recovery-sheet-code"` for a mistyped code, `"share-missing"` for a code without its second line, `"share"` for
        the share of another recovery sheet, `"recovery-sheet-format"` for an old recovery sheet, `"recovery-sheet"` and
        `"record"` for a false answer; Refused `"recovery-sheet-unknown"`, `"other-person"` (the activation code is for
        somebody else), `"reset"` (the account has ended), `"code-…"`; BadAddress, ServerNotAllowed, BadCaFile, and
        other SyncErrors such as WrongAgency and Unreachable."""
        attempt = Attempt.begin(code, recovery_sheet)
        found = await Recovery(self._place.dialer(server), attempt, clock.now_ms).look()
        if self._current is None or not self._current.is_of(attempt):
            self._current = _RecoveryAttempt(attempt)
        return _lookup_of(found, server)

    async def recover(
        self, found: RecoveryLookup, passphrase: str | None, progress: Progress, *, revoke: bool
    ) -> Session:
        """Makes the store and recovers on this device the account that was looked up last. `found`: what
        `look_up_account` returned for it, of which only the server is used; BugError if that was not called.
        `passphrase`: what unlocks the store; None for the computer's key store. `progress` is called at each step with
        (what is being done, for the screen; steps done; steps in all). Raises ReturnWaits if the other devices have a
        day to object: then call `ask_again`, or `resume` after the next start. Raises Refused "vetoed" if one has
        objected, Refused and Reject with other codes if the codes or the server's answers do not fit, other SyncErrors
        such as Unreachable; WeakPassphrase, SlotForbidden, NoKeyring, KeyringLocked, StoreFault; BadAddress,
        ServerNotAllowed, BadCaFile. After a refusal that is final the store is removed. `revoke`: other devices, at
        most three, the oldest, are revoked in the same step. ▲ What is needed to finish is kept before the server
        receives it. If the method is called several times for the same codes, the last passphrase and the last `revoke`
        count."""
        current = self._current
        if current is None:
            raise BugError("look_up_account was not called")
        progress(tr("Making the encrypted store"), 0, 2)
        attempt = replace(current.attempt, revoke=revoke)
        if current.key is None:

            async def fill(store: Store, _key: bytes) -> None:
                store.account.keep_attempt(attempt.encode())
                self._place.settings.set(SERVER, found.server)

            key = await self._place.make(passphrase, fill)
            self._current = _RecoveryAttempt(attempt, key)
        elif self._place.is_unfinished:
            await asyncio.to_thread(self._place.slots.only, current.key, passphrase)
            self._keep_again(attempt, current.key)
        progress(tr("Asking the server"), 1, 2)
        session = await self.ask_again()
        progress(tr("Finished"), 2, 2)
        return session

    def _keep_again(self, attempt: Attempt, key: bytes) -> None:
        store = self._place.open_store(StoreKeys((key,)))
        try:
            if store.account.attempt() is not None:  # otherwise the account is here already
                store.account.keep_attempt(attempt.encode())
        finally:
            store.close()
        self._current = _RecoveryAttempt(attempt, key)

    async def ask_again(self) -> Session:
        """Asks the server again whether the recovery can be finished, after ReturnWaits or a lost connection, in the
        same run of the program. Raises ReturnWaits while it cannot, Refused "vetoed" if another device of the person
        said no, and SyncErrors such as Unreachable. After a refusal that is final the store is removed; a veto is not
        final, since it may turn out later to count for nothing. BugError before `recover`."""
        current = self._current
        if current is None or current.key is None:
            raise BugError("recover was not called")
        try:
            session = await resume(self._place, StoreKeys((current.key,)))
        except (Refused, Reject) as e:
            if e.code in _FINAL:
                self._place.clear_after_error()
            raise
        self._current = None
        return session

    def _forget_key(self) -> None:
        if self._current is not None:
            self._current = _RecoveryAttempt(self._current.attempt)


def _lookup_of(found: FoundAccount, server: str) -> RecoveryLookup:
    fingerprint = agency_fingerprint(found.agency)[:8].hex(" ", 2)
    return RecoveryLookup(
        name=shown(found.record, "name"),
        title=shown(found.record, "title"),
        unit=shown(found.record, "unit"),
        agency=tr("Agency key {fingerprint}").format(fingerprint=fingerprint),
        server=server,
        others=len(found.others),
    )
