# SPDX-License-Identifier: EUPL-1.2
"""A server is lost and restored from an older backup; its clients come back in any order. Nothing that was acknowledged
is lost, every room is as it was, position by position, and goes on.
"""

import asyncio
import itertools
from collections.abc import Sequence

import pytest

from app.core.ids import ObjId, new_obj
from app.store.rows import Evidence
from app.store.statements import MAX_INT
from sync.client.restore import reupload
from sync.client.status import LinkState, RoomState
from sync.protocol import messages as m
from sync.server.host.identity import read_identity
from sync.server.operator import admin
from sync.server.rules.handshake import now_ms
from sync.server.store.base import Full
from sync.trust.person.agency import agency_fingerprint
from sync.trust.room.restore_notice import Restored
from tests.journeys.bad_input.checks import HELLO, explained, lie, nothing_lost, offline
from tests.journeys.restoring import backed_up, history, is_online, open_again, restored, whole
from tests.sync.server.test_backup import back_up, put_back
from tests.world import Client, World, until


async def test_what_is_old_is_given_back_before_it_is_let_go_of(w: World, monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = await w.hire("Handläggare", "Registrator")
    room, obj = await w.room(a, b), new_obj()
    await w.settle(room)
    backup = await backed_up(w)
    a.say(room, obj, HELLO)
    await w.settle(room)
    before = history(a, room)
    monkeypatch.setattr(reupload, "KEPT_MS", -86_400_000)  # as if all of it were older than what is kept
    await restored(w, backup)
    for client in (a, b):
        client.online()
    await open_again(w)
    await until(lambda: all(x.engine.room_state(room) is RoomState.SEALED for x in (a, b)))
    await until(lambda: not a.store.kept_items(room, 0, 10**6))
    assert history(b, room)[: len(before)] == before


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))), ids=str)
async def test_nothing_acknowledged_is_lost_in_whatever_order_clients_come_back(w: World, order: Sequence[int]) -> None:
    a, b, c = await w.hire("Handläggare", "Registrator", "Enhetschef")
    room, obj = await w.room(a, b), new_obj()
    a.say(room, obj, b"i kopian")
    await w.settle(room, a, b)
    backup = await backed_up(w)

    for text in (b"ett", HELLO):
        a.say(room, obj, text)
        await w.settle(room, a, b)
    await a.engine.directory("Enhetschef")
    await a.engine.operations.add(room, c.uid, 2, history=True)  # a member whom the backup does not know
    await until(lambda: c.engine.room_state(room) is RoomState.SEALED)
    c.say(room, new_obj(), b"av den nya")
    await w.settle(room)
    later, other = await w.room(b, a), new_obj()  # a room that it does not know
    b.say(later, other, b"ett senare rum")
    await w.settle(later, a, b)
    await w.settle(room)
    before = {r: history(a, r) for r in (room, later)}
    texts = a.texts(obj)

    await restored(w, backup)
    everyone = (a, b, c)
    for k in order:
        everyone[k].online()
        await is_online(everyone[k])
    await open_again(w)
    await until(lambda: all(x.engine.room_state(room) is RoomState.SEALED for x in everyone))
    await until(lambda: all(x.engine.room_state(later) is RoomState.SEALED for x in (a, b)))
    assert all(history(x, room)[-5:] == before[room][-5:] for x in everyone)
    assert history(b, later) == before[later]
    assert a.texts(obj) == texts
    for x in everyone:
        x.say(room, obj, b"efter " + x.name.encode())
    a.say(later, other, b"efter")
    await w.settle(room)
    await w.settle(later, a, b)
    assert history(a, room)[: len(before[room])] == before[room]
    assert a.texts(obj) == b.texts(obj) == c.texts(obj)
    assert len(a.texts(obj)) == len(texts) + 3
    await whole(w)


async def test_it_is_shown_as_a_restore_with_the_servers_statement_and_heals_by_itself(w: World) -> None:
    a, b = await w.hire("Handläggare", "Registrator")
    room, obj = await w.room(a, b), ObjId(b"\x07" * 16)
    backup = await backed_up(w)
    a.say(room, obj, HELLO)
    await w.settle(room)
    await offline(b)
    await restored(w, backup, a)
    seen: list[str] = []
    a.on_room = lambda room: seen.append(a.engine.room_state(room).value)  # type: ignore[method-assign]
    a.say(room, obj, "väntar".encode())
    a.online()
    await until(lambda: "restored" in seen)
    await until(lambda: a.engine.room_state(room) is RoomState.SEALED)
    (kept,) = a.store.receipts_kept.evidence(room)
    assert kept.code == "restored"
    _check(a, kept)
    await until(lambda: a.engine.blocked(room) == "closed")  # B may hold more
    explained(a.engine.blocked(room), "closed")
    explained("restored", "restored")
    assert [line.kind for line in a.store.room_lines.between(room, 0, MAX_INT, 100)].count("restored") == 1
    await nothing_lost(a, obj, [HELLO, "väntar".encode()], waiting=1)
    b.online()
    await w.settle(room)
    assert a.engine.blocked(room) is None
    assert a.texts(obj) == b.texts(obj) == [HELLO, "väntar".encode()]
    await whole(w)


def _check(client: Client, kept: Evidence) -> None:
    from sync.crypto.encoding import dec
    from sync.trust.formats import fields
    from sync.trust.room.signed_receipts import Proof

    assert kept.claim is not None
    assert kept.theirs is not None
    proof = Proof.decode(kept.theirs)
    agency_pk = client.engine.parts.link.account.agency_pk
    proof.check(agency_pk)
    _, body, sig = fields.array(dec(kept.claim, limit=1024), 3, "claim")
    server_pk = read_identity(client.world.data, now_ms()).key.public
    Restored.check(server_pk, agency_fingerprint(agency_pk), fields.blob(body, 256, "b"), fields.raw(sig, 64, "s"))


async def test_what_was_acknowledged_and_never_echoed_comes_back_from_its_author_alone(w: World) -> None:
    """The line goes after the answer; then the server is lost. Nobody else has ever seen the change."""
    a, b = await w.hire("Handläggare", "Registrator")
    room, obj = await w.room(a, b), new_obj()
    a.say(room, obj, b"ett")
    await w.settle(room)
    backup = await backed_up(w)
    await offline(b)
    await lie(a, lambda f: [] if isinstance(f, m.Fresh) or (isinstance(f, m.Items) and f.items) else [f])
    await until(lambda: a.engine.status.state is LinkState.ONLINE)
    at = a.engine.position(room)
    a.say(room, new_obj(), HELLO)
    await until(lambda: [r.n for r in a.store.receipts() if r.room == room] == [at + 1])
    assert a.engine.position(room) == at
    a.wire.spoil = None
    await restored(w, backup)
    for client in (b, a):
        client.online()
    await w.settle(room)
    assert a.engine.position(room) == at + 1
    assert a.store.waiting_count() == 0
    await whole(w)


async def test_who_was_away_when_it_happened_reads_what_came_back(w: World) -> None:
    a, b = await w.hire("Handläggare", "Registrator")
    room, obj = await w.room(a, b), new_obj()
    await offline(b)
    backup = await backed_up(w)
    a.say(room, obj, HELLO)
    await w.settle(room, a)
    await restored(w, backup, a)
    b.online()
    await until(lambda: b.engine.status.state is LinkState.ONLINE)
    b.say(room, obj, b"av b")
    a.online()
    await w.settle(room)
    assert a.texts(obj) == b.texts(obj) == [HELLO, b"av b"]
    await whole(w)


async def test_people_and_devices_that_the_backup_does_not_know_come_back(w: World) -> None:
    (a,) = await w.hire("Handläggare")
    backup = await backed_up(w)
    (b,) = await w.hire("Registrator")
    laptop = await w.second(a)
    room, obj = await w.room(laptop, b), new_obj()
    laptop.say(room, obj, HELLO)
    await w.settle(room)
    await restored(w, backup)
    for client in (laptop, b, a):
        client.online()
    await until(lambda: all(x.engine.status.state is LinkState.ONLINE for x in w.clients), 60)
    await w.settle(room)
    b.say(room, obj, b"efter")
    await w.settle(room)
    assert a.texts(obj) == b.texts(obj) == laptop.texts(obj) == [HELLO, b"efter"]
    await whole(w)


async def test_a_long_gap_comes_back_in_pieces(w: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reupload, "_STUBS_A_FRAME", 7)
    monkeypatch.setattr(reupload, "_UPLOAD_BYTES", 2000)
    a, b = await w.hire("Handläggare", "Registrator")
    room, obj = await w.room(a, b), new_obj()
    backup = await backed_up(w)
    for k in range(60):
        (a, b)[k % 2].say(room, obj, b"%d" % k)
        if k % 9 == 0:
            await w.settle(room)
    await w.settle(room)
    before = history(a, room)
    await restored(w, backup)
    for client in (b, a):
        client.online()
    await w.settle(room)
    await open_again(w)
    await until(lambda: b.engine.room_state(room) is RoomState.SEALED)
    assert history(a, room) == history(b, room) == before
    assert len(a.texts(obj)) == 60
    await whole(w)


async def test_a_second_restore_explains_what_the_first_had_not_got_back(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second is from a backup that was made while somebody was away who holds what the first lost."""
    monkeypatch.setattr("sync.trust.room.restore_notice.LAG_MS", 0)
    a, b = await w.hire("Handläggare", "Registrator")
    room, obj = await w.room(a, b), new_obj()
    backup = await backed_up(w)
    a.say(room, obj, HELLO)
    await w.settle(room)
    before = history(a, room)
    await restored(w, backup)
    again = w.folder / "again"
    await asyncio.to_thread(back_up, w.data, again)
    await w.stop_server()
    back = w.folder / "restored-again"
    assert await asyncio.to_thread(put_back, again, back) == []
    w.moved_to = back
    await w.start_server()
    for client in (a, b):
        client.online()
        await is_online(client)
    await open_again(w)
    await w.settle(room)
    assert history(a, room) == history(b, room) == before
    assert {e.code for x in (a, b) for e in x.store.receipts_kept.evidence(room)} == {"restored"}
    await whole(w)


@pytest.mark.parametrize("what", ["await_items", "stop_awaiting"])
async def test_a_disk_that_is_full_while_things_come_back_loses_none_of_them(
    w: World, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """The one who holds it is not done before the server knows what to wait for."""
    monkeypatch.setattr(reupload, "AGAIN_S", 0.05)
    a, b = await w.hire("Handläggare", "Registrator")
    room, obj = await w.room(a, b), new_obj()
    a.say(room, obj, b"i kopian")
    await w.settle(room)
    backup = await backed_up(w)
    await offline(b)
    a.say(room, obj, HELLO)
    await w.settle(room, a)
    await restored(w, backup, a)
    assert w.running is not None
    store = w.running.store
    real, tries = getattr(store, what), []

    async def full(*_: object) -> None:
        tries.append(what)
        raise Full("disk")

    monkeypatch.setattr(store, what, full)
    a.online()
    await until(lambda: len(tries) > 3)
    b.say(room, obj, b"svar")
    b.online()
    await until(lambda: b.engine.status.state is LinkState.ONLINE)
    tries.clear()
    await asyncio.sleep(0.5)
    assert len(tries) < 25  # of two clients, and no more the longer it takes
    assert (await admin.status(w.data)).rooms_closed == 1
    monkeypatch.setattr(store, what, real)
    await open_again(w)
    await w.settle(room, a, b)
    assert a.texts(obj) == b.texts(obj) == [b"i kopian", HELLO, b"svar"]
    assert a.engine.room_state(room) is RoomState.SEALED
    await whole(w)


async def test_a_log_that_a_full_disk_did_not_take_is_handed_in_again(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What its new device wrote cannot come back before it."""
    monkeypatch.setattr(reupload, "AGAIN_S", 0.05)
    a, b = await w.hire("Handläggare", "Registrator")
    room, obj = await w.room(a, b), new_obj()
    backup = await backed_up(w)
    laptop = await w.second(b)
    await until(lambda: laptop.engine.room_state(room) is RoomState.SEALED)
    laptop.say(room, obj, HELLO)
    await w.settle(room)
    before = history(a, room)
    await restored(w, backup)
    assert w.running is not None
    store = w.running.store
    real, tries = store.append_user, []

    async def full(*_: object, **__: object) -> None:
        tries.append(1)
        raise Full("disk")

    monkeypatch.setattr(store, "append_user", full)
    a.online()
    await until(lambda: len(tries) > 0)
    await is_online(a)
    monkeypatch.setattr(store, "append_user", real)
    await until(lambda: a.engine.room_state(room) is RoomState.SEALED)
    b.online()
    laptop.online()
    await w.settle(room)
    await open_again(w)
    assert history(a, room) == before
    await whole(w)
