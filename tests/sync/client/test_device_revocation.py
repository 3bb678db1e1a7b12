# SPDX-License-Identifier: EUPL-1.2
"""A person's device is lost and revoked, by the person or by the agency: over a real server and TLS."""

import asyncio
import os
from collections.abc import Sequence
from dataclasses import replace

import pytest

from app.core import clock
from app.core.ids import new_obj
from sync.client.devices.own_devices import AHEAD_MS
from sync.client.exchange import member_audit
from sync.client.status import LinkState, RoomState
from sync.crypto.seal import KemKey
from sync.ids import RoomId, Uid
from sync.protocol import codec
from sync.protocol import messages as m
from sync.server.operator import admin
from sync.server.rules import people
from sync.trust.person import user_drafts
from sync.trust.person.user_entry import DOMAIN, entry_body, entry_id
from sync.trust.person.user_log import SEAL_BYTES
from tests.sync.client.quick_audit import w
from tests.world import Client, World, until

__all__ = ["w"]  # a fixture


async def test_a_device_that_is_revoked_reads_nothing_later_and_believes_only_its_own_log(w: World) -> None:
    a, b = await w.hire("Handläggare", "Registrator")
    room, obj = await w.room(a, b), new_obj()
    tablet = await w.second(a)
    a.say(room, obj, b"alla")
    await w.settle(room)
    epoch = a.engine.parts.link.rooms[room].stream.epoch
    await a.engine.devices.revoke(tablet.engine.parts.link.account.dev)
    await until(lambda: tablet.engine.status.code == "revoked")
    assert tablet.engine.status.state is LinkState.ERROR
    await until(lambda: a.engine.parts.link.rooms[room].stream.epoch > epoch)
    a.say(room, obj, b"utan surfplattan")
    await w.settle(room, a, b)
    assert b.texts(obj)[-1] == b"utan surfplattan"
    assert tablet.texts(obj) == [b"alla"]
    assert a.engine.revocation_progress == (0, 1)
    # what the server holds, given to the lost device's keys, does not open
    account = tablet.engine.parts.link.account
    own = a.engine.devices.own_log
    assert user_drafts.open_generations(own, account.dev, account.kem, account.puk_seeds).keys() == {1}
    await tablet.restart()
    await until(lambda: tablet.engine.status.code == "revoked")


async def steal(thief: Client, time: int) -> None:
    """Makes, as the thief's device, a PUK generation that nobody can open, with this claimed time."""
    await thief.engine.devices.follow_now()
    account, own = thief.engine.parts.link.account, thief.engine.devices.own_log
    idents = [bytes(d.dev) for d in own.devices.values() if d.revoked is None]
    seals: list[object] = [[ident, os.urandom(SEAL_BYTES)] for ident in idents]
    payload = [len(own.puks) + 1, KemKey(os.urandom(32)).public, os.urandom(80), seals]
    body = entry_body(own.uid, own.seq + 1, own.head, account.dev, time, "puk_rotate", payload)
    signed = m.Signed(body, account.signing.sign(DOMAIN, entry_id(body)))
    await thief.engine.parts.link.online.request(lambda rid: m.UserAppend(rid=rid, entries=[signed]), m.Ok)


async def test_attack_a_stolen_device_spoils_the_key_and_the_person_continues_and_revokes_it(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = await w.hire("Handläggare", "Registrator")
    room, obj = await w.room(a, b), new_obj()
    thief = await w.second(a)

    async def nothing() -> None: ...

    monkeypatch.setattr(thief.engine.devices, "maintain", nothing)  # the thief's program makes no honest one
    await w.settle(room)
    await steal(thief, clock.now_ms())
    account = a.engine.parts.link.account

    def newest() -> int:
        return len(a.engine.devices.own_log.puks)

    await until(lambda: newest() >= 3 and newest() in account.puk_seeds)
    assert 2 not in account.puk_seeds
    await steal(thief, 2**47)
    await until(lambda: newest() >= 5 and newest() in account.puk_seeds)
    assert a.engine.status.state is LinkState.ONLINE
    await a.engine.devices.revoke(thief.engine.parts.link.account.dev)
    await until(lambda: thief.engine.status.code == "revoked")
    await a.restart()
    b.say(room, obj, "det går vidare 🙂".encode())
    await w.settle(room, a, b)
    assert a.texts(obj) == ["det går vidare 🙂".encode()]


async def test_attack_what_a_stolen_device_added_is_revoked_with_it_in_one_go(w: World) -> None:
    (a,) = await w.hire("Handläggare")
    honest, thief = await w.second(a), await w.second(a)
    added = [await w.second(thief), await w.second(thief)]
    added.append(await w.second(added[0]))
    await a.engine.devices.follow_now()
    dev = thief.engine.devices.mine
    assert a.engine.devices.added_by(dev) == [d.engine.devices.mine for d in added]
    await a.engine.devices.revoke_with_added(dev)  # four, though a device may revoke three a day
    left = [d.dev for d in a.engine.devices.all() if not d.revoked]
    assert left == [a.engine.devices.mine, honest.engine.devices.mine]


async def test_attack_a_log_longer_than_an_answer_hides_no_revocation_from_a_device_that_was_away(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The whole log would not fit into an answer, and the device would never learn that it is revoked."""
    (a,) = await w.hire("Handläggare")
    tablet = await w.second(a)
    await tablet.offline()
    for _ in range(3):
        await a.engine.devices.renew()
    await a.engine.devices.revoke(tablet.engine.parts.link.account.dev)
    own = a.engine.devices.own_log
    monkeypatch.setattr(people, "MAX_PULL_BYTES", own.size_bytes * 3 // 4)
    tablet.online()
    await until(lambda: tablet.engine.status.code == "revoked")
    assert tablet.engine.devices.own_log.head == own.head


async def test_attack_a_key_whose_time_is_far_ahead_is_renewed_all_the_same(w: World) -> None:
    (a,) = await w.hire("Handläggare")
    devices = a.engine.devices
    own = devices.own_log
    assert not devices._renewal_due(own)
    for time in (own.puks[-1].time + AHEAD_MS * 2, 2**47):
        assert devices._renewal_due(replace(own, puks=[replace(own.puks[-1], time=time)]))


async def test_the_progress_of_a_revocation_ends_although_a_room_is_stopped(w: World) -> None:
    """Nothing can be stated in a stopped room: its revocation was counted as left for ever."""
    a, b = await w.hire("Handläggare", "Registrator")
    rooms = [await w.room(a, b) for _ in range(2)]
    tablet = await w.second(a)
    for room in rooms:
        await w.settle(room)
    a.engine.parts.link.rooms[rooms[0]].stop(RoomState.FORK)
    await a.engine.devices.revoke(tablet.engine.parts.link.account.dev)
    await until(lambda: a.engine.revocation_progress == (0, 1))


async def test_rooms_learn_of_a_revocation_also_if_the_program_ended_right_after_it(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = await w.hire("Handläggare", "Registrator")
    rooms = [await w.room(a, b) for _ in range(3)]
    tablet = await w.second(a)
    for room in rooms:
        await w.settle(room)
    monkeypatch.setattr(a.engine.parts.audit, "check_now", lambda: None)  # as if it ended before it could
    await b.offline()
    await a.engine.devices.revoke(tablet.engine.parts.link.account.dev)
    assert a.engine.revocation_progress == (3, 3)
    await a.restart()
    await until(lambda: a.engine.revocation_progress == (0, 3))
    await until(lambda: all(a.engine.parts.link.rooms[r].stream.epoch == 2 for r in rooms))
    b.online()
    for room in rooms:
        await w.settle(room, a, b)


async def test_a_colleague_states_what_the_person_cannot(w: World) -> None:
    """The agency revoked the person's only connected device: the next member who syncs sees it, and the room gets a new
    key."""
    a, b = await w.hire("Handläggare", "Registrator")
    room = await w.room(a, b)
    dev = b.engine.parts.link.account.dev
    await b.offline()
    await _by_agency(w, b, dev)
    epoch = a.engine.parts.link.rooms[room].stream.epoch
    await a.restart()
    await until(lambda: a.engine.parts.link.rooms[room].stream.epoch > epoch)
    b.online()
    await until(lambda: b.engine.status.code == "revoked")


@pytest.mark.parametrize("what", ["revoke", "reset"])
async def test_colleagues_who_are_connected_state_an_agencys_revocation_at_once(w: World, what: str) -> None:
    """Nobody writes, nobody signs in again, and no hour passes."""
    a, b = await w.hire("Handläggare", "Registrator")
    rooms = [await w.room(a, b) for _ in range(5)]
    for room in rooms:
        await w.settle(room)
    epochs = {room: a.engine.parts.link.rooms[room].stream.epoch for room in rooms}
    assert all(a.engine.parts.audit._due[room] > asyncio.get_running_loop().time() + 1000 for room in rooms)
    if what == "revoke":
        await admin.revoke(w.data, uid=b.uid, dev=b.engine.parts.link.account.dev)
    else:
        await admin.reset(w.data, uid=b.uid)
    await until(lambda: all(a.engine.parts.link.rooms[room].stream.epoch > epochs[room] for room in rooms))
    here = [b.uid in a.engine.parts.link.rooms[room].stream.members for room in rooms]
    assert here == [what == "revoke"] * len(rooms)
    await until(lambda: all(a.engine.room_state(room) is RoomState.SEALED for room in rooms))


async def test_a_persons_own_revocation_is_stated_in_their_rooms_at_once(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also if the device that revoked stops before it has stated the revocation in their rooms."""
    a, b = await w.hire("Handläggare", "Registrator")
    room = await w.room(a, b)
    tablet = await w.second(b)
    await w.settle(room)
    epoch = a.engine.parts.link.rooms[room].stream.epoch
    monkeypatch.setattr(b.engine.parts.audit, "check_now", lambda: None)  # as if it ended before it could
    await b.engine.devices.revoke(tablet.engine.parts.link.account.dev)
    await until(lambda: a.engine.parts.link.rooms[room].stream.epoch > epoch)


async def test_attack_a_server_that_cries_wolf_is_not_asked_again_and_again(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(member_audit, "REPORTED_S", 1000.0)
    (a,) = await w.hire("Handläggare")
    room = await w.room(a)
    await w.settle(room)
    await until(lambda: room in a.engine.parts.audit._checked)
    looked = count_looks(a, monkeypatch)
    assert w.running is not None
    hub = w.running.service.hub
    for _ in range(500):
        hub.notify_room(room, m.MemberMoved(room))
        hub.notify_person(a.uid, m.MemberMoved(bytes(16)))  # a room that it does not know
    a.say(room, new_obj(), b"efter")  # comes back behind all of them
    await w.settle(room)
    assert looked == []
    assert a.engine.status.state is LinkState.ONLINE


async def test_attack_a_revocation_that_the_server_does_not_report_is_found_by_the_next_check(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(member_audit, "AGAIN_S", 0.3)
    a, b = await w.hire("Handläggare", "Registrator")
    room = await w.room(a, b)
    await w.settle(room)
    epoch = a.engine.parts.link.rooms[room].stream.epoch
    assert w.running is not None
    monkeypatch.setattr(w.running.service.hub, "notify_room", lambda room, frame: None)
    await admin.revoke(w.data, uid=b.uid, dev=b.engine.parts.link.account.dev)
    await until(lambda: a.engine.parts.link.rooms[room].stream.epoch > epoch)


def count_looks(client: Client, monkeypatch: pytest.MonkeyPatch) -> list[RoomId]:
    """A list of the rooms that the client asks about from now on."""
    looked: list[RoomId] = []
    look = client.engine.parts.audit._moved

    async def counted(rooms: Sequence[RoomId]) -> list[Uid]:
        looked.extend(rooms)
        return await look(rooms)

    monkeypatch.setattr(client.engine.parts.audit, "_moved", counted)
    return looked


async def test_after_the_agencys_revocation_the_other_device_makes_a_new_key_and_reads_on(w: World) -> None:
    a, b = await w.hire("Handläggare", "Registrator")
    room, obj = await w.room(a, b), new_obj()
    tablet = await w.second(b)
    await w.settle(room)
    await b.offline()
    await tablet.offline()
    await _by_agency(w, b, tablet.engine.parts.link.account.dev)
    await a.restart()
    await until(lambda: a.engine.parts.link.rooms[room].stream.epoch > 1)
    b.online()
    await until(lambda: len(b.engine.devices.own_log.puks) == 2)
    a.say(room, obj, b"efter")
    await until(lambda: b.texts(obj) == [b"efter"])


async def _by_agency(w: World, who: Client, dev: bytes) -> None:
    """What `revoke` does at the server's command line, beside the running server."""
    await admin.revoke(w.data, uid=who.uid, dev=dev)
    service = w.running.service if w.running is not None else None
    await until(lambda: service is not None and service.people.log(who.uid).agency_revokes != [])


async def test_attack_a_server_that_only_claims_a_revocation_is_not_believed(w: World) -> None:
    (a,) = await w.hire("Handläggare")
    entries = [m.Signed(b, s) for b, s in a.store.user_log(a.uid)]

    def lie(data: bytes, out: bool) -> list[bytes]:
        frame = None if out else codec.decode_server(data)
        return [codec.encode(m.Revoked(frame.rid, entries))] if isinstance(frame, m.Authed) else [data]

    await a.offline()
    a.wire.spoil = lie
    a.online()
    await until(lambda: a.engine.status.code == "auth")
    assert a.engine.devices.ended is None
    a.wire.spoil = None
    await a.wire.hang_up()
    a.engine.retry_now()
    await until(lambda: a.engine.status.state is LinkState.ONLINE)
