# SPDX-License-Identifier: EUPL-1.2
"""Swedish order for lists of names: å, ä, ö after z, other accents as their base letter, case last."""

import unicodedata

_SWEDISH = {"å": "{", "ä": "|", "æ": "|", "ö": "}", "ø": "}"}  # the three code points after z
_PLAIN = {"ß": "ss", "ð": "d", "đ": "d", "þ": "th", "ł": "l", "œ": "}", "ü": "y"}  # ü as y: the Swedish alphabet's rule


def swedish_key(text: str) -> tuple[str, str]:
    """A key for sorting names in Swedish order: the letters first, then the text itself, so that no two texts are
    equal."""
    letters: list[str] = []
    for char in unicodedata.normalize("NFC", text).casefold():
        if char in _SWEDISH:
            letters.append(_SWEDISH[char])
        elif char in _PLAIN:
            letters.append(_PLAIN[char])
        else:
            letters.append("".join(c for c in unicodedata.normalize("NFD", char) if not unicodedata.combining(c)))
    return "".join(letters), text
