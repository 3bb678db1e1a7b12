# SPDX-License-Identifier: EUPL-1.2
"""Ways of unlocking: one more, another passphrase, one fewer; and when it cannot be done, nothing is changed."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.bootstrap import Office
from app.errors import (
    LastSlot,
    SlotDamaged,
    SlotForbidden,
    StoreCorrupt,
    StoreUnwritable,
    WeakPassphrase,
    WrongPassphrase,
)
from app.profile import Profile
from app.settings import ALLOW_KEYRING, Settings
from app.store.database import Database
from app.store.keyslots import KeySlots, SlotKind, new_key
from app.store.opening import create_store, open_store
from app.unlocking import KeyChange, Unlocking
from tests.app.store.conftest import KINDS
from tests.app.store.test_keyslots import PASSPHRASE
from tests.memory_keyring import MemoryKeyring

NEW = "fyra helt nya ord å"


@pytest.fixture
def profile(tmp_path: Path) -> Iterator[Profile]:
    made = Profile.open("test", tmp_path)
    yield made
    made.close()


@pytest.fixture
def slots(profile: Profile) -> KeySlots:
    """A store with a passphrase."""
    made = KeySlots(profile.slots_folder, profile.id, keyring=MemoryKeyring())
    key = new_key()
    create_store(profile, key, KINDS).close()
    made.add_passphrase(key, PASSPHRASE)
    return made


@pytest.fixture
def unlocking(profile: Profile, slots: KeySlots) -> Unlocking:
    return Unlocking(profile, Settings(profile.settings_path), slots)


async def test_the_key_store_is_added_by_the_passphrase_only(unlocking: Unlocking, slots: KeySlots) -> None:
    with pytest.raises(WrongPassphrase):
        await unlocking.add_keyring("fel lösenfras")
    assert unlocking.kinds() == [SlotKind.PASSPHRASE]
    await unlocking.check(PASSPHRASE)
    await unlocking.add_keyring(PASSPHRASE)
    assert slots.unlock_keyring() == slots.unlock_passphrase(PASSPHRASE)


async def test_a_passphrase_is_added_by_the_key_store(unlocking: Unlocking, slots: KeySlots, profile: Profile) -> None:
    await unlocking.add_keyring(PASSPHRASE)
    open_store(
        profile, slots, unlocking.rekey(KeyChange(current=PASSPHRASE, remove=SlotKind.PASSPHRASE)), KINDS
    ).close()
    assert unlocking.kinds() == [SlotKind.KEYRING]
    await unlocking.add_passphrase(NEW)
    open_store(profile, slots, slots.unlock_passphrase(NEW), KINDS).close()


async def test_a_removed_unlock_method_does_not_open_any_more(
    unlocking: Unlocking, slots: KeySlots, profile: Profile
) -> None:
    await unlocking.add_keyring(PASSPHRASE)
    before = slots.unlock_keyring()
    keys = unlocking.rekey(KeyChange(current=PASSPHRASE, remove=SlotKind.KEYRING))
    assert unlocking.kinds() == [SlotKind.PASSPHRASE]
    open_store(profile, slots, keys, KINDS).close()
    with pytest.raises(StoreCorrupt):
        open_store(profile, slots, before, KINDS)


def test_what_cannot_be_done_changes_nothing(unlocking: Unlocking, slots: KeySlots, profile: Profile) -> None:
    with pytest.raises(LastSlot):
        unlocking.rekey(KeyChange(current=PASSPHRASE, remove=SlotKind.PASSPHRASE))
    with pytest.raises(WrongPassphrase):
        unlocking.rekey(KeyChange(current="fel lösenfras", new=NEW))
    open_store(profile, slots, slots.unlock_passphrase(PASSPHRASE), KINDS).close()


async def test_of_two_changes_at_once_one_is_done_and_opens(
    unlocking: Unlocking, slots: KeySlots, profile: Profile
) -> None:
    new = [NEW, "fyra andra ord å"]
    ends = await asyncio.gather(
        *(asyncio.to_thread(unlocking.rekey, KeyChange(current=PASSPHRASE, new=each)) for each in new),
        return_exceptions=True,
    )
    (won,) = [each for each, end in zip(new, ends, strict=True) if not isinstance(end, BaseException)]
    assert [type(end) for end in ends if isinstance(end, BaseException)] == [WrongPassphrase]
    open_store(profile, slots, slots.unlock_passphrase(won), KINDS).close()


def test_policy_decides_what_may_be_used(profile: Profile, slots: KeySlots) -> None:
    strict = Unlocking(profile, Settings(profile.settings_path, {ALLOW_KEYRING.key: False}), slots)
    assert strict.allowed(SlotKind.PASSPHRASE)
    assert not strict.allowed(SlotKind.KEYRING)


def test_the_only_unlock_method_still_opens_when_policy_forbids_it_until_it_is_replaced(
    unlocking: Unlocking, slots: KeySlots, profile: Profile
) -> None:
    slots.allow({SlotKind.KEYRING})
    assert unlocking.forbidden is SlotKind.PASSPHRASE
    assert unlocking.kinds() == [SlotKind.PASSPHRASE]
    before = slots.unlock_passphrase(PASSPHRASE)
    with pytest.raises(WrongPassphrase):
        unlocking.replace("fel lösenfras", None)
    open_store(profile, slots, unlocking.replace(PASSPHRASE, None), KINDS).close()
    assert unlocking.forbidden is None
    assert unlocking.kinds() == [SlotKind.KEYRING]
    open_store(profile, slots, slots.unlock_keyring(), KINDS).close()
    with pytest.raises(StoreCorrupt):
        open_store(profile, slots, before, KINDS)


@pytest.mark.slow
async def test_a_forbidden_key_store_is_replaced_by_a_passphrase(
    unlocking: Unlocking, slots: KeySlots, profile: Profile
) -> None:
    await unlocking.add_keyring(PASSPHRASE)
    unlocking.rekey(KeyChange(current=PASSPHRASE, remove=SlotKind.PASSPHRASE))
    slots.allow({SlotKind.PASSPHRASE})
    assert unlocking.forbidden is SlotKind.KEYRING
    with pytest.raises(WeakPassphrase):
        unlocking.replace(None, "kort")
    with pytest.raises(SlotForbidden):
        unlocking.replace(None, None)
    open_store(profile, slots, unlocking.replace(None, NEW), KINDS).close()
    assert unlocking.kinds() == [SlotKind.PASSPHRASE]
    open_store(profile, slots, slots.unlock_passphrase(NEW), KINDS).close()


async def test_a_forbidden_unlock_method_beside_an_allowed_one_opens_nothing(
    unlocking: Unlocking, slots: KeySlots
) -> None:
    await unlocking.add_keyring(PASSPHRASE)
    slots.allow({SlotKind.PASSPHRASE})
    assert unlocking.forbidden is None
    assert unlocking.kinds() == [SlotKind.PASSPHRASE]
    with pytest.raises(SlotForbidden):
        slots.unlock_keyring()


@pytest.mark.parametrize("rekeyed", [False, True])
def test_a_replacement_that_was_cut_off_leaves_an_unlock_method(
    unlocking: Unlocking, slots: KeySlots, profile: Profile, rekeyed: bool
) -> None:
    slots.allow({SlotKind.KEYRING})
    (old,) = slots.unlock_passphrase(PASSPHRASE).keys
    new = slots.stage([SlotKind.KEYRING], None)
    if rekeyed:
        db = Database.open(profile.db_path, old)
        db.rekey(new)
        db.close()
    assert unlocking.forbidden is None  # both ways are tried, as after any change that was cut off
    assert set(unlocking.kinds()) == {SlotKind.PASSPHRASE, SlotKind.KEYRING}
    keys = slots.unlock_keyring() if rekeyed else slots.unlock_passphrase(PASSPHRASE)
    open_store(profile, slots, keys, KINDS).close()
    assert unlocking.kinds() == [SlotKind.KEYRING if rekeyed else SlotKind.PASSPHRASE]


def test_a_passphrase_does_not_show_in_a_repr() -> None:
    assert PASSPHRASE not in repr(KeyChange(current=PASSPHRASE, new=PASSPHRASE))


async def test_a_silent_key_store_lifts_no_curtain_and_one_that_asks_does(
    unlocking: Unlocking, slots: KeySlots, profile: Profile
) -> None:
    assert unlocking.lifting() == [SlotKind.PASSPHRASE]
    await unlocking.add_keyring(PASSPHRASE)
    assert unlocking.lifting() == [SlotKind.PASSPHRASE]
    with pytest.raises(SlotForbidden):
        await unlocking.check_keyring()
    open_store(
        profile, slots, unlocking.rekey(KeyChange(current=PASSPHRASE, remove=SlotKind.PASSPHRASE)), KINDS
    ).close()
    assert unlocking.lifting() == []
    slots.keyring.asks_person = True  # type: ignore[attr-defined]
    assert unlocking.lifting() == [SlotKind.KEYRING]
    await unlocking.check_keyring()


async def test_attack_a_program_that_was_ended_under_the_curtain_is_not_opened_by_a_silent_key_store(
    profile: Profile, slots: KeySlots
) -> None:
    office = Office(profile)
    office.slots = slots
    unlocking = office.unlocking = Unlocking(profile, office.settings, slots)
    await unlocking.add_keyring(PASSPHRASE)
    unlocking.note_covered()
    assert office.kinds() == [SlotKind.PASSPHRASE]
    assert office.withholds_keyring
    with pytest.raises(SlotForbidden):
        await office.unlock_keyring()
    slots.keyring.asks_person = True  # type: ignore[attr-defined]
    assert office.kinds() == [SlotKind.PASSPHRASE, SlotKind.KEYRING]
    slots.keyring.asks_person = False  # type: ignore[attr-defined]
    unlocking.note_lifted()
    unlocking.note_lifted()
    assert office.kinds() == [SlotKind.PASSPHRASE, SlotKind.KEYRING]
    assert not office.withholds_keyring


async def test_attack_a_method_that_does_not_open_the_store_does_not_end_the_curtains_mark(
    profile: Profile, slots: KeySlots
) -> None:
    """The silent key store would open it at the next start."""
    office = Office(profile)
    office.slots = slots
    unlocking = office.unlocking = Unlocking(profile, office.settings, slots)
    await unlocking.add_keyring(PASSPHRASE)
    unlocking.note_covered()
    theirs = KeySlots(profile.folder / "theirs", profile.id)
    theirs.add_passphrase(new_key(), NEW)
    (profile.folder / "theirs" / "passphrase.slot").replace(profile.slots_folder / "passphrase.slot")
    with pytest.raises(StoreCorrupt):
        await office.unlock(NEW)
    with pytest.raises(StoreCorrupt):
        await office.open_by_card(slots.unlock_passphrase(NEW))
    with pytest.raises(SlotForbidden):
        await office.unlock_keyring()


async def test_a_store_that_only_a_silent_key_store_opens_is_opened_by_it(
    unlocking: Unlocking, slots: KeySlots, profile: Profile
) -> None:
    await unlocking.add_keyring(PASSPHRASE)
    open_store(
        profile, slots, unlocking.rekey(KeyChange(current=PASSPHRASE, remove=SlotKind.PASSPHRASE)), KINDS
    ).close()
    unlocking.note_covered()
    assert unlocking.opening() == [SlotKind.KEYRING]


async def test_attack_an_unlock_method_of_another_store_lifts_no_curtain(
    unlocking: Unlocking, slots: KeySlots, profile: Profile
) -> None:
    """Somebody who may write files here puts a key slot of their own, with a key that they made up, in the place of the
    owner's, and sits down at the covered computer."""
    open_store(profile, slots, slots.unlock_passphrase(PASSPHRASE), KINDS).close()
    await unlocking.check(PASSPHRASE)
    theirs = KeySlots(profile.folder / "theirs", profile.id)
    theirs.add_passphrase(new_key(), NEW)
    (profile.folder / "theirs" / "passphrase.slot").replace(profile.slots_folder / "passphrase.slot")
    with pytest.raises(SlotDamaged):
        await unlocking.check(NEW)
    with pytest.raises(SlotDamaged):
        await unlocking.add_keyring(NEW)
    assert unlocking.kinds() == [SlotKind.PASSPHRASE]


async def test_the_unlock_methods_prove_the_owner_after_a_change_of_keys(
    unlocking: Unlocking, slots: KeySlots, profile: Profile
) -> None:
    open_store(profile, slots, slots.unlock_passphrase(PASSPHRASE), KINDS).close()
    keys = unlocking.rekey(KeyChange(current=PASSPHRASE, new=NEW))
    open_store(profile, slots, keys, KINDS).close()
    await unlocking.check(NEW)
    await unlocking.add_keyring(NEW)


def test_a_disk_that_refuses_does_not_keep_the_curtain_up(unlocking: Unlocking, profile: Profile) -> None:
    profile.covered_path.mkdir()
    unlocking.note_covered()
    unlocking.note_lifted()
    assert profile.covered_path.exists()


async def test_attack_a_disk_that_does_not_list_the_unlock_methods_lets_no_stranger_through(
    unlocking: Unlocking, slots: KeySlots, profile: Profile
) -> None:
    """Where no passphrase opens the store, one was asked for all the same: nobody could give it."""
    marker = profile.slots_folder / "settling"
    marker.mkdir()
    with pytest.raises(StoreUnwritable):
        unlocking.lifting()
    assert unlocking.known_lifting() == [SlotKind.PASSPHRASE]
    marker.rmdir()
    await unlocking.add_keyring(PASSPHRASE)
    open_store(
        profile, slots, unlocking.rekey(KeyChange(current=PASSPHRASE, remove=SlotKind.PASSPHRASE)), KINDS
    ).close()
    assert unlocking.known_lifting() == []
    marker.mkdir()
    assert unlocking.known_lifting() == []
    slots.keyring.asks_person = True  # type: ignore[attr-defined]
    assert unlocking.known_lifting() == [SlotKind.KEYRING]


def test_attack_a_disk_that_is_gone_lets_no_stranger_through(unlocking: Unlocking, profile: Profile) -> None:
    """A network disk or a stick: a folder that is gone gives no error, and lists no unlock method."""
    assert unlocking.lifting() == [SlotKind.PASSPHRASE]
    profile.slots_folder.rename(profile.slots_folder.with_name("pulled out"))
    assert unlocking.kinds() == []
    assert unlocking.known_lifting() == [SlotKind.PASSPHRASE]
    assert unlocking.known_lifting() == [SlotKind.PASSPHRASE], "also when it is asked again"
