# SPDX-License-Identifier: EUPL-1.2
"""Reads blocks from a docx, and counts what a document cannot hold.

Tracked changes are read as if they had been accepted. Text of tables stays, with tabs between the cells; text of text
boxes stays as paragraphs of its own. Bold or italic that a paragraph style sets is ignored; marks set on characters are
read.
"""

import io
import re
from collections import Counter
from typing import Any

import docx
from docx.opc.constants import RELATIONSHIP_TYPE

from app.core.text_units import clean
from app.documents.conversion.archive import Archive
from app.documents.conversion.docx_styles import Numbering, Styles, W, is_on, marks_in, number_in, value_of
from app.objects.addresses import safe_link
from app.richtext.flow import BODY, BULLETS, MAX_INDENT, NUMBERS, PLAIN, Block, Marks, Run, Style, joined
from app.richtext.formats import MAX_PASTE_CHARS, Taken
from app.richtext.html_tables import Table
from app.richtext.numbering import items

_MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_R_ID = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_MATH = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
_PICTURE = "{http://schemas.openxmlformats.org/drawingml/2006/picture}pic"
_CHARTS = (
    "{http://schemas.openxmlformats.org/drawingml/2006/chart}chart",
    "{http://schemas.openxmlformats.org/drawingml/2006/diagram}relIds",
    "{http://schemas.microsoft.com/office/drawing/2014/chartex}chart",
)
_VML_PICTURE = "{urn:schemas-microsoft-com:vml}imagedata"
_BOX = W + "txbxContent"
_WRAPPERS = {
    W + name: (W + inner if inner else None)
    for name, inner in (
        ("sdt", "sdtContent"), ("customXml", None), ("smartTag", None), ("dir", None), ("bdo", None),
        ("ruby", "rubyBase"), ("rt", None),
    )
}  # fmt: skip
"""Elements that only wrap others: the child that has the content, or None if it is the element itself."""
_ADDED, _GONE = (W + "ins", W + "moveTo"), (W + "del", W + "moveFrom")
_COUNTED = {
    W + "footnoteReference": "footnotes", W + "endnoteReference": "endnotes", W + "commentReference": "comments",
    W + "object": "objects", W + "altChunk": "objects", _MATH + "oMath": "equations", _MATH + "oMathPara": "equations",
}  # fmt: skip
_CHARACTERS = {W + "tab": "\t", W + "ptab": "\t", W + "cr": "\u2028", W + "noBreakHyphen": "\u2011",
               W + "softHyphen": "\u00ad"}  # fmt: skip
_SYMBOLS = {0x6F: "☐", 0xA8: "☐", 0xFE: "☑", 0xFD: "☒", 0xFC: "✓", 0xFB: "✗", 0xB7: "•", 0xA7: "▪", 0xE0: "→",
            0xD8: "➢", 0x4A: "☺"}  # fmt: skip
"""Signs of the fonts Symbol and Wingdings, which have them in a private area."""
_HYPERLINK = re.compile(r'HYPERLINK\s+"([^"]+)"(?:\s+\\l\s+"([^"]*)")?', re.IGNORECASE)
_SPACES = re.compile(r"[\r\n\u2028\u2029]+")
_PAGE_HEAD = re.compile(r"word/(?:header|footer)\d*\.xml", re.IGNORECASE)


class _Full(Exception):
    """Raised to end the reading of a file when the text is as long as a document may be."""


class _Field:
    """An open field of Word, such as a link or a page number: its instruction, whether its visible result has begun,
    and the address that its text links to."""

    def __init__(self, link: str) -> None:
        self.instruction: list[str] = []
        self.shows = False
        self.link = link


def read_docx(archive: Archive) -> Taken:
    """Reads a checked docx into blocks, at least one, and counts what a document cannot hold. Any exception means that
    the file is damaged."""
    reader = _Reader(docx.Document(io.BytesIO(archive.docx)))
    reader.read(archive)
    return Taken(
        blocks=reader.blocks or [Block(())],
        pictures=reader.left.pop("pictures", 0),
        tables=reader.left.pop("tables", 0),
        others=tuple(sorted((+reader.left).items())),
        cut=reader.cut,
    )


class _Reader:
    def __init__(self, document: Any) -> None:
        self.blocks: list[Block] = []
        self.left = Counter[str]()
        self.cut = False
        self._body = document.element.body
        self._links = {key: rel.target_ref for key, rel in document.part.rels.items() if rel.is_external}
        self._styles = Styles(_related(document, RELATIONSHIP_TYPE.STYLES))
        self._numbering = Numbering(_related(document, RELATIONSHIP_TYPE.NUMBERING), self._styles)
        self._fields: list[_Field] = []
        self._unshown = 0
        """How many fields have a result that has not begun. ▲ Searching all of them for each run, 57 KB of open fields
        took 35 s."""
        self._hides = False
        """Whether the paragraph's style hides its text."""
        self._runs: list[Run] = []
        self._boxes: list[Any] = []
        self._length = 0
        self._counted: dict[int, tuple[int, Block]] = {}
        """Word's number of each block in a numbered list, by the identity of the block, which is kept with it."""

    def read(self, archive: Archive) -> None:
        """Reads the file's text into `blocks`, and counts into `left` what a document cannot hold. Sets `cut` if only
        the beginning of the text fits."""
        try:
            self._content(self._body, self.blocks)
        except _Full:
            self.cut = True
        self.left["headers"] = sum(bool(_PAGE_HEAD.fullmatch(n)) and _has_text(p) for n, p in archive.parts.items())
        self.left["macros"] = int(archive.macros)
        self.left["numbering"] = self._renumbered()

    def _renumbered(self) -> int:
        """How many numbered lists of the file have an item whose number in a document of ours differs from the one in
        Word."""
        pairs = zip(self.blocks, items(self.blocks), strict=True)
        return len({i.list for b, i in pairs if self._counted.get(id(b), (i.number,))[0] != i.number})

    # ---- paragraphs and tables

    def _content(self, parent: Any, into: list[Block]) -> None:
        for child in parent:
            tag = child.tag
            if tag == W + "p":
                self._paragraph(child, into)
            elif tag == W + "tbl":
                self._table(child, into)
            elif tag in _WRAPPERS:
                inner = _WRAPPERS[tag]
                self._content(child if inner is None else _child(child, inner), into)
            elif tag == _MC + "AlternateContent":
                self._content(_chosen(child), into)
            elif tag in _ADDED:
                self._content(child, into)
            elif tag in _COUNTED:
                self.left[_COUNTED[tag]] += 1

    def _paragraph(self, paragraph: Any, into: list[Block]) -> None:
        properties = paragraph.find(W + "pPr")
        outer, self._runs = (self._runs, self._hides), []
        self._hides = self._styles.hides_paragraph(value_of(properties, "pStyle"))
        self._inline(paragraph)
        runs, (self._runs, self._hides) = joined(self._runs), outer
        boxes, self._boxes = self._boxes, []
        if self._unshown:  # otherwise a field that is never shown would hide the rest
            self._fields, self._unshown = [field for field in self._fields if field.shows], 0
        mark = properties.find(W + "rPr") if properties is not None else None
        if runs or mark is None or mark.find(W + "del") is None:
            block = self._styled(runs, properties)
            self._length += len(block.text) + 1
            if self._length > MAX_PASTE_CHARS:
                raise _Full
            into.append(block)
        for box in boxes:
            self._content(box, into)

    def _styled(self, runs: tuple[Run, ...], properties: Any) -> Block:
        if properties is None:
            return Block(runs)
        numbered = self._styles.numbering(properties)
        level = self._numbering.level(*numbered) if numbered is not None else None
        number = self._numbering.count(*numbered) if numbered is not None and level is not None else 0
        heading = self._styles.heading(properties)
        if heading:
            self.left["headings"] += heading > 3
            self.left["heading-numbers"] += level is not None and level.kind not in ("bullet", "none") and bool(runs)
            return Block(runs, Style(heading=min(heading, 3)))
        if numbered is not None and level is not None and level.kind != "none":
            kind = BULLETS if level.kind == "bullet" else NUMBERS
            block = Block(runs, Style(list=kind, indent=min(numbered[1] + 1, MAX_INDENT)))
            if kind == NUMBERS:
                self._counted[id(block)] = (number, block)
            return block
        if numbered is None and (named := self._styles.named_list(properties)) is not None:
            return Block(runs, Style(list=named[0], indent=named[1]))
        return Block(runs, Style(quote=True) if self._styles.is_quote(properties) else BODY)

    def _table(self, element: Any, into: list[Block]) -> None:
        table = Table()
        try:
            self._rows(element, table)
        finally:  # the text that was read before it was too long stays
            self.left["tables"] += table.apart
            into += table.out

    def _rows(self, parent: Any, table: Table) -> None:
        for child in parent:
            if child.tag in _WRAPPERS:
                inner = _WRAPPERS[child.tag]
                self._rows(child if inner is None else _child(child, inner), table)
            elif child.tag == W + "tr":
                properties = child.find(W + "trPr")
                if properties is not None and properties.find(W + "del") is not None:
                    self.left["changes"] += 1
                    continue
                try:
                    self._cells(child, table)
                finally:
                    table.end_row()

    def _cells(self, parent: Any, table: Table) -> None:
        for child in parent:
            if child.tag in _WRAPPERS:
                inner = _WRAPPERS[child.tag]
                self._cells(child if inner is None else _child(child, inner), table)
            elif child.tag == W + "tc":
                span = number_in(child.find(W + "tcPr"), "gridSpan")
                table.begin_cell(str(span) if span else None, None)
                try:
                    self._cell(child, table)
                finally:
                    table.end_cell()

    def _cell(self, cell: Any, table: Table) -> None:
        """Reads a cell of a table into `table`, which collects the whole table and has this cell open: the cell's
        paragraphs that have text, and tables inside it."""
        for child in cell:
            if child.tag == W + "tbl":
                inner = Table()
                try:
                    self._rows(child, inner)
                finally:
                    self.left["tables"] += inner.apart
                    table.take(inner)
            elif child.tag in _WRAPPERS:
                content = _WRAPPERS[child.tag]
                self._cell(child if content is None else _child(child, content), table)
            else:
                found: list[Block] = []
                try:
                    self._content([child], found)
                finally:
                    table.into.extend(block for block in found if block.text.strip())

    # ---- characters

    def _inline(self, parent: Any, link: str = "") -> None:
        for child in parent:
            tag = child.tag
            if tag == W + "r":
                self._run(child, link)
            elif tag == W + "hyperlink":
                self._inline(child, self._link_of(child) or link)
            elif tag == W + "fldSimple":
                self._inline(child, self._field_link(child.get(W + "instr", "")) or link)
            elif tag in _ADDED:
                self.left["changes"] += 1
                self._inline(child, link)
            elif tag in _GONE:
                self.left["changes"] += 1
            elif tag in _WRAPPERS:
                inner = _WRAPPERS[tag]
                self._inline(child if inner is None else _child(child, inner), link)
            elif tag == _MC + "AlternateContent":
                self._inline(_chosen(child), link)
            elif tag in _COUNTED:
                self.left[_COUNTED[tag]] += 1

    def _run(self, run: Any, link: str) -> None:
        properties = run.find(W + "rPr")
        if self._is_hidden(properties):
            self.left["hidden"] += run.find(W + "t") is not None
            return
        marks = self._marks(properties, link)
        for child in run:
            tag = child.tag
            if tag == W + "fldChar":
                self._field(child.get(W + "fldCharType"))
                marks = self._marks(properties, link)
            elif tag == W + "instrText" and self._fields:
                self._fields[-1].instruction.append(child.text or "")
            elif not self._unshown:
                self._piece(child, marks)

    def _is_hidden(self, properties: Any) -> bool:
        """Whether a run's text is hidden: as its own property says, or if it has none, the style of its paragraph or
        characters. Its argument: the run's properties, or None."""
        if value_of(properties, "vanish") is not None:
            return is_on(properties, "vanish")
        return self._hides or self._styles.hides(value_of(properties, "rStyle"))

    def _marks(self, properties: Any, link: str) -> Marks:
        found = self._styles.marks(value_of(properties, "rStyle")) | marks_in(properties)
        link = (self._fields[-1].link if self._fields else "") or link
        if link:
            found.pop("underline", None)  # a link is shown underlined anyway
        return PLAIN.with_attrs(found)._replace(link=link)

    def _piece(self, piece: Any, marks: Marks) -> None:
        tag = piece.tag
        if tag == W + "t":
            self._add_text(_SPACES.sub(" ", piece.text or ""), marks)
        elif tag in _CHARACTERS:
            self._add_text(_CHARACTERS[tag], marks)
        elif tag == W + "br":
            if piece.get(W + "type", "textWrapping") == "textWrapping":
                self._add_text("\u2028", marks)
        elif tag == W + "sym":
            self._symbol(piece.get(W + "char", ""), marks)
        elif tag in _COUNTED:
            self.left[_COUNTED[tag]] += 1
        elif tag in (W + "drawing", W + "pict"):
            self._drawn(piece)
        elif tag == _MC + "AlternateContent":
            for child in _chosen(piece):
                self._piece(child, marks)
        elif tag in _WRAPPERS:
            inner = _WRAPPERS[tag]
            self._inline(piece if inner is None else _child(piece, inner), marks.link)

    def _add_text(self, text: str, marks: Marks) -> None:
        if text:
            self._runs.append(Run(clean(text), marks))

    def _symbol(self, code: str, marks: Marks) -> None:
        number = int(code, 16) if re.fullmatch(r"[0-9A-Fa-f]{1,4}", code) else 0
        found = _SYMBOLS.get(number & 0xFF if number & 0xFF00 in (0, 0xF000) else 0)
        if found is None:
            self.left["symbols"] += 1
        else:
            self._add_text(found, marks)

    def _drawn(self, drawing: Any) -> None:
        boxes = [box for box in drawing.iter(_BOX) if not any(a.tag == _BOX for a in box.iterancestors())]
        self.left["boxes"] += len(boxes)
        self._boxes += boxes
        self.left["pictures"] += sum(1 for _ in drawing.iter(_PICTURE, _VML_PICTURE))
        self.left["charts"] += sum(1 for _ in drawing.iter(*_CHARTS))

    def _field(self, kind: str | None) -> None:
        if kind == "begin":
            self._fields.append(_Field(self._fields[-1].link if self._fields else ""))
            self._unshown += 1
        elif self._fields and kind == "separate":
            field = self._fields[-1]
            self._unshown -= not field.shows
            field.shows, field.link = True, self._field_link("".join(field.instruction)) or field.link
        elif self._fields and kind == "end":
            self._unshown -= not self._fields.pop().shows

    def _field_link(self, instruction: str) -> str:
        found = _HYPERLINK.search(instruction[:5000])
        return self._judged(_at(found[1], found[2])) if found else ""

    def _link_of(self, hyperlink: Any) -> str:
        """The address of a link (a `w:hyperlink` element); "" for one that may not be opened, which is counted. A link
        to a place within the document has no target here: "" too, so it becomes plain text."""
        target = self._links.get(hyperlink.get(_R_ID, ""))
        return self._judged(_at(target, hyperlink.get(W + "anchor"))) if target is not None else ""

    def _judged(self, target: str) -> str:
        link = safe_link(target)
        self.left["links"] += not link
        return link


def _related(document: Any, kind: str) -> Any:
    """The root element of the part (styles, numbering) that the docx `document` relates to by `kind`, the type of a
    relationship; None if it has none."""
    try:
        part = document.part.part_related_by(kind)
    except KeyError:
        return None
    return part.element


def _at(address: str, place: str | None) -> str:
    return f"{address}#{place}" if place and "#" not in address else address


def _child(element: Any, tag: str) -> Any:
    found = element.find(tag)
    return () if found is None else found


def _chosen(alternatives: Any) -> Any:
    """The first of several alternative forms of a content, which is the one that Word shows too; the fallback if there
    is no other. Returns an element, to be read for its children; () if there is neither."""
    found = alternatives.find(_MC + "Choice")
    return _child(alternatives, _MC + "Fallback") if found is None else found


def _has_text(part: bytes) -> bool:
    """Whether a header or footer has text or a picture. ▲ No search runs past the next tag: with 80,000 tags that do
    not end, the time was quadratic."""
    return re.search(rb"<w:t(?: [^<>]*)?>[^<]*[^<\s]|<pic:pic|<v:imagedata", part) is not None
