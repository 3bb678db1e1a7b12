# SPDX-License-Identifier: EUPL-1.2
"""A message on the clipboard: for messages as it was written, for other programs as it is read."""

from PySide6.QtCore import QMimeData

from app.chat.copying import as_html, as_text
from app.chat.model import Message
from app.chat.records import MAX_TEXT
from app.core.visible import paragraphs

_MIME = "application/x-kansli-message"


def mime_of(message: Message) -> QMimeData:
    """A message in the forms in which it is put on the clipboard: its text without marks, as HTML, and, for Kansli,
    with its marks; only if it has no text, the names of its files, one on each line."""
    mime = QMimeData()
    if not message.text:
        mime.setText("\n".join(attachment.name for attachment in message.attachments))
        return mime
    mime.setText(as_text(message.text, message.mentions))
    mime.setHtml(as_html(message.text, message.mentions))
    mime.setData(_MIME, message.text.encode())
    return mime


def as_written(source: QMimeData) -> str:
    """Returns the text of a message that was copied, with its marks for bold and the like. Returns "" if `source` has
    no such text, or one that is longer than a message may be.

    ▲ Any program can offer this format, so letters that reorder others are removed from the text.
    """
    data = bytes(source.data(_MIME).data()) if source.hasFormat(_MIME) else b""
    text = data.decode(errors="replace") if len(data) <= 4 * MAX_TEXT else ""
    return paragraphs(text) if len(text) <= MAX_TEXT else ""
