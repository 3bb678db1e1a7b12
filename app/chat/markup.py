# SPDX-License-Identifier: EUPL-1.2
"""A message's text as runs to paint: bold, italic, code, links, list marks, mentions and links to things in a room.

A small, forgiving part of Markdown: what is not closed stays as it was written. No HTML, no remote content, and only
http, https and mailto make a link. A link whose text names another host is followed by the true one.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from app.chat.records import Mention
from app.core.visible import one_line, paragraphs
from app.objects.addresses import notes, safe_link
from app.objects.links import ObjectLink

LIST_MARK = "•\u2002"
_SCHEMES = ("http://", "https://", "mailto:", "kansli://")

# Each part ends at the next sign that could begin it again. If a part looked further, the pattern would try every rest
# of a line: 20,000 characters of "[" from a colleague took 6 s, at every painting.
INLINE = re.compile(
    r"(?P<code>`[^`\n\x00]+`)"
    r"|(?P<bold>\*\*(?=\S)(?:(?!\*\*)[^\n])+(?<=\S)\*\*)"
    r"|(?P<italic>(?<![\w*])[*_](?=\S)[^\n*_]+?(?<=\S)[*_](?!\w))"
    r"|(?P<strike>~~(?=\S)(?:(?!~~)[^\n])+(?<=\S)~~)"
    r"|\[(?P<label>[^\[\]\n\x00]+)\]\((?P<target>(?:(?!\]\()[^)\s\x00])+)\)"
    r"|(?P<url>https?://[^\s<>\"\x00]+[^\s<>\".,;:!?)\]}'\x00])"
)
"""Marks within a line. marking.py writes what this reads."""
_NAME = "\x00"
"""Replaces a mention while marks are looked for, so that marks can be around it. No shown text has this character."""
_MARKED = re.compile(r"[-`*_~\[]")
"""What a text must hold for its marks to differ from what a person reads."""
LIST_LINE = re.compile(r"^(\s{0,6})[-*]\s+", re.MULTILINE)
"""How a list item begins."""
_FENCE = re.compile(r"^```(?P<first>[^`\n]*)\n(?P<code>.*?)(?:\n)?^```[ ]*\n?", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A stretch of a message's text in one style. `href`: a checked web address, or an `ObjectLink` as text. `mention`:
    the person who is named. `note`: this program added the text, which is the host of the link before it."""

    text: str
    bold: bool = False
    italic: bool = False
    strike: bool = False
    code: bool = False
    href: str = ""
    mention: bytes = b""
    note: bool = False

    @property
    def link(self) -> ObjectLink | None:
        """The thing in a room that it leads to: painted as a chip."""
        return ObjectLink.parse(self.href) if self.href.startswith("kansli:") else None


def parse(text: str, mentions: Sequence[Mention] = ()) -> list[Run]:
    """Splits a message's text into stretches of one style. Joined they are what a person reads. A mention that is out
    of range, does not begin with "@" or overlaps an earlier one stays plain text."""
    parts: list[str] = []
    named: list[tuple[str, bytes]] = []
    position = 0
    for start, end, uid in _mention_spans(text, mentions):
        parts.append(paragraphs(text[position:start]))
        named.append((paragraphs(text[start:end]), uid))
        position = end
    parts.append(paragraphs(text[position:]))
    runs = _blocks(_NAME.join(parts))
    if named:
        runs = _with_names(runs, named)
    if any(run.href for run in runs):
        runs = _noted(runs)
    return runs


def _with_names(runs: Sequence[Run], named: Sequence[tuple[str, bytes]]) -> list[Run]:
    """Puts the mentions (text, person) back into the runs, at the characters that were put in their places, in the
    style around them."""
    out: list[Run] = []
    left = iter(named)
    for run in runs:
        first, *others = run.text.split(_NAME)
        out += [replace(run, text=first)] if first or not others else []
        for rest in others:
            name, uid = next(left)
            out.append(replace(run, text=name, mention=uid))
            out += [replace(run, text=rest)] if rest else []
    return out


def _noted(runs: Sequence[Run]) -> list[Run]:
    """Adds a run with the true host behind each link whose text could mislead about it."""
    out: list[Run] = []
    web = [(run.text, "" if run.link is not None else run.href) for run in runs]
    for run, host in zip(runs, notes(web), strict=True):
        out.append(run)
        if host:
            out.append(Run(text=f" →\u00a0{host}", href=run.href, note=True))
    return out


def plain(text: str, mentions: Sequence[Mention] = ()) -> str:
    """What a person reads, without marks and on one line: for previews, search and screen readers."""
    if _MARKED.search(text) is None:  # most messages: 2 µs instead of 25
        return " ".join(paragraphs(text).split())
    return " ".join("".join(run.text for run in parse(text, mentions)).split())


def _mention_spans(text: str, mentions: Sequence[Mention]) -> list[tuple[int, int, bytes]]:
    spans: list[tuple[int, int, bytes]] = []
    position = 0
    for mention in sorted(mentions, key=lambda m: m.start):
        end = mention.start + mention.length
        inside = position <= mention.start < end <= len(text)
        if inside and text[mention.start] == "@":
            spans.append((mention.start, end, mention.uid))
            position = end
    return spans


def _blocks(text: str) -> list[Run]:
    runs: list[Run] = []
    position = 0
    for fence in _FENCE.finditer(text):
        runs += _inline(LIST_LINE.sub(rf"\1{LIST_MARK}", text[position : fence.start()]), Run(text=""))
        first = fence["first"].strip()  # for other programs a language; here somebody may have written it to be read
        runs.append(Run(text="\n".join(part for part in (first, fence["code"]) if part), code=True))
        position = fence.end()
        if position < len(text):
            runs.append(Run(text="\n"))
    return runs + _inline(LIST_LINE.sub(rf"\1{LIST_MARK}", text[position:]), Run(text=""))


def _inline(text: str, style: Run) -> list[Run]:
    runs: list[Run] = []
    position = 0
    for match in INLINE.finditer(text):
        if match.start() > position:
            runs.append(replace(style, text=text[position : match.start()]))
        runs += _marked(match, style)
        position = match.end()
    if position < len(text):
        runs.append(replace(style, text=text[position:]))
    return runs


def _marked(match: re.Match[str], style: Run) -> list[Run]:
    whole = match[0]
    if match["code"]:
        return [replace(style, text=whole[1:-1], code=True)]
    if match["bold"]:
        return _inline(whole[2:-2], replace(style, bold=True))
    if match["italic"]:
        return _inline(whole[1:-1], replace(style, italic=True))
    if match["strike"]:
        return _inline(whole[2:-2], replace(style, strike=True))
    if match["url"]:
        return [replace(style, text=whole, href=safe_link(whole))]
    target = match["target"]
    if target.startswith(_SCHEMES) and (link := safe_link(target)):
        return [replace(style, text=one_line(match["label"], len(whole)) or link, href=link)]
    return [replace(style, text=whole)]
