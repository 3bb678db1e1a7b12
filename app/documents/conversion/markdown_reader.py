# SPDX-License-Identifier: EUPL-1.2
"""Reads blocks from Markdown: CommonMark with tables and ~~struck~~ text, and the HTML tags of marks."""

import re
from collections import Counter
from collections.abc import Sequence

from markdown_it import MarkdownIt
from markdown_it.token import Token

from app.objects.addresses import safe_link
from app.richtext.flow import BODY, BULLETS, MAX_INDENT, NUMBERS, PLAIN, Block, Marks, Run, Style, joined, one_line
from app.richtext.formats import MAX_PASTE_CHARS, Taken
from app.richtext.html_tables import Table

_MARKS = {"strong": "bold", "em": "italic", "s": "strike"}
_TAG = re.compile(r"<(/?)(u|ins|b|strong|i|em|s|del|br)\s*/?>", re.IGNORECASE)
_OF_TAG = {"u": "underline", "ins": "underline", "b": "bold", "strong": "bold", "i": "italic", "em": "italic",
           "s": "strike", "del": "strike"}  # fmt: skip


def read_markdown(text: str) -> Taken:
    """Reads Markdown into blocks and counts what a document cannot hold. Reads the first MAX_PASTE_CHARS characters;
    `cut` says whether there are more."""
    parser = MarkdownIt("commonmark", {"maxNesting": 30}).enable(["table", "strikethrough"])
    parser.validateLink = lambda url: True  # type: ignore[method-assign]  # links are judged here, and counted
    reader = _Reader()
    reader.read(parser.parse(text[:MAX_PASTE_CHARS]))
    return Taken(
        blocks=reader.blocks or [Block(())],
        pictures=reader.left.pop("pictures", 0),
        tables=reader.left.pop("tables", 0),
        others=tuple(sorted((+reader.left).items())),
        cut=len(text) > MAX_PASTE_CHARS,
    )


class _Reader:
    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self.left = Counter[str]()
        self._lists: list[str] = []
        self._quotes = 0
        self._heading = 0
        self._item_begins = False
        self._tables: list[Table] = []

    def read(self, tokens: Sequence[Token]) -> None:
        """Reads the parser's tokens into `blocks`, and counts into `left` what a document cannot hold."""
        for token in tokens:
            kind = token.type
            if kind in ("bullet_list_open", "ordered_list_open"):
                self._lists.append(BULLETS if kind.startswith("bullet") else NUMBERS)
                self.left["numbering"] += token.attrs.get("start", 1) != 1
            elif kind in ("bullet_list_close", "ordered_list_close"):
                self._lists.pop()
            elif kind == "list_item_open":
                self._item_begins = True
            elif kind == "blockquote_open":
                self._quotes += 1
            elif kind == "blockquote_close":
                self._quotes -= 1
            elif kind == "heading_open":
                level = int(token.tag[1:])
                self.left["headings"] += level > 3
                self._heading = min(level, 3)
            elif kind == "inline":
                self._add(self._inline(token.children or ()))
            elif kind in ("fence", "code_block"):
                self.left["code"] += 1
                for line in token.content.rstrip("\n").split("\n"):
                    self._add([Run(one_line(line))])
            elif kind == "html_block":
                self._html_block(token.content)
            else:
                self._table(kind)

    def _table(self, kind: str) -> None:
        if kind == "table_open":
            self._tables.append(Table())
        elif kind in ("th_open", "td_open"):
            self._tables[-1].begin_cell(None, None)
        elif kind in ("th_close", "td_close"):
            self._tables[-1].end_cell()
        elif kind == "tr_close":
            self._tables[-1].end_row()
        elif kind == "table_close":
            table = self._tables.pop()
            self.left["tables"] += table.apart
            self.blocks += table.out

    def _add(self, runs: Sequence[Run]) -> None:
        if self._tables:
            self._tables[-1].into.append(Block(joined(runs)))
            return
        self.blocks.append(Block(joined(runs), self._style()))
        self._heading = 0

    def _style(self) -> Style:
        if self._heading:
            return Style(heading=self._heading)
        if self._lists and self._item_begins:
            self._item_begins = False
            return Style(list=self._lists[-1], indent=min(len(self._lists), MAX_INDENT))
        return Style(quote=True) if self._quotes else BODY

    def _html_block(self, html: str) -> None:
        if _TAG.search(html) and not re.search(r"<(?!/?(?:u|ins|b|strong|i|em|s|del|br)\b)", html, re.IGNORECASE):
            self._add([Run(one_line(_TAG.sub("", html).strip()))])
        elif not html.lstrip().startswith("<!--"):
            self.left["html"] += 1

    def _inline(self, tokens: Sequence[Token]) -> list[Run]:
        runs: list[Run] = []
        marks = PLAIN
        links: list[str] = []
        for token in tokens:
            kind = token.type
            if kind in ("text", "code_inline"):
                runs.append(Run(one_line(token.content), marks))
            elif kind == "softbreak":
                runs.append(Run(" ", marks))
            elif kind == "hardbreak":
                runs.append(Run("\u2028", marks))
            elif kind == "image":
                self.left["pictures"] += 1
            elif kind == "link_open":
                link = safe_link(str(token.attrs.get("href", "")))
                self.left["links"] += not link
                links.append(marks.link)
                marks = marks._replace(link=link)
            elif kind == "link_close":
                marks = marks._replace(link=links.pop() if links else "")
            elif kind == "html_inline":
                marks = self._tag(token.content, marks, runs)
            elif kind.endswith(("_open", "_close")) and (name := _MARKS.get(kind.rpartition("_")[0])):
                marks = marks.with_attrs({name: kind.endswith("_open")})
        return runs

    def _tag(self, html: str, marks: Marks, runs: list[Run]) -> Marks:
        found = _TAG.fullmatch(html)
        if found is None:
            self.left["html"] += not html.startswith("<!--")
            return marks
        name = found[2].lower()
        if name == "br":
            runs.append(Run("\u2028", marks))
            return marks
        return marks.with_attrs({_OF_TAG[name]: not found[1]})
