# SPDX-License-Identifier: EUPL-1.2
"""Key slots: each has the database's raw key, encrypted under something that a person or a machine has. Any one opens
the store.

A slot is a file keys/<kind>.slot (slot_file.py). Removing or changing a slot gives the database a new key: the other
slots are written as .new files first, then the database is rekeyed, then the .new files take their places. Whatever
happens in between, one of the two keys opens the database, and `settle` finishes the rest: the file `settling` shows
that a change has begun, and names the slots that stay.
"""

import os
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from app.card.frames import Key as CardKey
from app.card.frames import Token
from app.card.reader import CardReader
from app.core import log
from app.core.files import sync_folder, write_atomic
from app.core.ids import new_id
from app.core.later import Later
from app.errors import (
    BugError,
    LastSlot,
    NoSlot,
    SlotDamaged,
    SlotForbidden,
    StoreUnwritable,
    WeakPassphrase,
    WrongPassphrase,
    disk_fault,
)
from app.passphrases import PassphraseRules
from app.store.database import KEY_BYTES, Database
from app.store.keyring_slot import Keyring, delete_secret, get_secret, put_secret, system_keyring
from app.store.slot_file import Slot, SlotKind, pack_argon, parse_argon, read_slot_file
from app.store.store_keys import OpenKey, StoreKeys, keys_of, new_key, raw_key_from_env
from sync.crypto import aead
from sync.crypto.passphrase import Argon2Params, derive
from sync.errors import Reject

if TYPE_CHECKING:
    from app.store import card_slot
else:
    card_slot = Later("app.store.card_slot", when_idle=True)


class KeySlots:
    """The key slots of one profile. A slot is a file with the database's key, encrypted under a passphrase or under a
    secret in the system's key store or to the key of a smart card. Opening and making one takes 0.3 s (Argon2id) or
    waits for the key store or the card: use a thread."""

    def __init__(
        self,
        folder: Path,
        profile_id: bytes,
        *,
        keyring: Keyring | None = None,
        card: CardReader | None = None,
        allowed: Collection[str] = tuple(SlotKind),
        rules: PassphraseRules | None = None,
    ) -> None:
        """`folder`: where the slot files are. `profile_id` is bound into each slot. `allowed`: the kinds of slots that
        the machine's policy permits; `rules`: its rules for new passphrases. `keyring`: the key store; the system's
        unless a test gives one. `card`: the smart cards of this computer."""
        self.card = card or CardReader()
        self.open_key = OpenKey()
        """Recognises the key of the store that is open."""
        self._folder, self._id = folder, profile_id
        self._given = keyring
        self._allowed = frozenset(allowed)
        self.rules = rules or PassphraseRules()

    def allow(self, kinds: Collection[str], rules: PassphraseRules | None = None) -> None:
        """Sets the `kinds` of slots and the `rules` for new passphrases that policy permits from now on (None: the
        rules stay). A passphrase that is in use stays valid."""
        self._allowed, self.rules = frozenset(kinds), rules or self.rules

    # -- existing slots
    @property
    def keyring(self) -> Keyring:
        """The key store: the system's, unless a test has given another."""
        return self._given or system_keyring()

    def kinds(self) -> list[SlotKind]:
        """The kinds of the key slots (files with the database key, one for each unlock method) that exist and may open
        the store, the passphrase first: those that policy allows, or all of them if it allows none. StoreUnwritable."""
        kept = self._settling()
        found = [k for k in SlotKind if self._path(k).exists() or self._path(k, new=True).exists()]
        return [k for k in found if self._may_use(k) and (kept is None or k in kept)]

    @property
    def forbidden(self) -> SlotKind | None:
        """▲ The kind of a key slot (a file with the database key, for one unlock method) if slots exist and policy
        allows none of them: the passphrase before the key store. None otherwise. They still open the store until
        `replace` has made an allowed one, so that a policy locks nobody out of their content. StoreUnwritable."""
        kept = self._settling()
        there = [k for k in SlotKind if (self._path(k).exists() if kept is None else k in kept)]
        return None if not there or any(k in self._allowed for k in there) else there[0]

    def _may_use(self, kind: SlotKind) -> bool:
        return kind in self._allowed or self.forbidden is not None

    def _path(self, kind: SlotKind, *, new: bool = False) -> Path:
        return self._folder / (f"{kind}.slot.new" if new else f"{kind}.slot")

    @property
    def changing(self) -> bool:
        """Whether a change of keys was interrupted, before or after the database had its new key."""
        return any(self._path(kind, new=True).exists() for kind in SlotKind)

    @property
    def _marker(self) -> Path:
        return self._folder / "settling"

    def _settling(self) -> list[str] | None:
        """The names of the key slots (one for each unlock method) that stay, if a change of keys was interrupted after
        the database had its new key; None if no change is at that point. ▲ A marker file that names no existing slot
        was damaged: it removes no unlock method. StoreUnwritable."""
        try:
            named = read_slot_file(self._marker).decode("ascii", errors="replace").split()
        except FileNotFoundError:
            return None
        except OSError as e:
            raise StoreUnwritable() from e
        there = [k for k in SlotKind if self._path(k).exists() or self._path(k, new=True).exists()]
        return [kind for kind in named if kind in there] or None

    def _read(self, kind: SlotKind) -> list[tuple[Slot, bool]]:
        """Reads the key slot files of a kind: (slot, False), and (slot, True) for the one that an interrupted change of
        keys was writing. Finishes a change that had the database's new key. SlotForbidden, NoSlot, SlotDamaged,
        StoreFault."""
        if not self._may_use(kind):
            raise SlotForbidden()
        if self._settling() is not None:
            self.settle(changed=True)
        paths = [(self._path(kind, new=new), new) for new in (False, True) if self._path(kind, new=new).exists()]
        if not paths:
            raise NoSlot()
        try:
            return [(Slot.parse(kind, read_slot_file(path)), new) for path, new in paths]
        except OSError as e:
            raise StoreUnwritable() from e

    def _context(self, kind: SlotKind, params: bytes) -> list[object]:
        return ["kansli slot", self._id, str(kind), params]

    # -- opening
    def unlock_passphrase(self, passphrase: str) -> StoreKeys:
        """Returns the database keys, from the key slot that `passphrase` opens. Raises WrongPassphrase, NoSlot,
        SlotDamaged, SlotForbidden or StoreFault. Takes 0.3 s: call it in a thread."""
        found: list[tuple[bytes, bool]] = []
        for slot, new in self._read(SlotKind.PASSPHRASE):
            try:
                wrapping = derive(passphrase, parse_argon(slot.params))
                found.append((self._open(slot, wrapping), new))
            except Reject as e:
                if e.code != "decrypt":
                    raise SlotDamaged() from e
        if not found:
            log.store.warning("unlock", code="wrong-passphrase")
            raise WrongPassphrase()
        return keys_of(found)

    def unlock_keyring(self) -> StoreKeys:
        """Returns the database keys, from the key slot whose secret is in the operating system's key store. Raises
        SlotForbidden, KeyringLocked, NoKeyring, NoSlot (also if the key store has lost the entry), SlotDamaged or
        StoreFault. In a thread."""
        found: list[tuple[bytes, bool]] = []
        damaged = False
        for slot, new in self._read(SlotKind.KEYRING):
            wrapping = get_secret(self.keyring, self._entry(slot.params))
            if wrapping is None:
                continue
            try:
                found.append((self._open(slot, wrapping), new))
            except Reject:
                damaged = True
        if not found:
            raise SlotDamaged() if damaged else NoSlot()
        return keys_of(found)

    def card_token(self) -> Token:
        """Which smart card opens the store. NoSlot if none does; SlotForbidden, SlotDamaged, StoreFault."""
        slot, _ = self._read(SlotKind.CARD)[-1]
        return card_slot.parse(slot.params).token

    def unlock_card(self, pin: str | None) -> StoreKeys:
        """Opens the card's key slot with the smart card, and returns the database key; also the next one if a change of
        keys was interrupted. `pin`: the card's PIN; None if the person types it at the reader's PIN pad. The card is
        given it once, whatever comes of it: a card locks itself after a few wrong ones. CardFault if the card does not
        open the slot, also for a wrong PIN; SlotForbidden if policy forbids cards; NoSlot, SlotDamaged; StoreUnwritable
        if the slot's file cannot be read. Waits for the card, and with None for the person: call it in a thread."""
        slots = [(slot, card_slot.parse(slot.params), new) for slot, new in self._read(SlotKind.CARD)]
        token = slots[-1][1].token
        found: list[tuple[bytes, bool]] = []
        with self.card.logged_in(token, pin) as talk:
            for slot, params, new in slots:
                if params.token.is_same(token):
                    try:
                        found.append((self._open(slot, params.wrapping_key(talk)), new))
                    except Reject as e:
                        raise SlotDamaged() from e
        return keys_of(found)

    def _open(self, slot: Slot, wrapping: bytes) -> bytes:
        key = aead.decrypt(wrapping, self._context(slot.kind, slot.params), slot.sealed)
        if len(key) != KEY_BYTES:
            raise Reject("decrypt")
        return key

    def _entry(self, params: bytes) -> str:
        """The entry's name in the key store. It has no name of a person or profile."""
        return f"{self._id.hex()}-{params.hex()}"

    # -- making
    def add_passphrase(self, key: bytes, passphrase: str, params: Argon2Params | None = None) -> None:
        """Adds a key slot by which `passphrase` opens the database key `key`; BugError if a passphrase slot exists.
        `params`: Argon2id's parameters; fresh ones if None. WeakPassphrase if `rules` do not permit the passphrase,
        SlotForbidden, StoreFault. In a thread."""
        self._may_add(SlotKind.PASSPHRASE)
        self._write(self._passphrase_slot(key, passphrase, params), new=False)

    def add_keyring(self, key: bytes) -> None:
        """Adds a slot for the database key `key` whose secret is in the operating system's key store; BugError if there
        is one. SlotForbidden, NoKeyring, KeyringLocked, StoreFault. In a thread."""
        self._may_add(SlotKind.KEYRING)
        self._write(self._keyring_slot(key), new=False)

    def add_card(self, key: bytes, token: Token, pin: str | None, key_id: bytes | None = None) -> Sequence[CardKey]:
        """Adds a slot for the database key `key` that the smart card `token` opens, with the card's key `key_id`; with
        None its only usable key. Returns [] then. If the card has several and none was named, adds nothing and returns
        them. ▲ The card gives the secret back once before the slot is stored. `pin` as for `unlock_card`. BugError if
        there is a slot for a card; SlotForbidden, CardFault, StoreFault. In a thread."""
        self._may_add(SlotKind.CARD)
        with self.card.logged_in(token, pin) as talk:
            usable = [each for each in talk.list_keys() if key_id in (None, each.id)]
            if len(usable) > 1:
                return usable
            params, wrapping = card_slot.new_params(talk, token, usable, key, self._id)
        self._write(self._seal(SlotKind.CARD, params, wrapping, key), new=False)
        return []

    def _renewed_card_slot(self, key: bytes, current: bytes) -> Slot:
        """The card's slot for the new database key `key`, without the card: a new secret for the same public key. ▲
        That key counts only if the program that wrote the slot knew the `current` database key. Otherwise a person who
        can write files here could have the next database key made for a card of their own."""
        (slot, _), *_ = self._read(SlotKind.CARD)
        params, wrapping = card_slot.renewed_params(slot.params, current, key, self._id)
        return self._seal(SlotKind.CARD, params, wrapping, key)

    def only(self, key: bytes, passphrase: str | None) -> None:
        """Makes `passphrase`, or the key store if it is None, the only unlock method, without changing the database key
        `key`. Use it only while nothing is stored that another method protects. ▲ The new slot is written before the
        old ones are removed; if it cannot be made, the old ones stay. Raises SlotForbidden, WeakPassphrase, NoKeyring,
        KeyringLocked, StoreFault. In a thread."""
        kind = SlotKind.KEYRING if passphrase is None else SlotKind.PASSPHRASE
        self._check_allowed(kind)
        slot = self._keyring_slot(key) if passphrase is None else self._passphrase_slot(key, passphrase)
        gone = self._entries(new=False)
        self._write(slot, new=False)
        self._unlink(*(self._path(other) for other in SlotKind if other != kind and self._path(other).exists()))
        for entry in gone:
            delete_secret(self.keyring, entry)

    def _check_allowed(self, kind: SlotKind) -> None:
        if kind not in self._allowed:
            raise SlotForbidden()

    def _may_add(self, kind: SlotKind) -> None:
        self._check_allowed(kind)
        if self._path(kind).exists():
            raise BugError("there is such a slot already: change it, which rekeys the database")

    def _passphrase_slot(self, key: bytes, passphrase: str, params: Argon2Params | None = None) -> Slot:
        if not self.rules.allow(passphrase):
            raise WeakPassphrase()
        argon = params or Argon2Params.fresh()
        return self._seal(SlotKind.PASSPHRASE, pack_argon(argon), derive(passphrase, argon), key)

    def _keyring_slot(self, key: bytes) -> Slot:
        params, wrapping = new_id(), os.urandom(32)
        put_secret(self.keyring, self._entry(params), wrapping)
        return self._seal(SlotKind.KEYRING, params, wrapping, key)

    def _seal(self, kind: SlotKind, params: bytes, wrapping: bytes, key: bytes) -> Slot:
        return Slot(kind, params, aead.encrypt(wrapping, self._context(kind, params), key))

    def _write(self, slot: Slot, *, new: bool) -> None:
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_atomic(self._path(slot.kind, new=new), slot.to_bytes())
        except OSError as e:
            raise disk_fault(e) from e

    def _unlink(self, *paths: Path) -> None:
        try:
            for path in paths:
                path.unlink(missing_ok=True)
        except OSError as e:
            raise disk_fault(e) from e

    # -- removing and changing: always with a new database key
    def stage(self, keep: Collection[SlotKind], passphrase: str | None, current: bytes = b"") -> bytes:
        """Prepares a change of keys: makes a new raw database key, writes a new key slot file with it for each kind of
        unlock method in `keep`, and returns the key. The caller then rekeys the database and calls `settle`. In a
        thread. LastSlot if `keep` is empty; WeakPassphrase, NoKeyring, KeyringLocked, StoreFault.

        `passphrase` is needed if a passphrase slot is kept: the present one, or the one that replaces it. Either must
        fulfil `rules`. `current`, the present database key, is needed if the slot of a card is kept, which needs no
        card; SlotDamaged if that slot was not written with it.
        """
        if not keep:
            raise LastSlot()
        key = os.urandom(KEY_BYTES)
        slots: list[Slot] = []
        if SlotKind.PASSPHRASE in keep:
            slots.append(self._passphrase_slot(key, passphrase or ""))
        if SlotKind.KEYRING in keep:
            slots.append(self._keyring_slot(key))
        if SlotKind.CARD in keep:
            slots.append(self._renewed_card_slot(key, current))
        for slot in slots:
            self._write(slot, new=True)
        return key

    def settle(self, *, changed: bool) -> None:
        """Ends a change of keys. `changed` True: the database has the key that is in the new key slots (files, one for
        each unlock method), which take the place of the old ones. False: it still has the old key, and the new slots
        are removed. Does nothing if no change is under way. StoreFault.

        ▲ If a call with True is interrupted at any point, the next call finishes it, whatever its `changed` is.
        Otherwise half of this change could look like another change.
        """
        kept = self._settling()
        staged = [k for k in SlotKind if self._path(k, new=True).exists()]
        if kept is None and not staged:
            return
        if kept is None and changed:
            kept = [str(k) for k in staged]
            self._note_settling(kept)
        try:
            gone = self._finish(kept) if kept is not None else self._give_up()
            for entry in gone:
                delete_secret(self.keyring, entry)
            self._marker.unlink(missing_ok=True)
        except OSError as e:
            raise disk_fault(e) from e
        log.store.info("slots-settled", changed=kept is not None)

    def _note_settling(self, kept: Collection[str]) -> None:
        try:
            write_atomic(self._marker, " ".join(kept).encode())
        except OSError as e:
            raise disk_fault(e) from e

    def _finish(self, kept: Collection[str]) -> list[str]:
        """Renames the new slot files to their final names, and removes the slots whose kind is not in `kept`. Returns
        the names of key store entries that are no longer needed."""
        replaced = self._path(SlotKind.KEYRING, new=True).exists() or SlotKind.KEYRING not in kept
        gone = self._entries(new=False) if replaced else []
        for kind in SlotKind:
            new, old = self._path(kind, new=True), self._path(kind)
            if new.exists():
                new.replace(old)
            elif kind not in kept:
                old.unlink(missing_ok=True)
        sync_folder(self._folder)
        return gone

    def _give_up(self) -> list[str]:
        """Removes the new slot files of a change that did not happen. Returns the names of key store entries that are
        no longer needed."""
        gone = self._entries(new=True)
        self._unlink(*(self._path(kind, new=True) for kind in SlotKind))
        return gone

    def _entries(self, *, new: bool) -> list[str]:
        path = self._path(SlotKind.KEYRING, new=new)
        try:
            return [self._entry(Slot.parse(SlotKind.KEYRING, read_slot_file(path)).params)]
        except (OSError, SlotDamaged):
            return []

    def forget(self) -> None:
        """Removes every key slot (the files with the database key) and their entries in the system's key store, whose
        failure is only logged: nobody can open the database any more. StoreFault."""
        entries = [*self._entries(new=False), *self._entries(new=True)]
        self._unlink(*(self._path(kind, new=new) for kind in SlotKind for new in (False, True)), self._marker)
        for entry in entries:
            delete_secret(self.keyring, entry)

    def remove(self, db: Database, kind: SlotKind, *, passphrase: str | None = None, current: bytes = b"") -> StoreKeys:
        """Removes the unlock method `kind` (its key slot) and those that policy forbids, gives the database a new key,
        and returns it. `passphrase`: that of the passphrase slot, if one remains; it is checked first (WrongPassphrase,
        or SlotDamaged), and must be allowed by policy (WeakPassphrase). `current`: the present database key, if a card
        remains. LastSlot if no other method in `kinds` is left.
        NoKeyring, KeyringLocked, StoreFault. On the database's thread, which a rekey blocks (1 s for 100 MB)."""
        keep = [k for k in self.kinds() if k != kind]
        if SlotKind.PASSPHRASE in keep:
            self.unlock_passphrase(passphrase or "")
        return self._change(db, self.stage(keep, passphrase, current))

    def change_passphrase(self, db: Database, old: str, new: str) -> StoreKeys:
        """Checks the passphrase `old`, then gives the database a new key under the passphrase `new`, and returns it. A
        slot in the key store or for a card stays, with the new key; slots that policy forbids are removed.
        WrongPassphrase, NoSlot, SlotForbidden, SlotDamaged; WeakPassphrase (`new`), NoKeyring, KeyringLocked,
        StoreFault. Blocks as `remove`."""
        unlocked = self.unlock_passphrase(old)
        return self._change(db, self.stage(self.kinds(), new, unlocked.keys[0]))

    def replace(self, db: Database, passphrase: str | None) -> StoreKeys:
        """Makes `passphrase`, or the key store if it is None, the only unlock method, in place of one that policy has
        forbidden. The database gets a new key, which is returned. SlotForbidden, WeakPassphrase, NoKeyring,
        KeyringLocked, StoreFault."""
        kind = SlotKind.KEYRING if passphrase is None else SlotKind.PASSPHRASE
        self._check_allowed(kind)
        return self._change(db, self.stage([kind], passphrase))

    def _change(self, db: Database, key: bytes) -> StoreKeys:
        db.rekey(key)
        self.settle(changed=True)
        return StoreKeys((key,))


__all__: Sequence[str] = (
    "KeySlots",
    "SlotKind",
    "StoreKeys",
    "new_key",
    "raw_key_from_env",
)
