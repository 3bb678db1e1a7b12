# SPDX-License-Identifier: EUPL-1.2
"""A desktop without windows in a process of its own: the real session (store, engine, services) on asyncio's loop.

`python -m tests.bench.desk` opens the profile of the environment and obeys one JSON line after the other; `Desk` is
the end of it in the bench's process. Times are CLOCK_MONOTONIC in ns, the same clock in every process.
"""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from app.bootstrap import Office
from app.chat.tool import TOOL as CHAT
from app.core import garbage
from app.core.enums import LinkState, Role, RoomType
from app.core.ids import ObjId, RoomId, Uid
from app.documents.tool import TOOL as DOCUMENTS
from app.profile import DEFAULT, Profile
from app.session import Session
from app.store.rows import StoredChange
from tests.bench.office import ROOT, environment, launch
from tests.bench.turns import Turns

TEXT = "Kompletteringen från sökanden är inkommen och diarieförd som aktbilaga {n}. 🙂"
LETTERS = "Sökanden har kommit in med en komplettering åäö. "
PATIENCE_S = 300.0
SWITCH_INTERVAL_S = 0.001  # as ui/main sets it


class Desk:
    """Starts the process and asks it. Every method but `call` is a `do_` of `Doing`."""

    def __init__(self, folder: Path, name: str, *, turns: bool = False, module: str = "tests.bench.desk") -> None:
        """`turns`: the loop's turns are timed from the session's opening on. `module`: the other end."""
        self.began_ns = time.monotonic_ns()
        self._asked = ""
        self._process = subprocess.Popen(
            [*launch(folder, name, module), *(["--turns"] if turns else [])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment(folder, name),
            cwd=ROOT,
        )

    def call(self, what: str, **told: object) -> Any:
        """Asks and waits for the answer."""
        self.ask(what, **told)
        return self.answer()

    def ask(self, what: str, **told: object) -> None:
        """Asks; `answer` must be called before the next question."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": what, **told}) + "\n")
        self._process.stdin.flush()
        self._asked = what

    def answer(self) -> Any:
        """Waits for the answer to `ask`. RuntimeError if the process ended."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the desk ended at {self._asked}")
        return json.loads(line)

    def close(self) -> None:
        """Ends the process in order."""
        if self._process.poll() is None:
            self.call("end")
        self._process.wait(30)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()


class Doing:
    """What a desk does; `arrived` holds when each change of others was committed and told here."""

    def __init__(self, session: Session, turns: Turns, opened_ns: int) -> None:
        self.session = session
        self.turns = turns
        self.opened_ns = opened_ns
        self.arrived: dict[str, int] = {}
        self.lengths: list[tuple[int, int]] = []
        session.store.changes.received.connect(self._on_received)

    def _on_received(self, changes: Sequence[StoredChange]) -> None:
        now = time.monotonic_ns()
        for change in changes:
            self.arrived[change.change_id.hex()] = now

    async def do_opened(self) -> int:
        """When the session's opening began."""
        return self.opened_ns

    async def do_online(self) -> str:
        """Waits for the server; gives the own uid."""
        await until(lambda: self.session.status.state is LinkState.ONLINE)
        return self.session.people.me.uid.hex()

    async def do_room(self, others: list[str]) -> str:
        """A new room with these people, who read everything."""
        room = await self.session.rooms.create("Tillsyn 2026-1184", RoomType.CASE)
        for other in others:
            await self.session.rooms.add(room, Uid(bytes.fromhex(other)), Role.WRITER, True)
        return room.hex()

    async def do_joined(self, room: str) -> None:
        """Waits until the room's chat is here."""
        await until(lambda: self.session.service(CHAT).channel(RoomId(bytes.fromhex(room))) is not None)

    async def do_say(self, room: str, count: int, gap_s: float) -> dict[str, int]:
        """Sends messages with a pause after each; when each was handed in."""
        sent = {}
        for n in range(count):
            await asyncio.sleep(gap_s)
            began = time.monotonic_ns()
            change = self.session.service(CHAT).send(RoomId(bytes.fromhex(room)), TEXT.format(n=n))
            sent[change.hex()] = began
        return sent

    async def do_pour(self, room: str, count: int, together: int) -> int:
        """Sends messages as fast as the loop takes them, so many in a transaction; when it began."""
        to = RoomId(bytes.fromhex(room))
        began = time.monotonic_ns()
        for start in range(0, count, together):
            with self.session.store.transaction():
                for n in range(start, start + together):
                    self.session.service(CHAT).send(to, TEXT.format(n=n))
            await asyncio.sleep(0)
        return began

    async def do_sent(self) -> None:
        """Waits until the server has everything."""
        await until(lambda: self.session.status.waiting == 0)

    async def do_arrived(self, count: int, among: Sequence[str] = ()) -> dict[str, int]:
        """Waits until `count` changes of others are here, and all changes of `among`. Returns when each was here, and
        starts counting again at none. Without `among` a heartbeat counts too."""
        await until(lambda: len(self.arrived) >= count and all(change in self.arrived for change in among))
        arrived, self.arrived = self.arrived, {}
        return arrived

    async def do_forget(self) -> None:
        """What arrived so far does not count."""
        self.arrived = {}

    async def do_document(self, room: str) -> str:
        """Creates a document in the room; gives its id."""
        return self.session.service(DOCUMENTS).create(RoomId(bytes.fromhex(room)), "Beslut").hex()

    async def do_enter(self, obj: str) -> None:
        """Opens a document as an editor does, and waits until a colleague's caret is in it too."""
        found = ObjId(bytes.fromhex(obj))
        await until(lambda: self.session.store.objects.get(found) is not None)
        document = self.session.service(DOCUMENTS).open(found)
        self.session.service(DOCUMENTS).enter(found, lambda: (0, 0))
        self.lengths = [(0, document.length_utf16)]
        document.changed.connect(lambda _: self.lengths.append((time.monotonic_ns(), document.length_utf16)))
        await until(lambda: bool(self.session.service(DOCUMENTS).presence(found)))

    async def do_type(self, obj: str, count: int, gap_s: float) -> list[int]:
        """Types letters at the end of an entered document; when each key was pressed."""
        document = self.session.service(DOCUMENTS).open(ObjId(bytes.fromhex(obj)))
        pressed = []
        for n in range(count):
            await asyncio.sleep(gap_s)
            pressed.append(time.monotonic_ns())
            document.splice(document.length_utf16, 0, LETTERS[n % len(LETTERS)])
        return pressed

    async def do_seen(self, count: int) -> list[int]:
        """Waits until an entered document has so many more letters; when each of them was in the model."""
        first = self.lengths[0][1]
        await until(lambda: self.lengths[-1][1] >= first + count)
        return [next(at for at, length in self.lengths if length > first + n) for n in range(count)]

    async def do_heard(self, room: str, uid: str) -> None:
        """Waits until an item of that person counts in the room."""
        speakers, found = self.session.engine.speakers, RoomId(bytes.fromhex(room))
        await until(lambda: Uid(bytes.fromhex(uid)) in speakers(found))

    async def do_position(self, room: str, at_least: int) -> int:
        """Waits for a position of the room."""
        found = RoomId(bytes.fromhex(room))
        await until(lambda: self.session.engine.position(found) >= at_least)
        return self.session.engine.position(found)

    async def do_readable(self, rooms: int, at_least: int) -> int:
        """Waits until so many rooms are shown and stand at that position; when. The list of rooms is asked for last:
        200 of them cost 16 ms."""
        engine, shown = self.session.engine, self.session.rooms.rooms
        await until(lambda: engine.reading[0] >= rooms, every_s=0.05)
        await until(lambda: sum(engine.position(row.room) >= at_least for row in shown()) >= rooms, every_s=0.05)
        return time.monotonic_ns()

    async def do_filled(self) -> int:
        """Waits until nothing of any room is left to be read in the background; when."""
        engine, rooms = self.session.engine, self.session.rooms.rooms()
        await until(lambda: all(engine.reread_progress(room.room) is None for room in rooms), every_s=0.05)
        return time.monotonic_ns()

    async def do_rotate(self, room: str) -> None:
        await self.session.rooms.rotate(RoomId(bytes.fromhex(room)))

    async def do_watch(self) -> None:
        """Times the loop's turns from now on."""
        self.turns.start()

    async def do_watched(self) -> dict[str, object]:
        return self.turns.stop()


async def until(look: Any, every_s: float = 0.002) -> None:
    """Waits for something to be so, looking often: the waiting is no part of any figure."""
    deadline = time.monotonic() + PATIENCE_S
    while not look():
        if time.monotonic() > deadline:
            raise TimeoutError
        await asyncio.sleep(every_s)


async def do_all(doing: Doing) -> None:
    """Does the orders on standard input, and prints the result of each as a line of JSON. An order is a line with an
    object in JSON: `do` is the name of a method of `doing` without its `do_`, and the rest are the method's arguments.
    Returns after the order `end`, or when the input ends."""
    reader = asyncio.StreamReader(limit=2**22)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        told = json.loads(line)
        what = told.pop("do")
        if what == "end":
            return
        print(json.dumps(await getattr(doing, f"do_{what}")(**told)), flush=True)


async def obey(turns_from_start: bool) -> None:
    profile = Profile.open(DEFAULT)
    turns = Turns()
    if turns_from_start:
        turns.start()
    opened_ns = time.monotonic_ns()
    session = await Office(profile).unlock_raw()
    assert session is not None
    doing = Doing(session, turns, opened_ns)
    await do_all(doing)
    await session.close()
    profile.close()
    print("null", flush=True)


if __name__ == "__main__":
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    garbage.begin()  # likewise
    asyncio.run(obey("--turns" in sys.argv))
