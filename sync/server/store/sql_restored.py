# SPDX-License-Identifier: EUPL-1.2
"""`RestoreStore` in SQL."""

from collections.abc import Sequence

from sqlalchemy import Connection, Select, delete, func, insert, select
from sqlalchemy.dialects.sqlite import insert as upsert

from sync.server.store import schema as s
from sync.server.store.restored import AwaitedItem, RestoreRow
from sync.server.store.statements import columns
from sync.server.store.threads import Threads


class SqlRestore(Threads):
    """The part of the SQL store that is about a restore from a backup: closed rooms, and the devices and items that are
    awaited."""

    async def mark_restored(self, row: RestoreRow, seen_since: int) -> None:
        def run(c: Connection) -> None:
            c.execute(insert(s.restores), columns(row))
            for table in (s.closed_rooms, s.awaited_devices, s.awaited_items):
                c.execute(delete(table))
            c.execute(insert(s.closed_rooms).from_select(["room"], select(s.rooms.c.room)))
            seen = select(s.sightings.c.dev, s.sightings.c.uid).where(s.sightings.c.last >= seen_since)
            c.execute(insert(s.awaited_devices).from_select(["dev", "uid"], seen))

        await self._write(run)

    async def restored(self) -> RestoreRow | None:
        def run(c: Connection) -> RestoreRow | None:
            r = s.restores.c
            row = c.execute(select(r.t, r.backup_t, r.body, r.sig).order_by(r.row.desc()).limit(1)).one_or_none()
            return None if row is None else RestoreRow(**row._mapping)

        return await self._read(run)

    async def closed_rooms(self) -> set[bytes]:
        return await self._read(lambda c: set(c.scalars(select(s.closed_rooms.c.room))))

    async def awaited_devices(self) -> list[tuple[bytes, bytes]]:
        def run(c: Connection) -> list[tuple[bytes, bytes]]:
            return [(r.dev, r.uid) for r in c.execute(select(s.awaited_devices.c.dev, s.awaited_devices.c.uid))]

        return await self._read(run)

    async def stop_awaiting(self, dev: bytes) -> None:
        await self._write(lambda c: c.execute(delete(s.awaited_devices).where(s.awaited_devices.c.dev == dev)))

    async def await_items(self, room: bytes, items: Sequence[AwaitedItem]) -> int:
        def run(c: Connection) -> int:
            head = c.scalar(select(s.rooms.c.n).where(s.rooms.c.room == room)) or 0
            rows = [{"room": room, **columns(i)} for i in items if i.n > head]
            if rows:
                c.execute(upsert(s.awaited_items).on_conflict_do_nothing(), rows)
                c.execute(upsert(s.closed_rooms).on_conflict_do_nothing(), {"room": room})
            return len(rows)

        return await self._write(run)

    async def awaited_items(self, room: bytes, after: int, limit: int) -> list[AwaitedItem]:
        def run(c: Connection) -> list[AwaitedItem]:
            a = s.awaited_items.c
            query = select(a.n, a.t, a.kind, a.id).where(a.room == room, a.n > after).order_by(a.n).limit(limit)
            return [AwaitedItem(**r._mapping) for r in c.execute(query)]

        return await self._read(run)

    async def awaited_until(self, room: bytes) -> int:
        a = s.awaited_items.c
        return await self._read(lambda c: c.scalar(select(func.max(a.n)).where(a.room == room)) or 0)

    async def openable_rooms(self) -> list[bytes]:
        return await self._read(lambda c: list(c.scalars(_openable())))

    async def open_if_ready(self, room: bytes) -> bool:
        def run(c: Connection) -> bool:
            ready = c.scalar(_openable().where(s.closed_rooms.c.room == room)) is not None
            if ready:
                c.execute(delete(s.closed_rooms).where(s.closed_rooms.c.room == room))  # it awaits no items
            return ready

        return await self._write(run)

    async def open_room(self, room: bytes) -> None:
        def run(c: Connection) -> None:
            c.execute(delete(s.awaited_items).where(s.awaited_items.c.room == room))
            c.execute(delete(s.closed_rooms).where(s.closed_rooms.c.room == room))

        await self._write(run)


def _openable() -> Select[tuple[bytes]]:
    """The closed rooms that can be opened for writing, as `openable_rooms` says."""
    closed, m = s.closed_rooms.c, s.members.c
    awaited = select(s.awaited_items.c.n).where(s.awaited_items.c.room == closed.room).exists()
    devices = s.members.join(s.awaited_devices, s.awaited_devices.c.uid == m.uid)
    missing = select(m.uid).select_from(devices).where(m.room == closed.room, m.until_n == 0).exists()
    head = select(s.rooms.c.n).where(s.rooms.c.room == closed.room).scalar_subquery()
    above = s.unmet.c.n > func.coalesce(head, 0)
    promised = select(s.unmet.c.n).where(s.unmet.c.room == closed.room, above).exists()
    return select(closed.room).where(~awaited, ~missing, ~promised)
