# SPDX-License-Identifier: EUPL-1.2
"""A message on the clipboard: for messages as it was written, for other programs as it is read."""

from PySide6.QtCore import QMimeData

from app.chat.copying import as_html, as_text
from app.chat.model import Message

_MIME = "application/x-kansli-message"


def mime_of(message: Message) -> QMimeData:
    """A message's text, or the names of its files."""
    mime = QMimeData()
    if not message.text:
        mime.setText("\n".join(attachment.name for attachment in message.attachments))
        return mime
    mime.setText(as_text(message.text, message.mentions))
    mime.setHtml(as_html(message.text, message.mentions))
    mime.setData(_MIME, message.text.encode())
    return mime


def as_written(source: QMimeData) -> str:
    """A copied message with its marks; empty if something else was copied."""
    return bytes(source.data(_MIME).data()).decode(errors="replace") if source.hasFormat(_MIME) else ""
