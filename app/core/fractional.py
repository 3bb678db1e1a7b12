# SPDX-License-Identifier: EUPL-1.2
"""Order keys between order keys: strings whose plain comparison is the order of a list.

A key is a whole part of fixed length for its head letter (`a0` … `az`, `b00` …; `Z…` below) and a fraction, so that
appending a thousand times does not make a key of a thousand characters (Greenspan, "Implementing fractional
indexing", 2020). A few random digits at the end keep two people's simultaneous inserts from getting the same key.
"""

import secrets
from collections.abc import Callable

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
JITTER = 3
_FIRST = "a0"
_LOWEST = "A" + "0" * 26


def between(low: str | None, high: str | None, jitter: Callable[[], str] | None = None) -> str:
    """A new sort key strictly between `low` and `high`; None is the beginning or the end of the list. ValueError if
    `low >= high`, if one of them is no sort key, or if no key is between them (such as "a0" and "a00"). `jitter`
    returns the random digits at its end (for tests); they are left out where they do not fit below `high`."""
    if low is not None and high is not None and low >= high:
        raise ValueError("keys out of order")
    key = _between(low, high)
    if high is not None and key >= high:  # only a colleague's program writes such a `high`
        raise ValueError("no key below")
    digits = (jitter or _random_digits)()
    spread = (key + digits).rstrip("0") if digits else key
    return spread if spread > key and (high is None or spread < high) else key


def spread(count: int) -> list[str]:
    """Makes `count` sort keys in rising order, for the entries of a new list; [] for 0."""
    keys: list[str] = []
    for _ in range(count):
        keys.append(between(keys[-1] if keys else None, None))
    return keys


def _random_digits() -> str:
    return "".join(secrets.choice(DIGITS) for _ in range(JITTER))


def _between(low: str | None, high: str | None) -> str:
    if low is None and high is None:
        return _FIRST
    if low is None:
        assert high is not None  # noqa: S101 - narrows the type
        whole = _whole(high)
        if whole == _LOWEST:
            return whole + _middle("", high[len(whole) :])
        return whole if whole < high else (_step(whole, -1) or _LOWEST)
    whole = _whole(low)
    fraction = low[len(whole) :]
    if high is None:
        return _step(whole, 1) or whole + _middle(fraction, None)
    high_whole = _whole(high)
    if whole == high_whole:
        return whole + _middle(fraction, high[len(high_whole) :])
    stepped = _step(whole, 1)
    return stepped if stepped is not None and stepped < high else whole + _middle(fraction, None)


def _whole(key: str) -> str:
    head = key[:1]
    if "a" <= head <= "z":
        length = ord(head) - ord("a") + 2
    elif "A" <= head <= "Z":
        length = ord("Z") - ord(head) + 2
    else:
        raise ValueError("not an order key")
    if len(key) < length:
        raise ValueError("not an order key")
    return key[:length]


def _step(whole: str, by: int) -> str | None:
    """The whole part of a sort key that follows `whole` (`by` 1) or precedes it (`by` -1); None where there is none."""
    head, digits = whole[0], list(whole[1:])
    wrap, edge = ("0", "z") if by > 0 else ("z", "0")
    for i in reversed(range(len(digits))):
        if digits[i] != edge:
            digits[i] = DIGITS[DIGITS.index(digits[i]) + by]
            return head + "".join(digits)
        digits[i] = wrap
    if head == ("z" if by > 0 else "A"):
        return None
    if head == ("Z" if by > 0 else "a"):
        return "a0" if by > 0 else "Zz"
    longer = (head >= "a") == (by > 0)
    digits = [*digits, wrap] if longer else digits[1:]
    return chr(ord(head) + by) + "".join(digits)


def _middle(low: str, high: str | None) -> str:
    """A fraction strictly between `low` and `high`, without trailing zeros. Each is a text of digits (0–9, A–Z, a–z)
    behind the point; `low` "" is 0, `high` None is 1. ValueError for another character.

    `low` must be below `high`, and `high` must not end in 0; otherwise the result is not between them."""
    head = ""
    if high is not None:
        same = 0
        while same < len(high) and (low[same : same + 1] or "0") == high[same]:
            same += 1
        head, low, high = high[:same], low[same:], high[same:]
    while True:  # ▲ no recursion: a colleague's key may have thousands of digits
        first = DIGITS.index(low[0]) if low else 0
        last = DIGITS.index(high[0]) if high else len(DIGITS)
        if last - first > 1:
            return head + DIGITS[(first + last) // 2]
        if high is not None and len(high) > 1:
            return head + high[0]
        head, low, high = head + DIGITS[first], low[1:], None
