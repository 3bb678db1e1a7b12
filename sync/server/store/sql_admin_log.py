# SPDX-License-Identifier: EUPL-1.2
"""`AdminLog` in SQL."""

from sqlalchemy import Connection, insert, select
from sqlalchemy.dialects.sqlite import insert as upsert

from sync.server.store import schema as s
from sync.server.store.admin_chain import AdminEntry, AdminHead, AdminRow, chain, last_of
from sync.server.store.statements import columns
from sync.server.store.threads import Threads

HEAD = "admin_head"
"""The name in `meta` of the newest row that was ever written."""
_LOGGED = "admin_logged"


class SqlAdminLog(Threads):
    """The part of the SQL store that keeps the admin log: which administrator gave which command."""

    def record_with_next_write(self, entry: AdminEntry) -> None:
        self._along = lambda c: append(c, entry)

    async def admin_rows(self, after: int) -> list[AdminRow]:
        return await self._read(lambda c: _rows(c, after))

    async def admin_head(self) -> AdminHead:
        return await self._read(_head)

    async def admin_logged(self) -> int:
        return await self._read(lambda c: int(_meta(c, _LOGGED) or 0))

    async def put_admin_logged(self, n: int) -> None:
        await self._write(lambda c: _put_meta(c, _LOGGED, str(n)))


def append(c: Connection, entry: AdminEntry) -> None:
    """Adds an entry to the admin log within the caller's transaction.

    ▲ The entry continues the stored head, even if the rows before that head were deleted. Otherwise the next command
    would close the gap, and nobody would detect the deletion.
    """
    row = chain(_head(c), entry)
    c.execute(insert(s.admin_log), columns(row))
    _put_meta(c, HEAD, AdminHead(row.n, row.hash).format())


def _rows(c: Connection, after: int) -> list[AdminRow]:
    a = s.admin_log.c
    return [AdminRow(**r._mapping) for r in c.execute(select(s.admin_log).where(a.n > after).order_by(a.n))]


def _head(c: Connection) -> AdminHead:
    kept = _meta(c, HEAD)
    return AdminHead.parse(kept) if kept is not None else last_of(_rows(c, 0))


def _meta(c: Connection, name: str) -> str | None:
    return c.scalar(select(s.meta.c.value).where(s.meta.c.name == name))


def _put_meta(c: Connection, name: str, value: str) -> None:
    one = upsert(s.meta)
    c.execute(one.on_conflict_do_update(index_elements=["name"], set_={"value": value}), {"name": name, "value": value})
