# SPDX-License-Identifier: EUPL-1.2
"""Runs in the process that reads one file for the viewer. A hostile file may crash this process and nothing else.

The process opens no file and no connection, and has no keys. It reads the file's bytes from standard input, and writes
pages to standard output. `shown_file` is the program's side.
"""

import codecs

from app.viewing import package, pdf, pictures
from app.viewing.errors import ViewFault, ViewForeign
from app.viewing.kinds import PACKAGE, PDF, PICTURES, TEXT
from app.viewing.limits import MAX_SCALED_SIDE, MAX_TILE_PIXELS
from app.viewing.pdf import PdfReader
from app.viewing.pictures import PictureReader
from app.viewing.plain_text import TextReader
from app.worker.frames import (
    Answer,
    Find,
    GetLinks,
    GetSizes,
    GetText,
    Hits,
    Open,
    Opened,
    PageLinks,
    PageText,
    Pixels,
    PutBytes,
    Question,
    Render,
    Select,
    Selected,
    Sizes,
    Tried,
)
from app.worker.running import run

Reader = PictureReader | PdfReader | TextReader


class Viewing:
    """Collects the bytes of the one file, opens it, and answers the program's questions about its pages."""

    def __init__(self) -> None:
        self._given: list[bytes] = []
        self._reader: Reader | None = None

    def answer(self, question: Question) -> Answer:
        """Answers a question of the program. If the file cannot be shown, the answer to Open has the error's code.
        ValueError for a question that this process does not answer, or not for this kind of file."""
        reader = self._reader
        match question:
            case PutBytes(data=data):
                self._given.append(data)
                return Tried((), False, 0)
            case Open(kind=kind):
                return self._open(kind)
            case GetText(page=page) if isinstance(reader, PdfReader | TextReader):
                return PageText(reader.text(page))
            case GetSizes(first=first) if isinstance(reader, PdfReader | PictureReader):
                return Sizes(tuple(reader.sizes(first)))
            case Render() if isinstance(reader, PdfReader | PictureReader):
                return Pixels(_painted(reader, question))
            case Find(page=page, words=words) if isinstance(reader, PdfReader):
                return Hits(tuple(tuple(hit) for hit in reader.find(page, words)))
            case Select() if isinstance(reader, PdfReader):
                text, rects = reader.select(question.page, question.x0, question.y0, question.x1, question.y1)
                return Selected(text, tuple(rects))
            case GetLinks(page=page) if isinstance(reader, PdfReader):
                return PageLinks(tuple(reader.links(page)))
        raise ValueError("this process shows a file")

    def _open(self, kind: str) -> Opened:
        data, self._given = b"".join(self._given), []
        try:
            if kind == PACKAGE:
                package.look_inside(data)
                return Opened(0, (), False, "")
            self._reader = reader = opened(kind, data)
        except ViewFault as fault:
            return Opened(0, (), False, fault.code)
        sizes = () if isinstance(reader, TextReader) else tuple(reader.sizes(0))
        return Opened(reader.pages, sizes, reader.cut, "")


def opened(kind: str, data: bytes) -> Reader:
    """Opens a file's bytes with the reader of the kind `kind`, and no other. ViewForeign for an unknown kind;
    ViewTooLarge, ViewDamaged or ViewProtected if the reader refuses them."""
    if kind in PICTURES:
        return PictureReader(kind, data)
    if kind == PDF:
        return PdfReader(data)
    if kind == TEXT:
        return TextReader(data)
    raise ViewForeign


def _painted(reader: PdfReader | PictureReader, asked: Render) -> bytes:
    if not (0 < asked.w * asked.h <= MAX_TILE_PIXELS and 0 < max(asked.width, asked.height) <= MAX_SCALED_SIDE):
        raise ValueError("too large a piece")
    return reader.render(asked.page, asked.width, asked.height, (asked.x, asked.y, asked.w, asked.h), asked.turn)


def _answering() -> Viewing:
    """Loads everything that the readers use: after this, `confine` bars opening files. Returns the object that
    answers."""
    pictures.warm_up()
    pdf.warm_up()
    package.warm_up()
    for encoding in ("utf-16", "utf-16-le", "utf-8-sig", "cp1252"):
        codecs.lookup(encoding)
    return Viewing()


def main() -> int:
    """Runs the process: answers on standard input and output until the program closes them. Returns the exit code."""
    return run(lambda: _answering().answer)
