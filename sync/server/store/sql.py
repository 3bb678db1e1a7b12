# SPDX-License-Identifier: EUPL-1.2
"""The store in SQLite through SQLAlchemy Core: WAL, synchronous=FULL, one writer thread, one reader thread."""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, bindparam, create_engine, delete, event, func, insert, select, update
from sqlalchemy.dialects.sqlite import insert as upsert
from sqlalchemy.engine import Row
from sqlalchemy.exc import IntegrityError

from sync.server.store import schema as s
from sync.server.store.base import (
    BlobRow,
    Counts,
    EntryRow,
    InviteRow,
    ItemRow,
    Membership,
    Moved,
    Placement,
    RoomRow,
    SealRow,
    ShareRow,
    StoreError,
    Taken,
    UnmetRow,
    UserRow,
)
from sync.server.store.writer import Writer

T = TypeVar("T")

_MAX_ROWS = 4096
"""Items that one read takes at most, so that a pull never holds the reader for long."""


class TooNew(StoreError):
    """The database was written by a later version of the server."""

    code = "update-needed"


class SqlStore:
    """See `sync.server.store.base.Store`."""

    def __init__(self, path: Path, *, max_pages: int | None = None) -> None:
        """`max_pages` of 4 KiB bound the file: beyond them it behaves as a full disk."""
        self._engine = _engine(path, max_pages)
        self._writer: Writer | None = None
        self._reader: ThreadPoolExecutor | None = None
        self._read_connection: Connection | None = None

    async def open(self) -> None:
        try:
            await asyncio.to_thread(_prepare, self._engine)
        except BaseException:
            self._engine.dispose()
            raise
        self._writer = Writer(self._engine)
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="store-reader")

    async def close(self) -> None:
        if self._writer is not None:
            await self._writer.close()
            self._writer = None
        if self._reader is not None:
            await asyncio.get_running_loop().run_in_executor(self._reader, self._close_reader)
            self._reader.shutdown()
            self._reader = None
        self._engine.dispose()

    def _close_reader(self) -> None:
        if self._read_connection is not None:
            self._read_connection.close()
            self._read_connection = None

    def _write(self, run: Callable[[Connection], T]) -> "asyncio.Future[T]":
        if self._writer is None:
            raise RuntimeError("the store is not open")
        return self._writer.submit(run)

    async def _read(self, run: Callable[[Connection], T]) -> T:
        if self._reader is None:
            raise RuntimeError("the store is not open")
        return await asyncio.get_running_loop().run_in_executor(self._reader, self._read_now, run)

    def _read_now(self, run: Callable[[Connection], T]) -> T:
        if self._read_connection is None:
            self._read_connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        return run(self._read_connection)

    # -- people

    async def add_invite(self, row: InviteRow) -> None:
        def run(c: Connection) -> None:
            _insert(c, s.invites, [{f: getattr(row, f) for f in InviteRow.__slots__}])

        await self._write(run)

    async def invite(self, invite_pk: bytes) -> InviteRow | None:
        def run(c: Connection) -> InviteRow | None:
            row = c.execute(select(s.invites).where(s.invites.c.invite_pk == invite_pk)).one_or_none()
            return None if row is None else InviteRow(**row._mapping)

        return await self._read(run)

    async def enrol(self, invite_pk: bytes, user: UserRow, entries: Sequence[EntryRow]) -> None:
        def run(c: Connection) -> None:
            free = s.invites.c.used_by.is_(None)
            used = update(s.invites).where(s.invites.c.invite_pk == invite_pk, free).values(used_by=user.uid)
            if c.execute(used).rowcount != 1:
                raise Taken("invite")
            _insert(c, s.users, [{f: getattr(user, f) for f in UserRow.__slots__}])
            _insert(c, s.user_entries, [_entry_values(user.uid, e) for e in entries])

        await self._write(run)

    async def append_user(self, uid: bytes, expected_seq: int, entry: EntryRow, head: bytes) -> None:
        def run(c: Connection) -> None:
            at = update(s.users).where(s.users.c.uid == uid, s.users.c.seq == expected_seq)
            if c.execute(at.values(seq=entry.seq, head=head)).rowcount != 1:
                raise Moved("user log")
            _insert(c, s.user_entries, [_entry_values(uid, entry)])

        await self._write(run)

    async def user(self, uid: bytes) -> UserRow | None:
        rows = await self.people([uid])
        return rows[0] if rows else None

    async def user_entries(self, uid: bytes, after: int) -> list[EntryRow]:
        def run(c: Connection) -> list[EntryRow]:
            e = s.user_entries.c
            rows = c.execute(select(e.seq, e.body, e.sig).where(e.uid == uid, e.seq > after).order_by(e.seq))
            return [EntryRow(seq=r.seq, body=r.body, sig=r.sig) for r in rows]

        return await self._read(run)

    async def people(self, uids: Sequence[bytes]) -> list[UserRow]:
        def run(c: Connection) -> list[UserRow]:
            return [UserRow(**r._mapping) for r in c.execute(select(s.users).where(s.users.c.uid.in_(uids)))]

        return await self._read(run)

    async def search_people(self, words: Sequence[str], limit: int) -> list[UserRow]:
        def run(c: Connection) -> list[UserRow]:
            query = select(s.users).order_by(s.users.c.search).limit(limit)
            for word in words:
                query = query.where(s.users.c.search.contains(word, autoescape=True))
            return [UserRow(**r._mapping) for r in c.execute(query)]

        return await self._read(run)

    # -- rooms

    def place(self, placement: Placement) -> "asyncio.Future[None]":
        return self._write(lambda c: _place(c, placement))

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

    async def items(self, room: bytes, after: int, until: int, limit_bytes: int) -> list[ItemRow]:
        def run(c: Connection) -> list[ItemRow]:
            i = s.items.c
            query = select(i.n, i.t, i.kind, i.id, i.rh, i.body, i.sig, i.ct, i.size_bytes)
            rows = c.execute(query.where(i.room == room, i.n > after, i.n <= until).order_by(i.n).limit(_MAX_ROWS))
            out: list[ItemRow] = []
            left = limit_bytes
            for n, t, kind, ident, rh, body, sig, ct, size_bytes in rows:
                left -= size_bytes
                if left < 0 and out:
                    break
                out.append(ItemRow(n=n, t=t, kind=kind, id=ident, rh=rh, body=body, sig=sig, ct=ct))
            rows.close()
            return out

        return await self._read(run)

    async def rhs(self, room: bytes, after: int, until: int) -> list[bytes]:
        def run(c: Connection) -> list[bytes]:
            i = s.items.c
            return list(c.scalars(select(i.rh).where(i.room == room, i.n > after, i.n <= until).order_by(i.n)))

        return await self._read(run)

    async def rh_at(self, room: bytes, n: int) -> bytes | None:
        found = await self.rhs(room, n - 1, n)
        return found[0] if found else None

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
        values = {"room": room, "obj": row.obj, "n": row.n, "share_c": row.share_c, "share": row.share}
        return await self._write(lambda c: c.execute(_fill_share, values).rowcount == 1)

    async def seals(self, room: bytes, epoch: int, uid: bytes) -> list[bytes]:
        def run(c: Connection) -> list[bytes]:
            e = s.seals.c
            query = select(e.seal).where(e.room == room, e.epoch == epoch, e.uid == uid)
            return list(c.scalars(query.order_by(e.row.desc())))

        return await self._read(run)

    async def add_seal(self, room: bytes, row: SealRow, keep: int) -> None:
        def run(c: Connection) -> None:
            e = s.seals.c
            same = (e.room == room) & (e.epoch == row.epoch) & (e.uid == row.uid)
            rows = list(c.scalars(select(e.row).where(same).order_by(e.row)))
            surplus = rows[1 : max(1, len(rows) - keep + 2)]
            if surplus:
                c.execute(delete(s.seals).where(e.row.in_(surplus)))
            c.execute(insert(s.seals).values(room=room, epoch=row.epoch, uid=row.uid, seal=row.seal))

        await self._write(run)

    async def put_unmet(self, row: UnmetRow) -> None:
        await self._write(lambda c: c.execute(_keep_unmet, {f: getattr(row, f) for f in UnmetRow.__slots__}))

    async def unmet(self, room: bytes) -> UnmetRow | None:
        def run(c: Connection) -> UnmetRow | None:
            row = c.execute(select(s.unmet).where(s.unmet.c.room == room)).one_or_none()
            return None if row is None else UnmetRow(**row._mapping)

        return await self._read(run)

    # -- blobs and figures

    async def add_blob(self, row: BlobRow, by_dev: bytes, day: int) -> None:
        def run(c: Connection) -> None:
            _insert(c, s.blobs, [{f: getattr(row, f) for f in BlobRow.__slots__}])
            grown = s.rooms.c.size_bytes + row.size_bytes
            c.execute(update(s.rooms).where(s.rooms.c.room == row.room).values(size_bytes=grown))
            _use(c, by_dev, day, row.size_bytes)

        await self._write(run)

    async def blob(self, room: bytes, obj: bytes, part: bytes) -> BlobRow | None:
        def run(c: Connection) -> BlobRow | None:
            b = s.blobs.c
            row = c.execute(select(s.blobs).where(b.room == room, b.obj == obj, b.part == part)).one_or_none()
            return None if row is None else BlobRow(**row._mapping)

        return await self._read(run)

    async def device_bytes(self, dev: bytes, day: int) -> int:
        def run(c: Connection) -> int:
            return c.scalar(select(s.usage.c.size_bytes).where(s.usage.c.dev == dev, s.usage.c.day == day)) or 0

        return await self._read(run)

    async def counts(self, now_ms: int) -> Counts:
        def run(c: Connection) -> Counts:
            i = s.invites.c
            u, here = s.unmet.c, s.items.c
            unmet = s.unmet.outerjoin(s.items, (here.room == u.room) & (here.n == u.n))
            unmet_rooms = select(func.count()).select_from(unmet)
            open_invites = select(func.count()).where(i.used_by.is_(None), i.not_after > now_ms)
            return Counts(
                users=_count(c, s.users.c.uid),
                invites_open=c.scalar(open_invites) or 0,
                rooms=_count(c, s.rooms.c.room),
                items=_count(c, s.items.c.n),
                item_bytes=c.scalar(select(func.coalesce(func.sum(s.items.c.size_bytes), 0))) or 0,
                blobs=_count(c, s.blobs.c.part),
                blob_bytes=c.scalar(select(func.coalesce(func.sum(s.blobs.c.size_bytes), 0))) or 0,
                rooms_behind=c.scalar(unmet_rooms.where(here.rh.is_(None))) or 0,
                rooms_forked=c.scalar(unmet_rooms.where(here.rh != u.rh)) or 0,
            )

        return await self._read(run)


# -- statements --------------------------------------------------------------------------------------------------

_place_update = (
    update(s.rooms)
    .where(s.rooms.c.room == bindparam("b_room"), s.rooms.c.n == bindparam("b_expected"))
    .values(
        n=bindparam("b_n"),
        rh=bindparam("b_rh"),
        t=bindparam("b_t"),
        size_bytes=s.rooms.c.size_bytes + bindparam("b_size"),
    )
)
_insert_items = insert(s.items)
_use_bytes = upsert(s.usage)
_use_bytes = _use_bytes.on_conflict_do_update(
    index_elements=["dev", "day"], set_={"size_bytes": s.usage.c.size_bytes + _use_bytes.excluded.size_bytes}
)
_set_head = upsert(s.device_heads)
_set_head = _set_head.on_conflict_do_update(
    index_elements=["room", "dev"], set_={"dev_seq": _set_head.excluded.dev_seq, "id": _set_head.excluded.id}
)
_set_member = upsert(s.members)
_set_member = _set_member.on_conflict_do_update(
    index_elements=["room", "uid"], set_={"until_n": _set_member.excluded.until_n}
)

_fill_share = upsert(s.shares)
_fill_share = _fill_share.on_conflict_do_update(
    index_elements=["room", "obj"], set_={"share": _fill_share.excluded.share}, where=s.shares.c.share.is_(None)
)
_keep_unmet = upsert(s.unmet)
_keep_unmet = _keep_unmet.on_conflict_do_update(
    index_elements=["room"],
    set_={f: _keep_unmet.excluded[f] for f in ("n", "rh", "t", "sig")},
    where=_keep_unmet.excluded.n > s.unmet.c.n,
)


def _place(c: Connection, p: Placement) -> None:
    last = p.items[-1]
    if p.expected_n == 0:
        state = p.state or b""
        state_n = last.n if p.state is not None else 0
        _insert(
            c,
            s.rooms,
            [
                {
                    "room": p.room,
                    "n": last.n,
                    "rh": last.rh,
                    "t": last.t,
                    "size_bytes": p.size_bytes,
                    "state_n": state_n,
                    "state": state,
                }
            ],
            Moved("room"),
        )
    else:
        moved = {
            "b_room": p.room,
            "b_expected": p.expected_n,
            "b_n": last.n,
            "b_rh": last.rh,
            "b_t": last.t,
            "b_size": p.size_bytes,
        }
        if c.execute(_place_update, moved).rowcount != 1:
            raise Moved("room")
        if p.state is not None:
            c.execute(update(s.rooms).where(s.rooms.c.room == p.room).values(state_n=last.n, state=p.state))
    c.execute(_insert_items, [_item_values(p.room, i) for i in p.items])
    _use(c, p.by_dev, p.day, p.size_bytes)
    if p.device_head is not None:
        head = p.device_head
        c.execute(_set_head, {"room": p.room, "dev": head.dev, "dev_seq": head.dev_seq, "id": head.id})
    _place_rest(c, p)


def _place_rest(c: Connection, p: Placement) -> None:
    """What most placements do not have."""
    if p.members:
        c.execute(_set_member, [{"room": p.room, "uid": m.uid, "until_n": m.until_n or 0} for m in p.members])
    if p.shares:
        rows = [{"room": p.room, "obj": h.obj, "n": h.n, "share_c": h.share_c, "share": h.share} for h in p.shares]
        c.execute(insert(s.shares), rows)
    if p.seals:
        c.execute(insert(s.seals), [{"room": p.room, "epoch": x.epoch, "uid": x.uid, "seal": x.seal} for x in p.seals])


def _use(c: Connection, dev: bytes, day: int, size_bytes: int) -> None:
    c.execute(_use_bytes, {"dev": dev, "day": day, "size_bytes": size_bytes})


def _insert(c: Connection, table: Any, rows: list[dict[str, Any]], refusal: StoreError | None = None) -> None:
    try:
        c.execute(insert(table), rows)
    except IntegrityError as e:
        raise (refusal or Taken(table.name)) from e


def _entry_values(uid: bytes, e: EntryRow) -> dict[str, Any]:
    return {"uid": uid, "seq": e.seq, "body": e.body, "sig": e.sig}


def _item_values(room: bytes, i: ItemRow) -> dict[str, Any]:
    size = len(i.body) + len(i.sig) + len(i.ct or b"")
    return {
        "room": room,
        "n": i.n,
        "t": i.t,
        "kind": i.kind,
        "id": i.id,
        "rh": i.rh,
        "body": i.body,
        "sig": i.sig,
        "ct": i.ct,
        "size_bytes": size,
    }


def _count(c: Connection, column: Any) -> int:
    return c.scalar(select(func.count(column))) or 0


# -- the database ------------------------------------------------------------------------------------------------


def _engine(path: Path, max_pages: int | None) -> Engine:
    # Parameters are hidden: an error's text must not carry names or contents into the log.
    options = {"check_same_thread": False, "timeout": 30}
    engine = create_engine(f"sqlite:///{path}", connect_args=options, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def _on_connect(connection: sqlite3.Connection, _record: object) -> None:
        # The driver's own transactions begin too late (not before SELECT, nor before DDL): we say BEGIN ourselves.
        connection.isolation_level = None
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "wal_autocheckpoint=4000",
            "journal_size_limit=67108864",
            "temp_store=MEMORY",
            "cache_size=-32768",
        ):
            connection.execute(f"PRAGMA {pragma}")
        if max_pages is not None:
            connection.execute(f"PRAGMA max_page_count={max_pages}")

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Connection) -> None:
        if connection.get_execution_options().get("isolation_level") != "AUTOCOMMIT":
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _prepare(engine: Engine) -> None:
    with engine.begin() as c:
        s.meta.create(c, checkfirst=True)
        found = c.scalar(select(s.meta.c.value).where(s.meta.c.name == "version"))
        if found is None:
            s.metadata.create_all(c)
            c.execute(insert(s.meta).values(name="version", value=str(s.VERSION)))
            return
        version = int(found)
        if version > s.VERSION:
            raise TooNew(f"store version {version}")
        for step in range(version + 1, s.VERSION + 1):
            s.MIGRATIONS[step](c)
        c.execute(update(s.meta).where(s.meta.c.name == "version").values(value=str(s.VERSION)))
