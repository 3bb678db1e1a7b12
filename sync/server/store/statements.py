# SPDX-License-Identifier: EUPL-1.2
"""The SQL statements of writes, built once, and the functions that run them. All run inside the writer's
transaction."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update
from sqlalchemy.dialects.sqlite import insert as upsert
from sqlalchemy.exc import IntegrityError

from sync.server.store import schema as s
from sync.server.store.base import InviteRow, ItemRow, Moved, Placement, StoreError, Taken, Tally
from sync.server.store.prepared import Prepared

_EXISTS = {
    sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY,
    sqlite3.SQLITE_CONSTRAINT_UNIQUE,
    sqlite3.SQLITE_CONSTRAINT_ROWID,
}
"""SQLite's error codes for a row whose key exists."""

_place_update = Prepared(
    update(s.rooms)
    .where(s.rooms.c.room == bindparam("b_room"), s.rooms.c.n == bindparam("b_expected"))
    .values(
        n=bindparam("b_n"),
        rh=bindparam("b_rh"),
        t=bindparam("b_t"),
        size_bytes=s.rooms.c.size_bytes + bindparam("b_size"),
    )
)
_insert_items = Prepared(insert(s.items))
_usage = upsert(s.usage)
_count = Prepared(
    _usage.on_conflict_do_update(
        index_elements=["what", "who", "day"], set_={"amount": s.usage.c.amount + _usage.excluded.amount}
    )
)
_heads = upsert(s.device_heads)
_set_head = Prepared(
    _heads.on_conflict_do_update(
        index_elements=["room", "dev"], set_={"dev_seq": _heads.excluded.dev_seq, "id": _heads.excluded.id}
    )
)
_set_member = upsert(s.members)
_set_member = _set_member.on_conflict_do_update(
    index_elements=["room", "uid"],
    set_={
        "until_n": _set_member.excluded.until_n,
        "by": func.coalesce(_set_member.excluded.by, s.members.c.by),
    },
)
_set_spoke = (
    update(s.members)
    .where(s.members.c.room == bindparam("b_room"), s.members.c.uid == bindparam("b_uid"), s.members.c.spoke == 0)
    .values(spoke=1)
)

_note_pruning = upsert(s.meta)
_note_pruning = _note_pruning.on_conflict_do_update(
    index_elements=["name"], set_={"value": _note_pruning.excluded.value}
)
PRUNING = "pruning "
"""The beginning of the names of rows in `meta` that note rooms whose pruned content is not deleted yet. The room's id
follows in hex; the value is the position of the newest prune's placement."""

fill_share = upsert(s.shares)
fill_share = fill_share.on_conflict_do_update(
    index_elements=["room", "obj"], set_={"share": fill_share.excluded.share}, where=s.shares.c.share.is_(None)
)
see_device = upsert(s.sightings)
see_device = see_device.on_conflict_do_update(
    index_elements=["dev"], set_={f: see_device.excluded[f] for f in ("uid", "last", "agent")}
)
see_device_again = (
    update(s.sightings)
    .where(s.sightings.c.uid == bindparam("b_uid"), s.sightings.c.dev == bindparam("b_dev"))
    .values(last=bindparam("b_last"))
)
keep_recovery_request = upsert(s.recovery_requests)
keep_recovery_request = keep_recovery_request.on_conflict_do_update(
    index_elements=["uid", "what", "dev"],
    set_={f: keep_recovery_request.excluded[f] for f in ("since", "invite_pk", "vetoed_by", "by")},
)
keep_upload = upsert(s.uploads)
keep_upload = keep_upload.on_conflict_do_update(
    index_elements=["room", "obj", "part"],
    set_={f: keep_upload.excluded[f] for f in ("uid", "dev", "held_bytes", "since")},
)
keep_unmet = upsert(s.unmet)
keep_unmet = keep_unmet.on_conflict_do_update(
    index_elements=["room"],
    set_={f: keep_unmet.excluded[f] for f in ("n", "rh", "t", "sig")},
    where=keep_unmet.excluded.n > s.unmet.c.n,
)


def place(c: Connection, p: Placement) -> None:
    """Writes everything in `p`, an accepted request that adds items to a room, within the caller's transaction. Moved
    if the room's last position is not `p.expected_n`."""
    _move_room(c, p)
    _insert_items.run(c, *(_item_values(p.room, i) for i in p.items))
    add_counts(c, dict.fromkeys(p.by, p.size_bytes), p.day)
    if p.device_head is not None:
        head = p.device_head
        _set_head.run(c, {"room": p.room, "dev": head.dev, "dev_seq": head.dev_seq, "id": head.id})
    _place_rest(c, p)
    if p.prunes:
        c.execute(_note_pruning, {"name": pruning_of(p.room), "value": str(p.items[-1].n)})
    if p.reuploaded is not None:
        _note_reuploaded(c, p, p.reuploaded)


def pruning_of(room: bytes) -> str:
    """The name of the row in `meta` that notes that the room with the id `room` has pruned content to delete."""
    return PRUNING + room.hex()


def _move_room(c: Connection, p: Placement) -> None:
    """Creates the room of `p`, or updates its last position, size and state. Moved if the room's last position is not
    `p.expected_n`. The caller commits."""
    last = p.items[-1]
    if p.expected_n == 0:
        state = p.state or b""
        state_n = last.n if p.state is not None else 0
        insert_rows(
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
        if _place_update.run(c, moved) != 1:
            raise Moved("room")
        if p.state is not None:
            c.execute(update(s.rooms).where(s.rooms.c.room == p.room).values(state_n=last.n, state=p.state))


def _place_rest(c: Connection, p: Placement) -> None:
    """Stores the parts of `p` that are usually empty: changes of members, persons who wrote their first item, shares
    (secrets of objects) and seals (encrypted keys). The caller commits."""
    if p.members:
        rows = [{"room": p.room, "uid": m.uid, "until_n": m.until_n or 0, "by": m.by, "spoke": 0} for m in p.members]
        c.execute(_set_member, rows)
    if p.spoke:
        c.execute(_set_spoke, [{"b_room": p.room, "b_uid": uid} for uid in p.spoke])
    if p.shares:
        begun = [{"room": p.room, "obj": h.obj, "n": h.n, "share_c": h.share_c, "share": h.share} for h in p.shares]
        c.execute(insert(s.shares), begun)
    if p.seals:
        c.execute(insert(s.seals), [{"room": p.room, "epoch": x.epoch, "uid": x.uid, "seal": x.seal} for x in p.seals])


def use_invite(c: Connection, invite_pk: bytes, uid: bytes) -> None:
    """Marks the invitation `invite_pk` as used by the person `uid`. Taken if it was used or withdrawn, or does not
    exist; the end of its time is not checked. The caller commits."""
    i = s.invites.c
    free = i.used_by.is_(None) & (i.withdrawn == 0)
    used = update(s.invites).where(i.invite_pk == invite_pk, free).values(used_by=uid)
    if c.execute(used).rowcount != 1:
        raise Taken("invite")


def return_invites(c: Connection, invites: Sequence[InviteRow], uid: bytes) -> None:
    """Marks invitations as used by the person `uid`, and stores those that a restore lost. Taken if one was used by
    another person, or withdrawn unused; the caller then undoes the transaction, which may have marked others
    already."""
    for invite in invites:
        i = s.invites.c
        used = c.execute(select(i.used_by).where(i.invite_pk == invite.invite_pk)).one_or_none()
        if used is None:
            insert_rows(c, s.invites, [columns(invite) | {"used_by": uid}])
        elif used.used_by is None:
            use_invite(c, invite.invite_pk, uid)
        elif used.used_by != uid:
            raise Taken("invite")


def _note_reuploaded(c: Connection, p: Placement, sealless: Sequence[int]) -> None:
    """Notes that clients uploaded the items of `p` again after a restore: stops awaiting the items of the room up to
    the last of these. If the room begins with them (the restore had lost it wholly), closes it to writing. `sealless`:
    the positions of those of its entries that lack their seals (encrypted keys); they are stored, so that the command
    `verify` does not report those seals as missing. The caller commits."""
    a = s.awaited_items.c
    c.execute(delete(s.awaited_items).where(a.room == p.room, a.n <= p.items[-1].n))
    if p.expected_n == 0:
        c.execute(upsert(s.closed_rooms).on_conflict_do_nothing(), {"room": p.room})
    if sealless:
        c.execute(insert(s.sealless), [{"room": p.room, "n": n} for n in sealless])


@contextmanager
def _overwriting(c: Connection) -> Iterator[None]:
    """Until the `with` block ends, what is deleted over `c` is overwritten with zeros in the database's file, also
    within a transaction. Otherwise it would stay in the file, readable, until SQLite needs the space. Use it only for
    content that must be gone: a deletion costs twice as much with it."""
    c.exec_driver_sql("PRAGMA secure_delete=ON").close()
    try:
        yield
    finally:
        c.exec_driver_sql("PRAGMA secure_delete=OFF").close()


def forget(c: Connection, room: bytes, ns: Sequence[int]) -> int:
    """Deletes the content of the items at the positions `ns` of the room with the id `room`, and overwrites it in the
    file; the items themselves stay. The room's size shrinks by that. The caller commits. Returns how many bytes that
    freed. Positions without an item or without content count 0, so a second call returns 0."""
    i = s.items.c
    at = (i.room == room) & i.n.in_(ns) & i.ct.is_not(None)
    freed = c.scalar(select(func.coalesce(func.sum(func.length(i.ct)), 0)).where(at)) or 0
    with _overwriting(c):
        c.execute(update(s.items).where(at).values(size_bytes=i.size_bytes - func.length(i.ct), ct=None))
    c.execute(update(s.rooms).where(s.rooms.c.room == room).values(size_bytes=s.rooms.c.size_bytes - freed))
    return freed


def forget_share(c: Connection, room: bytes, obj: bytes) -> None:
    """Deletes the share of the object `obj` (its secret), and overwrites it in the file. The row with its commitment
    stays. The caller commits. Nothing happens if the object has none."""
    h = s.shares.c
    with _overwriting(c):
        c.execute(update(s.shares).where(h.room == room, h.obj == obj).values(share=None))


def forget_blobs(c: Connection, room: bytes, obj: bytes) -> int:
    """Deletes the rows of the complete parts of files of the object `obj`, whose bytes are deleted already. The room's
    size shrinks by theirs. The caller commits. Returns how many bytes that are, 0 for a second call."""
    b = s.blobs.c
    at = (b.room == room) & (b.obj == obj)
    freed = c.scalar(select(func.coalesce(func.sum(b.size_bytes), 0)).where(at)) or 0
    c.execute(delete(s.blobs).where(at))
    c.execute(update(s.rooms).where(s.rooms.c.room == room).values(size_bytes=s.rooms.c.size_bytes - freed))
    return freed


def add_counts(c: Connection, amounts: Mapping[Tally, int], day: int) -> None:
    """Adds each of `amounts` to its count of the day with the number `day` (days since 1970, UTC). A count that does
    not exist yet begins at 0. By these counts the rules limit what a device or a person may send, or add to a log, in a
    day. The caller commits."""
    rows = [{"what": t.what, "who": t.who, "day": day, "amount": amount} for t, amount in amounts.items()]
    if rows:
        _count.run(c, *rows)


def insert_rows(c: Connection, table: Any, rows: list[dict[str, Any]], refusal: StoreError | None = None) -> None:
    """Adds `rows` to `table` within the caller's transaction; nothing if there are none. A row is a dict of values by
    column name. If the primary key of one exists already, raises `refusal`, or Taken with the table's name if `refusal`
    is None; the caller then undoes the transaction. Any other broken constraint (a missing value) is an IntegrityError:
    a fault of the caller."""
    if not rows:
        return
    try:
        c.execute(insert(table), rows)
    except IntegrityError as e:
        if getattr(e.orig, "sqlite_errorcode", 0) not in _EXISTS:
            raise
        raise (refusal or Taken(table.name)) from e


def columns(row: Any) -> dict[str, Any]:
    """The values of a row of base.py or restored.py by column."""
    return {field: getattr(row, field) for field in row.__slots__}


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


def count(c: Connection, column: Any) -> int:
    """The number of rows in a column's table."""
    return c.scalar(select(func.count(column))) or 0
