# SPDX-License-Identifier: EUPL-1.2
"""`AdminLog` in memory."""

from sync.server.store.admin_chain import AdminEntry, AdminHead, AdminRow, chain, last_of


class MemoryAdminLog:
    """`AdminLog` in memory: which administrator gave which command. `record_with_next_write` does not wait for the next
    write, since it keeps nothing back for one: it stores the entry at once, also if that write is then refused."""

    def __init__(self) -> None:
        self._admin_rows: list[AdminRow] = []
        self._admin_logged = 0

    def record_with_next_write(self, entry: AdminEntry) -> None:
        self._admin_rows.append(chain(last_of(self._admin_rows), entry))

    async def admin_rows(self, after: int) -> list[AdminRow]:
        return self._admin_rows[after:]

    async def admin_head(self) -> AdminHead:
        return last_of(self._admin_rows)

    async def admin_logged(self) -> int:
        return self._admin_logged

    async def put_admin_logged(self, n: int) -> None:
        self._admin_logged = n
