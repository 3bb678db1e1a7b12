# SPDX-License-Identifier: EUPL-1.2
"""A note of something unfinished that cannot be read, such as one of a later version, stops nothing."""

import pytest

from app.core.enums import RoomType
from tests.journeys.desks import Offices

TITLE = "Skyddade uppgifter å 🙂"


@pytest.mark.parametrize("text", ["{", "[]", '{"t": "å"}', "null"])
async def test_a_note_that_cannot_be_read_keeps_nobody_out(o: Offices, text: str) -> None:
    a, b = await o.hire("Handläggare", "Registrator")
    case = await o.room(a, b)
    [person] = await a.session.people.search("Registrator")
    notes = a.session.store.notes
    names = [f"adding-{case.hex()}-{person.uid.hex()}", "adding-å", f"direct-{person.uid.hex()}", "within-å"]
    names.append(f"within-{case.hex()}")
    for name in names:
        notes.set(name, text)
    await a.restart()
    assert case in [each.room for each in a.session.rooms.rooms()]
    room = await a.session.direct_rooms.open(person)
    assert a.session.rooms.room(room).type is RoomType.DIRECT
    assert await a.session.direct_rooms.open(person) == room
    made = await a.session.nesting.make(case, TITLE, [person.uid])
    assert made.left_out == ()
    assert a.session.store.notes.all("adding-") == {}
    assert a.session.store.notes.all("within-") == {}
