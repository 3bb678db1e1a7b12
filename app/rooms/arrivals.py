# SPDX-License-Identifier: EUPL-1.2
"""What this device does after the person has joined a room or left one.

After joining it notes an "accepted" answer, so that the person's other devices do not ask, and posts a heartbeat, so
that the other members see that the person has joined, and which formats this device reads. After leaving it notes that
the person is asked again if somebody adds them later. What is still to do follows from the room and the answers, so a
program that ended in between does it at its next start.
"""

import asyncio

from app.core import log
from app.core.ids import RoomId
from app.errors import StoreFault
from app.rooms.answers import Answers, is_before
from app.rooms.formats import DeviceFormats
from app.store.store import Store
from sync.client.engine import Engine


class Arrivals:
    """For one account: notes in the personal room (shared by the person's own devices) that the person has joined a
    room, so that another device does not ask about the invitation, or left one, so that they are asked if somebody adds
    them again. Posts a heartbeat in rooms that were joined, so that their members see it. Keep `run` running until it
    is cancelled."""

    def __init__(self, store: Store, engine: Engine, answers: Answers, formats: DeviceFormats) -> None:
        self._store = store
        self._engine = engine
        self._answers = answers
        self._formats = formats
        self._online = False
        self._woken = asyncio.Event()
        self._due: set[RoomId] = {row.room for row in store.rooms_list.all()}
        self._done: set[RoomId] = set()
        """Rooms the person is in and in which nothing is left to do. A room moves with each message, so this must be
        cheap."""
        self._ends = [answers.changed.connect(self._woken.set), store.changed.connect(self.on_room)]

    def close(self) -> None:
        """Stops following the store."""
        for end in self._ends:
            end()

    def on_status(self, *, online: bool) -> None:
        """Receives whether the engine is online. Nothing is done before it was online once: until then this device does
        not know what the person's other devices did."""
        if online and not self._online:
            self._online = True
            self._woken.set()

    def on_room(self, room: RoomId) -> None:
        """Notes that something changed in a room, so that `run` checks it. Called for each message, so it does not read
        the store for rooms with nothing left to do."""
        if room in self._done and self._engine.is_in(room):  # does not read the store: this is called for each message
            return
        self._due.add(room)
        self._woken.set()

    async def run(self) -> None:
        """Runs until cancelled. Writes what is left to write after rooms were joined or left (a heartbeat there, an
        answer in the personal room) while the personal room can be written to; otherwise waits until it can."""
        while True:
            await self._woken.wait()
            self._woken.clear()
            while self._due and self._online and self._answers.ready:
                room = self._due.pop()
                try:
                    self._tend(room)
                except StoreFault as e:
                    log.store.warning("arrival-not-noted", code=e.code)
                    self._done.discard(room)
                    self._due.add(room)
                    break  # perhaps a full disk: tried again when something else moves
                except Exception as e:  # a fault of ours in one room: the others go on
                    log.store.exception("arrivals", e)
                await asyncio.sleep(0)

    def _tend(self, room: RoomId) -> None:
        row, me = self._store.rooms_list.get(room), self._engine.uid
        if row is None or (room in self._done and not row.left):
            return
        answer = self._answers.answer(room)
        if row.left:
            self._done.discard(room)
            left_n = self._store.rooms_list.left_at(room, me)
            # a later answer is about a later addition, which this device has not read yet
            left_ms = self._store.rooms_list.entry_time(room, left_n) or 0
            if answer is not None and answer.answer == "accepted" and is_before(answer, left_n, left_ms):
                self._answers.note_answer(room, 0, "asked")
            return
        since = next((m.since_n for m in self._store.rooms_list.members(room) if m.uid == me), None)
        first = self._store.rooms_list.events(room, limit=1)
        if since is None or not first:
            return
        self._done.add(room)
        if first[0].kind == "genesis" and first[0].by == me:
            return
        self._formats.show_joined(room)
        if answer is None:
            self._answers.note_answer(room, since, "accepted")
