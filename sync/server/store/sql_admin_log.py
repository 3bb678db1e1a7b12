# SPDX-License-Identifier: EUPL-1.2
"""`AdminLog` in SQL."""

from sqlalchemy import Connection, func, insert, select
from sqlalchemy.dialects.sqlite import insert as upsert

from sync.server.store import schema as s
from sync.server.store.admin_chain import START, UNKNOWN, AdminEntry, AdminHead, AdminRow, chain, stored_head, was_begun
from sync.server.store.statements import columns
from sync.server.store.threads import Threads

HEAD = "admin_head"
"""The name in `meta` of the newest row that was ever written."""
LOGGED = "admin_logged"
"""The name in `meta` of the number of the last row that a server has copied to its log."""


class SqlAdminLog(Threads):
    """The part of the SQL store that keeps the admin log: which administrator gave which command."""

    def record_with_next_write(self, entry: AdminEntry) -> None:
        self._along = lambda c: append(c, entry)

    async def admin_rows(self, after: int) -> list[AdminRow]:
        return await self._read(lambda c: _rows(c, after))

    async def admin_head(self) -> AdminHead:
        return await self._read(_head)

    async def admin_logged(self) -> int:
        return await self._read(_logged)

    async def put_admin_logged(self, n: int) -> None:
        await self._write(lambda c: _put_meta(c, LOGGED, str(n)))


def append(c: Connection, entry: AdminEntry) -> None:
    """Adds an entry to the admin log within the caller's transaction.

    ▲ The entry continues the stored head, even if the rows before that head were deleted. Otherwise the next command
    would close the gap, and nobody would detect the deletion. If the stored head itself is damaged or was deleted, the
    entry leaves out a number, so that the log has a gap from then on. Otherwise the next command would store a new head
    that fits the rows that are left.
    """
    head = _head(c)
    if head == UNKNOWN:
        head = AdminHead(max(_last_n(c), _logged(c)) + 1, START)
    row = chain(head, entry)
    c.execute(insert(s.admin_log), columns(row))
    _put_meta(c, HEAD, AdminHead(row.n, row.hash).format())


def _rows(c: Connection, after: int) -> list[AdminRow]:
    a = s.admin_log.c
    return [AdminRow(**r._mapping) for r in c.execute(select(s.admin_log).where(a.n > after).order_by(a.n))]


def _head(c: Connection) -> AdminHead:
    return stored_head(_meta(c, HEAD), begun=was_begun(_meta(c, LOGGED), has_rows=_last_n(c) > 0))


def _last_n(c: Connection) -> int:
    return c.scalar(select(func.max(s.admin_log.c.n))) or 0


def _logged(c: Connection) -> int:
    try:
        return int(_meta(c, LOGGED) or 0)
    except ValueError:  # damaged: the server copies all entries to its log again
        return 0


def _meta(c: Connection, name: str) -> str | None:
    return c.scalar(select(s.meta.c.value).where(s.meta.c.name == name))


def _put_meta(c: Connection, name: str, value: str) -> None:
    one = upsert(s.meta)
    c.execute(one.on_conflict_do_update(index_elements=["name"], set_={"value": value}), {"name": name, "value": value})
