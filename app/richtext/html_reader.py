# SPDX-License-Identifier: EUPL-1.2
"""Reads blocks from foreign HTML. Imported at the first paste: the parser and its table of entities take 0.5 MB."""

import re
from collections import Counter
from html.parser import HTMLParser

from app.core.text_units import clean
from app.objects.addresses import safe_link
from app.richtext.flow import (
    BODY,
    BULLETS,
    MAX_INDENT,
    NUMBERS,
    PLAIN,
    Block,
    Marks,
    Run,
    Style,
    joined,
    one_line,
)
from app.richtext.html_tables import MAX_DEPTH, Table

_SPACES = re.compile(r"[ \t\r\n\f]+")
_SKIPPED = {"script", "style", "head", "title", "template", "noscript", "svg", "math", "object", "iframe", "select",
            "foreignobject"}  # fmt: skip
_ENDED_BY_BLOCK = {"head", "select", "svg", "math"}
"""Those of them that have no blocks inside: browsers end an open one where a block begins."""
_BLOCKS = {"p", "div", "li", "blockquote", "tr", "table", "ul", "ol", "section", "article", "header", "footer", "pre",
           "h1", "h2", "h3", "h4", "h5", "h6", "hr", "dt", "dd", "figure", "address", "main", "body", "td", "th",
           "caption"}  # fmt: skip
_MARK_TAGS = {
    "b": "bold", "strong": "bold", "i": "italic", "em": "italic", "cite": "italic", "u": "underline",
    "ins": "underline", "s": "strike", "strike": "strike", "del": "strike",
}  # fmt: skip
_WORD_ITEM = re.compile(r"mso-list:\s*l\d+\s+level(\d)")
_WORD_SIGN = re.compile(r"mso-list:\s*ignore")
"""Word writes lists as paragraphs that begin with their bullet or number."""
_NUMBER = re.compile(r"\(?\w{1,5}[.)]")
_HEAVY = re.compile(r"[6-9][0-9]{2}|1000")
"""The weights of CSS, 1 to 1000, that are bold."""
_VOID = {"br", "hr", "img", "input", "meta", "link", "col", "wbr", "area", "base", "embed", "source", "track"}


class HtmlReader(HTMLParser):
    """Reads HTML from other programs into blocks, as Python's parser runs over it. Tags that are not closed, or closed
    in the wrong order, do no harm; but after an open <template>, <noscript>, <object> or <iframe>, whose content is
    skipped, the rest is skipped too."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.blocks: list[Block] = []
        self._runs: list[Run] = []
        self._style = BODY
        self._lists: list[str] = []
        self._quotes = 0
        self._skip = self._firm = 0
        """How many tags are open whose content is skipped, and how many of them a block does not end."""
        self._pre = 0
        self._open: list[tuple[str, Marks]] = []
        self._opened = Counter[str]()
        """How many of each tag are open. A closing tag without an open one is ignored without a search."""
        self._marks = PLAIN
        self.tables = 0
        """How many tables became text."""
        self._tables: list[Table] = []
        self._deeper = 0
        """How many tables are open beyond those that are collected."""
        self._word_item = False
        self._sign: list[str] | None = None
        """Word's text for a list item's sign, while inside of it."""
        self._sign_ends = 0

    def finish(self) -> list[Block]:
        """Ends the reading. Returns the blocks: at least one, and no empty one that only a last closing tag made."""
        self._end_block()
        while self._tables:
            self._end_table()
        self._end_block(force=not self.blocks)
        return self.blocks

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SKIPPED:
            self._skip += 1
            self._firm += tag not in _ENDED_BY_BLOCK
            return
        if tag in _BLOCKS and not self._firm:
            self._skip = 0
        if self._skip:
            return
        if tag == "br":
            self._runs.append(Run("\u2028", self._marks))
            return
        if tag in _BLOCKS:
            self._end_block()
            self._begin_block(tag)
        if tag not in _VOID:
            given = dict(attrs)
            self._begin_part(tag, given)
            self._begin_word(tag, (given.get("style") or "").lower())
            self._open.append((tag, self._marks))
            self._opened[tag] += 1
            self._marks = self._marked(tag, given)

    def handle_endtag(self, tag: str) -> None:
        if tag in _SKIPPED:
            self._skip = max(0, self._skip - 1)
            self._firm = min(self._skip, max(0, self._firm - (tag not in _ENDED_BY_BLOCK)))
            return
        if self._skip or tag in _VOID:
            return
        if tag in _BLOCKS:
            self._end_block()
            self._leave_block(tag)
            self._end_part(tag)
        while self._opened[tag]:
            closed, self._marks = self._open.pop()
            self._opened[closed] -= 1
            if closed == tag:
                break
        if self._sign is not None and len(self._open) <= self._sign_ends:
            self._end_sign()

    def handle_data(self, data: str) -> None:
        if self._skip:
            return
        if self._sign is not None:
            self._sign.append(clean(data))
            return
        if self._pre:
            for index, part in enumerate(clean(data).split("\n")):
                if index:
                    self._end_block(force=True)
                self._runs.append(Run(part, self._marks))
            return
        text = _SPACES.sub(" ", clean(data))
        if text.startswith(" ") and (not self._runs or self._runs[-1].text.endswith((" ", "\u2028"))):
            text = text[1:]
        if text:
            self._runs.append(Run(one_line(text), self._marks))

    def _begin_block(self, tag: str) -> None:
        if tag in ("ul", "ol"):
            self._lists.append(BULLETS if tag == "ul" else NUMBERS)
        elif tag == "blockquote":
            self._quotes += 1
        elif tag == "pre":
            self._pre += 1
        if tag[0] == "h" and tag[1:].isdigit():
            self._style = Style(heading=min(int(tag[1:]), 3))
        elif tag == "li" and self._lists:
            self._style = Style(list=self._lists[-1], indent=min(len(self._lists), MAX_INDENT))
        elif not (self._style.list and tag in ("p", "div")):
            self._style = Style(quote=True) if self._quotes else BODY

    def _leave_block(self, tag: str) -> None:
        if tag in ("ul", "ol") and self._lists:
            self._lists.pop()
        elif tag == "blockquote":
            self._quotes = max(0, self._quotes - 1)
        elif tag == "pre":
            self._pre = max(0, self._pre - 1)
        if tag not in ("p", "div"):
            self._style = Style(quote=True) if self._quotes else BODY

    def _end_block(self, *, force: bool = False) -> None:
        runs = list(joined(self._runs))
        self._runs = []
        if runs:
            runs[-1] = Run(runs[-1].text.rstrip(" \u2028"), runs[-1].marks)
        if any(run.text.strip() for run in runs) or force:
            (self._tables[-1].into if self._tables else self.blocks).append(Block(joined(runs), self._style))
        if self._word_item:
            self._word_item, self._sign = False, None
            self._style = Style(quote=True) if self._quotes else BODY

    def _begin_part(self, tag: str, attrs: dict[str, str | None]) -> None:
        """If `tag` is a table's, a row's or a cell's, begins it; `attrs` are the tag's. Rows and cells of that table
        that are still open end. Tables deeper than MAX_DEPTH are not collected: their text stays in the outer cell."""
        if tag == "table":
            if len(self._tables) < MAX_DEPTH:
                self._tables.append(Table())
            else:
                self._deeper += 1
        elif self._tables and not self._deeper:
            if tag in ("tr", "caption"):
                self._tables[-1].end_row()
            elif tag in ("td", "th"):
                self._tables[-1].begin_cell(attrs.get("colspan"), attrs.get("rowspan"))

    def _end_part(self, tag: str) -> None:
        if tag == "table" and self._deeper:
            self._deeper -= 1
        elif tag == "table" and self._tables:
            self._end_table()
        elif self._tables and not self._deeper:
            if tag == "tr":
                self._tables[-1].end_row()
            elif tag in ("td", "th"):
                self._tables[-1].end_cell()

    def _end_table(self) -> None:
        table = self._tables.pop()
        table.end_row()
        self.tables += table.apart
        if self._tables:
            self._tables[-1].take(table)
        else:
            self.blocks += table.out

    def _begin_word(self, tag: str, css: str) -> None:
        """If `tag`, with the style attribute `css` in small letters, is a paragraph of Word's that is a list item,
        begins a list item; if it is the bullet or number in one, begins to keep that text out of the block."""
        if tag == "p" and (level := _WORD_ITEM.search(css)):
            self._word_item = True
            self._style = Style(list=BULLETS, indent=max(1, min(int(level[1]), MAX_INDENT)))
        elif self._word_item and self._sign is None and _WORD_SIGN.search(css):
            self._sign, self._sign_ends = [], len(self._open)

    def _end_sign(self) -> None:
        sign, self._sign = "".join(self._sign or ()).strip(), None
        if _NUMBER.match(sign):
            self._style = self._style._replace(list=NUMBERS)

    def _marked(self, tag: str, attrs: dict[str, str | None]) -> Marks:
        marks = self._marks
        if tag in _MARK_TAGS:
            marks = marks.with_attrs({_MARK_TAGS[tag]: True})
        elif tag == "a" and (link := safe_link(attrs.get("href") or "")):
            marks = marks._replace(link=link)
        return _css(marks, attrs.get("style") or "", tag)


def _css(marks: Marks, css: str, tag: str) -> Marks:
    """The `marks`, which already have those of the `tag`, after the rules of its style attribute (`css`). Weight and
    slant can be set or taken away, underline and strike only set; a link's underline is ignored. Google Docs wraps
    everything in <b style="font-weight:normal">."""
    parts = (rule.partition(":") for rule in css.lower().split(";"))
    rules = {name.strip(): value.strip() for name, _, value in parts}
    weight = rules.get("font-weight", "")
    if weight:
        marks = marks._replace(bold=weight in ("bold", "bolder") or _HEAVY.fullmatch(weight) is not None)
    if "font-style" in rules:
        marks = marks._replace(italic=rules["font-style"] in ("italic", "oblique"))
    line = rules.get("text-decoration", "") + rules.get("text-decoration-line", "")
    if "underline" in line and tag != "a":
        marks = marks._replace(underline=True)
    if "line-through" in line:
        marks = marks._replace(strike=True)
    return marks
