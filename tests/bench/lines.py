# SPDX-License-Identifier: EUPL-1.2
"""Clients that cost little themselves, so that two cores measure the server: they sign in with a real device, send
batches that are really sealed and signed, and of what comes they read only the answers."""

import asyncio
import itertools
import os
import time
from pathlib import Path

from sync.ids import ObjId, RoomId
from sync.protocol import messages as m
from sync.protocol.codec import decode_server, encode
from sync.trust.room import envelope
from tests.sync.server.wire import Person, Wire, open_wire

_NEWS = (b"\xa5fresh", b"\xa6behind", b"\xa9ephemeral")
"""Frames that are thrown away unread."""


class Line(Wire):
    """A connection of which only answers are read, and when it is deaf nothing."""

    deaf = False

    async def _read(self) -> None:
        try:
            async for data in self.socket:
                head = bytes(data[1:11])  # type: ignore[arg-type]
                if self.deaf or head.startswith(_NEWS):
                    continue
                frame = decode_server(bytes(data))  # type: ignore[arg-type]
                answer = self._answers.pop(getattr(frame, "rid", None) or 0, None)
                if answer is not None and not answer.done():
                    answer.set_result(frame)
        except Exception:  # noqa: S110 - any end of the socket is an end
            pass
        finally:
            for answer in self._answers.values():
                if not answer.done():
                    answer.set_exception(ConnectionError("ended"))
                    answer.exception()


async def light(url: str, data: Path) -> Line:
    """A connection like that, which has said hello."""
    wire = await open_wire(url, data)
    made = Line(wire.socket, wire.address)
    await made.greet()
    return made


class Sender:
    """One person's device in one room: keeps its own chain, and takes the answer's position for what it has seen."""

    def __init__(self, person: Person, room: bytes) -> None:
        stream, ring = person.rooms[room], person.rings[room]
        self._person, self._room = person, RoomId(room)
        self.room = self._room
        self._seen = stream.n, stream.rh
        self._epoch = stream.epoch
        head = stream.device_heads.get(person.author.dev)
        self._seq = (head.dev_seq if head else 0) + 1
        self._prev = stream.next_prev(person.uid, person.author.dev)
        k = ring.k(self._epoch)
        assert k is not None
        self._key = envelope.ObjectKeys(self._room).key(k, self._epoch, room, envelope.root_share(room))

    def batch(self, rid: int, *texts: bytes) -> m.Push:
        """The next batch; each is to be taken before the one after it."""
        ops = [
            envelope.PlainOp(ObjId(self._room), self._key, b"", envelope.pack([(os.urandom(16), text)]))  # type: ignore[list-item]
            for text in texts
        ]
        sealed = envelope.encrypt_batch(
            self._person.author, self._room, self._epoch, self._seen, self._seq, self._prev, ops
        )
        self._seq, self._prev = self._seq + len(ops), sealed.last_id
        return m.Push(rid, self._room, list(sealed.bodies), list(sealed.cts), sealed.sig, [])

    def placed(self, answer: m.Placed) -> None:
        """Where the room stood then."""
        self._seen = answer.receipt.n, answer.receipt.rh  # type: ignore[assignment]


async def sent(line: Wire, frame: m.Push) -> tuple[m.Frame, float]:
    """The answer, and how long it took (ms)."""
    answer = line.send(frame)
    began = time.monotonic_ns()
    await line.socket.send(encode(frame))
    reply = await asyncio.wait_for(answer, 60)
    return reply, (time.monotonic_ns() - began) / 1e6


def names(count: int) -> list[str]:
    """Of people who are nobody."""
    roles = itertools.cycle(("Handläggare", "Registrator", "Enhetschef"))
    return [f"{next(roles)} {n}" for n in range(1, count + 1)]
