# SPDX-License-Identifier: EUPL-1.2
"""File names that came from somebody else, made safe to show and to save on Windows and Linux.

Never a path, never a control or direction-changing character (a name that reads `fdp.exe` backwards), never a name
that Windows reserves, at most 180 characters with the extension kept.
"""

import unicodedata
from pathlib import Path

from app.errors import BadFileName

MAX_NAME = 180
_FORBIDDEN = set('<>:"/\\|?*')
_RESERVED = {"CON", "PRN", "AUX", "NUL", *(f"{port}{i}" for port in ("COM", "LPT") for i in "123456789¹²³")}


def clean_name(name: str) -> str:
    """The name without what is not safe. BadFileName if nothing is left of it."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    kept = "".join(c if c not in _FORBIDDEN else "_" for c in unicodedata.normalize("NFC", last) if _printable(c))
    kept = kept.strip(". \t")
    if not kept.strip("_"):
        raise BadFileName
    stem, dot, extension = kept.rpartition(".")
    if not dot:
        stem, extension = kept, ""
    if kept.split(".", 1)[0].strip().upper() in _RESERVED:
        stem = "_" + stem
    room = MAX_NAME - len(extension[:20]) - len(dot)
    return stem[:room] + dot + extension[:20]


def free_path(folder: Path, name: str) -> Path:
    """A path in `folder` that does not exist yet: "fil.pdf", "fil (2).pdf" …"""
    name = clean_name(name)
    candidate = folder / name
    number = 2
    while candidate.exists():
        candidate = folder / f"{Path(name).stem} ({number}){Path(name).suffix}"
        number += 1
    return candidate


def _printable(char: str) -> bool:
    """Control, format (also right-to-left overrides), private and unassigned characters are left out."""
    return unicodedata.category(char) not in ("Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp")
