# SPDX-License-Identifier: EUPL-1.2
"""A server that says it has taken what was written, and has not: it stays here until the room's own stream shows it."""

from collections.abc import Callable, Sequence

from app.core.ids import RoomId
from sync.client.status import LinkState, RoomState
from sync.protocol import messages as m
from sync.protocol.codec import decode_client, decode_server, encode
from sync.server.host.identity import read_identity
from sync.server.rules.handshake import now_ms
from sync.trust.formats.items import ENVELOPE, item_id, next_rh
from sync.trust.room import signed_receipts
from tests.journeys.bad_input.checks import HELLO, explained, honest, nothing_lost, reconnect, stopped, two
from tests.world import Client, World, until


async def between(
    client: Client,
    out: Callable[[m.ClientFrame], Sequence[m.Frame]],
    back: Callable[[m.ServerFrame], Sequence[m.Frame]],
) -> None:
    """From a new connection on, somebody who can do everything that the server can sits on this client's line."""

    def spoil(data: bytes, is_out: bool) -> Sequence[bytes]:
        return [encode(f) for f in (out(decode_client(data)) if is_out else back(decode_server(data)))]

    client.wire.spoil = spoil
    await reconnect(client)
    await until(lambda: client.engine.status.state is LinkState.ONLINE)


async def test_attack_an_answer_for_somebody_elses_position_drops_nothing(w: World) -> None:
    """The push is kept back and answered with the receipt for what a colleague wrote: the stream bears it out."""
    a, b, room, obj = await two(w)
    kept_back: list[m.Push] = []

    def out(frame: m.ClientFrame) -> Sequence[m.Frame]:
        if isinstance(frame, m.Push):
            kept_back.append(frame)
            return []
        return [frame]

    def back(frame: m.ServerFrame) -> Sequence[m.Frame]:
        if isinstance(frame, m.Fresh) and kept_back:
            answer = m.Placed(kept_back[-1].rid, frame.receipt.n, 1, frame.receipt)
            return [frame, answer]
        return [frame]

    await between(b, out, back)
    b.say(room, obj, HELLO)
    await until(lambda: bool(kept_back))
    a.say(room, obj, b"av a")
    await stopped(b, room, RoomState.WITHHELD)
    explained(b.engine.blocked(room), "withheld")
    await nothing_lost(b, obj, [b"a", b"b", b"av a", HELLO], waiting=1)
    await honest(b)
    await w.settle(room)
    assert a.texts(obj) == b.texts(obj) == [b"a", b"b", b"av a", HELLO]


async def test_attack_what_is_given_a_position_where_it_is_void_is_sealed_anew(w: World) -> None:
    """The push is kept back until the room has another key, and gets its position after that."""
    a, b, room, obj = await two(w)
    pushed: list[m.Push] = []

    def out(frame: m.ClientFrame) -> Sequence[m.Frame]:
        if isinstance(frame, m.Push):
            pushed.append(frame)
            return []
        return [frame]

    def back(frame: m.ServerFrame) -> Sequence[m.Frame]:
        if isinstance(frame, m.Fresh) and frame.room == room and len(pushed) == 1:
            item, receipt = after(w, frame, pushed[0])
            return [frame, m.Fresh(room, [item], [], receipt), m.Placed(pushed[0].rid, item.n, 1, receipt)]
        return [frame]

    await between(b, out, back)
    b.say(room, obj, HELLO)
    await until(lambda: bool(pushed))
    await a.engine.operations.rotate(room)
    await until(lambda: len(pushed) == 2)
    assert b.store.waiting_count() == 1
    assert seqs(b, room) == [2, 3]
    assert b.store.inbox.void_items(room) == [(b.uid, 1)]  # the server's fault is told


def after(w: World, fresh: m.Fresh, push: m.Push) -> tuple[m.WireItem, m.Receipt]:
    """What was pushed at the position after these items, and the server's word for it."""
    last, key = fresh.receipt, read_identity(w.data, now_ms()).key
    n, (body,) = last.n + 1, push.bodies
    rh = next_rh(last.rh, n, last.t, ENVELOPE, item_id(ENVELOPE, body))
    receipt = m.Receipt(last.room, n, rh, last.t, signed_receipts.sign(key, last.room, n, rh, last.t))
    return m.WireItem(n, last.t, ENVELOPE, body, push.sig, push.cts[0]), receipt


def seqs(client: Client, room: RoomId) -> list[int]:
    """This device's newest positioned number, and the newest that it signed."""
    return [client.engine.parts.link.rooms[room].own_seq, client.store.burned(room)]
