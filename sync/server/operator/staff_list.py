# SPDX-License-Identifier: EUPL-1.2
"""A list of people to invite, as an administrator saves it from a spreadsheet: CSV with the columns name, title and
unit (namn, titel, enhet), in UTF-8, with commas or semicolons. Nothing of a list with a fault is used: its faults are
named by line.
"""

import codecs
import csv
import io
from dataclasses import dataclass
from pathlib import Path

from sync.server.config import ConfigError
from sync.server.operator.staff_record import Staff, staff

MOST_LINES = 5_000
"""Most people on one list. 5,000 letters take half a minute and 25 MB."""
_MOST_BYTES = 4 * 1024 * 1024
_MOST_FAULTS = 20
"""Most faults that are shown: a list in a wrong form has one on every line."""
_COLUMNS = {"name": "name", "namn": "name", "title": "title", "titel": "title", "unit": "unit", "enhet": "unit"}
_FIELDS = ("name", "title", "unit")
_BOMS = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)
_HOW = 'save the list as "CSV UTF-8"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A person on a list of people to invite. `who`: their staff record (name, title, unit), checked. `line`: the line
    of the file on which their row begins (the header is line 1)."""

    line: int
    who: Staff


def read_list(path: Path) -> list[Listed]:
    """Reads a list of people to invite from the CSV file `path`: everybody on it, in its order; at least one.
    ConfigError that names the file if it is empty, too large, not in UTF-8 or has more than MOST_LINES people; if lines
    are faulty, it names the first twenty. OSError if the file cannot be read."""
    with path.open("rb") as f:
        data = f.read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        raise ConfigError(f"{path} is larger than {_MOST_BYTES // 1024**2} MB: divide it; {_limit()}")
    text = _decoded(path, data)
    rows, faults = _rows(text)
    if not rows and not faults:
        raise ConfigError(f"{path} is empty: its first line names the columns name, title and unit")
    if len(rows) > MOST_LINES + 1:
        raise ConfigError(f"{path} has {len(rows) - 1} people: divide it; {_limit()}")
    found: list[Listed] = []
    if rows:
        columns, wrong = _columns(rows[0])
        faults = wrong + faults if wrong else faults
        if not wrong:
            found, wrong = _people(rows[1:], columns)
            faults = sorted(wrong + faults)
    if faults:
        raise ConfigError(_sentence(path, faults))
    if not found:
        raise ConfigError(f"{path} names nobody: there is no line below its columns")
    return found


def _limit() -> str:
    return f"a list has at most {MOST_LINES} people"


def _decoded(path: Path, data: bytes) -> str:
    """The text of a file with the content `data`, without the byte order mark that may begin it. ConfigError, which
    names `path`, if it is not UTF-8: a guessed encoding could change a name, which the agency then signs."""
    for bom, name in _BOMS:
        if data.startswith(bom):
            raise ConfigError(f"{path} is in {name}, not in UTF-8: {_HOW}")
    if b"\0" in data[:4096]:
        raise ConfigError(f"{path} is in UTF-16 or no text at all: {_HOW}")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as e:
        line = data.count(b"\n", 0, e.start) + 1
        try:
            read = data.splitlines()[line - 1].decode("cp1252").strip()
        except (UnicodeDecodeError, IndexError):
            raise ConfigError(f"{path} is not in UTF-8 (line {line}): {_HOW}") from e
        raise ConfigError(
            f"{path} is not in UTF-8 but, it seems, in Windows-1252, in which line {line} is {read[:80]!r}: {_HOW}"
        ) from e


_Row = tuple[int, list[str]]
_Fault = tuple[int, str]


def _rows(text: str) -> tuple[list[_Row], list[_Fault]]:
    """Parses `text` as CSV, with semicolons or commas, whichever its first line has more of. Returns (rows, faults).
    The rows are those that have text in a cell, each with the line on which it begins. A quotation mark that is not
    closed, or is within a cell, is a fault, with its line: reading stops there, and the rows before it are returned
    too."""
    begun, rows = 0, []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    try:
        for cells in reader:
            line, begun = begun + 1, reader.line_num
            if any(cell.strip() for cell in cells):
                rows.append((line, cells))
    except csv.Error:
        return rows, [(begun + 1, "a quotation mark is not closed, or is within a cell")]
    return rows, []


def _delimiter(text: str) -> str:
    first = next((line for line in text.splitlines() if line.strip()), "")
    return ";" if first.count(";") > first.count(",") else ","


def _columns(header: _Row) -> tuple[list[str], list[_Fault]]:
    line, cells = header
    named = [cell.strip().casefold() for cell in cells]
    odd = [repr(cell.strip()[:40]) for cell, name in zip(cells, named, strict=True) if name not in _COLUMNS]
    if odd:
        known = "name, title and unit (or namn, titel and enhet), with commas or semicolons between them"
        return [], [(line, f"{', '.join(odd[:5])} is no column of such a list, which are {known}")]
    fields = [_COLUMNS[name] for name in named]
    if sorted(fields) != sorted(_FIELDS):
        return [], [(line, "each of the columns name, title and unit is needed once")]
    return fields, []


def _people(rows: list[_Row], columns: list[str]) -> tuple[list[Listed], list[_Fault]]:
    found: list[Listed] = []
    faults: list[_Fault] = []
    lines: dict[tuple[str, str, str], int] = {}
    for line, cells in rows:
        if len(cells) != len(columns):
            faults.append((line, f"it has {len(cells)} columns, not {len(columns)}"))
            continue
        try:
            who = staff(**dict(zip(columns, cells, strict=True)))
        except ConfigError as e:
            faults.append((line, str(e)))
            continue
        before = lines.setdefault(who.key, line)
        if before != line:
            faults.append((line, f"{who.name} is on line {before} already, with the same title and unit"))
        found.append(Listed(line=line, who=who))
    return found, faults


def _sentence(path: Path, faults: list[_Fault]) -> str:
    shown = [f"  line {line}: {text}" for line, text in faults[:_MOST_FAULTS]]
    if len(faults) > _MOST_FAULTS:
        shown.append(f"  and {len(faults) - _MOST_FAULTS} more")
    return "\n".join([f"{path}: nobody is invited before this is corrected", *shown])
