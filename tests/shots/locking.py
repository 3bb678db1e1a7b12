# SPDX-License-Identifier: EUPL-1.2
"""The curtain, and the PIN that lifts it, as steps."""

import asyncio
from functools import partial

from PySide6.QtWidgets import QWidget

from app.pin import PinTries, Verifier
from tests.shots.scene import Scene, Step
from tests.world import until
from ui.shell.entry.curtain import CurtainView
from ui.shell.settings.pin_row import PinDialog

_PIN, _WRONG = "704915", "991399"


async def curtain(s: Scene) -> QWidget:
    s.gate.setCentralWidget(CurtainView(None, s.story.desks[0].office.unlocking.check))
    return s.gate


async def curtain_wrong_pin(s: Scene) -> QWidget:
    tries = PinTries(await asyncio.to_thread(Verifier.make, _PIN))
    view = CurtainView(tries, s.story.desks[0].office.unlocking.check)
    s.gate.setCentralWidget(view)
    assert view.field is not None
    for left in range(9, 4, -1):
        tries._until = 0.0
        view.field.setText(_WRONG)
        view.unlock()
        await until(partial(_is_shown, view, left))
    return s.gate


def _is_shown(view: CurtainView, left: int) -> bool:
    return str(left) in view.error.text() and view.button.isEnabled()


async def settings_pin(s: Scene) -> QWidget:
    s.window.go_section("settings")
    s.window.settings_view.pin.set_button.click()
    await until(lambda: any(d.isVisible() for d in s.window.findChildren(PinDialog)))
    shown = next(d for d in s.window.findChildren(PinDialog) if d.isVisible())
    assert shown.pin is not None
    shown.pin.setText("123456")
    s.ends.append(shown.reject)
    return s.window


VIEWS: dict[str, Step] = {"curtain": curtain, "curtain-wrong-pin": curtain_wrong_pin, "settings-pin": settings_pin}
