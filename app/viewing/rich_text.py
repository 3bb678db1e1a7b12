# SPDX-License-Identifier: EUPL-1.2
"""Finds in an RTF file what the program that opens it would fetch from another computer or start, in the process that
reads this file alone. Only what names a template, a field, a linked picture or an object is looked at."""

import re

from app.viewing.errors import OpensRemote, OpensUnchecked
from app.viewing.remote import NESTED, field_fetches, is_remote

_TOKEN = re.compile(
    rb"\\bin(?P<bin>\d*) ?|\\(?P<word>[a-zA-Z]{1,32})(?P<number>-?\d{1,9})? ?"
    rb"|\\'(?P<hex>[0-9a-fA-F]{2})|\\(?P<symbol>.)|(?P<brace>[{}])|(?P<text>[^\\{}]+)",
    re.DOTALL,
)
_OBJECTS = {b"objdata", b"objupdate", b"objautlink", b"objlink", b"objocx", b"objhtml"}
"""Control words that hold or load an object of another program. Such objects are not looked into."""
_ADDRESSES = {b"template", b"mmdatasource", b"mmheadersource", b"mmconnectstr", b"mmconnectstrdata", b"htmlbase"}
"""Destinations that name a file."""
_CODE, _NAME, _VALUE = b"fldinst", b"sn", b"sv"
_APART = {b"fldrslt", b"datafield", b"pict"}
"""Destinations inside those above whose text does not belong to them."""
_LINKED = "name"
"""The ending of the properties of a shape that name a picture's file (pibName, fillBlipName)."""
_MOST_GROUPS = 10_000
_LENGTH_DIGITS = 9
_MOST_TEXT = 1024 * 1024


class _Group:
    """An open group. `kind`: the destination that its text belongs to, b"" for the document itself."""

    __slots__ = ("is_own", "kind", "skipped", "text")

    def __init__(self, kind: bytes, text: list[str], skipped: int) -> None:
        self.kind, self.text, self.skipped, self.is_own = kind, text, skipped, False


def check_rich_text(data: bytes) -> None:
    """Checks an RTF file. OpensRemote if it names a template, a picture or a source that is on another computer, or has
    a field that fetches or starts something; OpensUnchecked if it has an object of another program, too many groups,
    or ▲ bytes that it says to skip beyond its end: programs count them in different ways, so that all else could be
    hidden."""
    _Reader().read(data)


class _Reader:
    """Reads one file."""

    def __init__(self) -> None:
        self._groups = [_Group(b"", [], 1)]
        self._property = ""
        self._to_skip = 0

    def read(self, data: bytes) -> None:
        """Reads the file to its end."""
        at = 0
        while found := _TOKEN.match(data, at):
            at = found.end()
            if (length := found["bin"]) is not None:
                if len(length.lstrip(b"0")) > _LENGTH_DIGITS:
                    raise OpensUnchecked
                at += int(length.lstrip(b"0") or 0)
                if at > len(data):
                    raise OpensUnchecked
            elif brace := found["brace"]:
                self._open() if brace == b"{" else self._close()
            elif word := found["word"]:
                self._word(word.lower(), found["number"])
            elif hexed := found["hex"]:
                self._put(bytes((int(hexed, 16),)).decode("cp1252", "replace"))
            elif symbol := found["symbol"]:
                if symbol in b"\\{}":
                    self._put(symbol.decode())
            elif self._groups[-1].kind:
                self._put(found["text"].translate(None, b"\r\n").decode("cp1252", "replace"))
            else:
                self._to_skip = 0
        while len(self._groups) > 1:
            self._close()

    def _open(self) -> None:
        group = self._groups[-1]
        if len(self._groups) > _MOST_GROUPS:
            raise OpensUnchecked
        self._to_skip = 0
        self._groups.append(_Group(group.kind, group.text, group.skipped))

    def _close(self) -> None:
        if len(self._groups) > 1:
            group = self._groups.pop()
            if group.is_own:
                self._judge(group.kind, "".join(group.text))

    def _word(self, word: bytes, number: bytes | None) -> None:
        group = self._groups[-1]
        if word in _OBJECTS:
            raise OpensUnchecked
        if word == b"u" and number:
            self._put(chr(int(number) & 0xFFFF))
            self._to_skip = group.skipped
        elif word == b"uc":
            group.skipped = min(int(number or 1), 16)
        elif word in _APART:
            group.kind = b""
        elif word in _ADDRESSES or word in (_CODE, _NAME, _VALUE):
            if word == _CODE and group.kind == _CODE:
                group.text.append(NESTED)
            group.kind, group.text, group.is_own = word, [], True

    def _put(self, text: str) -> None:
        group = self._groups[-1]
        skip = min(self._to_skip, len(text))
        self._to_skip -= skip
        if group.kind and text[skip:]:
            group.text.append(text[skip:])

    def _judge(self, kind: bytes, text: str) -> None:
        if len(text) > _MOST_TEXT and kind != _VALUE:
            raise OpensUnchecked
        if kind == _NAME:
            self._property = text.strip().lower()
        elif kind == _CODE:
            if field_fetches(text):
                raise OpensRemote
        elif (kind != _VALUE or self._property.endswith(_LINKED)) and is_remote(text):
            raise OpensRemote
