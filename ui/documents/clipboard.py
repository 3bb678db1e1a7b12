# SPDX-License-Identifier: EUPL-1.2
"""Blocks on the clipboard: as our own bytes, as HTML and as plain text."""

from collections.abc import Sequence

from PySide6.QtCore import QMimeData

from app.documents import formats
from app.documents.flow import Block, Style

_MIME = "application/x-kansli-document"


def mime_of(blocks: Sequence[Block]) -> QMimeData:
    """What is copied."""
    mime = QMimeData()
    mime.setText("\n".join(block.text.replace("\u2028", "\n") for block in blocks))
    mime.setHtml(formats.to_html(blocks))
    mime.setData(_MIME, formats.to_bytes(blocks))
    return mime


def has_text(source: QMimeData) -> bool:
    """Whether anything in it can be pasted."""
    return bool(source.hasFormat(_MIME) or source.hasHtml() or source.hasText())


def blocks_of(source: QMimeData, style: Style) -> list[Block]:
    """What is pasted: the richest form there is. Plain text gets `style`."""
    blocks = formats.from_bytes(bytes(source.data(_MIME).data())) if source.hasFormat(_MIME) else None
    if blocks is None and source.hasHtml():
        blocks = formats.from_html(source.html())
    if blocks is None or not any(block.text for block in blocks):
        return plain_blocks(source.text(), style)
    return blocks


def plain_blocks(text: str, style: Style) -> list[Block]:
    """Text without any formatting, every line a block of this style."""
    return [Block(block.runs, style) for block in formats.from_text(text)]
