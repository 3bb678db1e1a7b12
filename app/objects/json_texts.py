# SPDX-License-Identifier: EUPL-1.2
"""Reads over the JSON texts in a CRDT's update. It checks their form and keeps none.

It does not recurse: it counts how deep a value is. It stops after `PIECE` steps, and reads long strings, numbers and
white space in stretches, so that a caller can let the loop run.
"""

import hashlib
import json
import re
from collections.abc import Generator, Iterator

from app.objects.lib0 import STRETCH, BadUpdate, Reader
from app.objects.values import MAX_DEPTH, new_key

_INSIDE = (
    rb'(?:[^"\\\x00-\x1f]++|\\(?:["\\/bfnrt]|u(?:[0-9a-cA-Ce-fE-F][0-9a-fA-F]{3}|[dD][0-7][0-9a-fA-F]{2}'
    rb"|[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})))*+"
)
"""The characters that a string may have. An escaped surrogate must be followed by its other half."""
_CHARACTERS, _SPACE, _DIGITS, _ZEROS = map(re.compile, (_INSIDE, rb"[ \t\n\r]*+", rb"[0-9]*+", rb"0*+"))
_TOKEN = re.compile(
    rb'[ \t\n\r]*+(?:([\[\]{},:])|("' + _INSIDE + rb'")'
    rb"|(-?(?:0|[1-9][0-9]*+)(\.[0-9]++)?+([eE][+-]?[0-9]++)?+)|(?:true|false|null))"
)
_AFTER_NUMBER = 3
"""How many bytes behind a number's digits show whether it continues."""
_LIST, _LIST_END, _MAP, _MAP_END, _COMMA, _COLON = b"[]{},:"
_STRING, _PLAIN = b'"n'
_POINT, _MINUS, _ZERO = b".-0"
_MOST_DIGITS = 400
"""How many digits of a number are read. The least number that is infinite is a whole one of 309 digits."""
_SIMPLE = frozenset((b"true", b"false", b"null"))


def skip_json(read: Reader) -> Iterator[None]:
    """Checks that the next text, which has its length before it, is valid JSON and moves the reader behind it. Works in
    steps; BadUpdate "json", "depth", "twice" or "text" if it is not valid, "truncated" or another rule of numbers if
    its length is not, "total" if the update holds too much."""
    start = read.at
    size = read.size()
    begin = read.at
    for _ in read.texts(start, size):
        if read.tired():
            yield
    if read.data[begin : min(read.at, begin + 6)] not in _SIMPLE:
        yield from _Json(read, begin, start).run()


class _Json:
    """Checks one JSON text in an update, from byte `begin` to the reader's position. Errors name byte `start`, where
    the length before the text begins."""

    __slots__ = ("_at", "_data", "_end", "_first", "_key", "_read", "_start")

    def __init__(self, read: Reader, begin: int, start: int) -> None:
        self._read, self._data = read, read.data
        self._at, self._end, self._start = begin, read.at, start
        self._first = begin
        """Where the last token began, if it was a string that `_quick` read."""
        self._key = b""
        """The last string, if `_slow` read it as a key."""

    def run(self) -> Iterator[None]:
        """Checks the whole text, in steps. Raises BadUpdate if it is not valid JSON, is nested too deep, has a key
        twice in a map, or if the update holds too much."""
        read = self._read
        stack: list[set[str | bytes] | None] = []  # a map's keys so far, None for a list
        while True:
            kind = self._quick() or (yield from self._slow())
            if kind in (_LIST, _MAP):
                if len(stack) == MAX_DEPTH:
                    raise BadUpdate("depth", self._start)
                stack.append(set() if kind == _MAP else None)
                end = _MAP_END if kind == _MAP else _LIST_END
                if not (done := self._ends(end)) and self._data[self._at : self._at + 1].isspace():
                    yield from self._over(_SPACE)
                    done = self._ends(end)
                if done:
                    stack.pop()
            elif kind in (_STRING, _PLAIN):
                done = True
            else:
                raise self._bad()
            while done and stack:
                kind = self._quick() or (yield from self._slow())
                if kind == _COMMA:
                    break
                if kind != (_LIST_END if stack[-1] is None else _MAP_END):
                    raise self._bad()
                stack.pop()
            if not stack:
                break
            if (keys := stack[-1]) is not None:
                yield from self._new_key(keys)
            read.spend(1)
            if read.tired(5):
                yield from self._pause()
        yield from self._over(_SPACE)
        if self._at != self._end:
            raise self._bad()

    def _bad(self) -> BadUpdate:
        return BadUpdate("json", self._start)

    def _pause(self) -> Iterator[None]:
        """One pause of the check: a generator that yields once, so that the event loop can run; use it with `yield
        from`. During the pause the reader's position is how far the check has come, afterwards it is the end of the
        JSON text again."""
        self._read.at = self._at
        yield
        self._read.at = self._end

    def _ends(self, mark: int) -> bool:
        """Whether the next byte of the JSON is the character code `mark`; False at its end. If so, moves behind it."""
        found = self._at < self._end and self._data[self._at] == mark
        self._at += found
        return found

    def _quick(self) -> int:
        """Moves over the next token if it is short, and returns its kind: the byte of a punctuation mark, _STRING, or
        _PLAIN for a number, true, false or null. Returns 0 and does not move if no token follows, or if the token may
        be longer than STRETCH: then `_slow` decides. BadUpdate for a number that is too large."""
        at, limit, end = self._at, self._at + STRETCH, self._end
        if limit >= end:
            found = _TOKEN.match(self._data, at, end)
        elif (found := _TOKEN.match(self._data, at, limit)) is not None and found.end() > limit - _AFTER_NUMBER:
            found = None
        if found is None:
            return 0
        self._at = found.end()
        if (which := found.lastindex) == 1:
            return self._data[self._at - 1]
        self._read.work += self._at - at >> 4
        if which == 2:
            self._first = found.start(2)
            return _STRING
        if which == 3:
            self._check_number(found[3], found[4] is None and found[5] is None)
        return _PLAIN

    def _slow(self, *, key: bool = False) -> Generator[None, None, int]:
        """Moves over the next token, however long it is, and returns its kind: the byte of a punctuation mark, _STRING,
        or _PLAIN for a number, true, false or null. `key`: it should be a map's key, which is then noted in `_key`.
        BadUpdate "json" if no valid token follows."""
        yield from self._over(_SPACE)
        first = self._data[self._at] if self._at < self._end else 0
        if first == _STRING:
            self._at += 1
            yield from self._string(key)
            return _STRING
        if first == _MINUS or _ZERO <= first <= _ZERO + 9:
            yield from self._number()
            return _PLAIN
        kind = self._quick()
        if not kind:
            raise self._bad()
        return kind

    def _over(self, pattern: re.Pattern[bytes]) -> Iterator[None]:
        """Moves over all characters that `pattern` matches from the present place on, maybe none, in steps between
        which other tasks can run."""
        while True:
            found = pattern.match(self._data, self._at, min(self._at + STRETCH, self._end))
            long = found is not None and found.end() == self._at + STRETCH
            self._at = found.end() if found is not None else self._at
            if not long:
                return
            if self._read.tired(STRETCH >> 4):
                yield from self._pause()

    def _new_key(self, keys: set[str | bytes]) -> Iterator[None]:
        """Moves over a map's key and the colon behind it, and adds the key to `keys`. BadUpdate "twice" if it is in
        `keys` already, "json" if no key and colon follow."""
        if kind := self._quick():
            quoted = self._data[self._first : self._at]
            key = _decoded(quoted) if kind == _STRING else b""
        else:
            kind = yield from self._slow(key=True)
            key = self._key
        if kind != _STRING:
            raise self._bad()
        new_key(keys, key, self._start)
        if (self._quick() or (yield from self._slow())) != _COLON:
            raise self._bad()

    def _string(self, key: bool) -> Iterator[None]:
        """Moves over the rest of a string, behind its first quote. BadUpdate "json" if it has no valid end. If `key`,
        notes the string in `_key`; of a long one only its hash, behind a byte that no text has."""
        whole, start, size = hashlib.sha256(), b"", 0
        while (end := self._stretch()) > self._at:
            if key:
                part = _decoded(b'"%b"' % self._data[self._at : end])
                whole.update(part)
                size += len(part)
                start = start + part if size <= STRETCH else b""
            length = end - self._at
            self._at = end
            if self._read.tired(1 + (length >> 4)):
                yield from self._pause()
        if not self._ends(_STRING):
            raise self._bad()
        self._key = start if size <= STRETCH else b"\xff" + whole.digest()

    def _stretch(self) -> int:
        """The offset where the next stretch of a string ends: at most STRETCH bytes on, and between characters. The
        present offset if the string ends there, or is not valid there. Does not move."""
        found = _CHARACTERS.match(self._data, self._at, min(self._at + STRETCH, self._end))
        end = found.end() if found is not None else self._at
        while end < self._end and self._data[end] & 0xC0 == 0x80:
            end -= 1
        return end

    def _number(self) -> Iterator[None]:
        """Moves over a number. BadUpdate "json" if a whole one does not fit into 64 bits with sign, if any other is
        infinite, or if digits are missing. Of a long one only the first digits and the power of ten are used."""
        first = self._at
        self._at += self._data[first] == _MINUS
        before = self._at
        if not self._ends(_ZERO):
            yield from self._digits()
        digits, power = self._data[before : min(self._at, before + _MOST_DIGITS)], self._at - before
        whole = True
        if self._ends(_POINT):
            whole, begin = False, self._at
            if digits == b"0":
                yield from self._over(_ZEROS)
                digits, power = b"", begin - self._at
            more = self._at
            yield from self._digits(least=more == begin)
            digits += self._data[more : min(self._at, more + _MOST_DIGITS)]
        if self._ends(0x65) or self._ends(0x45):
            whole = False
            power += yield from self._exponent()
        if whole and self._at - first > 20:
            raise self._bad()
        short = self._data[first : self._at] if whole else b"0.%be%d" % (digits or b"0", power)
        self._check_number(short, whole)

    def _digits(self, *, least: bool = True) -> Iterator[None]:
        """Moves over digits. If `least`, BadUpdate "json" when there is none."""
        begin = self._at
        yield from self._over(_DIGITS)
        if least and self._at == begin:
            raise self._bad()

    def _exponent(self) -> Generator[None, None, int]:
        """Reads the exponent of a number, behind its e, with its sign; BadUpdate "json" if it has no digit. One of more
        than 12 digits is returned as ±10**12, which is larger than any text is long."""
        sign = -1 if self._ends(_MINUS) else 1
        if sign == 1:
            self._ends(0x2B)
        begin = self._at
        yield from self._over(_ZEROS)
        first = self._at
        yield from self._digits(least=first == begin)
        return sign * int(self._data[first : self._at] or b"0") if self._at - first <= 12 else sign * 10**12

    def _check_number(self, text: bytes, whole: bool) -> None:
        """▲ Checks that a whole number fits into 64 bits with sign, and that any other one is finite; BadUpdate "json"
        otherwise. `text`: the number. `whole`: it has no fraction and no exponent."""
        if whole and len(text) > 18 and (len(text) > 20 or not -(2**63) <= int(text) < 2**63):
            raise self._bad()
        if not whole and abs(float(text)) == float("inf"):
            raise self._bad()


def _decoded(quoted: bytes) -> bytes:
    """The text of a JSON string in its quotes, decoded, as UTF-8. The string was checked: it has no lone surrogate."""
    if b"\\" not in quoted:
        return quoted[1:-1]
    return str(json.loads(quoted)).encode()
