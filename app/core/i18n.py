# SPDX-License-Identifier: EUPL-1.2
"""Texts in the person's language. The msgid is the English text; Swedish is in resources/locale/sv/<area>.po.

The .po files are read as they are (a few thousand lines, some ms), so that nothing generated is shipped or stale.
"""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from resources import path

LANGUAGES = {"sv": "Svenska", "en": "English"}
"""Code and name of every language, Swedish first."""

_language = ["sv"]

Catalogue = dict[str, tuple[str, ...]]


def language() -> str:
    """The language in force: "sv" or "en"."""
    return _language[0]


def set_language(code: str) -> None:
    """Switches language; an unknown code gives Swedish."""
    _language[0] = code if code in LANGUAGES else "sv"


def tr(text: str) -> str:
    """The English `text` in the language in force; itself if there is no translation. Use `.format` on the result."""
    found = catalogue(_language[0]).get(text)
    return found[0] if found and found[0] else text


def trn(one: str, many: str, n: int) -> str:
    """The singular text `one` if `n` is 1, otherwise the plural `many`, in the language in force: `trn("{n} reply",
    "{n} replies", n).format(n=n)`."""
    found = catalogue(_language[0]).get(one)
    forms = found if found and len(found) > 1 and all(found) else (one, many)
    return forms[0] if n == 1 else forms[1]


@cache
def catalogue(code: str) -> Catalogue:
    """All texts of the language `code` ("sv"): English text to translated forms (singular, plural). Empty for English
    and for an unknown code. Read once and cached: the caller must not change it."""
    result: Catalogue = {}
    folder = path(f"locale/{code}")
    for file in sorted(folder.glob("*.po")) if folder.is_dir() else ():
        result |= read_po(file)
    return result


def read_po(file: Path) -> Catalogue:
    """Reads one .po file: English text to translated forms (singular, plural), "" where one is not translated yet. The
    header and entries marked fuzzy are left out. OSError if it cannot be read; a malformed file is not expected."""
    result: Catalogue = {}
    for entry in _entries(file.read_text(encoding="utf-8")):
        if entry.get("msgid") and "fuzzy" not in entry:
            forms = tuple(entry[k] for k in sorted(entry) if k.startswith("msgstr"))
            result[entry["msgid"]] = forms
    return result


def _entries(text: str) -> Iterator[dict[str, str]]:
    entry: dict[str, str] = {}
    key = ""
    for raw in [*text.splitlines(), ""]:
        line = raw.strip()
        if not line:
            if entry:
                yield entry
            entry, key = {}, ""
        elif line.startswith("#"):
            if any(name.startswith("msgstr") for name in entry):  # no empty line before the next entry's comment
                yield entry
                entry, key = {}, ""
            if line.startswith("#,") and "fuzzy" in line:
                entry["fuzzy"] = ""
        elif line.startswith('"'):
            entry[key] += _text(line)
        else:
            if line.startswith("msgid ") and "msgid" in entry:  # no empty line between two entries
                yield entry
                entry = {}
            key, _, value = line.partition(" ")
            entry[key] = _text(value)


def _text(quoted: str) -> str:
    """The text in double quotes. Only one with a backslash is evaluated: a start reads 4,600 texts."""
    return str(ast.literal_eval(quoted)) if "\\" in quoted else quoted[1:-1]
