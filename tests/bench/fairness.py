# SPDX-License-Identifier: EUPL-1.2
"""What honest people notice of two hostile members, and what a connection costs on which nobody has signed in."""

import asyncio
import random
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sync.protocol import messages as m
from sync.trust.formats.items import Role
from tests.bench.lines import Sender, light, names, sent
from tests.bench.office import ROOT, as_shipped, found, scratch, server_process
from tests.bench.registry import Figure, bench, percentile
from tests.sync.server.wire import Person, Wire, trust

PEOPLE, SMALL_ROOMS = 50, 10
POSITIONS = 5000
"""Of the room that all are in: more than the server has in memory."""
RATE_PER_S = 40.0
WARM_UP_S, ALONE_S, BESIDE_S = 3.0, 20.0, 30.0
SILENT = 400
TEXT = "Kompletteringen från sökanden är inkommen och diarieförd som aktbilaga 7. 🙂".encode()


class Hostile:
    """One of the two, as a process of its own."""

    def __init__(self, kind: str, url: str, data: Path) -> None:
        command = [sys.executable, "-m", "tests.bench.hostile_run", kind, url, str(data)]
        self._process = subprocess.Popen(
            ["nice", "-n", "19", *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=as_shipped(),
        )
        self.uid = bytes.fromhex(self._line())

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline().strip()
        assert line, "it has ended"
        return line

    def tell(self, what: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(what + "\n")
        self._process.stdin.flush()

    def prepare(self, room: bytes) -> None:
        self.tell(room.hex())
        assert self._line() == "ready"

    def close(self) -> None:
        self._process.kill()
        self._process.wait(30)
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()


class Office:
    """Fifty people with small rooms, and one room in which all of them are."""

    def __init__(self, url: str, data: Path) -> None:
        self.url, self.data = url, data
        self.people: list[Person] = []
        self.senders: list[tuple[Person, list[Sender]]] = []
        self.common = b""
        self._small: list[tuple[bytes, list[Person]]] = []

    async def open(self) -> None:
        for name in names(PEOPLE):
            self.people.append(await self._enrolled(name))
        self.common = await self._room(self.people)
        for k in range(SMALL_ROOMS):
            members = self.people[k::SMALL_ROOMS]
            self._small.append((await self._room(members), members))
        await self._grow()

    def prepare(self) -> None:
        """From now on they only write: nobody is added any more."""
        for room, members in self._small:
            self.senders += [(who, [Sender(who, room), Sender(who, self.common)]) for who in members]

    async def _enrolled(self, name: str) -> Person:
        person = await Person(name).enrol(self.url, self.data)
        await person.wire.close()
        return person

    async def _room(self, members: list[Person]) -> bytes:
        founder, *others = members
        for who in members:
            who.wire = await light(self.url, self.data)
            await who.auth()
        room = await founder.create()
        for who in others:
            await founder.add(room, who)
        for who in others:
            who.rings[room] = founder.rings[room]
            await who.sync(room)
        for who in members:
            await who.wire.close()
        return room

    async def _grow(self) -> None:
        founder = self.people[0]
        founder.wire = line = await light(self.url, self.data)
        await founder.auth()
        sender = Sender(founder, self.common)
        for _ in range(POSITIONS // 250):
            reply, _ = await sent(line, sender.batch(line.rid(), *[TEXT] * 250))
            assert isinstance(reply, m.Placed), reply
            sender.placed(reply)
        await founder.sync(self.common)
        await founder.wire.close()

    async def add(self, uid: bytes, role: Role) -> None:
        """The founder adds somebody to the room of all."""
        founder = self.people[0]
        founder.wire = await light(self.url, self.data)
        await founder.auth()
        await founder.fetch_log(uid)
        await founder.submit(founder.drafter(self.common).add(uid, role, history=True))  # type: ignore[arg-type]
        await founder.sync(self.common)
        await founder.wire.close()

    async def connect(self) -> None:
        """Everybody signs in and listens to their rooms, as in the morning before."""
        for who, own in self.senders:
            who.wire = await light(self.url, self.data)
            await who.auth()
            for sender in own:
                await who.subscribe(sender.room)

    async def work(self, for_s: float) -> list[float]:
        """All of them write for so long; how long each answer took (ms)."""
        took: list[float] = []
        async with asyncio.TaskGroup() as group:
            for who, own in self.senders:
                group.create_task(self._write(who.wire, own, for_s, took))
        return took

    async def _write(self, line: Wire, own: list[Sender], for_s: float, took: list[float]) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + for_s
        while (pause_s := random.expovariate(RATE_PER_S / PEOPLE)) < until - loop.time():
            await asyncio.sleep(pause_s)
            sender = random.choice(own)
            reply, ms = await sent(line, sender.batch(line.rid(), TEXT))
            if not isinstance(reply, m.Placed):
                raise RuntimeError(f"an honest text was refused: {reply}")
            sender.placed(reply)
            took.append(ms)


async def _both(url: str, data: Path) -> tuple[list[float], list[float]]:
    office = Office(url, data)
    await office.open()
    loop = asyncio.get_running_loop()
    reader = await loop.run_in_executor(None, Hostile, "reader", url, data)
    writer = await loop.run_in_executor(None, Hostile, "writer", url, data)
    try:
        await office.add(reader.uid, Role.READER)
        await office.add(writer.uid, Role.WRITER)
        for each in (reader, writer):
            await loop.run_in_executor(None, each.prepare, office.common)
        office.prepare()
        await office.connect()
        await office.work(WARM_UP_S)
        alone = await office.work(ALONE_S)
        for each in (reader, writer):
            each.tell("go")
        return alone, await office.work(BESIDE_S)
    finally:
        reader.close()
        writer.close()


@bench("fair_p95_ratio")
def fair() -> list[Figure]:
    """Honest people's answers beside a hostile reader and a hostile writer, against without them."""
    with scratch() as folder:
        data = found(folder)
        with server_process(folder) as (_, port):
            alone, beside = asyncio.run(_both(f"https://localhost:{port}", data))
    before, after = percentile(alone, 95), percentile(beside, 95)
    note = (
        f"p95 of {PEOPLE} people's answers: {before:.1f} ms alone (n={len(alone)}), {after:.1f} ms beside two hostile "
        f"members on 8 connections each; p50 {percentile(alone, 50):.1f} and {percentile(beside, 50):.1f}, p99 "
        f"{percentile(alone, 99):.1f} and {percentile(beside, 99):.1f}"
    )
    return [Figure(name="fair_p95_ratio", value=after / before, unit="", n=len(beside), note=note)]


def _pss_kib(pid: int) -> float:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8").splitlines():
        if line.startswith("Pss:"):
            return float(line.split()[1])
    raise RuntimeError("no Pss")


async def _silent(port: int, context: ssl.SSLContext, count: int) -> list[asyncio.StreamWriter]:
    return [(await asyncio.open_connection("localhost", port, ssl=context))[1] for _ in range(count)]


@contextmanager
def _loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    try:
        yield loop
    finally:
        loop.close()


@bench("silent_tls_kib")
def silent_tls() -> list[Figure]:
    """Connections that have finished TLS and say nothing, by the memory of the server's process."""
    with scratch() as folder:
        data = found(folder)
        with server_process(folder) as (pid, port), _loop() as loop:
            context = trust(data)
            first = loop.run_until_complete(_silent(port, context, 10))  # what these bring about is loaded once
            before = _pss_kib(pid)
            held = loop.run_until_complete(_silent(port, context, SILENT))
            after = _pss_kib(pid)
            for writer in (*first, *held):
                writer.transport.abort()
            loop.run_until_complete(asyncio.sleep(0.1))
    note = f"of {SILENT} at once; at most 1,000 stay, for 10 s"
    return [Figure(name="silent_tls_kib", value=(after - before) / SILENT, unit="KiB", n=SILENT, note=note)]
