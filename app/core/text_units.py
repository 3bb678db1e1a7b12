# SPDX-License-Identifier: EUPL-1.2
"""The only converter between the three ways of counting text.

Qt counts UTF-16 units, Python code points, pycrdt UTF-8 bytes: "å" is 1, 1, 2 and "🙂" is 2, 1, 4.
A position inside a character (between the halves of a surrogate pair) is moved to the character's start.
All functions clamp positions to the text's ends; negative positions are a ValueError.
"""


def utf16_len(text: str) -> int:
    """How many UTF-16 units the text takes."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def utf8_len(text: str) -> int:
    """How many UTF-8 bytes the text takes."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def point_from_utf16(text: str, pos_utf16: int) -> int:
    """Converts a position in `text` from UTF-16 units (`pos_utf16`) to code points. Inside a character: the character's
    start. Behind the end: the end. ValueError if negative."""
    _check(pos_utf16)
    if text.isascii():
        return min(pos_utf16, len(text))
    head = text.encode("utf-16-le", "surrogatepass")[: 2 * pos_utf16]
    if len(head) >= 2 and 0xD8 <= head[-1] <= 0xDB and not _ends_in_lone_high(text, pos_utf16):
        head = head[:-2]
    return len(head.decode("utf-16-le", "surrogatepass"))


def utf16_from_point(text: str, pos: int) -> int:
    """Converts a position in `text` from code points (`pos`) to UTF-16 units. Behind the end: the end. ValueError if
    negative."""
    _check(pos)
    return utf16_len(text[:pos])


def point_from_utf8(text: str, pos_utf8: int) -> int:
    """Converts a position in `text` from UTF-8 bytes (`pos_utf8`) to code points. Inside a character: the character's
    start. Behind the end: the end. ValueError if negative."""
    _check(pos_utf8)
    if text.isascii():
        return min(pos_utf8, len(text))
    raw = text.encode("utf-8", "surrogatepass")
    end = min(pos_utf8, len(raw))
    while end < len(raw) and raw[end] & 0xC0 == 0x80:
        end -= 1
    return len(raw[:end].decode("utf-8", "surrogatepass"))


def utf8_from_point(text: str, pos: int) -> int:
    """Converts a position in `text` from code points (`pos`) to UTF-8 bytes. Behind the end: the end. ValueError if
    negative."""
    _check(pos)
    return utf8_len(text[:pos])


def utf8_from_utf16(text: str, pos_utf16: int) -> int:
    """UTF-8 position of a UTF-16 position."""
    return utf8_from_point(text, point_from_utf16(text, pos_utf16))


def utf16_from_utf8(text: str, pos_utf8: int) -> int:
    """UTF-16 position of a UTF-8 position."""
    return utf16_from_point(text, point_from_utf8(text, pos_utf8))


def clean(text: str) -> str:
    """The text with lone surrogates replaced: what can be stored, sent and shown."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _ends_in_lone_high(text: str, pos_utf16: int) -> bool:
    """For a UTF-16 position behind a high surrogate: whether that is a lone one, so that a character of `text` ends
    there. False if the position is between the two halves of a character. True at and behind the end of `text`."""
    seen = 0
    for char in text:
        seen += 2 if ord(char) > 0xFFFF else 1
        if seen >= pos_utf16:
            return seen == pos_utf16
    return True


def _check(pos: int) -> None:
    if pos < 0:
        raise ValueError("negative position")
