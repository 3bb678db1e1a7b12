# SPDX-License-Identifier: EUPL-1.2
"""A conversation carried into the room that continues its own: what each message is now, who wrote it and when.

Not its past: a text that was edited away or deleted stays in the old room.
"""

from collections.abc import Iterator, Sequence

import msgspec

from app.chat.model import Message
from app.chat.reads import ChatRows
from app.chat.records import (
    Attachment,
    Carried,
    MessageEdited,
    MessageSent,
    ReactionSet,
    Record,
    encode,
)
from app.objects.object import MAX_DATA_BYTES

GROUP = 16
"""Messages written in one transaction: about 3 ms."""


def carry(rows: ChatRows, there: ChatRows) -> Iterator[Sequence[bytes]]:
    """The messages that the server has, oldest first, as the founder's changes; not those that are there already."""
    for first in range(0, rows.count(), GROUP):
        page = [m for m in rows.page(first, GROUP) if not m.waiting and there.index_of(m.change_id) is None]
        if page:
            yield [data for message in page for data in _changes(message)]


def _changes(message: Message) -> Iterator[bytes]:
    if message.deleted_by is not None:
        yield _carried(message, message.author, message.t, MessageSent(text=""), deleted_by=message.deleted_by)
        return
    yield _whole(message)
    if message.edited_t is not None:
        edited = MessageEdited(target=message.change_id, text=message.text, mentions=message.mentions)
        yield _carried(message, message.author, message.edited_t, edited)
    for reaction in message.reactions:
        for uid in reaction.uids:
            on = ReactionSet(target=message.change_id, emoji=reaction.emoji, on=True)
            yield _carried(message, uid, message.t, on)


def _whole(message: Message) -> bytes:
    def sent(attachments: tuple[Attachment, ...]) -> bytes:
        quote = message.quote.change_id if message.quote else None
        record = MessageSent(text=message.text, reply_to=quote, mentions=message.mentions, attachments=attachments)
        return _carried(message, message.author, message.t, record)

    data = sent(message.attachments)
    if len(data) <= MAX_DATA_BYTES:
        return data
    return sent(tuple(msgspec.structs.replace(a, preview=b"") for a in message.attachments))


def _carried(message: Message, author: bytes, t: int, record: Record, deleted_by: bytes | None = None) -> bytes:
    return encode(Carried(author=author, change_id=message.change_id, t=t, data=encode(record), deleted_by=deleted_by))
