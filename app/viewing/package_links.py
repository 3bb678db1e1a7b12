# SPDX-License-Identifier: EUPL-1.2
"""Finds in the XML of a document (OOXML, ODF, SVG) what the program that opens it would fetch from another computer, in
the process that reads this file alone. Hyperlinks are no finding: they are followed only when a person clicks.

The XML is read by expat, piece by piece, as the programs read it. So other spellings of the same (entities for
characters, other prefixes, UTF-16) are found too.
"""

import io
from collections.abc import Callable, Sequence
from typing import IO
from xml.parsers import expat

from app.viewing.errors import OpensMacros, OpensRemote, OpensUnchecked
from app.viewing.remote import NESTED, field_fetches, formula_fetches, is_remote

PIECE_BYTES = 1024 * 1024
MAX_TOKEN_BYTES = 8 * 1024 * 1024
"""The longest tag that is read: of a longer one, expat would read the beginning again for each piece."""
_CLICKED = {"hyperlink", "hlinkclick"}
"""Elements of OOXML whose link is followed by a click. ▲ Not `hlinkHover` and `hlinkMouseOver`, whose link is followed
without one."""
_PROGRAM_ACTIONS = ("ppaction://program", "execute", "macro")
"""What a click or a hover on a slide may start, in OOXML and ODF."""
_LINKS = dict.fromkeys(("fill", "image", "imagedata", "stroke"), ("src", "href", "althref")) | {"instance": ("src",)}
"""The attributes of elements of VML that name a picture by its address; and XForms in ODF, which is filled from it."""
_FORM_PICTURE = "image-data"
"""The attribute of ODF that names the picture of a form's control."""
_DDE = {"ddelink", "dde-source", "dde-link", "dde-connection", "dde-connection-decl"}
_CODES = {"instrtext", "delinstrtext"}
_FORMULAS = {"f", "formula", "definedname", "formula1", "formula2"}
_STYLES = {"style"}
_MERGED, _MERGES = "afchunk", "altchunk"
"""The relationship to a part in a format of its own, such as a web page, that Word merges into the document when it
opens it, and the element that names it. ▲ Either counts: Word looks for the relationship by its id, whatever its type
is."""
_ON = ("1", "true", "on")
_PIVOT, _PIVOT_SOURCE = "pivotcachedefinition", "cachesource"
_ASKING = {"connection", "querytable", _PIVOT, _PIVOT_SOURCE}
"""Elements that say when Excel asks a source of data again."""
_BOOKS = "office:spreadsheet"
_BOOK_SOURCES = {"querytable", "supbook"}
"""In a book of Excel that is one file of XML: a query, and another book."""
_FLAT = ("opendocument", "openoffice.org", _BOOKS)
_FLAT_MARKS = (b"office:document", b"opendocument", _BOOKS.encode())
"""In the namespace of the first tag of an ODF document or a book of Excel that is one file of XML, and in its bytes."""
_MOST_FIELDS = 10_000

Attributes = dict[str, str]


class Links:
    """Checks the parts of one document. First pass all its lists of relationships to `relationships`, then every part
    to `part`."""

    def __init__(self) -> None:
        self._clicked: dict[str, set[str]] = {}
        """By part, the relationships that lead to another computer when a person clicks."""

    def relationships(self, name: str, file: IO[bytes]) -> None:
        """Reads the list of relationships `name` of OOXML (lower case). OpensRemote if one of them, other than a
        hyperlink, leads to another computer; OpensUnchecked if it cannot be read, or merges a part in another
        format."""
        folder, _, of = name.rpartition("/")
        part = f"{folder.removesuffix('_rels')}{of.removesuffix('.rels')}"

        def start(element: str, attributes: Attributes) -> None:
            if _local(element) != "relationship":
                return
            found = {_local(key): value for key, value in attributes.items()}
            kind = found.get("type", "").rstrip("/").rpartition("/")[2].lower()
            if kind == _MERGED:
                raise OpensUnchecked
            if is_remote(found.get("target", "")):
                if kind != "hyperlink":
                    raise OpensRemote
                self._clicked.setdefault(part, set()).add(found.get("id", ""))

        parser = _parser()
        parser.StartElementHandler = start
        _read(parser, file)

    def part(self, name: str, file: IO[bytes]) -> None:
        """Reads a part of OOXML or ODF, or an SVG picture. OpensRemote for what is fetched when it is opened, and for
        DDE; OpensMacros for what starts a program; OpensUnchecked if it cannot be read."""
        _Part(self._clicked.get(name, set())).read(file)


def check_flat(data: bytes) -> None:
    """Reads a file of markup, as `Links.part`, if it is an ODF document or a book of Excel in one file. Does nothing
    for other markup."""
    part = _Part(set(), _FLAT)
    try:
        part.read(io.BytesIO(data))
    except OpensUnchecked:
        if part.is_other:
            return
        if not part.is_first or any(name in data.lower().replace(b"\0", b"") for name in _FLAT_MARKS):
            raise


class _Part:
    """Reads one part. `clicked`: the relationships that a click may follow. `only`: if it is not empty, one of these
    must be in the namespace of the first tag; otherwise `is_other` is set, and nothing is judged."""

    def __init__(self, clicked: set[str], only: Sequence[str] = ()) -> None:
        self._clicked, self._only = clicked, only
        self._fields: list[list[str] | None] = [[]]
        """The code of each open field of Word, the innermost last; None once its result has begun. The first is text
        outside of any."""
        self._text: list[str] = []
        self._depth = 0
        """How many tags are open since the one whose text is collected; 0 if none is."""
        self._judge: Callable[[str], None] = self._formula
        self.is_first, self._is_svg, self._is_flat_book, self._pivot_refreshes = True, False, False, False
        """`is_first`: no tag was read yet."""
        self.is_other = False
        self._parser = _parser()
        self._parser.StartElementHandler = self._start

    def read(self, file: IO[bytes]) -> None:
        """Reads the part to its end."""
        _read(self._parser, file)
        while self._fields:
            self._judge_field()
            self._fields.pop()

    def _start(self, element: str, attributes: Attributes) -> None:
        local = _local(element)
        if self.is_first:
            self.is_first, self._is_svg = False, local == "svg"
            if self._only and not any(name in element.lower() for name in self._only):
                self.is_other, self._parser.StartElementHandler = True, None
                return
            self._is_flat_book = _BOOKS in element.lower()
        if local in _DDE or (self._is_flat_book and local in _BOOK_SOURCES):
            raise OpensRemote
        if local == _MERGES:
            raise OpensUnchecked
        if local in _ASKING:
            self._source(local, {_local(key): value.strip().lower() for key, value in attributes.items()})
        for key, value in attributes.items():
            self._attribute(local, _local(key), key, value)
        if self._depth:
            self._depth += 1
        elif local == "fldchar":
            self._field(next((v for k, v in attributes.items() if _local(k) == "fldchartype"), ""))
        elif local in _CODES:
            self._collect(self._code)
        elif local in _FORMULAS:
            self._collect(self._formula)
        elif self._is_svg and local == "style":
            self._collect(_check_style)

    def _attribute(self, element: str, local: str, key: str, value: str) -> None:
        """Judges an attribute `key`, whose name without namespace is `local`, of an `element`."""
        if value in self._clicked and "relationships" in key and element not in _CLICKED:
            raise OpensRemote  # ▲ programs look for the relationship by its id alone, whatever its type is
        if local == "href" and ("xlink" in key or self._is_svg):
            _check_address(value, is_clicked=element == "a" or element.startswith("area-"))
        elif local in _LINKS.get(element, ()) or local == _FORM_PICTURE:
            _check_address(value)
        elif local == "instr":
            self._check(field_fetches(value))
        elif "formula" in local:
            self._formula(value)
        elif element == "webpr" and local == "url":
            _check_address(value)
        elif local == "action" and value.lower().startswith(_PROGRAM_ACTIONS):
            raise OpensMacros
        elif self._is_svg and "url(" in value.lower():
            _check_style(value)

    def _source(self, element: str, found: Attributes) -> None:
        """Judges an element in _ASKING with these attributes: OpensRemote if Excel asks the source when it opens the
        book, or every few minutes."""
        refreshes = found.get("refreshonload") in _ON
        if element == _PIVOT:
            self._pivot_refreshes = refreshes  # mostly from a sheet of the same book
        elif element == _PIVOT_SOURCE:
            self._check(self._pivot_refreshes and found.get("type") == "external")
        else:
            self._check(refreshes or bool(found.get("interval", "").strip("0")))

    # -- texts -----------------------------------------------------------------------------------------------------

    def _collect(self, judge: Callable[[str], None]) -> None:
        """Collects the text of the element that has just begun, and passes it to `judge` when the element ends."""
        self._judge, self._depth = judge, 1
        self._parser.CharacterDataHandler = self._text.append
        self._parser.EndElementHandler = self._end

    def _end(self, element: str) -> None:
        self._depth -= 1
        if not self._depth:
            self._parser.CharacterDataHandler = self._parser.EndElementHandler = None
            text = "".join(self._text)
            self._text.clear()
            self._judge(text)

    def _formula(self, text: str) -> None:
        self._check(formula_fetches(text))

    def _check(self, is_harm: bool) -> None:
        if is_harm:
            raise OpensRemote

    def _code(self, text: str) -> None:
        if (code := self._fields[-1]) is not None:
            code.append(text)

    def _field(self, what: str) -> None:
        if what == "begin":
            if len(self._fields) > _MOST_FIELDS:
                raise OpensUnchecked
            self._code(NESTED)
            self._fields.append([])
        elif what in ("separate", "end") and len(self._fields) > 1:
            self._judge_field()
            self._fields[-1] = None
            if what == "end":
                self._fields.pop()

    def _judge_field(self) -> None:
        code = "".join(self._fields[-1] or [])
        self._check(field_fetches(code if len(self._fields) > 1 else code.replace(NESTED, " ")))


def _check_address(address: str, *, is_clicked: bool = False) -> None:
    if not is_clicked and is_remote(address):
        raise OpensRemote


def _check_style(text: str) -> None:
    """Judges a style of SVG: OpensRemote if it loads anything from another computer."""
    text = text.lower()
    for named in text.split("url(")[1:]:
        _check_address(named.partition(")")[0].strip().strip("'\""))
    if "@import" in text:
        raise OpensRemote


def _local(name: str) -> str:
    """The name of an element or attribute without its namespace, in lower case."""
    return name.rpartition(" ")[2].lower()


def _parser() -> expat.XMLParserType:
    """A parser that gives names as "namespace name", and raises OpensUnchecked where entities are declared."""
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.EntityDeclHandler = _refuse_entity
    return parser


def _refuse_entity(*declared: object) -> None:
    raise OpensUnchecked


def _read(parser: expat.XMLParserType, file: IO[bytes]) -> None:
    """Reads XML to its end. OpensUnchecked if it is no XML, or has a tag of more than MAX_TOKEN_BYTES."""
    given = 0
    try:
        while piece := file.read(PIECE_BYTES):
            given += len(piece)
            parser.Parse(piece, False)
            if given - parser.CurrentByteIndex > MAX_TOKEN_BYTES:
                raise OpensUnchecked
        parser.Parse(b"", True)
    except (expat.ExpatError, LookupError, UnicodeError) as e:
        raise OpensUnchecked from e
