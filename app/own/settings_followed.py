# SPDX-License-Identifier: EUPL-1.2
"""Settings that are the same on all devices of the person: those that app/settings.py declares so, such as language and
theme."""

from collections.abc import Iterable

from app.core import log
from app.errors import StoreUnwritable
from app.own.registers import Registers
from app.own.service import Own
from app.settings import SETTINGS, Settings

_FOLLOWING = {setting.key: setting for setting in SETTINGS if setting.follows}


class SettingsFollowed:
    """Brings what the person chooses in the settings to their other devices, and puts in force here what they have
    chosen there. ▲ Only settings that are declared to follow are sent or taken, and policy's values change nowhere."""

    def __init__(self, own: Own, settings: Settings) -> None:
        self._settings = settings
        self._registers = Registers(own, "settings")
        self._ends = [self._registers.changed.connect(self._take), settings.chosen.connect(self._on_chosen)]

    def close(self) -> None:
        """Stops following the settings and the devices."""
        for end in self._ends:
            end()
        self._registers.close()

    def start(self) -> None:
        """Takes what was chosen on other devices before. Called once a session. A new device sends nothing by itself:
        its own values are the installer's or the defaults, and the person's come with the room of their own."""
        self._take(_FOLLOWING)

    def _on_chosen(self, key: str) -> None:
        if key in _FOLLOWING:
            self._registers.set(key, self._settings.value(_FOLLOWING[key]))

    def _take(self, keys: Iterable[str]) -> None:
        for key in keys:
            if key not in _FOLLOWING or not self._registers.has(key):
                continue
            try:
                self._settings.follow(_FOLLOWING[key], self._registers.get(key))
            except StoreUnwritable as fault:  # it is in force, and taken again from the room of one's own at each start
                log.store.warning("setting-not-stored", code=fault.code)
