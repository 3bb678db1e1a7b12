# SPDX-License-Identifier: EUPL-1.2
"""Brings a database to the newest version, one numbered module a step, each in its own transaction.

`PRAGMA user_version` holds the version. A step, once released, is never edited: tests/vectors/store-*.db hold what
each released version wrote, and every later program must open them.
"""

from app.core import log
from app.errors import StoreCorrupt, StoreNewer
from app.store.database import APPLICATION_ID, Database
from app.store.migrations import m0001_first, m0002_receipts, m0003_origins, m0004_items, m0005_snapshots, m0006_notices

STEPS = (m0001_first, m0002_receipts, m0003_origins, m0004_items, m0005_snapshots, m0006_notices)
VERSION = len(STEPS)


def migrate(db: Database) -> int:
    """Runs the missing steps and returns the version found before; StoreNewer, StoreCorrupt if not ours."""
    found = int(db.value("PRAGMA user_version"))
    if found > VERSION:
        raise StoreNewer()
    if found and db.value("PRAGMA application_id") != APPLICATION_ID:
        raise StoreCorrupt()
    for number, step in enumerate(STEPS[found:], start=found + 1):
        with db.transaction():
            for statement in step.STATEMENTS:
                db.raw.execute(statement)
            db.raw.execute(f"PRAGMA application_id={APPLICATION_ID}")
            db.raw.execute(f"PRAGMA user_version={number}")
        log.store.info("migrated", version=number)
    return found
