# SPDX-License-Identifier: EUPL-1.2
"""How strong a passphrase is said to be, and what policy asks of one."""

from pathlib import Path

import pytest

from app.passphrases import PassphraseRules, Strength, rules_of, strength_of
from app.settings import Settings


@pytest.mark.parametrize(
    ("passphrase", "strength"),
    [
        ("", Strength.WEAK),
        ("aaaaaaaaaaaaaaaaaaaaaaaa", Strength.WEAK),
        ("password1pas", Strength.WEAK),
        ("qwertyuiop12", Strength.WEAK),
        ("444455556666", Strength.FAIR),
        ("blå häst går hem", Strength.STRONG),
        ("🙂 vurma tolv bergen", Strength.STRONG),
    ],
)
def test_a_passphrase_that_many_would_guess_is_weak(passphrase: str, strength: Strength) -> None:
    assert strength_of(passphrase) == strength


@pytest.mark.parametrize("passphrase", ["\0" * 5000, "🙂" * 5000, "a1!" * 5000])
def test_what_is_very_long_is_judged_by_its_first_characters(passphrase: str) -> None:
    assert strength_of(passphrase) == strength_of(passphrase[:20])


def test_both_the_length_and_the_strength_count(tmp_path: Path) -> None:
    usual = rules_of(Settings(tmp_path / "settings.json"))
    assert usual == PassphraseRules(12, Strength.FAIR)
    assert not usual.allow("vurma tolv")
    assert not usual.allow("password1password1")
    assert usual.allow("444455556666")


def test_policy_asks_for_more(tmp_path: Path) -> None:
    strict = rules_of(Settings(tmp_path / "s.json", {"passphrase-length": 20, "passphrase-strength": "strong"}))
    assert strict == PassphraseRules(20, Strength.STRONG)
    assert not strict.allow("blå häst går hem")
    assert not strict.allow("password1password1password")
    assert strict.allow("blå häst går hem igen")


def test_policy_cannot_ask_for_less(tmp_path: Path) -> None:
    loose = rules_of(Settings(tmp_path / "s.json", {"passphrase-length": 3, "passphrase-strength": "weak"}))
    assert loose == PassphraseRules()
