# SPDX-License-Identifier: EUPL-1.2
"""The rows that lists of messages are read from. Written by projection.py, dropped and made again when VERSION rises.

`author` is the person who is shown as the author. For a message that was carried over from an old room this is at first
the person who carried it (`carried_by`); `named` and `named_t` (ms) are then the author and the time that the record
states. Once this device's own copy of the old room has the same message, `author` becomes the stated author and `named`
becomes null. So code that reads only `author` never shows one person's words as another's.

`change_id` is the message's id in the conversation: its author's own, or another id if another person's message has
that already (authority.second_id). `sort` is the server's position, or PENDING + row while the server does not have the
change; `row` is the change's row in the store (in the order of receipt), which the read mark counts in.
"""

from sqlalchemy import BigInteger, Column, Index, LargeBinary, MetaData, Table, Text

VERSION = 5
PENDING = 1 << 62

metadata = MetaData()

messages = Table(
    "chat_messages",
    metadata,
    Column("row", BigInteger, primary_key=True, autoincrement=False),
    Column("change_id", LargeBinary, nullable=False),
    Column("room", LargeBinary, nullable=False),
    Column("obj", LargeBinary, nullable=False),
    Column("author", LargeBinary, nullable=False),
    Column("sort", BigInteger, nullable=False),
    Column("t", BigInteger, nullable=False),
    Column("text", Text, nullable=False),
    Column("mentions", LargeBinary, nullable=False),
    Column("attachments", LargeBinary, nullable=False),
    Column("reply_to", LargeBinary),
    Column("edited_t", BigInteger),
    Column("deleted_by", LargeBinary),
    Column("carried_by", LargeBinary),
    Column("named", LargeBinary),
    Column("named_t", BigInteger),
)
Index("chat_messages_by_id", messages.c.obj, messages.c.change_id, unique=True)
Index("chat_messages_in_order", messages.c.obj, messages.c.sort)
Index("chat_messages_by_arrival", messages.c.obj, messages.c.row, messages.c.author)
Index("chat_messages_replies", messages.c.obj, messages.c.reply_to, sqlite_where=messages.c.reply_to.is_not(None))

notes = Table(
    "chat_notes",
    metadata,
    Column("row", BigInteger, primary_key=True, autoincrement=False),
    Column("obj", LargeBinary, nullable=False),
    Column("target", LargeBinary, nullable=False),
    Column("author", LargeBinary, nullable=False),
    Column("sort", BigInteger, nullable=False),
    Column("t", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("emoji", Text, nullable=False),
    Column("data", LargeBinary, nullable=False),
)
"""Edits, deletions and reactions as they were received. `kind` is EDIT, DELETION or REACTION. `emoji` is that of a
reaction, "" for the other kinds."""
_of_key = (notes.c.obj, notes.c.target, notes.c.kind, notes.c.emoji, notes.c.author, notes.c.sort)
Index("chat_notes_by_target", *_of_key)
"""▲ The last edit, the first deletion and the last reaction of a person with an emoji are found without reading any
other. Otherwise each further reaction would cost as much as all earlier ones of its message."""

reactions = Table(
    "chat_reactions",
    metadata,
    Column("obj", LargeBinary, primary_key=True),
    Column("target", LargeBinary, primary_key=True),
    Column("emoji", Text, primary_key=True),
    Column("uid", LargeBinary, primary_key=True),
    Column("sort", BigInteger, nullable=False),
)
Index("chat_reactions_in_order", reactions.c.obj, reactions.c.target, reactions.c.sort)

mentions = Table(
    "chat_mentions",
    metadata,
    Column("uid", LargeBinary, primary_key=True),
    Column("row", BigInteger, primary_key=True, autoincrement=False),
    Column("room", LargeBinary, nullable=False),
    Column("obj", LargeBinary, nullable=False),
    Column("author", LargeBinary, nullable=False),
    Column("t", BigInteger, nullable=False),
)
"""The people who are mentioned in each message, for Home and for the counts."""
Index("chat_mentions_by_obj", mentions.c.obj, mentions.c.row)

EDIT, DELETION, REACTION = "edit", "deletion", "reaction"

TABLES = (messages, notes, reactions, mentions)
