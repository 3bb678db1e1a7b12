# SPDX-License-Identifier: EUPL-1.2
"""The tables of a kind, which its `tables` give as DDL: a CREATE TABLE for each, followed by its indexes."""

import re
from collections.abc import Iterator, Sequence

from app.core.ids import ObjId
from app.errors import BugError
from app.store.connection import Connection

_TABLE = re.compile(r"CREATE TABLE (\w+) \(")
_INDEX = re.compile(r"CREATE (?:UNIQUE )?INDEX \w+ ON (\w+) \(")


def names(ddl: Sequence[str]) -> list[str]:
    """The names of the tables that the statements make, in order. BugError for a statement that is neither a table nor
    an index of a table before it."""
    found: list[str] = []
    for statement in ddl:
        if table := _TABLE.match(statement):
            found.append(table[1])
        elif (index := _INDEX.match(statement)) is None or index[1] not in found:
            raise BugError("a kind's tables are CREATE TABLE and CREATE INDEX statements")
    return found


def make_again(conn: Connection, ddl: Sequence[str]) -> None:
    """Makes the tables that the statements `ddl` describe, empty, in the caller's transaction. Tables of these names
    that exist are dropped first, with their rows and indexes."""
    for name in reversed(names(ddl)):
        conn.execute(f"DROP TABLE IF EXISTS {name}")
    for statement in ddl:
        conn.execute(statement)


def clear(conn: Connection, ddl: Sequence[str], obj: ObjId) -> None:
    """Deletes the object's rows from all tables that `ddl` makes, in the caller's transaction. Each table has a column
    `obj`."""
    for statement in _deletions(ddl):
        conn.execute(statement, (obj,))


def clear_some(conn: Connection, ddl: Sequence[str], obj: ObjId, most: int) -> bool:
    """As `clear`, but deletes at most `most` rows of each table that has row ids. Returns whether there may be more."""
    more = False
    for name, statement in zip(names(ddl), (each for each in ddl if _TABLE.match(each)), strict=True):
        some = f"rowid IN (SELECT rowid FROM {name} WHERE obj = ? LIMIT {most})"  # noqa: S608 - the names are words
        where = "obj = ?" if "WITHOUT ROWID" in statement else some
        deleted = conn.execute(f"DELETE FROM {name} WHERE {where}", (obj,)).rowcount  # noqa: S608 - as above
        more = more or deleted == most
    return more


def _deletions(ddl: Sequence[str]) -> Iterator[str]:
    return (f"DELETE FROM {name} WHERE obj = ?" for name in names(ddl))  # noqa: S608 - the names are words
