# SPDX-License-Identifier: EUPL-1.2
"""The store in memory, for tests. It is also the plainest statement of what a store does. Nothing outlives the
process."""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sync.server.store.base import (
    Appended,
    BlobRow,
    Counts,
    Crowding,
    DeviceHead,
    EntryRow,
    InviteRow,
    ItemRow,
    LogHeadRow,
    Membership,
    Moved,
    Placement,
    Population,
    RecoveryRequestRow,
    RoomRow,
    RoomSize,
    SealRow,
    ShareRow,
    SightingRow,
    StaffRow,
    Taken,
    Tally,
    UnmetRow,
    UploadRow,
    UserRow,
)
from sync.server.store.memory_admin_log import MemoryAdminLog
from sync.server.store.memory_prunings import MemoryPrunings
from sync.server.store.memory_restored import MemoryRestore
from sync.server.store.restored import AwaitedItem

_MAX_ROWS = 4096


@dataclass(slots=True)
class _Room:
    row: RoomRow
    items: list[ItemRow] = field(default_factory=list)
    ids: dict[bytes, int] = field(default_factory=dict)
    members: dict[bytes, int] = field(default_factory=dict)
    added_by: dict[bytes, bytes] = field(default_factory=dict)
    spoke: set[bytes] = field(default_factory=set)
    heads: dict[bytes, DeviceHead] = field(default_factory=dict)
    shares: dict[bytes, ShareRow] = field(default_factory=dict)
    seals: dict[tuple[int, bytes], list[bytes]] = field(default_factory=dict)


class MemoryStore(MemoryRestore, MemoryPrunings, MemoryAdminLog):
    """The server's store in memory, for tests and the trial office of `--selftest`: nothing outlives the process. Its
    methods are those of `sync.server.store.base.Store`."""

    def __init__(self) -> None:
        super().__init__()
        self._invites: dict[bytes, InviteRow] = {}
        self._users: dict[bytes, UserRow] = {}
        self._entries: dict[bytes, list[EntryRow]] = {}
        self._rooms: dict[bytes, _Room] = {}
        self._blobs: dict[tuple[bytes, bytes, bytes], BlobRow] = {}
        self._uploads: dict[tuple[bytes, bytes, bytes], UploadRow] = {}
        self._usage: dict[tuple[Tally, int], int] = {}
        self._unmet: dict[bytes, UnmetRow] = {}
        self._sightings: dict[bytes, SightingRow] = {}
        self._external_appends: list[bytes] = []
        self._recovery_requests: dict[tuple[bytes, str, bytes], RecoveryRequestRow] = {}

    async def open(self) -> None:
        """Nothing to open."""

    async def close(self) -> None:
        """Keeps everything: the same object can be opened again."""

    queued = 0

    async def probe(self) -> None: ...

    # -- people

    async def add_invite(self, row: InviteRow) -> None:
        if row.invite_pk in self._invites:
            raise Taken("invites")
        self._invites[row.invite_pk] = row

    async def add_invites(self, rows: Sequence[InviteRow]) -> None:
        added = {row.invite_pk: row for row in rows}
        if added.keys() & self._invites:
            raise Taken("invites")
        self._invites |= added

    async def invite(self, invite_pk: bytes) -> InviteRow | None:
        return self._invites.get(invite_pk)

    async def invites(self) -> list[InviteRow]:
        return sorted(self._invites.values(), key=lambda row: (row.made, row.invite_pk))

    async def withdraw_invite(self, invite_pk: bytes, now_ms: int) -> None:
        row = self._invites.get(invite_pk)
        if row is None or row.used_by is not None:
            raise Taken("invite")
        self._invites[invite_pk] = replace(row, withdrawn=row.withdrawn or now_ms)

    async def enrol(self, invite_pk: bytes, user: UserRow, entries: Sequence[EntryRow]) -> None:
        row = self._invites.get(invite_pk)
        if row is None or row.used_by is not None or row.withdrawn or user.uid in self._users:
            raise Taken("invite")
        self._invites[invite_pk] = replace(row, used_by=user.uid)
        self._users[user.uid] = user
        self._entries[user.uid] = list(entries)

    async def return_user(self, user: UserRow, entries: Sequence[EntryRow], invites: Sequence[InviteRow]) -> None:
        if user.uid in self._users:
            raise Taken("users")
        self._return_invites(invites, user.uid)
        self._users[user.uid] = user
        self._entries[user.uid] = list(entries)

    def _return_invites(self, invites: Sequence[InviteRow], uid: bytes) -> None:
        kept = [self._invites.get(invite.invite_pk, invite) for invite in invites]
        if any(i.used_by not in (None, uid) or (i.withdrawn and i.used_by is None) for i in kept):
            raise Taken("invite")
        self._invites |= {i.invite_pk: replace(i, used_by=uid) for i in kept}

    async def fill_record(self, uid: bytes, seq: int, staff: StaffRow, search: str) -> None:
        user = self._users.get(uid)
        if user is not None and user.seq == seq and not user.record:
            self._users[uid] = replace(user, salt=staff.salt, record=staff.record, search=search)

    async def nameless(self) -> list[bytes]:
        return [uid for uid, user in self._users.items() if not user.record]

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
        user = self._users.get(uid)
        if user is None or user.seq != expected_seq:
            raise Moved("user log")
        if invite_pk is not None:
            invite = self._invites.get(invite_pk)
            if invite is None or invite.used_by is not None or invite.withdrawn:
                raise Taken("invite")
            self._invites[invite_pk] = replace(invite, used_by=uid)
        self._return_invites(returned, uid)
        values = {f: v for f in Appended.__slots__ if (v := getattr(made, f)) is not None}
        self._users[uid] = replace(user, seq=entries[-1].seq, **values)
        self._entries[uid] += entries
        self._recovery_requests |= {(row.uid, row.what, row.dev): row for row in revoked}
        if external:
            self._external_appends.append(uid)

    async def external_appends(self, after: int) -> list[tuple[int, bytes]]:
        return list(enumerate(self._external_appends, start=1))[after:]

    async def user(self, uid: bytes) -> UserRow | None:
        return self._users.get(uid)

    async def user_entries(self, uid: bytes, after: int, most: int | None = None) -> list[EntryRow]:
        return [e for e in self._entries.get(uid, []) if e.seq > after][:most]

    async def by_root(self, root_pk: bytes) -> UserRow | None:
        return next((u for u in self._users.values() if u.root_pk == root_pk), None)

    async def put_recovery_requests(self, rows: Sequence[RecoveryRequestRow]) -> None:
        self._recovery_requests |= {(row.uid, row.what, row.dev): row for row in rows}

    async def drop_recovery_request(self, uid: bytes, what: str, dev: bytes) -> None:
        self._recovery_requests.pop((uid, what, dev), None)

    async def recovery_requests(self, uid: bytes) -> list[RecoveryRequestRow]:
        return sorted((row for row in self._recovery_requests.values() if row.uid == uid), key=lambda row: row.since)

    async def put_sighting(self, row: SightingRow) -> None:
        self._sightings[row.dev] = row

    async def see_again(self, devices: Collection[tuple[bytes, bytes]], now_ms: int) -> None:
        for dev, row in self._sightings.items():
            if (row.uid, dev) in devices:
                self._sightings[dev] = replace(row, last=now_ms)

    async def sightings(self, uid: bytes) -> list[SightingRow]:
        return [row for row in self._sightings.values() if row.uid == uid]

    async def people(self, uids: Sequence[bytes]) -> list[UserRow]:
        return [self._users[u] for u in dict.fromkeys(uids) if u in self._users]

    async def moved_logs(self, known: Mapping[bytes, int]) -> list[LogHeadRow]:
        moved = [u for u in await self.people(list(known)) if u.seq > known[u.uid]]
        return [LogHeadRow(uid=u.uid, seq=u.seq, head=u.head) for u in moved]

    async def search_people(self, words: Sequence[str], limit: int, *, recorded: bool = False) -> list[UserRow]:
        users = [u for u in self._users.values() if u.record or not recorded]
        found = [u for u in users if all(w in u.search for w in words)]
        return sorted(found, key=lambda u: u.search)[:limit]

    # -- rooms

    def place(self, placement: Placement, ahead: Callable[[], None] | None = None) -> "asyncio.Future[None]":
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        try:
            self._place(placement)
            done.set_result(None)
        except Moved as e:
            done.set_exception(e)
        return done

    def _place(self, p: Placement) -> None:
        found = self._rooms.get(p.room)
        if (found.row.n if found else 0) != p.expected_n:
            raise Moved("room")
        last = p.items[-1]
        if found is None:
            row = RoomRow(room=p.room, n=0, rh=b"", t=0, size_bytes=0, state_n=0, state=b"")
            found = self._rooms[p.room] = _Room(row)
        size = found.row.size_bytes + p.size_bytes
        found.row = replace(found.row, n=last.n, rh=last.rh, t=last.t, size_bytes=size)
        if p.state is not None:
            found.row = replace(found.row, state_n=last.n, state=p.state)
        found.items.extend(p.items)
        found.ids.update({i.id: i.n for i in p.items})
        found.members.update({m.uid: m.until_n or 0 for m in p.members})
        found.added_by.update({m.uid: m.by for m in p.members if m.by is not None})
        found.spoke.update(p.spoke)
        found.shares.update({h.obj: h for h in p.shares})
        for x in p.seals:
            found.seals.setdefault((x.epoch, x.uid), []).append(x.seal)
        if p.device_head is not None:
            found.heads[p.device_head.dev] = p.device_head
        if p.prunes:
            self.note_pruning(p.room, last.n)
        if p.reuploaded is not None:
            self._note_reuploaded(p.room, last.n, begins=p.expected_n == 0)
        self._count(dict.fromkeys(p.by, p.size_bytes), p.day)

    async def await_items(self, room: bytes, items: Sequence[AwaitedItem]) -> int:
        found = self._rooms.get(room)
        missing = [i for i in items if found is None or i.n > found.row.n]
        kept = self._awaited_items.setdefault(room, {})
        for item in missing:
            kept.setdefault(item.n, item)
        if missing:
            self._closed.add(room)
        return len(missing)

    async def openable_rooms(self) -> list[bytes]:
        awaited, items = set(self._awaited_devices.values()), self._awaited_items
        whole = (room for room in self._closed if not items.get(room) and not self._lacks(room))
        return [room for room in whole if not self._has_one_of(room, awaited)]

    async def open_if_ready(self, room: bytes) -> bool:
        if ready := room in await self.openable_rooms():
            await self.open_room(room)
        return ready

    def _lacks(self, room: bytes) -> bool:
        found, unmet = self._rooms.get(room), self._unmet.get(room)
        return unmet is not None and unmet.n > (found.row.n if found else 0)

    def _has_one_of(self, room: bytes, uids: set[bytes]) -> bool:
        found = self._rooms.get(room)
        return found is not None and any(until == 0 and uid in uids for uid, until in found.members.items())

    async def put_state(self, room: bytes, n: int, state: bytes) -> None:
        found = self._rooms[room]
        if found.row.state_n < n <= found.row.n:
            found.row = replace(found.row, state_n=n, state=state)

    async def room(self, room: bytes) -> RoomRow | None:
        found = self._rooms.get(room)
        return found.row if found else None

    async def items(
        self, room: bytes, after: int, until: int, limit_bytes: int, *, bare: bool = False
    ) -> list[ItemRow]:
        found = self._slice(room, after, until)[:_MAX_ROWS]
        return _fitting([replace(i, ct=None) for i in found] if bare else found, limit_bytes)

    async def items_at(self, room: bytes, ns: Sequence[int], limit_bytes: int) -> list[ItemRow]:
        wanted = set(ns)
        return _fitting([i for i in self._slice(room, ns[0] - 1, ns[-1]) if i.n in wanted], limit_bytes)

    async def forget(self, room: bytes, ns: Sequence[int]) -> int:
        found, wanted = self._rooms[room], set(ns)
        freed = sum(len(i.ct or b"") for i in found.items if i.n in wanted)
        found.items = [replace(i, ct=None) if i.n in wanted else i for i in found.items]
        found.row = replace(found.row, size_bytes=found.row.size_bytes - freed)
        return freed

    def _slice(self, room: bytes, after: int, until: int) -> list[ItemRow]:
        found = self._rooms.get(room)
        return found.items[max(after, 0) : max(until, 0)] if found else []

    async def rhs(self, room: bytes, after: int, until: int) -> list[bytes]:
        return [i.rh for i in self._slice(room, after, until)]

    async def rh_at(self, room: bytes, n: int) -> bytes | None:
        found = self._slice(room, n - 1, n) if n > 0 else []
        return found[0].rh if found else None

    async def rhs_at(self, room: bytes, ns: Sequence[int]) -> dict[int, bytes]:
        found = self._rooms.get(room)
        return {n: found.items[n - 1].rh for n in ns if 0 < n <= len(found.items)} if found else {}

    async def positions(self, room: bytes, ids: Sequence[bytes]) -> dict[bytes, int]:
        found = self._rooms.get(room)
        return {i: found.ids[i] for i in ids if i in found.ids} if found else {}

    async def memberships(self, uid: bytes, dev: bytes) -> list[Membership]:
        out: list[Membership] = []
        for room, r in self._rooms.items():
            if r.members.get(uid) != 0:
                continue
            head = r.heads.get(dev, DeviceHead(dev=dev, dev_seq=0, id=b""))
            out.append(Membership(room=room, n=r.row.n, rh=r.row.rh, t=r.row.t, dev_seq=head.dev_seq, dev_head=head.id))
        return out

    async def last_positions(self, uid: bytes, rooms: Sequence[bytes]) -> dict[bytes, int]:
        return {x.room: x.n for x in await self.memberships(uid, b"") if x.room in rooms}

    async def crowding(self, uid: bytes, by: bytes) -> Crowding:
        mine = [r for r in self._rooms.values() if r.members.get(uid) == 0]
        silent = [r for r in mine if r.added_by.get(uid) == by and uid not in r.spoke]
        return Crowding(rooms=len(mine), unanswered=len(silent))

    async def until_n(self, room: bytes, uid: bytes) -> int | None:
        found = self._rooms.get(room)
        return found.members.get(uid) if found else None

    async def shares(self, room: bytes, objs: Sequence[bytes]) -> list[ShareRow]:
        found = self._rooms.get(room)
        return [found.shares[o] for o in dict.fromkeys(objs) if o in found.shares] if found else []

    async def shares_between(self, room: bytes, after: int, until: int) -> list[ShareRow]:
        found = self._rooms.get(room)
        return [h for h in found.shares.values() if after < h.n <= until] if found else []

    async def put_share(self, room: bytes, row: ShareRow) -> bool:
        shares = self._rooms[room].shares
        kept = shares.get(row.obj)
        if kept is not None and kept.share is not None:
            return False
        shares[row.obj] = row if kept is None else replace(kept, share=row.share)
        return True

    async def seals(self, room: bytes, epoch: int, uid: bytes) -> list[bytes]:
        found = self._rooms.get(room)
        return list(reversed(found.seals.get((epoch, uid), []))) if found else []

    async def add_seal(self, room: bytes, row: SealRow, keep: int, by: Sequence[Tally] = (), day: int = 0) -> None:
        kept = self._rooms[room].seals.setdefault((row.epoch, row.uid), [])
        del kept[1 : max(1, len(kept) - keep + 2)]
        kept.append(row.seal)
        self._count(dict.fromkeys(by, len(row.seal)), day)

    async def put_unmet(self, row: UnmetRow) -> None:
        kept = self._unmet.get(row.room)
        if kept is None or kept.n < row.n:
            self._unmet[row.room] = row

    async def unmet(self, room: bytes) -> UnmetRow | None:
        return self._unmet.get(room)

    # -- blobs and figures

    async def put_upload(self, row: UploadRow, by: Sequence[Tally], day: int, sent_bytes: int) -> None:
        self._uploads[row.name] = row
        self._count(dict.fromkeys(by, sent_bytes), day)

    async def drop_upload(self, room: bytes, obj: bytes, part: bytes) -> None:
        self._uploads.pop((room, obj, part), None)

    async def uploads(self) -> list[UploadRow]:
        return sorted(self._uploads.values(), key=lambda row: row.since)

    async def add_blob(self, row: BlobRow, by: Sequence[Tally], day: int, sent_bytes: int) -> None:
        key = (row.room, row.obj, row.part)
        if key in self._blobs:
            raise Taken("blobs")
        self._blobs[key] = row
        self._uploads.pop(key, None)
        if room := self._rooms.get(row.room):
            room.row = replace(room.row, size_bytes=room.row.size_bytes + row.size_bytes)
        self._count(dict.fromkeys(by, sent_bytes), day)

    async def blob(self, room: bytes, obj: bytes, part: bytes) -> BlobRow | None:
        return self._blobs.get((room, obj, part))

    async def count(self, amounts: Mapping[Tally, int], day: int) -> None:
        self._count(amounts, day)

    async def counted(self, tally: Tally, day: int) -> int:
        return self._usage.get((tally, day), 0)

    def _count(self, amounts: Mapping[Tally, int], day: int) -> None:
        for tally, amount in amounts.items():
            self._usage[tally, day] = self._usage.get((tally, day), 0) + amount

    async def counts(self, now_ms: int) -> Counts:
        items = [i for r in self._rooms.values() for i in r.items]
        here = [(u.rh, [i.rh for i in self._slice(u.room, u.n - 1, u.n)]) for u in self._unmet.values()]
        return Counts(
            users=len(self._users),
            invites_open=sum(i.is_open(now_ms) for i in self._invites.values()),
            rooms=len(self._rooms),
            items=len(items),
            item_bytes=sum(len(i.body) + len(i.sig) + len(i.ct or b"") for i in items),
            blobs=len(self._blobs),
            blob_bytes=sum(b.size_bytes for b in self._blobs.values()),
            rooms_behind=sum(not ours for _, ours in here),
            rooms_forked=sum(bool(ours) and ours != [rh] for rh, ours in here),
            rooms_closed=len(self._closed),
            devices_awaited=len(self._awaited_devices),
        )

    async def population(self, seen_since: int) -> Population:
        c, seen = await self.counts(0), sum(row.last >= seen_since for row in self._sightings.values())
        return Population(people=c.users, devices=seen, rooms_closed=c.rooms_closed, rooms_forked=c.rooms_forked)

    async def room_sizes(self) -> list[RoomSize]:
        rows = [(r.row, sum(until == 0 for until in r.members.values())) for r in self._rooms.values()]
        return [RoomSize(room=r.room, members=members, n=r.n, size_bytes=r.size_bytes, t=r.t) for r, members in rows]


def _fitting(rows: Sequence[ItemRow], limit_bytes: int) -> list[ItemRow]:
    out: list[ItemRow] = []
    for i in rows:
        limit_bytes -= len(i.body) + len(i.sig) + len(i.ct or b"")
        if limit_bytes < 0 and out:
            break
        out.append(i)
    return out
