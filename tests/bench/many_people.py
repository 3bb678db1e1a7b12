# SPDX-License-Identifier: EUPL-1.2
"""What one server carries of an agency at work: how many changes a second, and how soon it answers a message in a room
of 300 in which everybody listens."""

import asyncio
import os
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from sync.protocol import messages as m
from sync.protocol.codec import encode
from tests.bench import thin_line, whole_agency
from tests.bench.office import copy_of, server_process
from tests.bench.registry import Figure, bench, median, percentile
from tests.bench.thin_line import ThinLine, dial, framed
from tests.bench.whole_agency import Agency, Writing, build
from tests.sync.server.wire import trust

PEOPLE, LARGE = 300, 300
SIZES = [LARGE, *(2 + 7 * k % 27 for k in range(100))]
"""A room of all, and a hundred of 2 to 28: 18 listeners a change, if every room is equally likely."""
WRITERS = 4
"""Members of each room who write there."""
IN_FLIGHT = 100
WARM_UP, CHANGES = 2_000, 12_000
ONE_BY_ONE, _UNTIMED, PAUSE_S = 150, 10, 0.03
TEXT = "Kompletteringen från sökanden är inkommen och diarieförd som aktbilaga 7. 🙂".encode()
_SOURCES = [Path(whole_agency.__file__), Path(thin_line.__file__)]


async def _build(folder: Path) -> None:
    await build(folder, PEOPLE, SIZES)


async def everybody(agency: Agency, port: int, data: Path) -> list[ThinLine]:
    """All people, signed in and listening to all their rooms."""
    context, at_once = trust(data), asyncio.Semaphore(16)

    async def one(number: int) -> ThinLine:
        async with at_once:
            member = agency.people[number]
            line = await dial(port, context)
            await line.sign_in(member.author)
            rooms = [bytes(agency.rooms[room].room) for room in member.rooms]
            await line.ask(m.Subscribe(line.rid(), rooms), m.Subscribed)
            return line

    return list(await asyncio.gather(*map(one, range(len(agency.people)))))


def cpu_s(pid: int) -> float:
    """Processor time of a process, all its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class _Desk:
    """One member in one room with what they will write, sealed and signed before."""

    def __init__(self, agency: Agency, room: int, place: int, lines: list[ThinLine], count: int) -> None:
        made = agency.rooms[room]
        self.line = lines[made.members[place]]
        writing = Writing(agency, made, place)
        self._frames = []
        for _ in range(count):
            rid = self.line.rid()
            self._frames.append((rid, framed(encode(writing.batch(rid, TEXT)))))
        self._next = 0

    @property
    def has_more(self) -> bool:
        return self._next < len(self._frames)

    async def write(self) -> float:
        """Sends the next change; how long its answer took (ms)."""
        rid, frame = self._frames[self._next]
        self._next += 1
        began = time.monotonic_ns()
        reply = await asyncio.wait_for(self.line.send(rid, frame), 60)
        assert isinstance(reply, m.Placed), reply
        return (time.monotonic_ns() - began) / 1e6


async def _saturated(agency: Agency, lines: list[ThinLine], pid: int) -> tuple[float, float, list[float], float]:
    """(changes a second, processor time of the server a change in ms, ms until each was answered, frames a change)."""
    each = (WARM_UP + CHANGES) * 5 // 4 // (len(agency.rooms) * 2) + 1
    free: dict[int, list[_Desk]] = {}
    for number, room in enumerate(agency.rooms):
        places = range(min(WRITERS, len(room.members)))
        free[number] = [_Desk(agency, number, k, lines, each * 2 // len(places)) for k in places]
    drawing, numbers = random.Random(1), list(free)

    async def worker(until: Iterator[int], took: list[float]) -> None:
        for _ in until:
            while not free[room := drawing.choice(numbers)]:
                pass
            desk = free[room].pop()
            took.append(await desk.write())
            if desk.has_more:
                free[room].insert(0, desk)
            elif not free[room]:
                numbers.remove(room)

    async def all_of(count: int) -> list[float]:
        took: list[float] = []
        until = iter(range(count))
        await asyncio.gather(*(worker(until, took) for _ in range(IN_FLIGHT)))
        return took

    await all_of(WARM_UP)
    before, sent, began = _frames(lines), cpu_s(pid), time.monotonic()
    took = await all_of(CHANGES)
    for_s, used_s = time.monotonic() - began, cpu_s(pid) - sent
    await asyncio.sleep(2)
    return CHANGES / for_s, used_s / CHANGES * 1000, took, (_frames(lines) - before) / CHANGES


def _frames(lines: list[ThinLine]) -> int:
    return sum(sum(line.news.values()) for line in lines)


@bench("server_changes_per_s", "server_change_cpu_ms")
def changes() -> list[Figure]:
    """As many changes as one server answers, from members of a hundred small rooms and one of 300."""

    async def run(port: int, pid: int, folder: Path) -> tuple[float, float, list[float], float]:
        agency = Agency.read(folder)
        lines = await everybody(agency, port, folder / "server")
        return await _saturated(agency, lines, pid)

    with copy_of("agency", _build, _SOURCES) as folder, server_process(folder) as (pid, port):
        per_s, cpu_ms, took, frames = asyncio.run(run(port, pid, folder))
    note = (
        f"{PEOPLE} people connected, {IN_FLIGHT} changes under way, {frames:.1f} frames to listeners each; answered "
        f"after {percentile(took, 50):.0f} ms, p95 {percentile(took, 95):.0f}"
    )
    return [
        Figure(name="server_changes_per_s", value=per_s, unit="1/s", n=CHANGES, note=note),
        Figure(name="server_change_cpu_ms", value=cpu_ms, unit="ms", n=CHANGES, note="of the server, all threads"),
    ]


@dataclass(slots=True)
class _Spread:
    """How one message after the other spreads in the large room: ms until its sender is answered, until half of the
    members have it, and until the last has it. `cpu_ms`: the server's processor time for one."""

    acks: list[float] = field(default_factory=list)
    halves: list[float] = field(default_factory=list)
    lasts: list[float] = field(default_factory=list)
    cpu_ms: float = 0.0


async def _one_by_one(agency: Agency, lines: list[ThinLine], pid: int) -> _Spread:
    desk, spread = _Desk(agency, 0, 0, lines, ONE_BY_ONE + _UNTIMED), _Spread()
    for _ in range(_UNTIMED):
        await desk.write()
    await asyncio.sleep(1)
    before = cpu_s(pid)
    for _ in range(ONE_BY_ONE):
        began = time.monotonic_ns()
        took = await desk.write()
        await asyncio.sleep(PAUSE_S)
        came = sorted((line.newest_ns - began) / 1e6 for line in lines)
        spread.acks.append(took)
        spread.halves.append(came[len(came) // 2])
        spread.lasts.append(came[-1])
    spread.cpu_ms = (cpu_s(pid) - before) / ONE_BY_ONE * 1000
    return spread


@bench("room_300_ack_ms", "room_300_last_ms")
def room_of_300() -> list[Figure]:
    """One message at a time in a room of 300 in which everybody is connected."""

    async def run(port: int, pid: int, folder: Path) -> _Spread:
        agency = Agency.read(folder)
        return await _one_by_one(agency, await everybody(agency, port, folder / "server"), pid)

    with copy_of("agency", _build, _SOURCES) as folder, server_process(folder) as (pid, port):
        spread = asyncio.run(run(port, pid, folder))
    note = f"its sender's answer; p95 {percentile(spread.acks, 95):.1f}; the server's processor {spread.cpu_ms:.1f} ms"
    last = f"until the last of {LARGE} has it; half have it after {median(spread.halves):.1f}"
    return [
        Figure(name="room_300_ack_ms", value=median(spread.acks), unit="ms", n=ONE_BY_ONE, note=note),
        Figure(name="room_300_last_ms", value=median(spread.lasts), unit="ms", n=ONE_BY_ONE, note=last),
    ]
