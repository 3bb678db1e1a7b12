# SPDX-License-Identifier: EUPL-1.2
"""The keys of the database that an unlock method gave, or the environment."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field

from app.core import log
from app.errors import SlotDamaged
from app.store.database import KEY_BYTES

RAW_KEY_ENV = "KANSLI_RAW_KEY"


@dataclass(frozen=True, slots=True)
class StoreKeys:
    """The database keys that an unlock method gave. `keys`: the raw key; also the next one if a change of keys was
    interrupted. `staged`: those of `keys` that come from a slot of the interrupted change; None if no key comes from a
    slot."""

    keys: tuple[bytes, ...] = field(repr=False)
    staged: tuple[bytes, ...] | None = field(default=(), repr=False)


def keys_of(found: Sequence[tuple[bytes, bool]]) -> StoreKeys:
    """Builds StoreKeys from `found`: (key, whether its slot belongs to an interrupted change)."""
    return StoreKeys(tuple(key for key, _ in found), tuple(key for key, new in found if new))


def raw_key_from_env() -> StoreKeys | None:
    """The raw key from KANSLI_RAW_KEY (64 hex digits), None if that is not set, for benches, tests and the demo only;
    the log has a warning. SlotDamaged if it is no such key."""
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
    """A fresh raw database key."""
    return os.urandom(KEY_BYTES)
