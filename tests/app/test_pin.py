# SPDX-License-Identifier: EUPL-1.2
"""The PIN: which are allowed, how it is stored and tried, and what a guess or a damaged row gets."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.errors import PinSpent, PinWaits, WeakPin, WrongPin
from app.pin import MOST_FAILURES, WAITS_S, Pin, PinState, PinTries, Verifier
from app.pins import MOST, PinFault, PinRules, could_be_pin
from app.profile import Profile
from app.store.keyslots import new_key
from app.store.notes import Notes
from app.store.opening import create_store
from tests.app.store.conftest import KINDS

GOOD = "704915"


@pytest.fixture
def notes(tmp_path: Path) -> Iterator[Notes]:
    profile = Profile.open("pin", tmp_path)
    store = create_store(profile, new_key(), KINDS)
    yield store.notes
    store.close()
    profile.close()


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("pin", "fault"),
    [
        ("", PinFault.LENGTH),
        ("70491", PinFault.LENGTH),
        ("7" + "04915" * 3, PinFault.LENGTH),
        ("70491a", PinFault.DIGITS),
        ("70 915", PinFault.DIGITS),
        ("٧٠٤٩١٥", PinFault.DIGITS),
        ("lösenå", PinFault.DIGITS),
        ("000000", PinFault.REPEATS),
        ("121212", PinFault.REPEATS),
        ("704704", PinFault.REPEATS),
        ("707707", PinFault.REPEATS),
        ("123456", PinFault.ROW),
        ("654321", PinFault.ROW),
        ("890123", PinFault.ROW),
        ("13579135", PinFault.ROW),
        ("112233", PinFault.ROW),
        ("850312", PinFault.DATE),
        ("120385", PinFault.DATE),
        ("19850312", PinFault.DATE),
        ("12031985", PinFault.DATE),
        (GOOD, None),
        ("70491528364", None),
        ("991399", None),
    ],
)
def test_a_pin_that_is_guessed_first_is_refused(pin: str, fault: PinFault | None) -> None:
    assert PinRules().fault(pin) is fault


def test_policy_may_ask_for_more_digits_or_forbid_it() -> None:
    assert PinRules(8).fault(GOOD) is PinFault.LENGTH
    assert PinRules(8).fault(GOOD + "28") is None


@pytest.mark.parametrize(
    ("typed", "is_pin"), [(GOOD, True), ("1" * MOST, True), ("1" * (MOST + 1), False), ("", False)]
)
def test_no_passphrase_is_taken_for_a_pin(typed: str, is_pin: bool) -> None:
    assert could_be_pin(typed) is is_pin


async def test_a_pin_is_stored_as_a_verifier_and_removed(notes: Notes) -> None:
    pin, rules = Pin(notes), PinRules()
    assert pin.state(rules) is PinState.NONE
    await pin.set(GOOD, rules)
    assert pin.state(rules) is PinState.SET
    stored = notes.get("pin")
    assert GOOD not in stored
    assert GOOD.encode().hex() not in stored
    found = pin.verifier(rules)
    assert found is not None
    assert found.fits(GOOD)
    assert not found.fits("704916")
    assert pin.verifier(PinRules(8)) is None, "policy wants more digits"
    assert pin.verifier(PinRules(6, allowed=False)) is None
    pin.remove()
    pin.remove()
    assert pin.state(rules) is PinState.NONE


async def test_attack_nothing_in_a_copied_profile_is_there_to_guess_a_pin_with(notes: Notes, tmp_path: Path) -> None:
    """A million PINs are tried in days. So no key slot is made of one, and its verifier is in the encrypted store
    alone."""
    before = files(tmp_path).keys()
    await Pin(notes).set(GOOD, PinRules())
    stored, made = notes.get("pin"), Pin(notes).verifier(PinRules())
    assert made is not None
    after = files(tmp_path)
    assert after.keys() == before
    for data in after.values():
        assert stored.encode() not in data
        assert made.params.salt not in data
        assert made.derived not in data


def files(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


async def test_a_pin_that_the_rules_refuse_changes_nothing(notes: Notes) -> None:
    pin, rules = Pin(notes), PinRules()
    await pin.set(GOOD, rules)
    before = notes.get("pin")
    for bad, wanted in (("123456", rules), (GOOD, PinRules(6, allowed=False))):
        with pytest.raises(WeakPin):
            await pin.set(bad, wanted)
    assert notes.get("pin") == before


async def test_a_damaged_verifier_lifts_nothing(notes: Notes) -> None:
    pin, rules = Pin(notes), PinRules()
    await pin.set(GOOD, rules)
    whole = notes.get("pin")
    for damaged in ("å", "00", whole[:-2], whole + "00", "02" + whole[2:]):
        notes.set("pin", damaged)
        assert pin.verifier(rules) is None
        assert pin.state(rules) is PinState.UNUSABLE
    for cost in ("ffffffff", "00000001"):  # a hostile cost is not paid
        found = Verifier.parse(whole[:34] + cost + whole[42:])
        assert found is not None
        assert not found.fits(GOOD)


async def test_attack_a_guessed_pin_waits_longer_each_time_and_ends_after_ten(notes: Notes) -> None:
    clock = Clock()
    tries = PinTries(await verifier(notes), clock)
    for n in range(MOST_FAILURES - 1):
        with pytest.raises(WrongPin):
            await tries.check("999999")
        assert tries.wait_s() == WAITS_S[n]
        if WAITS_S[n]:
            with pytest.raises(PinWaits):
                await tries.check(GOOD)
            assert tries.failures == n + 1, "what is not tried is not counted"
        clock.now += WAITS_S[n]
    with pytest.raises(PinSpent):
        await tries.check("999999")
    clock.now += 10_000
    with pytest.raises(PinSpent):
        await tries.check(GOOD)
    assert sorted(WAITS_S) == list(WAITS_S)
    assert len(WAITS_S) == MOST_FAILURES - 1


async def test_attack_tries_that_are_called_off_or_made_at_once_are_counted(notes: Notes) -> None:
    """As when the page that asks is made again, in another language, while a PIN is compared."""
    clock = Clock()
    tries = PinTries(await verifier(notes), clock)
    called_off = asyncio.ensure_future(tries.check("999999"))
    await asyncio.sleep(0)
    called_off.cancel()
    await asyncio.wait([called_off])
    assert tries.failures == 1
    found = await asyncio.gather(*(tries.check(f"99999{n}") for n in range(5)), return_exceptions=True)
    assert [type(fault) for fault in found] == [WrongPin, WrongPin, PinWaits, PinWaits, PinWaits]
    assert (tries.failures, tries.wait_s()) == (3, WAITS_S[2])


async def test_attack_a_clock_that_is_set_does_not_shorten_the_wait(
    notes: Notes, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = PinTries(await verifier(notes))
    for _ in range(2):
        with pytest.raises(WrongPin):
            await tries.check("999999")
    with pytest.raises(WrongPin):
        await tries.check("999999")
    monkeypatch.setattr("time.time", lambda: 0.0)
    monkeypatch.setattr("time.time_ns", lambda: 10**30)
    assert 0 < tries.wait_s() <= WAITS_S[2]
    with pytest.raises(PinWaits):
        await tries.check(GOOD)


async def test_the_right_pin_forgets_the_failures(notes: Notes) -> None:
    tries = PinTries(await verifier(notes))
    with pytest.raises(WrongPin):
        await tries.check("999999")
    await tries.check(GOOD)
    assert (tries.failures, tries.left, tries.wait_s()) == (0, MOST_FAILURES, 0)


async def verifier(notes: Notes) -> Verifier:
    pin = Pin(notes)
    await pin.set(GOOD, PinRules())
    found = pin.verifier(PinRules())
    assert found is not None
    return found
