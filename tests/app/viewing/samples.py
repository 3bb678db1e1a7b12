# SPDX-License-Identifier: EUPL-1.2
"""Files for the viewer, honest and hostile, made from bytes so that each fault is in sight."""

import io
import struct
import zlib

from PIL import Image

PAGE_TEXT = "Dnr 2026-114"


def picture(kind: str = "PNG", size: tuple[int, int] = (300, 200), colour: object = "red", mode: str = "RGB") -> bytes:
    """A picture of one colour with a blue upper left quarter."""
    made = Image.new(mode, size, colour)  # type: ignore[arg-type] # a colour of the mode
    if mode == "RGB":
        made.paste((0, 0, 255), (0, 0, size[0] // 2, size[1] // 2))
    held = io.BytesIO()
    made.save(held, kind)
    return held.getvalue()


def photo_on_its_side(size: tuple[int, int] = (300, 200)) -> bytes:
    """A JPEG whose camera noted that it was held turned: it is shown as high as it is wide here."""
    made = Image.new("RGB", size, "green")
    exif = Image.Exif()
    exif[0x0112] = 6
    held = io.BytesIO()
    made.save(held, "JPEG", exif=exif)
    return held.getvalue()


def png(width: int, height: int, pixels: bytes = b"", extra: bytes = b"") -> bytes:
    """A PNG that says it has this size, with these packed rows."""
    head = _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + extra + _chunk(b"IDAT", zlib.compress(pixels)) + _chunk(b"IEND", b"")


def text_bomb() -> bytes:
    """A PNG with a packed text of 200 MB."""
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(bytes(1 << 20)) for _ in range(200)) + packer.flush()
    return png(2, 2, b"\0" * 14, _chunk(b"zTXt", b"a\0\0" + packed))


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def pdf(
    pages: int = 1,
    *,
    text: str = PAGE_TEXT,
    size: str = "0 0 300 400",
    page: str = "",
    root: str = "",
    more: str = "",
    kids: str = "",
    content: str = "",
) -> bytes:
    """A PDF whose pages are all the same one, with `text` near its top. `page` and `root` are added to these
    dictionaries, `more` are further objects from number 6 on, `kids` replaces the list of pages and `content` what is
    painted."""
    painted = content or f"BT /F 18 Tf 20 350 Td ({text}) Tj ET"
    objects = [
        f"<</Type/Catalog/Pages 2 0 R{root}>>",
        f"<</Type/Pages/Kids[{kids or ' '.join(['3 0 R'] * pages)}]/Count {pages}>>",
        (
            f"<</Type/Page/Parent 2 0 R/MediaBox[{size}]/Contents 4 0 R"
            f"/Resources<</Font<</F 5 0 R>>/XObject<</X 6 0 R>>>>{page}>>"
        ),
        f"<</Length {len(painted) + 1}>>stream\n{painted}\nendstream",
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    body = "".join(f"{number} 0 obj{inside}endobj\n" for number, inside in enumerate(objects, start=1))
    return f"%PDF-1.7\n{body}{more}trailer<</Root 1 0 R>>\n%%EOF".encode("latin-1")


def pdf_with_links() -> bytes:
    """A PDF with a web link, and links that start a program, open a file, run JavaScript and lead to another file."""
    actions = (
        "/S/URI/URI(https://www.exempel.se/beslut)",
        "/S/Launch/F(calc.exe)",
        "/S/URI/URI(file:///etc/passwd)",
        "/S/JavaScript/JS(app.launchURL\\('https://a.se'\\))",
        "/S/GoToR/F(annan.pdf)/D[0/Fit]",
        "/S/URI/URI(javascript:alert\\(1\\))",
        "/S/URI/URI(mailto:a@a.se)",
    )
    annots = "".join(
        f"<</Type/Annot/Subtype/Link/Rect[20 {300 - 30 * n} 120 {320 - 30 * n}]/A<<{action}>>>>"
        for n, action in enumerate(actions)
    )
    opening = "/OpenAction<</S/JavaScript/JS(while\\(1\\){})>>/AA<</WC<</S/Launch/F(calc.exe)>>>>"
    return pdf(page=f"/Annots[{annots}]", root=opening)


def pdf_with_a_form(value: str = "12345") -> bytes:
    """A PDF with a field for text whose value is in the form alone: nothing of it is painted on the page."""
    fields = "/AcroForm<</Fields[7 0 R]/DA(/F 12 Tf 0 g)/DR<</Font<</F 5 0 R>>>>>>"
    field = (
        f"7 0 obj<</Type/Annot/Subtype/Widget/FT/Tx/T(namn)/V({value})/DA(/F 12 Tf 0 g)/Rect[20 100 220 130]/F 4"
        "/P 3 0 R/AA<</K<</S/JavaScript/JS(while\\(1\\){})>>/F<</S/Launch/F(calc.exe)>>>>>>endobj\n"
    )
    return pdf(root=fields, page="/Annots[7 0 R]", more=field, content="0 0 m")


def pdf_with_a_loop() -> bytes:
    """A PDF whose page paints an object that paints itself, twice each time."""
    inside = "/X Do /X Do "
    loop = (
        "6 0 obj<</Type/XObject/Subtype/Form/BBox[0 0 300 400]/Resources<</XObject<</X 6 0 R>>>>"
        f"/Length {len(inside)}>>stream\n{inside}\nendstream endobj\n"
    )
    return pdf(content="/X Do", more=loop)
