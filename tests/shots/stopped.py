# SPDX-License-Identifier: EUPL-1.2
"""What cannot be undone, for the pictures that are taken late: rooms whose history the story's server divided, and a
member who was added from now on."""

import time

from app.chat.tool import TOOL as CHAT
from app.core.enums import Role
from app.core.ids import RoomId
from app.rooms.succession import Standing
from sync.client.status import RoomState
from sync.protocol.messages import Receipt
from sync.server.host.identity import read_identity
from sync.trust.room import signed_receipts
from sync.trust.room.signed_receipts import Proof
from tests.shots.story import Story
from tests.world import until


def stop(story: Story, room: RoomId) -> None:
    """The room is divided for the case handler: the server's key has signed two histories. Twice does no harm."""
    me = story.me
    if me.rooms.room(room).sealed_state == "fork":
        return
    at = me.engine.standing(room)
    assert at is not None
    now = time.time_ns() // 1_000_000
    server = read_identity(story.offices.w.data, now)

    def proof(rh: bytes) -> bytes:
        sig = signed_receipts.sign(server.key, room, at.n, rh, now)
        return Proof(Receipt(room, at.n, rh, now, sig), server.cert).encode()

    me.store.put_evidence(room, "fork", proof(at.rh), proof(at.rh[::-1]), None)
    me.engine.parts.link.rooms[room].stop(RoomState.FORK)
    me.on_room(room)


def restore(story: Story, room: RoomId) -> None:
    """The server was restored and lacks what it confirmed in this room."""
    me = story.me
    me.store.put_evidence(room, "restored", None, None, None)
    me.engine.parts.link.rooms[room].stop(RoomState.RESTORED)
    me.on_room(room)


async def go_on(story: Story, room: RoomId) -> RoomId:
    """The successor of a stopped room, with everything in it and everybody invited."""
    me = story.me
    standing: Standing = me.succession.standing(room)
    if not standing.successors:
        await me.succession.open(room)
        await until(lambda: not me.store.origins.unfinished())
        standing = me.succession.standing(room)
    successor = standing.successors[0].room
    await until(lambda: bool(me.service(CHAT).channel(successor)) and me.status.waiting == 0)
    return successor


async def propose_history(story: Story, room: RoomId) -> None:
    """The registrar is in the room from now on, and the head of unit proposes that they read everything."""
    me, registrar = story.me, story.uid(story.registrar)
    if me.rooms.history_proposals(room):
        return
    await me.rooms.remove(room, registrar)
    await me.rooms.add(room, registrar, Role.WRITER, False)
    await until(lambda: story.head.rooms.history_refusal(room, registrar) is None)
    await story.head.rooms.propose_history(room, registrar)
    await until(lambda: bool(me.rooms.history_proposals(room)))
