# SPDX-License-Identifier: EUPL-1.2
"""Everybody comes back after the server was started again: what a return costs with 55 rooms in which nothing is
new, and when all are back."""

import asyncio
import random
import time
from pathlib import Path

from sync.protocol import messages as m
from sync.protocol.version import MAX_KNOWN_LOGS
from tests.bench import thin_line, whole_agency
from tests.bench.many_people import cpu_s
from tests.bench.office import copy_of, server_process
from tests.bench.registry import Figure, bench, percentile
from tests.bench.thin_line import ThinLine, dial
from tests.bench.whole_agency import Agency, build
from tests.sync.server.wire import trust

PEOPLE = 1000
SIZES = [2 + k % 8 for k in range(10_000)]
"""10,000 rooms of 2 to 9: 55 for each person, twenty times as many as the server has in memory. Making them takes
about a minute, once."""
SPREAD_S = 5.0
"""An engine waits for up to so many seconds before it connects again."""
_SOURCES = [Path(__file__), Path(whole_agency.__file__), Path(thin_line.__file__)]


async def _build(folder: Path) -> None:
    await build(folder, PEOPLE, SIZES)


async def _asks(line: ThinLine, agency: Agency, number: int) -> None:
    """What an engine asks that has everything."""
    rooms = [agency.rooms[room] for room in agency.people[number].rooms]
    subscribed = await line.ask(m.Subscribe(line.rid(), [bytes(room.room) for room in rooms]), m.Subscribed)
    assert subscribed.ns == [room.seen[0] for room in rooms]
    uids = {agency.people[member].author.uid: agency.people[member].author for room in rooms for member in room.members}
    known = [m.KnownLog(each.uid, each.ulog[0]) for each in uids.values()]
    for at in range(0, len(known), MAX_KNOWN_LOGS):
        reply = await line.ask(m.MovedLogs(line.rid(), known[at : at + MAX_KNOWN_LOGS]), m.MovedLogsReply)
        assert reply.heads == []


async def _all_back(agency: Agency, port: int, data: Path) -> list[float]:
    """Seconds until each was back, from the moment at which the first might come."""
    context, began, drawing = trust(data), time.monotonic(), random.Random(3)

    async def one(number: int, wait_s: float) -> tuple[float, ThinLine]:
        await asyncio.sleep(wait_s)
        try:
            line = await dial(port, context)
            authed = await line.sign_in(agency.people[number].author)
        except ConnectionError:  # the server closed a connection that had waited too long: an engine connects again too
            return await one(number, drawing.uniform(0, SPREAD_S))
        assert len(authed.rooms) == len(agency.people[number].rooms)
        await _asks(line, agency, number)
        return time.monotonic() - began, line

    waits = [drawing.uniform(0, SPREAD_S) for _ in agency.people]
    back = await asyncio.gather(*(one(number, wait_s) for number, wait_s in enumerate(waits)))
    for _, line in back:
        line.close()
    return [at_s for at_s, _ in back]


@bench("people_back_s", "return_cpu_ms")
def coming_back() -> list[Figure]:
    """The server has just started and has no room in memory."""
    with copy_of("returning", _build, _SOURCES) as folder, server_process(folder) as (pid, port):
        agency, before = Agency.read(folder), cpu_s(pid)
        at_s = asyncio.run(_all_back(agency, port, folder / "server"))
        each_ms = (cpu_s(pid) - before) / PEOPLE * 1000
    rooms = sum(SIZES) / PEOPLE
    note = f"{PEOPLE} people with {rooms:.0f} rooms come within {SPREAD_S:.0f} s; half are back after "
    note += f"{percentile(at_s, 50):.1f} s"
    return [
        Figure(name="people_back_s", value=max(at_s), unit="s", n=PEOPLE, note=note),
        Figure(name="return_cpu_ms", value=each_ms, unit="ms", n=PEOPLE, note="of the server for each of them"),
    ]
