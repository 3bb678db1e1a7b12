# SPDX-License-Identifier: EUPL-1.2
"""What the server signs is kept, goes with every sign-in, and is held against it: over real sockets, with a server that
lies or was set back.
"""

from collections.abc import Callable, Sequence

import msgspec
import pytest

from app.core.ids import ObjId, RoomId
from app.store.rows import Evidence
from sync.client.status import LinkState, RoomState
from sync.protocol import messages as m
from sync.protocol.codec import encode
from sync.server.host.identity import read_identity
from sync.server.rules.handshake import now_ms
from sync.trust.formats.items import ENVELOPE, Item, item_id, next_rh
from sync.trust.room import envelope, signed_receipts
from sync.trust.room.signed_receipts import Proof
from tests.journeys.bad_input.checks import (
    HELLO,
    explained,
    garble,
    honest,
    lie,
    nothing_lost,
    offline,
    reconnect,
    set_back,
    stopped,
    two,
    with_older_server,
)
from tests.world import Client, World, until


def re_signed(w: World, r: m.Receipt, rh: bytes) -> m.Receipt:
    """The server's own signature for another history at the same position."""
    key = read_identity(w.data, now_ms()).key
    return m.Receipt(r.room, r.n, rh, r.t, signed_receipts.sign(key, r.room, r.n, rh, r.t))


def proofs(client: Client, evidence: Evidence) -> tuple[Proof, Proof]:
    """Both words of the server; each convinces whoever has the agency's key."""
    assert evidence.ours is not None
    assert evidence.theirs is not None
    ours, theirs = Proof.decode(evidence.ours), Proof.decode(evidence.theirs)
    for proof in (ours, theirs):
        proof.check(client.engine.parts.link.account.agency_pk)
    return ours, theirs


def only(client: Client, room: RoomId) -> Evidence:
    (found,) = client.store.receipts_kept.evidence(room)
    return found


async def kept(client: Client, room: RoomId, n: int) -> None:
    """The receipt of position `n` is in the store."""
    await until(lambda: [r.n for r in client.store.receipts() if r.room == room] == [n])


async def quiet(client: Client, room: RoomId) -> int:
    """Everything that the server told of is taken in and its receipt kept: where the room stands."""
    at = client.engine.parts.link.rooms[room]
    await until(lambda: at.kept_n == at.head_n == at.stream.n)
    await kept(client, room, at.head_n)
    return at.head_n


async def heard(client: Client) -> None:
    """What the new connection began with is taken in or refused: what is written now comes unasked, not by a pull."""
    await until(lambda: client.engine.status.state in (LinkState.ONLINE, LinkState.ERROR))


async def test_every_sign_in_carries_the_newest_receipt_of_each_room(w: World) -> None:
    a, b, room, obj = await two(w)
    other = await w.room(b)
    a.say(room, obj, HELLO)
    await w.settle(room)
    at = {room: await quiet(b, room), other: await quiet(b, other)}
    await b.restart()
    signed_in: list[m.Auth] = []

    def listen(frame: m.ClientFrame) -> Sequence[m.Frame]:
        signed_in.extend([frame] if isinstance(frame, m.Auth) else [])
        return [frame]

    await garble(b, listen)
    assert {r.room: r.n for r in signed_in[-1].receipts} == at
    server_pk = read_identity(w.data, now_ms()).key.public
    for receipt in signed_in[-1].receipts:
        signed_receipts.check(server_pk, receipt)


async def test_what_was_acknowledged_and_is_gone_is_a_rollback_though_nobody_saw_its_echo(w: World) -> None:
    """The line goes after the answer and before the room's stream shows the change; then the server is set back."""
    a, b, room, obj = await two(w)
    at = await quiet(b, room)
    await offline(a)
    swap = await set_back(w)

    await lie(b, lambda f: [] if isinstance(f, m.Fresh) or (isinstance(f, m.Items) and f.items) else [f])
    await until(lambda: b.engine.status.state is LinkState.ONLINE)
    b.say(room, obj, HELLO)
    await kept(b, room, at + 1)
    assert b.engine.position(room) == at
    b.wire.spoil = None
    await with_older_server(w, swap, b)
    b.online()
    await stopped(b, room, RoomState.ROLLBACK)
    explained(b.engine.blocked(room), "rollback")
    ours, theirs = proofs(b, only(b, room))
    assert (ours.receipt.n, theirs.receipt.n) == (at + 1, at)
    await nothing_lost(b, obj, [b"a", b"b", HELLO], waiting=1)
    await stopped(b, room, RoomState.ROLLBACK)


async def test_a_history_in_which_my_acknowledged_change_is_another_is_a_fork_and_nothing_of_it_is_taken_in(
    w: World,
) -> None:
    a, b, room, obj = await two(w)
    at = await quiet(b, room)
    await offline(a)
    swap = await set_back(w)
    await lie(b, lambda f: [] if isinstance(f, m.Fresh) or (isinstance(f, m.Items) and f.items) else [f])
    await until(lambda: b.engine.status.state is LinkState.ONLINE)
    b.say(room, obj, HELLO)
    await kept(b, room, at + 1)
    b.wire.spoil = None
    await with_older_server(w, swap, b)
    for text in (b"annan", b"historia"):
        a.online()
        a.say(room, obj, text)
        await w.settle(room, a)
    b.online()
    await stopped(b, room, RoomState.FORK)
    explained(b.engine.blocked(room), "fork")
    ours, theirs = proofs(b, only(b, room))
    assert ours.receipt.n == at + 1
    assert theirs.receipt.n == at + 2
    await nothing_lost(b, obj, [b"a", b"b", HELLO], waiting=1)
    assert b.engine.position(room) == at


async def moved_on(w: World, a: Client, b: Client, room: RoomId, obj: ObjId, *, is_pulled: bool) -> None:
    """`a` has written; if the room `is_pulled`, while `b` had no connection."""
    if is_pulled:
        await offline(b)
    a.say(room, obj, b"c")
    await w.settle(room, *([a] if is_pulled else []))
    if not is_pulled:
        await quiet(b, room)


LIES: list[Callable[[m.ServerFrame, Callable[[m.Receipt], m.Receipt]], m.Frame]] = [
    lambda f, of: (
        msgspec.structs.replace(f, rooms=[msgspec.structs.replace(h, receipt=of(h.receipt)) for h in f.rooms])
        if isinstance(f, m.Authed)
        else f
    ),
    lambda f, of: msgspec.structs.replace(f, receipt=of(f.receipt)) if isinstance(f, m.Items) else f,
    lambda f, of: msgspec.structs.replace(f, receipt=of(f.receipt)) if isinstance(f, m.Placed) else f,
    lambda f, of: msgspec.structs.replace(f, receipt=of(f.receipt)) if isinstance(f, m.Fresh) else f,
]
"""A sign-in's heads, a pull's, an acknowledgement's and a notice's receipt."""


@pytest.mark.parametrize("rewrite", LIES, ids=["hello", "pull", "accept", "fresh"])
async def test_attack_two_receipts_that_contradict_each_other_fork_the_room_and_are_kept_as_proof(
    w: World, rewrite: Callable[[m.ServerFrame, Callable[[m.Receipt], m.Receipt]], m.Frame]
) -> None:
    a, b, room, obj = await two(w)
    await quiet(b, room)
    await moved_on(w, a, b, room, obj, is_pulled=rewrite is LIES[1])
    await lie(b, lambda f: [rewrite(f, lambda r: re_signed(w, r, b"x" * 32))])
    await heard(b)
    b.say(room, obj, HELLO)
    await stopped(b, room, RoomState.FORK)
    found = only(b, room)
    if found.theirs is not None and found.ours is not None:
        ours, theirs = proofs(b, found)
        assert theirs.receipt.rh == b"x" * 32
        assert ours.receipt.rh != theirs.receipt.rh
    await honest(b)
    await until(lambda: b.engine.status.state is LinkState.ONLINE)
    assert b.engine.room_state(room) is RoomState.FORK
    assert b.engine.parts.link.rooms[room].problem is RoomState.FORK


@pytest.mark.parametrize("rewrite", LIES, ids=["hello", "pull", "accept", "fresh"])
async def test_attack_a_receipt_that_the_server_did_not_sign_is_refused_by_its_code(
    w: World, rewrite: Callable[[m.ServerFrame, Callable[[m.Receipt], m.Receipt]], m.Frame]
) -> None:
    a, b, room, obj = await two(w)
    await moved_on(w, a, b, room, obj, is_pulled=rewrite is LIES[1])
    await lie(b, lambda f: [rewrite(f, lambda r: msgspec.structs.replace(r, sig=bytes(64)))])
    await heard(b)
    b.say(room, obj, HELLO)
    a.say(room, obj, b"mer")
    await until(lambda: b.engine.status.code == "signature")
    explained(b.engine.status.code, "signature")
    assert b.engine.status.state is LinkState.ERROR
    assert b.store.receipts_kept.evidence(room) == []
    await honest(b)
    await w.settle(room)
    assert b.engine.room_state(room) is RoomState.SEALED
    assert a.texts(obj) == b.texts(obj)
    assert sorted(a.texts(obj)) == sorted([b"a", b"b", b"c", HELLO, b"mer"])


async def test_what_a_member_signed_to_have_seen_is_kept_with_the_servers_word(w: World) -> None:
    """A member was shown another history; the server places what that member wrote in ours."""
    a, b, room, obj = await two(w)
    await quiet(b, room)
    link = a.engine.parts.link
    at, log = link.rooms[room], link.book.log(a.uid)
    key = at.keys.content_key(obj)
    assert log is not None
    assert key is not None
    author, s = link.account.author(log), at.stream
    op = envelope.PlainOp(obj, key, b"", b"")
    prev = s.next_prev(author.uid, author.dev)
    sealed = envelope.encrypt_batch(author, room, s.epoch, (s.n, b"x" * 32), at.own_seq + 1, prev, [op])
    item = m.WireItem(s.n + 1, now_ms(), ENVELOPE, sealed.bodies[0], sealed.sig, sealed.cts[0])
    rh = next_rh(s.rh, item.n, item.t, item.kind, item_id(ENVELOPE, item.body))
    receipt = re_signed(w, m.Receipt(room, item.n, rh, item.t, b""), rh)
    b.engine.parts.inbox.on_frame(m.Fresh(room, [item], [], receipt))
    await stopped(b, room, RoomState.FORK)
    found = only(b, room)
    assert proofs(b, found)[1].receipt == receipt
    assert found.claim == signed_receipts.claim([Item.of(item)])


async def test_a_server_that_shows_an_older_log_of_my_own_is_told_by_its_code(w: World) -> None:
    a, _, room, obj = await two(w)
    mine = a.engine.parts.link.book.log(a.uid)
    assert mine is not None

    def shorter(frame: m.ServerFrame) -> Sequence[m.Frame]:
        if isinstance(frame, m.Authed):
            return [msgspec.structs.replace(frame, ulog_seq=1, ulog_head=mine.head_at(1))]
        return [frame]

    await lie(a, shorter)
    await until(lambda: a.engine.status.code == "rollback")
    explained(a.engine.status.code, "rollback")
    await honest(a)
    a.say(room, obj, HELLO)
    await w.settle(room)


async def test_what_a_forked_room_shows_can_be_carried_away_as_bytes(w: World) -> None:
    """Two signed words of one key about one position: whoever has the agency's public key sees that both are true."""
    _, b, room, _ = await two(w)
    await quiet(b, room)
    await lie(b, lambda f: [encode(LIES[0](f, lambda r: re_signed(w, r, b"x" * 32)))])
    await stopped(b, room, RoomState.FORK)
    await reconnect(b)
    ours, theirs = proofs(b, only(b, room))
    assert signed_receipts.contradict(ours.receipt, theirs.receipt)
    assert ours.cert == theirs.cert
