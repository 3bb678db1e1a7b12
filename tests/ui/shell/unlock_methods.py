# SPDX-License-Identifier: EUPL-1.2
"""Real unlock methods of a profile, with a key store in memory in the place of the computer's. The profile has no
store, so nothing can change its key."""

from collections.abc import Collection
from pathlib import Path

import keyring
import pytest

from app.card.reader import CardReader
from app.lock_settings import ALLOW_CARD
from app.profile import Profile
from app.settings import ALLOW_KEYRING, ALLOW_PASSPHRASE, Settings
from app.store.keyslots import KeySlots, new_key
from app.unlocking import SlotKind, Unlocking
from tests.memory_keyring import MemoryKeyring
from tests.soft_card import PIN

PASSPHRASE = "blå häst går hem"
BOTH = (SlotKind.PASSPHRASE, SlotKind.KEYRING)
_ALLOWED_BY = {SlotKind.KEYRING: ALLOW_KEYRING, SlotKind.PASSPHRASE: ALLOW_PASSPHRASE, SlotKind.CARD: ALLOW_CARD}


class UnlockMethods:
    """The methods of a new profile in `folder`, none at first."""

    def __init__(self, folder: Path, card: CardReader | None = None) -> None:
        """`card`: a reader with a card in it."""
        self._profile = Profile.open("unlocked", folder)
        self._profile.close()  # its lock is not needed: nothing opens its store
        self._settings = Settings(self._profile.settings_path)
        self._slots = KeySlots(self._profile.slots_folder, self._profile.id, keyring=MemoryKeyring(), card=card)
        self._key = new_key()
        self.unlocking = Unlocking(self._profile, self._settings, self._slots)

    def add(self, kind: SlotKind) -> None:
        """Adds a method, in the place of one that a former process left. The passphrase takes 50 ms."""
        self.remove(kind)
        if kind is SlotKind.PASSPHRASE:
            self._slots.add_passphrase(self._key, PASSPHRASE)
        elif kind is SlotKind.CARD:
            (token,) = self._slots.card.list_tokens()
            self._slots.add_card(self._key, token, PIN)
        else:
            self._slots.add_keyring(self._key)

    def remove(self, kind: SlotKind) -> None:
        """Removes a method as another process would. Does nothing if it is not there."""
        (self._profile.slots_folder / f"{kind}.slot").unlink(missing_ok=True)

    def forbid(self, kind: SlotKind | None) -> None:
        """Has policy forbid this method, and no other."""
        self._settings.renew({_ALLOWED_BY[kind].key: False} if kind is not None else {}, {})
        self._slots.allow(self._settings.unlock_kinds())


def unlock_methods(
    folder: Path,
    there: Collection[SlotKind] = BOTH,
    *,
    forbidden: SlotKind | None = None,
    card: CardReader | None = None,
) -> Unlocking:
    """The methods `there`, and what policy has forbidden since."""
    made = UnlockMethods(folder, card)
    for kind in there:
        made.add(kind)
    made.forbid(forbidden)
    return made.unlocking


def has_key_store(monkeypatch: pytest.MonkeyPatch) -> None:
    """The computer has a key store, in which nothing is kept."""
    monkeypatch.setattr(keyring, "get_keyring", MemoryKeyring)
