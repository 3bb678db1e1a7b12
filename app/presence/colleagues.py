# SPDX-License-Identifier: EUPL-1.2
"""What other devices have sent about their people, and what follows for each person."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from app.core.enums import Presence
from app.core.ids import DevId, Uid
from app.presence.records import DevicePresence

EXPIRES_S = 660.0
"""A device of which nothing was received for so long is gone: it sends every six minutes at the latest."""
MAX_DEVICES = 16
"""The most devices of one person that are kept."""
MAX_PEOPLE = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonPresence:
    """What is shown of a person: their state, their words ("" for none), and the day on which they are back (None for
    none)."""

    state: Presence
    text: str = ""
    back_on: date | None = None


@dataclass(frozen=True, slots=True)
class _Received:
    presence: DevicePresence
    at_s: float


def combined(devices: Iterable[DevicePresence], now_ms: int) -> PersonPresence | None:
    """What is shown of a person with these `devices`; None for none. The newest choice counts. A person who chose to be
    available is away if no device is in use; a call on any device shows, unless they are not to be disturbed."""
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
    """The newest presence of each device of other people, and of this person's other devices. Times in seconds are
    those of one clock that nobody can set."""

    def __init__(self) -> None:
        self._devices: dict[Uid, dict[DevId, _Received]] = {}

    def put(self, uid: Uid, dev: DevId, presence: DevicePresence, now_s: float) -> None:
        """Notes what the device `dev` of `uid` sent at `now_s`. Of more than MAX_DEVICES devices of a person, and of
        more than MAX_PEOPLE people, those that came first are kept."""
        devices = self._devices.get(uid)
        if devices is None:
            if len(self._devices) >= MAX_PEOPLE:
                return
            devices = self._devices[uid] = {}
        if dev in devices or len(devices) < MAX_DEVICES:
            devices[dev] = _Received(presence, now_s)

    def drop(self, uid: Uid, dev: DevId) -> None:
        """Forgets what the device sent: it is gone. Does nothing for a device that is not known."""
        devices = self._devices.get(uid, {})
        devices.pop(dev, None)
        if not devices:
            self._devices.pop(uid, None)

    def devices(self, uid: Uid) -> list[DevicePresence]:
        """The newest presence of each of the person's devices."""
        return [each.presence for each in self._devices.get(uid, {}).values()]

    def knows(self, uid: Uid, dev: DevId) -> bool:
        """Whether the device `dev` of `uid` has sent anything lately."""
        return dev in self._devices.get(uid, {})

    def people(self) -> list[Uid]:
        """Those of whom anything is known."""
        return list(self._devices)

    def expire(self, now_s: float) -> None:
        """Forgets devices of which nothing was received for EXPIRES_S (11 minutes)."""
        oldest = now_s - EXPIRES_S
        late = [(uid, dev) for uid, of in self._devices.items() for dev, each in of.items() if each.at_s < oldest]
        for uid, dev in late:
            self.drop(uid, dev)
