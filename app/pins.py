# SPDX-License-Identifier: EUPL-1.2
"""Decides which PINs are allowed. A PIN lifts the curtain of a running program and opens no store
(docs/decisions/0027)."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import pairwise

from app.lock_settings import ALLOW_PIN, PIN_LENGTH
from app.settings import Settings

MOST = 11
"""The longest PIN. The shortest passphrase has one character more, so one field takes both."""
_LEAST_DIFFERENT = 3


class PinFault(StrEnum):
    """Why a PIN may not be used: it is too short or too long, has other characters than digits, is a row (123456), has
    fewer than three different digits or is one part repeated (000000, 123123), or is a date (850312)."""

    LENGTH = "length"
    DIGITS = "digits"
    ROW = "row"
    REPEATS = "repeats"
    DATE = "date"


@dataclass(frozen=True, slots=True)
class PinRules:
    """The requirements on a PIN: at least `length` digits, at most MOST, and no PIN that is guessed first (`PinFault`).
    `allowed`: whether policy allows any PIN; `fault` does not check that."""

    length: int = PIN_LENGTH.default
    allowed: bool = True

    def fault(self, pin: str) -> PinFault | None:
        """Why `pin` may not be used; None if it may. Of several faults it returns the first in this order: DIGITS,
        LENGTH, REPEATS, ROW, DATE. So a person who is typing learns of a row or a date only once the PIN is long
        enough."""
        if pin and not is_digits(pin):
            return PinFault.DIGITS
        if not self.length <= len(pin) <= MOST:
            return PinFault.LENGTH
        if _repeats(pin):
            return PinFault.REPEATS
        if _is_row(pin):
            return PinFault.ROW
        return PinFault.DATE if _is_date(pin) else None


def pin_rules(settings: Settings) -> PinRules:
    """The requirements on a PIN that the settings have now; only policy changes them."""
    return PinRules(settings.get(PIN_LENGTH), settings.get(ALLOW_PIN))


def is_digits(text: str) -> bool:
    """Whether `text` is not empty and consists of the digits 0 to 9 alone."""
    return text.isascii() and text.isdigit()


def could_be_pin(text: str) -> bool:
    """Whether `text`, which was typed, can only be meant as a PIN: digits, and shorter than any passphrase."""
    return is_digits(text) and len(text) <= MOST


def _repeats(pin: str) -> bool:
    """Whether it has fewer than three different digits, or is one part again and again (123123)."""
    parts = (pin[:n] for n in range(1, len(pin) // 2 + 1) if len(pin) % n == 0)
    return len(set(pin)) < _LEAST_DIFFERENT or any(part * (len(pin) // len(part)) == pin for part in parts)


def _is_row(pin: str) -> bool:
    """Whether each digit is as far from the one before (123456, 987654, 135790, 246802), also if digits are doubled
    (112233)."""
    digits = [int(digit) for n, digit in enumerate(pin) if n == 0 or pin[n - 1] != digit]
    return len({(after - before) % 10 for before, after in pairwise(digits)}) <= 1


def _is_date(pin: str) -> bool:
    """Whether it is a day, as people write birthdays: year month day or day month year, with two or four digits of the
    year."""
    if len(pin) == 6:
        found = (("20" + pin[:2], pin[2:4], pin[4:]), ("20" + pin[4:], pin[2:4], pin[:2]))
    elif len(pin) == 8:
        found = ((pin[:4], pin[4:6], pin[6:]), (pin[4:], pin[2:4], pin[:2]))
    else:
        return False
    return any(_is_day(*parts) for parts in found)


def _is_day(year: str, month: str, day: str) -> bool:
    try:
        return 1900 <= date(int(year), int(month), int(day)).year <= 2099
    except ValueError:
        return False
