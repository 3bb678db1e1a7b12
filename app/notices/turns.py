# SPDX-License-Identifier: EUPL-1.2
"""Decides at which of a person's devices a notice rings that all of them make at the same time: a reminder, a snoozed
notice that comes back, a task that is due.

It rings at the connected device that the person used last. The device that the person begins to use notifies the others
(`Used`), and the device that has rung names the notices (`Rung`). The others wait WAIT_S for `Rung`. If they do not
receive it, they ring, in the order of their ids, STEP_S apart. A device without a connection to the others rings by
itself. All messages are ephemeral, in the person's own room.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import msgspec

from app.core import clock
from app.core.enums import LinkState
from app.core.ids import DevId
from app.core.signal import Signal
from app.errors import BadChange
from app.objects.object import Payload
from app.store.notice_rows import NoticeId

WAIT_S, STEP_S = 15, 2
"""Seconds that the device with the lowest id waits for another one to ring, and by how many more each next one
waits."""
MOST_IDS = 200
"""The most notices that one message names."""
AGAIN_S = 5.0
"""The least seconds between two messages `Used` of a device."""
_MAX_BYTES = 4096
_ID_BYTES = 16


class Used(msgspec.Struct, frozen=True, kw_only=True, tag="used"):
    """The ephemeral message by which a device notifies the person's others that the person has begun to use it."""


class Rung(msgspec.Struct, frozen=True, kw_only=True, tag="rung"):
    """The ephemeral message by which a device names notices that have rung on it: at most MOST_IDS ids of 16 bytes."""

    ids: tuple[bytes, ...]


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
        self.rung: Signal[Collection[NoticeId]] = Signal()
        """Emitted with notices that have rung on another device, at most MOST_IDS at once."""
        self._ports = ports
        self._state = LinkState.OFFLINE
        self._is_last = False
        self._begun_ms = clock.now_ms()
        """Since when this device waits for others: the program began, or the computer woke, or it came online."""
        self._notified_s: float | None = None

    @property
    def has_others(self) -> bool:
        """Whether the person has another active device."""
        return any(dev != self._ports.me for dev in self._ports.devices())

    # -- what happens here -----------------------------------------------------------------------------------------

    def on_status(self, state: LinkState) -> None:
        """Notes the state of the connection. In the state SYNCING nothing rings while the person has other devices:
        which notices have rung on them is not read yet. After the state has become ONLINE, others have WAIT_S from
        then."""
        before, self._state = self._state, state
        if state is LinkState.ONLINE and before is not state:
            self._begun_ms, self._notified_s = clock.now_ms(), None
            if self._is_last:
                self._notify_used()
        self.changed.emit()

    def use(self) -> None:
        """Notes that the person uses this device now. Call it at each input: it costs nothing while this is the device
        that was used last."""
        if not self._is_last and self._notify_used():
            self._is_last = True
            self.changed.emit()

    def begin_again(self) -> None:
        """Notes that the computer has slept, or that its clock or time zone was set: other devices may have rung
        meanwhile. This device waits again, WAIT_S from now, for them to name what has rung."""
        self._begun_ms = clock.now_ms()
        self.changed.emit()

    def note_rung(self, ids: Sequence[NoticeId]) -> None:
        """Notifies the person's other devices that these notices have rung on this one. Sends nothing while it is not
        online, or if there are no others."""
        if self._state is LinkState.ONLINE and self.has_others:
            for at in range(0, len(ids), MOST_IDS):
                self._ports.send(_PAYLOAD.encode(Rung(ids=tuple(ids[at : at + MOST_IDS]))))

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
            self._is_last = False
            self.changed.emit()
        else:
            ids = [NoticeId(ident) for ident in message.ids[:MOST_IDS] if len(ident) == _ID_BYTES]
            if ids:
                self.rung.emit(ids)

    # -- when it rings ---------------------------------------------------------------------------------------------

    def upto_ms(self) -> int | None:
        """Which notices may ring on this device now: those that are due since this time (ms) or an earlier one. MAX_MS
        for all; None for none."""
        now_ms = clock.now_ms()
        if not self.has_others or (self._state is LinkState.ONLINE and self._is_last):
            return clock.MAX_MS
        if self._state is LinkState.SYNCING or now_ms < self._begun_ms + self._wait_ms:
            return None
        return now_ms - self._wait_ms if self._state is LinkState.ONLINE else clock.MAX_MS

    def ready_ms(self, since_ms: int) -> int | None:
        """When (ms, by its clock) this device may ring a notice that is due since `since_ms`, if nothing happens
        before; None if that depends on the state of the connection. `changed` is emitted when the answer changes."""
        if self.upto_ms() == clock.MAX_MS:
            return since_ms
        if self._state is LinkState.SYNCING:
            return None
        begun_ms = self._begun_ms + self._wait_ms
        return max(since_ms + self._wait_ms, begun_ms) if self._state is LinkState.ONLINE else max(since_ms, begun_ms)

    @property
    def _wait_ms(self) -> int:
        rank = sorted(self._ports.devices()).index(self._ports.me) if self._ports.me in self._ports.devices() else 0
        return (WAIT_S + STEP_S * rank) * 1000
