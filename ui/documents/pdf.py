# SPDX-License-Identifier: EUPL-1.2
"""A document's pages as PDF, in memory. The file has the title and nothing more about the document."""

import asyncio
import re
import time
from xml.sax.saxutils import escape

from PySide6.QtCore import QBuffer, QIODevice, QMarginsF, QSizeF
from PySide6.QtGui import QPageLayout, QPageSize, QPainter, QPdfWriter

from app.errors import BugError
from ui.documents.paper import DPI, STEP_S, Paper, Progress

_PROPERTIES = re.compile(rb"/(?:Creator|Author|Producer|CreationDate|ModDate) \((?:[^()\\]|\\.)*\)\n", re.DOTALL)
"""Matches what Qt writes of itself and of the time, in the file's first object."""
_XMP = """<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:dc="http://purl.org/dc/elements/1.1/">
<rdf:Description rdf:about=""><dc:title><rdf:Alt><rdf:li xml:lang="x-default">{title}</rdf:li></rdf:Alt></dc:title>
</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>"""


async def make(paper: Paper, progress: Progress = lambda _done, _all: None) -> bytes:
    """Makes a PDF of the pages of `paper`, which is laid out already, and returns its bytes. The pages are painted in
    steps that leave the event loop free; cancelling the task ends it. `progress` is called between steps with the page
    that is being painted, from 0, and the number of pages. BugError if Qt does not begin to paint."""
    target = QBuffer()
    target.open(QIODevice.OpenModeFlag.WriteOnly)
    writer = QPdfWriter(target)
    writer.setResolution(DPI)
    writer.setTitle(paper.title)
    writer.setDocumentXmpMetadata(_XMP.format(title=escape(paper.title)).encode())
    size = QPageSize(QSizeF(paper.size_px) * 72 / DPI, QPageSize.Unit.Point, "", QPageSize.SizeMatchPolicy.FuzzyMatch)
    writer.setPageLayout(QPageLayout(size, QPageLayout.Orientation.Portrait, QMarginsF()))
    painter = QPainter()
    if not painter.begin(writer):
        raise BugError
    try:
        began = time.perf_counter()
        for page in range(paper.pages):
            if page:
                writer.newPage()
            for _ in paper.painting(painter, page):
                if time.perf_counter() - began > STEP_S:
                    progress(page, paper.pages)
                    await asyncio.sleep(0)
                    began = time.perf_counter()
    finally:
        painter.end()
    return _cleaned(bytes(target.data().data()))


def _cleaned(data: bytes) -> bytes:
    """Returns the PDF without what Qt writes about itself and the time, so that the file shows neither: it is
    overwritten with as many spaces, since a PDF refers to its parts by byte numbers."""
    end = data.find(b"endobj")
    return _PROPERTIES.sub(lambda found: b" " * (len(found[0]) - 1) + b"\n", data[:end]) + data[end:]
