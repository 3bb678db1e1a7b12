# SPDX-License-Identifier: EUPL-1.2
"""One's own devices as steps: the list, letting one in from both sides, and what a revoked one says."""

import asyncio

from PySide6.QtWidgets import QApplication, QWidget

from app.devices.inviting import FAILED, Invitation
from tests.shots.scene import Scene, Step, dialog
from tests.world import until
from ui.shell.entry.welcome import WelcomeView
from ui.shell.settings.new_device_dialog import InviteDialog
from ui.shell.window.revoked import RevokedDialog


async def the_list(s: Scene) -> QWidget:
    me = s.story.me
    me.devices.rename(me.engine.devices.mine, "Tornet på plan 3")
    s.window.go_section("settings")
    view = s.window.settings_view
    QApplication.processEvents()
    view.devices.add.setFocus()  # which scrolls to it
    return s.window


async def _invited(s: Scene, *, by_code: bool) -> InviteDialog:
    s.window.go_section("settings")
    s.story.me.store.notes.set(FAILED, "")  # a picture's digits get no answer, and three such leave only the code
    asked = InviteDialog(s.window, s.story.me.devices, "kansli.myndighet.example")
    dialog(s, asked)
    asked.begin()
    await until(lambda: bool(asked.left.text()))
    if not by_code:
        asked.other.click()
        await until(lambda: any(c.isdigit() for c in asked.left.text()) and asked.large.text()[:3].isdigit())
    return asked


async def code(s: Scene) -> QWidget:
    await _invited(s, by_code=True)
    return s.window


async def number(s: Scene) -> QWidget:
    await _invited(s, by_code=False)
    return s.window


async def arrived(s: Scene) -> QWidget:
    asked = await _invited(s, by_code=False)
    office = s.new_office()
    await office.begin_pairing(s.story.desks[0].server, "Bärbar dator", number=asked.large.text())
    await until(asked.accept_button.isVisible)
    s.ends.append(office.stop_pairing)
    return s.window


async def join(s: Scene) -> QWidget:
    view = WelcomeView(s.new_office(), server="kansli.myndighet.example")
    s.gate.setCentralWidget(view)
    view.have.click()
    view.join.name.setText("Bärbar dator")
    return s.gate


async def join_error(s: Scene) -> QWidget:
    await join(s)
    view = s.gate.centralWidget()
    assert isinstance(view, WelcomeView)
    view.join.server.setText(s.story.desks[0].server)
    view.join.code.setText("123 456 789")
    view.join.begin_pairing()
    await until(view.join.where_page.error.isVisible)
    view.join.server.setText("kansli.myndighet.example")
    return s.gate


async def join_who(s: Scene) -> QWidget:
    await join(s)
    view = s.gate.centralWidget()
    assert isinstance(view, WelcomeView)
    invitation: Invitation = s.story.me.devices.invite()
    offer = await invitation.open(by_code=True)
    arriving = asyncio.ensure_future(invitation.arrived())
    view.join.server.setText(s.story.desks[0].server)
    view.join.code.setText(offer.code)
    view.join.begin_pairing()
    await until(lambda: view.join.currentWidget() is view.join.who_page)
    await arriving
    s.ends.append(invitation.close)
    return s.gate


async def revoked(s: Scene) -> QWidget:
    s.window.go_section("home")
    return dialog(s, RevokedDialog(s.window, s.story.me.unsent))


VIEWS: dict[str, Step] = {
    "devices": the_list,
    "device-code": code,
    "device-number": number,
    "device-arrived": arrived,
    "join": join,
    "join-error": join_error,
    "join-who": join_who,
    "revoked": revoked,
}
