# SPDX-License-Identifier: EUPL-1.2
"""A smart card as an unlock method: it opens the store, is added and removed, and a damaged file is an error."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from app.card.errors import NoCard, NoCardKey, WrongCard, WrongCardPin
from app.core import log
from app.errors import LastSlot, NoSlot, SlotDamaged, SlotForbidden, StoreCorrupt, WrongPassphrase
from app.lock_settings import ALLOW_CARD
from app.profile import Profile
from app.settings import Settings
from app.store import card_slot
from app.store.keyslots import KeySlots, SlotKind, new_key
from app.store.opening import create_store, open_store
from app.store.slot_file import Slot
from app.unlocking import CardPin, KeyChange, Unlocking
from sync.crypto.card import ECDH, OAEP, PKCS1
from tests.app.store.conftest import KINDS
from tests.app.store.test_keyslots import PASSPHRASE
from tests.memory_keyring import MemoryKeyring
from tests.soft_card import LABEL, MODULE, PIN, SoftCard, needs_softhsm
from tests.world import until

pytestmark = needs_softhsm
NEW = "fyra helt nya ord å"
BY_PIN = CardPin(PIN)


class Opened:
    """A profile with a store and a passphrase, and its reader."""

    def __init__(
        self, profile: Profile, soft_card: SoftCard, policy: dict[str, bool] | None = None, *, module: str = MODULE
    ) -> None:
        self.profile, self.card = profile, soft_card
        self.key = new_key()
        self.slots = KeySlots(profile.slots_folder, profile.id, keyring=MemoryKeyring(), card=soft_card.reader(module))
        self.settings = Settings(profile.settings_path, policy)
        self.slots.allow(self.settings.unlock_kinds())
        self.unlocking = Unlocking(profile, self.settings, self.slots)
        create_store(profile, self.key, KINDS).close()
        self.slots.add_passphrase(self.key, PASSPHRASE)

    async def add(self, key_id: bytes | None = None) -> int:
        """Adds the card that is in the reader; returns how many keys there were to choose from, 0 if it is added."""
        (token,) = await self.unlocking.cards()
        return len(await self.unlocking.add_card(PASSPHRASE, token, PIN, key_id))

    @property
    def path(self) -> Path:
        return self.profile.slots_folder / "card.slot"

    def opens(self) -> bool:
        """Whether the card opens the store."""
        open_store(self.profile, self.slots, self.slots.unlock_card(PIN), KINDS).close()
        return True


@pytest.fixture
def opened(profile: Profile, soft_card: SoftCard) -> Opened:
    return Opened(profile, soft_card)


@pytest.mark.parametrize(("key", "method"), [("rsa", OAEP), ("p256", ECDH)])
async def test_a_card_opens_the_store(opened: Opened, key: str, method: int) -> None:
    opened.card.make(key)
    assert await opened.add() == 0
    assert opened.unlocking.kinds() == [SlotKind.PASSPHRASE, SlotKind.CARD]
    assert card_slot.parse(Slot.parse(SlotKind.CARD, opened.path.read_bytes()).params).method == method
    assert (await opened.unlocking.card()).name == LABEL
    await opened.unlocking.check_card(BY_PIN)
    assert opened.opens()
    assert SlotKind.CARD in opened.unlocking.lifting()


async def test_a_card_of_several_keys_is_added_with_the_chosen_one(opened: Opened) -> None:
    opened.card.make("rsa", "p256")
    assert await opened.add() == 2
    assert not opened.path.exists()
    assert await opened.add(b"\x02") == 0
    assert card_slot.parse(Slot.parse(SlotKind.CARD, opened.path.read_bytes()).params).key_id == b"\x02"
    assert opened.opens()


async def test_a_method_that_the_card_names_and_does_not_carry_out_is_passed_over(
    profile: Profile, soft_card: SoftCard
) -> None:
    soft_card.make("rsa")
    opened = Opened(profile, soft_card, module=soft_card.shim("NO_OAEP"))
    assert await opened.add() == 0
    assert card_slot.parse(Slot.parse(SlotKind.CARD, opened.path.read_bytes()).params).method == PKCS1
    assert opened.opens()


async def test_a_card_that_gives_another_secret_back_is_not_added(profile: Profile, soft_card: SoftCard) -> None:
    """Otherwise it would be an unlock method that opens nothing, and the passphrase could be removed."""
    soft_card.make("rsa")
    opened = Opened(profile, soft_card, module=soft_card.shim("WRONG"))
    with pytest.raises(NoCardKey):
        await opened.add()
    assert opened.unlocking.kinds() == [SlotKind.PASSPHRASE]


async def test_what_cannot_be_added_leaves_no_slot(opened: Opened) -> None:
    opened.card.make()
    (token,) = await opened.unlocking.cards()
    with pytest.raises(NoCardKey):
        await opened.unlocking.add_card(PASSPHRASE, token, PIN)
    with pytest.raises(WrongCardPin):
        await opened.unlocking.add_card(PASSPHRASE, token, "0000")
    with pytest.raises(WrongPassphrase):
        await opened.unlocking.add_card("fel lösenfras", token, PIN)
    opened.card.take_out()
    with pytest.raises(NoCard):
        await opened.unlocking.add_card(PASSPHRASE, token, PIN)
    assert opened.unlocking.kinds() == [SlotKind.PASSPHRASE]
    with pytest.raises(NoSlot):
        await opened.unlocking.card()


async def test_another_card_and_an_empty_reader_open_nothing(opened: Opened) -> None:
    opened.card.make("rsa")
    await opened.add()
    opened.card.take_out()
    with pytest.raises(NoCard):
        await opened.unlocking.card()
    with pytest.raises(NoCard):
        await opened.unlocking.check_card(BY_PIN)
    opened.card.make("rsa", again=True)  # of the same name, with another serial number
    with pytest.raises(WrongCard):
        await opened.unlocking.card()
    with pytest.raises(WrongCard):
        await opened.unlocking.check_card(BY_PIN)


async def test_the_card_stays_through_a_change_of_keys_without_being_asked(opened: Opened) -> None:
    opened.card.make("p256")
    await opened.add()
    await opened.unlocking.add_keyring(PASSPHRASE)
    before = opened.slots.unlock_card(PIN)
    tokens = opened.card.tokens.rename(opened.card.folder / "away")
    opened.unlocking.rekey(KeyChange(current=PASSPHRASE, new=NEW))
    opened.unlocking.rekey(KeyChange(current=NEW, remove=SlotKind.KEYRING))
    tokens.rename(opened.card.tokens)
    assert opened.opens()
    assert opened.slots.unlock_card(PIN) == opened.slots.unlock_passphrase(NEW) != before
    with pytest.raises(StoreCorrupt):
        open_store(opened.profile, opened.slots, before, KINDS)


async def test_a_removed_card_does_not_open_any_more(opened: Opened) -> None:
    opened.card.make("rsa")
    await opened.add()
    kept = opened.path.read_bytes()
    opened.unlocking.rekey(KeyChange(current=PASSPHRASE, remove=SlotKind.CARD))
    with pytest.raises(NoSlot):
        opened.slots.unlock_card(PIN)
    opened.path.write_bytes(kept)
    with pytest.raises(StoreCorrupt):
        opened.opens()


async def test_the_card_alone_is_enough_to_change_the_unlock_methods(opened: Opened) -> None:
    opened.card.make("rsa")
    await opened.add()
    opened.unlocking.rekey(KeyChange(current=BY_PIN, remove=SlotKind.PASSPHRASE))
    assert opened.unlocking.kinds() == [SlotKind.CARD]
    assert opened.opens()
    with pytest.raises(LastSlot):
        opened.unlocking.rekey(KeyChange(current=BY_PIN, remove=SlotKind.CARD))
    await opened.unlocking.add_passphrase(NEW, BY_PIN)
    await opened.unlocking.add_keyring(BY_PIN)
    assert opened.slots.unlock_passphrase(NEW) == opened.slots.unlock_keyring() == opened.slots.unlock_card(PIN)


async def test_attack_a_slot_that_somebody_else_wrote_gets_no_new_key(opened: Opened, tmp_path: Path) -> None:
    """▲ Somebody who may write files here, and has no key, puts the slot of a card of their own in the place of the
    owner's. At the next change of the passphrase they would get the database key."""
    opened.card.make("rsa")
    await opened.add()
    real = opened.path.read_bytes()
    params = card_slot.parse(Slot.parse(SlotKind.CARD, real).params)
    theirs = card_slot.new_params  # the same code, with a database key that they made up
    (token,) = await opened.unlocking.cards()
    with opened.slots.card.logged_in(token, PIN) as talk:
        made, _ = theirs(talk, token, talk.list_keys(), new_key(), opened.profile.id)
    assert card_slot.parse(made).public == params.public
    opened.path.write_bytes(Slot(SlotKind.CARD, made, bytes(104)).to_bytes())
    with pytest.raises(SlotDamaged):
        opened.unlocking.rekey(KeyChange(current=PASSPHRASE, new=NEW))
    opened.slots.unlock_passphrase(PASSPHRASE)
    opened.unlocking.rekey(KeyChange(current=PASSPHRASE, remove=SlotKind.CARD))
    opened.slots.unlock_passphrase(PASSPHRASE)


async def test_attack_another_card_with_a_slot_of_its_own_lifts_no_curtain(opened: Opened, tmp_path: Path) -> None:
    """Somebody who may write files here sits down at the covered computer, with a card and its slot, whose database key
    they made up."""
    opened.card.make("rsa")
    await opened.add()
    assert opened.opens()
    await opened.unlocking.check_card(BY_PIN)
    opened.card.take_out()
    opened.card.make("p256")
    theirs = KeySlots(tmp_path / "theirs", opened.profile.id, card=opened.card.reader())
    (token,) = theirs.card.list_tokens()
    theirs.add_card(new_key(), token, PIN)
    (tmp_path / "theirs" / "card.slot").replace(opened.path)
    with pytest.raises(SlotDamaged):
        await opened.unlocking.check_card(BY_PIN)


async def test_a_damaged_slot_is_an_error_wherever_it_is_damaged(opened: Opened) -> None:
    opened.card.make("p256")
    await opened.add()
    whole = opened.path.read_bytes()
    params = Slot.parse(SlotKind.CARD, whole).params
    fields = card_slot.parse(params)
    ends = len(whole) - len(Slot.parse(SlotKind.CARD, whole).sealed)
    regions = [
        0, 6, 7, 8, 10, 11,  # magic, version, kind, length of the parameters, the list, its own version
        whole.index(fields.token.serial.encode()), whole.index(fields.public) + 30, whole.index(fields.blob) + 40,
        whole.index(fields.proof) + 3, ends - 1, ends + 5, len(whole) - 1,
    ]  # fmt: skip
    for place in regions:
        opened.path.write_bytes(whole[:place] + bytes((whole[place] ^ 1,)) + whole[place + 1 :])
        with pytest.raises(SlotDamaged):
            opened.slots.unlock_card(PIN)
    for cut in (0, 5, 9, 40, ends, len(whole) - 1):
        opened.path.write_bytes(whole[:cut])
        with pytest.raises(SlotDamaged):
            opened.slots.unlock_card(PIN)
    opened.path.write_bytes(whole)
    assert opened.opens()


async def test_policy_forbids_the_card(profile: Profile, soft_card: SoftCard) -> None:
    opened = Opened(profile, soft_card, {ALLOW_CARD.key: False})
    soft_card.make("rsa")
    (token,) = await opened.unlocking.cards()
    with pytest.raises(SlotForbidden):
        await opened.unlocking.add_card(PASSPHRASE, token, PIN)
    assert not opened.unlocking.allowed(SlotKind.CARD)


async def test_a_card_that_policy_has_forbidden_since_opens_until_it_is_replaced(opened: Opened) -> None:
    opened.card.make("rsa")
    await opened.add()
    opened.slots.allow(["passphrase"])
    assert opened.unlocking.kinds() == [SlotKind.PASSPHRASE]
    with pytest.raises(SlotForbidden):
        await opened.unlocking.check_card(BY_PIN)
    opened.slots.allow(list(SlotKind))
    opened.unlocking.rekey(KeyChange(current=BY_PIN, remove=SlotKind.PASSPHRASE))
    opened.slots.allow(["passphrase"])
    assert opened.unlocking.forbidden is SlotKind.CARD
    await opened.unlocking.check_card(BY_PIN)
    with pytest.raises(WrongCardPin):
        opened.unlocking.replace(CardPin("0000"), NEW)
    keys = opened.unlocking.replace(BY_PIN, NEW)
    assert opened.unlocking.kinds() == [SlotKind.PASSPHRASE]
    assert opened.slots.unlock_passphrase(NEW) == keys


async def test_a_silent_key_store_is_not_asked_after_a_curtain_that_the_card_lifts(opened: Opened) -> None:
    opened.card.make("rsa")
    await opened.add()
    await opened.unlocking.add_keyring(PASSPHRASE)
    opened.unlocking.rekey(KeyChange(current=BY_PIN, remove=SlotKind.PASSPHRASE))
    assert opened.unlocking.lifting() == opened.unlocking.known_lifting() == [SlotKind.CARD]
    opened.unlocking.note_covered()
    assert opened.unlocking.opening() == [SlotKind.CARD]
    opened.unlocking.note_lifted()
    assert set(opened.unlocking.opening()) == {SlotKind.KEYRING, SlotKind.CARD}


async def test_calling_off_ends_the_process_that_has_the_card(opened: Opened) -> None:
    opened.card.make("p256")
    await opened.add()
    reader = opened.card.reader(opened.card.shim("HANG"), answer_s=100.0)
    slots = KeySlots(opened.profile.slots_folder, opened.profile.id, card=reader)
    task = asyncio.create_task(Unlocking(opened.profile, opened.settings, slots).check_card(BY_PIN))
    await until(opened.card.tries.exists)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until(lambda: not reader.is_used)


async def test_calling_off_a_replacement_ends_the_process_that_has_the_card(opened: Opened) -> None:
    """Otherwise somebody who quits would wait for the PIN pad, and the method could be replaced after they have
    left."""
    opened.card.make("p256")
    await opened.add()
    opened.unlocking.rekey(KeyChange(current=BY_PIN, remove=SlotKind.PASSPHRASE))
    reader = opened.card.reader(opened.card.shim("HANG"), answer_s=100.0)
    slots = KeySlots(opened.profile.slots_folder, opened.profile.id, card=reader, allowed=["passphrase"])
    unlocking = Unlocking(opened.profile, opened.settings, slots)
    task = asyncio.create_task(unlocking.replaced(BY_PIN, NEW))
    await until(opened.card.tries.exists)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until(lambda: not reader.is_used)
    assert unlocking.kinds() == [SlotKind.CARD]
    assert opened.opens()


async def test_neither_pin_nor_secret_is_in_a_file_or_the_log(
    opened: Opened, tmp_path: Path, capfd: pytest.CaptureFixture[str], request: pytest.FixtureRequest
) -> None:
    log.start(tmp_path / "log", "debug")
    request.addfinalizer(log.stop)
    opened.card.make("rsa")
    await opened.add()
    keys = opened.slots.unlock_card(PIN)
    params = card_slot.parse(Slot.parse(SlotKind.CARD, opened.path.read_bytes()).params)
    with pytest.raises(WrongCardPin):
        opened.slots.unlock_card("9999-canary")
    with opened.slots.card.logged_in(params.token, PIN) as talk:
        secret = talk.unwrap(params.key_id, params.public, params.method, params.blob)
        wrapping = params.wrapping_key(talk)
    needles = _forms(PIN.encode(), b"9999-canary", secret, wrapping, *keys.keys)
    captured = capfd.readouterr()
    found = [captured.out.encode(), captured.err.encode()]
    for folder in (opened.profile.folder, tmp_path / "log"):
        files = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
        assert files
        found += files
    assert not [needle for needle in needles for text in found if needle in text]


def _forms(*values: bytes) -> Sequence[bytes]:
    return [form for value in values for form in (value, value.hex().encode())]
