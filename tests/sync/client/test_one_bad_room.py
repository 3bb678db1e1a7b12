# SPDX-License-Identifier: EUPL-1.2
"""A room that this program cannot follow stops alone: the account opens, and its other rooms continue."""

from collections.abc import Sequence
from typing import Any

import pytest

from app.core.ids import ObjId, RoomId
from sync.client.exchange.snapshot_maker import _one_object
from sync.client.room.room_phase import UnlistedTransition
from sync.client.room.room_sync import RoomSync
from sync.client.status import LinkState, RoomState
from sync.errors import BugError, Refused, Reject, Unreachable
from sync.trust.formats.items import Item
from sync.trust.room import state_codec
from sync.trust.room.stream import Accepted, RoomStream
from tests.world import Client, World, until

WORDS = "Beslutet är fattat 🙂".encode()


async def _goes_on(a: Client, b: Client, room: RoomId) -> None:
    """What one member writes in a room reaches the other."""
    a.say(room, ObjId(room), WORDS)
    await until(lambda: WORDS in [c.data for c in b.received if c.room == room])
    await until(lambda: b.engine.status.state is LinkState.ONLINE)  # notified when it is flushed


async def test_attack_a_room_whose_stored_state_cannot_be_read_stops_alone(w: World) -> None:
    """Audit finding 2: a state of over 64 MiB locked its members out of their whole account."""
    a, b = await w.hire("Handläggare", "Registrator")
    bad, good = await w.room(a, b), await w.room(a, b)
    with b.store.transaction():
        b.store.db.conn.execute("UPDATE streams SET state = ? WHERE room = ?", (b"\xff" * 64, bad))
    await b.restart()
    assert b.engine.room_state(bad) is RoomState.UNREADABLE
    assert b.engine.blocked(bad) == "unreadable"
    await _goes_on(a, b, good)
    assert b.engine.room_state(bad) is RoomState.UNREADABLE  # also after the server has listed it


@pytest.mark.parametrize("fault", [RecursionError(), BugError("an invariant")], ids=["recursion", "invariant"])
async def test_attack_a_room_that_this_program_fails_to_judge_stops_alone(
    w: World, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    """A `BugError` has a code, as a lost line has one: it ended each session, and no room was received any more."""
    a, b = await w.hire("Handläggare", "Registrator")
    bad, good = await w.room(a, b), await w.room(a, b)
    real = RoomSync.judge

    def judge(self: RoomSync, items: Sequence[Item]) -> list[Accepted]:
        if self.room == bad and self is b.engine.parts.link.rooms[bad]:
            raise fault
        return real(self, items)

    monkeypatch.setattr(RoomSync, "judge", judge)
    a.say(bad, ObjId(bad), WORDS)
    await until(lambda: b.engine.room_state(bad) is RoomState.UNREADABLE)
    await _goes_on(a, b, good)
    monkeypatch.undo()
    await b.restart()  # the next program may be able to
    await until(lambda: WORDS in b.texts(ObjId(bad)))


async def test_attack_a_state_that_grew_too_large_stops_its_room_alone(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = await w.hire("Handläggare", "Registrator")
    bad, good = await w.room(a, b), await w.room(a, b)
    real: Any = RoomStream.to_bytes

    def to_bytes(self: RoomStream) -> bytes:
        if self is b.engine.parts.link.rooms[bad].stream:
            raise Reject(*state_codec.STATE_TOO_LARGE)
        return bytes(real(self))

    monkeypatch.setattr(RoomStream, "to_bytes", to_bytes)
    a.say(bad, ObjId(bad), WORDS)
    await until(lambda: b.engine.room_state(bad) is RoomState.UNREADABLE)
    await _goes_on(a, b, good)


def test_attack_a_state_that_cannot_be_computed_stops_no_other() -> None:
    with _one_object(ObjId(bytes(16))):
        raise RecursionError
    with _one_object(ObjId(bytes(16))):
        raise BugError("a rule of ours is broken")
    for fault in (Unreachable("the line"), Refused("quota"), Reject("malformed"), UnlistedTransition("in tests")):
        with pytest.raises(type(fault)), _one_object(ObjId(bytes(16))):
            raise fault
