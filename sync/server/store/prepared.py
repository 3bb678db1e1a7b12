# SPDX-License-Identifier: EUPL-1.2
"""SQL statements that run with each placement, compiled once and given to the driver itself.

SQLAlchemy takes 20 µs for each execution of a statement, which is more than SQLite takes, and no other thread runs
Python code meanwhile.
"""

import sqlite3
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.dialects.sqlite import dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.expression import UpdateBase


class Prepared:
    """A compiled INSERT or UPDATE, `statement`. Each value is given under the name of its parameter; the parameters of
    an INSERT without values are all columns of its table. Values must be of types that the driver takes as they are:
    numbers, texts, bytes, None."""

    def __init__(self, statement: UpdateBase) -> None:
        compiled = statement.compile(dialect=dialect(paramstyle="qmark"))
        self._text = str(compiled)
        self._names: list[str] = list(compiled.positiontup or ())

    def run(self, c: Connection, *rows: Mapping[str, Any]) -> int:
        """Executes the statement once with each of `rows`, of which there is at least one, in the caller's transaction.
        Returns how many rows of the database were changed in all. SQLAlchemy's DBAPIError if the database refuses."""
        values = [tuple(row[name] for name in self._names) for row in rows]
        driver: sqlite3.Connection = c.connection.driver_connection  # type: ignore[assignment]  # the only one we use
        try:
            if len(values) > 1:
                return driver.executemany(self._text, values).rowcount
            return driver.execute(self._text, values[0]).rowcount
        except sqlite3.Error as e:
            raise DBAPIError.instance(self._text, None, e, sqlite3.Error, hide_parameters=True) from e
