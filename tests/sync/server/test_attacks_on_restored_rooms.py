# SPDX-License-Identifier: EUPL-1.2
"""Attacks on the rooms of a restored server: what an upload tells whom, and closing and opening at once. Frames by
hand."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from sync.protocol import messages as m
from sync.protocol.codec import encode
from sync.server.process.running import Running
from sync.server.rules.handshake import Who
from sync.server.store.base import UnmetRow
from tests.sync.server.restored import Before, before, code_of, done, everything, promise, reupload, stubs
from tests.sync.server.wire import Person
from tests.world import until

__all__ = ["before"]  # a fixture


async def all_is_back(before: Before, server: Running) -> None:
    """Everything is uploaded again, and the room is open."""
    await promise(before.anna, before.room, before.lost, before.receipt)
    await reupload(before.anna, before.room, before.lost, before.shares)
    for who in (before.bert, before.carl):
        await who.connect(server.url, before.data)
    for who in (before.anna, before.bert, before.carl):
        await done(who)


async def test_attack_an_upload_of_nothing_tells_a_stranger_of_no_room(before: Before) -> None:
    room, lost = before.room, before.lost
    async with before.older() as server:
        dora = await Person("Handläggare").enrol(server.url, before.data)
        fresh = before.anna.sealed(room, "nytt")
        last = lost[-1]
        guess = m.WireItem(last.n + 1, last.t, 2, fresh.bodies[0], fresh.sig, fresh.cts[0])
        endless = m.WireItem(2**63 - 1, last.t, 2, fresh.bodies[0], fresh.sig, fresh.cts[0])
        for _ in range(2):
            for items in ([], [guess], [endless]):
                for at in (room, b"q" * 16):
                    frame = m.Reupload(dora.wire.rid(), at, items, [])
                    assert await code_of(dora.wire.ask(frame, m.Wanted)) == "unknown-room"
            await promise(before.anna, room, lost, before.receipt)  # the second time something is awaited
        await reupload(before.anna, room, lost)
        # what a stranger got from a member is told to them no further than it goes
        known = await reupload(dora, room, lost[:1])
        assert (known.receipt, known.until) == (None, 0)
        assert (await reupload(dora, room, lost)).receipt == before.receipt
        await dora.wire.close()


async def test_who_was_added_after_the_backup_brings_back_what_they_alone_have(before: Before) -> None:
    """The server does not know them as a member before it has the entry that adds them."""
    carl, room, lost = before.carl, before.room, before.lost
    async with before.older() as server:
        await carl.connect(server.url, before.data)
        assert await code_of(reupload(carl, room, [])) == "unknown-room"
        assert (await promise(carl, room, lost, before.receipt)).until == before.receipt.n
        first = [i for i in lost if i.n <= before.at + 2]
        assert (await reupload(before.anna, room, first)).receipt is not None
        back = await reupload(carl, room, first)  # the other was faster
        assert back.receipt is not None
        assert (back.receipt.n, back.until) == (before.at + 2, before.receipt.n)
        assert (await reupload(carl, room, lost)).receipt == before.receipt
        assert (await reupload(carl, room, [])).receipt == before.receipt


async def test_attack_a_former_member_learns_of_nothing_after_their_end_by_an_upload(before: Before) -> None:
    anna, bert, room = before.anna, before.bert, before.room
    async with before.older() as server:
        await all_is_back(before, server)
        await everything(anna, room)
        end = (await anna.submit(anna.drafter(room).remove(bert.uid))).receipt
        await anna.sync(room)
        await anna.push(room, "utan Bert")
        for answer in (await reupload(bert, room, []), await promise(bert, room, before.lost, before.receipt)):
            assert (answer.receipt, answer.until) == (end, 0)


# -- closing and opening at once -----


def slow(monkeypatch: pytest.MonkeyPatch, server: Running, name: str) -> tuple[asyncio.Event, asyncio.Event]:
    """Holds the calls of the store's method `name` before they do anything. Returns (it was called, let it go). As in
    any store, a caller that is cancelled does not undo its write."""
    real: Callable[..., Awaitable[object]] = getattr(server.store, name)
    called, go = asyncio.Event(), asyncio.Event()

    async def held(*args: object) -> object:
        called.set()
        await go.wait()
        return await real(*args)

    async def shielded(*args: object) -> object:
        return await asyncio.shield(asyncio.ensure_future(held(*args)))

    monkeypatch.setattr(server.store, name, shielded)
    return called, go


def frame_of(before: Before) -> m.Promise:
    """Anna's proof of what was lost."""
    return m.Promise(1, before.room, before.lost[0].n - 1, stubs(before.lost), before.receipt)


def proof(before: Before, server: Running) -> "asyncio.Task[m.Wanted]":
    """Anna proves what was lost."""
    who = Who(before.anna.uid, before.anna.author.dev)
    return asyncio.create_task(server.service.restore_recovery.promise(who, frame_of(before)))


async def given_a_chance(*tasks: "asyncio.Task[m.Wanted] | asyncio.Task[None]") -> None:
    """Lets tasks run that must not come to their end yet."""
    await asyncio.wait(tasks, timeout=0.3)


async def awaits_all(before: Before, server: Running) -> bool:
    return [i.n for i in await server.store.awaited_items(before.room, 0, 100)] == [i.n for i in before.lost]


async def test_attack_a_room_that_a_proof_closes_is_not_opened_by_what_was_read_before(
    before: Before, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The operator has opened the room; a member then proves what it lacks. Something new must not take its place."""
    async with before.older() as server:
        await server.store.open_room(before.room)
        await server.service.restore_recovery.check_closed_rooms()
        called, go = slow(monkeypatch, server, "await_items")
        proving = proof(before, server)
        await called.wait()
        looking = asyncio.create_task(server.service.restore_recovery.check_closed_rooms())
        await given_a_chance(looking)
        go.set()
        await asyncio.gather(proving, looking)
        assert await code_of(before.anna.push(before.room, "nytt")) == "closed"
        assert await awaits_all(before, server)


async def test_attack_a_proof_whose_sender_leaves_closes_the_room_all_the_same(
    before: Before, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The departure cancels the request while the store writes. The write goes on, so the room must not be opened in
    memory meanwhile."""
    async with before.older() as server:
        await server.store.open_room(before.room)
        await server.service.restore_recovery.check_closed_rooms()
        called, go = slow(monkeypatch, server, "await_items")
        await before.anna.wire.socket.send(encode(frame_of(before)))
        await called.wait()
        await before.anna.wire.close()
        await until(lambda: not server.service.hub.present())
        looking = asyncio.create_task(server.service.restore_recovery.check_closed_rooms())
        await given_a_chance(looking)
        go.set()
        await looking
        await before.anna.connect(server.url, before.data)
        assert await code_of(before.anna.push(before.room, "nytt")) == "closed"
        assert await awaits_all(before, server)


async def being_opened(server: Running, monkeypatch: pytest.MonkeyPatch) -> tuple[asyncio.Task[None], asyncio.Event]:
    """The server opens the rooms that wait for nobody any more, and its store hangs. Returns (that work, what lets the
    store go on)."""
    called, go = slow(monkeypatch, server, "open_if_ready")
    for dev, _ in await server.store.awaited_devices():
        await server.store.stop_awaiting(dev)
    opening = asyncio.create_task(server.service.restore_recovery.open_ready())
    await called.wait()
    return opening, go


async def test_attack_a_room_that_is_being_opened_is_closed_by_a_proof_all_the_same(
    before: Before, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with before.older() as server:
        opening, go = await being_opened(server, monkeypatch)
        proving = proof(before, server)
        await given_a_chance(proving)
        go.set()
        await asyncio.gather(proving, opening)
        assert await code_of(before.anna.push(before.room, "nytt")) == "closed"
        assert await awaits_all(before, server)


async def test_attack_a_room_that_is_being_opened_stays_closed_below_a_receipt_that_is_presented(
    before: Before, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The device presents it after the room was found to be ready, and proves it later."""
    async with before.older() as server:
        opening, go = await being_opened(server, monkeypatch)
        r = before.receipt
        await server.store.put_unmet(UnmetRow(room=r.room, n=r.n, rh=r.rh, t=r.t, sig=r.sig))
        go.set()
        await opening
        assert await code_of(before.anna.push(before.room, "nytt")) == "closed"
