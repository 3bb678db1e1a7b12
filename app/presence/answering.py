# SPDX-License-Identifier: EUPL-1.2
"""The devices that wait for this person's presence: those that asked, and those that have just come online."""

from collections import deque
from dataclasses import dataclass, field

from app.core.ids import DevId, RoomId
from app.presence.colleagues import EXPIRES_S

EVERY_S = 0.5
"""An answer is sent at most twice a second."""
AGAIN_S = 15.0
"""Seconds in which a device is answered once."""
MAX_WAITING, MAX_ASKERS, MAX_ANSWERED = 200, 20, 2000


@dataclass(frozen=True, slots=True)
class Addressee:
    """One device, and the room in which it is reached. `asks`: what is sent asks it to answer in turn."""

    room: RoomId
    dev: DevId
    asks: bool = False


@dataclass(frozen=True, slots=True)
class _Waiting:
    to: Addressee
    due_s: float
    since_s: float


@dataclass(slots=True)
class Answering:
    """The queue of answers. Times in seconds are those of one clock that nobody can set."""

    _queue: deque[_Waiting] = field(default_factory=deque)
    _answered: dict[DevId, float] = field(default_factory=dict)
    _askers: dict[Addressee, float] = field(default_factory=dict)
    _next_s: float = 0.0

    def add(self, to: Addressee, now_s: float, wait_s: float, *, asked: bool) -> None:
        """Has the device `to` be answered after `wait_s`. `asked`: it asked, and gets changes too for a while. A device
        is answered once in AGAIN_S; of more than MAX_WAITING the later ones are not answered."""
        if asked:
            self._note_asker(to, now_s)
        last = self._answered.get(to.dev)
        if len(self._queue) >= MAX_WAITING or (last is not None and now_s - last < AGAIN_S):
            return
        if len(self._answered) >= MAX_ANSWERED:
            self._answered = {dev: at for dev, at in self._answered.items() if now_s - at < AGAIN_S}
            if len(self._answered) >= MAX_ANSWERED:
                return
        self._answered[to.dev] = now_s
        self._queue.append(_Waiting(to, now_s + wait_s, now_s))

    def take(self, now_s: float, sent_s: dict[RoomId, float]) -> Addressee | None:
        """The device to answer now, if any. `sent_s`: when this person's presence was last sent to all of a room; what
        a device has received in this way since it is left out."""
        if now_s < self._next_s:
            return None
        for _ in range(len(self._queue)):
            each = self._queue.popleft()
            if sent_s.get(each.to.room, -1.0) > each.since_s:
                continue
            if each.due_s <= now_s:
                self._next_s = now_s + EVERY_S
                return each.to
            self._queue.append(each)
        return None

    def add_askers(self, now_s: float) -> None:
        """Has the devices that asked lately receive a change: the presence that they got is no longer right."""
        for to in self.askers(now_s):
            if all(each.to != to for each in self._queue):
                self._queue.append(_Waiting(to, now_s, now_s))

    def askers(self, now_s: float) -> list[Addressee]:
        """The last MAX_ASKERS devices that asked, if they did so within EXPIRES_S."""
        return [to for to, at_s in self._askers.items() if now_s - at_s < EXPIRES_S]

    @property
    def waits(self) -> bool:
        """Whether somebody waits for an answer."""
        return bool(self._queue)

    def clear(self) -> None:
        """Drops the answers that wait: the connection is lost, or nothing is shown any more."""
        self._queue.clear()

    def _note_asker(self, to: Addressee, now_s: float) -> None:
        self._askers.pop(to, None)
        self._askers[to] = now_s
        if len(self._askers) > MAX_ASKERS:
            del self._askers[next(iter(self._askers))]
