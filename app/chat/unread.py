# SPDX-License-Identifier: EUPL-1.2
"""Which messages of a conversation are unread: those above the read mark, except for the rows in `read_apart`.

A message above the mark can have been read before earlier ones (somebody opened it from a search). A mention below it
can still be unread (somebody marked everything as read without having seen it). A person's own messages are never
unread, nor deleted ones, nor those that were carried over from another room. Rows are those of the store, in the order
of receipt. Besides, whatever the person has read on another device is read, by its position in the room
(app/store/read_positions.py). Writing happens inside the caller's transaction.
"""

# ruff: noqa: S608 - put together from constants; values always go as parameters

from collections.abc import Collection
from typing import Any

from app.chat.noticing import MENTION
from app.chat.tables import PENDING
from app.core.ids import ChangeId, ObjId, RoomId, Uid
from app.store import notice_rows, objects, read_positions
from app.store.connection import Connection
from app.store.statements import CHUNK

_NOT_READ_ELSEWHERE = """(m.sort > :position
    OR EXISTS (SELECT 1 FROM read_left e WHERE e.obj = m.series AND e.position = m.sort))"""
_ABOVE_MARK = f"""FROM chat_messages m WHERE m.series = :series AND m.row > :mark AND m.author <> :me
    AND m.deleted_by IS NULL AND m.carried_by IS NULL AND {_NOT_READ_ELSEWHERE}"""
_NAMED_ABOVE_MARK = f"""FROM chat_mentions c JOIN chat_messages m ON m.row = c.row
    WHERE c.series = :series AND c.row > :mark AND c.uid = :me AND c.author <> :me AND {_NOT_READ_ELSEWHERE}"""
_ABOVE = f"{_ABOVE_MARK} AND NOT EXISTS (SELECT 1 FROM read_apart a WHERE a.obj = m.series AND a.row = m.row)"
_NAMED_ABOVE = (
    f"{_NAMED_ABOVE_MARK} AND NOT EXISTS (SELECT 1 FROM read_apart a WHERE a.obj = c.series AND a.row = c.row)"
)
_LEFT = f"""FROM read_apart a JOIN chat_mentions c ON c.uid = :me AND c.row = a.row
    JOIN chat_messages m ON m.row = a.row WHERE a.obj = :series AND a.row <= :mark AND {_NOT_READ_ELSEWHERE}"""
"""Mentions that stayed unread when all other messages were marked as read."""
_STORED = """SELECT c.unread, c.mentions, coalesce((SELECT row FROM read_markers WHERE obj = c.obj), 0),
    coalesce((SELECT position FROM read_positions WHERE obj = c.obj), 0)
    FROM counters c WHERE c.obj = ? AND c.last_by IS NOT NULL"""


def counts(conn: Connection, series: ObjId, me: Uid, most: int) -> tuple[int, int]:
    """(unread messages, those of them that mention this person) in a conversation; messages that are own, deleted, or
    carried over from an old room never count as unread. Stops counting unread ones at `most`: 100,000 would take 10
    ms. The mentions are all counted."""
    place = _place(conn, series, me)
    if conn.execute("SELECT 1 FROM read_apart WHERE obj = ? LIMIT 1", (series,)).fetchone() is None:
        return _counts_above(conn, place | {"most": most})  # nearly always: 167 µs instead of 225 with 1,000 unread
    unread = conn.value(f"SELECT count(*) FROM (SELECT 1 {_ABOVE} LIMIT :most)", place | {"most": most})
    named = conn.value(f"SELECT count(*) {_NAMED_ABOVE}", place)
    left = conn.value(f"SELECT count(*) {_LEFT}", place)
    return min(most, unread + left), named + left


def _counts_above(conn: Connection, place: dict[str, Any]) -> tuple[int, int]:
    """(unread messages, those of them that mention this person), as `counts` returns it, for a conversation without
    messages that were read or left unread out of order. `place`: the query's parameters `series` (the conversation),
    `me`, `mark` (the read mark) and `most`."""
    unread = f"SELECT count(*) FROM (SELECT 1 {_ABOVE_MARK} LIMIT :most)"
    named = f"SELECT count(*) {_NAMED_ABOVE_MARK}"
    found = conn.only(f"SELECT ({unread}), ({named})", place)
    return int(found[0]), int(found[1])


def with_one_more(conn: Connection, series: ObjId, n: int, row: int, most: int) -> tuple[int, int] | None:
    """What `counts` returns for a conversation to which one message was just added, from the numbers that are stored
    for it: no message is read. The message, at the position `n` and in the row `row`, was received for the first time
    from somebody else; it is neither deleted nor carried over, and mentions nobody. None if the messages must be
    counted: the person has read up to there already, or no numbers are stored (those of a conversation that the room
    does not show have no latest message)."""
    stored = conn.execute(_STORED, (series,)).fetchone()
    if stored is None or n <= stored[3] or row <= stored[2]:
        return None
    return min(most, stored[0] + 1), stored[1]


def first(conn: Connection, series: ObjId, me: Uid) -> int | None:
    """The sort key of the first message that the person `me` has not read; None if there is none. Own, deleted and
    carried-over messages never count as unread."""
    place = _place(conn, series, me)
    above = conn.value(f"SELECT min(m.sort) {_ABOVE}", place)
    left_behind = f"SELECT min(m.sort) FROM chat_messages m WHERE m.row IN (SELECT a.row {_LEFT})"
    left = conn.value(left_behind, place)
    return min((sort for sort in (above, left) if sort is not None), default=None)


def see(conn: Connection, series: ObjId, me: Uid, seen: Collection[ChangeId]) -> int:
    """Notes, within the caller's transaction, that the messages `seen` have been on screen. Returns the new read mark,
    a row of the store, which the caller stores: it passes messages that have been seen and stops before the first that
    has not."""
    notice_rows.see(conn, series, seen)
    place = _place(conn, series, me)
    mark, ids = place["mark"], list(seen)
    for at in range(0, len(ids), CHUNK):
        part = ids[at : at + CHUNK]
        rows = conn.execute(
            "SELECT row FROM chat_messages WHERE series = ? AND author <> ?"
            f" AND change_id IN ({', '.join('?' * len(part))})",
            (series, me, *part),
        ).fetchall()
        for (row,) in rows:
            if row > mark:
                conn.execute("INSERT OR IGNORE INTO read_apart (obj, row) VALUES (?, ?)", (series, row))
            else:
                conn.execute("DELETE FROM read_apart WHERE obj = ? AND row = ?", (series, row))
    found = conn.execute(f"SELECT m.row {_ABOVE} ORDER BY m.row LIMIT 1", place).fetchone()
    new: int = found[0] - 1 if found is not None else _last(conn, series)
    conn.execute("DELETE FROM read_apart WHERE obj = ? AND row > ? AND row <= ?", (series, mark, new))
    return max(int(mark), new)


def see_all(conn: Connection, series: ObjId, me: Uid) -> int:
    """Notes, within the caller's transaction, that everything is read except mentions of this person that have not been
    on screen. Returns the new read mark, a row of the store, which the caller stores."""
    notice_rows.see_all(conn, series, but=(MENTION,))
    place = _place(conn, series, me)
    named = conn.execute(f"SELECT c.row {_NAMED_ABOVE}", place).fetchall()
    conn.execute("DELETE FROM read_apart WHERE obj = ? AND row > ?", (series, place["mark"]))
    conn.executemany("INSERT INTO read_apart (obj, row) VALUES (?, ?)", [(series, row) for (row,) in named])
    return max(int(place["mark"]), _last(conn, series))


def follow(conn: Connection, series: ObjId, me: Uid) -> int:
    """The new read mark, a row of the store, after the person has read something on another device, or marked it as
    unread. The caller stores it; nothing becomes read by it. Rows that it passes are forgotten. ▲ Notices of what is
    read count as seen, so that they ring no more here."""
    place = _place(conn, series, me)
    notice_rows.see(conn, series, [ref for ref in notice_rows.unseen(conn, series) if not _is_unread(conn, place, ref)])
    found = conn.execute(f"SELECT m.row {_ABOVE} ORDER BY m.row LIMIT 1", place).fetchone()
    new = max(int(place["mark"]), found[0] - 1 if found is not None else _last(conn, series))
    conn.execute("DELETE FROM read_apart WHERE obj = ? AND row > ? AND row <= ?", (series, place["mark"], new))
    return new


def _is_unread(conn: Connection, place: dict[str, Any], ref: bytes) -> bool:
    sql = f"SELECT 1 {_ABOVE} AND m.change_id = :ref UNION ALL SELECT 1 {_LEFT} AND m.change_id = :ref"
    return conn.execute(sql, place | {"ref": ref}).fetchone() is not None


def position(conn: Connection, room: RoomId, series: ObjId, me: Uid) -> tuple[int, list[int]]:
    """How far the person has read the conversation, for their other devices: (the position in the room up to which
    everything is read, the positions up to it that are not: mentions that were not on screen). ▲ Not beyond a position
    that this device has not opened yet: the other devices would take what is there for read."""
    place = _place(conn, series, me)
    above = conn.value(f"SELECT min(m.sort) {_ABOVE}", place)
    last = conn.value("SELECT max(sort) FROM chat_messages WHERE series = ? AND sort < ?", (series, PENDING))
    waits = conn.value("SELECT min(n) FROM waiting WHERE room = ?", (room,))
    upto = min(n for n in (last or 0, *(n - 1 for n in (above, waits) if n is not None)))
    left = conn.execute(f"SELECT m.sort {_LEFT}", place).fetchall()
    return max(0, upto), sorted({sort for (sort,) in left if sort <= upto})


def position_before(conn: Connection, room: RoomId, series: ObjId, me: Uid, n: int) -> tuple[int, list[int]]:
    """How far the person has read the conversation after they marked what is at position `n` of the room, and behind
    it, as unread; returned as `position` returns it. Earlier messages count as read, ▲ except mentions that were not on
    screen, and what is behind a position that this device has not opened yet."""
    place = _place(conn, series, me)
    waits = conn.value("SELECT min(n) FROM waiting WHERE room = ?", (room,))
    upto = min(n, waits if waits is not None else n) - 1
    left = [sort for sql in (_NAMED_ABOVE, _LEFT) for (sort,) in conn.execute(f"SELECT m.sort {sql}", place)]
    return max(0, upto), sorted({sort for sort in left if sort <= upto})


def _place(conn: Connection, series: ObjId, me: Uid) -> dict[str, Any]:
    at = {"series": series, "me": me, "mark": objects.read_mark(conn, series)}
    return at | {"position": read_positions.position(conn, series)}


def _last(conn: Connection, series: ObjId) -> int:
    last = conn.value("SELECT max(row) FROM chat_messages WHERE series = ?", (series,))
    return int(last or 0)
