# SPDX-License-Identifier: EUPL-1.2
"""Word documents as tests need them: made of XML, harmless or hostile."""

import io
import zipfile
from collections.abc import Mapping

TYPES = "[Content_Types].xml"
DOCUMENT = "word/document.xml"
_W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
_R = 'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
_MAIN = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"


def body(inside: str) -> str:
    """The XML of a document with this inside its body."""
    return f"<w:document {_W} {_R}><w:body>{inside}</w:body></w:document>"


def paragraph(text: str, properties: str = "") -> str:
    return f'<w:p>{properties}<w:r><w:t xml:space="preserve">{text}</w:t></w:r></w:p>'


def docx(
    inside: str = "",
    *,
    parts: Mapping[str, bytes | str] | None = None,
    links: Mapping[str, str] | None = None,
    styles: str = "",
    numbering: str = "",
    main: str = _MAIN,
    compress: int = zipfile.ZIP_DEFLATED,
) -> bytes:
    """A file with this in its body; `parts` are more of its parts or others in their place, `links` are addresses by
    their ids."""
    related = [("s", "styles", "styles.xml", "")] if styles else []
    related += [("n", "numbering", "numbering.xml", "")] if numbering else []
    related += [(key, "hyperlink", target, ' TargetMode="External"') for key, target in (links or {}).items()]
    rows = "".join(
        f'<Relationship Id="{key}" Type="{_OFFICE}/{kind}" Target="{target}"{mode}/>'
        for key, kind, target, mode in related
    )
    of_main = f'<Relationship Id="m" Type="{_OFFICE}/officeDocument" Target="word/document.xml"/>'
    made: dict[str, bytes | str] = {
        TYPES: f'<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        f'<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/word/document.xml" ContentType="{main}"/>'
        f'<Override PartName="/word/styles.xml" ContentType="{_MAIN.replace("document.main", "styles")}"/>'
        f'<Override PartName="/word/numbering.xml" ContentType="{_MAIN.replace("document.main", "numbering")}"/>'
        "</Types>",
        "_rels/.rels": f'<Relationships xmlns="{_RELATIONS}">{of_main}</Relationships>',
        "word/_rels/document.xml.rels": f'<Relationships xmlns="{_RELATIONS}">{rows}</Relationships>',
        DOCUMENT: body(inside),
    }
    if styles:
        made["word/styles.xml"] = f"<w:styles {_W}>{styles}</w:styles>"
    if numbering:
        made["word/numbering.xml"] = f"<w:numbering {_W}>{numbering}</w:numbering>"
    return packed({**made, **(parts or {})}, compress)


def packed(parts: Mapping[str, bytes | str], compress: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip of these parts."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compress) as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return out.getvalue()


def declared(data: bytes, size: int) -> bytes:
    """The archive, whose directory says of the document's part that it has this size unpacked."""
    made = bytearray(data)
    name = made.rindex(DOCUMENT.encode())
    while made[name - 46 : name - 42] != b"PK\x01\x02":  # the names of other parts may end alike
        name = made.rindex(DOCUMENT.encode(), 0, name)
    made[name - 22 : name - 18] = size.to_bytes(4, "little")
    return bytes(made)


def encrypted() -> bytes:
    """As Office stores a document with a password: an OLE file with the encrypted package in it."""
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504) + "EncryptedPackage".encode("utf-16-le") + bytes(96)


def old_word() -> bytes:
    """An OLE file as Word 97 wrote it."""
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504) + "WordDocument".encode("utf-16-le") + bytes(104)


def with_macros() -> bytes:
    """A docm: a document with a macro project, of which the program reads nothing."""
    main = "application/vnd.ms-word.document.macroEnabled.main+xml"
    return docx(paragraph("Beslut å"), parts={"word/vbaProject.bin": b"Sub AutoOpen()"}, main=main)


def bomb() -> bytes:
    """A document of 60 MB of equal bytes in 60 KB."""
    return docx(parts={DOCUMENT: body(f"<w:p><w:r><w:t>{'a' * 60_000_000}</w:t></w:r></w:p>")})


def entities() -> bytes:
    """A billion laughs."""
    lines = ['<!ENTITY a "ha">']
    for a, b in zip("abcdefgh", "bcdefghi", strict=True):
        lines.append(f'<!ENTITY {b} "' + f"&{a};" * 10 + '">')
    return docx(parts={DOCUMENT: f"<!DOCTYPE x [{''.join(lines)}]>" + body(paragraph("&i;"))})


def spelt(codec: str, *changes: tuple[str, str]) -> bytes:
    """A document type whose letters are not the bytes that they are in ASCII."""
    text = f'<?xml version="1.0" encoding="{codec}"?><!DOCTYPE x [<!ENTITY a "å">]>' + body(paragraph("&a; b"))
    for old, new in changes:
        text = text.replace(old, new)
    return docx(parts={DOCUMENT: text.encode("ascii" if changes else codec, "xmlcharrefreplace")})


def late_encoding(before: str) -> bytes:
    """A document type in UTF-7, with this before the encoding in the declaration."""
    return spelt("utf-7", ('"1.0" ', f'"1.0"{before} '), ("<!DOCTYPE", "+ADwAIQ-DOCTYPE"))


def misdeclared(actual: str, declared: str) -> bytes:
    text = f'<?xml version="1.0" encoding="{declared}"?>' + body(paragraph("å"))
    return docx(parts={DOCUMENT: text.encode(actual)})


def spoilt_lzma() -> bytes:
    """A part that is packed by LZMA, of which the middle is damaged."""
    made = bytearray(docx(paragraph("å" * 5000), compress=zipfile.ZIP_LZMA))
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        at = archive.getinfo(DOCUMENT).header_offset + 30 + len(DOCUMENT) + 4
    made[at : at + 5] = b"\xff" * 5
    return bytes(made)


HOSTILE = {
    "encrypted": (encrypted, "import-encrypted"),
    "old": (old_word, "import-foreign"),
    "bomb": (bomb, "import-bomb"),
    "parts": (lambda: docx(parts={f"a/{n}.bin": b"" for n in range(5001)}), "import-bomb"),
    "entities": (entities, "import-doctype"),
    "wide entities": (lambda: spelt("utf-32"), "import-doctype"),
    "seven-bit entities": (lambda: spelt("utf-7", ("<!DOCTYPE", "+ADwAIQ-DOCTYPE")), "import-doctype"),
    "seven-bit entities after many spaces": (lambda: late_encoding(" " * 500), "import-doctype"),
    "seven-bit entities after a longer head": (lambda: late_encoding(" " * 5000), "import-doctype"),
    "seven-bit entities after another encoding": (
        lambda: late_encoding(""" standalone='yes encoding="utf-8"' """),
        "import-doctype",
    ),
    "another encoding than declared": (lambda: misdeclared("utf-8", "utf-16"), "import-doctype"),
    "wide, declared as narrow": (lambda: misdeclared("utf-16-le", "windows-1252"), "import-doctype"),
    "mainframe entities": (lambda: spelt("cp037"), "import-doctype"),
    "cut": (lambda: docx(paragraph("å"))[:-40], "import-damaged"),
    "spoilt packing": (spoilt_lzma, "import-damaged"),
    "spoilt": (lambda: docx(parts={DOCUMENT: "<w:document"}), "import-damaged"),
    "text": (lambda: b"no zip at all", "import-damaged"),
    "empty": (lambda: b"", "import-damaged"),
    "sheet": (lambda: packed({TYPES: "<Types/>", "xl/workbook.xml": "<a/>"}), "import-foreign"),
    "odt": (lambda: packed({"mimetype": "application/vnd.oasis.opendocument.text"}), "import-foreign"),
    "pdf": (lambda: b"%PDF-1.7", "import-foreign"),
    "blank": (lambda: docx(paragraph(" ")), "import-empty"),
    "deep": (lambda: docx("<w:tbl><w:tr><w:tc>" * 3000), "import-damaged"),
}
"""Files that are refused: what makes each, and the code of its sentence."""
