# SPDX-License-Identifier: EUPL-1.2
"""The result of an import in sentences: what of the file could not be taken, by kind and count, or why it was not
read."""

from collections.abc import Callable, Mapping

from app.core.visible import one_line
from app.documents.errors import ConversionFault
from app.richtext.formats import Taken
from ui.errors import code_of, sentence_of
from ui.kit.translate import tr, trn

_LONGEST_NAME = 60


def losses(taken: Taken) -> str:
    """Sentences for the person: what was in an imported file and is not in the document, which cannot hold it; what
    became of it instead; and that only the beginning of a long text was taken. `taken` is what was read from the file.
    "" if the document has all."""
    counts = {"pictures": taken.pictures, "tables": taken.tables} | dict(taken.others)
    parts = [name(count).format(n=count) for kind, name in _NAMES.items() if (count := counts.get(kind, 0))]
    notes = [note() for kind, note in _NOTES.items() if counts.get(kind)]
    sentences = [tr("{what} could not come along.").format(what=_joined(parts))] if parts else []
    if taken.cut:
        notes.append(tr("The text was too long. This is its beginning."))
    return " ".join([*sentences, *notes])


def refusal(file: str, error: Exception) -> tuple[str, str]:
    """Returns (text, error code) for a file with the name `file` that `error` kept from being imported. The text names
    the file, shortened, and says what is wrong, what to do, and in which part of the file the fault is, if that is
    known."""
    where = error.where if isinstance(error, ConversionFault) else ""
    parts = [
        tr("“{name}” was not imported.").format(name=one_line(file, _LONGEST_NAME)),
        sentence_of(error).text,
        tr("The fault is in {where}.").format(where=where) if where else "",
    ]
    return " ".join(part for part in parts if part), code_of(error)


_NAMES: Mapping[str, Callable[[int], str]] = {
    "tables": lambda n: trn("{n} table", "{n} tables", n),
    "pictures": lambda n: trn("{n} picture", "{n} pictures", n),
    "charts": lambda n: trn("{n} chart", "{n} charts", n),
    "equations": lambda n: trn("{n} equation", "{n} equations", n),
    "objects": lambda n: trn("{n} embedded file", "{n} embedded files", n),
    "boxes": lambda n: trn("{n} text box", "{n} text boxes", n),
    "footnotes": lambda n: trn("{n} footnote", "{n} footnotes", n),
    "endnotes": lambda n: trn("{n} endnote", "{n} endnotes", n),
    "headers": lambda n: trn("{n} header or footer", "{n} headers and footers", n),
    "comments": lambda n: trn("{n} comment", "{n} comments", n),
    "changes": lambda n: trn("{n} tracked change", "{n} tracked changes", n),
    "hidden": lambda n: trn("{n} hidden text", "{n} hidden texts", n),
    "symbols": lambda n: trn("{n} symbol", "{n} symbols", n),
    "links": lambda n: trn("{n} link", "{n} links", n),
    "headings": lambda n: trn("the level of {n} heading", "the level of {n} headings", n),
    "heading-numbers": lambda n: trn("the number of {n} heading", "the numbers of {n} headings", n),
    "numbering": lambda n: trn("the numbers of {n} list", "the numbers of {n} lists", n),
    "code": lambda n: trn("the look of {n} block of code", "the look of {n} blocks of code", n),
    "html": lambda n: trn("{n} piece of HTML", "{n} pieces of HTML", n),
    "macros": lambda n: tr("the file's macros"),
}
"""Each kind with its count, in the order of the sentence."""

_NOTES: Mapping[str, Callable[[], str]] = {
    "tables": lambda: tr("The tables' text is here, with tabs between the cells."),
    "boxes": lambda: tr("The text boxes' text is here, as paragraphs."),
    "changes": lambda: tr("The text is as if the tracked changes had been accepted."),
    "headings": lambda: tr("Headings below level 3 are at level 3."),
    "numbering": lambda: tr("Numbered lists begin at 1: check references to them."),
}
"""Sentences about what became of a kind instead."""


def _joined(parts: list[str]) -> str:
    """Joins `parts`, at least one, to the beginning of a sentence, with a capital: "1 table, 2 pictures and 3
    footnotes", "The numbers of 2 lists"."""
    text = parts[0] if len(parts) == 1 else tr("{one} and {other}").format(one=", ".join(parts[:-1]), other=parts[-1])
    return text[:1].upper() + text[1:]
