# SPDX-License-Identifier: EUPL-1.2
"""Clients and a real server: which ephemeral messages (sent to the devices that are online, stored by none) a client
hands to its listener."""

import logging
from collections.abc import Sequence

import pytest

from app.core.ids import RoomId
from sync.client.ports import PRESENCE
from sync.ids import DevId
from sync.protocol import messages as m
from sync.protocol.codec import decode_server
from sync.server.rules.handshake import now_ms
from sync.trust.room.ephemeral import CALL, LEAST_ROLE, read
from tests.world import Client, World, until

TO_ALL, TO_ONE, NEW = "till alla å".encode(), "till en ä".encode(), "ny sort 🙂".encode()
NEWER = max(LEAST_ROLE) + 4


def dev_of(client: Client) -> DevId:
    return client.engine.parts.link.account.dev


def made(sender: Client, room: RoomId, kind: int, to: DevId | None) -> m.Ephemeral:
    """A message of this client, for a server that passes it on to anybody."""
    message = sender.engine.parts.link.rooms[room].ephemerals.seal(TO_ONE, now_ms(), kind, to)
    assert message is not None
    return m.Ephemeral(room, message.body, message.sig, message.ct)


async def test_a_message_to_one_device_reaches_it_alone(w: World) -> None:
    a, b, c = await w.hire("Handläggare", "Registrator", "Enhetschef")
    room = await w.room(a, b, c)

    def both_have_received() -> bool:  # sent again: a busy server forwards no ephemeral messages
        a.engine.send_ephemeral(room, TO_ONE, kind=PRESENCE, to=dev_of(b))
        a.engine.send_ephemeral(room, TO_ALL, kind=PRESENCE)
        return TO_ALL in c.ephemerals and {TO_ONE, TO_ALL} == set(b.ephemerals)

    await until(both_have_received)
    assert set(c.ephemerals) == {TO_ALL}
    assert a.ephemerals == []


async def test_attack_a_message_to_another_device_that_a_server_passes_on_is_dropped(w: World) -> None:
    a, b = await w.hire("Handläggare", "Registrator")
    room = await w.room(a, b)
    for to in (dev_of(b), DevId(bytes(16))):
        a.engine.parts.inbox.on_frame(made(b, room, CALL, to))
    assert a.ephemerals == []
    a.engine.parts.inbox.on_frame(made(b, room, CALL, dev_of(a)))
    a.engine.parts.inbox.on_frame(made(b, room, CALL, None))
    assert a.ephemerals == [TO_ONE, TO_ONE]


async def test_a_newer_programs_kind_passes_the_server_and_an_older_client_drops_it_silently(
    w: World, caplog: pytest.LogCaptureFixture
) -> None:
    a, b = await w.hire("Handläggare", "Registrator")
    room = await w.room(a, b)
    came: list[int] = []

    def note(data: bytes, out: bool) -> Sequence[bytes]:
        frame = None if out else decode_server(data)
        if isinstance(frame, m.Ephemeral):
            came.append(read(frame.body).kind)
        return [data]

    a.wire.spoil = note
    await a.offline()
    a.online()
    caplog.set_level(logging.DEBUG, "sync")
    caplog.clear()

    def both_have_come() -> bool:  # sent again: a busy server forwards no ephemeral messages
        b.engine.send_ephemeral(room, NEW, NEWER)
        b.engine.send_ephemeral(room, TO_ALL)
        return bool(a.ephemerals) and NEWER in came

    await until(both_have_come)
    assert set(a.ephemerals) == {TO_ALL}
    assert "ephemeral" not in caplog.text
