# SPDX-License-Identifier: EUPL-1.2
"""A connection to the encrypted database: the driver's own, with types and shorter ways to read rows.

SQL goes to the driver as it is written, and each row is a plain tuple. Errors are the driver's; app/store/database.py
turns those that are the world's fault into StoreFaults. An error never holds a value that was passed in `params`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Protocol

from app.core.ids import ObjId, RoomId
from app.errors import BugError

Params = Sequence[object] | Mapping[str, object]
"""Values for the statement's `?`, `?1` or `:name`."""
Row = tuple[Any, ...]


class Rows(Protocol):
    """The result of a statement. Its rows can be read once, while the connection is open."""

    @property
    def rowcount(self) -> int:
        """How many rows a writing statement changed."""
        ...

    @property
    def lastrowid(self) -> int:
        """The rowid of the row that an INSERT added."""
        ...

    def __iter__(self) -> Iterator[Row]: ...

    def fetchone(self) -> Row | None: ...

    def fetchall(self) -> list[Row]: ...


class RowSource(Protocol):
    """What rows are read from: a `Database`, whose errors are StoreFaults, or within a transaction its `Connection`,
    whose errors are the driver's."""

    def rows(self, sql: str, params: Params = ()) -> list[Row]: ...


class Blob(Protocol):
    """A binary value in a stored row, opened so that parts of it can be overwritten; its length cannot change."""

    def seek(self, offset: int, /) -> None: ...

    def write(self, data: bytes, /) -> None: ...


if TYPE_CHECKING:

    class _Driver:
        """What this program uses of the driver's connection, which has no types of its own."""

        @property
        def in_transaction(self) -> bool: ...

        @property
        def total_changes(self) -> int: ...

        def execute(self, sql: str, params: Params = ..., /) -> Rows: ...

        def executemany(self, sql: str, params: Iterable[Params], /) -> Rows: ...

        def open_blob(self, table: str, column: str, row: int, /) -> AbstractContextManager[Blob]: ...

        def set_trace_callback(self, note: Callable[[str], object] | None, /) -> None: ...

        def set_progress_handler(self, ask: Callable[[], object] | None, steps: int, /) -> None: ...

        def close(self) -> None: ...
else:
    from sqlcipher3.dbapi2 import Connection as _Driver


class Connection(_Driver):
    """One connection to the encrypted database. `Database` opens it. A projection, which writes a tool's rows for lists
    and search, gets the connection of the running transaction."""

    long_commit: bool = False
    """Code that writes rows whose commit may take long, however few they are, sets it within the transaction:
    `Database.apart` then commits in a thread."""

    search_waits: bool = False
    """Code that adds rows to `search_due` sets it within the transaction: `Indexing` then indexes them soon."""

    notices_changed: bool = False
    """Code that changes notices sets it within the transaction: `NoticeStore` then emits `changed` after the commit."""
    parts_dropped: Callable[[], None] | None = None
    """Called, within the transaction, by code that removes rows of cached file parts, so that their files are removed
    soon. None for a connection that only reads."""
    parts_wanted: Callable[[], None] | None = None
    """Called, within the transaction, by code that pins cached file parts that are to be fetched. None for a connection
    that only reads."""
    copies_dropped: Callable[[Sequence[str], Sequence[Row]], None] | None = None
    """Called, within the transaction, by code that removes rows of working copies because their room or object is gone,
    with the names of the changed copies among them ([] if there are none) and the rows of the opened ones. None for a
    connection that only reads."""
    announced_elsewhere: Callable[[RoomId, ObjId, int], None] | None = None
    """Called, within the transaction, when a room's record announces an object that belongs to another room, with the
    room, the object and the record's time in ms. None for a connection that only reads."""

    def rows(self, sql: str, params: Params = ()) -> list[Row]:
        """All rows of the query `sql` with the values `params`; [] if none. The driver's errors are raised as they
        are."""
        return self.execute(sql, params).fetchall()

    def value(self, sql: str, params: Params = ()) -> Any:
        """Runs the statement `sql` with the values `params`. Returns the first column of its first row, None if there
        is no row. The driver's errors are raised as they are."""
        row = self.execute(sql, params).fetchone()
        return row[0] if row is not None else None

    def only(self, sql: str, params: Params = ()) -> Row:
        """Runs the statement `sql`, which always gives a row, with the values `params`. Returns its first row; BugError
        if there is none. The driver's errors are raised as they are."""
        row = self.execute(sql, params).fetchone()
        if row is None:
            raise BugError("the statement gave no row")
        return row
