# SPDX-License-Identifier: EUPL-1.2
"""The account's own secrets, everybody's public logs and the people they name: `AccountPort`."""

import json
from collections.abc import Mapping, Sequence

from app.core.ids import Uid
from app.store.database import Database
from app.store.people import People
from sync.client.ports import KeptServer


class Account:
    """The part of the store for public-key identities: this account's own secrets (one row), and every known person's
    user log (a row for each entry), which is the signed list of that person's devices and keys. Also people's staff
    records, the server's address, and recoveries that are under way."""

    def __init__(self, db: Database, people: People) -> None:
        self._db = db
        self._people = people

    def load_account(self) -> bytes | None:
        """The account's secrets as sync wrote them, or None before the first enrolment."""
        value: bytes | None = self._db.value("SELECT data FROM account")
        return value

    def save_account(self, account: bytes) -> None:
        """Stores the account's secrets, as sync encoded them, in place of those that were stored."""
        with self._db.transaction():
            self._db.conn.execute("INSERT OR REPLACE INTO account (id, data) VALUES (1, ?)", (account,))

    def attempt(self) -> bytes | None:
        """The stored data of a recovery that was begun with a recovery sheet and is not finished, as sync wrote it.
        None if no recovery is under way."""
        value: bytes | None = self._db.value("SELECT value FROM meta WHERE name = 'returning'")
        return value

    def keep_attempt(self, attempt: bytes | None) -> None:
        """Stores `attempt`, the data of an unfinished recovery as opaque bytes, until the account is recovered. None
        removes it."""
        with self._db.transaction():
            if attempt is None:
                self._db.conn.execute("DELETE FROM meta WHERE name = 'returning'")
            else:
                self._db.conn.execute("INSERT OR REPLACE INTO meta (name, value) VALUES ('returning', ?)", (attempt,))

    def kept_server(self) -> KeptServer | None:
        """The address at which the account's server last proved itself, and the key that it proved to have; None before
        the first connection."""
        value: str = self._db.value("SELECT value FROM meta WHERE name = 'server'") or ""
        address, _, key = value.rpartition(" ")
        return KeptServer(address=address, key=bytes.fromhex(key)) if address else None

    def keep_server(self, server: KeptServer) -> None:
        """Stores the address and key of the account's server, in place of those that were stored."""
        with self._db.transaction():
            self._db.conn.execute(
                "INSERT OR REPLACE INTO meta (name, value) VALUES ('server', ?)",
                (f"{server.address} {server.key.hex()}",),
            )

    def recovery_first_seen(self) -> bytes | None:
        """When this device first learned of each attempt to recover the account, from which it counts how long the
        person may veto, as the opaque bytes that `keep_recovery_first_seen` stored last; None if nothing is stored."""
        value: bytes | None = self._db.value("SELECT value FROM meta WHERE name = 'recovery-attempts'")
        return value

    def keep_recovery_first_seen(self, first_seen: bytes) -> None:
        """Stores `first_seen`: when this device first learned of each attempt to recover the account, as opaque bytes.
        Replaces what was stored."""
        with self._db.transaction():
            self._db.conn.execute(
                "INSERT OR REPLACE INTO meta (name, value) VALUES ('recovery-attempts', ?)", (first_seen,)
            )

    def user_log(self, uid: Uid) -> list[tuple[bytes, bytes]]:
        """All stored (body, sig) of a user's log, in order."""
        return [(b, s) for b, s in self._db.rows("SELECT body, sig FROM user_log WHERE uid = ? ORDER BY seq", (uid,))]

    def append_user_log(self, uid: Uid, first_seq: int, entries: Sequence[tuple[bytes, bytes]]) -> None:
        """Stores verified entries (body, signature) of a person's log. `first_seq` is the number of the first of them.
        Entries that are stored already are left as they are."""
        with self._db.transaction():
            self._db.conn.executemany(
                "INSERT OR IGNORE INTO user_log (uid, seq, body, sig) VALUES (?, ?, ?, ?)",
                [(uid, seq, body, sig) for seq, (body, sig) in enumerate(entries, start=first_seq)],
            )

    def user_logs(self) -> list[tuple[Uid, int]]:
        """Each person of whose log entries are stored, with the sequence number of the newest stored entry."""
        return [(Uid(uid), seq) for uid, seq in self._db.rows("SELECT uid, max(seq) FROM user_log GROUP BY uid")]

    def put_person(self, uid: Uid, record: Mapping[str, str], salt: bytes) -> None:
        """Stores a verified staff record ("name", "title", "unit") and `salt`, the random value that its hash was made
        with, in place of those that were stored. A mark that this person's keys were compared ("verified") is kept.
        Emits `People.changed`."""
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
        """The staff record of a person and its salt, as `put_person` stored them last. None if there is none."""
        row = self._db.one("SELECT record, salt FROM people WHERE uid = ?", (uid,))
        return (json.loads(row[0]), row[1]) if row else None
