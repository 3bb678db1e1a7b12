# SPDX-License-Identifier: EUPL-1.2
"""Makes single statements of a store fail, as a disk does."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import sqlcipher3.dbapi2 as driver

from app.store.connection import Connection
from app.store.store import Store

IO_ERROR, FULL = 10, 13
"""SQLite's codes."""


class Statements:
    """The statements of a store's loop connection, in order. `before` is called before each, with its number (from 0)
    and its text, and `after` once it has taken effect; both may raise."""

    def __init__(self, store: Store) -> None:
        self._conn = store.db.conn
        self.texts: list[str] = []
        self.before: Callable[[int, str], None] = lambda number, text: None
        self.after: Callable[[int, str], None] = lambda number, text: None

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Within this context. Those of a rollback are left alone."""
        for name in ("execute", "executemany"):
            setattr(self._conn, name, self._through(getattr(Connection, name)))
        try:
            yield
        finally:
            for name in ("execute", "executemany"):
                delattr(self._conn, name)

    def _through(self, run: Callable[..., object]) -> Callable[..., object]:
        def statement(text: str, *params: object) -> object:
            if text.startswith("ROLLBACK"):
                return run(self._conn, text, *params)
            number = len(self.texts)
            self.texts.append(text)
            self.before(number, text)
            found = run(self._conn, text, *params)
            self.after(number, text)
            return found

        return statement


def fails_at(number: int, code: int = IO_ERROR) -> Callable[[int, str], None]:
    """Raises the disk's error at one statement, once."""
    left = [number]

    def fail(now: int, text: str) -> None:
        if left and now == left[0]:
            left.clear()
            error = driver.OperationalError("disk")
            error.sqlite_errorcode = code
            raise error

    return fail
