# SPDX-License-Identifier: EUPL-1.2
"""Reads which messages mention this account's person, and whether they are unread, from the tables of a store."""

from dataclasses import dataclass

from app.chat.markup import plain
from app.chat.service import ChatService
from app.core.ids import ChangeId, ObjId
from app.store.store import Store

_IS_UNREAD = """((c.row > coalesce((SELECT r.row FROM read_markers r WHERE r.obj = c.series), 0))
    <> EXISTS (SELECT 1 FROM read_apart a WHERE a.obj = c.series AND a.row = c.row)
    AND (m.sort > coalesce((SELECT p.position FROM read_positions p WHERE p.obj = c.series), 0)
        OR EXISTS (SELECT 1 FROM read_left e WHERE e.obj = c.series AND e.position = m.sort)))"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mentioned:
    """A message of another person that mentions this person. `obj`: its conversation."""

    obj: ObjId
    change_id: ChangeId
    text: str
    unread: bool


def mentions(store: Store, chat: ChatService, limit: int = 50, *, unread_only: bool = False) -> list[Mentioned]:
    """The latest messages that mention the person of `chat`, over all rooms, newest first, at most `limit`.
    `unread_only`: only those that are not read."""
    wanted = f"AND {_IS_UNREAD}" if unread_only else ""
    sql = f"""SELECT c.series, m.change_id, m.text, {_IS_UNREAD}
        FROM chat_mentions c JOIN chat_messages m ON m.row = c.row
        WHERE c.uid = ? AND c.author <> ? {wanted} ORDER BY c.t DESC LIMIT ?"""  # noqa: S608 - constants
    return [
        Mentioned(obj=obj, change_id=change_id, text=plain(text), unread=bool(unread))
        for obj, change_id, text, unread in store.db.rows(sql, (chat.me, chat.me, limit))
    ]
