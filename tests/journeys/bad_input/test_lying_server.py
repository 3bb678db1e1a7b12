# SPDX-License-Identifier: EUPL-1.2
"""A server that lies about a room: forged, replayed, reordered, hidden, forked, rolled back. The room stops with a
state that a person understands, stays readable, keeps what waits, and goes on where the protocol lets it.
"""

import asyncio
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import pytest

from app.core.ids import DevId, ObjId, RoomId
from sync.client.status import LinkState, RoomState
from sync.crypto.signatures import SigningKey
from sync.protocol import messages as m
from sync.protocol.codec import decode_client
from sync.server.host.identity import read_identity
from sync.server.rules.handshake import now_ms
from sync.trust.formats.items import ENVELOPE, Item, item_id, next_rh
from sync.trust.room import envelope, signed_receipts
from tests.journeys.bad_input.checks import (
    HELLO,
    explained,
    honest,
    items_of,
    lie,
    nothing_lost,
    offline,
    reconnect,
    set_back,
    stopped,
    two,
    with_items,
    with_older_server,
)
from tests.world import Client, World, until


def flipped(data: bytes) -> bytes:
    return data[:-1] + bytes([data[-1] ^ 1])


FORGERIES: dict[str, Callable[[m.WireItem], m.WireItem]] = {
    "signature": lambda i: m.WireItem(i.n, i.t, i.kind, i.body, flipped(i.sig), i.ct),
    "content": lambda i: m.WireItem(i.n, i.t, i.kind, i.body, i.sig, flipped(i.ct or b"x")),
    "left out": lambda i: m.WireItem(i.n, i.t, i.kind, i.body, i.sig, None),
    "body": lambda i: m.WireItem(i.n, i.t, i.kind, flipped(i.body), i.sig, i.ct),
    "time": lambda i: m.WireItem(i.n, 1, i.kind, i.body, i.sig, i.ct),
    "position": lambda i: m.WireItem(i.n + 1, i.t, i.kind, i.body, i.sig, i.ct),
    "kind": lambda i: m.WireItem(i.n, i.t, 300, i.body, i.sig, i.ct),
    "negative": lambda i: m.WireItem(i.n, -1, i.kind, i.body, i.sig, i.ct),
}


@pytest.mark.parametrize("what", FORGERIES)
async def test_a_forged_envelope_stops_the_room_until_the_true_one_is_shown(w: World, what: str) -> None:
    a, b, room, obj = await two(w)
    await lie(b, lambda f: [with_items(f, [FORGERIES[what](i) for i in items_of(f, room)])])
    await until(lambda: b.engine.status.state is LinkState.ONLINE)
    a.say(room, obj, HELLO)
    await stopped(b, room, RoomState.WITHHELD)
    explained(b.engine.blocked(room), "withheld")
    b.say(room, obj, "väntar".encode())
    await nothing_lost(b, obj, [b"a", b"b", "väntar".encode()], waiting=1)
    await honest(b)
    await w.settle(room)
    whole = [b"a", b"b", HELLO, "väntar".encode()]
    await until(lambda: b.texts(obj) == whole)  # content that was left out is asked for after the positions stand
    assert a.texts(obj) == whole


async def test_a_replayed_envelope_is_not_shown_twice(w: World) -> None:
    a, b, room, obj = await two(w)
    old: list[m.WireItem] = []

    def replay(frame: m.ServerFrame) -> Sequence[m.Frame]:
        items = items_of(frame, room)
        if not items or not isinstance(frame, m.Fresh):
            return [frame]
        old.append(items[-1])
        if len(old) == 1:
            return [frame, frame]  # the same frame twice is nothing new
        n, again = items[0].n, old[0]
        return [with_items(frame, [m.WireItem(n, items[0].t, again.kind, again.body, again.sig, again.ct)])]

    await lie(b, replay)
    await until(lambda: b.engine.status.state is LinkState.ONLINE)
    a.say(room, obj, HELLO)
    await until(lambda: HELLO in b.texts(obj))
    assert b.engine.room_state(room) is RoomState.SEALED
    a.say(room, obj, b"mer")
    await stopped(b, room, RoomState.WITHHELD)
    explained(b.engine.blocked(room), "withheld")
    await nothing_lost(b, obj, [b"a", b"b", HELLO], waiting=0)
    await honest(b)
    await w.settle(room)
    assert b.texts(obj) == [b"a", b"b", HELLO, b"mer"]


async def test_reordered_envelopes_are_refused(w: World) -> None:
    a, b, room, obj = await two(w)
    await offline(b)
    for text in (b"1", b"2", b"3"):
        a.say(room, obj, text)
        await w.settle(room, a)

    def swap(frame: m.ServerFrame) -> Sequence[m.Frame]:
        items = items_of(frame, room)
        if len(items) < 2:
            return [frame]
        x, y, *rest = items
        first = m.WireItem(x.n, x.t, y.kind, y.body, y.sig, y.ct)
        second = m.WireItem(y.n, y.t, x.kind, x.body, x.sig, x.ct)
        return [with_items(frame, [first, second, *rest])]

    b.wire.cut = False
    await lie(b, swap)
    await stopped(b, room, RoomState.WITHHELD)
    await nothing_lost(b, obj, [b"a", b"b"], waiting=0)
    await honest(b)
    await w.settle(room)
    assert b.texts(obj) == [b"a", b"b", b"1", b"2", b"3"]


async def test_items_that_the_head_promises_and_the_server_keeps_back_are_withheld(w: World) -> None:
    a, b, room, obj = await two(w)
    await offline(b)
    b.say(room, obj, "väntar".encode())
    a.say(room, obj, HELLO)
    await w.settle(room, a)
    b.wire.cut = False
    await lie(b, lambda f: [with_items(f, [])] if items_of(f, room) else [f])
    await stopped(b, room, RoomState.WITHHELD)
    explained(b.engine.blocked(room), "withheld")
    await nothing_lost(b, obj, [b"a", b"b", "väntar".encode()], waiting=1)
    await honest(b)
    await w.settle(room)
    assert sorted(a.texts(obj)) == sorted([b"a", b"b", HELLO, "väntar".encode()])


async def test_a_head_that_nobody_signed_holds_nothing_up(w: World) -> None:
    a, b, room, obj = await two(w)

    def boast(frame: m.ServerFrame) -> Sequence[m.Frame]:
        return [frame, m.Behind(room, 10**12)] if isinstance(frame, m.Authed) else [frame]

    await lie(b, boast)
    await until(lambda: b.engine.status.state is LinkState.ONLINE)
    b.say(room, obj, HELLO)
    await w.settle(room)
    assert a.texts(obj) == [b"a", b"b", HELLO]


async def test_a_hidden_user_log_stops_the_room_as_withheld(w: World) -> None:
    a, b, room, obj = await two(w)
    await offline(b)
    (c,) = await w.hire("Enhetschef")
    await a.engine.directory("Enhetschef")
    await a.engine.operations.add(room, c.uid, 2, history=True)
    c.say(room, obj, HELLO)
    await w.settle(room, a, c)

    def hide(frame: m.ServerFrame) -> Sequence[m.Frame]:
        if isinstance(frame, m.UserLogReply) and frame.uid == c.uid:
            return [m.UserLogReply(frame.rid, frame.uid, frame.after, [])]
        return [frame]

    b.wire.cut = False
    await lie(b, hide)
    await stopped(b, room, RoomState.WITHHELD)
    explained(b.engine.blocked(room), "withheld")
    await nothing_lost(b, obj, [b"a", b"b"], waiting=0)
    await honest(b)
    await w.settle(room)
    assert b.texts(obj) == [b"a", b"b", HELLO]


# -- rollback and fork -----------------------------------------------------------------------------------------


async def test_a_server_that_was_rolled_back_is_told_kept_over_a_restart_and_healed(w: World) -> None:
    a, b, room, obj = await two(w)
    swap, true = await set_back(w), w.data
    a.say(room, obj, HELLO)
    await w.settle(room)
    await with_older_server(w, swap, a, b)
    b.say(room, obj, "väntar".encode())
    b.online()
    await stopped(b, room, RoomState.ROLLBACK)
    explained(b.engine.blocked(room), "rollback")
    await offline(b)
    await nothing_lost(b, obj, [b"a", b"b", HELLO, "väntar".encode()], waiting=1)
    assert b.engine.room_state(room) is RoomState.ROLLBACK  # before it meets the server again
    b.online()
    await until(lambda: b.engine.status.state is LinkState.ONLINE)
    await stopped(b, room, RoomState.ROLLBACK)
    assert b.texts(obj)[:3] == [b"a", b"b", HELLO]

    await w.stop_server()
    w.moved_to = true
    await w.start_server()
    for client in (a, b):
        await reconnect(client)
    await w.settle(room)
    assert a.engine.room_state(room) is b.engine.room_state(room) is RoomState.SEALED
    assert a.texts(obj) == [b"a", b"b", HELLO, "väntar".encode()]


async def test_attack_what_is_encrypted_already_is_not_sent_to_a_server_that_was_rolled_back(w: World) -> None:
    a, b, room, obj = await two(w)
    swap = await set_back(w)
    a.say(room, obj, HELLO)
    await w.settle(room)
    pushed = list[bool]()  # whether they were passed on

    def keep_back(data: bytes, out: bool) -> Sequence[bytes]:
        if out and isinstance(decode_client(data), m.Push):
            pushed.append(False)
            return []
        return [data]

    def watch(data: bytes, out: bool) -> Sequence[bytes]:
        if out and isinstance(decode_client(data), m.Push):
            pushed.append(True)
        return [data]

    b.wire.spoil = keep_back
    await reconnect(b)
    await until(lambda: b.engine.status.state is LinkState.ONLINE)
    b.say(room, obj, "väntar å 🙂".encode())
    await until(lambda: pushed == [False])
    assert b.store.sealed(room) is not None
    await with_older_server(w, swap, a, b)
    b.wire.spoil = watch
    b.online()
    await stopped(b, room, RoomState.ROLLBACK)
    await until(lambda: b.engine.status.state is LinkState.ONLINE)
    b.engine.wake()
    await asyncio.sleep(0.3)  # what must not happen
    assert pushed == [False]


async def test_a_server_that_no_longer_has_the_room_at_all_is_a_rollback(w: World) -> None:
    a, b = await w.hire("Handläggare", "Registrator")
    swap = await set_back(w)
    room, obj = await w.room(a, b), ObjId(b"\x07" * 16)
    a.say(room, obj, HELLO)
    await w.settle(room)
    await with_older_server(w, swap, a, b)
    b.online()
    await stopped(b, room, RoomState.ROLLBACK)
    explained(b.engine.blocked(room), "rollback")
    await nothing_lost(b, obj, [HELLO], waiting=0)


@pytest.mark.parametrize("many", [1, 3])
async def test_a_room_that_forks_stays_readable_and_keeps_its_outbox_for_ever(w: World, many: int) -> None:
    """The server is an older copy to which somebody wrote who had not seen what the others saw."""
    a, b, c = await w.hire("Handläggare", "Registrator", "Enhetschef")
    room, obj = await w.room(a, b, c), ObjId(b"\x07" * 16)
    await offline(c)
    swap, true = await set_back(w), w.data
    a.say(room, obj, HELLO)
    await w.settle(room, a, b)
    await with_older_server(w, swap, a, b)
    for i in range(many):
        c.say(room, obj, b"annan historia %d" % i)
        c.online()
        await w.settle(room, c)
    b.say(room, obj, "väntar".encode())
    b.online()
    await stopped(b, room, RoomState.FORK)
    explained(b.engine.blocked(room), "fork")
    await nothing_lost(b, obj, [HELLO, "väntar".encode()], waiting=1)
    assert b.engine.room_state(room) is RoomState.FORK

    await w.stop_server()  # ▲ two histories were signed: no later face of the server makes that undone
    w.moved_to = true
    await w.start_server()
    await reconnect(b)
    await until(lambda: b.engine.status.state is LinkState.ONLINE)
    assert b.engine.room_state(room) is RoomState.FORK
    assert b.texts(obj) == [HELLO, "väntar".encode()]
    assert b.store.waiting_count() == 1


async def test_a_member_who_was_shown_another_history_makes_it_a_fork(w: World) -> None:
    """The server gives B a chain that A's next envelope says it never saw."""
    a, b, room, obj = await two(w)
    await offline(b)
    swap, true = await set_back(w), w.data
    a.say(room, obj, HELLO)
    await w.settle(room, a)
    await with_older_server(w, swap, a, b)
    b.online()
    b.say(room, obj, b"annan")
    await w.settle(room, b)
    await offline(b)
    await w.stop_server()
    w.moved_to = true
    await w.start_server()
    a.online()
    await until(lambda: a.engine.status.state is LinkState.ONLINE)
    a.say(room, obj, b"mer")
    await w.settle(room, a)
    b.online()
    await stopped(b, room, RoomState.FORK)
    explained(b.engine.blocked(room), "fork")
    (kept,) = b.store.receipts_kept.evidence(room)
    assert kept.ours is not None
    assert kept.theirs is not None  # the server signed both
    await nothing_lost(b, obj, [b"a", b"annan", b"b"], waiting=0)
    assert a.engine.room_state(room) is RoomState.SEALED


# -- newer formats and garbage from a member -------------------------------------------------------------------


@dataclass
class Newer:
    """A member's newer program whose envelopes this server would refuse; a server in league places them for B."""

    w: World
    author: Client
    room: RoomId
    obj: ObjId
    placed: list[m.WireItem] = field(default_factory=list)

    def fresh(self, *, ghost: bool = False) -> m.Fresh:
        """An envelope of an unknown kind at the next position, with the server's receipt for it. `ghost`: by a device
        that the author has not."""
        link = self.author.engine.parts.link
        at, log = link.rooms[self.room], link.book.log(self.author.uid)
        assert log is not None
        author, s = link.account.author(log), at.stream
        if ghost:
            author = replace(author, dev=DevId(os.urandom(16)), signing=SigningKey(os.urandom(32)))
        key = at.keys.content_key(self.obj)
        assert key is not None
        op = envelope.PlainOp(self.obj, key, b"", "okänt".encode(), 9)
        prev = s.next_prev(author.uid, author.dev)
        sealed = envelope.encrypt_batch(author, self.room, s.epoch, (s.n, s.rh), at.own_seq + 1, prev, [op])
        item = m.WireItem(s.n + 1, now_ms(), ENVELOPE, sealed.bodies[0], sealed.sig, sealed.cts[0])
        rh = next_rh(s.rh, item.n, item.t, item.kind, item_id(ENVELOPE, item.body))
        server = read_identity(self.w.data, now_ms()).key
        receipt = m.Receipt(self.room, item.n, rh, item.t, signed_receipts.sign(server, self.room, item.n, rh, item.t))
        return m.Fresh(self.room, [item], [], receipt)


async def test_attack_an_item_of_a_device_that_never_was_stops_the_room_and_is_kept(w: World) -> None:
    a, b, room, obj = await two(w)
    await lie(b, lambda f: [f])
    await until(lambda: b.engine.status.state is LinkState.ONLINE)
    shown = Newer(w, a, room, obj).fresh(ghost=True)
    b.engine.parts.inbox.on_frame(shown)
    await stopped(b, room, RoomState.WITHHELD)
    (kept,) = b.store.receipts_kept.evidence(room)
    i = shown.items[0]
    assert (kept.code, kept.claim) == ("withheld", signed_receipts.claim([Item.of(i)]))
    assert kept.theirs is not None
    proof = signed_receipts.Proof.decode(kept.theirs)
    proof.check(b.engine.parts.link.account.agency_pk)
    assert proof.receipt == shown.receipt, "the server signed a history that holds it"


async def test_a_room_of_before_the_first_release_is_refused_with_a_sentence(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b, room, obj = await two(w)
    await lie(b, lambda f: [f])
    await until(lambda: b.engine.status.state is LinkState.ONLINE)
    with monkeypatch.context() as before:
        before.setattr(envelope, "VERSION", 1)
        older = Newer(w, a, room, obj).fresh()
    b.engine.parts.inbox.on_frame(older)
    await stopped(b, room, RoomState.OLD_FORMAT)
    explained(b.engine.blocked(room), "old-format")


@pytest.mark.parametrize("enabled", [False, True])
async def test_a_format_that_no_policy_enabled_is_void_and_an_enabled_one_needs_an_update(
    w: World, enabled: bool
) -> None:
    a, b, room, obj = await two(w)
    if enabled:
        at = a.engine.parts.link.rooms[room]
        enabling: dict[str, object] = {"format": {"kinds": [9]}}
        await a.engine.parts.outbox.append(at, a.engine.parts.outbox.drafter(at).policy(enabling))
        await w.settle(room)
    await lie(b, lambda f: [f])
    await until(lambda: b.engine.status.state is LinkState.ONLINE)
    newer = Newer(w, a, room, obj).fresh()
    b.engine.parts.inbox.on_frame(newer)
    if enabled:
        await stopped(b, room, RoomState.UPDATE_NEEDED)
        explained(b.engine.blocked(room), "update-needed")
    else:
        await until(lambda: b.engine.position(room) == newer.items[0].n)
        assert b.engine.room_state(room) is RoomState.SEALED
        assert b.store.inbox.bad(room) == []
    await nothing_lost(b, obj, [b"a", b"b"], waiting=0)


async def test_an_undecryptable_item_in_the_middle_is_counted_and_blocks_nothing(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b, room, obj = await two(w)
    with monkeypatch.context() as wrong:
        wrong.setattr(a.engine.parts.link.rooms[room].keys, "content_key", lambda obj: os.urandom(32))
        a.say(room, obj, "skräp".encode())
        await w.settle(room)
    a.say(room, obj, HELLO)
    await w.settle(room)
    assert b.texts(obj) == [b"a", b"b", HELLO]
    ((_n, code),) = b.store.inbox.bad(room)
    explained(code, "decrypt")
    assert b.engine.room_state(room) is RoomState.SEALED
    await nothing_lost(b, obj, [b"a", b"b", HELLO], waiting=0)
    assert len(b.store.inbox.bad(room)) == 1
    b.say(room, obj, b"svar")
    await w.settle(room)
    assert b"svar" in a.texts(obj)
