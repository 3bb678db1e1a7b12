# SPDX-License-Identifier: EUPL-1.2
"""From a profile and an opened key slot to a store, also after a change of keys that was cut off."""

from collections.abc import Mapping

from app.errors import StoreCorrupt
from app.profile import Profile
from app.store.keyslots import KeySlots, StoreKeys
from app.store.projection import Projector
from app.store.store import Store


def create_store(profile: Profile, key: bytes, kinds: Mapping[str, Projector]) -> Store:
    """A new store in a profile that has none. Make a key slot for `key` as well, or nobody opens it again."""
    return Store.create(profile.db_path, key, kinds, profile.blobs_folder)


def open_store(profile: Profile, slots: KeySlots, unlocked: StoreKeys, kinds: Mapping[str, Projector]) -> Store:
    """The profile's store; StoreMissing, StoreCorrupt, StoreNewer, DiskFull. On the loop's thread, 1–2 ms."""
    *_, last = unlocked.keys
    for place, key in enumerate(unlocked.keys):
        try:
            store = Store.open(profile.db_path, key, kinds, profile.blobs_folder)
        except StoreCorrupt:
            if key == last:
                raise
            continue
        slots.settle(changed=place > 0)
        return store
    raise StoreCorrupt()
