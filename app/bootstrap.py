# SPDX-License-Identifier: EUPL-1.2
"""From a profile to a Session: first start, unlocking, and nothing else joins the parts."""

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from app.core import clock, log, machine
from app.core.files import write_atomic
from app.core.i18n import tr
from app.devices.joining import Met, met
from app.errors import BadAddress, BugError, NoSlot, NotEnrolled, NotRevoked, ReturnWaits
from app.kinds import KINDS
from app.personal.service import DEVICE_NAME
from app.profile import Profile
from app.returning import FINAL, Back, Returning, back
from app.session import LinkState, Session
from app.settings import CA_FILE, SERVER, Settings, machine_policy
from app.store.keyring_slot import usable
from app.store.keyslots import KeySlots, SlotKind, StoreKeys, new_key, raw_key_from_env
from app.store.opening import create_store, open_store
from app.store.store import Store
from app.unlocking import KeyChange, Unlocking
from sync.client.account import Account
from sync.client.devices import REVOKED
from sync.client.enrolment import FIRST_ENTRIES, Enrolled, Enrolment, register
from sync.client.pairing import Guest, Joined
from sync.client.recovery import Attempt, Recovery, Waiting
from sync.client.transport import AddressError, ServerAddress, WebSocketDialer
from sync.errors import Refused, Reject
from sync.protocol.messages import ErrorCode

Progress = Callable[[str, int, int], None]
"""What is being done, steps done, steps in all."""
Fill = Callable[[Store, bytes], Awaitable[None]]
"""Puts the account into a new store, whose key it is told."""

_KEYRING = SlotKind.KEYRING.value
_SPENT = {
    ErrorCode.CODE_UNKNOWN,
    ErrorCode.CODE_USED,
    ErrorCode.CODE_EXPIRED,
    ErrorCode.INVALID,
    ErrorCode.OVERSIZE,
}
"""The server's final no to an enrolment. After anything else it may have bound the account, answer or not."""
_PROJECTORS = {kind.id: kind for kind in KINDS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Whom a sign-in code binds, as the agency certified it."""

    name: str
    title: str
    unit: str
    agency: str
    server: str


class Chosen(Protocol):
    """What `look_up` gave, as the person confirmed it."""

    @property
    def server(self) -> str: ...


@dataclass(frozen=True, slots=True)
class _Unfinished:
    """An account that is made and kept, and that the server may or may not have bound."""

    code: str
    found: Found
    key: bytes = field(repr=False)
    account: Account
    entries: list[tuple[bytes, bytes]]


class Office:
    """The program before (and between) sessions: one profile, locked for this process."""

    def __init__(self, profile: Profile, *, insecure_loopback: bool = False) -> None:
        self.profile = profile
        self.settings = Settings(profile.settings_path, machine_policy())
        self.slots = KeySlots(profile.slots_folder, profile.id, allowed=_allowed(self.settings))
        self.unlocking = Unlocking(profile, self.settings, self.slots)
        self._insecure_loopback = insecure_loopback
        self._code = ""
        self._looked_up: Found | None = None
        self._unfinished: _Unfinished | None = None
        self._guest: Guest | None = None
        self._returning: Returning | None = None

    @property
    def is_new(self) -> bool:
        """Nobody has enrolled in this profile yet."""
        return self.profile.is_new

    @property
    def is_unfinished(self) -> bool:
        """An enrolment was cut off before the server confirmed the account: `resume` it, or `begin_anew`."""
        return not self.is_new and self.profile.enrolling_path.exists()

    def kinds(self) -> list[SlotKind]:
        """The key slots that can open the store."""
        return self.slots.kinds()

    # -- first start ----------------------------------------------------------------------------------------------

    def keyring_available(self) -> bool:
        """Whether this computer has a key store that policy allows."""
        return _KEYRING in self.settings.unlock_kinds() and usable()

    async def look_up(self, server: str, code: str) -> Found:
        """Asks the server what the code binds. BadAddress, and the world's errors of sync."""
        if self._unfinished is not None and self._unfinished.code == code:
            return self._unfinished.found  # the server may have taken it as used: by us
        invitation = await Enrolment(self._dialer(server), code, clock.now_ms).look()
        record = invitation.record
        self._code = code
        self._looked_up = Found(
            name=record["name"],
            title=record.get("title", ""),
            unit=record.get("unit", ""),
            agency=tr("Agency key {fingerprint}").format(fingerprint=invitation.agency[:8].hex(" ", 2)),
            server=server,
        )
        return self._looked_up

    async def enrol(self, found: Chosen, passphrase: str | None, progress: Progress) -> Session:
        """Makes the encrypted store and the account, and registers it.

        `passphrase` None keeps the key in the computer's key store. ▲ The account is kept before the server hears of
        it. If the answer does not come, it stays: `enrol` again finishes it, and so does the next start. Nothing stays
        behind if it failed before, or if the server will never take it.
        """
        if self._unfinished is not None and self._unfinished.code != self._code:
            self._start_over()
        progress(tr("Making the encrypted store"), 0, 3)
        try:
            if self._unfinished is None:
                await self._make(found, passphrase, progress)
            else:
                await self._finish(self._unfinished, found, passphrase, progress)
        except BaseException as e:
            if self._unfinished is None or (isinstance(e, Refused) and e.code in _SPENT):
                self._start_over()
            raise
        done, self._unfinished = self._unfinished, None
        assert done is not None  # noqa: S101 - `keep` was called, or `accept` would have raised
        self._confirmed()
        progress(tr("Finished"), 3, 3)
        return self._open(StoreKeys((done.key,)))

    async def _make(self, found: Chosen, passphrase: str | None, progress: Progress) -> None:
        async def fill(store: Store, key: bytes) -> None:
            progress(tr("Making your keys"), 1, 3)

            def keep(enrolled: Enrolled) -> None:
                account = enrolled.account
                with store.transaction():
                    _keep_account(store, account, enrolled.entries, enrolled.record)
                self.settings.set(SERVER, found.server)
                known = self._looked_up or Found(name="", title="", unit="", agency="", server=found.server)
                self._unfinished = _Unfinished(self._code, known, key, account, enrolled.entries)
                progress(tr("Registering with the server"), 2, 3)

            await Enrolment(self._dialer(found.server), self._code, clock.now_ms).accept(keep)

        await self._make_store(passphrase, fill)

    async def _make_store(self, passphrase: str | None, fill: Fill) -> bytes:
        """A new store with its one slot, filled while it is open; its key. The mark of an enrolment is left."""
        if not self.is_new and not self.is_unfinished:
            raise BugError("there is an account here")
        self._start_over()
        write_atomic(self.profile.enrolling_path, b"")
        key = new_key()
        store = create_store(self.profile, key, _PROJECTORS)
        try:
            await asyncio.to_thread(self._add_slot, key, passphrase)
            await fill(store, key)
        finally:
            store.close()
        return key

    async def _finish(self, made: _Unfinished, found: Chosen, passphrase: str | None, progress: Progress) -> None:
        """The passphrase may be another than the first time; nothing is in the store yet that an old slot could open
        but the account, and its slot goes."""
        self.slots.forget()
        await asyncio.to_thread(self._add_slot, made.key, passphrase)
        progress(tr("Registering with the server"), 2, 3)
        await register(self._dialer(found.server), made.account.agency_pk, made.entries, clock.now_ms)

    def _add_slot(self, key: bytes, passphrase: str | None) -> None:
        if passphrase is None:
            self.slots.add_keyring(key)
        else:
            self.slots.add_passphrase(key, passphrase)

    def _start_over(self) -> None:
        """Removes the store of an account that never came to be; the mark last, so that a cut leaves it told."""
        self._unfinished = None
        for path in self.profile.db_path.parent.glob(f"{self.profile.db_path.name}*"):
            path.unlink(missing_ok=True)
        self.slots.forget()
        shutil.rmtree(self.profile.blobs_folder, ignore_errors=True)
        self.profile.enrolling_path.unlink(missing_ok=True)

    def _confirmed(self) -> None:
        """The server has the account: from now on nothing removes it."""
        self.profile.enrolling_path.unlink(missing_ok=True)

    # -- an enrolment that was cut off ----------------------------------------------------------------------------

    async def resume(self, passphrase: str) -> Session:
        """Finishes an enrolment that a former run of the program began.

        The errors of `unlock`; NotEnrolled if no keys were kept; Refused("code-…") if the server never took the account
        and will not any more; ReturnWaits while the other devices may object to a return by the recovery sheet; the
        world's errors of sync, after which one may try again.
        """
        return await self._resume(await asyncio.to_thread(self.slots.unlock_passphrase, passphrase))

    async def resume_by_keyring(self) -> Session:
        """As `resume`, with the computer's key store."""
        return await self._resume(await asyncio.to_thread(self.slots.unlock_keyring))

    async def _resume(self, keys: StoreKeys) -> Session:
        store = open_store(self.profile, self.slots, keys, _PROJECTORS)
        try:
            attempt, kept = store.account.attempt(), store.load_account()
            if attempt is not None:
                await self._ask_back(store, attempt)
            elif kept is None:
                raise NotEnrolled()
            else:
                account = Account.decode(kept)
                entries = store.user_log(account.uid)
                if len(entries) == FIRST_ENTRIES:  # a device that was let in by another is in the log already
                    await register(self._dialer(self.settings.get(SERVER)), account.agency_pk, entries, clock.now_ms)
        finally:
            store.close()
        self._confirmed()
        return self._open(keys)

    # -- back by the recovery sheet -------------------------------------------------------------------------------

    async def look_back(self, server: str, code: str, sheet: str) -> Back:
        """Whose sheet it is. Reject "code" or "sheet-code" for a mistyped one, "sheet" and "record" for a false answer;
        Refused "sheet-unknown", "other-person", "code-…"; BadAddress, and the world's errors of sync."""
        attempt = Attempt.begin(code, sheet)
        found = await Recovery(self._dialer(server), attempt, clock.now_ms).look()
        if self._returning is None or not self._returning.same(attempt):
            self._returning = Returning(attempt)
        return back(found, server)

    async def come_back(self, found: Back, passphrase: str | None, progress: Progress, *, revoke: bool) -> Session:
        """Makes the store and the account on this device. ReturnWaits if the other devices have a day to object: then
        `ask_again`, or `resume` after the next start. Refused "vetoed" and the errors of `look_back`.

        `revoke`: the other devices go in the same breath. ▲ What is needed is kept before the server hears of it.
        """
        returning = self._returning
        if returning is None:
            raise BugError("nobody was looked up")
        progress(tr("Making the encrypted store"), 0, 2)
        if returning.key is None:
            self._returning = returning = returning.with_choice(revoke=revoke)
            attempt = returning.attempt.encode()

            async def fill(store: Store, _key: bytes) -> None:
                store.account.keep_attempt(attempt)
                self.settings.set(SERVER, found.server)

            returning.key = await self._make_store(passphrase, fill)
        progress(tr("Asking the server"), 1, 2)
        session = await self.ask_again()
        progress(tr("Finished"), 2, 2)
        return session

    async def ask_again(self) -> Session:
        """Goes on after ReturnWaits, or after a line that was cut, in the same run of the program."""
        returning = self._returning
        if returning is None or returning.key is None:
            raise BugError("nobody asked")
        try:
            session = await self._resume(StoreKeys((returning.key,)))
        except (Refused, Reject) as e:
            if e.code in FINAL:
                self._start_over()
                returning.key = None
            raise
        self._returning = None
        return session

    async def _ask_back(self, store: Store, attempt: bytes) -> None:
        """Asks with a kept attempt, and keeps the account. ReturnWaits."""
        answer = await Recovery(self._dialer(self.settings.get(SERVER)), Attempt.decode(attempt), clock.now_ms).ask()
        if isinstance(answer, Waiting):
            raise ReturnWaits(answer.ready_ms)
        with store.transaction():
            _keep_account(store, answer.account, answer.entries, answer.record)
            store.account.keep_attempt(None)

    def begin_anew(self) -> None:
        """Removes what an unfinished enrolment left, and nothing else: a finished account is never removed."""
        if not self.is_unfinished:
            raise BugError("only an unfinished enrolment can be begun anew")
        self._start_over()
        log.store.info("begun-anew")

    # -- another device of the same person ------------------------------------------------------------------------

    async def meet(self, server: str, name: str, *, code: str = "", number: str = "") -> Met:
        """Goes to the device that has the account, by its code or its number; `name` is what this one is to be called.

        BadAddress; Reject "code" for a mistyped code and "enrol" for a wrong one, or for somebody in between;
        Refused "code-unknown", "code-used", "pairing"; the world's errors of sync.
        """
        await self.part()
        self._guest = guest = Guest(
            dialer=self._dialer(server), name=name, system=machine.system(), now_ms=clock.now_ms
        )
        old = await guest.meet(code=code, number=number)
        return met(old, server=server, device=name, digits=guest.digits)

    async def part(self) -> None:
        """Ends the meeting, if any."""
        guest, self._guest = self._guest, None
        if guest is not None:
            await guest.close()

    async def join(self, chosen: Met, passphrase: str | None, progress: Progress) -> Session:
        """Makes the store, waits for the other device's yes, and opens the account here. `passphrase` as in `enrol`.

        As `Guest.finish`, after which nothing stays behind. If only the line was lost after the yes, again: `join`.
        """
        guest = self._guest
        if guest is None:
            raise BugError("nobody was met")

        async def fill(store: Store, _key: bytes) -> None:
            progress(tr("Waiting for the answer on your other device"), 1, 3)

            def keep(joined: Joined) -> None:
                self.settings.set(SERVER, chosen.server)
                with store.transaction():
                    _keep_account(store, joined.account, joined.entries, joined.record)
                    store.notes.set(DEVICE_NAME, chosen.device)

            await guest.finish(keep)

        progress(tr("Making the encrypted store"), 0, 3)
        try:
            key = await self._make_store(passphrase, fill)
        except BaseException:
            self._start_over()
            raise
        self._guest = None
        self._confirmed()
        progress(tr("Finished"), 3, 3)
        return self._open(StoreKeys((key,)))

    async def erase(self, session: Session) -> None:
        """▲ Removes everything of an account whose own log, verified here, revokes this device; NotRevoked for
        any other reason. The session is closed; the profile is new afterwards."""
        if session.devices.ended != REVOKED:
            raise NotRevoked
        await session.close()
        self._start_over()
        log.store.warning("erased")

    # -- unlocking ------------------------------------------------------------------------------------------------

    async def unlock(self, passphrase: str) -> Session:
        """WrongPassphrase, StoreCorrupt, StoreNewer, …"""
        return self._open(await asyncio.to_thread(self.slots.unlock_passphrase, passphrase))

    async def unlock_keyring(self) -> Session:
        """KeyringLocked, NoKeyring, NoSlot, StoreCorrupt, …"""
        return self._open(await asyncio.to_thread(self.slots.unlock_keyring))

    async def rekey(self, change: KeyChange) -> Session:
        """Changes or removes a slot, after the former session was closed, and opens a new one. As `Unlocking.rekey`."""
        return self._open(await asyncio.to_thread(self.unlocking.rekey, change))

    def unlock_raw(self) -> Session | None:
        """By the raw key in the environment (benches, tests, the demo), or None if there is none."""
        keys = raw_key_from_env()
        return self._open(keys) if keys is not None else None

    def _open(self, keys: StoreKeys) -> Session:
        return self._session(open_store(self.profile, self.slots, keys, _PROJECTORS))

    def _session(self, store: Store) -> Session:
        server = self.settings.get(SERVER)
        if not server:
            store.close()
            raise NoSlot()
        session = Session(self.profile, self.settings, store, self._dialer(server))
        if self.is_unfinished:
            session.status_changed.connect(lambda: self._confirmed() if _is_in(session) else None)
        session.start()
        log.store.info("session-open")
        return session

    def _dialer(self, server: str) -> WebSocketDialer:
        try:
            address = ServerAddress.parse(server, insecure_loopback=self._insecure_loopback)
        except AddressError as e:
            raise BadAddress() from e
        ca = self.settings.get(CA_FILE)
        return WebSocketDialer(address, Path(ca) if ca else None)


def _keep_account(
    store: Store, account: Account, entries: list[tuple[bytes, bytes]], record: Mapping[str, str]
) -> None:
    """Within the caller's transaction."""
    store.set_me(account.uid)
    store.save_account(account.encode())
    store.append_user_log(account.uid, 0, entries)
    store.put_person(account.uid, record)


def _is_in(session: Session) -> bool:
    """Whether the server has let the account in."""
    return session.status.state is LinkState.ONLINE


def _allowed(settings: Settings) -> frozenset[SlotKind]:
    return frozenset(SlotKind(kind) for kind in settings.unlock_kinds())
