# SPDX-License-Identifier: EUPL-1.2
"""Key slots: any one opens, a wrong or missing one says so with its code, and nothing is ever wiped."""

import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from keyring.backends.fail import Keyring as NoKeyringBackend

from app.errors import (
    DiskFull,
    KeyringLocked,
    LastSlot,
    NoKeyring,
    NoSlot,
    SlotDamaged,
    SlotForbidden,
    StoreCorrupt,
    StoreUnwritable,
    WeakPassphrase,
    WrongPassphrase,
)
from app.passphrases import PassphraseRules, Strength
from app.profile import Profile
from app.store.keyslots import KeySlots, SlotKind, StoreKeys, new_key, raw_key_from_env
from app.store.opening import create_store, open_store
from app.store.store import Store
from tests.app.store.conftest import KINDS, ME
from tests.memory_keyring import MemoryKeyring

PASSPHRASE = "åtta blå äpplen 🙂"


@pytest.fixture
def keyring() -> MemoryKeyring:
    return MemoryKeyring()


@pytest.fixture
def profile(tmp_path: Path) -> Iterator[Profile]:
    made = Profile.open("test", tmp_path)
    yield made
    made.close()


@pytest.fixture
def slots(profile: Profile, keyring: MemoryKeyring) -> KeySlots:
    """Both kinds of slots, and a store that they open."""
    key = new_key()
    made = KeySlots(profile.slots_folder, profile.id, keyring=keyring)
    made.add_passphrase(key, PASSPHRASE)
    made.add_keyring(key)
    store = create_store(profile, key, KINDS)
    store.set_me(ME)
    store.close()
    return made


def opens(profile: Profile, slots: KeySlots, unlocked: StoreKeys) -> Store:
    """The opened store, which holds what was stored."""
    store = open_store(profile, slots, unlocked, KINDS)
    assert store.me == ME
    return store


def test_each_slot_opens_the_store(profile: Profile, slots: KeySlots) -> None:
    assert slots.kinds() == [SlotKind.PASSPHRASE, SlotKind.KEYRING]
    opens(profile, slots, slots.unlock_passphrase(PASSPHRASE)).close()
    opens(profile, slots, slots.unlock_keyring()).close()


def test_a_wrong_passphrase_is_refused_and_the_right_one_still_opens(profile: Profile, slots: KeySlots) -> None:
    with pytest.raises(WrongPassphrase) as e:
        slots.unlock_passphrase("åtta blå äpplen")
    assert e.value.code == "wrong-passphrase"
    opens(profile, slots, slots.unlock_passphrase(PASSPHRASE)).close()


def test_a_passphrase_typed_with_combining_accents_is_the_same(profile: Profile, slots: KeySlots) -> None:
    import unicodedata

    opens(profile, slots, slots.unlock_passphrase(unicodedata.normalize("NFD", PASSPHRASE))).close()


def test_a_locked_keyring_waits_and_wipes_nothing(profile: Profile, slots: KeySlots, keyring: MemoryKeyring) -> None:
    keyring.locked = True
    with pytest.raises(KeyringLocked) as e:
        slots.unlock_keyring()
    assert e.value.code == "keyring-locked"
    keyring.locked = False
    opens(profile, slots, slots.unlock_keyring()).close()


def test_without_a_keyring_the_passphrase_still_opens(profile: Profile, slots: KeySlots) -> None:
    bare = KeySlots(profile.slots_folder, profile.id, keyring=NoKeyringBackend())  # type: ignore[no-untyped-call]
    with pytest.raises(NoKeyring) as e:
        bare.unlock_keyring()
    assert e.value.code == "no-keyring"
    opens(profile, bare, bare.unlock_passphrase(PASSPHRASE)).close()


def test_a_machine_without_a_keyring_cannot_make_a_keyring_slot(profile: Profile) -> None:
    bare = KeySlots(profile.slots_folder, profile.id, keyring=NoKeyringBackend())  # type: ignore[no-untyped-call]
    with pytest.raises(NoKeyring):
        bare.add_keyring(new_key())
    assert bare.kinds() == []


def test_a_keyring_that_forgets_in_silence_makes_no_slot(profile: Profile, keyring: MemoryKeyring) -> None:
    keyring.forgetful = True
    slots = KeySlots(profile.slots_folder, profile.id, keyring=keyring)
    with pytest.raises(NoKeyring):
        slots.add_keyring(new_key())
    assert slots.kinds() == []


def test_a_keyring_that_has_lost_the_entry_has_no_slot(slots: KeySlots, keyring: MemoryKeyring) -> None:
    keyring.entries.clear()
    with pytest.raises(NoSlot):
        slots.unlock_keyring()


def test_a_keyring_that_fails_with_its_own_error_counts_as_locked(slots: KeySlots, keyring: MemoryKeyring) -> None:
    def fail() -> None:
        raise OSError("D-Bus went away")

    keyring._check = fail  # type: ignore[method-assign]
    with pytest.raises(KeyringLocked):
        slots.unlock_keyring()


@pytest.mark.parametrize("keep", [0, 5, 20, 60])
def test_a_truncated_slot_is_damaged(profile: Profile, slots: KeySlots, keep: int) -> None:
    path = profile.slots_folder / "passphrase.slot"
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises((SlotDamaged, WrongPassphrase)):
        slots.unlock_passphrase(PASSPHRASE)
    opens(profile, slots, slots.unlock_keyring()).close()


def test_a_slot_that_asks_for_too_much_memory_is_damaged(profile: Profile, slots: KeySlots) -> None:
    path = profile.slots_folder / "passphrase.slot"
    data = bytearray(path.read_bytes())
    data[10 + 16 : 10 + 20] = b"\xff\xff\xff\xff"
    path.write_bytes(data)
    with pytest.raises(SlotDamaged):
        slots.unlock_passphrase(PASSPHRASE)


@pytest.mark.parametrize("name", ["passphrase.slot", "settling"])
def test_a_file_that_is_too_large_or_no_file_is_damaged_and_holds_nothing_up(
    profile: Profile, slots: KeySlots, name: str
) -> None:
    """It is not read into memory, and nobody waits for somebody to write into a pipe: the curtain asks for the unlock
    methods before it falls."""
    path = profile.slots_folder / name
    path.unlink(missing_ok=True)
    with path.open("wb") as file:
        file.truncate(1 << 42)
    if name == "settling":
        assert slots.kinds() == [SlotKind.PASSPHRASE, SlotKind.KEYRING]
    else:
        with pytest.raises(SlotDamaged):
            slots.unlock_passphrase(PASSPHRASE)
    if hasattr(os, "mkfifo"):
        path.unlink()
        os.mkfifo(path)
        with pytest.raises(StoreUnwritable):
            slots.kinds() if name == "settling" else slots.unlock_passphrase(PASSPHRASE)


def test_a_slot_of_another_profile_does_not_open(tmp_path: Path, profile: Profile, slots: KeySlots) -> None:
    other = Profile.open("other", tmp_path)
    foreign = KeySlots(profile.slots_folder, other.id)
    with pytest.raises(WrongPassphrase):
        foreign.unlock_passphrase(PASSPHRASE)
    other.close()


def test_a_short_passphrase_is_refused(profile: Profile) -> None:
    with pytest.raises(WeakPassphrase):
        KeySlots(profile.slots_folder, profile.id).add_passphrase(new_key(), "åäö1234")


@pytest.mark.parametrize("passphrase", ["blå häst går hem", "password1password1password1"])
def test_policy_may_ask_for_a_longer_or_stronger_passphrase(profile: Profile, passphrase: str) -> None:
    slots = KeySlots(profile.slots_folder, profile.id, rules=PassphraseRules(20, Strength.GOOD))
    with pytest.raises(WeakPassphrase):
        slots.add_passphrase(new_key(), passphrase)
    slots.allow(list(SlotKind), PassphraseRules())
    with pytest.raises(WeakPassphrase):
        slots.add_passphrase(new_key(), "password1password1password1")


def test_policy_may_forbid_a_slot(profile: Profile, slots: KeySlots) -> None:
    strict = KeySlots(profile.slots_folder, profile.id, allowed=["passphrase"])
    assert strict.kinds() == [SlotKind.PASSPHRASE]
    with pytest.raises(SlotForbidden):
        strict.unlock_keyring()


def test_removing_a_slot_rekeys_the_database(profile: Profile, slots: KeySlots, keyring: MemoryKeyring) -> None:
    old = slots.unlock_keyring()
    store = open_store(profile, slots, old, KINDS)
    with pytest.raises(WrongPassphrase):
        slots.remove(store.db, SlotKind.KEYRING, passphrase="something else")
    slots.remove(store.db, SlotKind.KEYRING, passphrase=PASSPHRASE)
    store.close()
    assert slots.kinds() == [SlotKind.PASSPHRASE]
    assert keyring.entries == {}
    with pytest.raises(StoreCorrupt):
        open_store(profile, slots, old, KINDS)
    store = opens(profile, slots, slots.unlock_passphrase(PASSPHRASE))
    with pytest.raises(LastSlot):
        slots.remove(store.db, SlotKind.PASSPHRASE)
    store.close()


def test_a_changed_passphrase_opens_and_the_old_one_does_not(profile: Profile, slots: KeySlots) -> None:
    store = open_store(profile, slots, slots.unlock_keyring(), KINDS)
    with pytest.raises(WrongPassphrase):
        slots.change_passphrase(store.db, "fel lösenfras", "en ny lösenfras")
    slots.change_passphrase(store.db, PASSPHRASE, "en ny lösenfras")
    store.close()
    with pytest.raises(WrongPassphrase):
        slots.unlock_passphrase(PASSPHRASE)
    opens(profile, slots, slots.unlock_passphrase("en ny lösenfras")).close()
    opens(profile, slots, slots.unlock_keyring()).close()


@pytest.mark.parametrize("rekeyed", [False, True])
def test_a_change_of_keys_that_was_cut_off_is_finished_or_undone(
    profile: Profile, slots: KeySlots, keyring: MemoryKeyring, rekeyed: bool
) -> None:
    store = open_store(profile, slots, slots.unlock_keyring(), KINDS)
    key = slots.stage([SlotKind.PASSPHRASE, SlotKind.KEYRING], PASSPHRASE)
    if rekeyed:
        store.db.rekey(key)
    store.close()
    assert len(keyring.entries) == 2
    opens(profile, slots, slots.unlock_passphrase(PASSPHRASE)).close()
    assert len(keyring.entries) == 1
    assert not list(profile.slots_folder.glob("*.new"))
    opens(profile, slots, slots.unlock_keyring()).close()


def test_a_raw_key_from_the_environment_is_taken_and_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv("KANSLI_RAW_KEY", raising=False)
    assert raw_key_from_env() is None
    key = new_key()
    monkeypatch.setenv("KANSLI_RAW_KEY", key.hex())
    with caplog.at_level("WARNING", "store"):
        assert raw_key_from_env() == StoreKeys((key,), None)
    assert "no-protection" in caplog.text
    assert key.hex() not in caplog.text
    monkeypatch.setenv("KANSLI_RAW_KEY", "abc")
    with pytest.raises(SlotDamaged):
        raw_key_from_env()


def test_keys_do_not_show_in_a_repr() -> None:
    key = new_key()
    assert repr(key) not in repr(StoreKeys((key,)))
    assert key.hex() not in repr(StoreKeys((key,)))


class Killed(BaseException):
    """As by kill -9: no code of ours runs after it."""


def killed_after(steps: int, monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> bool:
    """Runs `act` and kills it after so many renames and removals of slots; False if it came to its end."""
    done = 0

    def step(real: Callable[..., object]) -> Callable[..., object]:
        def run(self: Path, *args: object, **more: object) -> object:
            nonlocal done
            if self.suffix in (".slot", ".new") and not self.name.startswith("."):
                if done == steps:
                    raise Killed
                done += 1
            return real(self, *args, **more)

        return run

    with monkeypatch.context() as dying:
        dying.setattr(Path, "replace", step(Path.replace))
        dying.setattr(Path, "unlink", step(Path.unlink))
        try:
            act()
        except Killed:
            return True
    return False


@pytest.mark.slow
@pytest.mark.parametrize("first", [SlotKind.PASSPHRASE, SlotKind.KEYRING])
@pytest.mark.parametrize("steps", range(4))
def test_a_change_that_is_killed_at_any_step_keeps_every_slot(
    profile: Profile, slots: KeySlots, monkeypatch: pytest.MonkeyPatch, steps: int, first: SlotKind
) -> None:
    new = "en ny lösenfras"
    store = open_store(profile, slots, slots.unlock_keyring(), KINDS)
    killed_after(steps, monkeypatch, lambda: slots.change_passphrase(store.db, PASSPHRASE, new))
    store.close()
    methods: dict[SlotKind, Callable[[], StoreKeys]] = {
        SlotKind.PASSPHRASE: lambda: slots.unlock_passphrase(new),
        SlotKind.KEYRING: slots.unlock_keyring,
    }
    for method in (methods[first], *methods.values()):
        opens(profile, slots, method()).close()
    assert slots.kinds() == [SlotKind.PASSPHRASE, SlotKind.KEYRING]
    assert not list(profile.slots_folder.glob("*.new"))


def test_after_a_change_that_was_cut_off_the_old_passphrase_is_wrong_and_nothing_is_corrupt(
    profile: Profile, slots: KeySlots, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(profile, slots, slots.unlock_keyring(), KINDS)
    assert killed_after(0, monkeypatch, lambda: slots.change_passphrase(store.db, PASSPHRASE, "en ny lösenfras"))
    store.close()
    with pytest.raises(WrongPassphrase):
        open_store(profile, slots, slots.unlock_passphrase(PASSPHRASE), KINDS)
    opens(profile, slots, slots.unlock_passphrase("en ny lösenfras")).close()


def test_after_a_change_that_was_cut_off_the_new_passphrase_finishes_it(profile: Profile, slots: KeySlots) -> None:
    """It opens the new slot alone, so only one key comes of it."""
    new = "en ny lösenfras"
    store = open_store(profile, slots, slots.unlock_keyring(), KINDS)
    store.db.rekey(slots.stage([SlotKind.PASSPHRASE, SlotKind.KEYRING], new))
    store.close()
    for _ in range(2):
        opens(profile, slots, slots.unlock_passphrase(new)).close()
    opens(profile, slots, slots.unlock_keyring()).close()


@pytest.mark.parametrize("steps", range(4))
def test_a_removal_that_is_killed_at_any_step_leaves_no_slot_that_opens_nothing(
    profile: Profile, slots: KeySlots, monkeypatch: pytest.MonkeyPatch, steps: int
) -> None:
    store = open_store(profile, slots, slots.unlock_keyring(), KINDS)
    killed_after(steps, monkeypatch, lambda: slots.remove(store.db, SlotKind.KEYRING, passphrase=PASSPHRASE))
    store.close()
    opens(profile, slots, slots.unlock_passphrase(PASSPHRASE)).close()
    assert slots.kinds() == [SlotKind.PASSPHRASE]
    assert sorted(p.name for p in profile.slots_folder.iterdir()) == ["passphrase.slot"]


@pytest.mark.parametrize("passphrase", ["en ny lösenfras", None])
@pytest.mark.parametrize("steps", [0, 1])
def test_the_only_unlock_method_is_written_before_the_others_go(
    profile: Profile, slots: KeySlots, monkeypatch: pytest.MonkeyPatch, passphrase: str | None, steps: int
) -> None:
    keys = slots.unlock_keyring()
    killed = killed_after(steps, monkeypatch, lambda: slots.only(keys.keys[0], passphrase))
    methods: list[Callable[[], StoreKeys]] = [lambda: slots.unlock_passphrase(PASSPHRASE), slots.unlock_keyring]
    if passphrase is not None:
        methods.append(lambda: slots.unlock_passphrase(passphrase))
    opened = 0
    for method in methods:
        try:
            opens(profile, slots, method()).close()
            opened += 1
        except (NoSlot, WrongPassphrase):
            continue
    assert opened == (2 if killed else 1)
    assert killed == (steps < 1)
    if not killed:
        assert slots.kinds() == [SlotKind.KEYRING if passphrase is None else SlotKind.PASSPHRASE]


def test_an_unlock_method_that_cannot_be_made_removes_none(
    profile: Profile, slots: KeySlots, keyring: MemoryKeyring
) -> None:
    key = slots.unlock_keyring().keys[0]
    keyring.locked = True
    with pytest.raises(KeyringLocked):
        slots.only(key, None)
    with pytest.raises(WeakPassphrase):
        slots.only(key, "kort")
    opens(profile, slots, slots.unlock_passphrase(PASSPHRASE)).close()


@pytest.mark.parametrize("found", [b"", bytes(18), b"\xff\xfe\xfd", b"other"])
def test_a_damaged_note_of_a_change_removes_no_unlock_method(profile: Profile, slots: KeySlots, found: bytes) -> None:
    (profile.slots_folder / "settling").write_bytes(found)
    opens(profile, slots, slots.unlock_passphrase(PASSPHRASE)).close()
    opens(profile, slots, slots.unlock_keyring()).close()
    assert slots.kinds() == [SlotKind.PASSPHRASE, SlotKind.KEYRING]


def test_a_slot_that_cannot_take_its_place_is_reported_and_taken_the_next_time(
    profile: Profile, slots: KeySlots, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where a virus scanner holds a file on Windows."""
    new = "en ny lösenfras"
    store = open_store(profile, slots, slots.unlock_keyring(), KINDS)
    real = Path.replace

    def refuse(self: Path, target: Path) -> Path:
        if target.suffix == ".slot":
            raise PermissionError
        return real(self, target)

    with monkeypatch.context() as held:
        held.setattr(Path, "replace", refuse)
        with pytest.raises(StoreUnwritable):
            slots.change_passphrase(store.db, PASSPHRASE, new)
        store.close()
        with pytest.raises(StoreUnwritable):
            open_store(profile, slots, slots.unlock_passphrase(new), KINDS)
    opens(profile, slots, slots.unlock_passphrase(new)).close()
    opens(profile, slots, slots.unlock_keyring()).close()


@pytest.mark.parametrize("act", ["forget", "only"])
def test_a_slot_that_the_disk_refuses_to_remove_is_reported(
    slots: KeySlots, monkeypatch: pytest.MonkeyPatch, act: str
) -> None:
    def locked(*_args: object, **_more: object) -> None:
        raise PermissionError

    monkeypatch.setattr(Path, "unlink", locked)
    with pytest.raises(StoreUnwritable):
        slots.forget() if act == "forget" else slots.only(new_key(), PASSPHRASE)


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
@pytest.mark.parametrize("passphrase", ["en ny lösenfras", None])
def test_a_slot_that_a_full_disk_refuses_says_so_and_removes_none(
    profile: Profile, slots: KeySlots, monkeypatch: pytest.MonkeyPatch, code: int, passphrase: str | None
) -> None:
    def full(_fd: int) -> None:
        raise OSError(code, os.strerror(code))

    key = slots.unlock_keyring().keys[0]
    with monkeypatch.context() as disk:
        disk.setattr(os, "fsync", full)
        with pytest.raises(DiskFull):
            slots.only(key, passphrase)
    opens(profile, slots, slots.unlock_passphrase(PASSPHRASE)).close()
    opens(profile, slots, slots.unlock_keyring()).close()
