# SPDX-License-Identifier: EUPL-1.2
"""`AdminLog` in memory."""

from sync.server.store.admin_chain import AdminEntry, AdminHead, AdminRow, chain, last_of


class MemoryAdminLog:
    """The part of the store in memory that keeps the admin log: which administrator gave which command. No write fails
    in memory, so an entry is stored at once."""

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
