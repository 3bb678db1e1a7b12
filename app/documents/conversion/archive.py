# SPDX-License-Identifier: EUPL-1.2
"""Checks a docx as a zip archive before any library reads it as a document, and packs the parts that are read into a
new archive.

Pictures, embedded files and macros are never unpacked. All XML parts are packed again, but only the relationships to
the document, its styles and its numbering are kept, so python-docx loads no other part. Links are kept too; they are
read and never followed.
"""

import io
import lzma
import posixpath
import re
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

from lxml import etree

from app.documents.errors import ImportBomb, ImportDamaged, ImportDoctype, ImportEncrypted, ImportForeign

MAX_PARTS = 5000
"""A document of 1,000 pages with a picture on each has some 1,100."""
MAX_XML_BYTES = 64 * 1024 * 1024
"""The most bytes of all XML parts together, unpacked."""
RATIO_FROM_BYTES = 1024 * 1024
MAX_RATIO = 250
"""How much longer a part over RATIO_FROM_BYTES may be unpacked than packed. Measured: at most 28 times in 60 documents
of public tests, 48 to 91 in a table of 50,000 numbered rows, 160 to 230 in one of equal rows, 1,027 in a bomb."""
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED_PART = "EncryptedPackage".encode("utf-16-le")
_TYPES = "[Content_Types].xml"
_MAIN = b"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
_MAIN_LIKE = re.compile(
    rb"application/vnd\.(?:ms-word\.document\.macroEnabled|ms-word\.template\.macroEnabledTemplate"
    rb"|openxmlformats-officedocument\.wordprocessingml\.template)\.main\+xml"
)
"""Documents with macros, and templates: the same parts under another name."""
_STRICT = (
    (rb"http://purl\.oclc\.org/ooxml/wordprocessingml/", b"http://schemas.openxmlformats.org/wordprocessingml/2006/"),
    (rb"http://purl\.oclc\.org/ooxml/drawingml/", b"http://schemas.openxmlformats.org/drawingml/2006/"),
    (rb"http://purl\.oclc\.org/ooxml/officeDocument/", b"http://schemas.openxmlformats.org/officeDocument/2006/"),
)
"""ISO 29500 Strict has other names for the same namespaces."""
_DECLARATION = re.compile(
    r"""<\?xml(?:\s+version\s*=\s*(?:"[0-9.]*"|'[0-9.]*'))?"""
    r"""(?:\s+encoding\s*=\s*(?:"(?P<encoding>[\w.-]*)"|'(?P<quoted>[\w.-]*)'))?"""
    r"""(?:\s+standalone\s*=\s*(?:"\w*"|'\w*'))?\s*\?>""",
    re.ASCII,
)
_HEAD_BYTES = 1000
"""How many bytes at a file's start are read for its declaration. Word's takes 55."""
_NARROW = ("", "utf-8", "us-ascii", "ascii", "iso-8859-1", "windows-1252")
_WIDE = ("", "utf-16")
"""▲ The encodings, as declared ("" is none), in which a document type is found by its letters: those of one byte for a
letter of ASCII, and those of two. Word writes UTF-8; libxml2 also reads UTF-7 and EBCDIC."""
_DOCTYPES = tuple("<!DOCTYPE".encode(encoding) for encoding in ("ascii", "utf-16-le", "utf-16-be"))
_AT_DOCUMENT = "word/document.xml"
_RELATION = "{http://schemas.openxmlformats.org/package/2006/relationships}Relationship"
_READ, _LINK = ("/officeDocument", "/styles", "/numbering"), "/hyperlink"
"""Endings of the relationship types that are kept for python-docx."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """A docx that was checked. `docx`: a new archive with only its XML, in which no relationship leads to a part that
    is not read. `parts`: all its XML, by name. `macros`: whether the file had any."""

    docx: bytes
    parts: Mapping[str, bytes]
    macros: bool


def checked_archive(data: bytes) -> Archive:
    """Checks the bytes of a docx and returns its XML parts. Raises ImportForeign, ImportEncrypted, ImportBomb,
    ImportDoctype or ImportDamaged."""
    if data.startswith(_OLE):
        raise ImportEncrypted if _ENCRYPTED_PART in data else ImportForeign
    if not data.startswith(b"PK"):
        raise ImportForeign if data[:5] in (b"%PDF-", b"{\\rtf") or data[:2] == b"MZ" else ImportDamaged
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = _check_parts(archive)
            xml = _unpack(archive)
    except (zipfile.BadZipFile, zlib.error, RuntimeError, EOFError, ValueError, OSError, lzma.LZMAError) as e:
        raise ImportDamaged from e
    if _TYPES not in xml:
        raise ImportForeign if "mimetype" in names else ImportDamaged(_TYPES)
    types = xml[_TYPES]
    if _MAIN not in types:
        raise ImportDamaged(_AT_DOCUMENT) if b"wordprocessingml" in types else ImportForeign
    macros = any(name.lower().endswith("vbaproject.bin") for name in names)
    try:
        docx = _packed(xml)
    except etree.XMLSyntaxError as e:
        raise ImportDamaged from e
    return Archive(docx=docx, parts=xml, macros=macros)


def _check_parts(archive: zipfile.ZipFile) -> list[str]:
    """Returns the names of all parts. Raises ImportBomb for too many parts, ImportDamaged for a name that occurs twice,
    ImportEncrypted for an encrypted part. ▲ Declared sizes are not trusted: `_unpack` counts the bytes that it reads.
    """
    entries = archive.infolist()
    if len(entries) > MAX_PARTS:
        raise ImportBomb
    names = [entry.filename for entry in entries if not entry.is_dir()]
    if len(set(names)) != len(names):
        raise ImportDamaged
    for entry in entries:
        if entry.flag_bits & 1:
            raise ImportEncrypted(_shown(entry.filename))
    return names


def _unpack(archive: zipfile.ZipFile) -> dict[str, bytes]:
    left, found = MAX_XML_BYTES, {}
    for entry in archive.infolist():
        if entry.is_dir() or not _is_xml(entry.filename):
            continue
        with archive.open(entry) as file:
            part = file.read(left + 1)
        left -= len(part)
        packed = max(entry.compress_size, 1)
        if left < 0 or (len(part) > RATIO_FROM_BYTES and len(part) > MAX_RATIO * packed):
            raise ImportBomb(_shown(entry.filename))
        if any(doctype in part for doctype in _DOCTYPES) or not _is_plain(part):
            raise ImportDoctype(_shown(entry.filename))
        found[entry.filename] = _usual(entry.filename, part)
    return found


def _is_plain(part: bytes) -> bool:
    """▲ Whether a search for letters in an XML file's bytes finds what an XML parser would read: its encoding is
    a usual one, and one that it declares agrees with it. False also for bytes that do not begin with "<"."""
    wide = part[:2] in (b"\xff\xfe", b"\xfe\xff", b"<\0", b"\0<")
    codec = "utf-16-be" if part[:2] in (b"\xfe\xff", b"\0<") else "utf-16-le" if wide else "utf-8"
    head = part[:_HEAD_BYTES].decode(codec, "replace").lstrip("\ufeff \t\r\n")
    if not head.startswith("<") or "\0" in head:
        return False
    if not head.startswith("<?xml") or head[5:6] not in " \t\r\n":
        return True
    declared = _DECLARATION.match(head)
    if declared is None:  # longer than the head, or written as no program does: libxml2 might read more from it
        return False
    encoding = declared["encoding"] or declared["quoted"] or ""
    return encoding.lower() in (_WIDE if wide else _NARROW)


def _is_xml(name: str) -> bool:
    return name.lower().endswith((".xml", ".rels"))


def _usual(name: str, part: bytes) -> bytes:
    """Replaces, in the content `part` of the archive's file `name`, the type names and namespaces that macro documents,
    templates and ISO Strict use by those that python-docx knows."""
    if name == _TYPES:
        part = _MAIN_LIKE.sub(_MAIN, part)
    if b"purl.oclc.org/ooxml" in part:
        for strict, usual in _STRICT:
            part = re.sub(strict, usual, part)
    return part


def _packed(xml: Mapping[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for name, part in xml.items():
            archive.writestr(name, _related(name, part, xml) if name.endswith(".rels") else part)
    return packed.getvalue()


def _related(name: str, part: bytes, xml: Mapping[str, bytes]) -> bytes:
    """Removes the relationships that are not needed from `part`, the content of the .rels file `name`. Links stay, and
    those to the document, its styles and numbering, if their target is in the archive. `xml`: the archive's files by
    name. Returns the new content. lxml's XMLSyntaxError if `part` is no XML."""
    folder = posixpath.dirname(posixpath.dirname(name))
    root = etree.fromstring(part, etree.XMLParser(resolve_entities=False, no_network=True))
    for relation in root.findall(_RELATION):
        kind, target = relation.get("Type", ""), relation.get("Target", "")
        external = relation.get("TargetMode") == "External"
        there = posixpath.normpath(posixpath.join("/", folder, target)).lstrip("/") in xml
        if not (kind.endswith(_LINK) if external else kind.endswith(_READ) and there):
            root.remove(relation)
    found: bytes = etree.tostring(root, encoding="UTF-8", standalone=True)
    return found


def _shown(name: str) -> str:
    """A part's name as it may be shown: a stranger wrote it."""
    return "".join(c if c.isascii() and c.isprintable() else "?" for c in name)[:80]
