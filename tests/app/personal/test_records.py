# SPDX-License-Identifier: EUPL-1.2
"""What devices share with each other: the latest by position counts, and records that are none of ours are ignored."""

from dataclasses import replace

import pytest

from app.core.ids import ChangeId, ObjId, RoomId, Uid
from app.errors import BadChange
from app.personal.records import (
    Alive,
    Answer,
    DeviceNamed,
    DeviceRuns,
    InvitationAnswered,
    PersonMarked,
    Record,
    Runs,
    decode,
    encode,
    fold,
)
from app.store.rows import StoredChange

DEV = b"d" * 16
GENESIS = b"g" * 32


ROOM, SECOND = RoomId(b"r" * 16), RoomId(b"s" * 16)


def change(row: int, record: Record, n: int | None, *, room: RoomId = ROOM, t: int | None = None) -> StoredChange:
    return StoredChange(
        rowid=row,
        room=room,
        obj=ObjId(b"o" * 16),
        change_id=ChangeId(bytes([row]) * 16),
        author=Uid(b"m" * 16),
        t=t if t is not None else n or row,
        n=n,
        data=encode(record),
    )


def test_the_latest_by_position_counts_and_what_has_none_yet_comes_last() -> None:
    shared = fold(
        [
            change(1, DeviceNamed(dev=DEV, name="sist skriven, utan plats"), None),
            change(2, DeviceNamed(dev=DEV, name="nyare"), 9),
            change(3, DeviceNamed(dev=DEV, name="äldre, kom senare"), 4),
            change(4, DeviceRuns(dev=DEV, system="Debian 13", version="1"), 5),
            change(5, PersonMarked(uid=GENESIS[:16], genesis=GENESIS, on=True, t=7), 6),
            change(6, PersonMarked(uid=GENESIS[:16], genesis=GENESIS, on=False, t=8), 3),
            change(7, Alive(), 10),
        ],
        ROOM,
    )
    assert list(shared.names.values()) == ["sist skriven, utan plats"]
    assert list(shared.runs.values()) == [Runs(system="Debian 13", version="1")]
    assert [(m.on, m.t) for m in shared.marks.values()] == [(True, 7)]


def test_a_room_that_replaces_another_begins_its_positions_again_and_its_records_count() -> None:
    forked = [
        change(1, DeviceNamed(dev=DEV, name="först"), 500, t=1000),
        change(2, DeviceNamed(dev=DEV, name="aldrig sänt"), None, t=1500),
    ]
    renamed = change(3, DeviceNamed(dev=DEV, name="nytt namn"), 3, room=SECOND, t=2000)
    waiting = change(4, DeviceNamed(dev=DEV, name="nyast"), None, room=SECOND, t=1)
    assert fold(forked, SECOND).names == {DEV: "aldrig sänt"}
    assert fold([*forked, renamed], SECOND).names == {DEV: "nytt namn"}
    assert fold([*forked, renamed, waiting], SECOND).names == {DEV: "nyast"}


def test_of_two_rooms_made_at_once_the_latest_record_counts_in_either() -> None:
    before = change(1, DeviceNamed(dev=DEV, name="i den yngre"), 9, room=SECOND, t=1000)
    later = change(2, DeviceNamed(dev=DEV, name="i den äldre"), 4, t=2000)
    assert fold([before, later], ROOM).names == {DEV: "i den äldre"}


def test_what_cannot_be_read_is_left_out() -> None:
    good = change(1, DeviceNamed(dev=DEV, name="Tornet"), 1)
    bad = [replace(good, rowid=2, n=2, data=data) for data in (b"", b"\x02", b"\x01\xff", b"\x01\x81\xa4type\xa5named")]
    assert list(fold([good, *bad], ROOM).names.values()) == ["Tornet"]


@pytest.mark.parametrize(
    "record",
    [
        DeviceNamed(dev=b"short", name="x"),
        DeviceNamed(dev=DEV, name=""),
        DeviceNamed(dev=DEV, name="x" * 65),
        DeviceRuns(dev=DEV, system="x" * 121, version="1"),
        PersonMarked(uid=b"u" * 16, genesis=GENESIS, on=True, t=1),
        PersonMarked(uid=GENESIS[:16], genesis=GENESIS[:31], on=True, t=1),
    ],
)
def test_what_breaks_a_limit_is_refused(record: Record) -> None:
    with pytest.raises(BadChange):
        decode(encode(record))


def test_an_answer_has_the_servers_time_once_it_has_a_position() -> None:
    answered = InvitationAnswered(room=bytes(ROOM), n=3, answer="accepted")
    assert fold([change(1, answered, 9, t=70)], ROOM).answers == {ROOM: Answer(answer="accepted", n=3, t=70)}
    assert fold([change(1, answered, None, t=70)], ROOM).answers == {ROOM: Answer(answer="accepted", n=3)}
