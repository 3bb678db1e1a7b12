# SPDX-License-Identifier: EUPL-1.2
"""Codes that a person reads and types: Crockford base32 in groups of four, the last bits a checksum.

Case, spaces and dashes do not matter; I and L are read as 1, O as 0; U does not occur.
"""

from sync.crypto.kdf import H
from sync.errors import Reject

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_READ_AS = str.maketrans({"I": "1", "L": "1", "O": "0"})
_GROUP = 4


def write(number: int, count: int) -> str:
    """Formats `number` as `count` characters of Crockford's base32, for a person to type. Each has 5 bits, the highest
    bits first, leading zeros too; a dash is put after every four. Only the lowest 5 x `count` bits of `number` are
    written; any higher bits are left out."""
    letters = "".join(_ALPHABET[number >> 5 * i & 31] for i in reversed(range(count)))
    return "-".join(letters[i : i + _GROUP] for i in range(0, count, _GROUP))


def read(text: str, count: int) -> int:
    """Parses the typed code `text`, which must have exactly `count` letters or digits, to its number. Case does not
    matter, and spaces, dashes and other signs are skipped; I and L are read as 1, O as 0. Reject "code" for another
    length, or for a letter that no code has. The checksum is not verified here."""
    letters = "".join(c for c in text.upper() if c.isalnum()).translate(_READ_AS)
    if len(letters) != count or any(c not in _ALPHABET for c in letters):
        raise Reject("code", "length or letters")
    number = 0
    for c in letters:
        number = number << 5 | _ALPHABET.index(c)
    return number


def checked(label: str, secret: int, secret_bits: int, check_bits: int) -> int:
    """Appends a checksum of `check_bits` bits (at most 32) to `secret`, a number of at most `secret_bits` bits, which
    the caller ensures. The checksum is the first bits of H(label ‖ secret), the secret as bytes, highest first: with a
    `label` for each kind of code, a code of another kind does not pass. `check` removes it."""
    return secret << check_bits | _check(label, secret, secret_bits, check_bits)


def check(label: str, number: int, secret_bits: int, check_bits: int) -> int:
    """Removes the checksum of `check_bits` bits from `number`, and returns the secret, a number of `secret_bits` bits.
    `checked` made the number with the same `label`, which names the kind of code. Reject "code" if the checksum does
    not match, or `number` has more bits than both together."""
    secret = number >> check_bits
    if secret >> secret_bits or number != checked(label, secret, secret_bits, check_bits):
        raise Reject("code", "checksum")
    return secret


def _check(label: str, secret: int, secret_bits: int, check_bits: int) -> int:
    digest = H(label, secret.to_bytes(-(-secret_bits // 8), "big"))
    return int.from_bytes(digest[:4], "big") >> 32 - check_bits
