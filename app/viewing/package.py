# SPDX-License-Identifier: EUPL-1.2
"""Searches an archive (OOXML, ODF, ZIP) for macros and programs, in the process that reads this file alone. It reads
only the table of contents and, of OOXML, the list of content types. It runs nothing and unpacks nothing else."""

import io
import zipfile
import zlib

from app.viewing.danger import check_name
from app.viewing.errors import OpensMacros, OpensUnchecked, ViewFault

MAX_ENTRIES = 20_000
_TYPES, _TYPES_BYTES = "[content_types].xml", 2 * 1024 * 1024
_MACRO_NAMES = ("vbaproject", "vbadata", "xl/macrosheets/", "xl/dialogsheets/", "activex")
_ODF_MACROS = ("basic/", "scripts/")
_MACRO_TYPES = (b"vbaproject", b"macroenabled", b"macrosheet", b"dialogsheet", b"activex")


def look_inside(data: bytes) -> None:
    """Returns if the archive may be opened in another program. OpensMacros if it has macros or ActiveX controls, as
    OOXML or ODF has them, or a list of content types over 2 MiB; OpensUnchecked if it cannot be read, is encrypted or
    has over MAX_ENTRIES entries. If it is no document: OpensProgram or OpensMacros if it has a file with an ending that
    `check_name` refuses."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            if len(entries) > MAX_ENTRIES or any(entry.flag_bits & 1 for entry in entries):
                raise OpensUnchecked
            names = [entry.filename.replace("\\", "/").lower().lstrip("/") for entry in entries]
            if any(mark in name for name in names for mark in _MACRO_NAMES):
                raise OpensMacros
            if any(name.startswith(_ODF_MACROS) and not name.endswith("/") for name in names):
                raise OpensMacros
            types = [entry for entry, name in zip(entries, names, strict=True) if name == _TYPES]
            for entry in types:
                with archive.open(entry) as file:
                    text = file.read(_TYPES_BYTES + 1)
                if len(text) > _TYPES_BYTES or any(mark in text.lower() for mark in _MACRO_TYPES):
                    raise OpensMacros
            if not types and "mimetype" not in names:
                for name in names:
                    check_name(name)
    except ViewFault:
        raise
    except (zipfile.BadZipFile, zlib.error, OSError, ValueError, EOFError, RuntimeError) as e:
        raise OpensUnchecked from e


def warm_up() -> None:
    """Loads everything that `look_inside` uses. Call it before the process is confined and may open no file."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", b"a")
    look_inside(held.getvalue())
