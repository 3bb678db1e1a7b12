# SPDX-License-Identifier: EUPL-1.2
"""The store in SQLite through SQLAlchemy Core: WAL, synchronous=FULL, one writer thread, one reader thread."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Select,
    Table,
    and_,
    cast,
    delete,
    func,
    insert,
    null,
    select,
    update,
)
from sqlalchemy.engine import Row

from sync.server.store import schema as s
from sync.server.store.base import (
    BlobRow,
    Counts,
    Crowding,
    ItemRow,
    Membership,
    Placement,
    Population,
    RoomRow,
    RoomSize,
    SealRow,
    ShareRow,
    Tally,
    UnmetRow,
    UploadRow,
)
from sync.server.store.sql_admin_log import SqlAdminLog
from sync.server.store.sql_people import SqlPeople
from sync.server.store.sql_restored import SqlRestore
from sync.server.store.statements import (
    PRUNING,
    add_counts,
    columns,
    count,
    fill_share,
    forget,
    forget_blobs,
    forget_share,
    insert_rows,
    keep_unmet,
    keep_upload,
    place,
    pruning_of,
)

_MAX_ROWS = 4096
"""Most items that one read returns, so that a pull never occupies the reader thread for long."""


class SqlStore(SqlPeople, SqlRestore, SqlAdminLog):
    """The server's store in an SQLite file. Its methods are those of `sync.server.store.base.Store`."""

    # -- rooms

    def place(self, placement: Placement, ahead: Callable[[], None] | None = None) -> "asyncio.Future[None]":
        return self._write(lambda c: place(c, placement), ahead)

    async def put_state(self, room: bytes, n: int, state: bytes) -> None:
        def run(c: Connection) -> None:
            older = (s.rooms.c.room == room) & (s.rooms.c.state_n < n) & (s.rooms.c.n >= n)
            c.execute(update(s.rooms).where(older).values(state_n=n, state=state))

        await self._write(run)

    async def room(self, room: bytes) -> RoomRow | None:
        def run(c: Connection) -> RoomRow | None:
            row = c.execute(select(s.rooms).where(s.rooms.c.room == room)).one_or_none()
            return None if row is None else RoomRow(**row._mapping)

        return await self._read(run)

    async def items(
        self, room: bytes, after: int, until: int, limit_bytes: int, *, bare: bool = False
    ) -> list[ItemRow]:
        i = s.items.c
        narrow = (i.room == room) & (i.n > after) & (i.n <= until)
        return await self._read(lambda c: _items(c, narrow, limit_bytes, bare=bare))

    async def items_at(self, room: bytes, ns: Sequence[int], limit_bytes: int) -> list[ItemRow]:
        i = s.items.c
        narrow = (i.room == room) & i.n.in_(ns)
        return await self._read(lambda c: _items(c, narrow, limit_bytes, bare=False))

    async def forget(self, room: bytes, ns: Sequence[int]) -> int:
        return await self._write(lambda c: forget(c, room, ns))

    async def forget_share(self, room: bytes, obj: bytes) -> None:
        await self._write(lambda c: forget_share(c, room, obj))

    async def rhs(self, room: bytes, after: int, until: int) -> list[bytes]:
        def run(c: Connection) -> list[bytes]:
            i = s.items.c
            return list(c.scalars(select(i.rh).where(i.room == room, i.n > after, i.n <= until).order_by(i.n)))

        return await self._read(run)

    async def rh_at(self, room: bytes, n: int) -> bytes | None:
        found = await self.rhs(room, n - 1, n)
        return found[0] if found else None

    async def rhs_at(self, room: bytes, ns: Sequence[int]) -> dict[int, bytes]:
        def run(c: Connection) -> dict[int, bytes]:
            i = s.items.c
            rows = c.execute(select(i.n, i.rh).where(i.room == room, i.n.in_(ns[:_MAX_ROWS])))
            return {row.n: row.rh for row in rows}

        return await self._read(run)

    async def positions(self, room: bytes, ids: Sequence[bytes]) -> dict[bytes, int]:
        def run(c: Connection) -> dict[bytes, int]:
            i = s.items.c
            return {r.id: r.n for r in c.execute(select(i.id, i.n).where(i.id.in_(ids), i.room == room))}

        return await self._read(run)

    async def memberships(self, uid: bytes, dev: bytes) -> list[Membership]:
        def run(c: Connection) -> list[Membership]:
            m, r, d = s.members.c, s.rooms.c, s.device_heads.c
            joined = s.members.join(s.rooms, r.room == m.room).outerjoin(
                s.device_heads, (d.room == m.room) & (d.dev == dev)
            )
            query = select(m.room, r.n, r.rh, r.t, d.dev_seq, d.id.label("dev_head")).select_from(joined)
            rows = c.execute(query.where(m.uid == uid, m.until_n == 0))
            return [
                Membership(room=room, n=n, rh=rh, t=t, dev_seq=dev_seq or 0, dev_head=dev_head or b"")
                for room, n, rh, t, dev_seq, dev_head in rows
            ]

        return await self._read(run)

    async def prunings(self) -> list[bytes]:
        def run(c: Connection) -> list[bytes]:
            names = c.scalars(select(s.meta.c.name).where(s.meta.c.name.startswith(PRUNING)))
            return [bytes.fromhex(name.removeprefix(PRUNING)) for name in names]

        return await self._read(run)

    async def end_pruning(self, room: bytes, n: int) -> None:
        value = cast(s.meta.c.value, BigInteger)
        await self._write(lambda c: c.execute(delete(s.meta).where(s.meta.c.name == pruning_of(room), value <= n)))

    async def last_positions(self, uid: bytes, rooms: Sequence[bytes]) -> dict[bytes, int]:
        def run(c: Connection) -> dict[bytes, int]:
            m, r = s.members.c, s.rooms.c
            query = select(m.room, r.n).select_from(s.members.join(s.rooms, r.room == m.room))
            rows = c.execute(query.where(m.room.in_(rooms), m.uid == uid, m.until_n == 0))
            return {room: n for room, n in rows}  # noqa: C416 - rows are no tuples

        return await self._read(run)

    async def crowding(self, uid: bytes, by: bytes) -> Crowding:
        def run(c: Connection) -> Crowding:
            m = s.members.c
            here = select(func.count(), func.count().filter((m.by == by) & (m.spoke == 0)))
            rooms, unanswered = c.execute(here.where(m.uid == uid, m.until_n == 0)).one()
            return Crowding(rooms=rooms, unanswered=unanswered)

        return await self._read(run)

    async def until_n(self, room: bytes, uid: bytes) -> int | None:
        def run(c: Connection) -> int | None:
            m = s.members.c
            return c.scalar(select(m.until_n).where(m.room == room, m.uid == uid))

        return await self._read(run)

    async def shares(self, room: bytes, objs: Sequence[bytes]) -> list[ShareRow]:
        return await self._shares(lambda q: q.where(s.shares.c.room == room, s.shares.c.obj.in_(objs)))

    async def shares_between(self, room: bytes, after: int, until: int) -> list[ShareRow]:
        return await self._shares(
            lambda q: q.where(s.shares.c.room == room, s.shares.c.n > after, s.shares.c.n <= until)
        )

    async def _shares(self, narrow: Callable[[Any], Any]) -> list[ShareRow]:
        def run(c: Connection) -> list[ShareRow]:
            h = s.shares.c
            rows: Sequence[Row[Any]] = c.execute(narrow(select(h.obj, h.n, h.share_c, h.share))).all()
            return [ShareRow(**r._mapping) for r in rows]

        return await self._read(run)

    async def put_share(self, room: bytes, row: ShareRow) -> bool:
        values = {"room": room, **columns(row)}
        return await self._write(lambda c: c.execute(fill_share, values).rowcount == 1)

    async def seals(self, room: bytes, epoch: int, uid: bytes) -> list[bytes]:
        def run(c: Connection) -> list[bytes]:
            e = s.seals.c
            query = select(e.seal).where(e.room == room, e.epoch == epoch, e.uid == uid)
            return list(c.scalars(query.order_by(e.row.desc())))

        return await self._read(run)

    async def add_seal(self, room: bytes, row: SealRow, keep: int, by: Sequence[Tally] = (), day: int = 0) -> None:
        def run(c: Connection) -> None:
            e = s.seals.c
            same = (e.room == room) & (e.epoch == row.epoch) & (e.uid == row.uid)
            rows = list(c.scalars(select(e.row).where(same).order_by(e.row)))
            surplus = rows[1 : max(1, len(rows) - keep + 2)]
            if surplus:
                c.execute(delete(s.seals).where(e.row.in_(surplus)))
            c.execute(insert(s.seals).values(room=room, epoch=row.epoch, uid=row.uid, seal=row.seal))
            add_counts(c, dict.fromkeys(by, len(row.seal)), day)

        await self._write(run)

    async def put_unmet(self, row: UnmetRow) -> None:
        await self._write(lambda c: c.execute(keep_unmet, columns(row)))

    async def unmet(self, room: bytes) -> UnmetRow | None:
        def run(c: Connection) -> UnmetRow | None:
            row = c.execute(select(s.unmet).where(s.unmet.c.room == room)).one_or_none()
            return None if row is None else UnmetRow(**row._mapping)

        return await self._read(run)

    # -- blobs and figures

    async def put_upload(self, row: UploadRow, by: Sequence[Tally], day: int, sent_bytes: int) -> None:
        def run(c: Connection) -> None:
            c.execute(keep_upload, columns(row))
            add_counts(c, dict.fromkeys(by, sent_bytes), day)

        await self._write(run)

    async def drop_upload(self, room: bytes, obj: bytes, part: bytes) -> None:
        await self._write(lambda c: c.execute(delete(s.uploads).where(_is_part(s.uploads, room, obj, part))))

    async def uploads(self) -> list[UploadRow]:
        def run(c: Connection) -> list[UploadRow]:
            return [UploadRow(**row._mapping) for row in c.execute(select(s.uploads).order_by(s.uploads.c.since))]

        return await self._read(run)

    async def add_blob(self, row: BlobRow, by: Sequence[Tally], day: int, sent_bytes: int) -> None:
        def run(c: Connection) -> None:
            insert_rows(c, s.blobs, [columns(row)])
            c.execute(delete(s.uploads).where(_is_part(s.uploads, row.room, row.obj, row.part)))
            grown = s.rooms.c.size_bytes + row.size_bytes
            c.execute(update(s.rooms).where(s.rooms.c.room == row.room).values(size_bytes=grown))
            add_counts(c, dict.fromkeys(by, sent_bytes), day)

        await self._write(run)

    async def blob(self, room: bytes, obj: bytes, part: bytes) -> BlobRow | None:
        def run(c: Connection) -> BlobRow | None:
            row = c.execute(select(s.blobs).where(_is_part(s.blobs, room, obj, part))).one_or_none()
            return None if row is None else BlobRow(**row._mapping)

        return await self._read(run)

    async def blobs_of(self, room: bytes, obj: bytes) -> list[BlobRow]:
        def run(c: Connection) -> list[BlobRow]:
            b = s.blobs.c
            rows = c.execute(select(s.blobs).where(b.room == room, b.obj == obj))
            return [BlobRow(**row._mapping) for row in rows]

        return await self._read(run)

    async def forget_blobs(self, room: bytes, obj: bytes) -> int:
        return await self._write(lambda c: forget_blobs(c, room, obj))

    async def count(self, amounts: Mapping[Tally, int], day: int) -> None:
        await self._write(lambda c: add_counts(c, amounts, day))

    async def counted(self, tally: Tally, day: int) -> int:
        def run(c: Connection) -> int:
            u = s.usage.c
            return c.scalar(select(u.amount).where(u.what == tally.what, u.who == tally.who, u.day == day)) or 0

        return await self._read(run)

    async def counts(self, now_ms: int) -> Counts:
        def run(c: Connection) -> Counts:
            i = s.invites.c
            open_invites = select(func.count()).where(i.used_by.is_(None), i.withdrawn == 0, i.not_after > now_ms)
            return Counts(
                users=count(c, s.users.c.uid),
                invites_open=c.scalar(open_invites) or 0,
                rooms=count(c, s.rooms.c.room),
                items=count(c, s.items.c.n),
                item_bytes=c.scalar(select(func.coalesce(func.sum(s.items.c.size_bytes), 0))) or 0,
                blobs=count(c, s.blobs.c.part),
                blob_bytes=c.scalar(select(func.coalesce(func.sum(s.blobs.c.size_bytes), 0))) or 0,
                rooms_behind=c.scalar(_unmet_rooms().where(s.items.c.rh.is_(None))) or 0,
                rooms_forked=c.scalar(_unmet_rooms().where(s.items.c.rh != s.unmet.c.rh)) or 0,
                rooms_closed=count(c, s.closed_rooms.c.room),
                devices_awaited=count(c, s.awaited_devices.c.dev),
            )

        return await self._read(run)

    async def population(self, seen_since: int) -> Population:
        def run(c: Connection) -> Population:
            seen = select(func.count()).where(s.sightings.c.last >= seen_since)
            return Population(
                people=count(c, s.users.c.uid),
                devices=c.scalar(seen) or 0,
                rooms_closed=count(c, s.closed_rooms.c.room),
                rooms_forked=c.scalar(_unmet_rooms().where(s.items.c.rh != s.unmet.c.rh)) or 0,
            )

        return await self._read(run)

    async def room_sizes(self) -> list[RoomSize]:
        def run(c: Connection) -> list[RoomSize]:
            r, m = s.rooms.c, s.members.c
            members = select(func.count()).where(m.room == r.room, m.until_n == 0).scalar_subquery()
            rows = c.execute(select(r.room, members.label("members"), r.n, r.size_bytes, r.t))
            return [RoomSize(**row._mapping) for row in rows]

        return await self._read(run)


def _unmet_rooms() -> Select[int]:
    """A query that counts the rooms of which a client has shown a receipt (this server's signature on a position) that
    did not fit this store. The item at the receipt's position is joined to it (null if there is none), so that the
    caller can narrow the count by it."""
    u, here = s.unmet.c, s.items.c
    return select(func.count()).select_from(s.unmet.outerjoin(s.items, (here.room == u.room) & (here.n == u.n)))


def _is_part(table: Table, room: bytes, obj: bytes, part: bytes) -> ColumnElement[bool]:
    c = table.c
    return and_(c.room == room, c.obj == obj, c.part == part)


def _items(c: Connection, narrow: Any, limit_bytes: int, *, bare: bool) -> list[ItemRow]:
    """The items that the SQL condition `narrow` selects, in the order of their positions: the first, if there is any,
    then as many as fit in `limit_bytes` together with it, at most 4,096 (`_MAX_ROWS`). Body, signature and content
    count. `bare`: without their content (`ct` is None). [] if there are none."""
    i = s.items.c
    query = select(i.n, i.t, i.kind, i.id, i.rh, i.body, i.sig, null() if bare else i.ct)
    rows = c.execute(query.where(narrow).order_by(i.n).limit(_MAX_ROWS))
    out: list[ItemRow] = []
    for n, t, kind, ident, rh, body, sig, ct in rows:
        limit_bytes -= len(body) + len(sig) + len(ct or b"")
        if limit_bytes < 0 and out:
            break
        out.append(ItemRow(n=n, t=t, kind=kind, id=ident, rh=rh, body=body, sig=sig, ct=ct))
    rows.close()
    return out
