# SPDX-License-Identifier: EUPL-1.2
"""Looks into an archive (OOXML, ODF, ZIP) for macros, programs and what is fetched from other computers, and through
markup and RTF, in the process that reads this file alone. Reads an archive's table of contents and, of a document, its
lists and all parts that are XML; runs nothing."""

import io
import zipfile
import zlib
from collections.abc import Sequence

from app.viewing.danger import check_markup, check_name, is_archive, is_markup, is_rich_text
from app.viewing.errors import OpensMacros, OpensUnchecked, ViewFault
from app.viewing.package_links import Links, check_flat
from app.viewing.rich_text import check_rich_text

MAX_ENTRIES = 20_000
MAX_XML_BYTES = 256 * 1024 * 1024
"""The most bytes of a document's XML that are read."""
_TYPES, _TYPES_BYTES = "[content_types].xml", 2 * 1024 * 1024
_MACRO_NAMES = ("vbaproject", "vbadata", "xl/macrosheets/", "xl/dialogsheets/", "activex")
_ODF_MACROS = ("basic/", "scripts/")
_ODF_TEXTS, _ODF_BYTES = ("content.xml", "styles.xml"), 256 * 1024 * 1024
"""What of an ODF document calls macros that it does not hold, and the most bytes of it that are read."""
_ODF_CALLS = (b"script:event-listener", b"vnd.sun.star.script:", b"macro://")
_PIECE_BYTES, _LONGEST_MARK = 1024 * 1024, 32
_HEAD_BYTES = 1024
_OTHER_XML = (b"+ADw", b"\x4c\x6f\xa7\x94")
"""How XML begins in UTF-7 and EBCDIC, which some programs read."""
_MACRO_TYPES = (b"vbaproject", b"macroenabled", b"macrosheet", b"dialogsheet", b"activex")


def look_inside(data: bytes) -> None:
    """Raises OpensMacros if the archive holds macros or ActiveX controls, as OOXML or ODF has them, or calls macros;
    OpensRemote if it is a document that fetches something from another computer when it is opened; OpensUnchecked if it
    cannot be read, is encrypted, has over MAX_ENTRIES entries or too long texts; OpensProgram if it is no document and
    holds a file with a program's ending. Markup is checked to its end as by `check_markup`, and an ODF
    document in one file also as by `check_flat`; RTF as by `check_rich_text`."""
    if is_markup(data):
        check_markup(data)
        check_flat(data)
    if is_rich_text(data):
        check_rich_text(data)
    if not is_archive(data):
        return
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
            _check_texts(
                archive,
                [entry for entry, name in zip(entries, names, strict=True) if name.rpartition("/")[2] in _ODF_TEXTS],
            )
            is_document = bool(types) or any(_is_of_document(name) for name in names)
            if is_document:
                _check_links(archive, list(zip(names, entries, strict=True)))
            if not types and "mimetype" not in names:
                for name in names:
                    check_name(name)
    except ViewFault:
        raise
    except (zipfile.BadZipFile, zlib.error, OSError, ValueError, EOFError, RuntimeError) as e:
        raise OpensUnchecked from e


def _check_texts(archive: zipfile.ZipFile, entries: Sequence[zipfile.ZipInfo]) -> None:
    """Checks these entries of ODF, piece by piece, for calls of macros: such as one that every installation has."""
    left = _ODF_BYTES
    for entry in entries:
        with archive.open(entry) as file:
            before = b""
            while piece := file.read(_PIECE_BYTES):
                left -= len(piece)
                letters = before + piece.lower().replace(b"\0", b"")
                if left < 0 or b"<!entity" in letters:
                    raise OpensUnchecked
                if any(mark in letters for mark in _ODF_CALLS):
                    raise OpensMacros
                before = letters[-_LONGEST_MARK:]


def _is_of_document(name: str) -> bool:
    """Whether an entry with this name makes programs take the archive for a document."""
    return name in ("mimetype", "meta-inf/manifest.xml", "content.xml") or name.endswith(".rels")


def _check_links(archive: zipfile.ZipFile, entries: Sequence[tuple[str, zipfile.ZipInfo]]) -> None:
    """Checks every part of a document that is XML, whatever its name is; lists of relationships first."""
    links, left = Links(), MAX_XML_BYTES
    for is_list in (True, False):
        for name, entry in entries:
            if name.endswith(".rels") is not is_list or name.endswith("/"):
                continue
            with archive.open(entry) as file:
                head = file.read(_HEAD_BYTES)
                if head.startswith(_OTHER_XML):
                    raise OpensUnchecked
                if not is_list and not is_markup(head, _HEAD_BYTES - 1):
                    continue
                left -= entry.file_size
                if left < 0:
                    raise OpensUnchecked
                file.seek(0)
                (links.relationships if is_list else links.part)(name, file)


def warm_up() -> None:
    """Loads everything that `look_inside` uses. Call it before the process is confined and may open no file."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", b"a")
    look_inside(held.getvalue())
