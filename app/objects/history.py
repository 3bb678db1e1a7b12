# SPDX-License-Identifier: EUPL-1.2
"""Versions of a shared object: its stored changes, grouped by author and time.

The author comes from the signed changes, never from the CRDT's client ids.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from app.core.ids import Uid
from app.store.rows import StoredChange

PAUSE_MS = 10 * 60 * 1000
"""A pause this long ends a version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A version of an object: a stretch of changes by one `author` without a long pause. `rowid`: the row of the last
    one; the changes up to and with that row give the object as it was then. `changes`: how many there are in the
    stretch."""

    author: Uid
    begin_ms: int
    end_ms: int
    rowid: int
    changes: int


def versions(changes: Sequence[StoredChange], pause_ms: int = PAUSE_MS) -> list[Version]:
    """Groups an object's changes, given in order, into versions, oldest first. A new version begins where the author
    changes, or after a pause of more than `pause_ms`."""
    found: list[Version] = []
    for change in changes:
        last = found[-1] if found else None
        if last is None or last.author != change.author or change.t - last.end_ms > pause_ms:
            found.append(
                Version(author=change.author, begin_ms=change.t, end_ms=change.t, rowid=change.rowid, changes=1)
            )
        else:
            found[-1] = Version(
                author=last.author,
                begin_ms=last.begin_ms,
                end_ms=max(last.end_ms, change.t),
                rowid=change.rowid,
                changes=last.changes + 1,
            )
    return found


def until(changes: Sequence[StoredChange], rowid: int) -> list[StoredChange]:
    """The first of an object's changes, up to and with the one in the store's row `rowid`, which give the object as it
    was then; all if no change is in that row."""
    last = next((i for i, change in enumerate(changes) if change.rowid == rowid), len(changes) - 1)
    return list(changes[: last + 1])
