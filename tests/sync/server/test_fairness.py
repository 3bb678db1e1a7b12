# SPDX-License-Identifier: EUPL-1.2
"""Which request begins next: the order of service, counted and not timed. A budget that is in debt by a second stays
so for ten, and a pause lasts up to two: longer than any of these tests."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sync.protocol import messages as m
from sync.protocol.codec import encode
from sync.server.config import Limits
from sync.server.load import fairness, fanout, spending
from sync.server.load.fairness import NO_TERMS, Budget, Budgets, FairQueue, Terms, device_terms
from sync.server.process import asgi, websocket
from sync.server.process.running import start_server
from tests.patience import PATIENCE_S
from tests.sync.server.house import TEXT, House
from tests.sync.server.passed_on import ephemeral, send
from tests.sync.server.test_blob_parts import digest, http, url
from tests.sync.server.wire import Person, Refused, config
from tests.world import until

TERMS = device_terms(Limits())
MUCH_S = 10.0


@pytest.fixture
def queue() -> FairQueue:
    return FairQueue(0.2)


def greedy(queue: FairQueue, terms: Terms = TERMS) -> Budget:
    """A party that is beyond its budget."""
    made = Budget(queue, terms)
    made.charge(MUCH_S)
    assert not made.in_credit
    return made


async def settle() -> None:
    """Runs the event loop until nothing more happens."""
    for _ in range(20):
        await asyncio.sleep(0)


class Asking:
    """Requests of one party, which begin when the queue lets them; each costs `cost_s` and ends by `end`."""

    def __init__(self, budget: Budget, count: int, cost_s: float = 0.5) -> None:
        self.budget, self.begun, self.ended = budget, 0, 0
        self._go = asyncio.Event()
        self._cost_s = cost_s
        self.tasks = [asyncio.ensure_future(self._one()) for _ in range(count)]

    async def _one(self) -> None:
        await self.budget.begin()
        self.begun += 1
        await self._go.wait()
        self.budget.charge(self._cost_s)
        self.budget.end()
        self.ended += 1

    def go_on(self) -> None:
        self._go.set()

    async def stop(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)


async def test_attack_a_device_beyond_its_budget_waits_and_holds_up_nobody_else(queue: FairQueue) -> None:
    honest, asking = Budget(queue, TERMS), Asking(greedy(queue), 5)
    await settle()
    assert asking.begun == 1  # no other party was present
    for k in range(100):
        await honest.begin()
        if k == 0:
            asking.go_on()
        await asyncio.sleep(0)
        honest.end()
    assert (asking.begun, asking.ended) == (1, 1)
    assert queue.behind == 1
    await asking.stop()


async def test_a_device_beyond_its_budget_goes_on_at_once_when_nobody_else_is_there(queue: FairQueue) -> None:
    asking = Asking(greedy(queue), 50)
    asking.go_on()
    await asyncio.wait_for(asyncio.gather(*asking.tasks), PATIENCE_S)
    assert asking.ended == 50


async def test_attack_many_devices_beyond_their_budgets_take_turns_one_request_at_a_time(queue: FairQueue) -> None:
    many = [Asking(greedy(queue), 3) for _ in range(10)]
    await settle()
    assert sum(each.begun for each in many) == 1
    for turn in range(1, 4):
        for each in many:
            assert each.begun == turn
            one = next(t for t in each.tasks if not t.done())
            each.budget.charge(0.1)
            one.cancel()
            each.budget.end()
            each.tasks.remove(one)
            await settle()
    for each in many:
        await each.stop()


async def test_what_waits_for_the_disk_holds_up_no_other_party(
    queue: FairQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fairness, "_MOST_PAUSE_S", 0.01)
    stuck, other = Asking(greedy(queue), 2), Asking(greedy(queue), 2)
    await until(lambda: other.begun == 1)
    assert stuck.begun == 1
    for each in (stuck, other):
        each.go_on()
    await asyncio.wait_for(asyncio.gather(*stuck.tasks, *other.tasks), PATIENCE_S)


async def test_no_more_requests_of_a_party_are_at_work_than_it_may_have(queue: FairQueue) -> None:
    asking = Asking(Budget(queue, replace(NO_TERMS, at_once=3)), 10)
    await settle()
    assert asking.begun == 3
    asking.go_on()
    await asyncio.wait_for(asyncio.gather(*asking.tasks), PATIENCE_S)


async def test_requests_beyond_the_rate_wait_and_none_is_refused(queue: FairQueue) -> None:
    asking = Asking(Budget(queue, replace(NO_TERMS, requests_burst=4, requests_per_s=0.001)), 10)
    asking.go_on()
    await settle()
    assert asking.ended == 4
    await asking.stop()
    quick = Asking(Budget(queue, replace(NO_TERMS, requests_burst=4, requests_per_s=1000)), 10)
    quick.go_on()
    await asyncio.wait_for(asyncio.gather(*quick.tasks), PATIENCE_S)


async def test_a_waiting_request_whose_connection_ends_leaves_its_place(queue: FairQueue) -> None:
    asking = Asking(greedy(queue), 3)
    await settle()
    asking.tasks[1].cancel()
    await settle()
    asking.go_on()
    await asyncio.wait_for(asyncio.gather(asking.tasks[0], asking.tasks[2]), PATIENCE_S)
    assert (asking.ended, asking.budget.at_work) == (2, 0)
    # … also one that may begin in the same step of the event loop in which its connection ends
    first, second = Asking(greedy(queue), 1), Asking(greedy(queue), 1)
    await settle()
    first.budget.end()
    second.tasks[0].cancel()
    await settle()
    assert second.budget.at_work == 0
    await first.stop()


def test_attack_more_devices_of_a_person_get_no_more_processor_time() -> None:
    """Before this limit ten devices of one person could use all processor time, and their requests never waited."""
    hub = fanout.Hub(Limits())
    mine = [hub.budget(bytes([k]) * 16, b"e" * 16) for k in range(10)]
    other = hub.budget(b"o" * 16, b"a" * 16)
    for budget in mine[:4]:
        assert budget.in_credit
        budget.charge(Limits().processor_burst_s - 0.01)
    assert not any(budget.in_credit for budget in mine)
    assert other.in_credit
    assert hub.budget(bytes(16), b"e" * 16) is mine[0]


def test_attack_a_new_connection_gets_no_new_budget(queue: FairQueue) -> None:
    budgets: Budgets[bytes] = Budgets(queue, TERMS, kept=3)
    one = budgets.of(b"1")
    one.charge(MUCH_S)
    for name in (b"2", b"3", b"1", b"4", b"5"):
        budgets.of(name)
    assert budgets.of(b"1") is one


# -- who pays


class Purse:
    def __init__(self) -> None:
        self.steps: list[float] = []
        self.apart: list[float] = []

    def charge(self, processor_s: float) -> None:
        self.steps.append(processor_s)

    def charge_from_thread(self, processor_s: float) -> None:
        self.apart.append(processor_s)


async def test_each_step_of_a_request_is_charged_and_its_waiting_is_not() -> None:
    purse = Purse()
    spending.pay_by(purse)

    async def work() -> str:
        sum(range(200_000))
        await asyncio.sleep(0.05)
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            return "cancelled"
        return "not"

    task = asyncio.create_task(spending.metered(work))
    await until(lambda: len(purse.steps) == 2)
    task.cancel()
    assert await task == "cancelled"
    assert len(purse.steps) == 3
    assert purse.steps[0] > purse.steps[1]
    assert sum(purse.steps) < 0.05


async def test_a_request_pays_for_its_reads_its_writes_and_what_others_are_sent(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna, bert, room = await house.two_in_a_room()
    hub = house.server.service.hub
    before, other = hub.budget(anna.author.dev, anna.uid).settle(), hub.budget(bert.author.dev, bert.uid).settle()
    monkeypatch.setattr(fanout, "_SEND_S", 7.0)  # each listener costs the sender one more sending
    await anna.push(room, TEXT)
    await bert.wire.next(m.Fresh)
    assert 7 < hub.budget(anna.author.dev, anna.uid).settle() - before < 8
    assert hub.budget(bert.author.dev, bert.uid).settle() == other
    charged: list[float] = []
    monkeypatch.setattr(Budget, "charge_from_thread", lambda self, s: charged.append(s))
    await anna.wire.ask(m.Directory(anna.wire.rid(), "handläggare", []), m.DirectoryReply)
    assert len(charged) == 1
    await anna.sync(room)
    charged.clear()
    await anna.push(room, TEXT)
    assert len(charged) == 1


# -- the real server


@pytest.fixture
async def strict(data: Path) -> AsyncIterator[House]:
    """A server where a party beyond its budget gets next to nothing while others are present."""
    async with start_server(config(data, Limits(waiting_share=1e-6))) as server:
        made = House(server, data)
        yield made
        await made.close()


async def again(house: House, person: Person) -> Person:
    """Another connection of the same device."""
    second_line = Person(person.name)
    second_line.author, second_line.secrets, second_line.book = person.author, person.secrets, person.book
    await second_line.connect(house.server.url, house.data)
    house.people.append(second_line)
    return second_line


async def test_attack_a_device_that_asks_much_on_many_connections_keeps_nobody_waiting(strict: House) -> None:
    eve, anna = await strict.person("Registrator"), await strict.person()
    lines = [eve, *[await again(strict, eve) for _ in range(3)]]
    strict.server.service.hub.budget(eve.author.dev, eve.uid).charge(MUCH_S)
    await anna.wire.ask(m.Devices(anna.wire.rid()), m.DevicesReply)
    answered: list[int] = []
    for each in lines:
        for _ in range(50):
            frame = m.Directory(each.wire.rid(), "handläggare", [])
            each.wire.send(frame).add_done_callback(lambda _: answered.append(1))
            await each.wire.socket.send(encode(frame))
    for _ in range(20):
        await anna.wire.ask(m.Devices(anna.wire.rid()), m.DevicesReply)
    assert len(answered) <= 2


async def serves(honest: Person, *, before: Sequence[asyncio.Future[Any]]) -> None:
    """Twenty requests of an honest person are served while at most one of those beyond their budget is; ends these."""
    for _ in range(20):
        await honest.wire.ask(m.Devices(honest.wire.rid()), m.DevicesReply)
    assert sum(each.done() for each in before) <= 1
    for each in before:
        each.cancel()
    await asyncio.gather(*before, return_exceptions=True)


async def test_attack_connecting_again_gives_a_device_no_new_budget(strict: House) -> None:
    eve, anna = await strict.person("Registrator"), await strict.person()
    strict.server.service.hub.budget(eve.author.dev, eve.uid).charge(MUCH_S)
    await anna.wire.ask(m.Devices(anna.wire.rid()), m.DevicesReply)
    coming = [asyncio.ensure_future(again(strict, eve)) for _ in range(3)]
    await until(lambda: strict.server.service.hub.queue.behind == 1)
    await serves(anna, before=coming)


async def test_attack_files_wait_their_turn_too(strict: House) -> None:
    anna, eve, room = await strict.two_in_a_room()
    body = b"sealed"
    async with http(strict, eve) as files:
        strict.server.service.hub.budget(eve.author.dev, eve.uid).charge(MUCH_S)
        await anna.wire.ask(m.Devices(anna.wire.rid()), m.DevicesReply)
        puts = [
            asyncio.ensure_future(files.put(url(room), content=body, headers={"repr-digest": digest(body)}))
            for _ in range(6)
        ]
        await until(lambda: strict.server.service.hub.queue.behind == 1)
        await serves(anna, before=puts)


async def test_attack_requests_over_http_without_a_token_wait_too(strict: House) -> None:
    """They are those of an address, which is beyond its budget."""
    anna = await strict.person()
    budget = strict.server.service.entrance._origins["127.0.0.1"].budget
    async with http(strict) as files:
        budget.charge(Limits().address_processor_burst_s + 0.5)
        await anna.wire.ask(m.Devices(anna.wire.rid()), m.DevicesReply)
        asked = [asyncio.ensure_future(files.get("/healthz")) for _ in range(6)]
        await until(lambda: strict.server.service.hub.queue.behind == 1)
        await serves(anna, before=asked)


async def test_attack_an_address_pays_for_its_http_requests_and_for_opening_websockets(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna = await house.person()
    budget, run = house.server.service.entrance._origins["127.0.0.1"].budget, asgi._run

    async def slow(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        began = time.thread_time()
        while time.thread_time() - began < 0.2:
            pass
        await run(app, scope, receive, send)

    with monkeypatch.context() as costly:
        costly.setattr(asgi, "_run", slow)
        before = budget.settle()
        async with http(house) as files:
            assert (await files.get("/healthz")).status_code == 200
        assert budget.settle() - before > 0.15
    monkeypatch.setattr(asgi, "_OPENING_S", 7.0)
    before = budget.settle()
    await again(house, anna)
    assert 7 < budget.settle() - before < 8


@pytest.mark.parametrize("kind", ["http", "websocket"])
async def test_attack_a_request_of_a_connection_that_the_entrance_has_ended_is_not_served(
    house: House, kind: str
) -> None:
    service, served = house.server.service, list[str]()
    caller = service.entrance.admit("127.0.0.1")
    assert caller is not None

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        served.append(scope["type"])

    async def receive() -> Message:
        return {"type": f"{kind}.disconnect"}

    async def send(_: Message) -> None: ...

    guarded, state = asgi._Guarded(app, service), {"caller": caller}
    await guarded({"type": kind, "headers": [], "state": state}, receive, send)
    assert served == [kind]
    caller.end()
    await guarded({"type": kind, "headers": [], "state": state}, receive, send)
    assert served == [kind]
    caller.left()


async def test_attack_a_device_has_few_connections_and_with_one_more_its_oldest_ends(house: House) -> None:
    anna, bert = await house.person(), await house.person("Registrator")
    lines = [anna, *[await again(house, anna) for _ in range(Limits().device_connections)]]
    ended = await lines[0].wire.end()
    assert ended is not None
    assert ended.code == "busy"
    for each in (*lines[1:], bert):
        await each.wire.ask(m.Devices(each.wire.rid()), m.DevicesReply)
    assert house.server.service.hub.connections == Limits().device_connections + 1
    for each in lines[1:]:
        await each.wire.close()
    await until(lambda: anna.author.dev not in house.server.service.hub._by_dev)


async def test_attack_presence_messages_are_counted_by_device(data: Path) -> None:
    limits = Limits(ephemeral_presence_per_s=0.001, ephemeral_presence_burst=10)
    async with start_server(config(data, limits)) as server:
        house = House(server, data)
        anna, bert, room = await house.two_in_a_room()
        for each in (anna, await again(house, anna), await again(house, anna)):
            await each.subscribe(room)
            await send(each, *[ephemeral(anna, room)] * 10)
        assert bert.wire.unasked.qsize() == 10
        # … and none of a device that is beyond its budget while others are present
        hub = server.service.hub
        hub.budget(bert.author.dev, bert.uid).charge(MUCH_S)
        await bert.wire.socket.send(encode(ephemeral(bert, room)))
        await anna.push(room, TEXT)
        received = {type(anna.wire.unasked.get_nowait()) for _ in range(anna.wire.unasked.qsize())}
        assert m.Ephemeral not in received
        await house.close()


async def test_attack_messages_that_are_dropped_are_not_read_as_fast_as_they_come(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """72,000 dropped messages a second on four connections delayed all other clients."""
    monkeypatch.setattr(websocket, "_DROPPED_S", 0.02)
    limits = Limits(ephemeral_bytes=2, ephemeral_other_per_s=0.001, ephemeral_other_burst=1)
    async with start_server(config(data, limits)) as server:
        house = House(server, data)
        anna, _, room = await house.two_in_a_room()
        await anna.subscribe(room)
        await send(anna, ephemeral(anna, room, 9))
        malformed, too_long = ephemeral(anna, room, to=b"?"), ephemeral(anna, room, ct=b"too long")
        for dropped in (ephemeral(anna, room, 9), malformed, too_long):
            began = time.monotonic()
            await send(anna, *[dropped] * 10)
            assert time.monotonic() - began >= 10 * 0.02
        await house.close()


async def test_who_may_not_begin_yet_is_not_refused(data: Path) -> None:
    async with start_server(config(data, Limits(frames_per_s=500, frames_burst=10))) as server:
        anna = await Person("Handläggare").enrol(server.url, data)
        try:
            for _ in range(30):
                await anna.wire.ask(m.Directory(anna.wire.rid(), "a", []), m.DirectoryReply)
        except Refused as e:
            raise AssertionError(e.code) from e
        await anna.wire.close()
