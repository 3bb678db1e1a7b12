# SPDX-License-Identifier: EUPL-1.2
"""Views as they are where an organisation has fixed settings: as tests/shots/views.py."""

from PySide6.QtWidgets import QWidget

from app.devices.contact import LAST_CONTACT
from app.passphrases import PassphraseRules
from app.setting import Value
from app.unlocking import SlotKind
from tests.shots.scene import Scene, Step
from ui.shell.entry.new_unlock_method import NewUnlockMethodView
from ui.shell.entry.welcome import WelcomeView
from ui.shell.settings.settings_view import SettingsView
from ui.shell.window.away import AwayView

SERVERS = ("kansli.myndighet.example", "reserv.myndighet.example")


async def welcome(s: Scene) -> QWidget:
    s.gate.setCentralWidget(WelcomeView(s.new_office(), servers=SERVERS[:1]))
    return s.gate


async def welcome_choice(s: Scene) -> QWidget:
    s.gate.setCentralWidget(WelcomeView(s.new_office(), servers=SERVERS))
    return s.gate


async def settings(s: Scene) -> QWidget:
    office = s.story.desks[0].office
    fixed: dict[str, Value] = {"servers": SERVERS[0], "offline-days": 30, "allow-export": False, "autostart": True}
    office.settings.renew(fixed, {})
    s.ends.append(lambda: office.settings.renew({}, {}))
    s.gate.setCentralWidget(SettingsView(s.story.me, office.unlocking))
    return s.gate


async def away(s: Scene) -> QWidget:
    office = s.story.desks[0].office
    office.settings.renew({"offline-days": 30}, {})
    s.story.me.store.notes.set(LAST_CONTACT, "")
    s.ends.append(lambda: office.settings.renew({}, {}))
    s.gate.setCentralWidget(AwayView(s.story.me, lambda: None))
    return s.gate


async def new_way(s: Scene) -> QWidget:
    s.gate.setCentralWidget(NewUnlockMethodView(SlotKind.KEYRING, s.story.desks[0].office.replace, PassphraseRules()))
    return s.gate


VIEWS: dict[str, Step] = {
    "welcome-managed": welcome,
    "welcome-choice": welcome_choice,
    "settings-managed": settings,
    "away": away,
    "new-way": new_way,
}
