# SPDX-License-Identifier: EUPL-1.2
"""The profile in which an account is made: its new store, and the mark that something in it is unfinished."""

import asyncio
import contextlib
import shutil
from collections.abc import Awaitable, Callable, Iterator, Sequence

from app.arrival.egress import Routes, egress_of
from app.copies.place import working_folder
from app.core import clock, log
from app.core.enums import LinkState
from app.core.files import sync_folder, write_atomic
from app.core.signal import Signal
from app.devices.contact import LAST_CONTACT
from app.errors import BadCaFile, BugError, ServerNotAllowed, StoreFault, disk_fault
from app.kinds import kinds_of
from app.own.opening import check_ahead
from app.profile import Profile
from app.scopes import Scopes
from app.session import Session
from app.setting import entries, host_port
from app.settings import SERVER, SERVERS, Settings
from app.store.keyring_slot import usable
from app.store.keyslots import KeySlots, SlotKind, StoreKeys, new_key
from app.store.opening import create_store, open_store
from app.store.store import Store
from app.tool import AnyTool
from app.worker.states import Workers
from sync.client.account.account_recovery import Returned
from sync.client.account.enrolment import Enrolled
from sync.client.devices.device_pairing import Joined
from sync.client.wire.dialled_address import Nowhere
from sync.client.wire.egress import WebSocketDialer
from sync.client.wire.route import Route
from sync.client.wire.transport import Dialer, ServerAddress
from sync.errors import BadAddress

Progress = Callable[[str, int, int], None]
"""(what is being done, steps done, steps in all)."""
Fill = Callable[[Store, bytes], Awaitable[None]]
"""Puts the account into a new store; the second argument is the store's key."""
Dial = Callable[[ServerAddress, Callable[[], Route]], Dialer]
"""Makes what opens connections to one server, by the egress in force."""

_KEYRING = SlotKind.KEYRING.value


class Place:
    """The profile in which an account is made, locked for this process. Enrolment, pairing and recovery share it; at
    most one of them has something unfinished in it."""

    def __init__(
        self,
        profile: Profile,
        settings: Settings,
        slots: KeySlots,
        *,
        insecure_loopback: bool,
        routes: Routes,
        dial: Dial = WebSocketDialer,
        tools: Sequence[AnyTool],
    ) -> None:
        self.profile = profile
        self.settings = settings
        self.slots = slots
        self.cleared: Signal[()] = Signal()
        """Emitted when the store was removed: whatever its listeners kept about the store is invalid."""
        self._insecure_loopback = insecure_loopback
        self._routes = routes
        self._dial = dial
        self._tools = tuple(tools)
        self._kinds = kinds_of(self._tools)

    @property
    def is_new(self) -> bool:
        """Whether nobody has enrolled in this profile yet."""
        return self.profile.is_new

    @property
    def is_unfinished(self) -> bool:
        """Whether an account was made here that the server has not confirmed."""
        return not self.is_new and self.profile.enrolling_path.exists()

    def keyring_available(self) -> bool:
        """Whether this computer has a key store that policy allows."""
        return _KEYRING in self.settings.unlock_kinds() and usable()

    def dialer(self, server: str) -> Dialer:
        """What opens connections to the server at the address `server`, which a person typed. Raises BadAddress;
        ServerNotAllowed if policy names servers and this is none of them; BadCaFile."""
        address = ServerAddress.parse(server, insecure_loopback=self._insecure_loopback)
        servers = entries(self.settings.get(SERVERS))
        if servers and address.name not in map(host_port, servers):
            raise ServerNotAllowed()
        return self._dialer(address)

    def account_dialer(self, store: Store) -> Dialer:
        """What opens connections to the account's server, at the address that the store keeps, or at the profile's if
        the store keeps none. Raises BadCaFile.

        ▲ An address that policy does not allow, or that is invalid, is not refused here: no connection is made to it,
        and the content on this computer opens all the same.
        """
        kept, named = store.account.kept_server(), self.settings.get(SERVER)
        try:
            if kept is None or host_port(named) == kept.address:
                address = ServerAddress.parse(named, insecure_loopback=self._insecure_loopback)
            else:
                address = ServerAddress.parse(kept.address)
        except BadAddress:
            return Nowhere()
        return self._dialer(address)

    def policy_dialers(self) -> list[Dialer]:
        """What opens connections to each of the servers that policy names now, in its order. Leaves out an invalid
        address; [] if policy names none, or if the file with the agency's certificates cannot be read."""
        found = []
        for server in entries(self.settings.get(SERVERS)):
            with contextlib.suppress(BadAddress, BadCaFile):
                found.append(self._dialer(ServerAddress.parse(server)))
        return found

    def _dialer(self, address: ServerAddress) -> Dialer:
        """Makes what opens connections to the server at `address`, through the proxy that the settings ask for. Raises
        BadCaFile."""
        try:
            return self._dial(address, lambda: egress_of(self.settings, self._routes))
        except OSError as e:  # also ssl.SSLError
            raise BadCaFile() from e

    async def make(self, passphrase: str | None, fill: Fill) -> bytes:
        """Makes a new store that one method unlocks, calls `fill` with the open store and its key, and returns the key.
        `passphrase`: what unlocks the store; None for the computer's key store. Removes an unfinished store first;
        BugError if the profile has a finished account. The mark that the account is unfinished stays. Raises
        WeakPassphrase, SlotForbidden, NoKeyring, KeyringLocked, StoreFault and what `fill` raises; the unfinished store
        is left then, for `clear`."""
        self.check_free()
        self.clear()
        with _refusals():
            write_atomic(self.profile.enrolling_path, b"")
        key = new_key()
        store = create_store(self.profile, key, {kind.id: kind for kind in self._kinds})
        try:
            await self.add_slot(key, passphrase)
            await fill(store, key)
        finally:
            store.close()
        return key

    def check_free(self) -> None:
        """▲ Raises BugError if a finished account is in the profile. Call it before each step that clears the profile
        if it fails."""
        if not self.is_new and not self.is_unfinished:
            raise BugError("the profile has a finished account")

    async def add_slot(self, key: bytes, passphrase: str | None) -> None:
        """Adds a key slot to the store, which protects its database key `key`: by `passphrase`, or if that is None by
        the computer's key store. Raises WeakPassphrase, SlotForbidden (policy does not allow the method), NoKeyring,
        KeyringLocked, StoreFault; BugError if there is such a slot already."""
        if passphrase is None:
            await asyncio.to_thread(self.slots.add_keyring, key)
        else:
            await asyncio.to_thread(self.slots.add_passphrase, key, passphrase)

    def clear(self) -> None:
        """Removes the store with all its content, and its key slots; emits `cleared`. Checks nothing: a finished
        account is removed too. The mark that the account is unfinished is removed last, so that after a power cut, or
        where the disk refuses to remove a file (StoreFault), the profile is still known as unfinished."""
        try:
            with _refusals():
                for path in self.profile.db_path.parent.glob(f"{self.profile.db_path.name}*"):
                    path.unlink(missing_ok=True)
            self.slots.forget()
            profile = self.profile
            working = working_folder(profile.folder, profile.id)
            for folder in (profile.blobs_folder, profile.received_folder, profile.kept_folder, working):
                shutil.rmtree(folder, ignore_errors=True)
            self._remove_mark()
        finally:
            self.cleared.emit()

    def clear_after_error(self) -> None:
        """As `clear`, for code that is about to raise an error of its own: a refusal of the disk is only logged. What
        it left is unfinished, and is removed when the next account is made."""
        try:
            self.clear()
        except StoreFault as e:
            log.store.warning("not-cleared", code=e.code)

    def confirm(self) -> None:
        """Removes the mark that the account is unfinished: the server has it, and from now on nothing removes it. A
        refusal of the disk is only logged: a session of an account that is still unfinished confirms it later, each
        time when the server has let it in."""
        try:
            self._remove_mark()
        except StoreFault as e:
            log.store.warning("not-confirmed", code=e.code)

    def _remove_mark(self) -> None:
        with _refusals():
            if self.profile.enrolling_path.exists():
                self.profile.enrolling_path.unlink(missing_ok=True)
                sync_folder(self.profile.folder)  # after a power cut it must not say that the account may go

    def open_store(self, keys: StoreKeys) -> Store:
        """Opens the store with the database keys that an unlock method gave; the caller closes it. Raises StoreMissing,
        StoreCorrupt, StoreOlder, StoreNewer, DiskFull, StoreUnwritable; WrongPassphrase for the old passphrase after a
        change of keys that was interrupted late."""
        workers = Workers()
        return open_store(self.profile, self.slots, keys, workers.states.kinds(self._kinds), workers)

    async def open(self, keys: StoreKeys) -> Session:
        """Opens the account with the database keys that an unlock method gave, and begins to sync. An unfinished
        account counts as finished once the server has let it in. Raises StoreMissing, StoreCorrupt and other
        StoreFaults, WrongPassphrase (the old one after an interrupted change of keys), BadCaFile; nothing is left open
        then."""
        async with Scopes() as scopes:
            store = scopes.enter("store", self.open_store(keys))
            await check_ahead(store)
            dialer = self.account_dialer(store)
            session = Session(scopes, self.profile, self.settings, store, self._tools, dialer, self.policy_dialers)
            if self.is_unfinished:
                session.status_changed.connect(lambda: self._confirm_in(session))
            session.start()
        log.store.info("session-open")
        return session

    def _confirm_in(self, session: Session) -> None:
        if session.status.state is LinkState.ONLINE:
            self.confirm()


@contextlib.contextmanager
def _refusals() -> Iterator[None]:
    """A context that raises DiskFull or StoreUnwritable where the disk refuses to write or remove a file."""
    try:
        yield
    except OSError as e:
        raise disk_fault(e) from e


def keep_account(store: Store, made: Enrolled | Joined | Returned) -> None:
    """Stores a new account (enrolled, paired or recovered) within the caller's transaction. The server has just
    answered, which counts as contact."""
    account = made.account
    store.set_me(account.uid)
    store.save_account(account.encode())
    store.append_user_log(account.uid, 0, made.entries)
    store.put_person(account.uid, made.record, made.salt)
    store.notes.set(LAST_CONTACT, str(clock.now_ms()))
