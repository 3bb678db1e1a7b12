# SPDX-License-Identifier: EUPL-1.2
"""Enrols a person at the first start: looks up whom an activation code binds, then makes and registers the account."""

import asyncio
from dataclasses import dataclass, field
from typing import Protocol

from app.arrival.place import Place, Progress, keep_account
from app.core import clock
from app.core.i18n import tr
from app.people.person import shown
from app.session import Session
from app.settings import SERVER
from app.store.keyslots import StoreKeys
from app.store.store import Store
from sync.client.account.account_secrets import Account
from sync.client.account.enrolment import Enrolled, Enrolment, register
from sync.errors import Refused
from sync.protocol.messages import ErrorCode
from sync.trust.person.agency import CODE_LETTERS
from sync.trust.person.recovery_sheet import CODE_LETTERS as SHARE_LETTERS

CODE_GROUPS = CODE_LETTERS // 4
"""How many groups of four letters an activation code has."""
SHARE_GROUPS = SHARE_LETTERS // 4
"""How many groups of four letters its second line has, which a person with a recovery sheet gets."""
_SPENT = {
    ErrorCode.CODE_UNKNOWN,
    ErrorCode.CODE_USED,
    ErrorCode.CODE_EXPIRED,
    ErrorCode.CODE_WITHDRAWN,
    ErrorCode.INVALID,
    ErrorCode.OVERSIZE,
}
"""The server's final refusals of an enrolment. After any other error the server may have bound the account, whether it
answered or not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LookupResult:
    """The person for whom the agency made an activation code, as it certified them. `agency`: the agency's key as a
    text to compare."""

    name: str
    title: str
    unit: str
    agency: str
    server: str
    here: bool = False
    """The person has an account already: enrolling makes a second one and uses the code up."""


class Chosen(Protocol):
    """What `enrol` needs of an activation code that was looked up, once the person has confirmed whose it is: the
    server to use."""

    @property
    def server(self) -> str: ...


@dataclass(frozen=True, slots=True)
class _Unfinished:
    """An account that was made on this device and that the server may or may not have registered. `code`: the
    activation code; `key`: the store's key; `entries`: the beginning of the person's log."""

    code: str
    found: LookupResult
    key: bytes = field(repr=False)
    account: Account
    entries: list[tuple[bytes, bytes]]


class Enrolling:
    """Makes an account with an activation code. Call `look_up`, then `enrol`. Both may be tried again."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._code = ""
        self._looked_up: LookupResult | None = None
        self._unfinished: _Unfinished | None = None
        self._is_registered = False
        """Whether the server has registered the unfinished account; it is not open yet."""
        place.cleared.connect(self._forget)

    async def look_up(self, server: str, code: str) -> LookupResult:
        """Asks the server at the address `server` for whom the activation code `code` was made. For the code of an
        enrolment that is unfinished here it returns the earlier answer instead: the server may hold that code as used
        by it. Raises Reject "code" or "share-code" for a mistyped code; Refused "code-unknown", "code-used",
        "code-expired" or "code-withdrawn"; WrongAgency if the code is not of this server's agency; BadAddress,
        ServerNotAllowed, BadCaFile, and other SyncErrors such as Unreachable."""
        if self._unfinished is not None and self._unfinished.code == code:
            self._code, self._looked_up = code, self._unfinished.found
            return self._unfinished.found  # the server may hold it as used: by us
        invitation = await Enrolment(self._place.dialer(server), code, clock.now_ms).look()
        record = invitation.record
        self._code = code
        self._looked_up = LookupResult(
            name=shown(record, "name"),
            title=shown(record, "title"),
            unit=shown(record, "unit"),
            agency=tr("Agency key {fingerprint}").format(fingerprint=invitation.agency[:8].hex(" ", 2)),
            server=server,
            here=invitation.here,
        )
        return self._looked_up

    async def enrol(self, found: Chosen, passphrase: str | None, progress: Progress) -> Session:
        """Makes the encrypted store and the account, and registers the account at the server. `found`: what `look_up`
        returned. `passphrase`: what unlocks the store; None for the computer's key store. `progress` is called at each
        step with (what is being done, for the screen; steps done; steps in all). Anything else that is unfinished in
        the profile is removed first: an account of another code or of an earlier run, a recovery. Raises
        WeakPassphrase, SlotForbidden, NoKeyring, KeyringLocked, StoreFault; Refused "code-…" and other SyncErrors such
        as Unreachable; BadAddress, ServerNotAllowed, BadCaFile; BugError if the profile has a finished account.

        ▲ The account is kept before the server receives it. If no answer is received, the account stays: `enrol` again
        finishes it in the same run of the program, and `resume` after the next start. If the enrolment failed before
        that, or if the server will never take it, nothing is left behind. If the server has answered and only the
        opening failed, `enrol` again opens the account, which `passphrase` then unlocks.
        """
        made = self._unfinished
        if made is not None and made.code == self._code and self._is_registered:
            await asyncio.to_thread(self._place.slots.only, made.key, passphrase)
        else:
            made = await self._register(found, passphrase, progress)
        self._is_registered = True
        self._place.confirm()
        progress(tr("Finished"), 3, 3)
        session = await self._place.open(StoreKeys((made.key,)))
        self._forget()
        return session

    async def _register(self, found: Chosen, passphrase: str | None, progress: Progress) -> _Unfinished:
        """Makes the store and the account, or takes those that an earlier call made with the same code, and registers
        the account. Returns it. Raises what `enrol` raises."""
        self._place.check_free()
        if self._unfinished is not None and self._unfinished.code != self._code:
            self._place.clear()
        progress(tr("Making the encrypted store"), 0, 3)
        try:
            if self._unfinished is None:
                await self._make(found, passphrase, progress)
            else:
                await self._finish(self._unfinished, found, passphrase, progress)
        except BaseException as e:
            if self._unfinished is None or (isinstance(e, Refused) and e.code in _SPENT):
                self._place.clear_after_error()
            raise
        assert self._unfinished is not None  # noqa: S101 - `keep` was called, or `accept` would have raised
        return self._unfinished

    async def _make(self, found: Chosen, passphrase: str | None, progress: Progress) -> None:
        """Makes the store, protected by `passphrase` (None: by the computer's key store), and the account, and
        registers it. ▲ Uses the code that was looked up when this began, even if another one is looked up meanwhile.
        Raises WeakPassphrase, SlotForbidden, NoKeyring, KeyringLocked, StoreFault, BadAddress, ServerNotAllowed,
        BadCaFile, Refused "code-…" and other SyncErrors."""
        code = self._code
        known = self._looked_up or LookupResult(name="", title="", unit="", agency="", server=found.server)

        async def fill(store: Store, key: bytes) -> None:
            progress(tr("Making your keys"), 1, 3)

            def keep(enrolled: Enrolled) -> None:
                account = enrolled.account
                with store.transaction():
                    keep_account(store, enrolled)
                self._place.settings.set(SERVER, found.server)
                self._unfinished = _Unfinished(code, known, key, account, enrolled.entries)
                progress(tr("Registering with the server"), 2, 3)

            await Enrolment(self._place.dialer(found.server), code, clock.now_ms).accept(keep)

        await self._place.make(passphrase, fill)

    async def _finish(self, made: _Unfinished, found: Chosen, passphrase: str | None, progress: Progress) -> None:
        """Registers the account `made`, which an earlier call made, at the server that `found` names. `passphrase`
        protects the store (None: the computer's key store does) and may differ from the first time: nothing but that
        account is in the store yet. ▲ The store's old key slot (its key under the former passphrase or the key store)
        is removed only once the new one is written: the server may have registered the account, and without a slot it
        would be lost. Raises WeakPassphrase, SlotForbidden, NoKeyring, KeyringLocked, StoreFault, BadAddress,
        ServerNotAllowed, BadCaFile, Refused "code-…" and other SyncErrors."""
        await asyncio.to_thread(self._place.slots.only, made.key, passphrase)
        progress(tr("Registering with the server"), 2, 3)
        await register(self._place.dialer(found.server), made.account.agency_pk, made.entries, clock.now_ms)

    def _forget(self) -> None:
        self._unfinished, self._is_registered = None, False
