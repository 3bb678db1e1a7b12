# SPDX-License-Identifier: EUPL-1.2
"""The recovery sheet as steps: made, reminded of, used on another computer, and asked about."""

from functools import partial

from PySide6.QtWidgets import QWidget

from app.core.clock import now_ms
from app.errors import ReturnWaits
from app.settings import RECOVERY_SHEET_REMINDER
from sync.protocol.messages import RecoveryRequest
from tests.shots import story as told
from tests.shots.scene import Scene, Step, dialog
from tests.world import until
from ui.shell.entry.recovery_pages import ReturnView
from ui.shell.entry.welcome import WelcomeView
from ui.shell.settings.recovery_sheet_dialog import RecoverySheetDialog

_SHEET: dict[int, str] = {}
DAY_MS = 86_400_000


async def sheet(s: Scene, page: int) -> QWidget:
    s.window.go_section("settings")
    made = RecoverySheetDialog(s.window, s.story.me.recovery, [1, 4])
    made._go(page)
    return dialog(s, made)


async def reminder(s: Scene) -> QWidget:
    settings = s.story.me.settings
    settings.set(RECOVERY_SHEET_REMINDER, True)
    s.ends.append(partial(settings.set, RECOVERY_SHEET_REMINDER, False))
    s.window.go_section("home")
    s.window.content.home.refresh()
    return s.window


async def asked(s: Scene) -> QWidget:
    me = s.story.me
    me.engine.recovery_sheet.replace_attempts([RecoveryRequest("add", bytes(16), now_ms() + DAY_MS, b"")])
    me.on_status()
    s.ends += [me.on_status, partial(me.engine.recovery_sheet.replace_attempts, [])]  # from behind
    s.room(told.CASE, "chat")
    return s.window


async def returning(s: Scene) -> QWidget:
    s.gate.setCentralWidget(ReturnView(s.new_office(), server=s.story.desks[0].server))
    return s.gate


async def found(s: Scene) -> QWidget:
    """The registrar's own computer is still active."""
    recovery, office = s.story.registrar.recovery, s.new_office()
    if id(s) not in _SHEET:
        paper = recovery.draw()
        await recovery.publish(paper)
        _SHEET[id(s)] = paper.code
    view = ReturnView(office, server=s.story.desks[0].server)
    s.gate.setCentralWidget(view)
    view.code.setText(await s.story.offices.w.invite_back(s.story.registrar.people.me.uid))
    view.recovery_sheet.field.setText(_SHEET[id(s)])
    view.look_up()
    await until(lambda: view.currentWidget() is view.key_page)
    view.key_page.keys.by_passphrase.setChecked(True)
    return s.gate


async def here_already(s: Scene) -> QWidget:
    """A code to come back with, entered at first start."""
    view = WelcomeView(s.new_office(), server=s.story.desks[0].server)
    s.gate.setCentralWidget(view)
    view.code.setText(await s.story.offices.w.invite_back(s.story.registrar.people.me.uid))
    view.look_up()
    await until(lambda: view.currentWidget() is view.second_page)
    return s.gate


async def waits(s: Scene) -> QWidget:
    view = ReturnView(s.new_office())
    s.gate.setCentralWidget(view)
    view._show_waiting(ReturnWaits(now_ms() + DAY_MS))
    return s.gate


RECOVERING: dict[str, Step] = {
    "sheet": partial(sheet, page=1),
    "sheet-typed": partial(sheet, page=2),
    "sheet-old": partial(sheet, page=0),
    "home-reminder": reminder,
    "asked": asked,
    "return": returning,
    "return-found": found,
    "return-waits": waits,
    "return-or-anew": here_already,
}
