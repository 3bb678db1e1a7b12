# SPDX-License-Identifier: EUPL-1.2
"""What the store does with a change of a person's own object: it only checks it. No list shows the object."""

from collections.abc import Sequence

from app.objects.pieces import check
from app.store.connection import Connection
from app.store.rows import ObjectRow, StoredChange

KIND_ID = "own"


def project(conn: Connection, obj: ObjectRow, changes: Sequence[StoredChange]) -> None:
    """Writes no rows. BadChange for a change that is no update."""
    for change in changes:
        check(change.data)
