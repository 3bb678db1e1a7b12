# SPDX-License-Identifier: EUPL-1.2
"""The rows that lists of messages are read from. Written by projection.py, dropped and made again when VERSION rises.

`author` is the person who is shown as the author. For a message that was carried over from an old room this is at first
the person who carried it (`carried_by`); `named` and `named_t` (ms) are then the author and the time that the record
states. Once this device's own copy of the old room has the same message, `author` becomes the stated author and `named`
becomes null. So code that reads only `author` never shows one person's words as another's.

`obj` is the object that a message lies in, one for each month, and `series` the conversation that the object is part of
(app/store/series.py): lists, ids and what is unread go by `series`. Edits, deletions and reactions lie in the object of
their message and count in no other, so their rows need no `series`. `reply_obj` is the object of the message that
`reply_to` names.

`change_id` is the message's id in the conversation: its author's own, or another id if another person's message has
that already (authority.second_id). `sort` is the server's position, or PENDING + row while the server does not have the
change; `row` is the change's row in the store (in the order of receipt), which the read mark counts in.
"""

from app.store import series

VERSION = 10
PENDING = series.PENDING

_MESSAGES = (
    """CREATE TABLE chat_messages (row INTEGER PRIMARY KEY, change_id BLOB NOT NULL, room BLOB NOT NULL,
       obj BLOB NOT NULL, series BLOB NOT NULL, author BLOB NOT NULL, sort INTEGER NOT NULL, t INTEGER NOT NULL,
       text TEXT NOT NULL, mentions BLOB NOT NULL, attachments BLOB NOT NULL, reply_to BLOB, reply_obj BLOB,
       edited_t INTEGER, deleted_by BLOB, carried_by BLOB, named BLOB, named_t INTEGER)""",
    "CREATE UNIQUE INDEX chat_messages_by_id ON chat_messages (change_id, series)",
    "CREATE INDEX chat_messages_in_order ON chat_messages (series, sort)",
    "CREATE INDEX chat_messages_by_arrival ON chat_messages (series, row, author)",
    "CREATE INDEX chat_messages_with_files ON chat_messages (series, sort) WHERE attachments != x'90'",
    "CREATE INDEX chat_messages_by_obj ON chat_messages (obj, sort)",
    "CREATE INDEX chat_messages_replies ON chat_messages (series, reply_to) WHERE reply_to IS NOT NULL",
)

_NOTES = (
    """CREATE TABLE chat_notes (row INTEGER PRIMARY KEY, obj BLOB NOT NULL, target BLOB NOT NULL,
       author BLOB NOT NULL, sort INTEGER NOT NULL, t INTEGER NOT NULL, kind TEXT NOT NULL, emoji TEXT NOT NULL,
       data BLOB NOT NULL)""",
    # ▲ The last edit, the first deletion and the last reaction of a person with an emoji are found without reading any
    # other. Otherwise each further reaction would cost as much as all earlier ones of its message.
    "CREATE INDEX chat_notes_by_target ON chat_notes (obj, target, kind, emoji, author, sort)",
)
"""Edits, deletions and reactions as they were received. `kind` is EDIT, DELETION or REACTION. `emoji` is that of a
reaction, "" for the other kinds."""

_REACTIONS = (
    """CREATE TABLE chat_reactions (obj BLOB NOT NULL, target BLOB NOT NULL, emoji TEXT NOT NULL, uid BLOB NOT NULL,
       sort INTEGER NOT NULL, PRIMARY KEY (obj, target, emoji, uid))""",
    "CREATE INDEX chat_reactions_in_order ON chat_reactions (obj, target, sort)",
)

_MENTIONS = (
    """CREATE TABLE chat_mentions (uid BLOB NOT NULL, row INTEGER NOT NULL, room BLOB NOT NULL, obj BLOB NOT NULL,
       series BLOB NOT NULL, author BLOB NOT NULL, t INTEGER NOT NULL, PRIMARY KEY (uid, row))""",
    "CREATE INDEX chat_mentions_by_series ON chat_mentions (series, row)",
    "CREATE INDEX chat_mentions_by_obj ON chat_mentions (obj)",
)
"""The people who are mentioned in each message, for the counts."""

_FILE_PARTS = (
    """CREATE TABLE chat_file_parts (digest BLOB NOT NULL, row INTEGER NOT NULL, obj BLOB NOT NULL,
       UNIQUE (digest, row))""",
    "CREATE INDEX chat_file_parts_by_row ON chat_file_parts (row)",
    "CREATE INDEX chat_file_parts_by_obj ON chat_file_parts (obj)",
)
"""The parts of files that each message which is not deleted names, by the SHA-256 of their encrypted bytes."""

EDIT, DELETION, REACTION = "edit", "deletion", "reaction"

TABLES = (*_MESSAGES, *_NOTES, *_REACTIONS, *_MENTIONS, *_FILE_PARTS)
