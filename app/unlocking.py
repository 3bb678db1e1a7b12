# SPDX-License-Identifier: EUPL-1.2
"""The unlock methods of a profile's store: which there are, adding one, changing the passphrase, removing one.

Adding a method leaves the database's key as it is. Changing or removing one gives the database a new key, for which the
store must be closed: `rekey` runs in a thread, between two sessions.
"""

import asyncio
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from app.card.errors import NoCard, WrongCard
from app.card.frames import Key as CardKey
from app.card.frames import Token
from app.core import log
from app.errors import BugError, SlotForbidden, StoreFault
from app.passphrases import PassphraseRules
from app.profile import Profile
from app.settings import Settings
from app.store.database import Database
from app.store.keyring_slot import asks_person, usable
from app.store.keyslots import KeySlots, SlotKind, StoreKeys

__all__ = ["CardKey", "CardPin", "KeyChange", "Proof", "SlotKind", "StoreKeys", "Token", "Unlocking"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class CardPin:
    """The PIN of the smart card that opens the store; None if it is typed at the reader's PIN pad."""

    pin: str | None = field(repr=False)


Proof = str | CardPin | StoreKeys | None
"""What proves that a person may change the unlock methods: the passphrase, the card's PIN, the keys that the card has
just given, or None for the computer's key store."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyChange:
    """A wanted change to the unlock methods. `current` is the passphrase in use, or what the card gave; `new` the
    passphrase that replaces the one in use; `remove` the kind of unlock method to remove. Either `new` or `remove` is
    given; if both are, only `remove` counts. A passphrase that stays is needed as `current`."""

    current: Proof = field(repr=False)
    new: str | None = field(default=None, repr=False)
    remove: SlotKind | None = None


class Unlocking:
    """The unlock methods of one profile, as the settings view shows and changes them. Waits for Argon2 and the key
    store in threads."""

    def __init__(self, profile: Profile, settings: Settings, slots: KeySlots) -> None:
        self._profile, self._settings, self._slots = profile, settings, slots
        self._listed: Sequence[SlotKind] = (SlotKind.PASSPHRASE,)
        """The unlock methods that `kinds` listed last; before that the passphrase."""
        self._changing = threading.Lock()
        """▲ Allows one change of keys at a time: a second one would replace the first one's slots with slots of its own
        key."""

    def kinds(self) -> Sequence[SlotKind]:
        """The unlock methods that exist and may be used. StoreUnwritable if they cannot be listed."""
        found = self._slots.kinds()
        self._listed = found or self._listed
        return found

    def allowed(self, kind: str) -> bool:
        """Whether the machine's policy allows this SlotKind (or its value)."""
        return str(kind) in self._settings.unlock_kinds()

    def passphrase_rules(self) -> PassphraseRules:
        """What policy requires of a new passphrase."""
        return self._slots.rules

    def keyring_available(self) -> bool:
        """Whether this computer has a key store."""
        return usable()

    async def check(self, passphrase: str) -> None:
        """Raises WrongPassphrase if it is not the passphrase; SlotDamaged if its key slot is not the open store's."""
        await asyncio.to_thread(self._proven, passphrase)

    async def check_keyring(self) -> None:
        """Returns once the key store, which asks the person, has returned its secret and the key slot was decrypted
        with it. Raises KeyringLocked, NoKeyring, NoSlot, SlotDamaged; SlotForbidden for a key store that does not ask,
        or if it is no unlock method; StoreUnwritable."""
        if SlotKind.KEYRING not in self.lifting():
            raise SlotForbidden
        await asyncio.to_thread(self._proven, None)

    # -- the smart card (docs/decisions/0033) ---------------------------------------------------------------------

    def card_available(self) -> bool:
        """Whether this computer has a library for smart cards: the one that policy names, or the system's own."""
        return bool(self._slots.card.module)

    async def cards(self) -> Sequence[Token]:
        """The smart cards that are in readers now, without those that need no PIN. Asks nobody for a PIN. Raises
        CardFault. A call that is cancelled ends the process that asks."""
        return await self._with_card(self._slots.card.list_tokens)

    async def card(self) -> Token:
        """The smart card that opens the store, as it is in its reader now. Asks for no PIN. Raises CardFault (WrongCard
        if only other cards are there), NoSlot, SlotForbidden, SlotDamaged, StoreFault."""

        return await self._with_card(lambda: _there(self._slots.card_token(), self._slots.card.list_tokens()))

    async def check_card(self, proof: CardPin) -> None:
        """Returns once the smart card has taken its PIN and given its secret back, and the key slot was decrypted with
        it. Raises CardFault, NoSlot, SlotForbidden, SlotDamaged, StoreFault."""
        await self._with_card(lambda: self._proven(proof))

    async def unlock_card(self, proof: CardPin) -> StoreKeys:
        """The store's keys, by the smart card. Raises as `check_card`."""
        return await self._with_card(lambda: self._slots.unlock_card(proof.pin))

    async def add_card(
        self, proof: Proof, token: Token, pin: str | None, key_id: bytes | None = None
    ) -> Sequence[CardKey]:
        """Adds the smart card `token` as an unlock method, with the card's PIN `pin` (None: the PIN pad) and its key
        `key_id`; with None its only usable key. Returns [] then; if the card has several keys, adds nothing and returns
        them. `proof`: the passphrase, or None if the key store opens the store. Raises WrongPassphrase, CardFault,
        NoKeyring, KeyringLocked, SlotForbidden, NoSlot, SlotDamaged, StoreFault; BugError if there is a card already,
        or while a change of keys is half done."""
        if not self.allowed(SlotKind.CARD):
            raise SlotForbidden  # before the card is asked for its PIN
        keys = await asyncio.to_thread(self._proven, proof)
        return await self._with_card(lambda: self._slots.add_card(_only(keys), token, pin, key_id))

    async def _with_card(self, work: Callable[[], T]) -> T:
        """▲ A call that is cancelled ends the process that has the card. Otherwise a card could be unlocked, or ask for
        its PIN at the PIN pad, for somebody who has left."""
        self._slots.card.allow()
        try:
            return await asyncio.to_thread(work)
        except asyncio.CancelledError:
            self._slots.card.stop()
            raise

    def _proven(self, proof: Proof) -> StoreKeys:
        """The keys of the store that is open, by an unlock method. ▲ SlotDamaged if they are those of another store:
        somebody else has then replaced the key slot. Blocks."""
        return self._slots.open_key.check(self._unlocked(proof))

    def _unlocked(self, proof: Proof) -> StoreKeys:
        """The keys by an unlock method. Blocks."""
        match proof:
            case None:
                return self._slots.unlock_keyring()
            case CardPin(pin=pin):
                return self._slots.unlock_card(pin)
            case StoreKeys():
                return proof
            case passphrase:
                return self._slots.unlock_passphrase(passphrase)

    # -- the curtain (docs/decisions/0027) ------------------------------------------------------------------------

    def lifting(self) -> Sequence[SlotKind]:
        """The unlock methods that lift the curtain: the passphrase, the smart card, and the key store if it asks the
        person. Without one of them there is no PIN, and the curtain does not fall. ▲ A silent key store is none of
        them. Otherwise anybody who sits down could lift the curtain. StoreUnwritable if the methods cannot be
        listed."""
        return self._lifting_of(self.kinds())

    def known_lifting(self) -> Sequence[SlotKind]:
        """The unlock methods that prove somebody to be the owner at a covered computer, also while the disk fails:
        `lifting` where the methods can be listed. If they cannot, or if their folder is gone, as with a network disk or
        a stick, those that this object listed last count. If it has listed none yet, the passphrase counts. Raises no
        StoreFault.

        ▲ An empty answer means that no proof is asked for, which is right only where a key store opens the store
        without asking anybody. So a failing disk must not make the answer empty. Otherwise a stranger could discard the
        owner's unsaved work.
        """
        try:
            found = self.kinds()
        except StoreFault as fault:
            log.store.exception("unlock-methods-not-listed", fault)
            found = ()
        return self._lifting_of(found or self._listed)

    def _lifting_of(self, kinds: Sequence[SlotKind]) -> Sequence[SlotKind]:
        return [k for k in kinds if k is not SlotKind.KEYRING or asks_person(self._slots.keyring)]

    def note_covered(self) -> None:
        """Notes on the disk that the curtain fell, until `note_lifted`: if the program ends under it, the next start is
        opened only by a method that lifts the curtain (`opening`). A refusal of the disk is only logged, since the
        curtain has to fall."""
        try:
            self._profile.covered_path.touch(mode=0o600)
        except OSError as e:
            log.store.warning("covered-not-noted", type=type(e).__name__)

    def note_lifted(self) -> None:
        """Takes back `note_covered`. Call it when the curtain was lifted, or the store was opened by one of `opening`.
        A refusal of the disk is only logged: the next start then asks for the passphrase. A second call does
        nothing."""
        try:
            self._profile.covered_path.unlink(missing_ok=True)
        except OSError as e:
            log.store.warning("covered-not-removed", type=type(e).__name__)

    def opening(self) -> Sequence[SlotKind]:
        """The unlock methods that open the store now. ▲ After a curtain that nobody lifted only those that lift one,
        if there is any. Otherwise somebody who sits down could end the program, and the silent key store would open it
        at the next start. StoreUnwritable if the methods cannot be listed."""
        found = self.kinds()
        if not self._profile.covered_path.exists():
            return found
        return self.lifting() or found

    async def add_keyring(self, proof: str | CardPin) -> None:
        """Adds the computer's key store as an unlock method. `proof`: the present passphrase, or the card's PIN. Raises
        WrongPassphrase, CardFault, NoKeyring, KeyringLocked, SlotForbidden (policy forbids it), NoSlot, SlotDamaged,
        StoreUnwritable; BugError if the key store is one already, or while a change of keys is half done."""
        keys = await self._with_card(lambda: self._proven(proof))
        await asyncio.to_thread(self._slots.add_keyring, _only(keys))

    async def add_passphrase(self, new: str, proof: CardPin | None = None) -> None:
        """Adds the passphrase `new` as an unlock method to a store that the card opens (`proof`), or the key store
        (None). Raises KeyringLocked, NoKeyring, CardFault, WeakPassphrase, SlotForbidden (policy forbids it), NoSlot,
        SlotDamaged, StoreUnwritable; BugError if there is a passphrase already, or while a change of keys is half
        done."""
        keys = await self._with_card(lambda: self._proven(proof))
        await asyncio.to_thread(self._slots.add_passphrase, _only(keys), new)

    @property
    def forbidden(self) -> SlotKind | None:
        """The kind of an unlock method that opens the store although policy forbids it, because none that policy allows
        exists: it opens the store until `replace` has replaced it. Of several the passphrase is returned, otherwise the
        key store, otherwise the card. None if an allowed one exists, and while a change of keys is half done.
        StoreUnwritable."""
        return None if self._slots.changing else self._slots.forbidden

    def replace(self, current: Proof, new: str | None) -> StoreKeys:
        """Replaces the `forbidden` method by an allowed one and returns the store's new keys. `current`: the present
        passphrase, the card's PIN, or None if the key store was the method; `new`: the passphrase to use from now on,
        None for the key store. Call it in a thread, while no session is open. Raises WrongPassphrase, CardFault,
        WeakPassphrase, KeyringLocked, NoKeyring, SlotForbidden, NoSlot, SlotDamaged, StoreFault; BugError while an
        earlier change is half done. Nothing is changed then, unless a StoreFault comes after the database got its new
        key: only the new method opens it then."""
        with self._changing:
            return self._replace(current, new)

    async def replaced(self, current: Proof, new: str | None) -> StoreKeys:
        """As `replace`, in a thread. If the call is cancelled while the card is asked, nothing is replaced."""
        return await self._with_card(lambda: self.replace(current, new))

    def _replace(self, current: Proof, new: str | None) -> StoreKeys:
        db = Database.open(self._profile.db_path, _only(self._unlocked(current)))
        try:
            return self._slots.replace(db, new)
        finally:
            db.close()

    def rekey(self, change: KeyChange) -> StoreKeys:
        """Applies the change and returns the keys that open the store from now on. Call it in a thread, while no
        session is open. Raises WrongPassphrase, CardFault, WeakPassphrase, LastSlot, KeyringLocked, NoKeyring,
        SlotForbidden, NoSlot, SlotDamaged, StoreFault; BugError while an earlier change is half done. Nothing is
        changed then, unless a StoreFault comes after the database got its new key: only the new methods open it then.
        Takes 1 s for 100 MB."""
        with self._changing:
            return self._rekey(change)

    def _rekey(self, change: KeyChange) -> StoreKeys:
        key = _only(self._unlocked(change.current))
        passphrase = change.current if isinstance(change.current, str) else None
        db = Database.open(self._profile.db_path, key)
        try:
            if change.remove is None:
                return self._slots.change_passphrase(db, passphrase or "", change.new or "")
            return self._slots.remove(db, change.remove, passphrase=passphrase, current=key)
        finally:
            db.close()


def _there(wanted: Token, found: Sequence[Token]) -> Token:
    """The card `wanted` among those that are there. NoCard, WrongCard."""
    for token in found:
        if token.is_same(wanted):
            return token
    raise WrongCard if found else NoCard


def _only(keys: StoreKeys) -> bytes:
    """The only key in `keys`, for a store that is or was open. BugError if there are two, because a change of keys is
    half done."""
    if len(keys.keys) != 1:
        raise BugError("a change of keys is half done")
    return keys.keys[0]
