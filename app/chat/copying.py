# SPDX-License-Identifier: EUPL-1.2
"""A message on the clipboard: as people read it, and as HTML for programs that know bold and italic."""

from collections.abc import Sequence
from html import escape

from app.chat.markup import Run, parse
from app.chat.records import Mention


def as_text(text: str, mentions: Sequence[Mention] = ()) -> str:
    """A message's `text` for the clipboard as a person reads it, line by line: without the marks for bold, links and
    the like, and without the hosts that the program shows behind misleading links. `mentions`: where people are named
    in it; a name stays as it is written, and signs in it are no marks."""
    return "".join(run.text for run in _written(text, mentions))


def as_html(text: str, mentions: Sequence[Mention] = ()) -> str:
    """A message as HTML for the clipboard, with bold, italic, struck-out text, code and web addresses. A link to a
    thing in a room becomes plain text."""
    return "<p>" + "".join(_html(run) for run in _written(text, mentions)) + "</p>"


def _written(text: str, mentions: Sequence[Mention]) -> list[Run]:
    return [run for run in parse(text, mentions) if not run.note]


def _html(run: Run) -> str:
    out = escape(run.text).replace("\n", "<br>")
    marks = (("code", run.code), ("s", run.strike), ("i", run.italic), ("b", run.bold))
    for tag in [tag for tag, on in marks if on]:
        out = f"<{tag}>{out}</{tag}>"
    if run.href and run.link is None:
        out = f'<a href="{escape(run.href)}">{out}</a>'
    return out
