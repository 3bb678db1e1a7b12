# SPDX-License-Identifier: EUPL-1.2
"""Notifications by the desktop's own service (org.freedesktop.Notifications), also where there is no tray:
https://specifications.freedesktop.org/notification-spec/1.2/.

One connection to the session bus, opened by the first notification. The service may keep the texts that it is given;
the caller decides what they contain.
"""

import asyncio
import html
import logging
from collections.abc import Callable
from typing import Any

from jeepney import DBusAddress, MatchRule, message_bus, new_method_call
from jeepney.io.asyncio import DBusRouter
from PySide6.QtCore import QObject

from ui.kit.bus import ask, open_bus
from ui.kit.plain import notice
from ui.kit.tasks import run
from ui.kit.translate import tr

_NAME = "org.freedesktop.Notifications"
SERVICE = DBusAddress("/org/freedesktop/Notifications", bus_name=_NAME, interface=_NAME)
WAITING = 8
"""The most notifications that wait while the service does not answer. Older ones are dropped: they add nothing."""

_log = logging.getLogger("ui")


class Freedesktop:
    """Shows desktop notifications over D-Bus: call it with a title and a text, on the event loop. A later notification
    replaces the former one."""

    def __init__(self, owner: QObject, on_click: Callable[[], object]) -> None:
        """`owner`: nothing is shown after it is deleted. `on_click` is called when the person presses the last
        notification."""
        self._owner, self._on_click = owner, on_click
        self._waiting: asyncio.Queue[tuple[str, str]] = asyncio.Queue(WAITING)
        self._task: asyncio.Task[None] | None = None
        self._shown = 0

    def __call__(self, title: str, text: str) -> None:
        if self._waiting.full():
            self._waiting.get_nowait()
        self._waiting.put_nowait((title, text))
        if self._task is None or self._task.done():
            self._task = run(self._owner, self._serve())

    async def _serve(self) -> None:
        """Connects to the session bus and shows notifications until the owner is deleted. A desktop without the
        service, or whose service stops, is no fault: it then returns."""
        try:
            async with open_bus("SESSION") as router:
                clicks = MatchRule(
                    type="signal", interface=SERVICE.interface, member="ActionInvoked", path=SERVICE.object_path
                )
                await ask(router, message_bus.AddMatch(clicks))
                markup = await self._has_markup(router)
                with router.filter(clicks, bufsize=4) as queue:
                    async with asyncio.TaskGroup() as both:
                        both.create_task(self._receive_clicks(queue))
                        both.create_task(self._notify(router, markup))
        except* (OSError, EOFError, ValueError, KeyError, TimeoutError, RuntimeError) as faults:
            _log.info("no desktop notifications: %s", type(faults.exceptions[0]).__name__)

    async def _notify(self, router: DBusRouter, markup: bool) -> None:
        while True:
            title, text = await self._waiting.get()
            body = html.escape(notice(text), quote=False) if markup else notice(text)
            hints = {"category": ("s", "im.received"), "desktop-entry": ("s", "se.kansli.Kansli")}
            # app, replaces, icon, summary, body, actions, hints, expire (-1: the desktop's own time)
            head = notice(title)
            arguments = ("Kansli", self._shown, "se.kansli.Kansli", head, body, ["default", tr("Open")], hints, -1)
            reply = await ask(router, new_method_call(SERVICE, "Notify", "susssasa{sv}i", arguments))
            self._shown = int(reply[0])

    async def _receive_clicks(self, clicks: Any) -> None:
        while True:
            message = await clicks.get()
            if message.body[0] == self._shown:
                self._on_click()

    async def _has_markup(self, router: DBusRouter) -> bool:
        (found,) = await ask(router, new_method_call(SERVICE, "GetCapabilities"))
        return "body-markup" in found
