# SPDX-License-Identifier: EUPL-1.2
"""The counts by which a day's use is limited: read once a day, and right while several requests run."""

import asyncio

import pytest

from sync.ids import DevId, Uid
from sync.server.config import Limits
from sync.server.rules import quotas as module
from sync.server.rules.handshake import Who
from sync.server.rules.quotas import Quotas, senders
from sync.server.rules.refusal import Refusal
from sync.server.store.base import Tally
from sync.server.store.memory import MemoryStore

ANNA = Who(Uid(b"a" * 16), DevId(b"d" * 16))


class Slow(MemoryStore):
    """A store whose counts are read when `go` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.go = asyncio.Event()
        self.reads = 0

    async def counted(self, tally: Tally, day: int) -> int:
        self.reads += 1
        found = await super().counted(tally, day)
        await self.go.wait()
        return found


async def test_bytes_that_are_sent_while_the_count_is_read_are_not_forgotten() -> None:
    store = Slow()
    quotas = Quotas(store, Limits(device_bytes_a_day=1000))

    async def send(size: int) -> None:
        await quotas.check_device(ANNA, size)
        quotas.note(ANNA, size)

    sending = [asyncio.create_task(send(300)) for _ in range(3)]
    await asyncio.sleep(0)
    store.go.set()
    await asyncio.gather(*sending)
    with pytest.raises(Refusal, match="quota"):
        await quotas.check_device(ANNA, 200)


async def test_what_could_not_be_written_yesterday_is_not_taken_out_of_todays_counts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = Slow()
    store.go.set()
    quotas = Quotas(store, Limits(device_bytes_a_day=1000))
    day = module.today()
    for now in (day, day + 1):
        monkeypatch.setattr(module, "today", lambda now=now: now)
        await quotas.check_device(ANNA, 900)
        quotas.note(ANNA, 900)
    quotas.take_back(senders(ANNA), 900, day)
    with pytest.raises(Refusal, match="quota"):
        await quotas.check_device(ANNA, 200)
    quotas.take_back(senders(ANNA), 900, day + 1)
    await quotas.check_device(ANNA, 200)


async def test_the_counts_of_yesterday_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    store = Slow()
    store.go.set()
    quotas = Quotas(store, Limits(device_bytes_a_day=1000))
    for person in range(50):
        await quotas.check_device(Who(Uid(bytes([person]) * 16), ANNA.dev), 1)
    tomorrow = module.today() + 1
    monkeypatch.setattr(module, "today", lambda: tomorrow)
    reads = store.reads
    await quotas.check_device(ANNA, 1)
    assert store.reads == reads + 2
    assert len(quotas._used) == 2
