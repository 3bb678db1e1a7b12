# SPDX-License-Identifier: EUPL-1.2
"""Writes the rows of notices: what somebody else did that concerns this person. `Projecting` writes those that a kind's
projection returns, in the transaction that stores the change. The store itself writes those of entries of a room's log.

A row has ids, codes and times, and never a text or a name: these are read from the place that the notice leads to when
it is shown. So an edit, a deletion and a rename show at once, and no row keeps what was deleted. Functions that take a
Connection run in the caller's transaction. app/store/notice_store.py reads and marks the rows for services.
"""

# ruff: noqa: S608 - put together from constants; values always go as parameters

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import NewType

from app.core import clock
from app.core.ids import ObjId, RoomId, Uid
from app.errors import BugError
from app.store import read_positions, series
from app.store.connection import Connection
from app.store.rows import ObjectRow, StoredChange

NoticeId = NewType("NoticeId", bytes)
"""16 bytes, the same on all of a person's devices: see `id_of`."""

KEEP_MS = 90 * 86_400_000
"""Milliseconds for which a notice is kept that needs nothing more from the person. In its first reading of a room a
device makes no older ones."""
AT_ONCE = 100
"""The most rows that one call changes: 1 to 2 ms. The table `notice_sweeps` names what is left to do."""
UNDONE_MS = 86_400_000
"""Milliseconds: if the cause of a hidden notice is received again within this time, somebody has undone what hid it.
The notice is then shown again and does not ring."""
AT_RECEIPT, BY_TURNS = 1, 2
"""Values of the column `ring`, which is 0 for a notice that is not to ring any more. AT_RECEIPT: each device rings
it. BY_TURNS: one of the person's devices rings it (app/notices/turns.py)."""
ID_BYTES = 16
"""Bytes of a conversation's id."""
MAX_COUNT = 100
"""The highest count of a notice, such as one about reactions."""


class NoticeState(IntEnum):
    """What the person has done with a notice. A SNOOZED notice is new again at a given time."""

    NEW = 0
    SEEN = 1
    DONE = 2
    SNOOZED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeKind:
    """The declaration of a kind of notices. `id`: its name, unique in the program.

    `asks`: a notice asks the person for an answer until it is answered or marked as done; seeing it is not enough.
    `personal`: it also rings in a room in which only mentions ring. `rings`: it rings at all. `merges`: a further
    notice about the same place only updates an earlier one that is still open (not done if the kind asks, otherwise not
    seen), and does not ring. `counts`: a further notice with the same id only replaces the earlier one's count.
    `by_turns`: all of the person's devices make it at the same time, by their clocks, so it rings at one of them
    (app/notices/turns.py). `always`: it rings in every room, also in one of which nothing rings: the person asked for
    it.
    """

    id: str
    asks: bool
    personal: bool = False
    rings: bool = True
    merges: bool = False
    counts: bool = False
    by_turns: bool = False
    always: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A notice as its source makes it.

    `ref`: the place in the object `obj` that it leads to, as `ObjectLink.ref`; b"" for the whole object. `thread`: the
    conversation in which an answer counts; None for the object itself. `key`: distinguishes it from other notices of
    its kind, room and object; usually the id of the change, and of a part of it if one change can make several. `by`:
    the person who did it. `n` and `t` (ms): the position and time that the server gave the change; `n` is None without
    a position. `detail`: a short code, never a text that somebody wrote. `count`: how many things it is about; 0
    withdraws the notice. `row`: the row of the change that makes it, 0 for none.
    """

    kind: NoticeKind
    room: RoomId
    obj: ObjId
    key: bytes
    t: int
    by: Uid | None = None
    n: int | None = None
    ref: bytes = b""
    thread: ObjId | None = None
    detail: str = ""
    count: int = 1
    row: int = 0

    @property
    def id(self) -> NoticeId:
        """See `id_of`."""
        return id_of(self.kind.id, self.room, self.obj, self.key)


def of_change(
    kind: NoticeKind,
    change: StoredChange,
    *,
    ref: bytes = b"",
    thread: ObjId | None = None,
    key: bytes | None = None,
    detail: str = "",
    count: int = 1,
) -> Notice:
    """Returns the notice that a change makes about the place `ref` in its object. `key` None: the change's id, its
    author and `ref`. The other parameters are as in `Notice`."""
    return Notice(
        kind=kind,
        room=change.room,
        obj=change.obj,
        key=change.change_id + change.author + ref if key is None else key,
        t=change.t,
        by=change.author,
        n=change.n,
        ref=ref,
        thread=thread,
        detail=detail,
        count=count,
        row=change.rowid,
    )


def id_of(kind: str, room: RoomId, obj: ObjId, key: bytes) -> NoticeId:
    """A notice's id: the first 16 bytes of the SHA-256 of what it is about. The same change results in the same id on
    each device, and each time it is read."""
    name = kind.encode()
    whole = b"kansli notice" + len(name).to_bytes(1, "big") + name + room + obj + key
    return NoticeId(hashlib.sha256(whole).digest()[:16])


_ADD = """INSERT INTO notices (rowid, id, kind, room, obj, thread, ref, by, n, t, detail, count, asks, state, until,
    answered, hidden, ring) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING"""
_LAST_ROW = "SELECT coalesce(max(rowid), 0) FROM notices"
_LEFT_AT = "SELECT max(n) FROM notice_sweeps WHERE what = ? AND place IN (?, ?)"
_DROP_LEFT = "DELETE FROM notices WHERE id = ? AND rowid <= ?"
_RECOUNT = "UPDATE notices SET count = ?, hidden = ?, by = ?, t = max(t, ?) WHERE id = ?"
_EARLIER = """SELECT id, detail FROM notices WHERE obj = ? AND ref = ? AND kind = ?
    AND NOT answered AND (state = 0 OR asks AND state <> 2) AND (NOT hidden OR t > ?) AND rowid > ?
    ORDER BY t DESC LIMIT 1"""
_MERGE = "UPDATE notices SET detail = ?, by = ?, t = max(t, ?), hidden = hidden & 2 WHERE id = ?"
_STATE_FROM_ELSEWHERE = "SELECT state, until FROM notice_states WHERE id = ?"
_ANSWERED_AT = "SELECT max(n) FROM notice_answers WHERE thread = ? AND ref IN (x'', ?)"
_LAST_UNANSWERED = "SELECT max(n) FROM notices WHERE thread = ? AND asks AND NOT answered"
_PUT_ANSWER = """INSERT INTO notice_answers (thread, ref, n) VALUES (?, ?, ?)
    ON CONFLICT (thread, ref) DO UPDATE SET n = max(n, excluded.n)"""
_PUT_SWEEP = """INSERT INTO notice_sweeps (what, place, n) VALUES (?, ?, ?)
    ON CONFLICT (what, place) DO UPDATE SET n = max(n, excluded.n)"""

ANSWERED, ANSWERED_PLACE, GONE, UNCOUNTED = "answered", "answered-place", "gone", "uncounted"
"""The kinds of `notice_sweeps`, that is, of changes to many rows that are not finished. ANSWERED: notices of the
conversation `place` before the position `n` are to be marked as answered. ANSWERED_PLACE: the same for one place, where
`place` is the conversation's id followed by the place. GONE: notices of the object or room `place` up to the row `n`
are to be deleted. UNCOUNTED: those of the object `place` after the row `n` are to be hidden or shown as
`hide_uncounted` says. A row is SQLite's own number; nothing numbers the rows again (VACUUM would)."""
OF_REMINDER = "EXISTS (SELECT 1 FROM reminders r WHERE r.notice = v.id AND r.state = 0)"
"""Whether the notice `v` is that of a reminder that the person is not done with."""
UNCOUNTED_AT_ONCE = 200
"""The most rows of notices, of any object, that one part of `hide_uncounted` looks at: 3 ms."""


def put_first(
    conn: Connection,
    me: Uid | None,
    row: ObjectRow,
    kinds: Sequence[NoticeKind],
    changes: Sequence[StoredChange],
    notices: Sequence[Notice],
) -> None:
    """Stores the notices that the projection of `changes` of the object `row` has returned. ▲ Stores only those of
    changes that are projected for the first time. Otherwise notices that were deleted since would be made again when
    the rows are. BugError for a notice whose kind is not in `kinds`, or that is about another object."""
    named = {kind.id for kind in kinds}
    for notice in notices:
        if notice.kind.id not in named or (notice.room, notice.obj) != (row.room, row.obj):
            raise BugError(f"the kind {row.kind!r} makes no notices {notice.kind.id!r} there")
    first = {change.rowid for change in changes if not change.replayed}
    put(conn, me, [notice for notice in notices if notice.row in first])


def put(conn: Connection, me: Uid | None, notices: Sequence[Notice]) -> None:
    """Stores notices that are not stored yet; a kind that counts or merges updates its earlier notice instead. Leaves
    out those about what this person did themselves, those about destroyed objects (except of a kind with `always`: the
    person asked to be notified), and, in the first reading of a room, those that are older than KEEP_MS.

    A new notice rings (`notice_store.NoticeStore.claim`) if its kind rings, if it is about a position after this
    device's first reading of the room or has none, and if the person has not read, answered or marked it, also on
    another device. `me`: this person; None if no account is known.
    """
    wanted = [notice for notice in notices if notice.by is None or notice.by != me]
    conn.notices_changed |= bool(wanted)
    marks, left, gone = dict[RoomId, int | None](), dict[ObjId, int](), set[ObjId]()
    for obj in {notice.obj for notice in wanted}:
        room = next(notice.room for notice in wanted if notice.obj == obj)
        if room not in marks:
            marks[room] = notified(conn, room)
        left[obj] = conn.value(_LEFT_AT, (GONE, room, obj)) or 0
        if series.is_destroyed(conn, room, obj):
            gone.add(obj)
    for notice in wanted:
        if notice.obj not in gone or notice.kind.always:
            _put(conn, notice, marks[notice.room], left[notice.obj])


def _put(conn: Connection, notice: Notice, mark: int | None, left: int) -> None:
    """Stores one notice. `mark`: the position up to which notices of the room do not ring; None while it is read for
    the first time. `left`: if the person was added again to a room that they had left, the row up to which its notices
    are still to be deleted, otherwise 0. None of these counts any more, and the new notice gets a later row."""
    if left:
        conn.execute(_DROP_LEFT, (notice.id, left))
    kind, ident = notice.kind, notice.id
    is_new = notice.n is None or (mark is not None and notice.n > mark)
    if not is_new and notice.t < clock.now_ms() - KEEP_MS:
        return
    if kind.counts:
        shown = (min(notice.count, MAX_COUNT), int(notice.count == 0), notice.by, notice.t, ident)
        if conn.execute(_RECOUNT, shown).rowcount or notice.count == 0:
            return
    if kind.merges and _merged(conn, notice, left):
        return
    elsewhere = conn.execute(_STATE_FROM_ELSEWHERE, (ident,)).fetchone()
    state, until = elsewhere or (NoticeState.NEW, None)
    thread = notice.thread or notice.obj
    if state == NoticeState.NEW and notice.n is not None and read_positions.is_read(conn, thread, notice.n):
        state = NoticeState.SEEN
    answered = kind.asks and notice.n is not None and _is_answered(conn, thread, notice.ref, notice.n)
    rings = is_new and kind.rings and not answered and state == NoticeState.NEW and elsewhere is None
    ring = (BY_TURNS if kind.by_turns else AT_RECEIPT) if rings else 0
    what = (ident, kind.id, notice.room, notice.obj, thread, notice.ref, notice.by, notice.n, notice.t)
    shown_as = (notice.detail, min(notice.count, MAX_COUNT), kind.asks, state, until, answered, 0, ring)
    row = max(left, int(conn.value(_LAST_ROW))) + 1 if left else None
    conn.execute(_ADD, (row, *what, *shown_as))


def _merged(conn: Connection, notice: Notice, left: int) -> bool:
    """Merges a notice into an earlier, open one of its kind about the same place, in a row after `left`. Returns
    whether there is one."""
    place = (notice.obj, notice.ref, notice.kind.id)
    found = conn.execute(_EARLIER, (*place, notice.t - UNDONE_MS, left)).fetchone()
    if found is None or found[0] == notice.id:
        return found is not None
    codes = dict.fromkeys([*found[1].split(","), *notice.detail.split(",")])
    detail = ",".join(code for code in codes if code)
    conn.execute(_MERGE, (detail, notice.by, notice.t, found[0]))
    return True


def _is_answered(conn: Connection, thread: ObjId, ref: bytes, n: int) -> bool:
    at = conn.value(_ANSWERED_AT, (thread, ref))
    return at is not None and at > n


def answer(conn: Connection, thread: ObjId, n: int | None, ref: bytes | None = None) -> None:
    """Stores that this person has answered in the conversation `thread` at the position `n`: notices about earlier
    positions are answered, also those that are made later. `n` None: the answer has no position yet, so every notice
    that is here is answered; call it again once the answer has a position. `ref`: only notices about this place are
    answered. Of many notices AT_ONCE are marked now, and the others by `NoticeStore.sweep`."""
    if n is not None:
        conn.execute(_PUT_ANSWER, (thread, ref or b"", n))
    upto = n if n is not None else int(conn.value(_LAST_UNANSWERED, (thread,)) or 0) + 1
    place = thread if ref is None else thread + ref
    if answer_some(conn, place, upto, of_ref=ref is not None):
        conn.execute(_PUT_SWEEP, (ANSWERED, place, upto) if ref is None else (ANSWERED_PLACE, place, upto))


def answer_some(conn: Connection, place: bytes, upto: int, *, of_ref: bool) -> bool:
    """Marks at most AT_ONCE notices about positions below `upto` as answered: those of the conversation `place`, or
    with `of_ref` of the conversation and the place in it whose ids `place` joins. Returns whether there may be more."""
    thread, ref = place[:ID_BYTES], place[ID_BYTES:]
    only, params = ("AND ref = ?", (ref,)) if of_ref else ("", ())
    sql = f"""UPDATE notices SET answered = 1, ring = 0 WHERE id IN (SELECT id FROM notices
        WHERE thread = ? AND asks AND NOT answered AND coalesce(n, 0) < ? {only} LIMIT {AT_ONCE})"""
    found = conn.execute(sql, (thread, upto, *params)).rowcount
    _note(conn, found)
    return found == AT_ONCE


def see(conn: Connection, thread: ObjId, refs: Collection[bytes]) -> None:
    """Marks the new notices about the places `refs` of a conversation as seen. They no longer ring; those that ask for
    an answer still do."""
    seen = "UPDATE notices SET state = 1, ring = 0 WHERE thread = ? AND ref = ? AND state = 0"
    _note(conn, conn.executemany(seen, [(thread, ref) for ref in refs]).rowcount)


def unseen(conn: Connection, thread: ObjId) -> list[bytes]:
    """The places in a conversation that its unseen notices are about, the latest notice first; at most AT_ONCE."""
    sql = f"SELECT ref FROM notices WHERE thread = ? AND state = 0 ORDER BY t DESC LIMIT {AT_ONCE}"
    return [ref for (ref,) in conn.execute(sql, (thread,))]


def see_all(conn: Connection, thread: ObjId, *, but: Sequence[NoticeKind] = ()) -> None:
    """Marks the new notices of a conversation as seen, except those of the kinds `but`. Of more than AT_ONCE notices
    the oldest stay new."""
    marks = ", ".join("?" * len(but))
    sql = f"""UPDATE notices SET state = 1, ring = 0 WHERE id IN (SELECT id FROM notices
        WHERE thread = ? AND state = 0 AND kind NOT IN ({marks}) ORDER BY t DESC LIMIT {AT_ONCE})"""
    _note(conn, conn.execute(sql, (thread, *(kind.id for kind in but))).rowcount)


def _note(conn: Connection, rows: int) -> None:
    conn.notices_changed |= rows > 0


def hide(conn: Connection, obj: ObjId, ref: bytes, kinds: Sequence[NoticeKind] = ()) -> None:
    """Hides the notices about a place from all lists, since the place is deleted or no longer concerns this person.
    They no longer ring. `kinds`: only notices of these kinds; () for all. `unhide` reverses this."""
    of_kinds = f"AND kind IN ({', '.join('?' * len(kinds))})" if kinds else ""
    sql = f"UPDATE notices SET hidden = hidden | 1, ring = 0 WHERE obj = ? AND ref = ? {of_kinds}"
    _note(conn, conn.execute(sql, (obj, ref, *(kind.id for kind in kinds))).rowcount)


def unhide(conn: Connection, obj: ObjId, ref: bytes) -> None:
    """Shows the notices about a place again that `hide` has hidden, for example since the deletion was undone."""
    _note(conn, conn.execute("UPDATE notices SET hidden = hidden & 2 WHERE obj = ? AND ref = ?", (obj, ref)).rowcount)


def hide_uncounted(conn: Connection, obj: ObjId, held: Sequence[str]) -> None:
    """Hides the notices about those positions of the object `obj` at which all changes are marked
    (`changes.unprojected`) with a code in `held`: these changes do not count. Shows the notices about all its other
    positions again. Of an object with more than AT_ONCE notices it does the first part, and `NoticeStore.sweep` the
    others."""
    few = f"SELECT count(*) FROM (SELECT 1 FROM notices WHERE obj = ? LIMIT {AT_ONCE + 1})"
    if conn.value(few, (obj,)) <= AT_ONCE:
        _note(conn, conn.execute(_uncounted(held), (*held, obj)).rowcount)
        return
    conn.notices_changed = True
    conn.execute("INSERT OR REPLACE INTO notice_sweeps (what, place, n) VALUES (?, ?, 0)", (UNCOUNTED, obj))
    hide_some(conn, obj, 0, held)


def hide_some(conn: Connection, obj: ObjId, after: int, held: Sequence[str]) -> bool:
    """Does the part of `hide_uncounted` that follows the row `after`, and stores up to which row it is done. Returns
    whether there may be more: False once no row follows."""
    some = f"SELECT rowid FROM notices WHERE rowid > ? ORDER BY rowid LIMIT {UNCOUNTED_AT_ONCE}"
    last = conn.value(f"SELECT max(rowid) FROM ({some})", (after,))
    if last is None:
        return False
    by_row = _uncounted(held).replace("WHERE obj = ?", "WHERE +obj = ?")  # not by the index of places
    conn.execute(f"{by_row} AND rowid > ? AND rowid <= ?", (*held, obj, after, last))
    conn.execute("UPDATE notice_sweeps SET n = ? WHERE what = ? AND place = ?", (last, UNCOUNTED, obj))
    return True


def _uncounted(held: Sequence[str]) -> str:
    marks = ", ".join("?" * len(held))
    counts = f"""EXISTS (SELECT 1 FROM changes c WHERE c.obj = notices.obj AND c.n = notices.n
        AND (c.unprojected IS NULL OR c.unprojected NOT IN ({marks})))"""
    return f"UPDATE notices SET hidden = iif({counts}, hidden & 1, hidden | 2) WHERE obj = ? AND n IS NOT NULL"


def forget(conn: Connection, place: ObjId | RoomId) -> None:
    """Deletes the notices of an object that was destroyed, or of a room that this person has left: at most AT_ONCE now,
    and the others by `NoticeStore.sweep`. No list shows any of them from now on. Notices that are made later, because
    the person was added to the room again, stay, and so do those of reminders that the person is not done with: they
    ring, or ring again, and say that it is gone what they are about."""
    conn.notices_changed = True
    last = int(conn.value(_LAST_ROW))
    conn.execute(_PUT_SWEEP, (GONE, place, last))
    if not drop_some(conn, place, last):
        conn.execute("DELETE FROM notice_sweeps WHERE what = ? AND place = ?", (GONE, place))


def drop_some(conn: Connection, place: bytes, upto: int) -> bool:
    """Deletes at most AT_ONCE notices of the room or object `place`, up to the row `upto`. Returns whether there may be
    more."""
    some = f"""DELETE FROM notices WHERE rowid IN
        (SELECT rowid FROM notices v WHERE {{}} = ? AND rowid <= ? AND NOT {OF_REMINDER} LIMIT {AT_ONCE})"""
    return any(conn.execute(some.format(name), (place, upto)).rowcount == AT_ONCE for name in ("room", "obj"))


def forget_other_rooms(conn: Connection, obj: ObjId, room: RoomId) -> None:
    """Deletes the notices about an object that were made in other rooms than `room`, to which the object belongs."""
    conn.execute("DELETE FROM notices WHERE obj = ? AND room <> ?", (obj, room))


# -- what rings


def notified(conn: Connection, room: RoomId) -> int | None:
    """The position up to which nothing in a room rings; None while this device reads the room for the first time."""
    found: int | None = conn.value("SELECT n FROM notified WHERE room = ?", (room,))
    return found


def raise_notified(conn: Connection, room: RoomId, n: int) -> None:
    """Stores that nothing in the room up to the position `n` rings, since this device has read it in its first reading.
    ▲ The position never falls: a lower `n` changes nothing. Otherwise old notices could ring."""
    conn.execute(
        "INSERT INTO notified (room, n) VALUES (?, ?) ON CONFLICT (room) DO UPDATE SET n = max(n, excluded.n)",
        (room, n),
    )
    conn.execute("UPDATE notices SET ring = 0 WHERE room = ? AND ring AND n <= ?", (room, n))
