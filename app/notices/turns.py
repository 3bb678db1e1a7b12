# SPDX-License-Identifier: EUPL-1.2
"""Decides at which of a person's devices a notice rings that all of them make at the same time: a reminder, a snoozed
notice that comes back, a task that is due.

It rings at the connected device that the person used last. The device that the person begins to use notifies the others
(`Used`), and the device that has rung names the notices (`Rung`). The others wait WAIT_S for `Rung`. If they do not
receive it, they ring, in the order of their ids, STEP_S apart. A device without a connection to the others rings by
itself. All messages are ephemeral, in the person's own room.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice, repeat
from math import inf

import msgspec

from app.core import clock
from app.core.enums import LinkState
from app.core.ids import DevId
from app.core.signal import Signal
from app.errors import BadChange
from app.objects.object import Payload
from app.store.notice_rows import NoticeId

WAIT_S, STEP_S = 15, 2
"""Seconds that a device waits for another one to ring, and by how many more each further one waits."""
LONGEST_S = 600
"""Seconds more after which a device rings whatever the connection does."""
MOST_IDS = 200
"""The most notices that one message names."""
AGAIN_S = 5.0
"""The least seconds between two messages `Used` of a device."""
_SENT_AT_ONCE = 100
"""How many notices one message of this program names: with their times they are 2,800 bytes."""
_MAX_BYTES = 4096
_ID_BYTES = 16


class Used(msgspec.Struct, frozen=True, kw_only=True, tag="used"):
    """The ephemeral message by which a device notifies the person's others that the person has begun to use it."""


class Rung(msgspec.Struct, frozen=True, kw_only=True, tag="rung"):
    """The ephemeral message by which a device names notices that have rung on it: at most MOST_IDS ids of 16 bytes.
    `since`: for each id, since when (ms) the notice was to ring. An id without such a time ends no snooze."""

    ids: tuple[bytes, ...]
    since: tuple[int, ...] = ()


_PAYLOAD: Payload[Used | Rung] = Payload(Used | Rung)


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnPorts:
    """What `Turns` needs. `me`: this device. `devices`: returns the person's active devices, this one included. `send`:
    sends an ephemeral message to the person's other devices that are online, as far as there are any. `awake_s`:
    seconds of a clock that nobody can set."""

    me: DevId
    devices: Callable[[], Sequence[DevId]]
    send: Callable[[bytes], None]
    awake_s: Callable[[], float] = clock.awake_s


ALONE = TurnPorts(me=DevId(bytes(16)), devices=tuple, send=lambda payload: None)
"""The ports of a device that has no others beside it."""


class Turns:
    """Decides when this device may ring the notices that ring at one device only. Lives on the event loop."""

    def __init__(self, ports: TurnPorts) -> None:
        self.changed: Signal[()] = Signal()
        """Emitted when `upto_ms` or `ready_ms` may return something else than before."""
        self.rung: Signal[Mapping[NoticeId, int]] = Signal()
        """Emitted with notices that have rung on another device, at most MOST_IDS at once, and since when (ms) each was
        to ring there; 0 if the device did not say that."""
        self._ports = ports
        self._state = LinkState.OFFLINE
        self._is_last = False
        self._begun_ms = clock.now_ms()
        """Since when this device waits for others: the program began, or the computer woke, or it came online."""
        self._held_ms = self._begun_ms
        """Since when this device may not ring at once, without a moment between in which it could."""
        self._notified_s: float | None = None
        self._other_used_s = -inf
        """When another device said last that it is used."""

    @property
    def has_others(self) -> bool:
        """Whether the person has another active device."""
        return any(dev != self._ports.me for dev in self._ports.devices())

    # -- what happens here -----------------------------------------------------------------------------------------

    def on_status(self, state: LinkState) -> None:
        """Notes the state of the connection. In the state SYNCING nothing rings: what the person's other devices rang,
        and what they did since, is not read yet."""
        was_free = self._is_free(clock.now_ms())
        before, self._state = self._state, state
        if was_free:
            self._held_ms = clock.now_ms()
        if state is LinkState.ONLINE and before is not state:
            self._begun_ms, self._notified_s = clock.now_ms(), None
            if self._is_last:
                self._notify_used()
        self.changed.emit()

    def use(self, ago_s: float = 0.0) -> None:
        """Notes that the person used this device `ago_s` seconds ago, and notifies their other devices if one of those
        was used last until now: notices ring at the device that was used last. Call it at each input in Kansli's
        windows, and with `ago_s` when the system reports an input to another program. The system is asked once a
        minute, so it may report an input that the person made just before they went to another device. So this does
        nothing if another device has notified this one of its use after that input."""
        is_newest = self._ports.awake_s() - ago_s >= self._other_used_s
        if not self._is_last and is_newest and self._notify_used():
            self._is_last = True
            self.changed.emit()

    def begin_again(self) -> None:
        """Notes that the computer has slept or that its clock was set: other devices may have rung meanwhile, and have
        WAIT_S to say so."""
        self._begun_ms = self._held_ms = clock.now_ms()
        self.changed.emit()

    def note_rung(self, since: Mapping[NoticeId, int]) -> None:
        """Notifies the person's other devices that these notices have rung on this one, so that those stay silent.
        `since`: for each notice, when it became due to ring (ms since 1970); a device on which it was put off to a
        later time keeps that. Does nothing if this device has no connection or is the person's only one. Nothing is
        sent later: `NoticeMarks` shares by the person's own object what has rung, also with devices that are not
        connected now."""
        if self._state is LinkState.ONLINE and self.has_others:
            left = iter(since.items())
            while some := dict(islice(left, _SENT_AT_ONCE)):
                self._ports.send(_PAYLOAD.encode(Rung(ids=tuple(some), since=tuple(some.values()))))

    def _notify_used(self) -> bool:
        """Sends `Used`, if others can receive that. Returns False, and sends nothing, less than AGAIN_S after the last
        one: another device may have sent the same since."""
        now_s = self._ports.awake_s()
        if self._notified_s is not None and now_s - self._notified_s < AGAIN_S:
            return False
        if self._state is LinkState.ONLINE and self.has_others:
            self._notified_s = now_s
            self._ports.send(_PAYLOAD.encode(Used()))
        return True

    # -- what other devices say ------------------------------------------------------------------------------------

    def receive(self, dev: DevId, payload: bytes) -> None:
        """Receives a message of the device `dev`. Ignores a damaged one, one of more than 4,096 bytes, and this
        device's own. ▲ The caller has checked that the device is one of this person's. Otherwise a colleague could
        silence a notice."""
        if len(payload) > _MAX_BYTES or dev == self._ports.me:
            return
        try:
            message = _PAYLOAD.decode(payload)
        except BadChange:
            return
        if isinstance(message, Used):
            self._is_last, self._other_used_s = False, self._ports.awake_s()
            self.changed.emit()
        else:
            named = zip(message.ids[:MOST_IDS], chain(message.since, repeat(0)), strict=False)
            since = {NoticeId(ident): at for ident, at in named if len(ident) == _ID_BYTES}
            if since:
                self.rung.emit(since)

    # -- when it rings ---------------------------------------------------------------------------------------------

    def upto_ms(self) -> int | None:
        """Everything that is to ring since this time (ms) or an earlier one may ring on this device now; None if
        nothing may.

        ▲ Whatever the connection does, that is so LONGEST_S later at the latest. Otherwise a server could silence a
        person's devices for ever: one that never lets a device catch up, or that ends each connection before WAIT_S is
        over.
        """
        now_ms = clock.now_ms()
        if self._is_free(now_ms):
            return now_ms - self._wait_ms if self._waits_for_others else clock.MAX_MS
        return now_ms - self._longest_ms if now_ms >= self._held_ms + self._longest_ms else None

    def ready_ms(self, since_ms: int) -> int:
        """When this device may ring what is to ring since `since_ms`, by its clock, if the connection stays as it is.
        `changed` is emitted when it does not."""
        if self.upto_ms() == clock.MAX_MS:
            return since_ms
        last_ms = max(since_ms, self._held_ms) + self._longest_ms
        if self._state is LinkState.SYNCING:
            return last_ms
        begun_ms = self._begun_ms + self._wait_ms
        ready_ms = max(since_ms + self._wait_ms, begun_ms) if self._waits_for_others else max(since_ms, begun_ms)
        return min(ready_ms, last_ms)

    def _is_free(self, now_ms: int) -> bool:
        """Whether this device may ring now: what is to ring since WAIT_S, or everything."""
        if self._state is LinkState.SYNCING:
            return False
        return not self.has_others or self._is_ringer or now_ms >= self._begun_ms + self._wait_ms

    @property
    def _is_ringer(self) -> bool:
        return self._state is LinkState.ONLINE and self._is_last

    @property
    def _waits_for_others(self) -> bool:
        return self._state is LinkState.ONLINE and self.has_others and not self._is_last

    @property
    def _wait_ms(self) -> int:
        rank = sorted(self._ports.devices()).index(self._ports.me) if self._ports.me in self._ports.devices() else 0
        return (WAIT_S + STEP_S * rank) * 1000

    @property
    def _longest_ms(self) -> int:
        return self._wait_ms + LONGEST_S * 1000
