# SPDX-License-Identifier: EUPL-1.2
"""Other people's texts in the form in which they may be shown: names on one line, longer texts on several.

A name that reaches a list, a menu, a title or a notification goes through `one_line` where it is read from a record. It
keeps letters of every script, marks and emoji. It removes what changes how the rest is read without being seen:
direction overrides, control characters, zero-width and blank characters, and piles of combining marks that cover the
lines above. Otherwise "rapport<U+202E>fdp.exe" would be painted as "rapportexe.pdf".
"""

import re
import unicodedata

MAX_NAME = 200
_MAX_MARKS = 4
"""Combining marks on one letter. Written languages need up to three."""

_ORDINARY = re.compile(
    "[ -~\u00a1-\u00ac\u00ae-\u02ff\u0370-\u03ff\u0400-\u0482\u048a-\u052f\u2010-\u2027\u2030-\u205e\u20a0-\u20bf"
    "\u2100-\u23ff\u2500-\u27ff\U0001f300-\U0001f64f\U0001f680-\U0001f6ff\U0001f900-\U0001faff]*"
)
"""Text in which nothing can be hidden: letters of Europe, punctuation, single emoji. Nearly all names pass this test,
in 2 µs; other names take 1 µs a character."""
_SPACES = re.compile(r"[\s\x85\u2028\u2029]+")
_FLAG = re.compile("(\U0001f3f4[\U000e0020-\U000e007e]{1,6}\U000e007f)")
"""The flags of England, Scotland and Wales are spelt with invisible tags behind a black flag."""
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\ufffc\U0001d159")
"""Characters of visible categories that paint nothing (or, U+FFFC, mark an object that is not there)."""
_NON_JOINER, _JOINER = "\u200c", "\u200d"
_EMOJI = range(0x1F000, 0x1FB00)
"""Characters newer than this Python's Unicode tables are unassigned in them, and are shown all the same."""
_HIDDEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff]")
_DIRECTION = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_BREAKS = re.compile(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]")


def one_line(text: str, limit: int = MAX_NAME) -> str:
    """`text` as a name that is safe to show: one line of at most `limit` code points, composed (NFC), without control
    characters, blank and zero-width characters, direction marks and piles of combining marks. May be "". A second call
    changes nothing."""
    if _ORDINARY.fullmatch(text):
        return " ".join(text.split())[:limit].rstrip()
    composed = unicodedata.normalize("NFC", _SPACES.sub(" ", text[: 4 * limit]))
    kept = unicodedata.normalize("NFC", _kept(composed))
    shown = " ".join(kept.split())
    return shown if len(shown) <= limit else _kept(shown[:limit]).rstrip()


def paragraphs(text: str) -> str:
    """`text` on as many lines as it has, without control characters and explicit direction marks. Tabs stay; every kind
    of line break becomes "\\n".

    Invisible marks that only help right-to-left scripts (U+200E, U+200F) stay: they cannot reorder a whole line.
    """
    if _HIDDEN.search(text) is None:
        return text
    return _HIDDEN.sub("", _BREAKS.sub("\n", text))


def reorders(text: str) -> bool:
    """Whether `text` has marks that set the direction of the characters around them."""
    return _DIRECTION.search(text) is not None


def hides(text: str) -> bool:
    """Whether `text` has characters that reorder its letters or that nobody sees."""
    return _ORDINARY.fullmatch(text) is None and _kept(text) != text


def _kept(text: str) -> str:
    out: list[str] = []
    for at, part in enumerate(_FLAG.split(text)):
        if at % 2:
            out.append(part)
        else:
            _keep(part, out)
    return "".join(out)


def _keep(text: str, out: list[str]) -> None:
    """Adds to `out` those characters of `text`, a part of a longer text, that may be shown. `out` has the characters
    before it: on the last of them it depends whether an invisible joiner, or a mark that chooses a picture, is kept.
    More than 4 combining marks on one letter are left out."""
    marks = 0
    for at, char in enumerate(text):
        category = unicodedata.category(char)
        if _is_shown(char, category, out[-1][-1] if out else "", text[at + 1 : at + 2]):
            marks = marks + 1 if category in ("Mn", "Me") else 0
            if marks <= _MAX_MARKS:
                out.append(char)


def _is_shown(char: str, category: str, before: str, after: str) -> bool:
    if char in (_NON_JOINER, _JOINER):
        return _joins(char, before, after)
    if "\ufe00" <= char <= "\ufe0f" or "\U000e0100" <= char <= "\U000e01ef":  # a choice between text and picture
        return char in "\ufe0e\ufe0f" and (_is_picture(before) or before in tuple("0123456789#*©®‼⁉™ℹ〰〽㊗㊙"))
    if category == "Cn":
        return ord(char) in _EMOJI
    return category not in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp") and char not in _BLANK


def _joins(char: str, before: str, after: str) -> bool:
    """Whether the invisible joiner or non-joiner `char` (U+200D, U+200C) has an effect between the characters `before`
    and `after` ("" at an end): a joiner inside an emoji, or either between two letters of a script that joins them
    (Arabic to Sinhala)."""
    if char == _JOINER and _is_picture(after):
        return _is_picture(before) or before == "\ufe0f"
    shapes = "\u0600" <= before <= "\u0dff" and "\u0600" <= after <= "\u0dff"
    return shapes and unicodedata.category(after).startswith("L")


def _is_picture(char: str) -> bool:
    if not char or char in _BLANK:
        return False
    return ord(char) in _EMOJI or ("\u2190" <= char <= "\u2bff" and unicodedata.category(char) in ("So", "Sm"))
