# SPDX-License-Identifier: EUPL-1.2
"""Lives of the state machines as transcripts: everything that the desks receive, choose, send, store and show.

A life follows from its number alone: seeded dice choose the steps, the random bytes and the waits, the clock is the
test's, and sets have one order. So two versions of the client may be compared byte for byte: the same number gives the
same transcript, unless the client does something else. `python -m tests.sync.byzantine.lives` replays all lives of
lives.txt, and with `--record` writes that file again, after a change that is meant to alter what the client does.
"""

import argparse
import asyncio
import logging
import os
import random
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import fields
from hashlib import sha256
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.store.inbox import Inbox
from sync.client.received import Backfilled, BegunObject, ReadAgain, Received
from sync.client.room.room_sync import RoomSync
from sync.crypto import aead, seal
from sync.crypto.encoding import enc
from sync.errors import Reject
from sync.ids import RoomId
from tests.sync.byzantine import office, still, test_false_server, test_honest_server
from tests.sync.byzantine.desk import Desk, Line
from tests.sync.byzantine.world import BEGINNINGS, World

LIVES = 2000
STEPS = 30
FILE = Path(__file__).with_name("lives.txt")
MACHINES: tuple[tuple[type[World], dict[str, int]], ...] = (
    (test_honest_server.BadDay, test_honest_server.MIX),
    (test_false_server.FalseServer, test_false_server.MIX),
    (test_false_server.FalseServer, test_false_server.MIX),
)
"""Which machine lives, and how often it chooses each step. Every third life has the honest server."""
ROWS = (
    "SELECT room, cursor, state, postponed FROM streams ORDER BY room",
    "SELECT room, n, rh FROM positions ORDER BY room, n",
    "SELECT room, epoch, k, a FROM room_keys ORDER BY room, epoch",
    "SELECT room, obj, share FROM shares ORDER BY room, obj",
    "SELECT room, n, item FROM waiting ORDER BY room, n",
    "SELECT room, n, code FROM bad ORDER BY room, n",
    "SELECT room, n, uid, code FROM void_items ORDER BY room, n",
    "SELECT room, n, proof FROM receipts ORDER BY room",
    "SELECT room, code, ours, theirs, claim FROM evidence ORDER BY room, code",
    "SELECT room, n, t, kind FROM kept_items ORDER BY room, n",
    "SELECT room, obj, n, digest FROM snapshots ORDER BY obj",
    "SELECT row, room, obj, change_id, author, n, data FROM changes ORDER BY row",
    "SELECT room, first_seq FROM batches ORDER BY id",
    "SELECT row, room, obj FROM outbox ORDER BY row",
    "SELECT room, uid, role, since_n, history FROM members ORDER BY room, uid",
    "SELECT room, n, t, kind FROM events ORDER BY room, n, kind",
    "SELECT uid, seq, body, sig FROM user_log ORDER BY uid, seq",
)
"""What a desk has stored of rooms and people, without what only the store itself knows."""

ORDER = "PYTHONHASHSEED"
"""With "0" in this variable Python gives sets of bytes and texts the same order in each process."""
ROLE = re.compile(r"<Role\.\w+: (\d+)>")
"""A role is noted as its number, whatever class carries it."""
AEAD_BYTES = 72
"""How much longer a ciphertext of one chunk is than its plaintext."""


class Transcript:
    """What happened in one life, as a chain of hashes: one after each step, so that a difference shows where it
    begins. With `lines` every event is kept as text too."""

    def __init__(self, *, lines: bool = False) -> None:
        self._hash = sha256()
        self.steps: list[str] = []
        self.lines: list[str] | None = [] if lines else None

    def note(self, what: str, *facts: object) -> None:
        line = ROLE.sub(r"\1", f"{what} {facts!r}\n")
        self._hash.update(line.encode())
        if self.lines is not None:
            self.lines.append(line)

    def end_step(self) -> None:
        self.steps.append(self._hash.hexdigest()[:24])
        if self.lines is not None:
            self.lines.append(f"--- step {len(self.steps)}: {self.steps[-1]}\n")


def live(number: int, *, lines: bool = False) -> Transcript:
    """One whole life."""
    transcript, dice = Transcript(lines=lines), Random(f"life {number}")
    kind, mix = MACHINES[number % len(MACHINES)]
    steps = [what for what, often in mix.items() for _ in range(often)]
    with pytest.MonkeyPatch.context() as patched, waits_from(number):
        observe(patched, transcript)
        encrypt_with_dice(patched)
        machine: Any = kind()
        machine.found(seed=dice.randrange(2**24), begin=dice.choice(BEGINNINGS))
        note_desks(transcript, machine)
        for _ in range(STEPS):
            machine.step(what=dice.choice(steps), seed=dice.randrange(2**24))
            note_desks(transcript, machine)
        try:
            machine.teardown()
        except AssertionError as e:
            transcript.note("not well", str(e))
        transcript.end_step()
    return transcript


@contextmanager
def waits_from(number: int) -> Iterator[None]:
    """Seeds Python's own dice, with which the client chooses its waits, and gives back their state at the end."""
    before = random.getstate()
    random.seed(number)
    try:
        yield
    finally:
        random.setstate(before)


def observe(patched: pytest.MonkeyPatch, transcript: Transcript) -> None:
    """Has the desks' frames, writes and shown states, the clock and the random bytes noted."""
    patched.setattr(office, "still", noting(transcript))
    asking: list[Any] = [(Line, "deliver_bytes", "in"), (Line, "send", "out")]
    for owner, name, what in asking:
        patched.setattr(owner, name, _noting_frames(getattr(owner, name), transcript, what))
    store, set_problem, shows, stop = Inbox.receive_apart, Inbox.set_problem, Desk.on_room, Desk.stop

    async def receive_apart(self: Inbox, received: Received) -> None:
        transcript.note("stores", form(received))
        await store(self, received)

    def problem(self: Inbox, room: RoomId, code: str | None) -> None:
        transcript.note("problem", room, code)
        set_problem(self, room, code)

    def on_room(self: Desk, room: RoomId) -> None:
        shows(self, room)
        transcript.note("shows", self.name, room, str(self.engine.room_state(room)))

    async def stopped(self: Desk) -> None:
        if self._running is not None:
            transcript.note("rows", self.name, sha256(repr(rows(self)).encode()).hexdigest())
        await stop(self)

    patched.setattr(Inbox, "receive_apart", receive_apart)
    patched.setattr(Inbox, "set_problem", problem)
    patched.setattr(Desk, "on_room", on_room)
    patched.setattr(Desk, "stop", stopped)


def _noting_frames(method: Callable[..., Any], transcript: Transcript, what: str) -> Callable[..., Any]:
    def noted(self: Line, data: bytes) -> Any:
        if self.open:
            transcript.note(what, self.desk.name, data)
        return method(self, data)

    return noted


def noting(transcript: Transcript) -> Callable[[object], Any]:
    """`still`, with what it decides noted."""

    @contextmanager
    def noted(seed: object) -> Iterator[tuple[still.StillLoop, still.Clock]]:
        with still.still(seed) as (loop, clock), pytest.MonkeyPatch.context() as patched:
            drawn, select = os.urandom, loop._idle.select

            def urandom(size: int) -> bytes:
                found = drawn(size)
                transcript.note("dice", found)
                return found

            def wait(timeout: float | None = None) -> Any:
                if timeout:
                    transcript.note("clock", clock.s, timeout)
                return select(timeout)

            loop.set_task_factory(_numbered())
            patched.setattr(os, "urandom", urandom)
            patched.setattr(loop._idle, "select", wait)
            yield loop, clock

    return noted


def encrypt_with_dice(patched: pytest.MonkeyPatch) -> None:
    """Replaces the two ways to encrypt, whose libraries have dice of their own that take no seed, by one whose bytes
    follow from `os.urandom`. What is altered is still refused, and the sizes are the same."""

    def encrypt(key: bytes, ctx: list[object], plaintext: bytes) -> bytes:
        return _encrypt(key + enc(ctx), plaintext, AEAD_BYTES)

    def decrypt(key: bytes, ctx: list[object], sealed: bytes) -> bytes:
        return _decrypt(key + enc(ctx), sealed, AEAD_BYTES)

    def seal_to(public: bytes, info: bytes, message: bytes) -> bytes:
        seal._loaded(public)
        return _encrypt(public + info, message, seal.OVERHEAD_BYTES)

    def opened(self: seal.KemKey, info: bytes, sealed: bytes) -> bytes:
        return _decrypt(self.public + info, sealed, seal.OVERHEAD_BYTES)

    patched.setattr(aead, "encrypt", encrypt)
    patched.setattr(aead, "decrypt", decrypt)
    patched.setattr(seal, "seal_to", seal_to)
    patched.setattr(seal.KemKey, "open", opened)


def _encrypt(key: bytes, plaintext: bytes, more_bytes: int) -> bytes:
    salt = os.urandom(more_bytes - 16)
    return salt + AESGCM(sha256(key + salt).digest()).encrypt(bytes(12), plaintext, None)


def _decrypt(key: bytes, sealed: bytes, more_bytes: int) -> bytes:
    salt = sealed[: more_bytes - 16]
    try:
        return AESGCM(sha256(key + salt).digest()).decrypt(bytes(12), sealed[more_bytes - 16 :], None)
    except (InvalidTag, ValueError) as e:
        raise Reject("decrypt") from e


class _Task(asyncio.Task[Any]):
    """A task whose place in a set does not depend on its address: a group cancels its tasks in the order of a set."""

    number = 0

    def __hash__(self) -> int:
        return self.number

    __eq__ = object.__eq__


def _numbered() -> Callable[..., Any]:
    made = count()

    def make(loop: asyncio.AbstractEventLoop, what: Any, **options: Any) -> _Task:
        task = _Task(what, loop=loop, **options)
        task.number = next(made)
        return task

    return make


def form(received: Received) -> list[tuple[str, object]]:
    """What a write says, whatever its type: the names and values that are not left empty."""
    found = {f.name: getattr(received, f.name) for f in fields(received)} | {"more": received.more}
    match received:
        case BegunObject(snapshot=snapshot):
            found |= {"snapshot": None, "snapshots": [snapshot]}
        case Backfilled(objs=objs):
            found |= {"objs": None, "backfilled": objs}
        case ReadAgain():
            found |= {"reread": 0}
        case _:
            pass
    said = {name: list(v) if isinstance(v, Sequence) and not isinstance(v, bytes) else v for name, v in found.items()}
    return sorted((name, v) for name, v in said.items() if v is not None and v is not False and v != [])


def rows(desk: Desk) -> list[list[tuple[object, ...]]]:
    """Everything in ROWS."""
    return [[tuple(row) for row in desk.store.db.rows(statement)] for statement in ROWS]


def note_desks(transcript: Transcript, machine: World) -> None:
    """Notes the verdicts and the state of every room at every desk, and ends the step."""
    for desk in machine.office.desks:
        for room, notes in sorted(desk.judged.items()):
            verdicts = [(n, [j.accepted.void for j in judged]) for n, judged in sorted(notes.items())]
            transcript.note("judged", desk.name, room, verdicts)
        refused = [(d.room, len(d.items), d.refused, str(d.alarm)) for d in desk.delivered if d.refused is not None]
        transcript.note("refused", desk.name, refused, desk.faults)
        for followed in sorted(desk.engine.parts.link.rooms):
            transcript.note("state", desk.name, followed, state_of(desk.engine.parts.link.rooms[followed]))
    transcript.end_step()


def state_of(room: RoomSync) -> tuple[object, ...]:
    """What a room shows of itself."""
    flags = (room.held_back, room.caught_up, room.ends_here, room.may_send, room.may_write, room.is_member)
    numbers = (room.stream.n, room.head_n, room.kept_n, room.waiting, room.reread, room.own_seq)
    reading = (room.bootstrap_buffer is not None, room.headers_only, sorted(room.incomplete))
    return str(room.problem), str(room.security_status()), room.blocked, flags, numbers, reading


def digest(number: int) -> tuple[int, str]:
    """A life's number, and the last hash of its transcript."""
    return number, live(number).steps[-1]


def recorded() -> dict[int, str]:
    """The lives in lives.txt."""
    return {int(number): found for number, found in (line.split() for line in FILE.read_text().splitlines())}


def main() -> int:
    if os.environ.get(ORDER) != "0":
        command = [sys.executable, "-m", "tests.sync.byzantine.lives", *sys.argv[1:]]
        return subprocess.run(command, check=False, env=os.environ | {ORDER: "0"}).returncode
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--record", action="store_true", help="writes lives.txt instead of comparing with it")
    parser.add_argument("--lives", type=_numbers, default=list(range(LIVES)), help="as 5 or 5,8 or 0-99")
    parser.add_argument("--out", type=Path, default=FILE, help="where --record writes")
    parser.add_argument("--lines", type=Path, help="also writes every event of the first life to this file")
    args = parser.parse_args()
    if args.lines:
        args.lines.write_text("".join(live(args.lives[0], lines=True).lines or ()))
        return 0
    known, found = {} if args.record else recorded(), dict[int, str]()
    with ProcessPoolExecutor(os.cpu_count(), initializer=logging.disable) as cores:
        for number, last in cores.map(digest, args.lives, chunksize=4 if len(args.lives) > 20 else 1):
            found[number] = last
            if not args.record and known[number] != last:
                print(f"life {number} differs", flush=True)
    if args.record:
        args.out.write_text("".join(f"{number} {last}\n" for number, last in found.items()))
        return 0
    same = sum(known[number] == last for number, last in found.items())
    print(f"{len(found)} lives, {same} the same")
    return 0 if same == len(found) else 1


def _numbers(text: str) -> list[int]:
    """Numbers and ranges, with commas."""
    ends = [part.partition("-") for part in text.split(",")]
    return [n for first, _, last in ends for n in range(int(first), int(last or first) + 1)]


if __name__ == "__main__":
    sys.exit(main())
