# SPDX-License-Identifier: EUPL-1.2
"""Reads a PDF with PDFium, in the process that reads this file alone.

Nothing in a PDF is carried out: the build of PDFium has neither JavaScript nor XFA. A form environment is started, but
only to paint the values of form fields: it has no callback, and calls no action of the document. Attachments are not
read, and links are only listed.
"""

import ctypes
import math
from collections import OrderedDict

import pypdfium2 as pdfium
import pypdfium2.raw as raw

from app.viewing.errors import ViewDamaged, ViewProtected
from app.viewing.limits import MAX_ADDRESS, MAX_HITS, MAX_LINKS, MAX_PAGES, MAX_RECTS, PAGE_CHARS, SIZES_AT_ONCE
from app.worker.frames import Rect

_KEPT_PAGES = 4
_A4 = (595.0, 842.0)
_LARGEST_PT = 14_400.0
"""The longest side of a page in points (200 inches), by the PDF standard."""
_GRID = 1_000_000
"""PDFium returns a place on a page in whole pixels. So the page is taken to have this many pixels a side."""
_NEAR_PT = 24.0
"""How far a point may be from the letter that it selects, in points."""


class PdfReader:
    """The first MAX_PAGES pages of a PDF, given as its bytes. ViewProtected if it needs a password; ViewDamaged if it
    cannot be read or has no page. Places on a page are fractions of its width and height, from the top left."""

    def __init__(self, data: bytes) -> None:
        try:
            self._file = pdfium.PdfDocument(data)
            self._file.init_forms()
            count = len(self._file)
        except pdfium.PdfiumError as e:
            raise (ViewProtected if e.err_code == raw.FPDF_ERR_PASSWORD else ViewDamaged) from e
        if count < 1:
            raise ViewDamaged
        self.pages = min(count, MAX_PAGES)
        self.cut = count > MAX_PAGES
        self._open: OrderedDict[int, tuple[pdfium.PdfPage, pdfium.PdfTextPage | None]] = OrderedDict()

    def sizes(self, first: int) -> list[tuple[float, float]]:
        """(width, height) in points of the pages from `first` (from 0) on, at most SIZES_AT_ONCE. A page without a
        valid size counts as A4."""
        return [self._size(page) for page in range(first, min(first + SIZES_AT_ONCE, self.pages))]

    def render(self, page: int, width: int, height: int, box: tuple[int, int, int, int], turn: int) -> bytes:
        """Paints a piece of a page on white. The page is turned by `turn` quarters to the right and then has `width` x
        `height` pixels; `box` is the piece's (left, top, width, height) in these. Returns four bytes a pixel (BGRX), in
        rows from the top. A page that cannot be read is white."""
        left, top, wide, high = box
        pixels = (ctypes.c_ubyte * (wide * high * 4))()
        bitmap = raw.FPDFBitmap_CreateEx(wide, high, raw.FPDFBitmap_BGRx, pixels, wide * 4)
        try:
            raw.FPDFBitmap_FillRect(bitmap, 0, 0, wide, high, 0xFFFFFFFF)
            found = self._page(page)
            if found is not None:
                place = (-left, -top, width, height, turn, raw.FPDF_ANNOT)
                raw.FPDF_RenderPageBitmap(bitmap, found[0].raw, *place)
                if self._file.formenv is not None:
                    raw.FPDF_FFLDraw(self._file.formenv.raw, bitmap, found[0].raw, *place)
        finally:
            raw.FPDFBitmap_Destroy(bitmap)
        return bytes(pixels)

    def text(self, page: int) -> str:
        """The page's text, at most PAGE_CHARS characters; "" for a page without text, such as a scanned one."""
        text = self._text(page)
        return "" if text is None else _sound(text.get_text_range(0, min(PAGE_CHARS, text.count_chars())))

    def find(self, page: int, words: str) -> list[list[Rect]]:
        """The places on the page where `words` are, in upper or lower case: the rectangles of each place. At most
        MAX_HITS places and MAX_RECTS rectangles."""
        text = self._text(page)
        if text is None or not words:
            return []
        hits, rects = list[list[Rect]](), 0
        search = text.search(words)
        while len(hits) < MAX_HITS and rects < MAX_RECTS and (at := search.get_next()) is not None:
            hits.append(self._rects(page, text, *at)[: MAX_RECTS - rects])
            rects += len(hits[-1])
        return hits

    def select(self, page: int, x0: float, y0: float, x1: float, y1: float) -> tuple[str, list[Rect]]:
        """The text between two points of the page, at most PAGE_CHARS characters, and the rectangles that cover it, at
        most MAX_RECTS. ("", []) if no letter is near one of the points."""
        text = self._text(page)
        if text is None:
            return "", []
        ends = [self._letter(page, text, x, y) for x, y in ((x0, y0), (x1, y1))]
        if min(ends) < 0:
            return "", []
        first, count = min(ends), min(max(ends) - min(ends) + 1, PAGE_CHARS)
        return _sound(text.get_text_range(first, count)), self._rects(page, text, first, count)[:MAX_RECTS]

    def links(self, page: int) -> list[tuple[Rect, str]]:
        """The places on the page that lead to web addresses (http and https), at most MAX_LINKS. Other actions, such as
        starting a program, are left out."""
        found = self._page(page)
        if found is None:
            return []
        links = list[tuple[Rect, str]]()
        at, link = ctypes.c_int(0), raw.FPDF_LINK()
        for _ in range(10 * MAX_LINKS):
            if len(links) == MAX_LINKS or not raw.FPDFLink_Enumerate(found[0].raw, at, link):
                break
            address = self._address(link)
            edges = raw.FS_RECTF()
            if address and raw.FPDFLink_GetAnnotRect(link, edges):
                links.append((self._rect(page, edges.left, edges.bottom, edges.right, edges.top), address))
        return links

    # -- inside ----------------------------------------------------------------------------------------------------

    def _size(self, page: int) -> tuple[float, float]:
        size = raw.FS_SIZEF()
        if not raw.FPDF_GetPageSizeByIndexF(self._file.raw, page, size):
            return _A4
        width, height = float(size.width), float(size.height)
        if not (math.isfinite(width) and math.isfinite(height) and width >= 1 and height >= 1):
            return _A4
        return min(width, _LARGEST_PT), min(height, _LARGEST_PT)

    def _page(self, page: int) -> tuple[pdfium.PdfPage, pdfium.PdfTextPage | None] | None:
        """The page and its text, which is None until `_text` has read it; None for a page that cannot be read. The last
        _KEPT_PAGES pages stay open."""
        found = self._open.pop(page, None)
        if found is None:
            try:
                found = self._file[page], None
            except pdfium.PdfiumError:
                return None
        self._open[page] = found
        while len(self._open) > _KEPT_PAGES:
            _, (old, text) = self._open.popitem(last=False)
            if text is not None:
                text.close()
            old.close()
        return found

    def _text(self, page: int) -> pdfium.PdfTextPage | None:
        found = self._page(page)
        if found is None:
            return None
        if found[1] is None:
            try:
                found = self._open[page] = found[0], found[0].get_textpage()
            except pdfium.PdfiumError:
                return None
        return found[1]

    def _letter(self, page: int, text: pdfium.PdfTextPage, x: float, y: float) -> int:
        found = self._page(page)
        if found is None:
            return -1
        across, up = ctypes.c_double(), ctypes.c_double()
        raw.FPDF_DeviceToPage(found[0].raw, 0, 0, _GRID, _GRID, 0, round(x * _GRID), round(y * _GRID), across, up)
        return int(raw.FPDFText_GetCharIndexAtPos(text.raw, across.value, up.value, _NEAR_PT, _NEAR_PT))

    def _rects(self, page: int, text: pdfium.PdfTextPage, first: int, count: int) -> list[Rect]:
        lines = min(MAX_RECTS, text.count_rects(first, count))
        return [self._rect(page, *text.get_rect(line)) for line in range(lines)]

    def _rect(self, page: int, left: float, bottom: float, right: float, top: float) -> Rect:
        """Converts a rectangle from the page's own coordinates to fractions of the page as it is shown."""
        found = self._page(page)
        if found is None:
            return 0.0, 0.0, 0.0, 0.0
        places = list[tuple[float, float]]()
        for across, up in ((left, top), (right, bottom)):
            x, y = ctypes.c_int(), ctypes.c_int()
            raw.FPDF_PageToDevice(found[0].raw, 0, 0, _GRID, _GRID, 0, across, up, x, y)
            places.append((min(1.0, max(0.0, x.value / _GRID)), min(1.0, max(0.0, y.value / _GRID))))
        (x0, y0), (x1, y1) = places
        return min(x0, x1), min(y0, y1), abs(x1 - x0), abs(y1 - y0)

    def _address(self, link: object) -> str:
        """The web address of a link; "" for a link with another action."""
        action = raw.FPDFLink_GetAction(link)
        if not action or raw.FPDFAction_GetType(action) != raw.PDFACTION_URI:
            return ""
        size = raw.FPDFAction_GetURIPath(self._file.raw, action, None, 0)
        if not 1 < size <= MAX_ADDRESS:
            return ""
        held = ctypes.create_string_buffer(size)
        raw.FPDFAction_GetURIPath(self._file.raw, action, held, size)
        address = held.value.decode("ascii", "ignore")
        return address if address.lower().startswith(("https://", "http://")) else ""


def _sound(text: str) -> str:
    """The text with plain line ends, and without zero characters and lone surrogates, which cannot be encoded."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "").replace("\ufffe", "-")
    return text.encode("utf-8", "replace").decode("utf-8")


_TRIAL = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>endobj\n"
    b"4 0 obj<</Length 27>>stream\nBT /F 8 Tf (a) Tj ET       \nendstream endobj\n"
    b"5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF"
)


def warm_up() -> None:
    """Reads a small PDF, so that PDFium has loaded everything before the process may no longer open files."""
    reader = PdfReader(_TRIAL)
    reader.render(0, 9, 9, (0, 0, 9, 9), 0)
    reader.text(0)
    reader.find(0, "a")
    reader.select(0, 0.1, 0.9, 0.2, 0.9)
    reader.links(0)
