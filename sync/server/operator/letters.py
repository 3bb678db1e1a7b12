# SPDX-License-Identifier: EUPL-1.2
"""Letters with activation codes, to be printed and handed over: a PDF in Swedish, a page for each person, with the code
as text and as QR code, what to do, and how long the code is good. ▲ The codes are in it: it is made in memory.
"""

import contextlib
import logging
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

import segno

from resources import path
from sync.server.operator.staff_record import Staff

with warnings.catch_warnings():  # the server's package has no Pillow: no pictures are put into a letter
    warnings.filterwarnings("ignore", message="Pillow could not be imported")
    from fpdf import FPDF
    from fpdf.enums import XPos, YPos
    from fpdf.fonts import TTFFont

_LEFT_MM, _WIDTH_MM, _TOP_MM = 25.0, 160.0, 24.0
_QR_MM = 42.0
_GROUPS_A_LINE = 5
_LINE = 1.4
_DAYS = ("måndag", "tisdag", "onsdag", "torsdag", "fredag", "lördag", "söndag")
_MONTHS = (
    "januari", "februari", "mars", "april", "maj", "juni", "juli", "augusti", "september", "oktober", "november",
    "december",
)  # fmt: skip

for _name in ("fpdf", "fontTools"):  # they log the characters that they draw
    logging.getLogger(_name).setLevel(logging.CRITICAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """The content of one printed letter: the person, their activation code as it is typed, and until when it can be
    used (ms)."""

    who: Staff
    code: str
    until_ms: int


def pdf(letters: Sequence[Letter], server: str) -> bytes:
    """A PDF with a page for each of `letters`, in their order. `server` is the address that people type, "" where it is
    not known here."""
    with _pages() as pages:
        for letter in letters:
            pages.add(letter, server)
        return bytes(pages.output())


def unprintable(text: str) -> str:
    """The characters in `text` that the letters' font lacks, each once, sorted; "" if it has all. A box is printed in
    the place of each."""
    with _pages() as pages:
        known = set().union(*(font.cmap for font in pages.from_files()))
    return "".join(sorted({char for char in text if ord(char) not in known}))


def link(server: str, code: str) -> str:
    """The text of a letter's QR code: a link that fills in `server` and `code` on the program's first page, or the code
    alone if no server is known ("")."""
    return f"kansli:enrol?{urlencode({'server': server, 'code': code})}" if server else code


def until(ms: int) -> str:
    """The time `ms` in Swedish, in the local zone, for a letter. Hour and minute have two digits, as in: tisdag 1
    december 2026 kl. 09.05."""
    t = datetime.fromtimestamp(ms / 1000).astimezone()
    return f"{_DAYS[t.weekday()]} {t.day} {_MONTHS[t.month - 1]} {t.year} kl. {t.hour:02}.{t.minute:02}"


@contextlib.contextmanager
def _pages() -> Iterator["_LetterPages"]:
    """An empty PDF for letters. At the end of the block, closes the fonts' files, which the library leaves open."""
    pages = _LetterPages()
    try:
        yield pages
    finally:
        for font in pages.from_files():
            font.ttfont.close()


class _LetterPages(FPDF):
    """A PDF of letters in Swedish: A4 pages in the fonts of the desktop program. Empty at first; `add` adds a page for
    each letter."""

    def __init__(self) -> None:
        super().__init__(orientation="portrait", unit="mm", format="A4")
        self.add_font("inter", "", path("fonts/Inter-Regular.ttf"))
        self.add_font("inter", "B", path("fonts/Inter-SemiBold.ttf"))
        self.set_margins(_LEFT_MM, _TOP_MM, 210 - _LEFT_MM - _WIDTH_MM)
        self.set_auto_page_break(False)
        self.set_title("Aktiveringskoder")
        self.set_lang("sv")

    def from_files(self) -> list[TTFFont]:
        """The fonts that were read from files."""
        return [font for font in self.fonts.values() if isinstance(font, TTFFont)]

    def add(self, letter: Letter, server: str) -> None:
        """Adds a page with one letter. `server`: the address that people type; "" leaves it out."""
        self.add_page()
        self._paragraph("Välkommen till Kansli", 22, bold=True, after_mm=8)
        self._paragraph(letter.who.name, 15, bold=True)
        work = " · ".join(text for text in (letter.who.title, letter.who.unit) if text)
        self._paragraph(work, 11, after_mm=8)
        self._paragraph("Din aktiveringskod", 12, bold=True, after_mm=2)
        self._code(letter.code)
        self._paragraph(f"Koden gäller en gång, till och med {until(letter.until_ms)}.", 11, bold=True, after_mm=4)
        self._qr(link(server, letter.code))
        self._paragraph(
            "QR-koden är samma kod, för en dator som läser QR-koder. Den behövs inte om du skriver koden.",
            9,
            after_mm=4,
        )
        self._paragraph("Så här gör du", 12, bold=True, after_mm=2)
        for number, step in enumerate(_steps(server), start=1):
            self._step(number, step)
        self.ln(4)
        self._paragraph(
            "Den som har koden kan börja i ditt namn. Visa den inte för någon, och förstör brevet när du är klar. "
            "Om koden är för gammal eller redan använd: be it-supporten om en ny.",
            11,
        )

    def _paragraph(self, text: str, size: float, *, bold: bool = False, after_mm: float = 0.0) -> None:
        if text:
            self.set_font("inter", "B" if bold else "", size)
            self.multi_cell(
                _WIDTH_MM, size * 0.3528 * _LINE, text, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT, markdown=False
            )
        self.ln(after_mm)

    def _code(self, code: str) -> None:
        """Prints the activation code `code` in lines of a few groups, since it is typed from the paper."""
        groups = code.split("-")
        for at in range(0, len(groups), _GROUPS_A_LINE):
            self._paragraph("-".join(groups[at : at + _GROUPS_A_LINE]), 17)
        self.ln(3)

    def _step(self, number: int, text: str) -> None:
        self.set_font("inter", "", 11)
        height = 11 * 0.3528 * _LINE
        self.cell(8, height, f"{number}.")
        self.multi_cell(_WIDTH_MM - 8, height, text, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.ln(1.5)

    def _qr(self, text: str) -> None:
        """Draws the QR code of `text` on the page: 42 mm wide, at the left margin, below what was drawn before. What is
        drawn next comes below it. Draws a rectangle for each run of dark modules in a row. 0.5 ms."""
        matrix = segno.make(text, error="m", micro=False).matrix
        size, top = _QR_MM / len(matrix), self.get_y()
        height = size * 1.02  # otherwise a viewer shows white lines between the rows
        for row, modules in enumerate(matrix):
            column = 0
            while column < len(modules):
                end = column
                while end < len(modules) and modules[end]:
                    end += 1
                if end > column:
                    self.rect(_LEFT_MM + column * size, top + row * size, (end - column) * size, height, style="F")
                column = end + 1
        self.set_y(top + _QR_MM + 8)


def _steps(server: str) -> tuple[str, str, str]:
    code = "Skriv koden ovan i fältet Aktiveringskod."
    address = f" Frågar Kansli efter serverns adress, skriv {server}." if server else ""
    form = " Stora och små bokstäver, mellanslag och bindestreck spelar ingen roll."
    name = "Se efter att det är ditt namn som visas, och välj en lösenfras."
    phrase = " Bara du känner den; it-supporten kan inte ta fram den."
    return "Starta Kansli på din dator.", code + address + form, name + phrase
