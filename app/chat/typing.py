# SPDX-License-Identifier: EUPL-1.2
"""The people who are writing right now: ephemeral messages that are never stored."""

from collections.abc import Callable
from math import inf

import msgspec

from app.chat.ports import SendEphemeral
from app.core import clock
from app.core.ids import DevId, RoomId, Uid
from app.core.signal import Signal
from app.setting import Switch

SEND_EVERY_S = 3.0
SHOWN_FOR_S = 7.0


class TypingNow(msgspec.Struct, frozen=True, kw_only=True, tag="typing"):
    """The ephemeral message that its sender is writing in a room's chat (`on` True) or has stopped."""

    on: bool


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(TypingNow)


class Typing:
    """The people who are writing in each room right now: sends this for the own account and receives it from others.
    `send` gets a room and the bytes of an ephemeral message for the devices that are online there; None: nothing is
    sent. `shown` is the setting whether the others may see it; None: they may. `now_s` is a clock in seconds that
    nobody can set. `now` drops old entries by itself; a view calls it every second while its result is not empty."""

    def __init__(
        self,
        send: SendEphemeral | None,
        shown: Switch | None = None,
        now_s: Callable[[], float] = lambda: clock.awake_s(),
    ) -> None:
        self.changed: Signal[RoomId] = Signal()
        self._send = send
        self._shown = shown or Switch()
        self._shown.changed.connect(self._on_setting)
        self._now_s = now_s
        self._sent: dict[RoomId, float] = {}
        self._received: dict[RoomId, dict[tuple[Uid, DevId], float]] = {}

    def send(self, room: RoomId, on: bool = True) -> None:
        """Sends that this account is writing in the room, at most every three seconds for each room; or that it has
        stopped (`on` False), only if it sent that it is writing less than seven seconds ago. After that the other
        members' programs drop it by themselves."""
        if on and not self._shown.is_on():
            return
        now = self._now_s()
        since = now - self._sent.get(room, -inf)
        if since < SEND_EVERY_S if on else since >= SHOWN_FOR_S:
            return
        self._sent[room] = now if on else -inf
        if self._send is not None:
            self._send(room, _encoder.encode(TypingNow(on=on)))

    def _on_setting(self) -> None:
        if not self._shown.is_on():
            for room in list(self._sent):
                self.send(room, on=False)

    def receive(self, room: RoomId, uid: Uid, dev: DevId, payload: bytes) -> None:
        """Receives an ephemeral message, whose content is `payload`, that the person `uid` sent from the device `dev`.
        A payload that does not say whether somebody is writing is ignored."""
        try:
            message = _decoder.decode(payload)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return
        received = self._received.setdefault(room, {})
        if message.on:
            received[uid, dev] = self._now_s()
        else:
            received.pop((uid, dev), None)
        self.changed.emit(room)

    def stop(self, room: RoomId, uid: Uid) -> None:
        """Removes a person from those who are writing: a message of theirs was received."""
        received = self._received.get(room, {})
        gone = [key for key in received if key[0] == uid]
        for key in gone:
            del received[key]
        if gone:
            self.changed.emit(room)

    def now(self, room: RoomId) -> list[Uid]:
        """The people who are writing in a room now, longest first, each once. This account's own person is among them
        while they write on another device. Drops those of whom nothing was received for seven seconds."""
        received = self._received.get(room, {})
        late = self._now_s() - SHOWN_FOR_S
        for key in [key for key, t in received.items() if t <= late]:
            del received[key]
        return list(dict.fromkeys(uid for uid, _ in received))
