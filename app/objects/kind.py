# SPDX-License-Identifier: EUPL-1.2
"""A kind of objects, as the store sees it; app/tool.py has what rooms ask about it, ui/tool.py what is shown of it."""

from collections.abc import Callable
from dataclasses import dataclass

from app.core.ids import ObjId
from app.objects.compaction import Compaction
from app.store.connection import Connection
from app.store.notice_rows import NoticeKind
from app.store.projection import Merging, Project

ROOM = "room"
"""The kind of every root object (obj == room id)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What the store needs to know of a kind of objects (chat, document, board).

    `project` writes the tool's rows for lists and search; `positioned` does so again when own changes receive their
    position; `tables` are the tool's tables for such rows (names begin with the kind's id), rebuilt when `version`
    rises. `compact` makes snapshots; a kind that only grows (chat) has none: each message stays its author's own
    statement. `merging` is set for a kind whose objects are CRDTs: their changes are tried in another process before
    they are merged. `notices` are the kinds of notices that `project` returns. `forget` drops what `project` keeps of
    an object in memory. `release_files` decides which received parts of files go when an object is destroyed.

    `format` is the number of the format of its changes. It rises with each type of record, field, root of the CRDT or
    value that earlier programs do not know (tests/app/test_format_numbers.py fails where it was forgotten). Then the
    changes that were kept for a newer program are read, and the members' devices say in a heartbeat that they read it
    (app/rooms/formats.py).
    """

    id: str
    project: Project
    positioned: Project | None = None
    compact: Compaction | None = None
    merging: Merging | None = None
    forget: Callable[[Connection, ObjId], None] | None = None
    release_files: Callable[[Connection, ObjId], None] | None = None
    tables: tuple[str, ...] = ()
    notices: tuple[NoticeKind, ...] = ()
    version: int = 1
    format: int = 1
