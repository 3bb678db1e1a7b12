# SPDX-License-Identifier: EUPL-1.2
"""How soon everybody who is connected knows that the agency has ended a colleague's account."""

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path

from sync.ids import RoomId
from sync.server.config import Limits
from sync.server.operator import admin
from tests.bench.office import found, scratch, server_process
from tests.bench.registry import Figure, bench
from tests.world import Client, World, until

CONNECTED, ROOMS = 200, 50
_LONGEST_S = 120.0


@dataclass
class Apart(World):
    """As `World`, with the server in a process of its own, which somebody else has started."""

    def at(self, port: int) -> "Apart":
        self._port = port
        return self

    async def stop_server(self) -> None: ...


@bench("revocation_told_200_s", "revocation_told_200_server_s")
def revocation() -> list[Figure]:
    """From the end of `kansli-server reset` until the last of 200 people no longer has that person in a room, and the
    room has another key; and the server's processor time meanwhile. The 200 share one process here, which computes for
    all of them: where each has a computer it is sooner."""
    with scratch() as folder:
        found(folder)
        with server_process(folder) as (pid, port):
            told_s, server_s = asyncio.run(_measured(Apart(folder, Limits()).at(port), pid))
    note = f"{CONNECTED} colleagues connected, in {ROOMS} rooms with the person whose account is reset"
    return [
        Figure(name="revocation_told_200_s", value=told_s, unit="s", n=1, note=note),
        Figure(name="revocation_told_200_server_s", value=server_s, unit="s", n=1, note="the server's processor time"),
    ]


async def _measured(w: Apart, pid: int) -> tuple[float, float]:
    (leaver,) = await w.hire("Registrator")
    colleagues = [(await w.hire(f"Handläggare {number}"))[0] for number in range(CONNECTED)]
    each = CONNECTED // ROOMS
    groups = [colleagues[at : at + each] for at in range(0, CONNECTED, each)]
    rooms = [(await w.room(group[0], leaver, *group[1:]), group) for group in groups]
    for room, group in rooms:
        await w.settle(room, leaver, *group)
    epochs = {room: group[0].engine.parts.link.rooms[room].stream.epoch for room, group in rooms}
    used_s = _processor_s(pid)
    await admin.reset(w.data, uid=leaver.uid)
    began = time.perf_counter()
    await until(lambda: all(_knows(c, room, leaver, epochs[room]) for room, group in rooms for c in group), _LONGEST_S)
    told_s = time.perf_counter() - began
    used_s = _processor_s(pid) - used_s
    await w.close()
    return told_s, used_s


def _knows(client: Client, room: RoomId, leaver: Client, epoch: int) -> bool:
    stream = client.engine.parts.link.rooms[room].stream
    return leaver.uid not in stream.members and stream.epoch > epoch


def _processor_s(pid: int) -> float:
    """User and system time of a process (proc_pid_stat(5))."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100
