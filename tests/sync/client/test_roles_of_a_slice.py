# SPDX-License-Identifier: EUPL-1.2
"""What a change may do depends on its author's role at its position, also if many changes come with the role."""

from app.core.enums import Role
from sync.client.room.room_sync import CHUNK
from tests.journeys.bad_input.checks import two
from tests.world import World, until


async def test_the_entries_of_a_slice_are_stored_with_the_first_of_its_many_changes(w: World) -> None:
    a, b, room, obj = await two(w)
    await b.offline()
    await a.engine.operations.set_role(room, b.uid, Role.ADMIN)
    with a.store.transaction():
        for n in range(CHUNK + 8):
            a.say(room, obj, "%d åäö 🙂".encode() % n)
    await until(lambda: a.store.waiting_count() == 0)
    roles: list[object] = []
    sql = "SELECT role FROM events WHERE room = ? AND kind = 'role' AND subject = ?"
    b.store.changes.received.connect(lambda changes: roles.append(b.store.db.value(sql, (room, b.uid))))
    b.online()
    await until(lambda: b.texts(obj) == a.texts(obj))
    assert len(roles) > 1, "the changes are stored in parts"
    assert set(roles) == {Role.ADMIN}
