# SPDX-License-Identifier: EUPL-1.2
"""Removes incomplete tags from foreign HTML, in time proportional to its length.

Python's parser searches from each tag that is not closed to the end of the text: 40,000 characters of "<a " on the
clipboard took 22 s, and "<![" raised an AssertionError.
"""

import re

MAX_TAG_CHARS = 4096
"""A longer tag is left out, or emptied. A picture that is inside its own tag has megabytes."""
_PICTURE = re.compile(r"<img\b", re.IGNORECASE)
_PICTURE_TAG = re.compile(r"<img\b(?:[^\"'>]|\"[^\"]*\"|'[^']*')*+>", re.IGNORECASE)
_UNSEEN = re.compile(r"(?<![\w-])(?:width|height)\s*[=:]\s*[\"']?[01](?:px)?(?![\w.])", re.IGNORECASE)
_TAG = re.compile(r"/?[a-zA-Z](?:[^\"'>]|\"[^\"]*\"|'[^']*')*+>")
_NAME = re.compile(r"/?[a-zA-Z0-9]+")
_SPACES = re.compile(r"[ \t\r\n\f]+")
_SILENT = {"script", "style", "head", "title", "template"}
_LINES = ("p", "div", "li", "tr", "table", "pre", "h1", "h2", "h3", "h4", "h5", "h6")
_BETWEEN = dict.fromkeys(("br", *_LINES, *(f"/{name}" for name in _LINES)), "\n") | dict.fromkeys(("/td", "/th"), "\t")


def complete(html: str) -> str:
    """HTML from another program without comments, declarations and tags of more than MAX_TAG_CHARS (of a picture, an
    empty tag stays). A "<" that begins no complete tag becomes text."""
    out: list[str] = []
    at, size = 0, len(html)
    commented = True
    while at < size:
        start = html.find("<", at)
        if start < 0:
            start = size
        out.append(html[at:start])
        at = start + 1
        if at > size:
            break
        if commented and html.startswith("!--", at):
            end = html.find("-->", at + 3)
            commented = end >= 0  # no later one is closed either
            if commented:
                at = end + 3
                continue
        end = html.find("<", at)
        end = size if end < 0 else end
        if html.startswith(("!", "?"), at):
            close = html.find(">", at, end)
            at = close + 1 if close >= 0 else at
            out.append("" if close >= 0 else "&lt;")
            continue
        tag = _TAG.match(html, at, end)
        if tag is None:
            out.append("&lt;")
            continue
        if tag.end() - at <= MAX_TAG_CHARS:
            out.append(html[start : tag.end()])
        elif _PICTURE.match(html, start, start + 5):
            out.append("<img>")
        at = tag.end()
    return "".join(out)


def pictures(tags: str) -> int:
    """The number of pictures that `tags`, HTML from `complete`, shows. A picture with a width or height of 0 or 1 pixel
    does not count: mail is tracked with such ones."""
    return sum(_UNSEEN.search(tag[0]) is None for tag in _PICTURE_TAG.finditer(tags))


def words(tags: str) -> str:
    """The text of HTML from `complete`: one line for each paragraph, list item or table row, with tabs between cells,
    and a new line at each line break; no empty lines, and nothing of scripts, styles, the head, titles and
    templates."""
    from html import unescape  # imported here: it loads all entities

    first, *parts = tags.split("<")
    out, silent = [_SPACES.sub(" ", first)], ""
    for part in parts:
        tag = _TAG.match(part)
        if tag is None:
            continue
        name = _NAME.match(part)[0].lower()  # type: ignore[index] # every tag has a name
        if silent:
            silent = "" if name == f"/{silent}" else silent
        elif name in _SILENT:
            silent = name
        if not silent:
            out += [_BETWEEN.get(name, ""), _SPACES.sub(" ", part[tag.end() :])]
    text = unescape("".join(out)).replace("\u00a0", " ")
    lines = (line.strip(" ").rstrip("\t") for line in text.split("\n"))
    return "\n".join(line for line in lines if line)
