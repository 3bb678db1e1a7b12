# SPDX-License-Identifier: EUPL-1.2
"""Notifications by the desktop's own service (org.freedesktop.Notifications), also where there is no tray:
https://specifications.freedesktop.org/notification-spec/1.2/.

One connection to the session bus, opened by the first notification. The service may keep the texts that it is given;
the caller decides what they contain.
"""

import asyncio
import html
import logging
from collections.abc import Callable, Hashable
from typing import Any

from jeepney import DBusAddress, MatchRule, message_bus, new_method_call
from jeepney.io.asyncio import DBusRouter
from PySide6.QtCore import QObject

from ui.kit.bus import ask, open_bus
from ui.kit.plain import notice
from ui.kit.tasks import run
from ui.shell.window.desktop_toast import OnAction, Toast, ToastAction, offered

_NAME = "org.freedesktop.Notifications"
SERVICE = DBusAddress("/org/freedesktop/Notifications", bus_name=_NAME, interface=_NAME)
WAITING = 8
"""The most conversations whose notifications wait while the service does not answer. Older ones are dropped: they add
nothing."""
_ACTIONS = {
    "default": ToastAction.OPEN,
    "reply": ToastAction.REPLY,
    "read": ToastAction.READ,
    "snooze": ToastAction.SNOOZE,
}
"""By the name that the service gives back."""
_NAMES = {action: name for name, action in _ACTIONS.items()}
_SOUND = "message-new-instant"
"""Of the sound naming specification: the desktop's own sound for a message."""

_log = logging.getLogger("ui")


class Freedesktop:
    """Shows desktop notifications over D-Bus; call it, and `withdraw`, on the event loop. One for a conversation takes
    the place of its former one. One that the person has closed is not replaced: the next one is new."""

    def __init__(
        self, owner: QObject, on_action: OnAction, on_unshown: Callable[[Toast], object] = lambda toast: None
    ) -> None:
        """`owner`: nothing is shown after it is deleted. `on_action` is called with a notification's key and what the
        person chose on it; `on_unshown` with each notification that the service did not take, since there is none or it
        did not answer. One that comes later is tried again."""
        self._owner, self._on_action, self._on_unshown = owner, on_action, on_unshown
        self._waiting: dict[Hashable, Toast | None] = {}
        """What is to be shown for a key; None: what is shown is to be taken away."""
        self._woken = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._shown: dict[Hashable, int] = {}
        """The service's numbers, by key."""
        self._notifying: dict[Hashable, Toast] = {}
        """The notification that the service is being given, by key: its number is not known yet."""

    def __call__(self, toast: Toast) -> None:
        self._put(toast.key, toast)
        shown = [key for key, waiting in self._waiting.items() if waiting is not None]
        for key in shown[:-WAITING]:  # ▲ never what is to be taken away: under the curtain it would stay to be read
            if key in self._shown or key in self._notifying:
                self._waiting[key] = None  # what is there of it is older than what is dropped
            else:
                del self._waiting[key]

    def withdraw(self, key: Hashable) -> None:
        """Takes a notification away, if it is there or about to be: what it was about is read."""
        if key in self._shown or key in self._notifying:
            self._put(key, None)
        else:
            self._waiting.pop(key, None)

    def _put(self, key: Hashable, toast: Toast | None) -> None:
        self._waiting.pop(key, None)
        self._waiting[key] = toast
        self._woken.set()
        if self._task is None or self._task.done():
            self._task = run(self._owner, self._serve())

    async def _serve(self) -> None:
        """Connects to the session bus and shows notifications until the owner is deleted. A desktop without the
        service, or whose service stops, is no fault: it then returns."""
        self._shown.clear()
        self._notifying.clear()
        try:
            async with open_bus("SESSION") as router:
                signals = MatchRule(type="signal", interface=SERVICE.interface, path=SERVICE.object_path)
                await ask(router, message_bus.AddMatch(signals))
                (can,) = await ask(router, new_method_call(SERVICE, "GetCapabilities"))
                with router.filter(signals, bufsize=16) as queue:
                    async with asyncio.TaskGroup() as both:
                        both.create_task(self._receive(queue))
                        both.create_task(self._show_all(router, frozenset(can)))
        except* (OSError, EOFError, ValueError, KeyError, TimeoutError, RuntimeError) as faults:
            _log.info("no desktop notifications: %s", type(faults.exceptions[0]).__name__)
            self._give_back()

    def _give_back(self) -> None:
        """What the service did not take, and is not to be taken away, is shown otherwise."""
        left: dict[Hashable, Toast | None] = {**self._notifying, **self._waiting}
        self._notifying.clear()
        self._waiting.clear()
        for toast in left.values():
            if toast is not None:
                self._on_unshown(toast)

    async def _show_all(self, router: DBusRouter, can: frozenset[str]) -> None:
        while True:
            while self._waiting:
                key = next(iter(self._waiting))
                toast = self._waiting.pop(key)
                if toast is not None:
                    call = new_method_call(SERVICE, "Notify", "susssasa{sv}i", self._arguments(toast, can))
                    self._notifying[key] = toast
                    reply = await ask(router, call)
                    del self._notifying[key]
                    self._shown[key] = int(reply[0])
                elif (number := self._shown.pop(key, None)) is not None:
                    await ask(router, new_method_call(SERVICE, "CloseNotification", "u", (number,)))
            self._woken.clear()
            await self._woken.wait()

    def _arguments(self, toast: Toast, can: frozenset[str]) -> tuple[object, ...]:
        """The arguments of Notify, for a desktop that has the capabilities `can`."""
        text = notice(toast.text)
        body = html.escape(text, quote=False) if "body-markup" in can else text
        hints: dict[str, tuple[str, object]] = {
            "category": ("s", "im.received"),
            "desktop-entry": ("s", "se.kansli.Kansli"),
        }
        hints |= {"sound-name": ("s", _SOUND)} if toast.sounds else {"suppress-sound": ("b", True)}
        # app, replaces, icon, summary, body, actions, hints, expire (-1: the desktop's own time)
        replaces, head = self._shown.get(toast.key, 0), notice(toast.title)
        actions = _actions(toast) if "actions" in can else []
        return ("Kansli", replaces, "se.kansli.Kansli", head, body, actions, hints, -1)

    async def _receive(self, signals: Any) -> None:
        while True:
            message = await signals.get()
            number, member = message.body[0], message.header.fields[3]
            key = next((key for key, shown in self._shown.items() if shown == number), None)
            if number not in self._shown.values():  # another program's
                continue
            if member == "NotificationClosed":
                del self._shown[key]
            elif member == "ActionInvoked" and message.body[1] in _ACTIONS:
                self._on_action(key, _ACTIONS[message.body[1]])


async def is_there() -> bool:
    """Whether the desktop has a service for notifications: one that runs, or one that the bus starts when it is called.
    Starts none."""
    try:
        async with open_bus("SESSION") as router:
            (runs,) = await ask(router, message_bus.NameHasOwner(_NAME))
            (started,) = await ask(router, message_bus.ListActivatableNames())
            return bool(runs) or _NAME in started
    except (OSError, EOFError, ValueError, KeyError, TimeoutError):
        return False


def _actions(toast: Toast) -> list[str]:
    """Name and text of each action, as the service takes them."""
    return [part for action, word in offered(toast) for part in (_NAMES[action], word)]
