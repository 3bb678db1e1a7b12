# SPDX-License-Identifier: EUPL-1.2
"""The steps to the pictures of presence: the own menu, the dialog, a conversation of two."""

from PySide6.QtWidgets import QApplication, QWidget

from app.core.enums import Presence
from tests.shots import story as told
from tests.shots.scene import Scene, Step
from tests.world import until
from ui.shell.window.own_status import StatusDialog


async def menu(s: Scene) -> QWidget:
    s.window.go_section("home")
    s.story.me.presence.choose(Presence.BUSY, "Skriver beslut å ✍")
    s.window.rail.items["account"].click()
    shown = QApplication.activePopupWidget()
    assert shown is not None
    s.ends.append(shown.close)
    s.ends.append(lambda: s.story.me.presence.choose(Presence.AVAILABLE))
    return s.window


async def dialog(s: Scene) -> QWidget:
    s.window.go_section("home")
    s.window.own_status.edit()
    await until(lambda: any(d.isVisible() for d in s.window.findChildren(StatusDialog)))
    shown = next(d for d in s.window.findChildren(StatusDialog) if d.isVisible())
    shown._day.field.setText("nästa fredag")
    s.ends.append(shown.reject)
    return s.window


async def direct(s: Scene) -> QWidget:
    s.room(told.HEAD, "chat")
    return s.window


async def people(s: Scene) -> QWidget:
    view = s.room(told.CASE, "chat")
    if not view.panel.isVisible():
        view.toggle_panel()
        s.ends.append(view.toggle_panel)
    return s.window


VIEWS: dict[str, Step] = {
    "status-menu": menu,
    "status-dialog": dialog,
    "status-direct": direct,
    "status-people": people,
}
