# SPDX-License-Identifier: EUPL-1.2
"""Projects a change of a person's own object into the store: it is only checked, since no list shows the object."""

from collections.abc import Sequence

from app.objects.pieces import check
from app.store.connection import Connection
from app.store.rows import ObjectRow, StoredChange

KIND_ID = "own"


def project(conn: Connection, obj: ObjectRow, changes: Sequence[StoredChange]) -> None:
    """Checks the changes and writes no rows. BadChange for a change that is no CRDT update."""
    for change in changes:
        check(change.data)
