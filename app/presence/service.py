# SPDX-License-Identifier: EUPL-1.2
"""Presence in one session: sends what this person shows of themselves, and receives what others show.

Presence is sent to rooms of at most 100 members when it changes, when the device comes online, and every five minutes.
In larger rooms this device asks the people whom a view shows. One timer serves all of this.
"""

from collections import deque
from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from datetime import date
from math import inf

from app.core import clock, log
from app.core.enums import Presence
from app.core.ids import DevId, RoomId, Uid
from app.core.signal import Signal
from app.core.visible import one_line
from app.errors import StoreFault
from app.presence.answering import Addressee, Answering
from app.presence.asking import Asking
from app.presence.audience import Audience
from app.presence.colleagues import Colleagues, PersonPresence, combined
from app.presence.ports import Ports
from app.presence.records import (
    MAX_TEXT,
    Ask,
    Choice,
    DevicePresence,
    Gone,
    encode,
    here,
    is_ahead,
    read,
    read_stored,
    stored,
)

REPEAT_S, JITTER = 300.0, 0.2
"""Seconds between two repetitions, a random fifth more or less."""
CHANGE_S = 10.0
"""Changes are sent at most once in so many seconds; the last one counts."""
LOOK_S = 30.0
"""Seconds between two checks for what has expired. After so long offline, nothing is shown of other people."""
NEW_S = 60.0
"""A device that comes online asks the others to answer at most once in so many seconds."""
ANSWER_WAIT_S = 3.0
"""An answer waits a random part of so many seconds. Otherwise all members of a room would answer at once."""
_REFRESHED = 200
"""People who are looked at in one turn of the loop: 2 to 3 ms."""
_AT_ONCE, _PAUSE_S = 8, 0.05
"""The most rooms to which presence is sent in one iteration of the loop (0.2 ms each), and the seconds until the
next."""


class PresenceService:
    """Shows this person's presence to colleagues, and knows theirs. Lives on the event loop. Call `start` once, and at
    the end `end` and then `close` once. All other methods may be called at any time, also offline."""

    def __init__(self, ports: Ports) -> None:
        self.changed: Signal[Uid] = Signal()
        """Emitted with a person, a colleague or this account's own: what `of` returns for them has changed."""
        self._ports = ports
        self._choice = read_stored(ports.stored(), ports.now_ms())
        self._in_use, self._in_call, self._online = True, False, False
        self._colleagues, self._asking, self._answering = Colleagues(), Asking(), Answering()
        self._shown: dict[Uid, PersonPresence] = {}
        self._unlooked: deque[Uid] = deque()
        """People whose presence may have expired, or may count or not count any more."""
        self._waiting: deque[RoomId] = deque()
        """Rooms to which this person's presence, or Gone while it is hidden, is still to be sent."""
        self._sent_s: dict[RoomId, float] = {}
        self._repeat_s = self._change_s = inf
        self._looked_s = self._offline_s = ports.now_s()
        self._changed_s = self._new_s = -inf
        self._greeted: set[RoomId] = set()
        """Rooms to which this device has sent since it came online; the first message asks the others to answer."""
        self._was_online = False
        self._wakes_s = inf
        self._cancel: Callable[[], None] = lambda: None
        self._started = self._ended = False
        shared = ports.shared
        self._end: Callable[[], None] = shared.changed.connect(self._follow) if shared is not None else lambda: None

    # -- reading --------------------------------------------------------------------------------------------------

    def of(self, uid: Uid) -> PersonPresence | None:
        """What is shown of the person `uid`; None if nothing is known of them now. For this account's person, what
        others see; None if the person hides it."""
        if uid == self._ports.me:
            mine = [self._mine(), *self._colleagues.devices(uid)]
            return combined(mine, self._ports.now_ms()) if self._ports.is_shown() else None
        return self._shown.get(uid)

    def of_me(self) -> PersonPresence | None:
        """What others see of this account's person; None if the person hides it."""
        return self.of(self._ports.me)

    @property
    def choice(self) -> Choice:
        """What this person chose on any of their devices, as far as it still counts."""
        return self._choice.at(self._ports.now_ms())

    @property
    def quiet(self) -> bool:
        """Whether this person chose do not disturb. No desktop notification is shown then."""
        return self.choice.state is Presence.DO_NOT_DISTURB

    def audience(self) -> Audience:
        """The rooms in which this person's presence is sent, and in which colleagues are asked."""
        return self._ports.audience()

    # -- what this person does ------------------------------------------------------------------------------------

    def choose(self, state: Presence, text: str = "", back_on: date | None = None) -> None:
        """Shows `state` from now on, with the status text `text` (cut to one line of MAX_TEXT characters) and the day
        of return `back_on`, which is left out if `is_ahead` refuses it. The choice is stored first: StoreFault if the
        disk refuses, and then nothing changes. It is shared with this person's other devices, also if they are not
        online now, or their presence is not shown."""
        now_ms = self._ports.now_ms()
        day = back_on if back_on is not None and is_ahead(back_on, now_ms) else None
        newest_ms = max(now_ms, self._choice.chosen_ms + 1)  # the clock of another device may be ahead
        choice = Choice(state=state, text=one_line(text, MAX_TEXT), back_on=day, chosen_ms=newest_ms)
        self._ports.store(stored(choice))
        quiet = state is Presence.DO_NOT_DISTURB and not self.quiet
        self._choice = choice
        if self._ports.shared is not None:
            self._ports.shared.set(stored(choice))
        self._on_own_change(at_once=quiet)

    def set_in_use(self, on: bool) -> None:
        """Notes whether the person uses this device. A person who uses none of their devices is shown as away."""
        if on != self._in_use:
            self._in_use = on
            self._on_own_change()

    def set_in_call(self, on: bool) -> None:
        """Notes whether the person is in a call on this device."""
        if on != self._in_call:
            self._in_call = on
            self._on_own_change()

    def show(self, view: Hashable, uids: Sequence[Uid]) -> None:
        """Notes which people the view `view` (any key) shows now, in place of those before; [] when it is closed. Of
        these, this device asks the people whose smallest common room has more than 100 members, five at a time."""
        self._asking.show(view, uids)
        self._wake(0.0)

    # -- the session ----------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Starts the timer. Call it when the event loop runs. Before it, and after `close`, nothing is sent."""
        self._looked_s, self._started = self._ports.now_s(), True
        if self._choice.chosen_ms and stored(self._choice) != self._ports.stored():  # it counts as made now, once
            self._store()
        self._follow()
        self._wake(0.0)

    def on_status(self, *, online: bool) -> None:
        """Notes whether the engine is online. When it comes online, this person's presence is sent to all rooms, and
        the devices that receive it are asked to answer, at most once in NEW_S."""
        now_s = self._ports.now_s()
        if self._ended or online == self._online:
            return
        self._online = online
        if not online:
            self._offline_s = now_s
            self._stop_sending()
            return
        if now_s - self._new_s >= NEW_S:
            self._new_s = now_s
            self._greeted.clear()
        if self._was_online:
            self._asking.wait_for_place(self._ports.audience(), now_s)
        self._was_online = True
        self._send_to_all()
        self._refresh_all()

    def on_audience(self) -> None:
        """Call it when the audience has changed: this person's presence is sent to the rooms that are new in it, also
        to those that have been in it before. While a room was not in it, new devices there were not answered."""
        rooms = self._ports.audience().rooms
        self._greeted.intersection_update(rooms)
        new = [room for room in rooms if room not in self._greeted]
        if new and self._online and self._ports.is_shown():
            self._waiting.extend(room for room in new if room not in self._waiting)
            self._wake(0.0)
        elif self._online and self._asking.waits(self._ports.audience()):
            self._wake(0.0)  # the people in view may be in a large room since now

    def on_log(self, uid: Uid) -> None:
        """Call it when the key log of the person `uid` has grown. What a new device sent before its key log entry was
        received here could not be verified and was dropped. So each device of `uid` of which nothing is known receives
        this person's presence, and is asked to answer."""
        room = self._ports.audience().shared.get(uid)
        if room is None or uid == self._ports.me or self._ports.audience().has_to_ask(uid):
            return
        for dev in self._ports.devices_of(uid):
            if not self._colleagues.knows(uid, dev):
                self._answer(Addressee(room, dev, asks=True), self._ports.chance() * ANSWER_WAIT_S, asked=False)

    def on_setting(self) -> None:
        """Call it when the person has changed whether their presence is shown: presence or Gone is sent to all
        rooms."""
        if self._ports.is_shown():
            self._send_to_all()
        else:
            self._stop_sending()
            self._send_gone()
        self.changed.emit(self._ports.me)

    def end(self) -> None:
        """Sends Gone to all rooms at once: this device's program ends. While hidden, sends it only to the rooms that
        have not received it yet. Sends nothing while offline. ▲ Nothing is sent after it, whatever the engine says.
        Otherwise colleagues would see the person as online for 11 minutes more."""
        if self._ports.is_shown():
            self._send_gone()
        while self._waiting:
            self._ports.send(self._waiting.popleft(), encode(Gone()), None)
        self._online, self._ended = False, True

    def close(self) -> None:
        """Stops the timer, and following this person's other devices."""
        self._online = self._started = False
        self._cancel()
        self._end()
        if self._ports.shared is not None:
            self._ports.shared.close()

    # -- receiving ------------------------------------------------------------------------------------------------

    def receive(self, room: RoomId, uid: Uid, dev: DevId, payload: bytes, *, addressed: bool) -> None:
        """Receives the ephemeral message `payload` about presence, which the device `dev` of the person `uid` sent in
        `room`. `addressed`: it was sent to this device alone, not to all devices in the room. Ignores a damaged
        message. The engine has verified the sender (rule `ephemeral.signed`), so that nobody changes another person's
        presence.

        ▲ If a device that has come online asks all devices in `room`, it is answered only if presence is sent to all of
        `room`. Otherwise one message could make a thousand devices answer."""
        now_ms, now_s = self._ports.now_ms(), self._ports.now_s()
        match read(payload, now_ms):
            case DevicePresence() as device:
                self._colleagues.put(uid, dev, device, now_s)
                if uid == self._ports.me:
                    self._adopt(device.choice)
                if device.is_new and (addressed or room in self._ports.audience().rooms):
                    self._answer(Addressee(room, dev), self._ports.chance() * ANSWER_WAIT_S, asked=False)
            case Gone():
                self._colleagues.drop(uid, dev)
            case Ask():
                if addressed:
                    self._answer(Addressee(room, dev), 0.0, asked=True)
                return
            case None:
                return
        self._refresh(uid)

    def _answer(self, to: Addressee, wait_s: float, *, asked: bool) -> None:
        if self._online and self._ports.is_shown():
            now_s = self._ports.now_s()
            self._answering.add(to, now_s, wait_s, asked=asked)
            self._wake(max(0.0, self._answering.next_s - now_s))

    def _adopt(self, choice: Choice) -> None:
        """Takes over what this person chose on another device, if that choice is newer than the one here."""
        if choice.chosen_ms <= self._choice.chosen_ms:
            return
        self._choice = choice
        self.changed.emit(self._ports.me)
        self._store()

    def _store(self) -> None:
        try:
            self._ports.store(stored(self._choice))
        except StoreFault as e:  # it counts until the program ends
            log.store.info("presence-not-stored", code=e.code)

    def _follow(self) -> None:
        """Takes over what this person chose on another device if that is newer, and sends it: that device may be
        offline by now. Otherwise a device that is started later would show an older choice."""
        shared = self._ports.shared
        choice = read_stored(shared.get(), self._ports.now_ms()) if shared is not None else Choice()
        if choice.chosen_ms > self._choice.chosen_ms:
            self._adopt(choice)
            self._on_own_change()

    # -- sending --------------------------------------------------------------------------------------------------

    def _mine(self) -> DevicePresence:
        return DevicePresence(choice=self.choice, in_use=self._in_use, in_call=self._in_call, is_new=False)

    def _payload(self, *, is_new: bool = False) -> bytes:
        return encode(here(replace(self._mine(), is_new=is_new)))

    def _on_own_change(self, *, at_once: bool = False) -> None:
        now_s = self._ports.now_s()
        wait_s = 0.0 if at_once else max(0.0, self._changed_s + CHANGE_S - now_s)
        self._change_s = min(self._change_s, now_s + wait_s)
        self._wake(wait_s)
        self.changed.emit(self._ports.me)

    def _send_change(self, now_s: float) -> None:
        self._change_s, self._changed_s = inf, now_s
        self._send_to_all()
        if self._online and self._ports.is_shown():
            self._answering.add_askers(now_s)

    def _send_to_all(self) -> None:
        """Queues this person's presence for every room of at most 100 members, and plans the next repetition."""
        if not (self._online and self._ports.is_shown()):
            return
        self._waiting = deque(self._ports.audience().rooms)
        wait_s = REPEAT_S * (1 + JITTER * (2 * self._ports.chance() - 1))
        self._repeat_s = self._ports.now_s() + wait_s
        self._wake(0.0)

    def _send_gone(self) -> None:
        """Queues Gone for every room of at most 100 members, and sends it to the devices of larger rooms that asked
        lately: at most 20."""
        if not self._online:
            return
        self._greeted.clear()
        self._waiting = deque(self._ports.audience().rooms)
        for to in self._answering.askers(self._ports.now_s()):
            self._ports.send(to.room, encode(Gone()), to.dev)
        self._wake(0.0)

    def _stop_sending(self) -> None:
        self._waiting.clear()
        self._answering.clear()
        self._repeat_s = inf

    def _send_waiting(self, now_s: float) -> None:
        for _ in range(min(_AT_ONCE, len(self._waiting))):
            room = self._waiting.popleft()
            if not self._ports.is_shown():
                self._ports.send(room, encode(Gone()), None)
                continue
            self._sent_s[room] = now_s
            self._ports.send(room, self._payload(is_new=room not in self._greeted), None)
            self._greeted.add(room)

    def _ask(self, now_s: float) -> None:
        audience = self._ports.audience()
        for uid in self._asking.due(audience, now_s):
            for dev in self._ports.devices_of(uid):
                self._ports.send(audience.shared[uid], encode(Ask()), dev)

    # -- the timer ------------------------------------------------------------------------------------------------

    def _wake(self, wait_s: float) -> None:
        """Plans a call of `_on_time` after `wait_s` seconds. Does nothing if an earlier one is planned."""
        at_s = self._ports.now_s() + wait_s
        if self._started and at_s < self._wakes_s:
            self._cancel()
            self._wakes_s = at_s
            self._cancel = self._ports.later(wait_s, self._on_time)

    def _on_time(self) -> None:
        now_s = self._ports.now_s()
        self._wakes_s = inf
        if now_s - self._looked_s >= LOOK_S:
            self._look(now_s)
        for _ in range(min(_REFRESHED, len(self._unlooked))):
            uid = self._unlooked.popleft()
            self._colleagues.expire(uid, now_s)
            self._refresh(uid)
        if now_s >= self._change_s:
            self._send_change(now_s)
        if now_s >= self._repeat_s:
            self._repeat_s = inf
            self._send_to_all()
        if self._online:
            self._send_next(now_s)
        self._wake_for_next(now_s)

    def _send_next(self, now_s: float) -> None:
        if self._waiting:
            self._send_waiting(now_s)
        to = self._answering.take(now_s, self._sent_s)
        if to is not None and self._ports.is_shown():
            self._ports.send(to.room, self._payload(is_new=to.asks), to.dev)
        self._ask(now_s)

    def _wake_for_next(self, now_s: float) -> None:
        due = [self._looked_s + LOOK_S, self._change_s, self._repeat_s]
        if self._unlooked:
            due.append(now_s)
        if self._online and self._waiting:
            due.append(now_s + _PAUSE_S)
        if self._online:
            due.append(self._answering.next_s)
        if self._online and self._asking.waits(self._ports.audience()):
            due.append(self._asking.next_s)
        self._wake(max(0.0, min(due) - now_s))

    # -- what is shown --------------------------------------------------------------------------------------------

    def _look(self, now_s: float) -> None:
        self._looked_s, now_ms = now_s, self._ports.now_ms()
        if self._choice.chosen_ms > now_ms + clock.APART_MS:  # the clock was wrong, and was set
            self._choice = replace(self._choice, chosen_ms=now_ms)
            self._store()
        if self._choice != self.choice:  # the person is back
            self._choice = self.choice
            self._on_own_change()
        self._refresh_all()

    def _refresh_all(self) -> None:
        """▲ In parts: a person may have 10,000 colleagues."""
        self._unlooked = deque({*self._shown, *self._colleagues.people()})
        self._wake(0.0)

    def _refresh(self, uid: Uid) -> None:
        """Computes again what is shown of the person `uid`, and emits `changed` if it differs. Once this device has
        been offline for LOOK_S, nothing is shown of anybody: it is not known what they do meanwhile."""
        knows = self._online or self._ports.now_s() - self._offline_s < LOOK_S
        new = combined(self._colleagues.devices(uid), self._ports.now_ms()) if knows else None
        if new == self._shown.get(uid):
            return
        if new is None:
            del self._shown[uid]
        else:
            self._shown[uid] = new
        self.changed.emit(uid)
