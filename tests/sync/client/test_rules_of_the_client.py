# SPDX-License-Identifier: EUPL-1.2
"""Rules that a client holds, one by one (PROTOCOL.md, "Rules and their tests"): real server, real store, TLS."""

import dataclasses
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from app.core.ids import Hash, ObjId, RoomId, new_obj
from sync.client.exchange.batch_maker import RESTORED_JUMP
from sync.client.exchange.inbox import Inbox
from sync.client.exchange.outbox import Outbox
from sync.client.exchange.slice_reader import SliceReader
from sync.client.ports import PRESENCE, SealedBatch
from sync.client.room.room_sync import RoomSync
from sync.client.status import LinkState, RoomState
from sync.errors import Refused, Reject
from sync.protocol import messages as m
from sync.protocol.codec import decode_client
from sync.server.host.identity import read_agency, read_identity
from sync.server.rules.handshake import now_ms
from sync.trust.formats.items import ENVELOPE, Item, item_id, next_rh
from sync.trust.keys.epochs import USER, Recipient, seal_for
from sync.trust.person.user_entry import AGENCY, DOMAIN, entry_body, entry_id
from sync.trust.room import envelope, signed_receipts
from sync.trust.room.stream import Accepted
from tests.journeys.bad_input.checks import HELLO, lie, offline, reconnect, stopped, two
from tests.sync.client.test_engine import _note_sealed
from tests.world import Client, World, until

# -- dev_seq ----------------------------------------------------------------------------------------------------


async def test_an_old_copy_of_a_store_jumps_over_what_it_may_have_signed(w: World) -> None:
    a, b, room, obj = await two(w)
    await a.stop()
    copy = a.path.with_suffix(".old")
    shutil.copy(a.path, copy)
    await start_again(a)
    for text in (b"1", b"2", b"3"):
        a.say(room, obj, text)
        await w.settle(room)
    newest = own_seq(a, room)
    await a.stop()
    set_back(a.path, copy)
    signed = await start_again(a)
    await w.settle(room)
    a.say(room, obj, HELLO)
    await w.settle(room)
    assert [s.first_seq for s in signed] == [newest + RESTORED_JUMP]
    await a.restart()
    _note_sealed(a, signed)
    a.say(room, obj, b"4")
    await w.settle(room)
    assert [s.first_seq for s in signed] == [newest + RESTORED_JUMP, newest + RESTORED_JUMP + 1]
    assert b.texts(obj) == a.texts(obj) == [b"a", b"b", b"1", b"2", b"3", HELLO, b"4"]


def set_back(path: Path, copy: Path) -> None:
    """Restores a store from a backup."""
    for suffix in ("-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)
    shutil.copy(copy, path)


async def start_again(client: Client) -> list[SealedBatch]:
    """Starts a stopped client from its disk; returns the items that it signs from now on."""
    client.store = type(client.store).open(client.path, client.key, {})
    signed: list[SealedBatch] = []
    _note_sealed(client, signed)
    client.start()
    return signed


def own_seq(client: Client, room: RoomId) -> int:
    return client.engine.parts.link.rooms[room].own_seq


async def test_a_batch_is_stored_before_it_is_first_sent(w: World) -> None:
    a, b, room, obj = await two(w)
    stored: list[bool] = []

    def look(data: bytes, out: bool) -> Sequence[bytes]:
        frame = decode_client(data) if out else None
        if isinstance(frame, m.Push):
            kept = a.store.sealed(room)
            stored.append(kept is not None and list(kept.bodies) == frame.bodies and kept.sig == frame.sig)
        return [data]

    a.wire.spoil = look
    await reconnect(a)
    await until(lambda: a.engine.status.state is LinkState.ONLINE)
    a.say(room, obj, HELLO)
    await w.settle(room)
    assert stored == [True]
    assert b.texts(obj) == [b"a", b"b", HELLO]


async def test_nothing_is_sealed_or_sent_before_the_room_is_caught_up(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, _b, room, obj = await two(w)
    await offline(a)
    signed: list[SealedBatch] = []
    _note_sealed(a, signed)
    a.say(room, obj, HELLO)
    at, outbox = a.engine.parts.link.rooms[room], a.engine.parts.outbox
    at.announce(at.stream.n + 1)
    assert outbox.maker.next_batch(at) is None
    await outbox._flush(at)
    assert signed == []
    at.forget_announced()
    at.stream.state.rotation_owed = True
    assert outbox.maker.next_batch(at) is None
    at.stream.state.rotation_owed = False
    assert outbox.maker.next_batch(at) is not None
    sent: list[SealedBatch] = []

    async def push(_: object, batch: SealedBatch) -> bool:
        sent.append(batch)
        return False

    monkeypatch.setattr(outbox, "_push", push)
    at.announce(at.stream.n + 1)
    await outbox._flush(at)
    assert sent == [], "what was sealed waits too"
    at.forget_announced()
    await outbox._flush(at)
    assert len(sent) == 1


# -- answers of the server --------------------------------------------------------------------------------------


async def test_attack_a_head_with_a_forged_receipt_is_refused(w: World) -> None:
    _a, b, _room, _obj = await two(w)

    def forge(frame: m.ServerFrame) -> Sequence[m.Frame]:
        if not isinstance(frame, m.Authed):
            return [frame]
        heads = [
            msgspec.structs.replace(h, receipt=msgspec.structs.replace(h.receipt, n=h.receipt.n + 1))
            for h in frame.rooms
        ]
        return [msgspec.structs.replace(frame, rooms=heads)]

    await lie(b, forge)
    await until(lambda: b.engine.status.state is LinkState.ERROR)
    assert b.engine.status.code == "signature"


async def test_attack_a_member_whose_envelope_saw_another_history_makes_it_a_fork(w: World) -> None:
    """The server shows everybody the same past, and places what that past contradicts: FORK all the same."""
    a, b, room, _obj = await two(w)
    link = a.engine.parts.link
    at, log = link.rooms[room], link.book.log(a.uid)
    assert log is not None
    author, s = link.account.author(log), at.stream
    key = at.keys.content_key(ObjId(room))
    assert key is not None
    ops = [envelope.PlainOp(ObjId(room), key, b"", b"")]
    prev = s.next_prev(author.uid, author.dev)
    sealed = envelope.encrypt_batch(author, room, s.epoch, (s.n, os.urandom(32)), at.own_seq + 1, prev, ops)
    item = m.WireItem(s.n + 1, now_ms(), ENVELOPE, sealed.bodies[0], sealed.sig, sealed.cts[0])
    rh = next_rh(s.rh, item.n, item.t, item.kind, item_id(ENVELOPE, item.body))
    server = read_identity(w.data, now_ms()).key
    receipt = m.Receipt(room, item.n, rh, item.t, signed_receipts.sign(server, room, item.n, rh, item.t))
    b.engine.parts.inbox.on_frame(m.Fresh(room, [item], [], receipt))
    await stopped(b, room, RoomState.FORK)


async def test_attack_another_head_of_the_own_log_is_refused(w: World) -> None:
    _a, b, _room, _obj = await two(w)

    def forge(frame: m.ServerFrame) -> Sequence[m.Frame]:
        return [msgspec.structs.replace(frame, ulog_head=bytes(32)) if isinstance(frame, m.Authed) else frame]

    await lie(b, forge)
    await until(lambda: b.engine.status.state is LinkState.ERROR)
    assert b.engine.status.code == "ulog"


async def test_attack_an_older_head_in_an_answer_is_a_rollback(w: World) -> None:
    """Not only at sign-in: a pull whose head is below what this device has verified, with the server's signature."""
    _a, b, room, _obj = await two(w)
    s = b.engine.parts.link.rooms[room].stream
    n, rh = s.n - 1, b.store.rh_at(room, s.n - 1)
    assert rh is not None
    old = m.Receipt(room, n, rh, s.t, signed_receipts.sign(read_identity(w.data, now_ms()).key, room, n, rh, s.t))

    def less(frame: m.ServerFrame) -> Sequence[m.Frame]:
        if isinstance(frame, m.Subscribed):
            return [msgspec.structs.replace(frame, ns=[n] * len(frame.ns))]  # otherwise nothing would be pulled
        mine = isinstance(frame, m.Items) and frame.room == room
        return [msgspec.structs.replace(frame, items=[], receipt=old) if mine else frame]

    await lie(b, less)
    await stopped(b, room, RoomState.ROLLBACK)


@pytest.mark.parametrize(("who", "role", "history"), [(3, 4, True), (2, 1, True), (2, 1, False)])
async def test_attack_nothing_is_sealed_to_a_person_whom_the_author_may_not_add(
    w: World, monkeypatch: pytest.MonkeyPatch, who: int, role: int, history: bool
) -> None:
    """The server refuses the entry, and would keep the seal: with that person it would have the room's key."""
    head, clerk, guest = await w.hire("Enhetschef", "Handläggare", "Registrator")
    room = await w.room(head)
    await head.engine.directory("Handläggare")
    await head.engine.operations.add(room, clerk.uid, who, history=True)
    await clerk.engine.directory("Registrator")
    await until(lambda: clerk.engine.room_state(room) is RoomState.SEALED)
    uploaded = []
    monkeypatch.setattr(Outbox, "_put_seals", lambda *sent: uploaded.append(sent))
    with pytest.raises(Refused) as refused:
        await clerk.engine.operations.add(room, guest.uid, role, history=history)
    assert refused.value.code == "forbidden"
    assert uploaded == []


async def test_attack_no_history_is_sealed_where_policy_gives_newcomers_none(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    head, deputy, guest = await w.hire("Enhetschef", "Handläggare", "Registrator")
    room = await w.room(head)
    for name in ("Handläggare", "Registrator"):
        await head.engine.directory(name)
    await head.engine.operations.add(room, deputy.uid, 3, history=True)
    await until(lambda: deputy.engine.room_state(room) is RoomState.SEALED)
    for client, kind in ((deputy, "propose"), (head, "approve")):
        await w.settle(room, head, deputy)
        at = client.engine.parts.link.rooms[room]
        drafter = client.engine.parts.outbox.drafter(at)
        (proposal,) = at.stream.state.proposals or [Hash(bytes(32))]
        draft = drafter.propose("history", b"from-now") if kind == "propose" else drafter.approve(proposal)
        await client.engine.parts.outbox.append(at, draft)
    await until(lambda: head.engine.parts.link.rooms[room].stream.state.policy.get("history") == "from-now")
    uploaded = _note_uploads(monkeypatch)
    with pytest.raises(Refused, match="forbidden"):
        await head.engine.operations.add(room, guest.uid, 2, history=True)
    assert uploaded == []
    monkeypatch.undo()
    await head.engine.operations.add(room, guest.uid, 2, history=False)
    await until(lambda: guest.engine.room_state(room) is RoomState.SEALED)


@pytest.mark.parametrize("history", [True, False])
async def test_attack_nothing_is_sealed_again_to_a_member(
    w: World, monkeypatch: pytest.MonkeyPatch, history: bool
) -> None:
    """A second addition has no effect, but its seals would give the history to a member who was added without it."""
    head, clerk = await w.hire("Enhetschef", "Handläggare")
    room = await w.room(head)
    await head.engine.directory("Handläggare")
    await head.engine.operations.add(room, clerk.uid, 2, history=False)
    uploaded = _note_uploads(monkeypatch)
    with pytest.raises(Refused, match=r"^member$"):
        await head.engine.operations.add(room, clerk.uid, 2, history=history)
    assert uploaded == []


def _note_uploads(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    uploaded: list[object] = []
    real = Outbox._put_seals

    async def put_seals(self: Outbox, *sent: Any) -> None:
        uploaded.append(sent)
        await real(self, *sent)

    monkeypatch.setattr(Outbox, "_put_seals", put_seals)
    return uploaded


async def test_attack_a_revoked_devices_ephemeral_messages_are_refused(w: World) -> None:
    """As soon as its person's log records the revocation here, whatever the room has pinned."""
    a, b, room, _obj = await two(w)
    message = b.engine.parts.link.rooms[room].ephemerals.seal(b"hej", now_ms(), PRESENCE)
    assert message is not None
    at, log = a.engine.parts.link.rooms[room], a.engine.parts.link.book.log(b.uid)
    assert log is not None
    (dev,) = log.devices
    body = entry_body(b.uid, log.seq + 1, log.head, AGENCY, now_ms(), "dev_revoke", [dev, [], None])
    log.apply(body, read_agency(w.data).key.sign(DOMAIN, entry_id(body)))
    with pytest.raises(Reject, match="ephemeral"):
        at.ephemerals.open(message, now_ms())
    assert a.ephemerals == []


async def test_attack_a_false_seal_in_front_hides_no_good_one(w: World) -> None:
    a, b, room, _obj = await two(w)
    at, log = a.engine.parts.link.rooms[room], a.engine.parts.link.book.log(b.uid)
    k = at.keys.ring.k(1)
    assert log is not None
    assert k is not None
    puk = log.puks[-1]
    to = Recipient(USER, b.uid, log.seq, log.head, puk.gen, puk.kem_pk, True)
    good = seal_for(room, at.stream.epochs[1], to, k, at.keys.ring.a(1))
    mine = b.engine.parts.link.rooms[room]
    assert mine.keys.take_seals(1, [os.urandom(len(good)), good[:-1], good, os.urandom(8)])
    assert not mine.keys.take_seals(1, [os.urandom(len(good)), good[:-1]])


# -- shares -----------------------------------------------------------------------------------------------------


async def received_with(w: World, share: bytes | None) -> tuple[Client, RoomId, ObjId]:
    """B receives a new object of A's with a share that is not its own, or with none at all."""
    a, b, room, _ = await two(w)

    def other(frame: m.ServerFrame) -> Sequence[m.Frame]:
        if not isinstance(frame, m.Fresh | m.Items):
            return [frame]
        shares = [] if share is None else [m.WireShare(s.obj, share) for s in frame.shares]
        return [msgspec.structs.replace(frame, shares=shares)]

    await lie(b, other)
    await until(lambda: b.engine.status.state is LinkState.ONLINE)
    obj = new_obj()
    a.say(room, obj, HELLO)
    await until(lambda: b.texts(obj) == [HELLO])
    return b, room, obj


async def test_attack_a_share_that_the_stream_does_not_commit_to_is_ignored(w: World) -> None:
    b, room, obj = await received_with(w, os.urandom(32))
    at = b.engine.parts.link.rooms[room]
    assert at.keys.take_shares([m.WireShare(obj, os.urandom(32)), m.WireShare(os.urandom(16), os.urandom(32))]) == []
    assert b.store.inbox.bad(room) == []
    assert b.engine.room_state(room) is RoomState.SEALED


async def test_attack_an_own_share_that_came_too_late_is_not_the_objects(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two devices wrote an object's first change at once: the one to whose share the stream does not commit keeps it in
    its store."""
    _a, b, room, obj = await two(w)
    at = b.engine.parts.link.rooms[room]
    right = at.keys.share(obj)
    at.keys._shares.pop(obj)
    monkeypatch.setattr(b.store, "share", lambda _room, _obj: os.urandom(32))
    assert (at.keys.share(obj), at.keys.content_key(obj)) == (None, None)
    monkeypatch.undo()
    assert at.keys.share(obj) == right


async def test_what_lacks_its_share_waits_and_is_opened_when_it_comes(w: World) -> None:
    b, room, _ = await received_with(w, None)
    assert b.engine.parts.link.rooms[room].waiting == 0
    assert b.store.waiting(room) == []
    assert b.engine.room_state(room) is RoomState.SEALED


# -- the store --------------------------------------------------------------------------------------------------


async def test_a_log_that_is_ahead_of_the_disk_is_read_again(w: World) -> None:
    """After a write that failed: entries that are only in memory would be appended with others missing before them."""
    a, b, room, _ = await two(w)
    await offline(a)
    link = a.engine.parts.link
    stored = link.book.log(b.uid)
    assert stored is not None
    ahead = dataclasses.replace(stored, heads=[*stored.heads, Hash(bytes(32))])
    link.book._logs[b.uid] = ahead
    link.rooms[room].stream.state.n += 1
    n = link.rooms[room].kept_n
    gone = RoomId(os.urandom(16))
    link.room(gone)
    link.reload()
    again = link.book.log(b.uid)
    assert again is not None
    assert (again.seq, link.rooms[room].stream.n, gone in link.rooms) == (ahead.seq - 1, n, False)


async def test_items_beyond_the_announced_head_are_caught_up_with_only_when_stored(w: World) -> None:
    """A pull gives items after the announced head: nothing may be signed on them before the disk has them."""
    a, b, room, obj = await two(w)
    link = b.engine.parts.link
    old = RoomSync(room, b.store, link.book, link.account, dict(b.store.rooms())[room])
    a.say(room, obj, HELLO)
    await w.settle(room)
    pulled = await link.pull(room, old.stream.n)
    assert old.may_send
    old.judge([Item(i.n, i.t, i.kind, i.body, i.sig, i.ct) for i in pulled.items])
    assert old.stream.n > old.head_n
    assert not old.may_send


async def test_nothing_is_sent_between_the_pieces_of_a_slice_that_reaches_beyond_the_announced_head(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the last piece is durable. An entry that named an earlier one could outlast it in a power cut."""
    monkeypatch.setattr("sync.client.exchange.slice_reader.PIECE", 1)
    a, b, room, obj = await two(w)
    await offline(b)
    for text in (b"1", b"2", b"3"):
        a.say(room, obj, text)
        await until(lambda: a.engine.status.waiting == 0)
    may_send, pull, judge = list[bool](), Inbox._pull_all, SliceReader.judge

    async def announced_less(self: Inbox, found: RoomSync) -> m.Receipt | None:
        found.forget_announced()
        return await pull(self, found)

    async def noted(self: SliceReader, found: RoomSync, items: list[Item]) -> list[Accepted]:
        may_send.append(found.may_send)
        return await judge(self, found, items)

    monkeypatch.setattr(Inbox, "_pull_all", announced_less)
    monkeypatch.setattr(SliceReader, "judge", noted)
    b.online()
    await until(lambda: b.texts(obj)[-3:] == [b"1", b"2", b"3"])
    await until(lambda: b.engine.parts.link.rooms[room].may_send)
    assert len(may_send) >= 3
    assert not any(may_send)
