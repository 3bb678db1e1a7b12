# SPDX-License-Identifier: EUPL-1.2
"""A draft is made on the room's state at one moment. Items that are placed between the draft and its receipt by the
server lead to another draft, never to an error that a person reads."""

import pytest

from app.core.ids import ObjId
from app.rooms.records import RoomNamed
from app.rooms.records import encode as record
from sync.client.exchange.outbox import Outbox
from sync.client.room.room_sync import RoomSync
from sync.trust.room.entries import RoomEntry
from sync.trust.room.entry_drafts import Draft
from tests.world import World, until


async def test_a_message_that_moves_a_pin_before_a_rotation_arrives_leads_to_another_draft(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A message is no entry, so the rotation is no conflict: only its recipients are out of date."""
    head, clerk = await w.hire("Enhetschef", "Handläggare")
    room = await w.room(head, clerk)
    away = await w.second(clerk)
    await w.settle(room, head, clerk, away)
    rotations = 0
    append = Outbox.append

    async def late(outbox: Outbox, at: RoomSync, draft: Draft) -> None:
        nonlocal rotations
        if outbox is head.engine.parts.outbox:
            rotations += 1
            if rotations == 1:  # the first message of a device that is new to the room
                away.say(room, ObjId(room), record(RoomNamed(title="Ärende", type="case")))
                await until(lambda: not away.store.waiting_count())
        await append(outbox, at, draft)

    monkeypatch.setattr(Outbox, "append", late)
    before = head.engine.parts.link.rooms[room].stream.epoch
    await head.engine.operations.rotate(room)
    assert rotations == 2
    assert head.engine.parts.link.rooms[room].stream.epoch == before + 1
    await w.settle(room, head, clerk, away)


async def test_a_draft_sees_nothing_of_what_is_accepted_while_it_is_made(w: World) -> None:
    """▲ A thread drafts while the loop accepts: recipients and predecessor are of the same moment."""
    head, clerk = await w.hire("Enhetschef", "Handläggare")
    room = await w.room(head, clerk)
    await w.settle(room, head, clerk)
    at = head.engine.parts.link.rooms[room]
    drafter = head.engine.parts.outbox.drafter(at)
    first = drafter.rotate()
    await clerk.engine.operations.leave(room)
    await until(lambda: clerk.uid not in at.stream.members)
    again = drafter.rotate()
    one, two = (RoomEntry.decode(draft.entries[0][0]) for draft in (first, again))
    assert (one.seq, one.prev) == (two.seq, two.prev)
    assert one.epoch is not None
    assert two.epoch is not None
    assert one.epoch.recip == two.epoch.recip
