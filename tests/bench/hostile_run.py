# SPDX-License-Identifier: EUPL-1.2
"""A hostile member's client as a process of its own: `python -m tests.bench.hostile_run reader|writer URL DATA`.

It enrols, says who it is, is told of a room that it was added to, and at "go" does the worst that it can, on eight
connections that it opens again whenever one is ended. What is sent is made before, so that it costs the sender little.
"""

import asyncio
import copy
import os
import random
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from sync.ids import RoomId
from sync.protocol import messages as m
from sync.protocol.codec import encode
from sync.trust.keys.epochs import KeyRing
from tests.bench.lines import Line, Sender, light
from tests.sync.server.hostile import batch_that_saw, running_hashes
from tests.sync.server.wire import Person

CONNECTIONS = 8
BATCH = 256
FLOOD, BATCHES = 128, 400
_TEXT = "Jag godkänner. 🙂".encode().ljust(300)


async def signed_in(person: Person, url: str, data: Path) -> Line:
    """Another connection of the same device."""
    twin = copy.copy(person)
    twin.wire = line = await light(url, data)
    await twin.auth()
    line.deaf = True
    return line


async def flood(person: Person, url: str, data: Path, frames: Sequence[bytes] | Iterator[bytes]) -> None:
    """Sends for ever, and signs in again when it is cut off. Of a sequence at random, of an iterator in its order."""
    while True:
        try:
            line = await signed_in(person, url, data)
            while True:
                frame = random.choice(frames) if isinstance(frames, Sequence) else next(frames)
                await line.socket.send(frame)
        except StopIteration:
            return
        except Exception:
            await asyncio.sleep(0.01)


async def reader_frames(person: Person, room: bytes) -> list[bytes]:
    """Batches that name old positions, pulls of a mebibyte, and look-ups."""
    rhs = running_hashes(await person.sync(room))
    frames: list[bytes] = []
    for start in (5, 300, 600):
        for count in (BATCH, 16):  # as the audit had it, and as many as are allowed
            person.seqs.clear()
            batch = batch_that_saw(person, room, [(n, rhs[n]) for n in range(start, start + count)])
            frames.append(encode(batch))
    frames += [encode(m.Pull(1, room, 256 * k, 1 << 20)) for k in range(12)]
    frames += [encode(m.Directory(1, "handläggare", [])), encode(m.UserLog(1, person.uid, -1))]
    return [*frames, *frames[:6] * 3]


async def hostile(kind: str, url: str, data: Path) -> None:
    person = await Person(kind).enrol(url, data)
    print(person.uid.hex(), flush=True)
    read = asyncio.get_running_loop().run_in_executor
    room = bytes.fromhex((await read(None, sys.stdin.readline)).strip())
    frames = await reader_frames(person, room)
    plans: list[Sequence[bytes] | Iterator[bytes]] = [frames] * CONNECTIONS
    if kind == "writer":
        ring = person.rings[room] = KeyRing(RoomId(room))
        ring.add(person.rooms[room].epoch, os.urandom(32), None)  # nobody opens it; the server cannot tell
        sender = Sender(person, room)
        made = [encode(sender.batch(1, *[_TEXT] * FLOOD)) for _ in range(BATCHES)]
        plans = [iter(made), *[frames] * (CONNECTIONS - 1)]
    print("ready", flush=True)
    await read(None, sys.stdin.readline)
    os.nice(10)  # whoever measures has the other core
    await asyncio.gather(*(flood(person, url, data, plan) for plan in plans))


if __name__ == "__main__":
    asyncio.run(hostile(sys.argv[1], sys.argv[2], Path(sys.argv[3])))
