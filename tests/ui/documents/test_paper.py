# SPDX-License-Identifier: EUPL-1.2
"""Pages: their content, the text of a PDF of them for another program, and that the loop is left free."""

import asyncio
import re
import shutil
import subprocess
import time
from collections.abc import Iterator

import pytest
from PySide6.QtGui import QImage, QPageLayout, QPageSize, QPainter
from pytestqt.qtbot import QtBot

from app.core.i18n import language, set_language
from app.richtext.flow import Block, Marks, Run, Style
from ui.documents import pdf
from ui.documents.paper import DPI, Paper, a4

needs_pdftotext = pytest.mark.skipif(shutil.which("pdftotext") is None, reason="poppler reads what we wrote")
LINK = Marks(bold=True, link="https://a.se/å")
BLOCKS = [
    Block((Run("Beslut å 🙂"),), Style(heading=1)),
    Block((Run("Ett "), Run("fetlänk", LINK), Run("\u2028ny rad"))),
    Block((Run("ett"),), Style(list="ol", indent=1)),
    Block((Run("under"),), Style(list="ol", indent=2)),
    Block((Run("två"),), Style(list="ol", indent=1)),
    Block((Run("punkt"),), Style(list="ul", indent=1)),
    Block(()),
    Block((Run("börjar om"),), Style(list="ol", indent=1)),
    Block((Run("citat"),), Style(quote=True)),
]
LONG = [block for n in range(300) for block in (*BLOCKS, Block((Run(f"Stycke {n} " * 40),)))]


@pytest.fixture(autouse=True)
def swedish() -> Iterator[None]:
    before = language()
    set_language("sv")
    yield
    set_language(before)


async def laid_out(blocks: list[Block], layout: QPageLayout | None = None) -> Paper:
    paper = Paper("Beslut å & b", blocks, layout or a4())
    await paper.lay_out()
    return paper


def text_of(data: bytes) -> list[str]:
    """What poppler reads on each page. An emoji is a picture there."""
    command = ["pdftotext", "-layout", "-", "-"]
    shown = subprocess.run(command, input=data, capture_output=True, check=True).stdout.decode()
    return shown.split("\f")[:-1]


@needs_pdftotext
async def test_a_pdf_says_the_text_its_numbers_and_its_pages(qtbot: QtBot) -> None:
    (page,) = text_of(await pdf.make(await laid_out(BLOCKS)))
    lines = [" ".join(line.split()) for line in page.splitlines() if line.strip()]
    assert lines == ["Beslut å", "Ett fetlänk", "ny rad", "1. ett", "a. under", "2. två", "• punkt", "1. börjar om",
                     "citat", "Beslut å & b Sida 1 av 1"]  # fmt: skip


@needs_pdftotext
@pytest.mark.slow
async def test_a_long_document_has_all_its_text_on_numbered_pages(qtbot: QtBot) -> None:
    paper = await laid_out(LONG)
    pages = text_of(await pdf.make(paper))
    assert len(pages) == paper.pages > 50
    assert all(f"Sida {n} av {len(pages)}" in page for n, page in enumerate(pages, 1))
    words = " ".join("\n".join(pages).split())
    assert all(words.count(f"Stycke {n} ") >= 40 for n in (0, 150, 299))
    assert words.count("Beslut å Ett fetlänk ny rad") == 300


async def test_a_pdf_has_no_property_but_its_title_and_its_links_lead_somewhere(qtbot: QtBot) -> None:
    data = await pdf.make(await laid_out(BLOCKS))
    about = data[: data.find(b"endobj")]
    assert "Beslut å & b".encode("utf-16-be") in about
    for word in (b"Producer", b"Creator", b"Author", b"Date", b"Qt "):
        assert word not in about
    assert b"Beslut \xc3\xa5 &amp; b</rdf:li>" in data
    for word in (b"CreatorTool", b"CreateDate", b"dc:creator", b"DocumentID", b"pdf:Producer", b"CreationDate"):
        assert word not in data
    assert b"https://" in data
    start = int(re.findall(rb"startxref\n(\d+)", data)[0])
    assert data[start : start + 4] == b"xref", "what was overwritten is as long as before"


async def test_a_page_is_painted_as_large_as_asked_for(qtbot: QtBot) -> None:
    paper = await laid_out(BLOCKS)
    image = QImage(595, 842, QImage.Format.Format_RGB32)
    image.fill(0xFFFFFFFF)
    painter = QPainter(image)
    painter.scale(72 / DPI, 72 / DPI)
    paper.paint(painter, 0)
    painter.end()
    dark = [(x, y) for x in range(595) for y in range(842) if image.pixel(x, y) & 0xFF < 128]
    assert min(x for x, _ in dark) >= 70
    assert max(x for x, _ in dark) < 595 - 70
    assert min(y for _, y in dark) >= 70


async def test_a_heading_is_not_left_alone_at_the_foot_of_a_page(qtbot: QtBot) -> None:
    body = Block((Run("rad"),))
    for count in range(30, 45):
        paper = await laid_out([*[body] * count, Block((Run("Rubrik"),), Style(heading=2)), body])
        last = [line.text.text() for line in paper._pages[-1].lines]
        assert last != ["rad"] or "Rubrik" not in [line.text.text() for line in paper._pages[0].lines]
        if "Rubrik" in last and paper.pages > 1:
            return
    raise AssertionError("the heading never came overleaf")


async def test_a_word_longer_than_the_page_is_wide_is_broken(qtbot: QtBot) -> None:
    paper = await laid_out([Block((Run("å" * 5000),))])
    assert sum(len(page.lines) for page in paper._pages) > 40


async def test_other_paper_gets_other_pages(qtbot: QtBot) -> None:
    a5 = QPageLayout(QPageSize(QPageSize.PageSizeId.A5), QPageLayout.Orientation.Landscape, a4().margins())
    assert (await laid_out(LONG[:60], a5)).pages > (await laid_out(LONG[:60])).pages


async def test_the_loop_is_left_free_and_cancelling_ends_it(qtbot: QtBot) -> None:
    breaths = 0

    async def breathe() -> None:
        nonlocal breaths
        while True:
            await asyncio.sleep(0)
            breaths += 1

    breathing = asyncio.ensure_future(breathe())
    began = time.process_time()
    paper = await laid_out(LONG)
    making = asyncio.ensure_future(pdf.make(paper))
    await making
    took_s = time.process_time() - began
    assert breaths > took_s / 0.02, "some 2 ms of work between two breaths; ten times that on a bad day"
    making = asyncio.ensure_future(pdf.make(paper))
    await asyncio.sleep(0)
    making.cancel()
    with pytest.raises(asyncio.CancelledError):
        await making
    breathing.cancel()
