# SPDX-License-Identifier: EUPL-1.2
"""The queue of devices to which this person's presence is to be sent alone: those that asked, those that have just come
online, and those that are new in a colleague's key log."""

from collections import deque
from dataclasses import dataclass, field, replace
from math import inf

from app.core.ids import DevId, RoomId
from app.presence.colleagues import EXPIRES_S

EVERY_S = 0.5
"""An answer is sent at most twice a second."""
AGAIN_S = 15.0
"""A device is answered at most once in so many seconds."""
MAX_WAITING, MAX_ASKERS = 200, 20
"""The most devices: in the queue; remembered as having asked."""


@dataclass(frozen=True, slots=True)
class Addressee:
    """One device, and the room in which it is reached. `asks`: the message to it asks it to answer in turn."""

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
    """The queue of answers. All times are seconds of one monotonic clock."""

    _queue: deque[_Waiting] = field(default_factory=deque)
    _answered: dict[DevId, float] = field(default_factory=dict)
    _askers: dict[Addressee, float] = field(default_factory=dict)
    _next_s: float = 0.0

    def add(self, to: Addressee, now_s: float, wait_s: float, *, asked: bool) -> None:
        """Queues a message with this person's presence to the device `to`, which has asked for it, has come online, or
        is new. It is due `wait_s` seconds from now, but no sooner than AGAIN_S after the last one to that device.
        Queues nothing if one to the device waits already, or if MAX_WAITING wait. `asked`: the device has asked; it
        then also receives changes of the presence until EXPIRES_S from now, whether something is queued or not.

        A device that was answered a moment ago is answered again, only later: its program may have been started again
        since, and has then lost the first answer."""
        if asked:
            self._note_asker(to, now_s)
        if len(self._queue) >= MAX_WAITING or any(each.to.dev == to.dev for each in self._queue):
            return
        due_s = max(now_s + wait_s, self._answered.get(to.dev, -inf) + AGAIN_S)
        self._queue.append(_Waiting(to, due_s, now_s))

    def take(self, now_s: float, sent_s: dict[RoomId, float]) -> Addressee | None:
        """Removes one answer that is due from the queue and returns its device; None if none is due, or if one was
        returned less than EVERY_S ago. `sent_s`: when this person's presence was last sent to all of a room. An answer
        that was queued before such a message is dropped: the device has received the presence with it. One that `asks`
        stays. Otherwise nobody would ask the new device, and it would be unknown here until it repeats its presence."""
        if now_s < self._next_s:
            return None
        for _ in range(len(self._queue)):
            each = self._queue.popleft()
            if not each.to.asks and sent_s.get(each.to.room, -1.0) > each.since_s:
                continue
            if each.due_s <= now_s:
                self._next_s = now_s + EVERY_S
                self._answered = {dev: at for dev, at in self._answered.items() if now_s - at < AGAIN_S}
                self._answered[each.to.dev] = now_s
                return each.to
            self._queue.append(each)
        return None

    def add_askers(self, now_s: float) -> None:
        """Queues an answer to each of `askers`, since this person's presence has changed. An answer that waits already
        keeps its place in the queue, and is due now. Otherwise a device that was started again would show the former
        presence for up to AGAIN_S."""
        askers = dict.fromkeys(self.askers(now_s), now_s)
        for at, each in enumerate(self._queue):
            if askers.pop(each.to, None) is not None:
                self._queue[at] = replace(each, due_s=now_s)
        self._queue.extend(_Waiting(to, now_s, now_s) for to in askers)

    def askers(self, now_s: float) -> list[Addressee]:
        """The devices that asked less than EXPIRES_S ago, at most the last MAX_ASKERS of them."""
        return [to for to, at_s in self._askers.items() if now_s - at_s < EXPIRES_S]

    @property
    def next_s(self) -> float:
        """When `take` has to be called next: when the first answer in the queue is due, but no sooner than EVERY_S
        after the last one that was taken. inf if the queue is empty."""
        return max(self._next_s, min((each.due_s for each in self._queue), default=inf))

    def clear(self) -> None:
        """Empties the queue: the connection is lost, or the person no longer shows their presence."""
        self._queue.clear()

    def _note_asker(self, to: Addressee, now_s: float) -> None:
        self._askers.pop(to, None)
        self._askers[to] = now_s
        if len(self._askers) > MAX_ASKERS:
            del self._askers[next(iter(self._askers))]
