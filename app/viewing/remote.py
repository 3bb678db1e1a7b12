# SPDX-License-Identifier: EUPL-1.2
"""Decides which addresses and field codes in a document make the program that opens it fetch something from another
computer, or start another program. Only compares; the parts that it is asked about are read by `package_links` and
`rich_text`."""

import re
from urllib.parse import unquote

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]+\Z")
"""Two characters and more: one is the letter of a drive, as in C:."""
_HERE = {"about", "cid", "data", "mid", "urn", "vnd.sun.star.graphicobject", "vnd.sun.star.package"}
"""Schemes of what is in the document itself, or nowhere."""
_UNQUOTED = 5
"""How often an address is unquoted, at most: programs do it once, and some once more."""
NESTED = "\0"
"""Takes the place of an inner field in a field's code."""
_STARTS = {"DDE", "DDEAUTO"}
_FETCHES = {"DATABASE", "IMPORT", "INCLUDE", "INCLUDEPICTURE", "INCLUDETEXT", "LINK", "RD"}
_WORD = re.compile(r'"[^"]*"|“[^”]*”|[^\s"“]+')
_FUNCTIONS = re.compile(r"\b(dde|image|rtd|webservice)\s*\(", re.IGNORECASE)
_PROGRAM_CELL = re.compile(r"\w\s*\|\s*'")
"""The old way to write DDE in a cell: cmd|'/c calc'!A0."""
_QUOTED = re.compile(r"'([^']*)'")
_STRING = re.compile(r'"[^"]*"')
_PART = re.compile(r""""[^"]*"|'[^']*'|\[[^\]]*\]""")
"""A string, a name in quotes, or what is in brackets, in a formula."""


def is_remote(address: str) -> bool:
    """Whether opening `address`, as a document names a picture, a template or a part, may reach another computer: an
    address of the web, a share (also `file:` with the name of a computer), and ▲ every scheme that is not known to
    stay here. Not remote: a relative path, a path on a drive of this computer, and what is in the document itself."""
    text = "".join(c for c in address if c > " ")  # programs drop blanks and line breaks inside
    for _ in range(_UNQUOTED):
        text, before = unquote(text), text
        if text == before:
            break
    text = text.replace("\\", "/").lower()
    if text.startswith(("//", "/??/")):  # the second is the name by which Windows itself knows shares and drives
        return True
    scheme, colon, rest = text.partition(":")
    if not colon or not _SCHEME.match(scheme) or scheme in _HERE:
        return False
    return not (scheme == "file" and _is_of_this_computer(rest))


def _is_of_this_computer(rest: str) -> bool:
    """Whether the part of a `file:` address behind the colon names no other computer."""
    if not rest.startswith("//"):
        return True
    computer, _, path = rest[2:].partition("/")
    is_here = computer in ("", "localhost") or re.fullmatch("[a-z][:|]", computer) is not None
    return is_here and not path.startswith("/")


def field_fetches(code: str) -> bool:
    """Whether a field of Word with this code would start a program (DDE), or fetch a remote picture, text or table. A
    field inside it is written as NESTED in `code`. ▲ The result of an inner field can be any name or address, so a
    field whose name or address comes from one counts as one that fetches."""
    words = [word.strip('"“”') for word in _WORD.findall(code)]
    if not words:
        return False
    name, slash, after = words[0].partition("\\")  # ▲ a switch or a share may follow the name without a blank
    name, rest = name.upper(), [slash + after, *words[1:]]
    if NESTED in name or name in _STARTS:
        return True
    return name in _FETCHES and any(NESTED in word or is_remote(word) for word in rest)


def formula_fetches(formula: str) -> bool:
    """Whether a cell's formula calls a function that fetches or starts something, or names a remote file. Strings in
    the formula do not count, ▲ unless a name in it (in quotes or brackets) has a quote: between two such names,
    anything would look like a string."""
    is_clear = not any(_may_hide(part) for part in _PART.findall(formula))
    if is_clear:
        formula = _STRING.sub('""', formula)
    if _FUNCTIONS.search(formula) or _PROGRAM_CELL.search(formula):
        return True
    named = _QUOTED.findall(formula) if is_clear else formula.split("'")[1:]
    return any(is_remote(each) for each in named if ":" in each or "\\" in each)


def _may_hide(part: str) -> bool:
    return (part[0] != '"' and '"' in part) or (part[0] == "[" and "'" in part)
