# SPDX-License-Identifier: EUPL-1.2
"""Reads a JSON file of settings with the place of each setting, and says in words why a file cannot be read.

It reads the files that `json.loads` reads; the places are only for people.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sync.errors import WorldError

MAX_FILE_BYTES = 1_000_000
_SPACE = " \t\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One key of a settings file with its value, and the line and column (from 1) where the key begins. `again`: the
    same key occurs once more further down, and that one counts."""

    key: str
    value: object
    line: int
    column: int
    again: bool


class Damaged(WorldError):
    """Error: a file has no settings that can be read. `fault` says why in words; `line` and `column` count from 1, and
    are 0 where the fault is the whole file's."""

    def __init__(self, fault: str, line: int = 0, column: int = 0) -> None:
        super().__init__(fault)
        self.fault, self.line, self.column = fault, line, column


def read(path: Path) -> list[Entry]:
    """Reads the entries of the settings file at `path` in their order; a key that occurs twice gives two. Damaged if
    the file is missing or cannot be read, is larger than MAX_FILE_BYTES, is not one JSON object, or has nesting or a
    number beyond all measure."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise Damaged(f"the file is larger than {MAX_FILE_BYTES} bytes")
        data = path.read_bytes()
    except OSError as e:
        raise Damaged(f"the file cannot be read: {e.strerror or type(e).__name__}") from e
    try:
        whole = json.loads(data)
    except json.JSONDecodeError as e:
        raise _explained(e) from e
    except UnicodeDecodeError as e:
        line, column = _place(data[: e.start].decode("latin-1"), e.start)
        raise Damaged("this is no UTF-8 text", line, column) from e
    except (ValueError, RecursionError) as e:  # an integer of thousands of digits, or a list in a list in a list …
        raise Damaged("the file holds a number or nesting beyond all measure") from e
    if not isinstance(whole, dict):
        raise Damaged('the file must hold one object: { "key": value, … }', 1, 1)
    return list(_entries(data.decode(json.detect_encoding(data), "surrogatepass")))


def _entries(text: str) -> Iterator[Entry]:
    """Yields the entries of `text`, which is one valid JSON object, in their order; not those of objects inside it."""
    decoder, found = json.JSONDecoder(), []
    at = _behind(text, 0) + 1
    while text[at := _behind(text, at)] != "}":
        at += text[at] == ","
        start = _behind(text, at)
        key, end = decoder.raw_decode(text, start)
        value, at = decoder.raw_decode(text, _behind(text, _behind(text, end) + 1))
        found.append((key, value, start))
    last = {key: start for key, _, start in found}
    line, before = 1, 0
    for key, value, start in found:
        line += text.count("\n", before, start)  # counts from the previous entry: a file may have 100,000
        before = start
        column = start - text.rfind("\n", 0, start)
        yield Entry(key=key, value=value, line=line, column=column, again=last[key] != start)


def _behind(text: str, at: int) -> int:
    """The first position from `at` on where `text` has no white space. IndexError if there is none."""
    while text[at] in _SPACE:
        at += 1
    return at


def _place(text: str, at: int) -> tuple[int, int]:
    """(line, column) of the position `at` in the text, both from 1."""
    return text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)


def _explained(error: json.JSONDecodeError) -> Damaged:
    text = error.doc.lstrip("\ufeff")
    if not text.strip():
        return Damaged("the file is empty", 1, 1)
    comma = _trailing_comma(error.doc, error.pos)
    if comma is not None:
        return Damaged("a comma too many: nothing follows it before the bracket", *_place(error.doc, comma))
    return Damaged(f"no sound JSON here: {error.msg}", error.lineno, error.colno)


def _trailing_comma(text: str, at: int) -> int | None:
    """The position of a comma right before a closing bracket in `text`, if that is the fault that Python's parser
    reported at `at`; None otherwise. Python 3.13 points at the comma, earlier versions at the character behind it."""
    before = at if text[at : at + 1] == "," else len(text[:at].rstrip(_SPACE)) - 1
    after = text[before + 1 :].lstrip(_SPACE)[:1]
    return before if before >= 0 and text[before] == "," and after in ("}", "]") else None
