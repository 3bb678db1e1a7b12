# SPDX-License-Identifier: EUPL-1.2
"""The ways of unlocking a profile's store: which there are, another one, another passphrase, one fewer.

Adding one leaves the database's key as it is. Changing or removing one gives the database a new key, for which the
store must be closed: `rekey` belongs to a thread, between two sessions.
"""

import asyncio
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from app.errors import BugError
from app.passphrases import PassphraseRules
from app.profile import Profile
from app.settings import Settings
from app.store.database import Database
from app.store.keyring_slot import usable
from app.store.keyslots import KeySlots, SlotKind, StoreKeys

__all__ = ["KeyChange", "SlotKind", "Unlocking"]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyChange:
    """What is to become of the slots. `current` is the passphrase as it is; `new` its successor, or `remove` a slot."""

    current: str = field(repr=False)
    new: str | None = field(default=None, repr=False)
    remove: SlotKind | None = None


class Unlocking:
    """The slots of one profile, as settings show them. Argon2 and the key store are waited for in threads."""

    def __init__(self, profile: Profile, settings: Settings, slots: KeySlots) -> None:
        self._profile, self._settings, self._slots = profile, settings, slots
        self._changing = threading.Lock()
        """▲ One change of keys at a time: another would put slots of its own key in the place of the first one's."""

    def kinds(self) -> Sequence[SlotKind]:
        """The slots that there are and that may be used."""
        return self._slots.kinds()

    def allowed(self, kind: str) -> bool:
        """Whether the machine's policy lets it be used: a SlotKind or its value."""
        return str(kind) in self._settings.unlock_kinds()

    def passphrase_rules(self) -> PassphraseRules:
        """What a new passphrase must be."""
        return self._slots.rules

    def keyring_available(self) -> bool:
        """Whether this computer has a key store."""
        return usable()

    async def check(self, passphrase: str) -> None:
        """WrongPassphrase if it is not the one."""
        await asyncio.to_thread(self._slots.unlock_passphrase, passphrase)

    async def add_keyring(self, passphrase: str) -> None:
        """One more way in: the computer's key store. WrongPassphrase, NoKeyring, KeyringLocked, SlotForbidden."""
        keys = await asyncio.to_thread(self._slots.unlock_passphrase, passphrase)
        await asyncio.to_thread(self._slots.add_keyring, _only(keys))

    async def add_passphrase(self, new: str) -> None:
        """One more way in: a passphrase. KeyringLocked, NoKeyring, WeakPassphrase, SlotForbidden."""
        keys = await asyncio.to_thread(self._slots.unlock_keyring)
        await asyncio.to_thread(self._slots.add_passphrase, _only(keys), new)

    @property
    def forbidden(self) -> SlotKind | None:
        """The only way in, if policy has forbidden it since: it opens until it is replaced."""
        return None if self._slots.changing else self._slots.forbidden

    def replace(self, current: str | None, new: str | None) -> StoreKeys:
        """Another way instead of `forbidden`: `current` is the passphrase if that was it, `new` one if that is to be.
        In a thread, while no session is open.

        WrongPassphrase, WeakPassphrase, KeyringLocked, NoKeyring, StoreFault: nothing is changed then.
        """
        with self._changing:
            return self._replace(current, new)

    def _replace(self, current: str | None, new: str | None) -> StoreKeys:
        unlock = self._slots.unlock_keyring if current is None else partial(self._slots.unlock_passphrase, current)
        db = Database.open(self._profile.db_path, _only(unlock()))
        try:
            return self._slots.replace(db, new)
        finally:
            db.close()

    def rekey(self, change: KeyChange) -> StoreKeys:
        """Does the change and gives the keys that open the store from now on. In a thread, while no session is open.

        WrongPassphrase, LastSlot, KeyringLocked, StoreFault: nothing is changed then. 1 s for 100 MB.
        """
        with self._changing:
            return self._rekey(change)

    def _rekey(self, change: KeyChange) -> StoreKeys:
        db = Database.open(self._profile.db_path, _only(self._slots.unlock_passphrase(change.current)))
        try:
            if change.remove is None:
                return self._slots.change_passphrase(db, change.current, change.new or "")
            return self._slots.remove(db, change.remove, passphrase=change.current)
        finally:
            db.close()


def _only(keys: StoreKeys) -> bytes:
    """The key of a store that is open or was: no change of keys is half done."""
    if len(keys.keys) != 1:
        raise BugError("a change of keys is half done")
    return keys.keys[0]
