# SPDX-License-Identifier: EUPL-1.2
"""The account's own secrets, everybody's public logs and the people they name: `AccountPort`."""

import json
from collections.abc import Mapping, Sequence

from app.core.ids import Uid
from app.store.database import Database
from app.store.people import People
from sync.client.ports import KeptServer


class Account:
    """One row for this account, one per entry of a user log."""

    def __init__(self, db: Database, people: People) -> None:
        self._db = db
        self._people = people

    def load_account(self) -> bytes | None:
        """The account's secrets as sync wrote them, or None before the first enrolment."""
        value: bytes | None = self._db.value("SELECT data FROM account")
        return value

    def save_account(self, account: bytes) -> None:
        """Replaces the account's secrets."""
        with self._db.transaction():
            self._db.conn.execute("INSERT OR REPLACE INTO account (id, data) VALUES (1, ?)", (account,))

    def attempt(self) -> bytes | None:
        """What a recovery by the recovery sheet needs, as sync wrote it, or None."""
        value: bytes | None = self._db.value("SELECT value FROM meta WHERE name = 'returning'")
        return value

    def keep_attempt(self, attempt: bytes | None) -> None:
        """Keeps the attempt until the account is here; None removes it."""
        with self._db.transaction():
            if attempt is None:
                self._db.conn.execute("DELETE FROM meta WHERE name = 'returning'")
            else:
                self._db.conn.execute("INSERT OR REPLACE INTO meta (name, value) VALUES ('returning', ?)", (attempt,))

    def kept_server(self) -> KeptServer | None:
        """The address at which the account's server last proved itself; None before the first connection."""
        value: str = self._db.value("SELECT value FROM meta WHERE name = 'server'") or ""
        address, _, key = value.rpartition(" ")
        return KeptServer(address=address, key=bytes.fromhex(key)) if address else None

    def keep_server(self, server: KeptServer) -> None:
        """Replaces the stored server."""
        with self._db.transaction():
            self._db.conn.execute(
                "INSERT OR REPLACE INTO meta (name, value) VALUES ('server', ?)",
                (f"{server.address} {server.key.hex()}",),
            )

    def recovery_first_seen(self) -> bytes | None:
        """The bytes that `keep_recovery_first_seen` stored last; None if nothing is stored. See `AccountPort`."""
        value: bytes | None = self._db.value("SELECT value FROM meta WHERE name = 'recovery-attempts'")
        return value

    def keep_recovery_first_seen(self, first_seen: bytes) -> None:
        """Stores when this device first learned of each recovery attempt; opaque. Replaces what was stored."""
        with self._db.transaction():
            self._db.conn.execute(
                "INSERT OR REPLACE INTO meta (name, value) VALUES ('recovery-attempts', ?)", (first_seen,)
            )

    def user_log(self, uid: Uid) -> list[tuple[bytes, bytes]]:
        """All stored (body, sig) of a user's log, in order."""
        return [(b, s) for b, s in self._db.rows("SELECT body, sig FROM user_log WHERE uid = ? ORDER BY seq", (uid,))]

    def append_user_log(self, uid: Uid, first_seq: int, entries: Sequence[tuple[bytes, bytes]]) -> None:
        """Stores verified entries; those already stored are left as they are."""
        with self._db.transaction():
            self._db.conn.executemany(
                "INSERT OR IGNORE INTO user_log (uid, seq, body, sig) VALUES (?, ?, ?, ?)",
                [(uid, seq, body, sig) for seq, (body, sig) in enumerate(entries, start=first_seq)],
            )

    def user_logs(self) -> list[tuple[Uid, int]]:
        """Everybody whose log has entries here, with the seq of the newest."""
        return [(Uid(uid), seq) for uid, seq in self._db.rows("SELECT uid, max(seq) FROM user_log GROUP BY uid")]

    def put_person(self, uid: Uid, record: Mapping[str, str], salt: bytes) -> None:
        """Stores a verified staff record ("name", "title", "unit") and its salt; a `verified` mark stays."""
        with self._db.transaction():
            self._db.conn.execute(
                """INSERT INTO people (uid, name, title, unit, record, salt) VALUES (?, ?, ?, ?, ?, ?)
                   ON CONFLICT (uid) DO UPDATE SET name = excluded.name, title = excluded.title,
                   unit = excluded.unit, record = excluded.record, salt = excluded.salt""",
                (
                    uid,
                    record.get("name", ""),
                    record.get("title", ""),
                    record.get("unit", ""),
                    json.dumps(dict(record), ensure_ascii=False, sort_keys=True),
                    salt,
                ),
            )
        self._people.changed.emit(uid)

    def staff_record(self, uid: Uid) -> tuple[dict[str, str], bytes] | None:
        """The record and salt that `put_person` stored last of this person."""
        row = self._db.one("SELECT record, salt FROM people WHERE uid = ?", (uid,))
        return (json.loads(row[0]), row[1]) if row else None
