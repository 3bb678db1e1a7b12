# SPDX-License-Identifier: EUPL-1.2
"""From a profile to a Session: first start, unlocking, and nothing else joins the parts."""

import asyncio
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from app.core import clock, log
from app.core.i18n import tr
from app.errors import NoSlot
from app.kinds import KINDS
from app.profile import Profile
from app.session import Session
from app.settings import CA_FILE, SERVER, Settings, machine_policy
from app.store.keyring_slot import usable
from app.store.keyslots import KeySlots, SlotKind, StoreKeys, new_key, raw_key_from_env
from app.store.opening import create_store, open_store
from app.store.store import Store
from sync.client.enrolment import Enrolled, Enrolment
from sync.client.transport import AddressError, ServerAddress, WebSocketDialer
from sync.errors import Unreachable

Progress = Callable[[str, int, int], None]
"""What is being done, steps done, steps in all."""

_KEYRING = SlotKind.KEYRING.value
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


class Office:
    """The program before (and between) sessions: one profile, locked for this process."""

    def __init__(self, profile: Profile, *, insecure_loopback: bool = False) -> None:
        self.profile = profile
        self.settings = Settings(profile.settings_path, machine_policy())
        self.slots = KeySlots(profile.slots_folder, profile.id, allowed=_allowed(self.settings))
        self._insecure_loopback = insecure_loopback
        self._code = ""

    @property
    def is_new(self) -> bool:
        """Nobody has enrolled in this profile yet."""
        return self.profile.is_new

    def kinds(self) -> list[SlotKind]:
        """The key slots that can open the store."""
        return self.slots.kinds()

    # -- first start ----------------------------------------------------------------------------------------------

    def keyring_available(self) -> bool:
        """Whether this computer has a key store that policy allows."""
        return _KEYRING in self.settings.unlock_kinds() and usable()

    async def look_up(self, server: str, code: str) -> Found:
        """Asks the server what the code binds."""
        invitation = await Enrolment(self._dialer(server), code, clock.now_ms).look()
        record = invitation.record
        self._code = code
        return Found(
            name=record["name"],
            title=record.get("title", ""),
            unit=record.get("unit", ""),
            agency=tr("Agency key {fingerprint}").format(fingerprint=invitation.agency[:8].hex(" ", 2)),
            server=server,
        )

    async def enrol(self, found: Chosen, passphrase: str | None, progress: Progress) -> Session:
        """Makes the encrypted store and the account, and registers it. Nothing stays behind if that fails.

        `passphrase` None keeps the key in the computer's key store.
        """
        key = new_key()
        progress(tr("Making the encrypted store"), 0, 3)
        store = create_store(self.profile, key, _PROJECTORS)
        try:
            await asyncio.to_thread(self._add_slot, key, passphrase)
            progress(tr("Making your keys"), 1, 3)
            enrolment = Enrolment(self._dialer(found.server), self._code, clock.now_ms)

            def keep(enrolled: Enrolled) -> None:
                account = enrolled.account
                with store.transaction():
                    store.set_me(account.uid)
                    store.save_account(account.encode())
                    store.append_user_log(account.uid, 0, enrolled.entries)
                    store.put_person(account.uid, enrolled.record)
                progress(tr("Registering with the server"), 2, 3)

            await enrolment.accept(keep)
            self.settings.set(SERVER, found.server)
        except BaseException:
            store.close()
            self._start_over()
            raise
        progress(tr("Finished"), 3, 3)
        return self._session(store)

    def _add_slot(self, key: bytes, passphrase: str | None) -> None:
        if passphrase is None:
            self.slots.add_keyring(key)
        else:
            self.slots.add_passphrase(key, passphrase)

    def _start_over(self) -> None:
        """Removes the store of an account that never came to be."""
        for path in self.profile.db_path.parent.glob(f"{self.profile.db_path.name}*"):
            path.unlink(missing_ok=True)
        shutil.rmtree(self.profile.slots_folder, ignore_errors=True)

    # -- unlocking ------------------------------------------------------------------------------------------------

    async def unlock(self, passphrase: str) -> Session:
        """WrongPassphrase, StoreCorrupt, StoreNewer, …"""
        return self._open(await asyncio.to_thread(self.slots.unlock_passphrase, passphrase))

    async def unlock_keyring(self) -> Session:
        """KeyringLocked, NoKeyring, NoSlot, StoreCorrupt, …"""
        return self._open(await asyncio.to_thread(self.slots.unlock_keyring))

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
        session.start()
        log.store.info("session-open")
        return session

    def _dialer(self, server: str) -> WebSocketDialer:
        try:
            address = ServerAddress.parse(server, insecure_loopback=self._insecure_loopback)
        except AddressError as e:
            raise Unreachable("address") from e
        ca = self.settings.get(CA_FILE)
        return WebSocketDialer(address, Path(ca) if ca else None)


def _allowed(settings: Settings) -> frozenset[SlotKind]:
    return frozenset(SlotKind(kind) for kind in settings.unlock_kinds())
