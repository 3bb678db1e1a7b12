# SPDX-License-Identifier: EUPL-1.2
"""Notifies connections: the index of which connection listens to which room.

Work per message is proportional to the connections that listen, never to the room's members.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable

from sync.errors import Reject
from sync.protocol.codec import encode
from sync.protocol.messages import ErrorCode, Frame
from sync.server.config import Limits
from sync.server.load import spending
from sync.server.load.fairness import NO_TERMS, Budget, Budgets, FairQueue, device_terms
from sync.server.load.flushing import Flushing
from sync.server.load.outbox import Outbox
from sync.server.load.rates import Bucket

_SEND_S = 30e-6
"""Processor time for one more listener of a frame: WebSocket, TLS, socket (28 µs measured, less if several are
joined)."""
_BYTE_S = 2e-9
"""Processor time for each byte that is sent: encrypted, and copied twice."""
_FEW = 4
"""The most other listeners whose frames are written before the sender is answered, which delays it by 0.1 ms."""
DEVICES = 3
"""All devices of one person together have the processor time of this many devices."""
_PEOPLE_KEPT = 65_536


class Listener:
    """A signed-in connection of the device `dev` of the person `uid`, as the hub sees it: where its frames are queued,
    and the rooms that it listens to. `end` is called with an error code and closes it."""

    def __init__(self, uid: bytes, dev: bytes, outbox: Outbox, end: Callable[[str], None]) -> None:
        self.uid = uid
        self.dev = dev
        self.outbox = outbox
        self.end = end
        self.rooms: set[bytes] = set()
        self._is_member: dict[bytes, bool] = {}

    def note_rooms(self, rooms: Iterable[bytes]) -> None:
        """Notes that the person is a member of `rooms`, as the store said at the sign-in. ▲ The listener must have been
        added to the hub before the store was read, and a change of membership that the hub has noted since is not
        overwritten. Otherwise a removal during the sign-in would be lost."""
        for room in rooms:
            self._is_member.setdefault(room, True)

    def note_membership(self, room: bytes, *, is_member: bool) -> None:
        """Notes that the person was added to or removed from the room with the id `room`."""
        self._is_member[room] = is_member

    def is_member(self, room: bytes) -> bool:
        """Whether the person is a member of the room with the id `room`, after every addition and removal of which
        listeners were notified. ▲ A subscription may begin only while this is true."""
        return self._is_member.get(room, False)

    def send(self, frame: Frame) -> None:
        """Queues a frame that may be lost."""
        self.outbox.passing(encode(frame))


class Hub:
    """All signed-in connections, by person, device and room, for sending frames to them; and the budget of each
    device."""

    def __init__(self, limits: Limits) -> None:
        self.queue = FairQueue(limits.waiting_share)
        self.flushing = Flushing()
        """Writes what is queued for the connections."""
        self.anybody = Budget(self.queue, NO_TERMS)
        """The budget of connections that are not limited: within a program, in tests."""
        self._budgets: Budgets[bytes] = Budgets(self.queue, device_terms(limits))
        self._limits = limits
        self._people: OrderedDict[bytes, Bucket] = OrderedDict()
        """By person: the processor time of all their devices together."""
        self._most_of_a_device = limits.device_connections
        self._by_dev: dict[bytes, dict[Outbox, Callable[[str], None]]] = {}
        """By device: its connections, the oldest first, with the function that ends each."""
        self._by_uid: dict[bytes, dict[Listener, None]] = {}
        self._listeners_of: dict[bytes, dict[Listener, None]] = {}
        """By device: its signed-in connections."""
        self._by_room: dict[bytes, dict[Listener, None]] = {}

    def budget(self, dev: bytes, uid: bytes) -> Budget:
        """The budget of the device `dev` of the person `uid`, for all its connections. ▲ All devices of a person
        together have the processor time of three devices (DEVICES), so that nobody gets more by adding devices."""
        person = self._people.get(uid)
        if person is None:
            per_s, burst = self._limits.processor_per_s * DEVICES, self._limits.processor_burst_s * DEVICES
            person = self._people[uid] = Bucket(per_s, burst)
            while len(self._people) > _PEOPLE_KEPT:
                self._people.popitem(last=False)
        self._people.move_to_end(uid)
        return self._budgets.of(dev, person)

    def enter(self, dev: bytes, outbox: Outbox, end: Callable[[str], None]) -> None:
        """Counts a connection (`outbox`) on which the device `dev` has proved itself; `end` is called with an error
        code and closes it. ▲ A device may have few: beyond the limit its oldest is ended with the code "busy", so that
        a connection that the client has given up does not block a new one."""
        own = self._by_dev.setdefault(dev, {})
        own[outbox] = end
        while len(own) > self._most_of_a_device:
            end_oldest = own.pop(next(iter(own)))
            end_oldest(ErrorCode.BUSY)

    def leave(self, dev: bytes, outbox: Outbox) -> None:
        """Stops counting a connection of the device `dev` that has ended; `outbox` is its queue. Does nothing if it is
        not counted."""
        own = self._by_dev.get(dev, {})
        own.pop(outbox, None)
        if not own:
            self._by_dev.pop(dev, None)

    def add(self, listener: Listener) -> None:
        self._by_uid.setdefault(listener.uid, {})[listener] = None
        self._listeners_of.setdefault(listener.dev, {})[listener] = None

    def drop(self, listener: Listener) -> None:
        """Drops a connection from all indexes: it gets no more frames for its person or for rooms. It is not closed. A
        second call does nothing."""
        _discard(self._by_uid, listener.uid, listener)
        _discard(self._listeners_of, listener.dev, listener)
        for room in listener.rooms:
            _discard(self._by_room, room, listener)
        listener.rooms.clear()

    def subscribe(self, listener: Listener, room: bytes) -> None:
        listener.rooms.add(room)
        self._by_room.setdefault(room, {})[listener] = None

    def unsubscribe(self, uid: bytes, room: bytes) -> None:
        """Ends every subscription of the person `uid` to the room with the id `room`, because the person was removed
        from it, and lets none begin until `admit`. Their connections get no more of its frames, but stay open."""
        for listener in self._by_uid.get(uid, {}):
            listener.note_membership(room, is_member=False)
            listener.rooms.discard(room)
            _discard(self._by_room, room, listener)

    def admit(self, uid: bytes, room: bytes) -> None:
        """Lets the connections of the person `uid` subscribe to the room with the id `room`, because the person was
        added to it."""
        for listener in self._by_uid.get(uid, {}):
            listener.note_membership(room, is_member=True)

    def listens(self, room: bytes) -> bool:
        return room in self._by_room

    def listeners(self, room: bytes) -> list[Listener]:
        """The connections that listen to the room now."""
        return list(self._by_room.get(room, {}))

    def news(self, room: bytes, n: int, data: bytes, by: bytes = b"") -> None:
        """Queues `data`, an encoded Fresh frame (new items of a room), for every connection that listens to the room
        with the id `room`; `n` is the last position in the frame. If `data` is empty, or does not fit a connection's
        queue, that connection gets a short Behind frame instead, and its client pulls the items. The connections of
        `by`, the device that sent the new items, come last: its user sees them already. If the other connections are at
        most _FEW, and no connection waits to be written to, they are written to at once, before the caller answers the
        sender. On a busy server they wait, so that their frames are joined."""
        if listeners := self._by_room.get(room):
            is_idle = self.flushing.is_idle
            others, own = [one for one in listeners if one.dev != by], [one for one in listeners if one.dev == by]
            for listener in (*others, *own):
                listener.outbox.news(room, n, data)
            _charge(len(listeners), data)
            if is_idle and len(others) <= _FEW:
                for listener in others:
                    listener.outbox.write()

    def passing(self, room: bytes, frame: Frame, but: Listener) -> None:
        """Queues an ephemeral frame (a message that is not stored) for all connections that listen to the room with the
        id `room`, except `but`, the one that sent it. A connection whose queue would be more than a quarter full misses
        the frame. Does nothing if nobody else listens."""
        self._pass(list(self._by_room.get(room, {})), frame, but)

    def passing_to(self, room: bytes, dev: bytes, frame: Frame, but: Listener) -> None:
        """Queues an ephemeral frame like `passing`, but only for the connections of the device `dev` that listen to the
        room with the id `room`. The cost is that of these alone, however many listen to the room. Does nothing if there
        is none."""
        self._pass([one for one in self._listeners_of.get(dev, {}) if room in one.rooms], frame, but)

    def _pass(self, listeners: list[Listener], frame: Frame, but: Listener) -> None:
        others = [listener for listener in listeners if listener is not but]
        if others:
            data = encode(frame)
            for listener in others:
                listener.outbox.passing(data)
            _charge(len(others), data)

    def notify_room(self, room: bytes, frame: Frame) -> None:
        """Queues a frame, such as the notice that a member lost a device, for every connection that listens to the room
        with the id `room`. A connection with more than twice its queue's limit waiting is ended with the code "busy":
        its client reads the same again when it has reconnected."""
        if listeners := self._by_room.get(room):
            data = encode(frame)
            for listener in list(listeners):
                if not listener.outbox.must(data):
                    listener.end(ErrorCode.BUSY)
            _charge(len(listeners), data)

    def nudge(self, uid: bytes, room: bytes, n: int) -> None:
        """Makes the connections of the person `uid` that listen to the room with the id `room`, if any, pull it: queues
        the notice that it reaches its head `n`, though that may not have moved. There is something new beside its
        items, a new seal (a key that is encrypted to the person)."""
        for listener in self._by_uid.get(uid, {}):
            if room in listener.rooms:
                listener.outbox.news(room, n, b"")

    def notify_each_device(self, uid: bytes, frame_for: Callable[[bytes], Frame]) -> None:
        """Queues for every connection of the person `uid` the frame that `frame_for` returns for the id of the
        connection's device. A connection whose queue is full is ended."""
        for listener in list(self._by_uid.get(uid, {})):
            if not listener.outbox.must(encode(frame_for(listener.dev))):
                listener.end(ErrorCode.BUSY)

    def notify_person(self, uid: bytes, frame: Frame) -> None:
        """Queues the same frame for every connection of a person. A connection whose queue is full is ended."""
        self.notify_each_device(uid, lambda dev: frame)

    def cut(self, dev: bytes, uid: bytes, code: str) -> None:
        """Ends all connections of the device `dev` of the person `uid` with the error code `code`, for example when the
        device was revoked. Does nothing if there is none."""
        for listener in list(self._by_uid.get(uid, {})):
            if listener.dev == dev:
                listener.end(code)

    def present(self) -> set[tuple[bytes, bytes]]:
        """(person, device) of every connection."""
        return {(listener.uid, listener.dev) for listeners in self._by_uid.values() for listener in listeners}

    @property
    def connections(self) -> int:
        return sum(map(len, self._by_uid.values()))

    def queued_bytes(self) -> list[int]:
        """The number of queued bytes of each connection."""
        return [listener.outbox.size_bytes for listeners in self._by_uid.values() for listener in listeners]


def encoded_news(frame: Frame) -> bytes:
    """A Fresh frame (new items of a room) as bytes, for `Hub.news`; empty if the frame is too large to send, as with
    many large entries that were placed together. Clients then pull the items in slices."""
    try:
        return encode(frame)
    except Reject:
        return b""


def _charge(listeners: int, data: bytes) -> None:
    """Charges the party of the request that runs now for sending `data` to so many `listeners`: a fixed processor time
    for each of them, and some for each byte. The tasks of those connections do the sending, and no party is charged
    there."""
    spending.charge(listeners * (_SEND_S + len(data) * _BYTE_S))


def _discard(index: dict[bytes, dict[Listener, None]], key: bytes, listener: Listener) -> None:
    if listeners := index.get(key):
        listeners.pop(listener, None)
        if not listeners:
            del index[key]
