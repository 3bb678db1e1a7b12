# SPDX-License-Identifier: EUPL-1.2
"""A program that does not know some of today's records stores them and goes on; a later program reads them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from app.core.enums import Role, RoomType
from app.core.ids import ChangeId, DevId, ObjId, Uid
from app.errors import BadChange
from app.objects.kind import Kind
from app.objects.object import Payload
from app.personal import records as personal
from app.rooms import projection
from app.rooms import records as room_records
from app.store.rows import StoredChange
from app.store.store import Store
from sync.client.ports import MemberRow, OpenedChange
from sync.client.received import Received, ReceivedSlice
from tests.office import EK, HL, ROOM

DOCUMENT = ObjId(b"d" * 16)
RECORDS: list[room_records.Record] = [
    room_records.RoomNamed(title="Tillsyn å 🙂", type="case"),
    room_records.ObjectAnnounced(obj=DOCUMENT, kind="note"),
    room_records.ObjectRetired(obj=DOCUMENT, on=True),
    room_records.PersonInvited(uid=EK, title="Tillsyn å 🙂", type="case", text="Välkommen"),
    room_records.RoomNamed(title="Tillsyn ö", type="case"),
]
LACKING: Any = room_records.RoomNamed | room_records.ObjectAnnounced


@contextmanager
def opened(path: Path, version: int, format_: int = 1) -> Iterator[Store]:
    """`version`: that of the program's read model of rooms; `format_`: that of rooms' records."""
    room = replace(projection.KIND, version=version, format=format_)
    kinds = {room.id: room, "note": Kind(id="note", project=_nothing)}
    key = bytes(range(32))
    store = Store.open(path, key, kinds) if path.exists() else Store.create(path, key, kinds)
    store.set_me(HL)
    try:
        yield store
    finally:
        store.close()


def _nothing(*_: object) -> None:
    pass


def received(*datas: bytes) -> Received:
    changes = [
        OpenedChange(
            n=n, t=n, uid=EK, dev=DevId(EK), obj=ObjId(ROOM), change_id=ChangeId(bytes([n]) * 16), payload=data
        )
        for n, data in enumerate(datas, start=3)
    ]
    members = [MemberRow(uid=uid, role=Role.OWNER, since_n=1, history=True) for uid in (HL, EK)]
    return ReceivedSlice(room=ROOM, cursor=2 + len(datas), state=b"", members=members, changes=changes)


@pytest.mark.parametrize("raised", [(2, 1), (1, 2)], ids=["its tables changed too", "its format alone"])
def test_a_program_that_lacks_some_of_todays_room_records_shows_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, raised: tuple[int, int]
) -> None:
    datas = [room_records.encode(record) for record in RECORDS]
    with monkeypatch.context() as older:
        older.setattr(room_records, "_PAYLOAD", Payload(LACKING))
        with opened(tmp_path / "store.db", 1) as store:
            store.receive(received(*datas))
            (room,) = store.rooms_list.all()
            assert room.title == "Tillsyn ö"
            assert [o.obj for o in store.objects.all(ROOM, "note")] == [DOCUMENT]
            assert [code for _, code in store.changes.unprojected(ROOM)] == ["format-newer"] * 2
            assert store.held_changes.newer_count(ROOM) == 2
            assert store.held_changes.void_counts(ROOM) == []
            assert [c.data for c in store.changes.of(ObjId(ROOM))] == datas  # kept as they came
    with opened(tmp_path / "store.db", *raised) as store:
        assert store.objects.all(ROOM, "note") == []  # retired, as today's program knows
        assert store.changes.unprojected(ROOM) == []
        assert store.held_changes.newer_count(ROOM) == 0


def test_a_room_of_a_type_that_a_newer_program_knows_is_a_plain_room_with_its_title_and_keeps_its_type(
    tmp_path: Path,
) -> None:
    named = room_records.RoomNamed(title="Remiss å 🙂", type="referral")
    with opened(tmp_path / "store.db", 1) as store:
        store.receive(received(room_records.encode(named)))
        (room,) = store.rooms_list.all()
        assert (room.title, room.type, room.written_type) == ("Remiss å 🙂", RoomType.GROUP, "referral")
        assert store.changes.unprojected(ROOM) == []


@pytest.mark.parametrize("type_", ["", "x" * (room_records.MAX_TYPE + 1)])
def test_a_room_type_of_no_letters_or_too_many_is_a_bad_record(type_: str) -> None:
    with pytest.raises(BadChange) as e:
        room_records.decode(room_records.encode(room_records.RoomNamed(title="Åäö", type=type_)))
    assert e.value.code == "bad-record"


def test_a_program_that_lacks_some_of_todays_personal_records_follows_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    emitted: list[personal.Record] = [
        personal.DeviceNamed(dev=b"a" * 16, name="Bärbar å"),
        personal.PersonBlocked(uid=EK, on=True),
        personal.InvitationAnswered(room=bytes(ROOM), n=3, answer="accepted"),
        personal.DeviceNamed(dev=b"a" * 16, name="Bärbar ö 🙂"),
    ]
    changes = [
        StoredChange(
            rowid=n,
            room=ROOM,
            obj=ObjId(ROOM),
            change_id=ChangeId(bytes([n]) * 16),
            author=HL,
            t=n,
            n=n,
            data=personal.encode(record),
        )
        for n, record in enumerate(emitted, start=1)
    ]
    monkeypatch.setattr(personal, "_PAYLOAD", Payload(personal.DeviceNamed | personal.PersonBlocked))
    found = personal.fold(changes, ROOM)
    assert found.names == {DevId(b"a" * 16): "Bärbar ö 🙂"}
    assert found.blocked == {Uid(EK)}
    assert found.answers == {}
    with pytest.raises(BadChange) as e:
        personal.decode(changes[2].data)
    assert e.value.code == "format-newer"


def test_a_room_record_of_another_format_or_type_is_a_newer_programs() -> None:
    later = msgspec.msgpack.encode({"is": "pinned", "obj": DOCUMENT, "more": [1, {"å": "ö 🙂"}]})
    for data in (b"\x01" + later, b"\x02" + later):
        with pytest.raises(BadChange) as e:
            room_records.decode(data)
        assert e.value.code == "format-newer"
    more = msgspec.msgpack.encode({"is": "retired", "obj": DOCUMENT, "on": True, "why": "ett fält till"})
    assert room_records.decode(b"\x01" + more) == room_records.ObjectRetired(obj=DOCUMENT, on=True)
