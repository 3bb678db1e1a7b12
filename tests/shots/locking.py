# SPDX-License-Identifier: EUPL-1.2
"""The curtain, and the PIN that lifts it, as steps."""

import asyncio
from functools import partial

from PySide6.QtWidgets import QWidget

from app.errors import DiskFull
from app.pin import PinTries, Verifier
from tests.shots.scene import Scene, Step
from tests.world import until
from ui.shell.entry.curtain import CurtainView
from ui.shell.entry.discarding import DiscardDialog, Proof
from ui.shell.entry.locking import LockingView
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


async def curtain_unsaved(s: Scene) -> QWidget:
    """Somebody wants to quit while the disk is full."""
    view = CurtainView(None, s.story.desks[0].office.unlocking.check)
    s.gate.setCentralWidget(view)
    view.refuse_to_quit(DiskFull())
    return s.gate


async def locking_discard(s: Scene) -> QWidget:
    """The question on the page of a lock that cannot store everything."""

    def full() -> None:
        raise DiskFull

    keys = s.story.desks[0].office.unlocking
    view = LockingView(full, proof=lambda: Proof(passphrase=keys.check))
    s.gate.setCentralWidget(view)
    settling = asyncio.ensure_future(view.settled())
    s.ends.append(settling.cancel)
    await until(lambda: view.is_held)
    view.ask()
    await until(lambda: bool(view.findChildren(DiscardDialog)))
    s.ends += [each.reject for each in view.findChildren(DiscardDialog)]
    return s.gate


VIEWS: dict[str, Step] = {
    "curtain": curtain,
    "curtain-wrong-pin": curtain_wrong_pin,
    "curtain-unsaved": curtain_unsaved,
    "locking-discard": locking_discard,
    "settings-pin": settings_pin,
}
