# SPDX-License-Identifier: EUPL-1.2
"""Things of the person's own that this device has not written into their object yet, so that none is lost if the
program ends before it does."""

from collections.abc import Collection

from app.store.connection import Connection
from app.store.database import Database


def put(conn: Connection, root: str, name: str, value: bytes) -> None:
    """Stores a value that waits, in the caller's transaction, in place of an older one of the same root and name."""
    conn.execute("INSERT OR REPLACE INTO own_waiting (root, name, value) VALUES (?, ?, ?)", (root, name, value))


def drop(conn: Connection, names: Collection[tuple[str, str]]) -> None:
    """Deletes the values of these roots and names, in the caller's transaction: they are written."""
    conn.executemany("DELETE FROM own_waiting WHERE root = ? AND name = ?", list(names))


def all_waiting(db: Database) -> list[tuple[str, str, bytes]]:
    """(root, name, value) of everything that waits."""
    return [(str(root), str(name), bytes(value)) for root, name, value in db.rows("SELECT * FROM own_waiting")]
