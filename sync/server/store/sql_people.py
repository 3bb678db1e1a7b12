# SPDX-License-Identifier: EUPL-1.2
"""Invitations, people, their logs and devices in SQL."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, case, delete, insert, select, update

from sync.server.store import schema as s
from sync.server.store.base import (
    Appended,
    EntryRow,
    InviteRow,
    LogHeadRow,
    Moved,
    RecoveryRequestRow,
    SightingRow,
    StaffRow,
    Taken,
    UserRow,
)
from sync.server.store.statements import (
    columns,
    insert_rows,
    keep_recovery_request,
    return_invites,
    see_device,
    see_device_again,
    use_invite,
)
from sync.server.store.threads import Threads


class SqlPeople(Threads):
    """The part of the SQL store that keeps invitations, people, their logs and devices, and recovery requests."""

    async def add_invite(self, row: InviteRow) -> None:
        def run(c: Connection) -> None:
            insert_rows(c, s.invites, [columns(row)])

        await self._write(run)

    async def add_invites(self, rows: Sequence[InviteRow]) -> None:
        await self._write(lambda c: insert_rows(c, s.invites, [columns(row) for row in rows]))

    async def invite(self, invite_pk: bytes) -> InviteRow | None:
        def run(c: Connection) -> InviteRow | None:
            row = c.execute(select(s.invites).where(s.invites.c.invite_pk == invite_pk)).one_or_none()
            return None if row is None else InviteRow(**row._mapping)

        return await self._read(run)

    async def invites(self) -> list[InviteRow]:
        def run(c: Connection) -> list[InviteRow]:
            rows = c.execute(select(s.invites).order_by(s.invites.c.made, s.invites.c.invite_pk))
            return [InviteRow(**r._mapping) for r in rows]

        return await self._read(run)

    async def withdraw_invite(self, invite_pk: bytes, now_ms: int) -> None:
        i = s.invites.c
        since = case((i.withdrawn == 0, now_ms), else_=i.withdrawn)
        ended = update(s.invites).where(i.invite_pk == invite_pk, i.used_by.is_(None)).values(withdrawn=since)

        def run(c: Connection) -> None:
            if c.execute(ended).rowcount != 1:
                raise Taken("invite")

        await self._write(run)

    async def enrol(self, invite_pk: bytes, user: UserRow, entries: Sequence[EntryRow]) -> None:
        def run(c: Connection) -> None:
            use_invite(c, invite_pk, user.uid)
            _insert_user(c, user, entries)

        await self._write(run)

    async def return_user(self, user: UserRow, entries: Sequence[EntryRow], invites: Sequence[InviteRow]) -> None:
        def run(c: Connection) -> None:
            return_invites(c, invites, user.uid)
            _insert_user(c, user, entries)

        await self._write(run)

    async def fill_record(self, uid: bytes, seq: int, staff: StaffRow, search: str) -> None:
        u = s.users.c
        lost = update(s.users).where(u.uid == uid, u.seq == seq, u.record == b"")
        await self._write(lambda c: c.execute(lost.values(**columns(staff), search=search)))

    async def nameless(self) -> list[bytes]:
        lost = select(s.users.c.uid).where(s.users.c.record == b"")
        return await self._read(lambda c: list(c.scalars(lost)))

    async def append_user(
        self,
        uid: bytes,
        expected_seq: int,
        entries: Sequence[EntryRow],
        made: Appended,
        *,
        invite_pk: bytes | None = None,
        returned: Sequence[InviteRow] = (),
        revoked: Sequence[RecoveryRequestRow] = (),
        external: bool = False,
    ) -> None:
        values = {f: v for f in Appended.__slots__ if (v := getattr(made, f)) is not None}

        def run(c: Connection) -> None:
            at = update(s.users).where(s.users.c.uid == uid, s.users.c.seq == expected_seq)
            if c.execute(at.values(seq=entries[-1].seq, **values)).rowcount != 1:
                raise Moved("user log")
            if invite_pk is not None:
                use_invite(c, invite_pk, uid)
            return_invites(c, returned, uid)
            insert_rows(c, s.user_entries, _entry_values(uid, entries))
            if revoked:
                c.execute(keep_recovery_request, [columns(row) for row in revoked])
            if external:
                c.execute(insert(s.external_appends).values(uid=uid))

        await self._write(run)

    async def by_root(self, root_pk: bytes) -> UserRow | None:
        def run(c: Connection) -> UserRow | None:
            row = c.execute(select(s.users).where(s.users.c.root_pk == root_pk).limit(1)).one_or_none()
            return None if row is None else UserRow(**row._mapping)

        return await self._read(run)

    async def put_recovery_requests(self, rows: Sequence[RecoveryRequestRow]) -> None:
        await self._write(lambda c: c.execute(keep_recovery_request, [columns(row) for row in rows]))

    async def drop_recovery_request(self, uid: bytes, what: str, dev: bytes) -> None:
        a = s.recovery_requests.c
        gone = delete(s.recovery_requests).where(a.uid == uid, a.what == what, a.dev == dev)
        await self._write(lambda c: c.execute(gone))

    async def recovery_requests(self, uid: bytes) -> list[RecoveryRequestRow]:
        def run(c: Connection) -> list[RecoveryRequestRow]:
            rows = c.execute(
                select(s.recovery_requests)
                .where(s.recovery_requests.c.uid == uid)
                .order_by(s.recovery_requests.c.since)
            )
            return [RecoveryRequestRow(**r._mapping) for r in rows]

        return await self._read(run)

    async def external_appends(self, after: int) -> list[tuple[int, bytes]]:
        def run(c: Connection) -> list[tuple[int, bytes]]:
            t = s.external_appends.c
            return [(r.row, r.uid) for r in c.execute(select(t.row, t.uid).where(t.row > after).order_by(t.row))]

        return await self._read(run)

    async def user(self, uid: bytes) -> UserRow | None:
        rows = await self.people([uid])
        return rows[0] if rows else None

    async def user_entries(self, uid: bytes, after: int, most: int | None = None) -> list[EntryRow]:
        def run(c: Connection) -> list[EntryRow]:
            e = s.user_entries.c
            query = select(e.seq, e.body, e.sig).where(e.uid == uid, e.seq > after).order_by(e.seq)
            rows = c.execute(query if most is None else query.limit(most))
            return [EntryRow(seq=r.seq, body=r.body, sig=r.sig) for r in rows]

        return await self._read(run)

    async def put_sighting(self, row: SightingRow) -> None:
        await self._write(lambda c: c.execute(see_device, columns(row)))

    async def see_again(self, devices: Collection[tuple[bytes, bytes]], now_ms: int) -> None:
        rows = [{"b_uid": uid, "b_dev": dev, "b_last": now_ms} for uid, dev in devices]
        if rows:
            await self._write(lambda c: c.execute(see_device_again, rows))

    async def sightings(self, uid: bytes) -> list[SightingRow]:
        def run(c: Connection) -> list[SightingRow]:
            rows = c.execute(select(s.sightings).where(s.sightings.c.uid == uid)).all()
            return [SightingRow(**r._mapping) for r in rows]

        return await self._read(run)

    async def people(self, uids: Sequence[bytes]) -> list[UserRow]:
        def run(c: Connection) -> list[UserRow]:
            return [UserRow(**r._mapping) for r in c.execute(select(s.users).where(s.users.c.uid.in_(uids)))]

        return await self._read(run)

    async def moved_logs(self, known: Mapping[bytes, int]) -> list[LogHeadRow]:
        def run(c: Connection) -> list[LogHeadRow]:
            u = s.users.c
            rows = c.execute(select(u.uid, u.seq, u.head).where(u.uid.in_(known)))
            return [LogHeadRow(uid=uid, seq=seq, head=head) for uid, seq, head in rows if seq > known[uid]]

        return await self._read(run)

    async def search_people(self, words: Sequence[str], limit: int, *, recorded: bool = False) -> list[UserRow]:
        def run(c: Connection) -> list[UserRow]:
            query = select(s.users).order_by(s.users.c.search).limit(limit)
            if recorded:
                query = query.where(s.users.c.record != b"")
            for word in words:
                query = query.where(s.users.c.search.contains(word, autoescape=True))
            return [UserRow(**r._mapping) for r in c.execute(query)]

        return await self._read(run)


def _insert_user(c: Connection, user: UserRow, entries: Sequence[EntryRow]) -> None:
    insert_rows(c, s.users, [columns(user)])
    insert_rows(c, s.user_entries, _entry_values(user.uid, entries))


def _entry_values(uid: bytes, entries: Sequence[EntryRow]) -> list[dict[str, Any]]:
    return [{"uid": uid, **columns(e)} for e in entries]
