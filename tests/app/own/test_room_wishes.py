# SPDX-License-Identifier: EUPL-1.2
"""Wishes about rooms of other devices are applied in parts, however many there are, and to rooms that come later."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.enums import Level, Role
from app.core.ids import RoomId
from app.own import key_queue
from app.own.room_wishes import RoomWishes
from app.store import rooms as room_rows
from sync.client.ports import MemberRow
from sync.client.received import ReceivedSlice
from tests.app.own.devices import Server
from tests.app.own.test_own_office_machine import Desk
from tests.app.own.test_reads_in_chat import CASE
from tests.office import HL, ROOM
from tests.world import until


@pytest.fixture
def two(tmp_path: Path) -> Iterator[tuple[Desk, Desk, Server]]:
    home, stolen = Desk(tmp_path / "home", 1), Desk(tmp_path / "stolen", 2)
    for desk in (home, stolen):
        desk.chat_begins()
        desk.opens()
    yield home, stolen, Server()
    home.close()
    stolen.close()


async def test_attack_the_wishes_of_a_stolen_device_are_applied_part_by_part(two: tuple[Desk, Desk, Server]) -> None:
    """20,000 of them held each start of the person's other devices up for half a second."""
    home, stolen, server = two
    home.list.set_favourite(CASE, False)
    home.own.flush()
    server.meet(home, stolen)
    _, model = stolen.own._present(ROOM)
    wishes = {f"{n:032x}/level": [home.now_ms, "nothing"] for n in range(1000)}
    with stolen.store.transaction():
        model.write(stolen.own.dev, 1, {"rooms": {**wishes, f"{CASE.hex()}/level": [home.now_ms, "nothing"]}})
    server.meet(home, stolen)
    asked: list[str] = []
    home.store.db.conn.set_trace_callback(asked.append)
    again = RoomWishes(home.own, home.list)
    again.start()
    home.store.db.conn.set_trace_callback(None)
    assert len([sql for sql in asked if "FROM rooms" in sql]) <= 2 * key_queue.AT_ONCE
    running = asyncio.ensure_future(again.run())
    await until(lambda: [row.level for row in home.store.rooms_list.all() if row.room == CASE] == [Level.NOTHING])
    running.cancel()
    again.close()


def test_a_room_that_a_device_receives_later_is_muted_and_a_favourite_there_at_once(
    two: tuple[Desk, Desk, Server],
) -> None:
    """A new device reads the person's own room before most of their others."""
    home, office, server = two
    late = RoomId(b"l" * 16)

    def receive_room(desk: Desk) -> None:
        with desk.store.transaction() as conn:
            room_rows.name(conn, late, "Senare å 🙂", "case", 1)
        member = MemberRow(uid=HL, role=Role.OWNER, since_n=0, history=True)
        desk.store.receive(ReceivedSlice(room=late, cursor=0, state=b"", members=[member]))

    receive_room(home)
    home.list.set_level(late, Level.MENTIONS)
    home.list.set_favourite(late, True)
    home.own.flush()
    server.meet(home, office)
    assert office.store.rooms_list.get(late) is None
    receive_room(office)
    row = office.store.rooms_list.get(late)
    assert row is not None
    assert (row.level, row.pinned) == (Level.MENTIONS, True)
