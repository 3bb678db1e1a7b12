# SPDX-License-Identifier: EUPL-1.2
"""The tables of a store, and the number of their layout. FORMAT.md says what each column means.

Nothing is released: a store of another layout is refused, and a new layout gets a new number. From 1.0 on each new
layout must bring the code that converts older stores.
"""

from app.core import log
from app.errors import StoreCorrupt, StoreNewer, StoreOlder
from app.store.database import APPLICATION_ID, Database

VERSION = 22


def prepare(db: Database) -> None:
    """Makes the tables of a new database; does nothing to one with the present layout. Raises StoreNewer or StoreOlder
    for another layout, StoreCorrupt if the file is not ours."""
    found = int(db.value("PRAGMA user_version"))
    if found and db.value("PRAGMA application_id") != APPLICATION_ID:
        raise StoreCorrupt()
    if found > VERSION:
        raise StoreNewer()
    if 0 < found < VERSION:
        raise StoreOlder()
    if found == 0:
        _create(db)


def _create(db: Database) -> None:
    with db.transaction():
        for statement in _STATEMENTS:
            db.conn.execute(statement)
        db.conn.execute(f"PRAGMA application_id={APPLICATION_ID}")
        db.conn.execute(f"PRAGMA user_version={VERSION}")
    log.store.info("created", version=VERSION)


_STATEMENTS = (
    # -- the account and everybody's public logs
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID",
    "CREATE TABLE account (id INTEGER PRIMARY KEY CHECK (id = 1), data BLOB NOT NULL)",
    """CREATE TABLE user_log (uid BLOB NOT NULL, seq INTEGER NOT NULL, body BLOB NOT NULL, sig BLOB NOT NULL,
       PRIMARY KEY (uid, seq)) WITHOUT ROWID""",
    # -- rooms as the engine keeps them
    """CREATE TABLE streams (room BLOB PRIMARY KEY, cursor INTEGER NOT NULL, state BLOB NOT NULL,
       postponed INTEGER NOT NULL DEFAULT 0)""",
    """CREATE TABLE positions (room BLOB NOT NULL, n INTEGER NOT NULL, rh BLOB NOT NULL,
       PRIMARY KEY (room, n)) WITHOUT ROWID""",
    """CREATE TABLE room_keys (room BLOB NOT NULL, epoch INTEGER NOT NULL, k BLOB NOT NULL, a BLOB,
       PRIMARY KEY (room, epoch)) WITHOUT ROWID""",
    """CREATE TABLE shares (room BLOB NOT NULL, obj BLOB NOT NULL, share BLOB NOT NULL,
       PRIMARY KEY (room, obj)) WITHOUT ROWID""",
    """CREATE TABLE waiting (room BLOB NOT NULL, n INTEGER NOT NULL, item BLOB NOT NULL,
       PRIMARY KEY (room, n)) WITHOUT ROWID""",
    """CREATE TABLE bad (room BLOB NOT NULL, n INTEGER NOT NULL, code TEXT NOT NULL,
       PRIMARY KEY (room, n)) WITHOUT ROWID""",
    """CREATE TABLE void_items (room BLOB NOT NULL, n INTEGER NOT NULL, uid BLOB NOT NULL, code TEXT NOT NULL,
       PRIMARY KEY (room, n)) WITHOUT ROWID""",
    "CREATE TABLE receipts (room BLOB PRIMARY KEY, n INTEGER NOT NULL, proof BLOB NOT NULL) WITHOUT ROWID",
    """CREATE TABLE evidence (room BLOB NOT NULL, code TEXT NOT NULL, ours BLOB, theirs BLOB, claim BLOB,
       t INTEGER NOT NULL, PRIMARY KEY (room, code)) WITHOUT ROWID""",
    """CREATE TABLE kept_items (room BLOB NOT NULL, n INTEGER NOT NULL, t INTEGER NOT NULL, kind INTEGER NOT NULL,
       body BLOB NOT NULL, sig BLOB NOT NULL, ct BLOB, size INTEGER NOT NULL, PRIMARY KEY (room, n))""",
    "CREATE INDEX kept_items_by_t ON kept_items (t, size)",
    """CREATE TABLE origins (room BLOB PRIMARY KEY, old BLOB NOT NULL, n INTEGER NOT NULL, rh BLOB NOT NULL,
       by BLOB NOT NULL, step INTEGER NOT NULL DEFAULT 0)""",
    "CREATE INDEX origins_by_old ON origins (old)",
    """CREATE TABLE snapshots (obj BLOB PRIMARY KEY, room BLOB NOT NULL, n INTEGER NOT NULL, digest BLOB NOT NULL,
       changes BLOB NOT NULL)""",
    # -- changes and what goes to the server
    """CREATE TABLE changes (row INTEGER PRIMARY KEY, room BLOB NOT NULL, obj BLOB NOT NULL, change_id BLOB NOT NULL,
       author BLOB NOT NULL, dev BLOB, t INTEGER NOT NULL, n INTEGER, place INTEGER NOT NULL DEFAULT 0,
       baseline INTEGER NOT NULL DEFAULT 0, unprojected TEXT, data BLOB NOT NULL)""",
    "CREATE INDEX changes_by_id ON changes (change_id)",
    "CREATE INDEX changes_by_obj ON changes (obj)",
    "CREATE INDEX changes_placed ON changes (obj, n, place) WHERE n IS NOT NULL",
    "CREATE INDEX changes_begun ON changes (obj) WHERE dev = x''",
    "CREATE INDEX changes_baselines ON changes (obj, n) WHERE baseline",
    """CREATE INDEX changes_unprojected ON changes (room)
       WHERE unprojected IS NOT NULL AND unprojected <> 'behind'""",
    """CREATE TABLE batches (id INTEGER PRIMARY KEY, room BLOB NOT NULL, first_seq INTEGER NOT NULL,
       last_id BLOB NOT NULL, bodies BLOB NOT NULL, cts BLOB NOT NULL, sig BLOB NOT NULL, shares BLOB NOT NULL)""",
    """CREATE TABLE outbox (row INTEGER PRIMARY KEY REFERENCES changes (row), room BLOB NOT NULL, obj BLOB NOT NULL,
       live INTEGER NOT NULL, held INTEGER NOT NULL DEFAULT 0, batch INTEGER REFERENCES batches (id))""",
    "CREATE INDEX outbox_batch ON outbox (batch) WHERE batch IS NOT NULL",
    """CREATE TABLE outbox_parts (row INTEGER NOT NULL REFERENCES outbox (row) ON DELETE CASCADE, part BLOB NOT NULL,
       PRIMARY KEY (row, part)) WITHOUT ROWID""",
    "CREATE INDEX outbox_parts_by_part ON outbox_parts (part)",
    """CREATE TABLE long_writes (number INTEGER PRIMARY KEY, kind TEXT NOT NULL, room BLOB NOT NULL, obj BLOB,
       retires BLOB)""",
    """CREATE TABLE long_write_changes (number INTEGER NOT NULL, place INTEGER NOT NULL, data BLOB NOT NULL,
       PRIMARY KEY (number, place))""",
    """CREATE TABLE parts (part BLOB PRIMARY KEY, room BLOB NOT NULL, obj BLOB NOT NULL, key BLOB NOT NULL,
       hash BLOB NOT NULL, size INTEGER NOT NULL, plain_size INTEGER NOT NULL, uploaded INTEGER NOT NULL,
       present INTEGER NOT NULL)""",
    "CREATE INDEX parts_by_obj ON parts (obj)",
    # -- received parts of files: what is in received/, and names of files there that are to be removed
    """CREATE TABLE cached_parts (digest BLOB PRIMARY KEY, part BLOB NOT NULL, room BLOB NOT NULL, obj BLOB NOT NULL,
       name TEXT, size INTEGER NOT NULL, used INTEGER NOT NULL, pinned INTEGER NOT NULL)""",
    "CREATE INDEX cached_parts_by_name ON cached_parts (name) WHERE name IS NOT NULL",
    "CREATE INDEX cached_parts_by_use ON cached_parts (used, name, size) WHERE name IS NOT NULL AND NOT pinned",
    "CREATE INDEX cached_parts_pinned ON cached_parts (size, name) WHERE pinned",
    "CREATE INDEX cached_parts_by_obj ON cached_parts (obj)",
    "CREATE INDEX cached_parts_by_room ON cached_parts (room)",
    "CREATE TABLE offline_rooms (room BLOB PRIMARY KEY) WITHOUT ROWID",
    "CREATE TABLE uncached (name TEXT PRIMARY KEY) WITHOUT ROWID",
    """CREATE TRIGGER cached_part_deleted AFTER DELETE ON cached_parts WHEN old.name IS NOT NULL
       BEGIN INSERT OR IGNORE INTO uncached (name) VALUES (old.name); END""",
    """CREATE TRIGGER cached_part_emptied AFTER UPDATE OF name ON cached_parts
       WHEN old.name IS NOT NULL AND new.name IS NOT old.name
       BEGIN INSERT OR IGNORE INTO uncached (name) VALUES (old.name); END""",
    # -- copies in plain for other programs, and the changed ones, which are kept encrypted in kept/
    """CREATE TABLE opened_copies (copy BLOB PRIMARY KEY, folder TEXT NOT NULL, file TEXT NOT NULL, room BLOB NOT NULL,
       obj BLOB NOT NULL, message BLOB NOT NULL, number INTEGER NOT NULL, name TEXT NOT NULL, digest BLOB NOT NULL,
       is_whole INTEGER NOT NULL)""",
    """CREATE TABLE changed_copies (id BLOB PRIMARY KEY, copy BLOB NOT NULL, file TEXT NOT NULL, room BLOB NOT NULL,
       obj BLOB NOT NULL, message BLOB NOT NULL, number INTEGER NOT NULL, name TEXT NOT NULL, size INTEGER NOT NULL,
       t INTEGER NOT NULL, digest BLOB NOT NULL, manifest BLOB NOT NULL, parts TEXT NOT NULL, UNIQUE (copy, file))""",
    "CREATE INDEX changed_copies_by_room ON changed_copies (room, t)",
    # -- what the judges of merging objects know, and what waits there for other changes
    "CREATE TABLE judges (obj BLOB PRIMARY KEY, room BLOB NOT NULL, state BLOB NOT NULL)",
    """CREATE TABLE waits (obj BLOB NOT NULL, position INTEGER NOT NULL, client INTEGER NOT NULL,
       clock INTEGER NOT NULL, parts BLOB NOT NULL, PRIMARY KEY (obj, position)) WITHOUT ROWID""",
    "CREATE INDEX waits_by_id ON waits (obj, client, clock)",
    # -- what this computer holds back, and what an administrator had left out
    """CREATE TABLE quarantined (row INTEGER PRIMARY KEY REFERENCES changes (row) ON DELETE CASCADE,
       why TEXT NOT NULL, since INTEGER NOT NULL)""",
    "CREATE TABLE suspects (obj BLOB PRIMARY KEY, room BLOB NOT NULL, deaths INTEGER NOT NULL)",
    """CREATE TABLE left_out (obj BLOB NOT NULL, author BLOB NOT NULL, change_id BLOB NOT NULL, n INTEGER NOT NULL,
       applied INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (obj, author, change_id)) WITHOUT ROWID""",
    # -- read models that all tools share
    """CREATE TABLE objects (obj BLOB PRIMARY KEY, room BLOB NOT NULL, kind TEXT NOT NULL DEFAULT '',
       title TEXT NOT NULL DEFAULT '', created INTEGER NOT NULL, updated INTEGER NOT NULL,
       deleted INTEGER NOT NULL DEFAULT 0, by BLOB, last INTEGER NOT NULL DEFAULT 0,
       projected INTEGER NOT NULL DEFAULT 0, judged INTEGER NOT NULL DEFAULT 0)""",
    "CREATE INDEX objects_by_room ON objects (room, kind)",
    "CREATE INDEX objects_behind ON objects (kind) WHERE projected < last",
    """CREATE TABLE series (obj BLOB PRIMARY KEY, room BLOB NOT NULL, series BLOB NOT NULL, period INTEGER NOT NULL,
       rank INTEGER NOT NULL, position INTEGER NOT NULL, counts INTEGER NOT NULL DEFAULT 0,
       shown BLOB)""",
    "CREATE INDEX series_in_order ON series (series, period, rank, position)",
    "CREATE INDEX series_counting ON series (series, period) WHERE counts",
    "CREATE INDEX series_by_room ON series (room, position)",
    "CREATE INDEX series_moved ON series (obj) WHERE shown IS NOT iif(counts, series, NULL)",
    "CREATE TABLE kinds (kind TEXT PRIMARY KEY, version INTEGER NOT NULL, format INTEGER NOT NULL)",
    """CREATE TABLE rooms (room BLOB PRIMARY KEY, title TEXT NOT NULL DEFAULT '', type TEXT NOT NULL DEFAULT '',
       created INTEGER NOT NULL, role INTEGER NOT NULL DEFAULT 0, left INTEGER NOT NULL DEFAULT 0,
       muted INTEGER NOT NULL DEFAULT 0, pinned INTEGER NOT NULL DEFAULT 0, unread INTEGER NOT NULL DEFAULT 0,
       mentions INTEGER NOT NULL DEFAULT 0, last_t INTEGER NOT NULL DEFAULT 0, last_by BLOB,
       last_preview TEXT NOT NULL DEFAULT '')""",
    """CREATE TABLE counters (obj BLOB PRIMARY KEY, room BLOB NOT NULL, unread INTEGER NOT NULL,
       mentions INTEGER NOT NULL, last_t INTEGER NOT NULL, last_by BLOB, last_preview TEXT NOT NULL) WITHOUT ROWID""",
    "CREATE INDEX counters_by_room ON counters (room)",
    """CREATE TABLE members (room BLOB NOT NULL, uid BLOB NOT NULL, role INTEGER NOT NULL, since_n INTEGER NOT NULL,
       history INTEGER NOT NULL, PRIMARY KEY (room, uid)) WITHOUT ROWID""",
    "CREATE INDEX members_by_uid ON members (uid)",
    """CREATE TABLE heartbeats (room BLOB NOT NULL, dev BLOB NOT NULL, uid BLOB NOT NULL, n INTEGER NOT NULL,
       t INTEGER NOT NULL, data BLOB NOT NULL, PRIMARY KEY (room, dev)) WITHOUT ROWID""",
    "CREATE INDEX heartbeats_by_dev ON heartbeats (dev)",
    """CREATE TABLE people (uid BLOB PRIMARY KEY, name TEXT NOT NULL, title TEXT NOT NULL, unit TEXT NOT NULL,
       record TEXT NOT NULL, salt BLOB NOT NULL, verified INTEGER)""",
    """CREATE TABLE events (room BLOB NOT NULL, n INTEGER NOT NULL, t INTEGER NOT NULL, kind TEXT NOT NULL,
       by BLOB NOT NULL, subject BLOB, role INTEGER, history INTEGER, obj BLOB, until INTEGER, note BLOB,
       place INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (room, n, kind, place)) WITHOUT ROWID""",
    "CREATE INDEX events_by_subject ON events (room, subject, n) WHERE kind <> 'leave-out'",
    "CREATE INDEX events_of_leaving ON events (room, by, n) WHERE kind = 'leave'",
    "CREATE INDEX events_destroying ON events (obj, room) WHERE kind = 'destroy'",
    "CREATE TABLE destroying (room BLOB NOT NULL, obj BLOB NOT NULL, PRIMARY KEY (room, obj)) WITHOUT ROWID",
    """CREATE TABLE joins (room BLOB NOT NULL, uid BLOB NOT NULL, added INTEGER NOT NULL, n INTEGER NOT NULL,
       t INTEGER NOT NULL, PRIMARY KEY (room, uid, added)) WITHOUT ROWID""",
    "CREATE INDEX joins_in_order ON joins (room, n)",
    """CREATE TABLE titles (row INTEGER PRIMARY KEY, room BLOB NOT NULL, sort INTEGER NOT NULL, t INTEGER NOT NULL,
       by BLOB NOT NULL, title TEXT NOT NULL, type TEXT NOT NULL, old TEXT)""",
    "CREATE INDEX titles_in_order ON titles (room, sort)",
    "CREATE INDEX titles_that_changed ON titles (room, sort) WHERE old <> title",
    """CREATE TABLE room_marks (room BLOB NOT NULL, n INTEGER NOT NULL, kind TEXT NOT NULL, other BLOB NOT NULL,
       t INTEGER NOT NULL, by BLOB, PRIMARY KEY (room, n, kind, other)) WITHOUT ROWID""",
    "CREATE TABLE drafts (obj BLOB PRIMARY KEY, room BLOB NOT NULL, data BLOB NOT NULL, t INTEGER NOT NULL)",
    """CREATE TABLE read_markers (obj BLOB PRIMARY KEY, room BLOB NOT NULL, row INTEGER NOT NULL,
       t INTEGER NOT NULL)""",
    "CREATE TABLE read_apart (obj BLOB NOT NULL, row INTEGER NOT NULL, PRIMARY KEY (obj, row)) WITHOUT ROWID",
    # -- what follows a person to all their devices
    """CREATE TABLE read_positions (obj BLOB PRIMARY KEY, generation INTEGER NOT NULL,
       position INTEGER NOT NULL) WITHOUT ROWID""",
    """CREATE TABLE read_left (obj BLOB NOT NULL, position INTEGER NOT NULL,
       PRIMARY KEY (obj, position)) WITHOUT ROWID""",
    """CREATE TABLE own_waiting (root TEXT NOT NULL, name TEXT NOT NULL, value BLOB NOT NULL,
       PRIMARY KEY (root, name)) WITHOUT ROWID""",
    "CREATE TABLE recent (obj BLOB PRIMARY KEY, t INTEGER NOT NULL)",
    "CREATE TABLE crdt_states (obj BLOB PRIMARY KEY, row INTEGER NOT NULL, state BLOB NOT NULL)",
    "CREATE TABLE key_watch (uid BLOB PRIMARY KEY, seq INTEGER NOT NULL) WITHOUT ROWID",
    """CREATE TABLE key_notices (id INTEGER PRIMARY KEY, uid BLOB NOT NULL, kind TEXT NOT NULL, seq INTEGER NOT NULL,
       other BLOB NOT NULL, t INTEGER NOT NULL, done INTEGER, UNIQUE (uid, kind, seq, other))""",
    # -- notices, and which changes have not been asked for them yet
    """CREATE TABLE notices (id BLOB PRIMARY KEY, kind TEXT NOT NULL, room BLOB NOT NULL, obj BLOB NOT NULL,
       thread BLOB NOT NULL, ref BLOB NOT NULL, by BLOB, n INTEGER, t INTEGER NOT NULL, detail TEXT NOT NULL,
       count INTEGER NOT NULL, asks INTEGER NOT NULL, state INTEGER NOT NULL, until INTEGER,
       answered INTEGER NOT NULL, hidden INTEGER NOT NULL, ring INTEGER NOT NULL)""",
    "CREATE INDEX notices_in_order ON notices (t, id)",
    "CREATE INDEX notices_asking ON notices (t, id) WHERE asks AND NOT answered AND state <> 2",
    "CREATE INDEX notices_new ON notices (t, id) WHERE state = 0",
    "CREATE INDEX notices_snoozed ON notices (until) WHERE state = 3",
    "CREATE INDEX notices_by_place ON notices (obj, ref)",
    "CREATE INDEX notices_unseen ON notices (thread, ref) WHERE state = 0",
    "CREATE INDEX notices_unanswered ON notices (thread, n) WHERE asks AND NOT answered",
    "CREATE INDEX notices_by_room ON notices (room, t)",
    "CREATE INDEX notices_by_kind ON notices (kind, t, id)",
    "CREATE INDEX notices_by_person ON notices (by, t, id)",
    "CREATE INDEX notices_new_asking ON notices (kind) WHERE state = 0 AND asks AND NOT answered",
    "CREATE INDEX notices_ring ON notices (t, id) WHERE ring",
    "CREATE INDEX notices_by_turns ON notices (coalesce(until, t), id) WHERE ring = 2",
    """CREATE TABLE notice_states (id BLOB PRIMARY KEY, state INTEGER NOT NULL, until INTEGER,
       t INTEGER NOT NULL) WITHOUT ROWID""",
    "CREATE INDEX notice_states_by_t ON notice_states (t)",
    """CREATE TABLE notice_answers (thread BLOB NOT NULL, ref BLOB NOT NULL, n INTEGER NOT NULL,
       PRIMARY KEY (thread, ref)) WITHOUT ROWID""",
    """CREATE TABLE notice_sweeps (what TEXT NOT NULL, place BLOB NOT NULL, n INTEGER NOT NULL,
       PRIMARY KEY (what, place)) WITHOUT ROWID""",
    """CREATE TABLE reminders (id BLOB PRIMARY KEY, generation INTEGER NOT NULL, state INTEGER NOT NULL,
       at INTEGER NOT NULL, room BLOB NOT NULL, obj BLOB NOT NULL, kind TEXT NOT NULL, ref BLOB NOT NULL,
       notice BLOB) WITHOUT ROWID""",
    "CREATE INDEX reminders_waiting ON reminders (at, id) WHERE state = 0 AND notice IS NULL",
    "CREATE INDEX reminders_by_place ON reminders (obj, ref) WHERE state = 0 AND notice IS NULL",
    "CREATE INDEX reminders_by_notice ON reminders (notice) WHERE notice IS NOT NULL",
    "CREATE TABLE notified (room BLOB PRIMARY KEY, n INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE TABLE unjudged (row INTEGER PRIMARY KEY, obj BLOB NOT NULL)",
    "CREATE INDEX unjudged_by_obj ON unjudged (obj)",
    # -- search: å, ä and ö are letters of their own, so no diacritics are removed
    # ▲ detail = 'column': with the places of words in a text, 'secure-delete' leaves words of edited and deleted texts
    # in the index where one word is in a text some hundred times (SQLite 3.46.1 to 3.53.4), and they are found
    """CREATE TABLE search_rows (id INTEGER PRIMARY KEY, room BLOB NOT NULL, obj BLOB NOT NULL, kind TEXT NOT NULL,
       ref BLOB NOT NULL, t INTEGER NOT NULL, UNIQUE (obj, ref))""",
    """CREATE VIRTUAL TABLE search USING fts5(title, body,
       tokenize = "unicode61 remove_diacritics 0", prefix = '2 3', detail = 'column')""",
    """CREATE TABLE search_due (obj BLOB NOT NULL, ref BLOB NOT NULL, room BLOB NOT NULL, kind TEXT NOT NULL,
       t INTEGER NOT NULL, title TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (obj, ref)) WITHOUT ROWID""",
    "INSERT INTO search (search, rank) VALUES ('rank', 'bm25(4.0, 1.0)')",
    "INSERT INTO search (search, rank) VALUES ('secure-delete', 1)",
)
