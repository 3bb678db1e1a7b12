# SPDX-License-Identifier: EUPL-1.2
"""Small values that this device keeps for itself, one for each name (FORMAT.md, `meta`)."""

from app.store.database import Database


class Notes:
    """Small texts that this device keeps for itself under chosen names. Each is written at once."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def get(self, name: str) -> str:
        """The kept text, "" if there is none."""
        return str(self._db.value("SELECT value FROM meta WHERE name = ?", (f"note-{name}",)) or "")

    def all(self, beginning: str) -> dict[str, str]:
        """The kept texts whose names begin with `beginning`, by name. `beginning` must have only letters, digits and
        hyphens: other characters may be wildcards of SQLite's GLOB."""
        rows = self._db.rows("SELECT name, value FROM meta WHERE name GLOB ?", (f"note-{beginning}*",))
        return {str(name).removeprefix("note-"): str(value) for name, value in rows}

    def set(self, name: str, text: str) -> None:
        """Stores `text` under `name`; "" removes what is stored there."""
        with self._db.transaction():
            if text:
                self._db.conn.execute("INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)", (f"note-{name}", text))
            else:
                self._db.conn.execute("DELETE FROM meta WHERE name = ?", (f"note-{name}",))
