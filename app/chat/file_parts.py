# SPDX-License-Identifier: EUPL-1.2
"""Stores which parts of files each message names, so that the deletion of one message leaves those that another one
names, and the destruction of one object those that another one has. If a room's files are kept on this computer, pins
those of each new message."""

from collections.abc import Sequence

import msgspec

from app.chat.records import Attachment
from app.core.ids import ObjId, RoomId
from app.objects.files import forget_files, give_up_parts, part_digests, pin_new_files
from app.store.connection import Connection

_attachments = msgspec.msgpack.Decoder(tuple[Attachment, ...])
_ADD = "INSERT OR IGNORE INTO chat_file_parts (digest, row, obj) VALUES (?, ?, ?)"
_PINNED_ROOM = "SELECT o.room FROM chat_messages m JOIN offline_rooms o ON o.room = m.room WHERE m.row = ?"
_NAMED = "SELECT 1 FROM chat_file_parts WHERE digest = ? AND row <> ? LIMIT 1"

_ALSO_IN = """SELECT DISTINCT c.digest, c.obj, other.room, other.obj FROM chat_file_parts p
    JOIN cached_parts c ON c.digest = p.digest JOIN chat_file_parts q ON q.digest = p.digest AND q.obj <> p.obj
    JOIN chat_messages own ON own.row = p.row JOIN chat_messages other ON other.row = q.row
    WHERE p.obj = ? AND (own.carried_by IS NOT NULL OR (other.carried_by IS NULL AND other.room = own.room))
    AND NOT EXISTS (SELECT 1 FROM events e WHERE e.kind = 'destroy' AND e.obj = other.obj AND e.room = other.room)"""
_HELD_ELSEWHERE = """SELECT DISTINCT c.digest FROM chat_file_parts p JOIN cached_parts c ON c.digest = p.digest
    JOIN chat_messages own ON own.row = p.row WHERE p.obj = ?1 AND c.obj <> ?1 AND own.carried_by IS NULL"""


def add_parts(conn: Connection, row: int, obj: ObjId, files: Sequence[Attachment]) -> None:
    """Stores, in the caller's transaction, to which encrypted parts a message refers by its `files`. `row`: the row of
    the message's change; `obj`: the chat object with it. A part that is stored for the message already is not stored
    again. A file with a damaged manifest (the list of its parts) is left out. If the person keeps the room's files on
    this computer, pins the parts too: they are then fetched in the background."""
    manifests = [file.manifest for file in files]
    digests = part_digests(manifests)
    if digests:
        conn.executemany(_ADD, [(digest, row, obj) for digest in digests])
        if (room := conn.value(_PINNED_ROOM, (row,))) is not None:
            pin_new_files(conn, RoomId(room), obj, manifests)


def remove_parts(conn: Connection, row: int) -> None:
    """Forgets, in the caller's transaction, which parts the message in the row `row` names; the parts themselves stay.
    Call it for a message whose row is replaced by another."""
    conn.execute("DELETE FROM chat_file_parts WHERE row = ?", (row,))


def forget_parts_of(conn: Connection, row: int) -> None:
    """Removes, in the caller's transaction, the received parts of the files of the message in the row `row`, which is
    being deleted. Call it while the row still has its attachments. ▲ Parts that another message, which is not deleted,
    names too stay. Otherwise a member who posts a colleague's file once more and deletes that message could remove
    everybody's copy of the file, also from those who keep it offline."""
    found = conn.value("SELECT attachments FROM chat_messages WHERE row = ?", (row,))
    manifests = [file.manifest for file in _attachments.decode(found)] if found else []
    named = {digest for digest in part_digests(manifests) if conn.value(_NAMED, (digest, row)) is not None}
    forget_files(conn, manifests, but=named)
    remove_parts(conn, row)


def release_parts(conn: Connection, obj: ObjId) -> None:
    """Decides, in the caller's transaction, what becomes of the received parts of files of an object that was
    destroyed, while its messages are still here. What a message of another object names too, which is not destroyed,
    stays, as a part of that object; it stays pinned. ▲ Otherwise a colleague's file that somebody posted in two months
    would go with the first of them, also from those who keep it offline.

    A message that was carried over into a room which continues this one has its files here. ▲ So they go, also where
    they were fetched or pinned as those of that room. If only the carried message is destroyed, they stay."""
    also_in = {d: (holder, RoomId(room), ObjId(other)) for d, holder, room, other in conn.rows(_ALSO_IN, (obj,))}
    given = {digest: (room, other) for digest, (holder, room, other) in also_in.items() if holder == obj}
    give_up_parts(conn, given, [digest for (digest,) in conn.rows(_HELD_ELSEWHERE, (obj,)) if digest not in also_in])
