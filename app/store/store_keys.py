# SPDX-License-Identifier: EUPL-1.2
"""The keys that open the store's database: an unlock method returns them, or for tests the environment."""

import hmac
import os
from collections.abc import Sequence
from dataclasses import dataclass, field

from app.core import log
from app.errors import SlotDamaged
from app.store.database import KEY_BYTES

RAW_KEY_ENV = "KANSLI_RAW_KEY"


@dataclass(frozen=True, slots=True)
class StoreKeys:
    """The raw database keys (32 bytes each) that an unlock method has returned. `keys`: one key; after a change of keys
    that was interrupted also the next one, and either may be the database's. `staged`: those of `keys` that come from
    a slot of the interrupted change; None if the keys come from no slot (`raw_key_from_env`)."""

    keys: tuple[bytes, ...] = field(repr=False)
    staged: tuple[bytes, ...] | None = field(default=(), repr=False)


class OpenKey:
    """Says whether a key is that of the store that was opened last in this process. Keeps a keyed hash of the key, not
    the key."""

    def __init__(self) -> None:
        self._salt = os.urandom(32)
        self._noted: bytes | None = None

    def note(self, key: bytes) -> None:
        """Notes that the store was opened with the raw `key`."""
        self._noted = self._mac(key)

    def check(self, unlocked: StoreKeys) -> StoreKeys:
        """Returns `unlocked`, what an unlock method gave. SlotDamaged if none of these keys is that of the open store.
        Before a store was opened, any keys pass.

        ▲ The curtain takes the passphrase or the card of a key slot as proof that the owner is there. Otherwise an
        attacker could put a slot of their own in the profile, with a made-up key in it, and lift the curtain with the
        passphrase of that slot.
        """
        noted = self._noted
        if noted is not None and not any(hmac.compare_digest(noted, self._mac(key)) for key in unlocked.keys):
            log.store.warning("unlock", code="other-store")
            raise SlotDamaged()
        return unlocked

    def _mac(self, key: bytes) -> bytes:
        return hmac.digest(self._salt, key, "sha256")


def keys_of(found: Sequence[tuple[bytes, bool]]) -> StoreKeys:
    """Makes StoreKeys of the keys in `found`: (key, whether its slot belongs to an interrupted change)."""
    return StoreKeys(tuple(key for key, _ in found), tuple(key for key, new in found if new))


def raw_key_from_env() -> StoreKeys | None:
    """The raw key in the environment variable KANSLI_RAW_KEY (64 hex digits), for benches, tests and the demo only;
    None if it is not set. Logs a warning. SlotDamaged if it is no such key."""
    text = os.environ.get(RAW_KEY_ENV)
    if not text:
        return None
    try:
        key = bytes.fromhex(text)
    except ValueError as e:
        raise SlotDamaged() from e
    if len(key) != KEY_BYTES:
        raise SlotDamaged()
    log.store.warning("raw-key-no-protection-at-rest")
    return StoreKeys((key,), None)


def new_key() -> bytes:
    """A fresh raw database key: 32 random bytes."""
    return os.urandom(KEY_BYTES)
