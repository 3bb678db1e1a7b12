# SPDX-License-Identifier: EUPL-1.2
"""Runs in the process that converts one file, and may die of it.

It opens no file and no connection and knows no keys: the file's bytes are read from standard input, and the result is
written to standard output.
"""

import codecs

from app.documents.conversion import archive, docx_reader, docx_writer, markdown_reader, wire
from app.documents.errors import ConversionFault, ImportDamaged, ImportEmpty, ImportForeign, ImportTooLarge
from app.objects.addresses import safe_link
from app.richtext.flow import BODY, Block, Run
from app.richtext.formats import Taken, take_text
from app.worker.frames import PART_BYTES, Answer, Convert, Converted, GetBytes, Part, PutBytes, Question, Tried
from app.worker.running import run

_OFFICE = ("docx", "docm", "dotx", "dotm")
_BINARY = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"%PDF-", b"{\\rtf", b"MZ", b"\x7fELF")


class Converting:
    """What the conversion process does: it collects the bytes of the one file that the program sends, converts the
    file, and returns the result in parts."""

    def __init__(self) -> None:
        self._given: list[bytes] = []
        self._made = b""

    def answer(self, question: Question) -> Answer:
        """Carries out a question of the program: takes the next bytes of the file, converts the file, or returns some
        bytes of the result. A file that cannot be converted is no exception: the answer has the error's code.
        ValueError for a question that this process does not answer."""
        match question:
            case PutBytes(data=data):
                self._given.append(data)
                return Tried((), False, 0)
            case Convert(kind=kind):
                return self._convert(kind)
            case GetBytes(at=at):
                return Part(self._made[at : at + PART_BYTES])
        raise ValueError("this process converts")

    def _convert(self, kind: str) -> Converted:
        data, self._given = b"".join(self._given), []
        try:
            self._made = converted(kind, data)
        except ConversionFault as fault:
            return Converted(0, fault.code, fault.where)
        return Converted(len(self._made), "", "")


def converted(kind: str, data: bytes) -> bytes:
    """Converts data. `kind` `wire.DOCX_OUT`: an encoded document becomes a docx. Any other kind: a file with that
    extension becomes the encoded content of a document. Raises ConversionFault; ValueError for a damaged encoded
    document."""
    if kind == wire.DOCX_OUT:
        return docx_writer.write_docx(*wire.decode_document(data))
    taken = _read(kind, data)
    if not any(block.text.strip() for block in taken.blocks):
        if taken.cut:  # its first paragraph alone is too long
            raise ImportTooLarge
        if not taken.others and not taken.pictures:
            raise ImportEmpty
    return wire.encode_taken(taken)


def _read(kind: str, data: bytes) -> Taken:
    if kind in _OFFICE or data.startswith(_BINARY):
        found = archive.checked_archive(data)
        try:
            return docx_reader.read_docx(found)
        except (MemoryError, ConversionFault):
            raise
        except Exception as e:  # python-docx and lxml raise some twenty different errors
            raise ImportDamaged("word/document.xml") from e
    text = _text(data)
    if kind in ("md", "markdown"):
        return markdown_reader.read_markdown(text)
    return take_text(text.removesuffix("\n"), BODY)


def _text(data: bytes) -> str:
    """Decodes text: in UTF-16 if it begins with UTF-16's byte order mark, otherwise in UTF-8, and if it is not valid
    UTF-8, in Windows' old western encoding. ImportForeign if a byte is zero and it is not UTF-16."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", "replace")
    if b"\0" in data:
        raise ImportForeign
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _answering() -> Converting:
    """Loads everything that conversions import, by converting small files, since `confine` then bars opening files.
    Returns the object that answers."""
    tried = [Block((Run("å"),)), Block((Run("1"),), BODY._replace(list="ol", indent=1))]
    _read("docx", docx_writer.write_docx("å", tried))
    safe_link("https://å.se")  # Python's IDNA judges hosts
    for encoding in ("utf-16", "utf-16-le", "utf-8-sig", "cp1252"):
        codecs.lookup(encoding)
    _read("md", b"- *a* <u>b</u> [c](https://a.se)\n\n|a|b|\n|-|-|\n|c|d|\n")
    return Converting()


def main() -> int:
    """Runs the process: answers on standard input and output until the program closes them. Returns the exit code."""
    return run(lambda: _answering().answer)
