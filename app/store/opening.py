# SPDX-License-Identifier: EUPL-1.2
"""From a profile and an opened key slot to a store, also after a change of keys that was cut off."""

from collections.abc import Mapping

from app.errors import StoreCorrupt, WrongPassphrase
from app.profile import Profile
from app.store.keyslots import KeySlots, StoreKeys
from app.store.projection import Projector, Tester
from app.store.store import Store


def create_store(profile: Profile, key: bytes, kinds: Mapping[str, Projector]) -> Store:
    """A new store in a profile that has none. Make a key slot for `key` as well, or nobody opens it again."""
    return Store.create(profile.db_path, key, kinds, profile.blobs_folder)


def open_store(
    profile: Profile,
    slots: KeySlots,
    unlocked: StoreKeys,
    kinds: Mapping[str, Projector],
    tester: Tester | None = None,
) -> Store:
    """The profile's store; StoreMissing, StoreCorrupt, StoreOlder, StoreNewer, DiskFull, WrongPassphrase. 1–2 ms on the
    loop. `tester`: the process in which what others send is tried."""
    *_, last = unlocked.keys
    for key in unlocked.keys:
        try:
            store = Store.open(profile.db_path, key, kinds, profile.blobs_folder, tester)
        except StoreCorrupt as e:
            if key == last:
                if slots.changing and not unlocked.staged:  # the passphrase before a change that was cut off late
                    raise WrongPassphrase from e
                raise
            continue
        if unlocked.staged is not None:  # ▲ by the slot that the key is from: a new passphrase opens the new slot alone
            try:
                slots.settle(changed=key in unlocked.staged)
            except BaseException:
                store.close()
                raise
        return store
    raise StoreCorrupt()
