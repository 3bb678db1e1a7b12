# SPDX-License-Identifier: EUPL-1.2
"""The statements of the hot path."""

from sync.client.placed_changes import PLACE_BITS

# ruff: noqa: S608 - put together from constants; values always go as parameters

CHUNK = 256
"""How many values one IN list may have."""
MAX_INT = 2**63 - 1
"""SQLite's largest integer."""

# -- changes
CHANGE = "row, room, obj, change_id, author, t, n, data"
LAST_ROW = """SELECT max(coalesce((SELECT max(row) FROM changes), 0),
    coalesce((SELECT value FROM meta WHERE name = 'last-row'), 0))"""
"""The highest row that any change has had. ▲ Not only of those that are here: a change with the row of one that was
deleted would count as read where that one was."""
KEEP_LAST_ROW = """INSERT OR REPLACE INTO meta (name, value) SELECT 'last-row', top FROM
    (SELECT max(row) AS top FROM changes) WHERE top > coalesce((SELECT value FROM meta WHERE name = 'last-row'), 0)"""
"""Before changes are deleted."""
ADD_CHANGE = f"""INSERT INTO changes (row, room, obj, change_id, author, dev, t, n, data)
    VALUES (({LAST_ROW}) + 1, ?, ?, ?, ?, ?, ?, ?, ?)"""
ADD_CHANGE_AT = (
    "INSERT INTO changes (row, room, obj, change_id, author, dev, t, n, place, baseline, unprojected, data) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
PLACE_CHANGE = "UPDATE changes SET n = ?, t = ?, place = ?, baseline = ? WHERE row = ?"
CHANGE_BY_ROW = f"SELECT {CHANGE} FROM changes WHERE row = ?"
OTHER_ROOM, UNTRIED, QUARANTINED, LEFT_OUT_CHANGE = "other-room", "untried", "quarantined", "left-out"
BUG = "bug"
"""The mark of a change at which a projection failed without a code."""
COUNTS = "merged"
"""The verdict on a change that is merged."""
LATE, AGAIN, COVERED = "late", "again", "covered"
"""The verdicts on changes that are not merged: it waits for others; it adds nothing new; a baseline or prune covers a
change that still waited."""
VOID = ("damaged-update", "foreign", "overlap", "parent", "apart", "keyed", "unfit", "half", "depth", "state", "piece")
"""The verdicts on changes that count for nobody (app/objects/FORMAT.md)."""
JUDGED = (LATE, AGAIN, COVERED, *VOID)
BEHIND = "behind"
"""A change that a state has replaced (app/store/behind.py). It is not judged yet."""
MOVED = "moved"
"""An own change that was written once more in another object, since its own can take it no more."""
HELD = (MOVED, OTHER_ROOM, UNTRIED, QUARANTINED, LEFT_OUT_CHANGE, BEHIND, *JUDGED)
"""Values of `changes.unprojected` that keep a change out of its object: nothing merges it."""
MERGED = f"(unprojected IS NULL OR unprojected NOT IN {HELD})"
CHANGES_OF = f"SELECT {CHANGE} FROM changes WHERE obj = ? AND row > ? AND {MERGED} ORDER BY row"
LATEST_BY_DEVICE = (  # by the objects' index: reading every change of every room would fill the page cache
    "SELECT dev, max(t) FROM changes WHERE obj IN (SELECT obj FROM objects WHERE room = ?) "
    "AND n IS NOT NULL AND dev IS NOT x'' GROUP BY dev"  # a snapshot names no device
)
UNPLACED = "SELECT c.data FROM outbox o JOIN changes c ON c.row = o.row WHERE o.obj = ? AND c.n IS NULL"
DROP_OF_DESTROYED = """DELETE FROM changes WHERE row = ? AND EXISTS (SELECT 1 FROM events e
    WHERE e.room = changes.room AND e.kind = 'destroy' AND e.obj = changes.obj)"""
NOTE_DESTROYING = """INSERT OR IGNORE INTO destroying (room, obj) SELECT e.room, e.obj FROM events e
    WHERE e.room = ? AND e.kind = 'destroy' AND e.obj = ?"""
"""Has what is left of a destroyed object deleted in the background; does nothing to any other object."""
MARK_UNPROJECTED = "UPDATE changes SET unprojected = ? WHERE row = ?"
MARK_BEHIND = f"{MARK_UNPROJECTED} AND unprojected = '{BEHIND}'"
_IS_MARKED = f"unprojected IS NOT NULL AND unprojected <> '{BEHIND}'"
"""The condition of the index `changes_unprojected`. It leaves out rows that are BEHIND: there may be 200,000."""
_MARKED = f"INDEXED BY changes_unprojected WHERE {_IS_MARKED}"
_MARKED_OF = f"{_MARKED} AND room = (SELECT room FROM objects WHERE obj = ?1) AND obj = ?1"
"""The marked changes of one object. Its other changes may be 200,000, and are not read."""
UNPROJECTED = f"SELECT row, unprojected FROM changes {_MARKED} AND (? IS NULL OR room = ?) ORDER BY row"

LEFT_OUT_OF = "SELECT author, change_id FROM left_out WHERE obj = ?"
LEFT_OUT_NEWLY = """SELECT l.obj, l.author, l.change_id, c.row, c.unprojected FROM left_out l
    LEFT JOIN changes c ON c.obj = l.obj AND c.author = l.author AND c.change_id = l.change_id WHERE NOT l.applied"""
NEWER = "format-newer"
"""A change that only a newer program can read. It is read again when the version of its kind has risen."""
_NOT_VOID = (MOVED, OTHER_ROOM, UNTRIED, QUARANTINED, LEFT_OUT_CHANGE, BEHIND, LATE, AGAIN, COVERED, BUG, NEWER)
# -- the judge
JUDGE_STATE = "SELECT state FROM judges WHERE obj = ?"
PUT_JUDGE_STATE = "INSERT OR REPLACE INTO judges (obj, room, state) VALUES (?, ?, ?)"
DROP_JUDGE_STATE = "DELETE FROM judges WHERE obj = ?"
WITHOUT_JUDGE = """SELECT obj FROM objects o WHERE kind = ? AND NOT EXISTS (SELECT 1 FROM judges j WHERE j.obj = o.obj)
    AND EXISTS (SELECT 1 FROM changes c WHERE c.obj = o.obj AND c.n IS NOT NULL)"""
_PLACED = "n, place, change_id, author, t, data"
_JUDGED_ONES = f"""FROM changes c WHERE obj = ?1 AND dev IS NOT x'' AND NOT baseline
    AND unprojected IS NOT '{OTHER_ROOM}' AND unprojected IS NOT '{LEFT_OUT_CHANGE}'"""
TO_JUDGE = f"""SELECT {_PLACED}, dev IS NULL, row, unprojected {_JUDGED_ONES}
    AND (n, place) > (?2, ?3) AND n IS NOT NULL ORDER BY n, place LIMIT ?4"""
AT_POSITION = f"""SELECT {_PLACED}, dev IS NULL, row, unprojected FROM changes
    WHERE obj = ? AND n = ? AND place = ? AND dev IS NOT x''"""
WRITTEN_HERE_AT = f"SELECT {CHANGE} FROM changes WHERE obj = ? AND n = ? AND place = ? AND dev IS NULL"
ANY_PLACED = "SELECT 1 FROM changes WHERE obj = ? AND n IS NOT NULL LIMIT 1"
PUT_WAIT = "INSERT OR REPLACE INTO waits (obj, position, client, clock, parts) VALUES (?, ?, ?, ?, ?)"
DROP_WAIT = "DELETE FROM waits WHERE obj = ? AND position = ?"
WAITS = f"""SELECT w.position, w.clock, w.parts, c.change_id, c.author, c.t FROM waits w JOIN changes c
    ON c.obj = w.obj AND c.n = w.position >> {PLACE_BITS} AND c.place = w.position & {(1 << PLACE_BITS) - 1}
    WHERE w.obj = ? AND w.client = ? AND w.clock < ? AND c.dev IS NOT x''"""
DROP_WAITS = "DELETE FROM waits WHERE obj = ?"
SOME_BEHIND = f"""SELECT row FROM changes WHERE obj = ? AND row > ? AND unprojected = '{BEHIND}'
    ORDER BY row LIMIT ?"""
ANY_UNTRIED = f"SELECT 1 FROM changes {_MARKED_OF} AND unprojected = '{UNTRIED}' LIMIT 1"
# ▲ only a state that has all merged changes: changes with later rows then add nothing
CACHE_WITH_BEHIND = f"""SELECT (SELECT max(row) FROM changes WHERE obj = ?1), row FROM crdt_states s WHERE obj = ?1
    AND NOT EXISTS (SELECT 1 FROM changes c WHERE c.obj = ?1 AND c.row > s.row AND {MERGED})"""
CACHE_HAS_BEHIND = "UPDATE crdt_states SET row = ? WHERE obj = ? AND row = ?"
BEGUN_IN = "SELECT DISTINCT obj FROM changes WHERE dev = x'' AND room = ?"
SNAPSHOT_ROWS = f"SELECT {_PLACED} FROM changes WHERE obj = ? AND dev = x'' ORDER BY n DESC, row"
BASELINES = f"SELECT {_PLACED} FROM changes WHERE obj = ? AND baseline ORDER BY n, place"
KIND_IN = "SELECT kind FROM objects WHERE obj = ? AND room = ?"
PRUNES_OF = """SELECT e.n, e.until FROM objects o JOIN events e ON e.room = o.room AND e.obj = o.obj
    WHERE o.obj = ? AND e.kind = 'prune' ORDER BY e.n"""
COVER_WAITING = f"""UPDATE changes SET unprojected = iif(unprojected = '{LATE}', '{COVERED}', '{BEHIND}')
    WHERE obj = ? AND n <= ? AND dev IS NOT x''
    AND NOT baseline AND unprojected IN ('{LATE}', '{UNTRIED}')
    AND NOT EXISTS (SELECT 1 FROM waits w
    WHERE w.obj = changes.obj AND w.position BETWEEN changes.n << 20 AND (changes.n << 20) + 1048575)"""
MOVE_CHANGE = "UPDATE changes SET row = ? WHERE row = ?"
READS_ALONE = "SELECT 1 FROM members WHERE room = ? AND uid = ? AND NOT history"
# -- trials
ENDS_OF = f"""SELECT {CHANGE} FROM changes WHERE row IN ((SELECT min(row) FROM changes WHERE obj = ?),
    (SELECT max(row) FROM changes WHERE obj = ?)) ORDER BY row"""
COUNT_UNTRIED = f"SELECT count(*) FROM changes {_MARKED_OF} AND unprojected = '{UNTRIED}'"
OBJECTS_WITH = f"SELECT DISTINCT obj FROM changes {_MARKED} AND unprojected = ?"
HELD_OF = f"SELECT {CHANGE} FROM changes {_MARKED_OF} AND unprojected = ?2 ORDER BY row LIMIT ?3"
IS_HELD = """SELECT 1 FROM quarantined q CROSS JOIN changes c ON c.row = q.row
    WHERE c.obj = ? AND c.unprojected = 'quarantined' LIMIT 1"""
DROP_QUARANTINED_OF = "DELETE FROM quarantined WHERE row IN (SELECT row FROM changes WHERE obj = ? AND room <> ?)"
IS_MARKED_AT = """SELECT 1 FROM changes
    WHERE row = ? AND obj = ? AND author = ? AND change_id = ? AND unprojected = ?"""
QUARANTINED_OBJECTS = f"""SELECT DISTINCT c.obj FROM quarantined q CROSS JOIN changes c ON c.row = q.row
    WHERE c.unprojected = '{QUARANTINED}'"""
QUARANTINED_OF = f"""SELECT {", ".join(f"c.{name}" for name in CHANGE.split(", "))}, q.why, q.since FROM quarantined q
    CROSS JOIN changes c ON c.row = q.row WHERE (? IS NULL OR c.obj = ?)
    AND c.unprojected = '{QUARANTINED}' ORDER BY q.row"""
"""CROSS JOIN: SQLite would begin with every change, for the sake of the order. A change that was marked otherwise since
is held back no more."""
VOID_OF = f"""SELECT {", ".join(f"c.{name}" for name in CHANGE.split(", "))}, c.unprojected
    FROM changes c INDEXED BY changes_unprojected JOIN objects o ON o.obj = c.obj
    WHERE c.room = ? AND {_IS_MARKED} AND c.unprojected NOT IN {_NOT_VOID}
    AND o.kind IN (SELECT value FROM json_each(?)) ORDER BY c.row LIMIT ?"""
OWN_FOREIGN = f"""SELECT obj, change_id FROM changes {_MARKED} AND room = ? AND unprojected = 'foreign'
    AND author = ?"""
VOID_COUNTS = f"""SELECT o.title, o.kind, c.author, count(*) FROM changes c INDEXED BY changes_unprojected
    JOIN objects o ON o.obj = c.obj WHERE c.room = ? AND {_IS_MARKED}
    AND c.unprojected NOT IN {_NOT_VOID} GROUP BY c.obj, c.author ORDER BY min(c.row)"""
COUNT_NEWER = f"SELECT count(*) FROM changes {_MARKED} AND room = ? AND unprojected = '{NEWER}'"
ADD_VOID_ITEM = """INSERT OR IGNORE INTO void_items (room, n, uid, code) SELECT ?1, ?2, ?3, ?4
    WHERE (SELECT count(*) FROM void_items WHERE room = ?1) < ?5"""
VOID_ITEMS = "SELECT uid, count(*) FROM void_items WHERE room = ? GROUP BY uid ORDER BY min(n)"
WAITING_OF = f"""SELECT o.title, c.author, count(*) FROM changes c INDEXED BY changes_unprojected
    JOIN objects o ON o.obj = c.obj JOIN waits w ON w.obj = c.obj AND w.position = (c.n << 20 | c.place)
    WHERE c.room = ? AND {_IS_MARKED} AND c.unprojected = '{LATE}' GROUP BY o.obj, c.author ORDER BY min(c.row)"""
TO_LOAD = f"SELECT row, author, change_id, data FROM changes WHERE obj = ? AND row > ? AND {MERGED} ORDER BY row"
HOLD_BETWEEN = f"UPDATE changes SET unprojected = ? WHERE obj = ? AND row BETWEEN ? AND ? AND {MERGED}"
SUSPECT = """INSERT INTO suspects (obj, room, deaths) VALUES (?, ?, 1)
    ON CONFLICT (obj) DO UPDATE SET deaths = deaths + 1 RETURNING deaths"""


def known_changes(count: int) -> str:
    """SQL that finds the stored changes with the change ids given as its `count` parameters. The data is read only for
    changes without a position."""
    marks = ",".join("?" * count)
    return f"""SELECT row, room, obj, author, change_id, n, place, CASE WHEN n IS NULL THEN data END
        FROM changes WHERE change_id IN ({marks})"""


SAME_NAME = """SELECT row, unprojected FROM changes WHERE change_id = ? AND room = ? AND obj = ? AND author = ?
    AND dev IS NOT x'' ORDER BY n IS NULL, n, place, row"""


# -- snapshots
# ▲ not a state that contains a change which was left out after it
BASE = """SELECT n, digest, changes FROM snapshots s WHERE obj = ? AND NOT EXISTS (SELECT 1 FROM left_out l
    JOIN changes c ON c.obj = l.obj AND c.author = l.author AND c.change_id = l.change_id
    WHERE l.obj = s.obj AND l.n > s.n AND c.n <= s.n)"""
SET_BASE = """INSERT INTO snapshots (obj, room, n, digest, changes) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (obj) DO UPDATE SET room = excluded.room, n = excluded.n, digest = excluded.digest,
        changes = excluded.changes WHERE excluded.n > n"""
# ▲ a change that was left out counts up to the position of the record that says so
POSITIONED = f"""SELECT n, place, change_id, author, t, data FROM changes c
    WHERE obj = ?1 AND n > ?2 AND n <= ?3 AND dev IS NOT x'' AND NOT baseline
    AND unprojected IS NOT '{OTHER_ROOM}' AND NOT EXISTS (SELECT 1 FROM left_out l
    WHERE l.obj = c.obj AND l.author = c.author AND l.change_id = c.change_id AND l.n <= ?3) ORDER BY n, place"""


def placed_at(count: int) -> str:
    """SQL for an object's changes at `count` positions. Parameters: the object, then the positions. Skips changes that
    an administrator's record left out, unless the record is at a later position: until then the change counted."""
    marks = ",".join("?" * count)
    return f"""SELECT n, place, change_id, author, t, data FROM changes c
        WHERE obj = ? AND n IN ({marks}) AND dev IS NOT x'' AND NOT baseline
        AND unprojected IS NOT '{OTHER_ROOM}' AND NOT EXISTS (SELECT 1 FROM left_out l
        WHERE l.obj = c.obj AND l.author = c.author AND l.change_id = c.change_id AND l.n <= c.n) ORDER BY n, place"""


LAST_POSITION = "SELECT max(n) FROM changes WHERE obj = ? AND n IS NOT NULL AND dev IS NOT x'' AND NOT baseline"
GROWN = "SELECT count(DISTINCT n), coalesce(sum(length(data)), 0) FROM changes WHERE obj = ? AND n > ?"
BETWEEN = f"{GROWN} AND n <= ?"
DROP_STATE = "DELETE FROM changes WHERE obj = ? AND dev = x''"
STATES_OF = f"SELECT {CHANGE} FROM changes WHERE obj = ? AND dev = x'' ORDER BY n, row"
EDITS_OF = f"""SELECT {CHANGE} FROM changes WHERE obj = ? AND dev IS NOT x'' AND {MERGED}
    ORDER BY n IS NULL, n, row"""
WRITERS_AFTER = f"""SELECT author, max(t) FROM changes WHERE obj = ? AND row > ? AND author <> ?
    AND dev IS NOT x'' AND NOT baseline AND {MERGED} GROUP BY author ORDER BY max(row)"""

# -- objects
_OBJECT = "obj, room, kind, title, created, updated, deleted, by"
TOUCH_OBJECT = """INSERT INTO objects (obj, room, kind, created, updated, by, last) VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (obj) DO UPDATE SET last = excluded.last, updated = max(updated, excluded.updated),
        by = coalesce(by, excluded.by) WHERE room = excluded.room"""
OBJECT = f"SELECT {_OBJECT}, last, projected FROM objects WHERE obj = ?"
JUDGED_UPTO = "SELECT judged FROM objects WHERE obj = ?"
NOTE_UNJUDGED = f"""INSERT OR IGNORE INTO unjudged (row, obj) SELECT row, obj FROM changes
    WHERE unprojected IS NOT NULL AND {MERGED}"""
UNJUDGED = "SELECT row FROM unjudged WHERE obj = ?"
DROP_UNJUDGED = "DELETE FROM unjudged WHERE obj = ?"
OBJECTS_BEHIND = "SELECT obj FROM objects WHERE room = ? AND kind = ? AND projected < last"
OBJECTS_BEHIND_OF = "SELECT room, obj FROM objects WHERE kind = ? AND projected < last"
SET_PROJECTED = "UPDATE objects SET projected = ?1, judged = max(judged, ?1) WHERE obj = ?2"
SELECT_OBJECTS = f"SELECT {_OBJECT} FROM objects"

REGROUPED = "SELECT obj, shown IS NULL FROM series WHERE shown IS NOT iif(counts, series, NULL)"
SET_REGROUPED = "UPDATE series SET shown = iif(counts, series, NULL) WHERE obj = ?"

# -- outbox
ADD_OUTBOX = "INSERT INTO outbox (row, room, obj, live) VALUES (?, ?, ?, ?)"
ADD_OUTBOX_PART = "INSERT INTO outbox_parts (row, part) VALUES (?, ?)"
_LACKING_PARTS = """(SELECT count(*) FROM outbox_parts d LEFT JOIN parts p ON p.part = d.part
    WHERE d.row = outbox.row AND coalesce(p.uploaded, 0) = 0)"""
COUNT_HELD = f"UPDATE outbox SET held = {_LACKING_PARTS} WHERE row = ?"
PART_UPLOADED = f"""UPDATE outbox SET held = {_LACKING_PARTS}
    WHERE held > 0 AND row IN (SELECT row FROM outbox_parts WHERE part = ?)"""

# a held document edit holds back the later edits of its document, which build on it; records stand alone
_READY = """o.batch IS NULL AND o.held = 0
    AND NOT EXISTS (SELECT 1 FROM streams s WHERE s.room = o.room AND s.postponed)
    AND NOT (o.live AND EXISTS (SELECT 1 FROM outbox h WHERE h.held > 0 AND h.obj = o.obj AND h.row < o.row))"""
_PENDING = f"""SELECT o.row, o.room, o.obj, c.change_id, c.data, o.live FROM outbox o JOIN changes c ON c.row = o.row
    WHERE {_READY}"""
PENDING = f"{_PENDING} ORDER BY o.row LIMIT ?"
PENDING_IN = f"{_PENDING} AND o.room = ? ORDER BY o.row LIMIT ?"
ROOMS_WITH_WORK = f"SELECT room FROM batches UNION SELECT o.room FROM outbox o WHERE {_READY}"
WAITING_COUNT = "SELECT count(*) FROM outbox"
ADD_BATCH = "INSERT INTO batches (room, first_seq, last_id, bodies, cts, sig, shares) VALUES (?, ?, ?, ?, ?, ?, ?)"
OLDEST_BATCH = """SELECT id, first_seq, last_id, bodies, cts, sig, shares FROM batches
    WHERE room = ? ORDER BY id LIMIT 1"""
DROP_BASELINES = """DELETE FROM outbox WHERE room = ?1 AND live = 2 AND batch IS NULL
    AND coalesce((SELECT role FROM rooms r WHERE r.room = ?1), 0) < ?2"""
FORGET_GIVEN = "DELETE FROM meta WHERE name = ?"
SET_BATCH = "UPDATE outbox SET batch = ? WHERE row = ? AND batch IS NULL"
BATCH_ID = "SELECT id FROM batches WHERE room = ? AND first_seq = ? AND last_id = ?"
BATCH_ROWS = "SELECT row FROM outbox WHERE batch = ? ORDER BY row"
DROP_PLACED = "DELETE FROM outbox WHERE row = ? AND batch IS NULL"
DROP_BATCH_ROWS = "DELETE FROM outbox WHERE batch = ?"
CLOSED_BETWEEN = """SELECT 1 FROM bad WHERE room = ?1 AND n BETWEEN ?2 AND ?3
    UNION ALL SELECT 1 FROM waiting WHERE room = ?1 AND n BETWEEN ?2 AND ?3 LIMIT 1"""
DROP_PLACED_ROWS = """DELETE FROM outbox WHERE batch = ?
    AND EXISTS (SELECT 1 FROM changes c WHERE c.row = outbox.row AND c.n IS NOT NULL)"""
FREE_BATCH_ROWS = "UPDATE outbox SET batch = NULL WHERE batch = ?"
DROP_BATCH = "DELETE FROM batches WHERE id = ?"

# -- inbox
SET_STREAM = """INSERT INTO streams (room, cursor, state) VALUES (?, ?, ?)
    ON CONFLICT (room) DO UPDATE SET cursor = excluded.cursor, state = excluded.state"""
STREAMS = "SELECT room, state FROM streams ORDER BY rowid"
ADD_POSITION = "INSERT OR REPLACE INTO positions (room, n, rh) VALUES (?, ?, ?)"
RH_AT = "SELECT rh FROM positions WHERE room = ? AND n = ?"
ROOM_KEYS = "SELECT epoch, k, a FROM room_keys WHERE room = ? ORDER BY epoch"
ADD_ROOM_KEY = """INSERT INTO room_keys (room, epoch, k, a) VALUES (?, ?, ?, ?)
    ON CONFLICT (room, epoch) DO UPDATE SET k = excluded.k, a = coalesce(excluded.a, a)"""
PUT_SHARE = "INSERT OR REPLACE INTO shares (room, obj, share) VALUES (?, ?, ?)"
SHARE = "SELECT share FROM shares WHERE room = ? AND obj = ?"
ADD_WAITING = "INSERT OR REPLACE INTO waiting (room, n, item) VALUES (?, ?, ?)"
WAITING = "SELECT n, item FROM waiting WHERE room = ? ORDER BY n"
CACHED_STATE = f"""SELECT row, state FROM crdt_states s WHERE obj = ? AND row <= ? AND NOT EXISTS (SELECT 1
    FROM changes c INDEXED BY changes_unprojected WHERE c.room = ? AND {_IS_MARKED} AND c.obj = s.obj
    AND c.row <= s.row AND c.unprojected = '{BUG}')"""
LACKING = """SELECT 1 FROM waiting WHERE room = ?1
    UNION ALL SELECT 1 FROM meta WHERE name = ?2 AND length(value) > 0 LIMIT 1"""
DROP_WAITING = "DELETE FROM waiting WHERE room = ? AND n = ?"
ADD_BAD = "INSERT OR REPLACE INTO bad (room, n, code) VALUES (?, ?, ?)"
ADD_KEPT_ITEM = """INSERT OR REPLACE INTO kept_items (room, n, t, kind, body, sig, ct, size)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)"""
KEPT_ITEMS = """SELECT n, t, kind, body, sig, ct, size FROM kept_items WHERE room = ? AND n > ? ORDER BY n LIMIT 4096"""
OLDEST_KEPT_ITEMS = "SELECT rowid, t, size FROM kept_items ORDER BY t LIMIT ?"
ADD_RECEIPT = """INSERT INTO receipts (room, n, proof) VALUES (?, ?, ?)
    ON CONFLICT (room) DO UPDATE SET n = excluded.n, proof = excluded.proof WHERE excluded.n > n"""
ADD_EVIDENCE = "INSERT OR IGNORE INTO evidence (room, code, ours, theirs, claim, t) VALUES (?, ?, ?, ?, ?, ?)"
ADD_EVENT = """INSERT OR REPLACE INTO events (room, n, t, kind, by, subject, role, history, obj, until, note, place)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
ADD_JOIN = """INSERT INTO joins (room, uid, added, n, t)
    SELECT ?1, ?2, max(n), ?3, ?4 FROM events INDEXED BY events_by_subject WHERE room = ?1 AND subject = ?2 AND n < ?3
        AND kind = 'add' AND kind <> 'leave-out' HAVING max(n)
    ON CONFLICT (room, uid, added) DO UPDATE SET n = excluded.n, t = excluded.t WHERE excluded.n < n"""
ADD_ROOM = "INSERT OR IGNORE INTO rooms (room, created) VALUES (?, ?)"
DROP_MEMBER = "DELETE FROM members WHERE room = ? AND uid = ?"
PUT_MEMBER = "INSERT OR REPLACE INTO members (room, uid, role, since_n, history) VALUES (?, ?, ?, ?, ?)"
SET_OWN_ROLE = """UPDATE rooms SET
    role = coalesce((SELECT role FROM members m WHERE m.room = rooms.room AND m.uid = ?1), 0),
    left = NOT EXISTS (SELECT 1 FROM members m WHERE m.room = rooms.room AND m.uid = ?1) WHERE room = ?2"""
PUT_HEARTBEAT = """INSERT INTO heartbeats (room, dev, uid, n, t, data) SELECT ?1, ?2, ?3, ?4, ?5, ?6
    WHERE EXISTS (SELECT 1 FROM members WHERE room = ?1 AND uid = ?3)
    ON CONFLICT (room, dev) DO UPDATE SET uid = excluded.uid, n = excluded.n, t = excluded.t, data = excluded.data
    WHERE excluded.n > n"""
DROP_HEARTBEATS = "DELETE FROM heartbeats WHERE room = ? AND uid = ?"
_HEARTBEAT = "SELECT room, uid, dev, t, data FROM heartbeats"
HEARTBEATS_OF = f"{_HEARTBEAT} WHERE room = ? ORDER BY n"
HEARTBEATS_BY = f"{_HEARTBEAT} WHERE dev = ?"
