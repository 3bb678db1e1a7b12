# SPDX-License-Identifier: EUPL-1.2
"""Wrote tests/vectors/store-22.db: a store with something in every table that needs explaining."""

from dataclasses import replace
from pathlib import Path

from app.core.enums import Role
from app.core.ids import ChangeId, Hash, ObjId, PartId, RoomId, Uid
from app.core.months import month_of
from app.store import counters, notice_rows, own_waiting, read_positions, reminder_rows, rooms, series, titles
from app.store.cached_parts import WantedPart
from app.store.counters import Counter, Latest
from app.store.layout import VERSION
from app.store.notice_rows import Notice, NoticeId, NoticeKind, NoticeState
from app.store.origins import Step
from app.store.reminder_rows import GONE, WAITS, ReminderId, ReminderRow
from app.store.store import Store
from app.store.working_copies import ChangedCopy, FileOfMessage, OpenedCopy
from sync.client.placed_changes import Compacted
from sync.client.ports import KeptReceipt, MemberRow, OpenedChange, OpenedHeartbeat, OpenedSnapshot, RoomEvent
from sync.client.received import BegunObject, OpenedUpTo, ReceivedSlice
from sync.trust.formats.items import Item
from sync.trust.room.successor_claim import Origin
from tests.app.store.conftest import DEV, KINDS

ME, OTHER, THIRD = Uid(b"M" * 16), Uid(b"O" * 16), Uid(b"Q" * 16)
ROOM, SUCCESSOR, STATES = RoomId(b"R" * 16), RoomId(b"S" * 16), RoomId(b"T" * 16)
CHAT, MONTH, AHEAD, T = ObjId(b"C" * 16), ObjId(b"F" * 16), ObjId(b"A" * 16), 1_795_500_000_000
NOTE, BEGUN, COMPUTED = ObjId(b"N" * 16), ObjId(b"B" * 16), ObjId(b"P" * 16)
ITEMS = [Item(3, 30, 1, b"entry 3", b"s" * 64, None), Item(4, 40, 2, b"envelope 4", b"s" * 64, b"sealed 4")]


def write(path: Path) -> None:
    """A room with notes, receipts and evidence; its successor; a room that began at a snapshot; people's keys."""
    assert VERSION == 22
    store = Store.create(path, bytes(range(32)), KINDS)
    store.set_me(ME)
    store.save_account(b"account")
    _people(store)
    _room(store)
    _notices(store)
    origin = Origin(room=ROOM, n=9, rh=Hash(b"9" * 32))
    event = RoomEvent(n=1, t=1, kind="genesis", by=OTHER, origin=origin)
    store.receive(ReceivedSlice(room=SUCCESSOR, cursor=1, state=b"state", events=[event]))
    store.origins.set_step(SUCCESSOR, Step.FOLLOWED)
    state = Compacted(changes=(b"first piece", b"second piece"), digest=b"d" * 32)
    begun = OpenedSnapshot(n=12, t=1000, uid=OTHER, obj=BEGUN, covers=9, state=state)
    store.receive(OpenedUpTo(room=STATES, cursor=14, state=b"state", reread=14))
    store.receive(BegunObject(room=STATES, snapshot=begun))
    store.put_base(STATES, COMPUTED, 7, Compacted(changes=(b"whole",), digest=b"e" * 32))
    wanted = [
        WantedPart(part=PartId(bytes([n]) * 16), room=ROOM, obj=CHAT, digest=bytes([n]) * 32, size=5) for n in (1, 2, 3)
    ]
    store.cached.reserve(wanted[0])
    store.cached.pin(wanted[1:])
    with store.transaction() as conn:
        for n, name in ((1, "received"), (2, "pinned")):
            conn.execute("UPDATE cached_parts SET name = ?, used = 7 WHERE digest = ?", (name, bytes([n]) * 32))
        conn.execute("UPDATE cached_parts SET used = 7")
        conn.execute("INSERT INTO uncached (name) VALUES ('removed')")
        conn.execute("INSERT INTO destroying (room, obj) VALUES (?, ?)", (ROOM, b"destroyed object"))
        write = (1, "note", ROOM, NOTE, CHAT)
        conn.execute("INSERT INTO long_writes (number, kind, room, obj, retires) VALUES (?, ?, ?, ?, ?)", write)
        conn.execute("INSERT INTO long_write_changes (number, place, data) VALUES (1, 7, ?)", ("Kopia å 🙂".encode(),))
    store.cached.pin_room(STATES, True)
    _copies(store)
    store.close()


def _copies(store: Store) -> None:
    of = FileOfMessage(room=ROOM, obj=CHAT, message=ChangeId(b"m" * 16), number=1, name="Beslut åäö 🙂.docx")
    opened = OpenedCopy(
        copy=b"o" * 16, folder="/run/user/1/kansli/6f", file="Kopia 1.docx", of=of, digest=b"d" * 32, is_whole=True
    )
    store.copies.put(opened)
    changed = ChangedCopy(
        id=b"c" * 16,
        copy=opened.copy,
        file=opened.file,
        of=of,
        size=5,
        t=7,
        digest=b"e" * 32,
        manifest=b"manifest",
        parts=("first", "second"),
    )
    assert store.copies.keep(changed)


def _room(store: Store) -> None:
    texts = [(ObjId(ROOM), b"announce" + NOTE + b"note"), (NOTE, "Hej åäö 🙂".encode())]
    changes = [
        OpenedChange(n=n, t=n, uid=OTHER, dev=DEV, obj=obj, change_id=ChangeId(bytes([n]) * 16), payload=data)
        for n, (obj, data) in enumerate(texts, start=3)
    ]
    members = [MemberRow(uid=u, role=r, since_n=1, history=True) for u, r in ((OTHER, Role.OWNER), (ME, Role.WRITER))]
    received = ReceivedSlice(
        room=ROOM,
        cursor=4,
        state=b"state",
        positions=[(n, b"%d" % n * 32) for n in range(1, 5)],
        events=[
            RoomEvent(n=1, t=1, kind="genesis", by=OTHER),
            RoomEvent(n=2, t=2, kind="rm", by=OTHER, subject=THIRD, note=b"sealed note"),
            RoomEvent(n=3, t=3, kind="add", by=OTHER, subject=ME, role=Role.WRITER, history=True),
        ],
        members=members,
        changes=changes,
        shares=[(NOTE, b"S" * 32)],
        items=ITEMS,
        void=[(2, THIRD, "forbidden")],
        heartbeats=[
            OpenedHeartbeat(n=4, t=4, uid=OTHER, dev=DEV, payload=b"what the device reads"),
            OpenedHeartbeat(n=4, t=4, uid=ME, dev=DEV, payload=b""),
        ],
    )
    store.put_keys(ROOM, [(1, b"K" * 32, b"A" * 32)])
    store.receive(received)
    store.changes.append(ROOM, NOTE, "Eget, väntar".encode())
    store.objects.set_draft(ROOM, NOTE, b"utkast")
    with store.transaction() as conn:
        read_positions.put(conn, NOTE, 1, 4, [3])
        own_waiting.put(conn, "settings", "theme", b"\x92\x01\xa4dark")
        latest = Latest(t=4, by=OTHER, preview="Hej åäö 🙂")
        counters.put(conn, ROOM, NOTE, Counter(unread=3, mentions=1, last=latest))
        for change in store.changes.of(NOTE)[:1]:
            titles.put(conn, change, "Bygglov åäö 🙂", "case")
        rooms.name(conn, ROOM, "", "", 1)
        series.announce(conn, ROOM, CHAT, None, None, row=0, n=3, t=T)
        series.announce(conn, ROOM, MONTH, CHAT, month_of(T) + 1, row=0, n=4, t=T)
        series.announce(conn, ROOM, AHEAD, CHAT, month_of(T) + 2, row=0, n=5, t=T)
    store.put_receipts([KeptReceipt(room=ROOM, n=9, proof=b"proof of 9")])
    store.put_evidence(ROOM, "rollback", b"proof of 9", b"proof of 4", None)
    store.put_evidence(ROOM, "fork", b"proof of 9", b"another proof of 9", b"what a member signed")
    store.set_problem(ROOM, "restored")


def _notices(store: Store) -> None:
    kind = NoticeKind(id="mention", asks=True, personal=True)
    made = [
        Notice(kind=kind, room=ROOM, obj=NOTE, key=key, by=OTHER, n=n, t=T, ref=b"ref", detail="code", row=n)
        for n, key in ((5, b"first"), (6, b"second"))
    ]
    with store.transaction() as conn:
        notice_rows.answer(conn, NOTE, 6)
        notice_rows.put(conn, ME, made)
        notice_rows.forget(conn, RoomId(b"L" * 16))
    store.notices.mark([made[1].id], NoticeState.SNOOZED, T + 1000)
    reminder = ReminderRow(
        id=ReminderId(b"m" * 16), generation=1, state=WAITS, at=T + 5000, room=ROOM, obj=NOTE, kind="note", ref=b"ref"
    )
    gone = replace(reminder, id=ReminderId(b"g" * 16), state=GONE, at=T, notice=made[0].id)
    with store.transaction() as conn:
        reminder_rows.put(conn, [reminder, gone])
    store.notices.apply({NoticeId(b"i" * 16): (NoticeState.DONE, None)}, T)


def _people(store: Store) -> None:
    for uid in (OTHER, THIRD):
        store.append_user_log(uid, 0, [(b"entry %d" % seq, b"s" * 64) for seq in range(3)])
        store.put_person(uid, {"name": "Registrator åäö", "title": "Registrator", "unit": "Registratur"}, b"salt")
    store.key_notices.begin(store.key_notices.new())
    store.people.set_verified(OTHER, True, t=7)
    store.append_user_log(OTHER, 3, [(b"entry 3", b"s" * 64)])
    store.key_notices.advance(OTHER, 3, [("device-added", 3)])
    store.key_notices.put(OTHER, "duplicate", other=THIRD)
    store.key_notices.put(THIRD, "reset", done=True)
    store.append_user_log(THIRD, 3, [(b"entry 3", b"s" * 64)])


if __name__ == "__main__":
    vector = Path(__file__).parent / "store-22.db"
    write(vector)
    vector.with_name(f"{vector.name}-merging").unlink()  # zeroes at rest: each opening makes it again
