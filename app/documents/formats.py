# SPDX-License-Identifier: EUPL-1.2
"""Blocks as HTML, Markdown and bytes for the clipboard, and what HTML of others is allowed to bring in.

Reading HTML keeps what a document can hold and nothing else: no pictures, scripts, colours, sizes or addresses other
than http, https and mailto. Nothing is ever fetched.
"""

import re
from collections import Counter
from collections.abc import Sequence
from html import escape
from html.parser import HTMLParser

import msgspec

from app.core.text_units import clean
from app.documents.flow import BODY, BULLETS, MAX_INDENT, NUMBERS, PLAIN, Block, Marks, Run, Style, joined
from app.documents.tags import complete
from app.objects.addresses import safe_link

MAX_PASTE_CHARS = 5_000_000

_SPACES = re.compile(r"[ \t\r\n\f]+")
_SKIPPED = {"script", "style", "head", "title", "template", "noscript", "svg", "math", "object", "iframe", "select"}
_BLOCKS = {"p", "div", "li", "blockquote", "tr", "table", "ul", "ol", "section", "article", "header", "footer", "pre",
           "h1", "h2", "h3", "h4", "h5", "h6", "hr", "dt", "dd", "figure", "address", "main", "body"}  # fmt: skip
_MARK_TAGS = {
    "b": "bold", "strong": "bold", "i": "italic", "em": "italic", "cite": "italic", "u": "underline",
    "ins": "underline", "s": "strike", "strike": "strike", "del": "strike",
}  # fmt: skip
_VOID = {"br", "hr", "img", "input", "meta", "link", "col", "wbr", "area", "base", "embed", "source", "track"}


class _Fragment(msgspec.Struct, frozen=True, array_like=True):
    blocks: list[tuple[Style, list[Run]]]


def to_bytes(blocks: Sequence[Block]) -> bytes:
    """Blocks for this program's own clipboard."""
    return msgspec.msgpack.encode(_Fragment([(block.style, list(block.runs)) for block in blocks]))


def from_bytes(fragment: bytes) -> list[Block] | None:
    """What `to_bytes` gave, checked as if a stranger had written it; None if it is something else."""
    try:
        found = msgspec.msgpack.decode(fragment, type=_Fragment)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    blocks = []
    for style, runs in found.blocks:
        kept = [Run(_one_line(run.text), run.marks._replace(link=safe_link(run.marks.link))) for run in runs]
        blocks.append(Block(joined(kept), _checked(style)))
    return blocks or None


def to_html(blocks: Sequence[Block]) -> str:
    """Plain, well-formed HTML that other programs read."""
    out: list[str] = []
    lists: list[str] = []
    for block in blocks:
        style, body = block.style, "".join(_run_html(run) for run in block.runs)
        while len(lists) > style.indent or (lists and len(lists) == style.indent and lists[-1] != style.list):
            out.append(f"</{lists.pop()}>")
        while style.list and len(lists) < style.indent:
            lists.append(style.list)
            out.append(f"<{style.list}>")
        tag = f"h{style.heading}" if style.heading else "li" if style.list else "p"
        item = f"<{tag}>{body}</{tag}>"
        out.append(f"<blockquote>{item}</blockquote>" if style.quote else item)
    out.extend(f"</{name}>" for name in reversed(lists))
    return "".join(out)


def to_markdown(blocks: Sequence[Block]) -> str:
    """Markdown (CommonMark, with ~~struck~~)."""
    lines: list[str] = []
    for block, before in zip(blocks, [None, *blocks], strict=False):
        style, text = block.style, "".join(_run_markdown(run) for run in block.runs)
        if before is not None and not (style.list and before.style.list):
            lines.append("")
        if style.heading:
            lines.append("#" * style.heading + " " + text)
        elif style.list:
            lines.append("    " * (style.indent - 1) + ("- " if style.list == BULLETS else "1. ") + text)
        else:
            lines.append(("> " if style.quote else "") + text)
    return "\n".join(lines) + "\n"


def from_html(html: str) -> list[Block]:
    """What of foreign HTML a document can hold."""
    reader = _Reader()
    reader.feed(complete(html[:MAX_PASTE_CHARS]))
    reader.close()
    return reader.finish()


def from_text(text: str) -> list[Block]:
    """Plain text, a block a line."""
    lines = clean(text[:MAX_PASTE_CHARS]).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return [Block((Run(line),) if line else ()) for line in lines]


class _Reader(HTMLParser):
    """Collects blocks while the parser walks. Unclosed and crossed tags do no harm: marks are counted."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.blocks: list[Block] = []
        self._runs: list[Run] = []
        self._style = BODY
        self._lists: list[str] = []
        self._quotes = 0
        self._skip = 0
        self._pre = 0
        self._open: list[tuple[str, Marks]] = []
        self._opened = Counter[str]()
        """How many of each tag are open: one that closes nothing is not looked for."""
        self._marks = PLAIN

    def finish(self) -> list[Block]:
        """The blocks, without the empty one that a last closing tag leaves."""
        self._end_block(force=not self.blocks)
        return self.blocks

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SKIPPED:
            self._skip += 1
            return
        if self._skip:
            return
        if tag == "br":
            self._runs.append(Run("\u2028", self._marks))
            return
        if tag in _BLOCKS:
            self._end_block()
            self._begin_block(tag)
        if tag not in _VOID:
            self._open.append((tag, self._marks))
            self._opened[tag] += 1
            self._marks = self._marked(tag, dict(attrs))

    def handle_endtag(self, tag: str) -> None:
        if tag in _SKIPPED:
            self._skip = max(0, self._skip - 1)
            return
        if self._skip or tag in _VOID:
            return
        if tag in _BLOCKS:
            self._end_block()
            self._leave_block(tag)
        while self._opened[tag]:
            closed, self._marks = self._open.pop()
            self._opened[closed] -= 1
            if closed == tag:
                return

    def handle_data(self, data: str) -> None:
        if self._skip:
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
            self._runs.append(Run(_one_line(text), self._marks))

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
            self.blocks.append(Block(joined(runs), self._style))

    def _marked(self, tag: str, attrs: dict[str, str | None]) -> Marks:
        marks = self._marks
        if tag in _MARK_TAGS:
            marks = marks.with_attrs({_MARK_TAGS[tag]: True})
        elif tag == "a" and (link := safe_link(attrs.get("href") or "")):
            marks = marks._replace(link=link)
        return _css(marks, attrs.get("style") or "", tag)


def _css(marks: Marks, css: str, tag: str) -> Marks:
    """Weight, slant and lines of a style attribute. Google Docs wraps everything in <b style="font-weight:normal">."""
    parts = (rule.partition(":") for rule in css.lower().split(";"))
    rules = {name.strip(): value.strip() for name, _, value in parts}
    weight = rules.get("font-weight", "")
    if weight:
        marks = marks._replace(bold=weight in ("bold", "bolder") or (weight.isdigit() and int(weight) >= 600))
    if "font-style" in rules:
        marks = marks._replace(italic=rules["font-style"] in ("italic", "oblique"))
    line = rules.get("text-decoration", "") + rules.get("text-decoration-line", "")
    if "underline" in line and tag != "a":
        marks = marks._replace(underline=True)
    if "line-through" in line:
        marks = marks._replace(strike=True)
    return marks


def _checked(style: Style) -> Style:
    if style.list in (BULLETS, NUMBERS):
        return Style(list=style.list, indent=max(1, min(style.indent, MAX_INDENT)))
    return Style(heading=style.heading) if style.heading in (1, 2, 3) else Style(quote=style.quote)


def _one_line(text: str) -> str:
    return clean(text).replace("\n", "\u2028").replace("\r", "")


def _run_html(run: Run) -> str:
    text = escape(run.text).replace("\u2028", "<br>")
    for on, tag in ((run.marks.bold, "strong"), (run.marks.italic, "em"), (run.marks.underline, "u"),
                    (run.marks.strike, "s")):  # fmt: skip
        text = f"<{tag}>{text}</{tag}>" if on else text
    return f'<a href="{escape(run.marks.link)}">{text}</a>' if run.marks.link else text


def _run_markdown(run: Run) -> str:
    text = re.sub(r"([\\`*_\[\]<>#~])", r"\\\1", run.text).replace("\u2028", "\\\n")
    core = text.strip(" ")
    if not core:
        return text
    begin, end = text[: len(text) - len(text.lstrip(" "))], text[len(text.rstrip(" ")) :]
    for on, sign in ((run.marks.bold, "**"), (run.marks.italic, "*"), (run.marks.strike, "~~")):
        core = f"{sign}{core}{sign}" if on else core
    return begin + (f"[{core}]({run.marks.link})" if run.marks.link else core) + end
