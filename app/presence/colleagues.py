# SPDX-License-Identifier: EUPL-1.2
"""Holds in memory what other devices have sent about their people, and combines it into what is shown of a person."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from app.core.enums import Presence
from app.core.ids import DevId, Uid
from app.presence.records import DevicePresence

EXPIRES_S = 660.0
"""Seconds: a device from which nothing was received for so long is forgotten. A device sends every six minutes at the
latest."""
MAX_DEVICES = 16
"""The most devices of one person that are kept."""
MAX_PEOPLE = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonPresence:
    """What is shown of a person. `text`: their status text, "" for none. `back_on`: the day on which they are back."""

    state: Presence
    text: str = ""
    back_on: date | None = None


@dataclass(frozen=True, slots=True)
class _Received:
    presence: DevicePresence
    at_s: float


def combined(devices: Iterable[DevicePresence], now_ms: int) -> PersonPresence | None:
    """Combines what the devices of one person have sent, at the time `now_ms`; None if there are no devices. The newest
    choice counts. Available becomes away if no device is in use. A call on any device shows in place of every state but
    do not disturb."""
    all_of_them = list(devices)
    if not all_of_them:
        return None
    choice = max((each.choice for each in all_of_them), key=lambda choice: choice.chosen_ms).at(now_ms)
    state = choice.state
    if any(each.in_call for each in all_of_them) and state is not Presence.DO_NOT_DISTURB:
        state = Presence.IN_CALL
    elif state is Presence.AVAILABLE and not any(each.in_use for each in all_of_them):
        state = Presence.AWAY
    return PersonPresence(state=state, text=choice.text, back_on=choice.back_on)


class Colleagues:
    """The newest presence of each device of other people, and of this person's other devices. All times are seconds of
    one monotonic clock."""

    def __init__(self) -> None:
        self._devices: dict[Uid, dict[DevId, _Received]] = {}

    def put(self, uid: Uid, dev: DevId, presence: DevicePresence, now_s: float) -> None:
        """Stores what the device `dev` of `uid` sent, received at `now_s`. Ignores a further device if the person has
        MAX_DEVICES already, and a further person if there are MAX_PEOPLE."""
        devices = self._devices.get(uid)
        if devices is None:
            if len(self._devices) >= MAX_PEOPLE:
                return
            devices = self._devices[uid] = {}
        if dev in devices or len(devices) < MAX_DEVICES:
            devices[dev] = _Received(presence, now_s)

    def drop(self, uid: Uid, dev: DevId) -> None:
        """Forgets what the device `dev` of `uid` sent. Does nothing for a device that is not known."""
        devices = self._devices.get(uid, {})
        devices.pop(dev, None)
        if not devices:
            self._devices.pop(uid, None)

    def devices(self, uid: Uid) -> list[DevicePresence]:
        """The newest presence of each of the person's devices."""
        return [each.presence for each in self._devices.get(uid, {}).values()]

    def knows(self, uid: Uid, dev: DevId) -> bool:
        """Whether something that the device `dev` of `uid` sent is stored and has not expired."""
        return dev in self._devices.get(uid, {})

    def people(self) -> list[Uid]:
        """The people of whom at least one device is known."""
        return list(self._devices)

    def expire(self, uid: Uid, now_s: float) -> None:
        """Forgets those devices of the person from which nothing was received for EXPIRES_S (11 minutes)."""
        oldest = now_s - EXPIRES_S
        for dev in [dev for dev, each in self._devices.get(uid, {}).items() if each.at_s < oldest]:
            self.drop(uid, dev)
