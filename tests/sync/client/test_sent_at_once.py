# SPDX-License-Identifier: EUPL-1.2
"""What is sent right after its commit: once for each room, and on another line if this one fails under it."""

import pytest

from app.core.ids import new_obj
from sync.client.wire.egress import WebSocketTransport
from sync.protocol import messages as m
from sync.protocol.codec import decode_client
from tests.journeys.bad_input.checks import HELLO
from tests.sync.client.test_one_transaction import begin, encrypted, ready
from tests.world import World, until


async def test_batches_of_several_rooms_in_one_transaction_are_sent_once_each(w: World) -> None:
    a, b, room, obj, _ = await begin(w)
    other, there = await w.room(a, b), new_obj()
    await w.settle(other)
    await ready(a, other)
    pushed: list[bytes] = []

    def note(data: bytes, outwards: bool) -> list[bytes]:
        frame = decode_client(data) if outwards else None
        pushed.extend(frame.bodies[:1] if isinstance(frame, m.Push) else [])
        return [data]

    a.wire.spoil = note
    with a.store.transaction():
        a.say(room, obj, b"1")
        a.say(other, there, b"2")
    batches = [encrypted(a, each) for each in (room, other)]
    await w.settle(room)
    await w.settle(other)
    assert [batch is not None and pushed.count(batch.bodies[0]) for batch in batches] == [1, 1]
    assert (b.texts(obj)[-1], b.texts(there)) == (b"1", [b"2"])


async def test_a_line_that_fails_under_the_frame_does_not_refuse_the_change(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was committed is sent on the next connection, and nobody is shown an error."""
    a, b, room, obj, _ = await begin(w)
    line = a.wire.open_lines[-1]
    assert isinstance(line, WebSocketTransport)

    def fail() -> None:
        raise OSError

    monkeypatch.setattr(line._socket, "send_data", fail)
    a.say(room, obj, HELLO)
    await until(lambda: a.wire.open_lines[-1] is not line)
    await w.settle(room)
    assert b.texts(obj)[-1] == HELLO
