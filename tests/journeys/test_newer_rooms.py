# SPDX-License-Identifier: EUPL-1.2
"""A room of a type that only a newer program knows: it is used like any other, and stays what it is."""

import pytest

from app.core.enums import Role, RoomType
from app.core.ids import ObjId
from app.rooms.records import RoomNamed, encode
from tests.journeys.desks import Offices
from tests.world import until

pytestmark = pytest.mark.slow


async def test_a_room_of_an_unknown_type_is_renamed_and_joined_and_keeps_its_type(o: Offices) -> None:
    """To rename the room or to add a colleague, this program writes title and type again: the type that it does not
    know."""
    desk, colleague = await o.hire("Handläggare", "Registrator")
    session = desk.session
    room = await session.rooms.create("Remiss å 🙂", RoomType.CASE)
    session.store.changes.append(room, ObjId(room), encode(RoomNamed(title="Remiss å 🙂", type="referral")))
    assert session.rooms.room(room).type is RoomType.GROUP
    session.rooms.rename(room, "Remiss ö")
    await session.rooms.add(room, colleague.session.people.me.uid, Role.WRITER, False)  # is given the present state
    rows = [at.session.store.rooms_list for at in (desk, colleague)]
    await until(lambda: any(r.title == "Remiss ö" for r in rows[1].all()))
    found = [row for at in rows for row in at.all() if row.title]
    assert [(row.type, row.written_type) for row in found] == [(RoomType.GROUP, "referral")] * 2
