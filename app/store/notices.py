# SPDX-License-Identifier: EUPL-1.2
"""How far each person's log has been read through for changes of their keys, and the notices about them."""

from collections.abc import Iterable, Sequence
from itertools import combinations

from app.core import clock
from app.core.ids import Uid
from app.store.database import Database
from app.store.rows import KeyNoticeRow

_NOTICE = "SELECT id, uid, kind, seq, other, t FROM key_notices"
_BEHIND = """SELECT w.uid, w.seq FROM key_watch w
    WHERE w.seq < (SELECT max(l.seq) FROM user_log l WHERE l.uid = w.uid) ORDER BY w.uid"""
_NEW = "SELECT DISTINCT uid FROM user_log WHERE seq = 0 AND uid NOT IN (SELECT uid FROM key_watch)"
_DUPLICATES = """SELECT record, uid FROM people WHERE record IN
    (SELECT record FROM people GROUP BY record HAVING count(*) > 1) ORDER BY record, uid"""
RESET = "reset"
DUPLICATE = "duplicate"


class KeyNotices:
    """What has happened to the keys of people one knows: how far each person's log has been checked, and the notices
    about changes that were found. Notices stay until they are dismissed. The same notice is never made twice."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def new(self) -> list[Uid]:
        """The people whose key log is stored here and not watched yet."""
        return [uid for (uid,) in self._db.rows(_NEW)]

    def begin(self, uids: Iterable[Uid], ended: Iterable[Uid] = ()) -> None:
        """Begins to watch the key logs of these people, from their present ends: what happened before gives no notice.
        In the same transaction it notes that the agency has reset the accounts of `ended`, also without a notice."""
        now = clock.now_ms()
        with self._db.transaction():
            self._add([(uid, RESET, 0, b"", now, now) for uid in ended])
            self._db.conn.executemany(
                "INSERT OR IGNORE INTO key_watch (uid, seq) SELECT uid, max(seq) FROM user_log WHERE uid = ?",
                [(uid,) for uid in uids],
            )

    def behind(self) -> list[tuple[Uid, int]]:
        """(uid, last entry read through) of the people whose log has grown since."""
        return [(uid, seq) for uid, seq in self._db.rows(_BEHIND)]

    def advance(self, uid: Uid, seq: int, found: Iterable[tuple[str, int]]) -> None:
        """Notes that a person's log has been checked up to entry `seq`, and adds notices in the same transaction:
        `found` are (kind of notice, number of the log entry)."""
        now = clock.now_ms()
        with self._db.transaction():
            self._db.conn.execute("UPDATE key_watch SET seq = max(seq, ?) WHERE uid = ?", (seq, uid))
            self._add([(uid, kind, at, b"", now, None) for kind, at in found])

    def put(self, uid: Uid, kind: str, *, other: bytes = b"", done: bool = False) -> bool:
        """Adds a notice of `kind` about a person that belongs to no single log entry. `other`: a second account that it
        is about, if any. `done`: store it as dismissed, so that it is never shown. Returns False if the same notice was
        made before."""
        if self._db.value("SELECT 1 FROM key_notices WHERE uid = ? AND kind = ? AND other = ?", (uid, kind, other)):
            return False
        now = clock.now_ms()
        with self._db.transaction():
            self._add([(uid, kind, 0, other, now, now if done else None)])
        return True

    def _add(self, rows: Sequence[tuple[object, ...]]) -> None:
        self._db.conn.executemany(
            "INSERT OR IGNORE INTO key_notices (uid, kind, seq, other, t, done) VALUES (?, ?, ?, ?, ?, ?)", rows
        )

    def open(self) -> list[KeyNoticeRow]:
        """The notices about people's keys that are not dismissed, oldest first."""
        return [
            KeyNoticeRow(id=id_, uid=uid, kind=kind, seq=seq, other=other, t=t)
            for id_, uid, kind, seq, other, t in self._db.rows(f"{_NOTICE} WHERE done IS NULL ORDER BY t, id")
        ]

    def resets(self) -> set[Uid]:
        """Everybody whom the agency is known to have reset, whether their notice was shown or not."""
        return {uid for (uid,) in self._db.rows("SELECT uid FROM key_notices WHERE kind = ?", (RESET,))}

    def duplicate_accounts(self) -> list[tuple[Uid, Uid]]:
        """Pairs of accounts with one and the same staff record, the lower uid first. The agency has bound both to one
        person."""
        rows = self._db.rows(_DUPLICATES)
        return [(a, b) for (mine, a), (theirs, b) in combinations(rows, 2) if mine == theirs]

    def dismiss(self, ids: Iterable[int]) -> None:
        """Marks the notices about people's keys with these ids as dismissed now."""
        now = clock.now_ms()
        with self._db.transaction():
            self._db.conn.executemany("UPDATE key_notices SET done = ? WHERE id = ?", [(now, id_) for id_ in ids])
