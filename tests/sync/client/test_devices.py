# SPDX-License-Identifier: EUPL-1.2
"""A person lets a second device in: over a real server and TLS."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from app.core import clock
from app.core.ids import new_obj
from app.errors import DiskFull
from sync.client.devices.device_pairing import Joined
from sync.client.devices.own_devices import Devices
from sync.client.status import LinkState
from sync.client.wire.backoff import STUCK_RETRY_S
from sync.crypto.seal import KemKey
from sync.crypto.signatures import SigningKey
from sync.errors import Refused, Reject
from sync.ids import Hash
from sync.protocol.messages import ErrorCode
from sync.trust.person.author import DeviceSecrets, Entry
from sync.trust.person.pairing_messages import NewDevice, PairingCode
from tests.patience import PATIENCE_S
from tests.sync.client.new_devices import RECORD, guest_of, waiting_guest
from tests.sync.client.quick_audit import w
from tests.world import World, until

__all__ = ["w"]  # a fixture


@pytest.mark.parametrize("by_code", [True, False])
async def test_a_second_device_reads_all_that_the_person_may_read_and_writes_too(w: World, by_code: bool) -> None:
    a, b = await w.hire("Handläggare", "Registrator")
    room, obj = await w.room(a, b), new_obj()
    a.say(room, obj, "före 🙂".encode())
    await w.settle(room)
    tablet = await w.second(a, by_code=by_code)
    await w.settle(room)
    assert tablet.uid == a.uid
    assert tablet.texts(obj) == a.texts(obj)
    tablet.say(room, obj, "från surfplattan".encode())
    await w.settle(room)
    assert b.texts(obj) == ["före 🙂".encode(), "från surfplattan".encode()]
    await tablet.restart()
    await w.settle(room)
    assert len(tablet.texts(obj)) == 2


async def test_every_device_lists_a_new_one_and_what_the_server_saw(w: World) -> None:
    (a,) = await w.hire("Handläggare")
    tablet = await w.second(a)
    rows = await a.engine.devices.fetch_last_seen()
    assert [(row.mine, row.revoked, row.by) for row in rows] == [
        (True, False, None),
        (False, False, rows[0].dev),
    ]
    assert all(row.last_seen and abs(row.last_seen - clock.now_ms()) < 60_000 for row in rows)
    assert all(row.agent.startswith("kansli/") for row in rows)
    assert [row.mine for row in tablet.engine.devices.all()] == [False, True]


async def test_attack_a_box_takes_one_visitor(w: World) -> None:
    (a,) = await w.hire("Handläggare")
    host = a.engine.invite_device(RECORD)
    offer = await host.open(by_code=False)
    first, second = guest_of(w), guest_of(w)
    arriving = asyncio.ensure_future(host.wait_for_guest())
    await first.join(number=offer.number)
    with pytest.raises(Refused) as e:
        await second.join(number=offer.number)
    assert e.value.code == "code-used"
    await arriving
    await first.close()
    await second.close()


async def test_a_code_that_nobody_shows_any_more_is_unknown(w: World) -> None:
    (a,) = await w.hire("Handläggare")
    guest = guest_of(w)
    with pytest.raises(Refused) as e:
        await guest.join(code=PairingCode.fresh().format())
    assert e.value.code == "code-unknown"
    offer = await a.engine.invite_device(RECORD).open(by_code=True)
    await a.offline()
    assert w.running is not None
    hub = w.running.service.hub
    await until(lambda: hub.connections == 0)
    with pytest.raises(Refused) as e:
        await guest.join(code=offer.code)
    assert e.value.code == "code-unknown"
    await guest.close()


async def test_a_new_attempt_ends_the_one_before(w: World) -> None:
    (a,) = await w.hire("Handläggare")
    former = a.engine.invite_device(RECORD)
    await former.open(by_code=True)
    waiting = asyncio.ensure_future(former.wait_for_guest())
    newer = a.engine.invite_device(RECORD)
    async with asyncio.timeout(PATIENCE_S):
        with pytest.raises(Refused) as e:
            await waiting
    assert e.value.code == "pairing"
    await former.close()
    assert (await newer.open(by_code=True)).code


async def test_a_new_device_that_is_refused_is_notified(w: World) -> None:
    (a,) = await w.hire("Handläggare")
    host = a.engine.invite_device(RECORD)
    offer = await host.open(by_code=True)
    guest = guest_of(w)
    arriving = asyncio.ensure_future(host.wait_for_guest())
    old = await guest.join(code=offer.code)
    assert old.uid == a.uid
    assert (await arriving).name == "Surfplatta"
    await a.offline()
    with pytest.raises(Refused) as e:
        await guest.finish(lambda joined: None)
    assert e.value.code == "pairing"
    with pytest.raises(Refused) as e:
        await host.admit()
    a.online()
    await until(lambda: a.engine.status.state is LinkState.ONLINE)
    assert len(a.engine.devices.own_log.devices) == 1


async def test_two_devices_let_one_in_at_the_same_time(w: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each newcomer gets its own entry, although the other one's is the newest by then."""
    (a,) = await w.hire("Handläggare")
    tablet = await w.second(a)
    await until(lambda: tablet.engine.devices.own_log.head == a.engine.devices.own_log.head)
    host, guest = await waiting_guest(w, a)
    other, real = DeviceSecrets.without_root(), Devices.append

    async def both(self: Devices, entries: list[Entry], *, may_wait: bool = False) -> int | None:
        ready = await real(self, entries, may_wait=may_wait)
        if self is a.engine.devices:
            await tablet.engine.devices.follow(tablet.engine.parts.link.online)
            own, signing = tablet.engine.devices.own_log, SigningKey(other.sign)
            new = NewDevice(sign_pk=signing.public, kem_pk=KemKey(other.kem).public, name="Tredje", system="")
            proof = signing.sign("dev-proof", [own.uid, own.head, new.keys, tablet.engine.devices.mine])
            await tablet.engine.devices.admit(new, proof, own.head)
            await self.follow(self._link.online)
        return ready

    monkeypatch.setattr(Devices, "append", both)
    added = await host.admit()
    assert added != a.engine.devices.newest
    joined = await guest.finish(lambda joined: None)
    assert joined.account.dev == added


async def test_what_a_new_device_could_not_keep_it_keeps_the_next_time(w: World) -> None:
    (a,) = await w.hire("Handläggare")
    host, guest = await waiting_guest(w, a)
    await host.admit()

    def full(joined: Joined) -> None:
        raise DiskFull

    with pytest.raises(DiskFull):
        await guest.finish(full)
    kept: list[Joined] = []
    await guest.finish(kept.append)
    assert [joined.account.dev for joined in kept] == [a.engine.devices.newest]


@pytest.mark.parametrize("wrong", ["head", "genesis"])
async def test_attack_a_new_device_accepts_only_the_log_that_the_old_one_named(w: World, wrong: str) -> None:
    (a,) = await w.hire("Handläggare")
    host = a.engine.invite_device(RECORD)
    offer = await host.open(by_code=True)
    guest = guest_of(w)
    arriving = asyncio.ensure_future(host.wait_for_guest())
    old = await guest.join(code=offer.code)
    await arriving
    await host.admit()
    entering = guest._entering
    assert entering is not None
    if wrong == "head":
        entering.heads[:] = [(old.seq, Hash(b"x" * 32))]
    else:
        entering.old = replace(old, genesis=Hash(b"x" * 32))
    kept: list[object] = []
    with pytest.raises(Reject) as e:
        await guest.finish(kept.append)
    assert e.value.code == "enrol"
    assert kept == []


async def test_attack_a_wrong_code_for_the_right_box_is_reported_at_the_old_device(w: World) -> None:
    """A server that lets an attacker into the box does not give them the secret."""
    (a,) = await w.hire("Handläggare")
    host = a.engine.invite_device(RECORD)
    offer = await host.open(by_code=True)
    guest = guest_of(w)
    arriving = asyncio.ensure_future(host.wait_for_guest())
    box = PairingCode.parse(offer.code).box
    real = PairingCode.box
    try:
        PairingCode.box = property(lambda self: box)  # type: ignore[assignment]
        meeting = asyncio.ensure_future(guest.join(code=PairingCode.fresh().format()))
        with pytest.raises(Reject) as e:
            await arriving
        assert e.value.code == "enrol"
    finally:
        PairingCode.box = real  # type: ignore[method-assign]
        meeting.cancel()
        await asyncio.gather(meeting, return_exceptions=True)
    await guest.close()


async def test_a_server_that_is_closed_to_three_steps_is_tried_again_by_one_timer(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    (a,) = await w.hire("Handläggare")
    await until(lambda: a.engine.status.state is LinkState.ONLINE)
    engine, loop, tried, timers = a.engine, asyncio.get_running_loop(), list[str](), list[float]()
    again, real = engine.parts.link.own_log_moved.set, loop.call_later

    def call_later(wait_s: float, call: Callable[..., object], *args: object) -> asyncio.TimerHandle:
        timers.extend([wait_s] if call == again else [])
        return real(wait_s, call, *args)

    def closed(step: str) -> Callable[[], Awaitable[None]]:
        async def refuse() -> None:
            tried.append(step)
            raise Refused(ErrorCode.CLOSED)

        return refuse

    for part, step in (
        (engine.recovery_sheet, "defend"),
        (engine.devices, "maintain"),
        (engine.recovery_sheet, "finish"),
    ):
        monkeypatch.setattr(part, step, closed(step))
    monkeypatch.setattr(loop, "call_later", call_later)
    again()
    await until(lambda: bool(timers))
    times = tried.count("finish")
    assert (tried, timers) == (["defend", "maintain", "finish"] * times, [STUCK_RETRY_S] * times)
