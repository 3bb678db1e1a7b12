# SPDX-License-Identifier: EUPL-1.2
"""Blocks on the clipboard: as our own bytes, as HTML and as plain text."""

from collections.abc import Sequence
from dataclasses import replace

from PySide6.QtCore import QMimeData, Qt
from PySide6.QtGui import QDropEvent

from app.richtext import formats
from app.richtext.flow import Block, Style
from app.richtext.formats import Taken
from ui.kit.left_out import left_out, no_text
from ui.kit.pictures import offers_picture
from ui.kit.translate import tr, trn

_MIME = "application/x-kansli-document"


def mime_of(blocks: Sequence[Block]) -> QMimeData:
    """The blocks in the forms in which they are put on the clipboard: our own, HTML, and plain text."""
    mime = QMimeData()
    mime.setText("\n".join(block.text.replace("\u2028", "\n") for block in blocks))
    mime.setHtml(formats.to_html(blocks))
    mime.setData(_MIME, formats.to_bytes(blocks))
    return mime


def has_text(source: QMimeData) -> bool:
    """Whether anything in it can be pasted."""
    return bool(source.hasFormat(_MIME) or source.hasHtml() or source.hasText())


def files_in(source: QMimeData) -> int:
    """How many files of this computer it holds. Qt gives them as text too: their addresses."""
    return sum(url.isLocalFile() for url in source.urls())


def taken(source: QMimeData, style: Style) -> Taken:
    """Reads what is pasted or dropped as blocks, from the richest form that `source` has. Plain text gets `style`."""
    blocks = formats.from_bytes(bytes(source.data(_MIME).data())) if source.hasFormat(_MIME) else None
    if blocks is not None and any(block.text for block in blocks):
        return Taken(blocks=blocks)
    rich = (
        formats.take_html(source.html()) if source.hasHtml() else Taken(blocks=[], pictures=int(offers_picture(source)))
    )
    if not rich.is_blank:
        return rich
    plain = formats.take_text(source.text(), style)
    if plain.is_blank and rich.pictures:
        return replace(rich, blocks=[])
    return replace(plain, pictures=rich.pictures)


def sentence(taken: Taken) -> str:
    """A sentence about what could not be pasted, or that there was no text to paste; "" if all was pasted."""
    parts = [left_out(taken.pictures, taken.tables)]
    if taken.tables:
        parts.append(
            trn(
                "Its text is here, with tabs between the cells.",
                "Their text is here, with tabs between the cells.",
                taken.tables,
            )
        )
    if taken.cut:
        parts.append(tr("The text was too long. This is its beginning."))
    if not taken.blocks and not any(parts):
        parts.append(no_text())
    return " ".join(part for part in parts if part)


def keep_files(event: QDropEvent) -> None:
    """Answers a drop of files as a copy, or as nothing if the source offers no copy. ▲ After a move, a file manager
    would delete its file."""
    copies = event.possibleActions() & Qt.DropAction.CopyAction
    event.setDropAction(Qt.DropAction.CopyAction if copies else Qt.DropAction.IgnoreAction)
