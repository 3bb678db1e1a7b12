# SPDX-License-Identifier: EUPL-1.2
"""Other people's file names, made safe to show and to save on Windows and Linux.

Never a path, never a control or direction-changing character (a name that reads `fdp.exe` backwards), never a name that
Windows reserves, at most 180 bytes with the extension kept.
"""

from pathlib import Path

from app.core.text_units import point_from_utf8, utf8_len
from app.core.visible import one_line
from app.errors import BadFileName

MAX_NAME_BYTES = 180
"""Disks limit a name to 255 bytes; " (2)" is written behind it if it is taken."""
_MAX_EXTENSION = 20
_LOOKED_AT = 500
"""How many characters are read at each end of a name. A colleague may send one of 190,000."""
_FORBIDDEN = set('<>:"/\\|?*')
_RESERVED = {
    "CON",
    "PRN",
    "AUX",
    "NUL",
    "CONIN$",
    "CONOUT$",
    *(f"{port}{i}" for port in ("COM", "LPT") for i in "123456789¹²³"),
}


def clean_name(name: str) -> str:
    """A file name of at most 180 bytes without unsafe parts, such as folders, control characters and names that
    Windows reserves; the extension is kept. BadFileName if nothing is left of it."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    if len(last) > 2 * _LOOKED_AT:
        last = last[:_LOOKED_AT] + last[-_LOOKED_AT:]
    kept = "".join(c if c not in _FORBIDDEN else "_" for c in one_line(last, 2 * _LOOKED_AT)).strip(". ")
    if not kept.strip("_"):
        raise BadFileName
    stem, dot, extension = kept.rpartition(".")
    if not dot:
        stem, extension = kept, ""
    extension = extension[:_MAX_EXTENSION].rstrip()
    room = MAX_NAME_BYTES - utf8_len(extension) - len(dot) - len("_")
    stem = stem[: point_from_utf8(stem, room)].rstrip()  # spaces would push the extension out of sight
    name = stem + dot + extension
    name = name.rstrip(". ")  # Windows drops these from a name's end
    return "_" + name if name.split(".", 1)[0].strip().upper() in _RESERVED else name


def shown_name(name: str) -> str:
    """The name of a received file, as it is both shown and saved; "–" if no safe part of it is left."""
    try:
        return clean_name(name)
    except BadFileName:
        return "–"


def free_path(folder: Path, name: str) -> Path:
    """A path in `folder` for a file with this name that does not exist yet: "fil.pdf", "fil (2).pdf" … The name is made
    safe; no file is made. BadFileName."""
    name = clean_name(name)
    candidate = folder / name
    number = 2
    while candidate.exists():
        candidate = folder / f"{Path(name).stem} ({number}){Path(name).suffix}"
        number += 1
    return candidate
