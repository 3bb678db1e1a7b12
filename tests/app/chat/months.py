# SPDX-License-Identifier: EUPL-1.2
"""Two desks whose clock a test sets (November 2026 at first), and objects that are announced as months of a chat."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.chat.records import MessageSent, Record
from app.chat.records import encode as chat_record
from app.core import clock as core_clock
from app.core.ids import ChangeId, DevId, ObjId, RoomId, Uid, new_change
from app.core.months import month_of
from app.rooms.records import ObjectAnnounced, encode
from sync.client.ports import OpenedChange
from sync.client.received import ReceivedSlice
from sync.trust.room.envelope import object_of
from tests.office import CHANNEL, EK, HL, ROOM, Desk, desk

JANUARY = 12 * 2026


def at(year: int, month: int, day: int = 10, hour: int = 12) -> int:
    """A time in ms, in UTC."""
    return int(datetime(year, month, day, hour, tzinfo=UTC).timestamp() * 1000)


class Clock:
    """The clock of all desks of a test."""

    def __init__(self, now_ms: int) -> None:
        self.now_ms = now_ms


@contextmanager
def set_to(now_ms: int) -> Iterator[Clock]:
    made = Clock(now_ms)
    restore = core_clock.set_clock(lambda: made.now_ms)
    yield made
    restore()


NOVEMBER, DECEMBER = at(2026, 11), at(2026, 12)


@pytest.fixture
def clock() -> Iterator[Clock]:
    with set_to(NOVEMBER) as made:
        yield made


@pytest.fixture
def hl(clock: Clock, tmp_path: Path) -> Iterator[Desk]:
    made = desk(tmp_path / "hl", HL)
    yield made
    made.close()


@pytest.fixture
def ek(clock: Clock, tmp_path: Path) -> Iterator[Desk]:
    made = desk(tmp_path / "ek", EK)
    yield made
    made.close()


def share_of(number: int) -> bytes:
    return b"%032d" % number


def months_object(number: int) -> ObjId:
    """An object whose id is bound to the room."""
    return object_of(ROOM, share_of(number))


def announced(
    obj: ObjId,
    n: int,
    t: int,
    *,
    period: int | None = None,
    series: ObjId = CHANNEL,
    kind: str = "chat",
    baseline: bool = False,
) -> OpenedChange:
    """A member's record that an object is part of the conversation, by default in the month of `t`."""
    record = ObjectAnnounced(obj=obj, kind=kind, series=series, period=month_of(t) if period is None else period)
    return _change(ObjId(ROOM), n, t, encode(record), baseline=baseline)


def written(
    obj: ObjId, n: int, t: int, record: str | Record, *, by: Uid = EK, change_id: ChangeId | None = None
) -> OpenedChange:
    """A member's message, or another record of theirs, in one object of the conversation."""
    record = MessageSent(text=record) if isinstance(record, str) else record
    return _change(obj, n, t, chat_record(record), by=by, change_id=change_id)


def _change(
    obj: ObjId, n: int, t: int, data: bytes, *, by: Uid = EK, change_id: ChangeId | None = None, baseline: bool = False
) -> OpenedChange:
    return OpenedChange(
        n=n, t=t, uid=by, dev=DevId(by), obj=obj, change_id=change_id or new_change(), payload=data, baseline=baseline
    )


def come(desk: Desk, *changes: OpenedChange, room: RoomId = ROOM) -> None:
    """The server sends these changes, in one slice."""
    last = max(change.n for change in changes)
    written_to = {change.obj for change in changes}
    shares = [(obj, share_of(n)) for n in range(30) if (obj := months_object(n)) in written_to]
    desk.store.receive(ReceivedSlice(room=room, cursor=last, state=b"", changes=list(changes), shares=shares))


def texts(desk: Desk) -> list[str]:
    timeline = desk.chat.timeline(ROOM)
    return [timeline.message(index).text for index in range(len(timeline))]


def counting(desk: Desk) -> Sequence[ObjId]:
    return [part.obj for part in desk.store.series.all(ROOM) if part.counts]


def write_apart(desk: Desk, text: str) -> ObjId:
    """Writes a message of the desk's person in December, in an object that turns out to be the ninth of the month and
    so does not count; the server has placed it there. Returns that object."""
    desk.chat.send(ROOM, text)
    rows = desk.store.pending(10)
    come(desk, *(announced(months_object(number), 10 + number, DECEMBER) for number in range(8)))
    back = [written(row.obj, 30 + i, DECEMBER, "", by=HL) for i, row in enumerate(rows)]
    come(desk, *(replace(p, change_id=r.change_id, payload=r.payload) for p, r in zip(back, rows, strict=True)))
    assert desk.chat.stranded(ROOM).apart == 1
    return rows[-1].obj
