# SPDX-License-Identifier: EUPL-1.2
"""Opens a profile's store with the keys of an opened slot, also after an interrupted change of keys."""

from collections.abc import Mapping

from app.errors import StoreCorrupt, WrongPassphrase
from app.profile import Profile
from app.store.keyslots import KeySlots, StoreKeys
from app.store.projection import Projector, Tester
from app.store.store import Store


def create_store(profile: Profile, key: bytes, kinds: Mapping[str, Projector]) -> Store:
    """Makes the store of a profile that has none, encrypted with the raw `key`. The caller must make a key slot for
    `key` too. Otherwise nobody can open the store again. `kinds`: the kinds of objects by id. Raises
    StoreUnwritable, also if there is a store already."""
    return Store.create(profile.db_path, key, kinds, profile.blobs_folder)


def open_store(
    profile: Profile,
    slots: KeySlots,
    unlocked: StoreKeys,
    kinds: Mapping[str, Projector],
    tester: Tester | None = None,
) -> Store:
    """Opens the profile's store with the keys `unlocked` of an opened key slot. If a change of keys was interrupted,
    tries both keys and finishes or undoes the change in `slots`. `kinds`: the kinds of objects by id. `tester`: the
    process in which changes of others are tried. Raises StoreMissing, StoreCorrupt, StoreOlder, StoreNewer, DiskFull,
    StoreUnwritable, and WrongPassphrase for the old passphrase after an interrupted change that has the new key. Takes
    1–2 ms on the loop."""
    *_, last = unlocked.keys
    for key in unlocked.keys:
        try:
            store = Store.open(profile.db_path, key, kinds, profile.blobs_folder, tester)
        except StoreCorrupt as e:
            if key == last:
                # the passphrase from before a change that was interrupted late
                if slots.changing and not unlocked.staged:
                    raise WrongPassphrase from e
                raise
            continue
        # ▲ decided by the slot that gave the key: a new passphrase opens the new slot alone
        if unlocked.staged is not None:
            try:
                slots.settle(changed=key in unlocked.staged)
            except BaseException:
                store.close()
                raise
        slots.open_key.note(key)
        return store
    raise StoreCorrupt()
