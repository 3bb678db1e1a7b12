# SPDX-License-Identifier: EUPL-1.2
"""The rows of notices: what somebody else did that concerns this person. Written in the transaction that stores the
change, by `Projecting` from what a kind's projection returns, and by the store itself for entries of a room's log.

A row has ids, codes and times, and never a text or a name: what is shown is read from its place when it is shown. So an
edit, a deletion and a rename show at once, and no row keeps what was deleted. Functions that take a Connection run in
the caller's transaction. app/store/notice_store.py reads and marks the rows for services.
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
"""How long a notice is kept that needs nothing more of the person, and how old one may be when a device makes it in its
first reading of a room."""
AT_ONCE = 100
"""Most rows that one call changes at once, 1 to 2 ms; `notice_sweeps` names what is left."""
UNDONE_MS = 86_400_000
"""A notice that was hidden, and whose cause comes again within this time: somebody undid what had hidden it, and it
rings no second time."""
MAX_COUNT = 100
"""A notice with a count, such as one about reactions, counts no further."""


class NoticeState(IntEnum):
    """What the person has done with a notice. SNOOZED ones are new again at a given time."""

    NEW = 0
    SEEN = 1
    DONE = 2
    SNOOZED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeKind:
    """The declaration of a kind of notices. `id`: its name, unique in the program.

    `asks`: it asks the person for an answer, until it is answered or marked as done; seeing it is not enough.
    `personal`: it rings also in a room in which only mentions ring. `rings`: it rings at all. `merges`: while an
    earlier notice of this kind about the same place is not dealt with (not done if it asks, otherwise not seen), a
    further one only updates that one, and rings nothing. `counts`: a further notice with the same id replaces the
    earlier one's count.
    """

    id: str
    asks: bool
    personal: bool = False
    rings: bool = True
    merges: bool = False
    counts: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A notice as its source states it. `ref`: the place in the object `obj` that it leads to, as `ObjectLink.ref`;
    b"" for the whole object. `thread`: the conversation in which it can be answered, the object itself if there is no
    other. `key`: what makes its id together with kind, room and object: the id of the change, and of the part of it if
    one change can make several. `by`: who did it. `n` and `t` (ms): the position and time of the change, both the
    server's; `n` is None for what has no position. `detail`: a short code, never a text that somebody wrote. `count`:
    how many things it is about; 0 takes the notice back. `row`: the row of the change that makes it, 0 for none.
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
    """The notice that a change makes about the place `ref` in its object. `key`: what distinguishes it from other
    notices of its kind about the object; None: the change's id and author, and `ref`. The other fields are as in
    `Notice`."""
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
    """A notice's id: a hash of what it is about. Whenever and on whichever device the same change is read again, the
    same id results."""
    name = kind.encode()
    whole = b"kansli notice" + len(name).to_bytes(1, "big") + name + room + obj + key
    return NoticeId(hashlib.sha256(whole).digest()[:16])


_ADD = """INSERT INTO notices (id, kind, room, obj, thread, ref, by, n, t, detail, count, asks, state, until, answered,
    hidden, ring) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING"""
_RECOUNT = "UPDATE notices SET count = ?, hidden = ?, by = ?, t = max(t, ?) WHERE id = ?"
_EARLIER = """SELECT id, detail FROM notices WHERE obj = ? AND ref = ? AND kind = ?
    AND NOT answered AND (state = 0 OR asks AND state <> 2) AND (NOT hidden OR t > ?) ORDER BY t DESC LIMIT 1"""
_MERGE = "UPDATE notices SET detail = ?, by = ?, t = max(t, ?), hidden = hidden & 2 WHERE id = ?"
_STATE_FROM_ELSEWHERE = "SELECT state, until FROM notice_states WHERE id = ?"
_ANSWERED_AT = "SELECT max(n) FROM notice_answers WHERE thread = ? AND ref IN (x'', ?)"
_PUT_ANSWER = """INSERT INTO notice_answers (thread, ref, n) VALUES (?, ?, ?)
    ON CONFLICT (thread, ref) DO UPDATE SET n = max(n, excluded.n)"""
_PUT_SWEEP = """INSERT INTO notice_sweeps (what, place, n) VALUES (?, ?, ?)
    ON CONFLICT (what, place) DO UPDATE SET n = max(n, excluded.n)"""
_MAX = 2**62

ANSWERED, GONE = "answered", "gone"
"""What is left of a change to many rows: those of the conversation `place` before position `n` are answered; those of
the object or room `place` are to be deleted."""


def put_first(
    conn: Connection,
    me: Uid | None,
    row: ObjectRow,
    kinds: Sequence[NoticeKind],
    changes: Sequence[StoredChange],
    notices: Sequence[Notice],
) -> None:
    """Stores, in the caller's transaction, the notices that the projection of these changes of the object `row` has
    returned. ▲ Only those of changes that make notices for the first time: rows that are made again make none, also if
    the notices were deleted since. BugError for a kind of notices that is not among `kinds`, or for another object."""
    named = {kind.id for kind in kinds}
    for notice in notices:
        if notice.kind.id not in named or (notice.room, notice.obj) != (row.room, row.obj):
            raise BugError(f"the kind {row.kind!r} makes no notices {notice.kind.id!r} there")
    first = {change.rowid for change in changes if not change.replayed}
    put(conn, me, [notice for notice in notices if notice.row in first])


def put(conn: Connection, me: Uid | None, notices: Sequence[Notice]) -> None:
    """Stores notices that are new, in the caller's transaction. What this person did themselves makes none, nor does
    anything in a destroyed object. A notice rings later (`notice_store.NoticeStore.claim`) if it is about a position
    that this device received after its first reading of the room, and the person has not read it or dealt with it on
    another device. In the first reading of a room, notices that are older than KEEP_MS are left out."""
    wanted = [notice for notice in notices if notice.by is None or notice.by != me]
    conn.notices_changed |= bool(wanted)
    marks, gone = dict[RoomId, int | None](), set[ObjId]()
    for obj in {notice.obj for notice in wanted}:
        room = next(notice.room for notice in wanted if notice.obj == obj)
        if room not in marks:
            marks[room] = notified(conn, room)
            _finish_leaving(conn, room)
        if series.is_destroyed(conn, room, obj):
            gone.add(obj)
    for notice in wanted:
        if notice.obj not in gone:
            _put(conn, notice, marks[notice.room])


def _put(conn: Connection, notice: Notice, mark: int | None) -> None:
    kind, ident = notice.kind, notice.id
    is_new = notice.n is None or (mark is not None and notice.n > mark)
    if not is_new and notice.t < clock.now_ms() - KEEP_MS:
        return
    if kind.counts:
        shown = (min(notice.count, MAX_COUNT), int(notice.count == 0), notice.by, notice.t, ident)
        if conn.execute(_RECOUNT, shown).rowcount or notice.count == 0:
            return
    if kind.merges and _merged(conn, notice):
        return
    state, until = conn.execute(_STATE_FROM_ELSEWHERE, (ident,)).fetchone() or (NoticeState.NEW, None)
    thread = notice.thread or notice.obj
    if state == NoticeState.NEW and notice.n is not None and read_positions.is_read(conn, thread, notice.n):
        state = NoticeState.SEEN
    answered = kind.asks and notice.n is not None and _is_answered(conn, thread, notice.ref, notice.n)
    ring = is_new and kind.rings and not answered and state == NoticeState.NEW
    what = (ident, kind.id, notice.room, notice.obj, thread, notice.ref, notice.by, notice.n, notice.t)
    shown_as = (notice.detail, min(notice.count, MAX_COUNT), kind.asks, state, until, answered, 0, ring)
    conn.execute(_ADD, (*what, *shown_as))


def _merged(conn: Connection, notice: Notice) -> bool:
    """Whether an earlier notice about the same place has taken this one up, since the person has not dealt with it."""
    place = (notice.obj, notice.ref, notice.kind.id)
    found = conn.execute(_EARLIER, (*place, notice.t - UNDONE_MS)).fetchone()
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
    """Notes that this person has answered in a conversation: notices about positions before `n` ask no more. `n` None:
    the answer has no position yet, and every notice that is here counts as before it; call again once it has one.
    `ref`: only the notices about that place are answered."""
    if n is not None:
        conn.execute(_PUT_ANSWER, (thread, ref or b"", n))
    of_ref, params = ("AND ref = ?", (ref,)) if ref is not None else ("", ())
    sql = f"""UPDATE notices SET answered = 1, ring = 0 WHERE id IN (SELECT id FROM notices
        WHERE thread = ? AND asks AND NOT answered AND coalesce(n, 0) < ? {of_ref} LIMIT {AT_ONCE})"""
    upto = n if n is not None else _MAX
    found = conn.execute(sql, (thread, upto, *params)).rowcount
    _note(conn, found)
    if found == AT_ONCE and ref is None:
        conn.execute(_PUT_SWEEP, (ANSWERED, thread, upto))


def see(conn: Connection, thread: ObjId, refs: Collection[bytes]) -> None:
    """Notes that this person has seen the places `refs` of a conversation. Seen notices ring no more; those that ask
    still do."""
    seen = "UPDATE notices SET state = 1, ring = 0 WHERE thread = ? AND ref = ? AND state = 0"
    _note(conn, conn.executemany(seen, [(thread, ref) for ref in refs]).rowcount)


def unseen(conn: Connection, thread: ObjId) -> list[bytes]:
    """The places in a conversation that unseen notices are about, the latest notices first; at most AT_ONCE of them."""
    sql = f"SELECT ref FROM notices WHERE thread = ? AND state = 0 ORDER BY t DESC LIMIT {AT_ONCE}"
    return [ref for (ref,) in conn.execute(sql, (thread,))]


def see_all(conn: Connection, thread: ObjId, *, but: Sequence[NoticeKind] = ()) -> None:
    """Notes that this person has seen everything in a conversation except what notices of the kinds `but` are about. Of
    very many notices the oldest ones are left as they are."""
    marks = ", ".join("?" * len(but))
    sql = f"""UPDATE notices SET state = 1, ring = 0 WHERE id IN (SELECT id FROM notices
        WHERE thread = ? AND state = 0 AND kind NOT IN ({marks}) ORDER BY t DESC LIMIT {AT_ONCE})"""
    _note(conn, conn.execute(sql, (thread, *(kind.id for kind in but))).rowcount)


def _note(conn: Connection, rows: int) -> None:
    conn.notices_changed |= rows > 0


def hide(conn: Connection, obj: ObjId, ref: bytes, kinds: Sequence[NoticeKind] = ()) -> None:
    """Takes the notices about a place out of all lists, since it is gone or concerns this person no more. `kinds`: only
    those of these kinds; all if it is empty. They ring no more. `unhide` takes it back."""
    of_kinds = f"AND kind IN ({', '.join('?' * len(kinds))})" if kinds else ""
    sql = f"UPDATE notices SET hidden = hidden | 1, ring = 0 WHERE obj = ? AND ref = ? {of_kinds}"
    _note(conn, conn.execute(sql, (obj, ref, *(kind.id for kind in kinds))).rowcount)


def unhide(conn: Connection, obj: ObjId, ref: bytes) -> None:
    """Shows again what `hide` has hidden at a place: its deletion does not count after all."""
    _note(conn, conn.execute("UPDATE notices SET hidden = hidden & 2 WHERE obj = ? AND ref = ?", (obj, ref)).rowcount)


def hide_uncounted(conn: Connection, obj: ObjId, held: Sequence[str]) -> None:
    """Hides the notices about positions of the object `obj` at which no change counts any more: each is marked with a
    code of `held`. Those of a position at which a change counts again are shown again."""
    marks = ", ".join("?" * len(held))
    counts = f"""EXISTS (SELECT 1 FROM changes c WHERE c.obj = notices.obj AND c.n = notices.n
        AND (c.unprojected IS NULL OR c.unprojected NOT IN ({marks})))"""
    sql = f"UPDATE notices SET hidden = iif({counts}, hidden & 1, hidden | 2) WHERE obj = ? AND n IS NOT NULL"
    _note(conn, conn.execute(sql, (*held, obj)).rowcount)


def forget(conn: Connection, place: ObjId | RoomId) -> None:
    """Has the notices of an object or a room deleted: it was destroyed, or this person has left it. No list shows them
    from now on."""
    conn.notices_changed = True
    conn.execute(_PUT_SWEEP, (GONE, place, _MAX))
    if not drop_some(conn, place):
        conn.execute("DELETE FROM notice_sweeps WHERE what = ? AND place = ?", (GONE, place))


def drop_some(conn: Connection, place: bytes) -> bool:
    """Deletes at most AT_ONCE notices of the room or object `place`. Returns whether there may be more."""
    some = f"DELETE FROM notices WHERE id IN (SELECT id FROM notices WHERE {{}} = ? LIMIT {AT_ONCE})"
    return any(conn.execute(some.format(name), (place,)).rowcount == AT_ONCE for name in ("room", "obj"))


def _finish_leaving(conn: Connection, room: RoomId) -> None:
    """Deletes what is left of a room's notices if the person had left it, and was added again since."""
    if conn.execute("DELETE FROM notice_sweeps WHERE what = ? AND place = ?", (GONE, room)).rowcount:
        conn.execute("DELETE FROM notices WHERE room = ?", (room,))


def forget_other_rooms(conn: Connection, obj: ObjId, room: RoomId) -> None:
    """Deletes the notices about an object that other rooms than `room`, to which it belongs, have made."""
    conn.execute("DELETE FROM notices WHERE obj = ? AND room <> ?", (obj, room))


# -- what rings


def notified(conn: Connection, room: RoomId) -> int | None:
    """The position up to which nothing of a room rings; None while this device reads the room for the first time."""
    found: int | None = conn.value("SELECT n FROM notified WHERE room = ?", (room,))
    return found


def raise_notified(conn: Connection, room: RoomId, n: int) -> None:
    """Notes that nothing of the room up to position `n` rings: this device has read that in its first reading. ▲ The
    mark never falls."""
    conn.execute(
        "INSERT INTO notified (room, n) VALUES (?, ?) ON CONFLICT (room) DO UPDATE SET n = max(n, excluded.n)",
        (room, n),
    )
    conn.execute("UPDATE notices SET ring = 0 WHERE room = ? AND ring AND n <= ?", (room, n))
