# SPDX-License-Identifier: EUPL-1.2
"""How strong a passphrase is, and what policy requires.

The estimate is zxcvbn's: how many guesses an attacker needs who knows common passwords, words, dates and keyboard rows.
It does not know other words, such as Swedish ones; so the least length counts beside it.
"""

from dataclasses import dataclass
from enum import IntEnum
from threading import Thread

from app.settings import PASSPHRASE_LENGTH, PASSPHRASE_STRENGTH, Settings

JUDGED = 20
"""How many characters are judged: these take 4 ms at most, and a passphrase whose first 20 are strong is strong."""


class Strength(IntEnum):
    """How strong a passphrase is, by the number of guesses that it takes: under 10^6 (WEAK), 10^8, 10^10, or more
    (STRONG)."""

    WEAK = 1
    FAIR = 2
    GOOD = 3
    STRONG = 4


@dataclass(frozen=True, slots=True)
class PassphraseRules:
    """The requirements on a new passphrase: at least `length` characters, and at least this strength."""

    length: int = PASSPHRASE_LENGTH.default
    strength: Strength = Strength[PASSPHRASE_STRENGTH.default.upper()]

    def judge(self, passphrase: str) -> Strength | None:
        """How strong a passphrase is; None if it is shorter than `length`, however strong."""
        return strength_of(passphrase) if len(passphrase) >= self.length else None

    def permit(self, found: Strength | None) -> bool:
        """Whether a passphrase with this result of `judge` may be used."""
        return found is not None and found >= self.strength

    def allow(self, passphrase: str) -> bool:
        """Whether the passphrase may be used."""
        return self.permit(self.judge(passphrase))


def rules_of(settings: Settings) -> PassphraseRules:
    """The requirements of this computer's policy."""
    return PassphraseRules(settings.get(PASSPHRASE_LENGTH), Strength[settings.get(PASSPHRASE_STRENGTH).upper()])


def strength_of(passphrase: str) -> Strength:
    """How strong a passphrase is, for showing it while it is typed."""
    from zxcvbn import zxcvbn

    if not passphrase:
        return Strength.WEAK
    return Strength(max(zxcvbn(passphrase[:JUDGED])["score"], 1))


def prepare() -> None:
    """Reads the word lists in a thread, before the first character is typed."""
    Thread(target=strength_of, args=("a",), daemon=True, name="passphrases").start()
