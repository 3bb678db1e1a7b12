# SPDX-License-Identifier: EUPL-1.2
"""How strong a passphrase is, and what policy asks of one.

The estimate is zxcvbn's: how many guesses it takes somebody who knows common passwords, words, dates and keyboard rows.
It says nothing of words that zxcvbn does not know, such as Swedish ones; so the least length counts beside it.
"""

from dataclasses import dataclass
from enum import IntEnum
from threading import Thread

from app.settings import PASSPHRASE_LENGTH, PASSPHRASE_STRENGTH, Settings

JUDGED = 20
"""So many characters are judged: 4 ms at most for these, and a passphrase whose first 20 are strong is strong."""


class Strength(IntEnum):
    """By the number of guesses: under 10^6, 10^8, 10^10, or more."""

    WEAK = 1
    FAIR = 2
    GOOD = 3
    STRONG = 4


@dataclass(frozen=True, slots=True)
class PassphraseRules:
    """What a new passphrase must be: of `length` characters at least, and of this strength."""

    length: int = PASSPHRASE_LENGTH.default
    strength: Strength = Strength[PASSPHRASE_STRENGTH.default.upper()]

    def judge(self, passphrase: str) -> Strength | None:
        """How strong it is; None if it is too short to be used, however strong."""
        return strength_of(passphrase) if len(passphrase) >= self.length else None

    def permit(self, found: Strength | None) -> bool:
        """Whether a passphrase of which `judge` gave this may be used."""
        return found is not None and found >= self.strength

    def allow(self, passphrase: str) -> bool:
        """Whether it may be used."""
        return self.permit(self.judge(passphrase))


def rules_of(settings: Settings) -> PassphraseRules:
    """What this computer's policy asks."""
    return PassphraseRules(settings.get(PASSPHRASE_LENGTH), Strength[settings.get(PASSPHRASE_STRENGTH).upper()])


def strength_of(passphrase: str) -> Strength:
    """Judges a passphrase that may be typed at the moment."""
    from zxcvbn import zxcvbn

    if not passphrase:
        return Strength.WEAK
    return Strength(max(zxcvbn(passphrase[:JUDGED])["score"], 1))


def prepare() -> None:
    """Reads the word lists in a thread, before the first character is typed."""
    Thread(target=strength_of, args=("a",), daemon=True, name="passphrases").start()
