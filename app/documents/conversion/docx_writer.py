# SPDX-License-Identifier: EUPL-1.2
"""Writes blocks as a docx that holds them, a title, and no other content."""

import io
import re
import zipfile
from collections.abc import Sequence
from typing import Any

import docx
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.oxml.numbering import CT_Num

from app.documents.conversion.docx_template import BULLETS_NUM, NUMBERS_ABSTRACT, template
from app.richtext.flow import BULLETS, Block, Marks, Run
from app.richtext.numbering import Item, items

_UNWRITABLE = re.compile("[^\t\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot hold."""
_PIECES = re.compile("([\t\u2028\u2011\u00ad])")
_ELEMENTS = {"\t": "w:tab", "\u2028": "w:br", "\u2011": "w:noBreakHyphen", "\u00ad": "w:softHyphen"}
_MARKS = (("bold", "w:b"), ("italic", "w:i"), ("strike", "w:strike"))
_CT_NUM: Any = CT_Num  # python-docx's classes of elements have no types
_TIME = (1980, 1, 1, 0, 0, 0)
"""The time of each part in the archive: the earliest that zip can hold, so that it does not show when the file was
made."""


def write_docx(title: str, blocks: Sequence[Block]) -> bytes:
    """Writes blocks as the bytes of a docx file. The same title and blocks always give the same bytes: no date, no
    author. Characters that XML cannot hold become U+FFFD."""
    document = docx.Document(io.BytesIO(template(_writable(title))))
    writer = _Writer(document)
    for block, item in zip(blocks, items(blocks), strict=True):
        writer.add(block, item)
    made = io.BytesIO()
    document.save(made)
    return _untimed(made.getvalue())


class _Writer:
    def __init__(self, document: Any) -> None:
        self._part = document.part
        self._section = document.element.body.sectPr
        self._numbering = document.part.numbering_part.element
        self._nums: dict[int, int] = {}
        self._links: dict[str, str] = {}

    def add(self, block: Block, item: Item) -> None:
        """Adds a block as a paragraph at the end. `item`: the list that it belongs to, used only for an item of a
        numbered list."""
        paragraph: Any = OxmlElement("w:p")
        self._section.addprevious(paragraph)  # `add_p` would search all paragraphs before it for the last
        style = block.style
        if style.heading:
            paragraph.style = f"Heading{style.heading}"
        elif style.quote:
            paragraph.style = "Quote"
        elif style.list:
            paragraph.style = "ListParagraph"
            number = paragraph.get_or_add_pPr().get_or_add_numPr()
            number.get_or_add_ilvl().val = style.indent - 1
            number.get_or_add_numId().val = BULLETS_NUM if style.list == BULLETS else self._num(item, style.indent - 1)
        for run in block.runs:
            self._run(paragraph, run)

    def _num(self, item: Item, level: int) -> int:
        """The number of the `w:num` for the numbered list of `item`, made if it is new. Each list begins at 1, whatever
        list was before it. `level`: the first item's, from 0."""
        if item.list not in self._nums:
            self._nums[item.list] = BULLETS_NUM + 1 + len(self._nums)
            num = _CT_NUM.new(self._nums[item.list], NUMBERS_ABSTRACT)  # `add_num` would search all for a free number
            num.add_lvlOverride(ilvl=level).add_startOverride(1)
            self._numbering.append(num)
        return self._nums[item.list]

    def _run(self, paragraph: Any, run: Run) -> None:
        parent = paragraph
        if run.marks.link:
            parent = OxmlElement("w:hyperlink")
            parent.set(qn("r:id"), self._link(run.marks.link))
            paragraph.append(parent)
        element = OxmlElement("w:r")
        parent.append(element)
        _dress(element, run.marks)
        for piece in _PIECES.split(_writable(run.text)):
            if piece in _ELEMENTS:
                element.append(OxmlElement(_ELEMENTS[piece]))
            elif piece:
                element._add_t(text=piece).set(qn("xml:space"), "preserve")

    def _link(self, link: str) -> str:
        if link not in self._links:
            # ▲ `relate_to` searches all others first: 40,000 addresses from a colleague took minutes
            name = self._links[link] = f"link{len(self._links)}"
            self._part.rels.add_relationship(RELATIONSHIP_TYPE.HYPERLINK, _writable(link), name, is_external=True)
        return self._links[link]


def _dress(element: Any, marks: Marks) -> None:
    if marks == Marks():
        return
    properties = element.get_or_add_rPr()
    if marks.link:
        style = OxmlElement("w:rStyle")
        style.set(qn("w:val"), "Hyperlink")
        properties.append(style)
    for mark, name in _MARKS:
        if getattr(marks, mark):
            properties.append(OxmlElement(name))
    if marks.underline:
        line = OxmlElement("w:u")
        line.set(qn("w:val"), "single")
        properties.append(line)


def _writable(text: str) -> str:
    return _UNWRITABLE.sub("\ufffd", text)


def _untimed(data: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(made, "w") as new:
        for name in old.namelist():
            entry = zipfile.ZipInfo(name, _TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(entry, old.read(name))
    return made.getvalue()
