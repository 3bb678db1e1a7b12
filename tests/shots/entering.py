# SPDX-License-Identifier: EUPL-1.2
"""The way in as steps: the first start, an enrolment that is not finished, and a store that is locked."""

from PySide6.QtWidgets import QWidget

from tests.shots.scene import Scene, Step
from tests.world import until
from ui.shell.entry.unfinished_enrolment import UnfinishedView
from ui.shell.entry.unlock import UnlockView
from ui.shell.entry.welcome import WelcomeView


async def welcome(s: Scene) -> QWidget:
    s.gate.setCentralWidget(WelcomeView(s.new_office()))
    return s.gate


async def welcome_error(s: Scene) -> QWidget:
    view = WelcomeView(s.new_office(), server=s.story.desks[0].server)
    s.gate.setCentralWidget(view)
    view.code.setText("ABCD-EFGH-JKMN-PQRS")
    view.look_up()
    await until(view.code_page.error.isVisible)
    return s.gate


async def key_page(s: Scene) -> QWidget:
    view = WelcomeView(s.new_office(), server=s.story.desks[0].server)
    s.gate.setCentralWidget(view)
    view.code.setText(s.code)
    view.look_up()
    await until(lambda: view.currentWidget() is view.key_page)
    view.key_page.keys.by_passphrase.setChecked(True)
    view.key_page.keys.passphrase.setText("fyra vanliga ord i rad")
    return s.gate


async def unfinished(s: Scene) -> QWidget:
    s.gate.setCentralWidget(UnfinishedView(s.story.desks[0].office.unlock, None))
    return s.gate


async def unlock_error(s: Scene) -> QWidget:
    view = UnlockView(s.story.desks[0].office.unlock)
    s.gate.setCentralWidget(view)
    assert view.field is not None
    view.field.setText("fel lösenfras")
    view.unlock()
    await until(view.error.isVisible)
    return s.gate


VIEWS: dict[str, Step] = {
    "welcome": welcome,
    "welcome-error": welcome_error,
    "key-page": key_page,
    "unfinished": unfinished,
    "unlock-error": unlock_error,
}
